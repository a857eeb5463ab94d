/** A kernel served by a process of its own, for tests: where it is, and its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The program. */
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface ServedKernel extends AsyncDisposable {
  /** As `open({ kernel })` takes it. */
  readonly kernel: `unix:${string}`
  readonly path: string
  /** A folder of the test's own, removed at the end. */
  readonly folder: string
  readonly child: ChildProcess
}

/** Starts `nlkit kernel start` and waits until it serves; it ends with the result. */
export async function serveKernel(...args: string[]): Promise<ServedKernel> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-test-'))
  const path = join(folder, 'kernel.sock')
  const child = spawn(process.execPath, [main, 'kernel', 'start', '--listen', path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => Promise.reject(new Error(`the kernel did not start: ${complaint}`))),
  ])
  return {
    kernel: `unix:${path}`,
    path,
    folder,
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
