/** `npm run dbus-suites`: the installed D-Bus suites on nlkit, beside the same on dbus-daemon. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { withCasesAlone } from './alone.ts'
import { compare, type Judgement } from './compare.ts'
import { type Run, runOn } from './run.ts'
import { type Program, SUITES, type Suite } from './suites.ts'

const HELP = `npm run dbus-suites -- [WORD...] [options]

Runs GLib's, freedesktop's and systemd's installed tests on dbus-daemon and on nlkit, one after the
other, and compares them case by case. What passes there has to pass here.

  WORD           only programs whose suite/name has one of these words: glib, test-monitor
  --timeout S    seconds that a program may take (600)
  --keep DIR     writes what programs said into DIR
`

/** As the packages' suites are counted: without the debug build's, unless it is named. */
const BY_DEFAULT = ['glib', 'freedesktop', 'systemd']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    timeout: { type: 'string', default: '600' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

interface Total {
  passing: number
  passed: number
  skipped: number
  failures: number
  programs: number
  passingOnBus: number
  passedOnBus: number
}

function isChosen(suite: Suite, { name }: Program): boolean {
  if (positionals.length === 0) return BY_DEFAULT.includes(suite.name)
  return positionals.some((word) =>
    word === suite.name
      ? true
      : !word.match(/^freedesktop/) && `${suite.name}/${name}`.includes(word),
  )
}

function show(id: string, judgement: Judgement, baseline: Run, ours: Run): void {
  const { passing, passed, skipped, broken, failures } = judgement
  if (judgement.alone !== undefined) console.log(`  ${judgement.alone}`)
  const times = `${baseline.seconds.toFixed(1)} s, ${ours.seconds.toFixed(1)} s`
  const bus = baseline.usesBus ? 'bus' : 'no bus'
  console.log(`${id}: ${passed} of ${passing}, ${skipped} skipped on both (${bus}; ${times})`)
  for (const name of broken) console.log(`  fails on dbus-daemon: ${name}`)
  for (const { name, what } of failures) console.log(`  FAILURE ${name}: ${what}`)
}

function keep(id: string, baseline: Run, ours: Run): void {
  if (values.keep === undefined) return
  mkdirSync(values.keep, { recursive: true })
  const file = join(values.keep, id.replaceAll('/', '_'))
  writeFileSync(`${file}.dbus-daemon`, baseline.output)
  writeFileSync(`${file}.nlkit`, ours.output)
}

async function runSuite(suite: Suite, limit: number): Promise<Total> {
  const total: Total = {
    passing: 0,
    passed: 0,
    skipped: 0,
    failures: 0,
    programs: 0,
    passingOnBus: 0,
    passedOnBus: 0,
  }
  for (const program of suite.programs ?? []) {
    if (!isChosen(suite, program)) continue
    const id = `${suite.name}/${program.name}`
    const baseline = await runOn('dbus-daemon', suite, program, limit)
    const ours = await runOn('nlkit', suite, program, limit)
    const first = compare(baseline, ours)
    const judgement = (await withCasesAlone(suite, program, limit, ours, first)) ?? first
    keep(id, baseline, ours)
    show(id, judgement, baseline, ours)
    total.programs++
    total.passing += judgement.passing
    total.passed += judgement.passed
    total.skipped += judgement.skipped
    total.failures += judgement.failures.length
    if (!baseline.usesBus) continue
    total.passingOnBus += judgement.passing
    total.passedOnBus += judgement.passed
  }
  return total
}

function summary(name: string, total: Total): string {
  const { passed, passing, passedOnBus, passingOnBus, skipped, failures, programs } = total
  return (
    `${name}: ${passed} of ${passing} cases that pass on dbus-daemon, in ${programs} programs; ` +
    `of those that use a bus ${passedOnBus} of ${passingOnBus}; ` +
    `${skipped} skipped on both; ${failures} failures`
  )
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  if (!existsSync('/usr/bin/dbus-daemon')) {
    console.log('dbus-daemon is not installed: apt-get install dbus-daemon')
    return 1
  }
  let failed = false
  const lines: string[] = []
  for (const suite of SUITES) {
    const isWanted = positionals.length > 0 || BY_DEFAULT.includes(suite.name)
    if (suite.programs === undefined) {
      if (isWanted) lines.push(`${suite.name}: not run, the package ${suite.needs} is missing`)
      failed ||= isWanted
      continue
    }
    const total = await runSuite(suite, Number(values.timeout) * 1000)
    if (total.programs === 0) continue
    lines.push(summary(suite.name, total))
    failed ||= total.failures > 0
  }
  for (const line of lines) console.log(line)
  return failed || lines.length === 0 ? 1 : 0
}

process.exitCode = await main()
