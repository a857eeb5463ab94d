/** Programs that are measured: how they are run, and what their figures are together. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { insideNamespace } from './network.ts'
import { peerVersions } from './versions.ts'

/** One line of a result. */
export interface Figure {
  readonly name: string
  readonly value?: number | undefined
  readonly unit?: string | undefined
  /** To the limit or the peer that the workload names. */
  readonly ratio?: number | undefined
  /** The same of CPU time, which a busy machine distorts less. */
  readonly cpuRatio?: number | undefined
  /** What we promise of it. */
  readonly bar?: string | undefined
  readonly note?: string | undefined
}

/** What a program prints: a line of JSON. */
export type Result = Readonly<Record<string, number>>

export interface Program {
  readonly name: string
  readonly command: readonly string[]
  /** For programs that do not print JSON: milliseconds of the process are taken. */
  readonly isTimed?: boolean
  readonly bar?: string
  readonly most?: number
}

const build = fileURLToPath(new URL('../peers/', import.meta.url))
const here = fileURLToPath(new URL('.', import.meta.url))

/** Where a peer is that bench:setup built. */
export function peer(name: string): string {
  return `${build}${name}`
}
/** Our own program `name` in this folder. */
export function own(name: string, ...args: string[]): string[] {
  return [process.execPath, `${here}${name}.js`, ...args]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] as number
}

/** Longest that one program may take, milliseconds. */
const TIMEOUT = 120_000

/** Runs a program once. @returns what it printed, or why it did not. */
export function once(program: Program): Result | string {
  const [command, ...args] = program.command as [string, ...string[]]
  if (command.startsWith('/') && !existsSync(command)) return 'not built: npm run bench:setup'
  const start = performance.now()
  const { status, stdout, stderr, error, signal } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: TIMEOUT,
    maxBuffer: 1 << 30,
    stdio: ['ignore', program.isTimed ? 'ignore' : 'pipe', 'pipe'],
  })
  const ms = performance.now() - start
  if (error && 'code' in error && error.code === 'ENOENT') return `${command} is not installed`
  if (status !== 0) return `failed: ${signal ?? stderr.trim().split('\n').at(-1) ?? status}`
  return program.isTimed ? { ms } : (JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Result)
}

/** Runs all programs turn by turn. @returns the medians of each, or why there are none. */
export function turns(programs: readonly Program[], runs: number): Map<string, Result | string> {
  const results = new Map<string, Result[]>()
  const failures = new Map<string, string>()
  for (let turn = 0; turn < runs; turn++) {
    for (const program of programs) {
      if (failures.has(program.name) || turn >= (program.most ?? runs)) continue
      const result = once(program)
      if (typeof result === 'string') failures.set(program.name, result)
      else results.set(program.name, [...(results.get(program.name) ?? []), result])
    }
  }
  const medians = new Map<string, Result | string>()
  for (const { name } of programs) {
    const all = results.get(name)
    medians.set(name, failures.get(name) ?? (all ? mediansOf(all) : 'not run'))
  }
  return medians
}

function mediansOf(all: readonly Result[]): Result {
  const keys = Object.keys(all[0] as Result)
  return Object.fromEntries(keys.map((key) => [key, median(all.map((each) => each[key] ?? 0))]))
}

/** Figures of `key`, with the ratios to the first program; `cpuKey` is the same of CPU time. */
export function figures(
  programs: readonly Program[],
  medians: ReadonlyMap<string, Result | string>,
  key: string,
  unit: string,
  cpuKey: string,
): Figure[] {
  const first = medians.get((programs[0] as Program).name)
  const ratioOf = (result: Result, name: string): number | undefined => {
    const limit = typeof first === 'object' ? first[name] : undefined
    const value = result[name]
    return limit && value !== undefined ? value / limit : undefined
  }
  return programs.map(({ name, bar }) => {
    const result = medians.get(name)
    if (typeof result !== 'object') return { name, note: result }
    const note = result.rssMb === undefined ? undefined : `${result.rssMb.toFixed(0)} MB`
    const ratios = { ratio: ratioOf(result, key), cpuRatio: ratioOf(result, cpuKey) }
    return { name, value: result[key], unit, ...ratios, bar, note }
  })
}

const INSIDE = '--inside'

/**
 * Runs a bench in a network namespace of its own, and prints what it gives: a table, or with
 * `--json` a line a figure. `url` is the bench's own.
 */
export async function present(
  url: string,
  about: string,
  run: () => Promise<readonly Figure[]>,
): Promise<void> {
  const args = process.argv.slice(2)
  if (!args.includes(INSIDE)) {
    const program = insideNamespace(process.execPath, [fileURLToPath(url), INSIDE, ...args])
    execFileSync(program[0] as string, program.slice(1), { stdio: 'inherit' })
    return
  }
  const isJson = args.includes('--json')
  if (!isJson)
    console.log(`${about}; then the same of CPU time\n  beside ${peerVersions().join(', ')}`)
  for (const figure of await run()) console.log(isJson ? JSON.stringify(figure) : line(figure))
}

function line({ name, value, unit, ratio, cpuRatio, bar, note }: Figure): string {
  const number = value === undefined ? '' : `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`
  const [times, cpu] = [ratio, cpuRatio].map((each) => each?.toFixed(2) ?? '')
  const rest = [bar, note].filter(Boolean).join('; ')
  return `  ${name.padEnd(44)} ${number.padStart(16)} ${times?.padStart(7)} ${cpu?.padStart(7)}  ${rest}`.trimEnd()
}
