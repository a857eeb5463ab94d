/** `nlkit replay`: a kernel that answers as one answered that was recorded. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readFrames, replayKernel } from '../capture/index.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { type Parameters, text } from './parameter.ts'
import { runProgram } from './run-command.ts'
import { SERVED } from './session.ts'

const parameters = {
  listen: text('PATH', "the socket's path; in the user's runtime folder unless given"),
} satisfies Parameters

function load(file: string): ReturnType<typeof replayKernel> {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  return replayKernel(readFrames(bytes))
}

async function replay(call: Call<typeof parameters>): Promise<number | undefined> {
  const kernel = load(call.subject!)
  if (call.behind.length > 0) return runProgram(call, undefined, kernel)
  const { startDaemon } = await import('../daemon/daemon.ts')
  const { listen } = call.given
  const path = listen === undefined ? undefined : resolve(listen)
  const daemon = await startDaemon({ path, kernel })
  const end = (): void => void daemon.close()
  call.signal.addEventListener('abort', end, { once: true })
  process.once('SIGTERM', end)
  if (call.options.json) call.out.json({ kernel: `${SERVED}${daemon.path}`, pid: process.pid })
  else call.out.line(`kernel at ${SERVED}${daemon.path} (process ${process.pid})`)
  await daemon.ended
  process.off('SIGTERM', end)
  return undefined
}

export const command: Command = {
  only: verb({
    summary: 'a kernel that answers as it was recorded',
    examples: [
      'nlkit replay talk.pcapng -- ip link',
      'nlkit replay talk.pcapng --listen /tmp/k.sock',
    ],
    subject: { placeholder: 'FILE', about: 'a capture file', required: true },
    behind: 'CMD [ARGS...]',
    parameters,
    run: replay,
  }),
}
