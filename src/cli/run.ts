/** Runs a command line: reads it, does it, tells how it ended. */
import { readFileSync } from 'node:fs'
import type { Extack } from '../index.ts'
import type { Kernel } from '../kernel/index.ts'
import { splitLine } from './batch.ts'
import type { Call } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { type Common, wantsJson } from './global-options.ts'
import { Output, type Sink } from './output.ts'
import type { Parsed } from './program.ts'
import { defaultKernel, Session } from './session.ts'

/** What a command line is run in. */
export interface Surroundings {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ctrl-C. */
  readonly signal: AbortSignal
  /** The embedded kernel; one is made when it is needed and none was given. */
  readonly kernel?: Kernel
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** One command line after another in the same surroundings, with the same kernel. */
class Runner {
  readonly #in: Surroundings
  readonly #session: Session
  /** What the running command asked of the kernel. */
  #request: unknown
  /** Options of the command line that a batch stands in. */
  #outer: Common | undefined
  #isQuiet = false

  constructor(surroundings: Surroundings) {
    this.#in = surroundings
    const { signal, kernel, stderr } = surroundings
    const warn = ({ message }: Extack) => {
      if (message !== undefined && !this.#isQuiet) stderr.write(`warning: ${message}\n`)
    }
    this.#session = new Session(signal, warn, kernel)
  }

  async run(argv: readonly string[]): Promise<number> {
    this.#request = undefined
    try {
      const { parse } = await import('./program.ts')
      const parsed = await parse(argv, readVersion())
      if (parsed.text !== undefined) {
        this.#in.stdout.write(parsed.text)
        return EXIT.ok
      }
      return await this.#do(parsed)
    } catch (error) {
      return this.#fail(error, argv)
    }
  }

  async #do({ verb, words, verbOptions, common, behind = [] }: Parsed): Promise<number> {
    if (!verb || !common) return this.#batch(common!)
    this.#isQuiet = common.options.quiet
    const { readCommandLine } = await import('./words.ts')
    const reading = readCommandLine(verb, words ?? [], verbOptions ?? {})
    const code = await verb.run(this.#call({ ...reading, behind }, common))
    return code ?? EXIT.ok
  }

  #call(reading: Pick<Call, 'subject' | 'rest' | 'behind' | 'given'>, common: Common): Call {
    const { stdout, stderr, env, signal } = this.#in
    const outer = this.#outer
    const asked = common.kernel ?? outer?.kernel ?? (env.NLKIT_KERNEL || undefined)
    const target = {
      kernel: asked ?? defaultKernel(env),
      netns: common.netns ?? outer?.netns,
      timeout: common.timeout ?? outer?.timeout,
    }
    return {
      ...reading,
      options: common.options,
      out: new Output(stdout, common.color, env),
      err: new Output(stderr, common.color, env),
      env,
      kernel: asked,
      netns: target.netns,
      signal,
      open: (unasked) =>
        this.#session.connect({ ...target, kernel: asked ?? unasked ?? target.kernel }),
      asking: (request) => {
        this.#request = request
        return request
      },
    }
  }

  /** Runs a file's lines with one kernel; stops at the first that fails. */
  async #batch(common: Common): Promise<number> {
    const file = common.batch!
    let text: string
    try {
      text = readFileSync(file === '-' ? 0 : file, 'utf8')
    } catch (error) {
      throw new UsageError(`--batch: ${(error as Error).message}`)
    }
    this.#outer = common
    for (const [at, line] of text.split('\n').entries()) {
      const argv = splitLine(line)
      if (argv.length === 0) continue
      const code = await this.run(argv)
      if (code === EXIT.ok) continue
      if (code !== EXIT.interrupted) this.#in.stderr.write(`  in ${file}, line ${at + 1}\n`)
      return code
    }
    return EXIT.ok
  }

  async #fail(error: unknown, line: readonly string[]): Promise<number> {
    const argv = line.slice(0, line.includes('--') ? line.indexOf('--') : undefined)
    if (this.#in.signal.aborted) return EXIT.interrupted
    const { describeFailure } = await import('./failure.ts')
    const hints = !argv.includes('--no-hints')
    const known = describeFailure(error, {
      argv,
      hints,
      request: this.#request,
      isOpening: error === this.#session.refusal,
    })
    let told: { lines: readonly string[]; json: unknown; exit: number }
    if (known) told = known
    else {
      const { reportBug } = await import('./bug.ts')
      told = { exit: EXIT.bug, ...reportBug(error, argv, readVersion()) }
    }
    const out = new Output(this.#in.stderr)
    if (wantsJson(argv)) out.json({ error: told.json })
    else out.lines(told.lines)
    return told.exit
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}

/** Runs `argv`, which begins behind the program's name; resolves with the exit code, never rejects. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const runner = new Runner(surroundings)
  const code = await runner.run(argv)
  await runner.close()
  return code
}
