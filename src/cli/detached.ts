/** A kernel that is served by a process of its own, which outlives the one that started it. */
import { spawn } from 'node:child_process'

/** In the environment of a process that is started detached: it keeps no folder of its starter's. */
export const DETACHED = 'NLKIT_DETACHED'

/** Where the words of that process go. */
export interface Relay {
  /** How many it says until it is ready; one unless given. */
  readonly lines?: number
  out(text: string): void
  err(text: string): void
}

/**
 * Starts `file` with the words `args`, and returns when it has said a line, which means that it is
 * ready, or has ended: its exit code.
 */
export async function startDetached(
  file: string,
  args: readonly string[],
  relay: Relay,
): Promise<number> {
  const child = spawn(process.execPath, [file, ...args], {
    detached: true,
    env: { ...process.env, [DETACHED]: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { lines = 1 } = relay
  let said = ''
  let complaint = ''
  const code = await new Promise<number>((done, failed) => {
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      said += part
      if (said.split('\n').length > lines) done(0)
    })
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      complaint += part
    })
    child.on('error', failed)
    child.on('close', (status) => done(status ?? 1))
  })
  if (said !== '') relay.out(said)
  if (complaint !== '') relay.err(complaint)
  child.stdout.destroy()
  child.stderr.destroy()
  child.unref()
  return code
}
