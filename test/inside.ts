/** Runs real programs inside a namespace that this process holds by a descriptor. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Netns } from 'nlkit/testing'

/** What a program printed; it ended with 0. */
export async function inside(
  namespace: Netns,
  command: readonly string[],
  input = '',
): Promise<string> {
  const child = spawn('nsenter', ['--net=/proc/self/fd/3', ...command], {
    stdio: ['pipe', 'pipe', 'pipe', namespace.fd],
  })
  let output = ''
  let complaint = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) throw new Error(`${command.join(' ')}: ${signal ?? code}: ${complaint}`)
  return output
}
