#!/usr/bin/env node
/** The `nlkit` program: a command line in, an exit code out. */
import { run } from './run.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupted.signal,
})
