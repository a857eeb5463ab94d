/** The options that every command has: declared once, read once. */
import type { Command as Commander } from 'commander'
import type { GlobalOptions } from './command.ts'
import { UsageError } from './exit.ts'
import type { ColorChoice } from './output.ts'
import { readDuration } from './parameter.ts'

/** Global options, read. */
export interface Common {
  readonly options: GlobalOptions
  readonly kernel: string | undefined
  readonly netns: string | undefined
  /** Milliseconds. */
  readonly timeout: number | undefined
  readonly color: ColorChoice
  /** A file of commands. */
  readonly batch: string | undefined
}

/** ip(8)'s options of several letters behind one dash, as ours are written. */
const SINGLE_DASH: Readonly<Record<string, string>> = {
  '-br': '--brief',
  '-brief': '--brief',
  '-json': '--json',
  '-details': '--details',
  '-stats': '--statistics',
  '-statistics': '--statistics',
  '-netns': '--netns',
  '-batch': '--batch',
  '-oneline': '--oneline',
  '-M': '--family=mpls',
  '-family': '--family',
  '-timestamp': '--timestamp',
  '-ts': '--tshort',
  '-tshort': '--tshort',
}

export function normalise(argv: readonly string[]): string[] {
  return argv.map((word) => SINGLE_DASH[word] ?? word)
}

/** Whether errors are wanted as JSON, also from a command line that cannot be read. */
export function wantsJson(argv: readonly string[]): boolean {
  return normalise(argv).some(
    (word) => word === '--json' || /^-[dsot046q]*j[jdsot046q]*$/.test(word),
  )
}

export function addGlobalOptions(program: Commander): void {
  program
    .option('-j, --json', 'JSON, as ip -j prints it; errors too')
    .option('-d, --details', 'what only objects of a kind have, and more')
    .option('-s, --statistics', 'counters; twice: those of errors too')
    .option('--brief', 'one short line each; also -br')
    .option('-o, --oneline', 'each object on one line')
    .option('-t, --timestamp', 'of a monitor: when each event came')
    .option('--tshort', 'the same on one line; also -ts')
    .option('-0', 'link-layer addresses only')
    .option('-4', 'IPv4 only')
    .option('-6', 'IPv6 only')
    .option('-f, --family <FAMILY>', 'inet, inet6, link or mpls; -M is mpls')
    .option('-n, --netns <NAME>', 'in the network namespace of that name')
    .option('--kernel <WHICH>', 'live, embedded or unix:PATH; also NLKIT_KERNEL')
    .option('--timeout <DURATION>', 'for one request, such as 5s')
    .option('-b, --batch <FILE>', 'commands from a file, one a line; - is standard input')
    .option('-q, --quiet', 'no warnings')
    .option('--color <WHEN>', 'auto, always or never')
    .option('--no-hints', 'errors without advice')
  let statistics = 0
  program.on('option:statistics', () => program.setOptionValue('statistics', ++statistics))
}

function readFamily(word: unknown): GlobalOptions['family'] {
  if (word === undefined || word === 'mpls' || word === 'link') return undefined
  if (word === 'inet' || word === 'inet6') return word
  throw new UsageError(`--family: expected inet, inet6, link or mpls, got "${word}"`)
}

function readColor(word: unknown): ColorChoice {
  if (word === undefined) return 'auto'
  if (word === 'auto' || word === 'always' || word === 'never') return word
  throw new UsageError(`--color: expected auto, always or never, got "${word}"`)
}

/** @throws UsageError for options that exclude each other, and values that make no sense. */
export function readCommon(given: Readonly<Record<string, unknown>>): Common {
  if (given['4'] && given['6']) throw new UsageError('-4 and -6 exclude each other')
  if (given['0'] && (given['4'] || given['6'])) throw new UsageError('-0 excludes -4 and -6')
  return {
    options: {
      json: given.json === true,
      details: given.details === true,
      statistics: Number(given.statistics ?? 0),
      brief: given.brief === true,
      oneline: given.oneline === true,
      timestamp: given.tshort ? 'short' : given.timestamp ? 'long' : undefined,
      quiet: given.quiet === true,
      hints: given.hints !== false,
      family: given['4'] ? 'inet' : given['6'] ? 'inet6' : readFamily(given.family),
      mpls: given.family === 'mpls',
      link: given['0'] === true || given.family === 'link',
    },
    kernel: given.kernel as string | undefined,
    netns: given.netns as string | undefined,
    timeout: given.timeout === undefined ? undefined : readDuration(String(given.timeout)),
    color: readColor(given.color),
    batch: given.batch as string | undefined,
  }
}
