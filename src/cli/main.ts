#!/usr/bin/env node
/** The `nlkit` program: a command line in, an exit code out. */
import { bundleFor, loadBundle } from './bundle.ts'

/** The longest that a timer can wait, milliseconds. */
const FOR_EVER = 2 ** 31 - 1

async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  /** A kernel in this process keeps nobody waiting: without a timer Node would end before it. */
  const awake = setInterval(() => undefined, FOR_EVER)
  const argv = process.argv.slice(2)
  const { run } = loadBundle(bundleFor(argv, process.env)) ?? (await import('./run.ts'))
  process.exitCode = await run(argv, {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupted.signal,
  })
  clearInterval(awake)
}

void main()
