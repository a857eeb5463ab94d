/** A program on our terminal: it gets our signals, and we get its exit code. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { NotRun } from './exit.ts'

/** What we are told that the program should know. */
const PASSED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT']
/** What a terminal tells the program itself, as it is in the same process group. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']

export interface Child {
  readonly file: string
  /** With the name that it is called by. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Runs it to its end.
 * @returns its exit code; 128 and the signal's number when a signal ended it.
 * @throws NotRun when it cannot be executed.
 */
export async function runChild({ file, argv, env }: Child): Promise<number> {
  const [argv0, ...args] = argv
  const child = spawn(file, args, { argv0: argv0!, env: { ...env }, stdio: 'inherit' })
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  const ignore = (): void => {}
  for (const signal of PASSED) process.on(signal, pass)
  for (const signal of FROM_TERMINAL) process.on(signal, hasTerminal ? ignore : pass)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) => {
        const what = error.code === 'ENOEXEC' ? 'is no program' : `cannot be run: ${error.code}`
        reject(new NotRun(error.code === 'ENOENT' ? 127 : 126, `${file} ${what}`))
      })
      child.on('exit', (code, signal) => {
        resolve(code ?? 128 + constants.signals[signal as NodeJS.Signals])
      })
    })
  } finally {
    for (const signal of PASSED) process.off(signal, pass)
    for (const signal of FROM_TERMINAL) process.off(signal, hasTerminal ? ignore : pass)
  }
}
