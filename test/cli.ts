/** The command line under test: in this process on a kernel of its own, or as a process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Kernel } from 'nlkit/kernel'

/** The program. */
export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
/** src/cli/run.ts, which the package does not export. */
const { run } = (await import(new URL('../../dist/cli/run.js', import.meta.url).href)) as {
  run(argv: readonly string[], surroundings: object): Promise<number>
}

/** How a command line ended, and what it wrote. */
export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
  /** Both, as they came. */
  readonly output: string
}

interface InProcess {
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Told of each piece that is written. */
  readonly onWrite?: (text: string) => void
}

/** Runs a command line in this process, on `kernel` or on that of the machine. */
export async function nlkit(
  kernel: Kernel | 'live',
  argv: readonly string[],
  { env = {}, signal = new AbortController().signal, onWrite }: InProcess = {},
): Promise<Ended> {
  const written = { stdout: '', stderr: '', output: '' }
  const sink = (stream: 'stdout' | 'stderr') => ({
    write(text: string) {
      written[stream] += text
      written.output += text
      onWrite?.(text)
    },
  })
  const code = await run(argv, {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: { NLKIT_KERNEL: kernel === 'live' ? 'live' : 'embedded', ...env },
    signal,
    ...(kernel === 'live' ? {} : { kernel }),
  })
  return { code, ...written }
}

/** Runs what follows without privileges. */
export const UNPRIVILEGED = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
const [drop = '', ...dropArguments] = UNPRIVILEGED
/** Why that cannot be done here, if it cannot. */
export const cannotDrop: string | undefined =
  process.getuid?.() === 0 && spawnSync(drop, [...dropArguments, 'true']).status === 0
    ? undefined
    : 'needs root and setpriv(1)'

interface AsProcess {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** A program and its arguments in front of node, such as `setpriv …`. */
  readonly through?: readonly string[]
}

/** A process that runs a command line. */
export class Running {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  isOver = false
  #output = ''
  readonly ended: Promise<Ended>

  constructor(argv: readonly string[], { env, input, through = [] }: AsProcess = {}) {
    const [program = '', ...rest] = [...through, process.execPath, main, ...argv]
    this.child = spawn(program, rest, { env: { ...process.env, ...env } })
    for (const stream of ['stdout', 'stderr'] as const)
      this.child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        this[stream] += text
        this.#output += text
      })
    this.child.stdin?.on('error', () => undefined).end(input ?? '')
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      this.isOver = true
      const { stdout, stderr } = this
      return { code: signal ?? code, stdout, stderr, output: this.#output }
    })
  }

  /** Resolves when `pattern` was written to a stream. */
  async wrote(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<void> {
    while (!pattern.test(this[stream])) {
      if (this.isOver) throw new Error(`it ended without ${pattern}: ${this.#output}`)
      await Promise.race([once(this.child[stream]!, 'data'), this.ended])
    }
  }
}

/** Runs a command line as a process, to its end. */
export function spawnNlkit(argv: readonly string[], options?: AsProcess): Promise<Ended> {
  return new Running(argv, options).ended
}
