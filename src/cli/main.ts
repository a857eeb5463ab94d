#!/usr/bin/env node
/** The `nlkit` program: a command line in, an exit code out. */
import { bundledProgram, bundleFor, loadBundle } from './bundle.ts'

/** The longest that a timer can wait, milliseconds. */
const FOR_EVER = 2 ** 31 - 1

const argv = process.argv.slice(2)

/**
 * A kernel in the background, where nothing has to be loaded to start it: the other process reads
 * the command line.
 */
async function detach(name: string | undefined): Promise<number | undefined> {
  if (name !== 'kernel' || !argv.includes('--detach')) return undefined
  if (argv.includes('--help') || argv.includes('-h')) return undefined
  const program = bundledProgram(name)
  if (!program) return undefined
  const { startDetached } = await import('./detached.ts')
  return startDetached(
    program,
    argv.filter((word) => word !== '--detach'),
    {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
    },
  )
}

async function runHere(name: string | undefined): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  /** A kernel in this process keeps nobody waiting: without a timer Node would end before it. */
  const awake = setInterval(() => undefined, FOR_EVER)
  const { run } = loadBundle(name) ?? (await import('./run.ts'))
  const code = await run(argv, {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupted.signal,
  })
  clearInterval(awake)
  return code
}

async function main(): Promise<void> {
  const name = bundleFor(argv, process.env)
  process.exitCode = (await detach(name)) ?? (await runHere(name))
}

void main()
