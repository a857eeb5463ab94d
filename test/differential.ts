/**
 * `npm run differential -- dbus [--count N] [--seed N] [--golden]`: random scripts of D-Bus clients to
 * dbus-daemon and to nlkit, which must be told the same; `--golden` writes what dbus-daemon answers to
 * the fixed script.
 *
 * `npm run differential -- genl [--count N] [--seed N] [--family NAME]…`: spoilt requests to Linux and
 * to nlkit, whose answers must be the same. nlctrl, netdev and tcp_metrics unless families are named;
 * name others only where the kernel under test may be harmed.
 *
 * `npm run differential -- rtnl [--count N] [--seed N] [--object NAME]…`: the same of rtnetlink,
 * whose verdicts must be the same. With `--disposable` this machine's kernel is asked, which should be
 * a virtual machine's, as such requests have broken kernels; `--record FILE` keeps what it says, and
 * `--against FILE` compares elsewhere.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { differ as differDbus, showDifference } from './dbus/differ.ts'
import { record as recordDbus } from './dbus/record.ts'
import { differ } from './differential-genl.ts'
import { differRtnl, recordRtnl } from './differential-rtnl.ts'

/** Families whose operations Linux judges leniently. */
const LIBERAL = new Set(['tcp_metrics'])
/** Families of which this machine's kernel is asked only what changes nothing. */
const READING = new Set(['netdev'])

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seed: { type: 'string', default: '1' },
    object: { type: 'string', multiple: true, default: [] },
    record: { type: 'string' },
    against: { type: 'string' },
    golden: { type: 'boolean', default: false },
    disposable: { type: 'boolean', default: false },
    family: { type: 'string', multiple: true, default: ['nlctrl', 'netdev', 'tcp_metrics'] },
  },
})
/** How many scripts, or requests, unless it is said. */
const COUNTS: Readonly<Record<string, number>> = { dbus: 200, genl: 200_000, rtnl: 200_000 }

const [subject = ''] = positionals
const count = Number(values.count ?? COUNTS[subject] ?? 1)
const seed = Number(values.seed)
if (!(count > 0) || !(seed > 0)) throw new Error('--count and --seed take numbers above 0')
if (subject === 'genl') await genl()
else if (subject === 'rtnl') await rtnl()
else if (subject === 'dbus') await dbus()
else throw new Error('npm run differential -- genl, rtnl, or dbus')

async function genl(): Promise<void> {
  let failed = false
  for (const family of values.family) {
    const start = performance.now()
    const report = await differ({
      family,
      count,
      seed,
      isLiberal: LIBERAL.has(family),
      isReading: READING.has(family),
      onProgress: (asked) => process.stderr.write(`${family}: ${asked}\r`),
    })
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    console.log(
      `${family}: ${report.asked} requests, ${report.answers} answers, ${report.explainedRefusals} refusals with an extack, ` +
        `${report.differences.length} differences; ${seconds} s`,
    )
    for (const [reason, number] of report.explained) console.log(`  ${number}: ${reason}`)
    for (const { request, linux, nlkit } of report.differences.slice(0, 10))
      console.log(`request ${request}\nLinux:\n${linux}\nnlkit:\n${nlkit}\n`)
    failed ||= report.differences.length > 0
  }
  process.exitCode = failed ? 1 : 0
}

async function rtnl(): Promise<void> {
  if (!values.disposable && !values.against) {
    throw new Error('rtnl may break the kernel that runs: say --disposable in a virtual machine')
  }
  const plan = {
    count,
    seed,
    objects: values.object,
    onProgress: (asked: number) => process.stderr.write(`rtnl: ${asked}\r`),
  }
  const lines: string[] = []
  const { record } = values
  if (values.against)
    lines.push(...readFileSync(values.against, 'utf8').split('\n').filter(Boolean))
  else {
    await recordRtnl(plan, (line) => {
      if (record) appendFileSync(record, `${line}\n`)
      else lines.push(line)
    })
    if (record) return
  }
  const start = performance.now()
  const report = await differRtnl(plan, lines)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const differing = [...report.kinds.values()].reduce((sum, each) => sum + each, 0)
  console.log(
    `rtnl: ${report.asked} requests, ${report.refusals} refusals, ${report.told} in words, ` +
      `${differing} differences; ${seconds} s`,
  )
  for (const [reason, number] of report.explained) console.log(`  ${number}: ${reason}`)
  for (const [kind, number] of [...report.kinds].sort((a, b) => b[1] - a[1])) {
    console.log(`  ${number}: ${kind}`)
  }
  for (const { request, linux, nlkit, before } of report.differences.slice(0, 40)) {
    console.log(`request ${request}\nbehind ${before.length}\n${linux}\n${nlkit}\n`)
  }
  process.exitCode = differing > 0 ? 1 : 0
}

async function dbus(): Promise<void> {
  if (values.golden) {
    await recordDbus()
    return
  }
  const start = performance.now()
  const onProgress = (done: number): boolean => process.stderr.write(`dbus: ${done}\r`)
  const report = await differDbus({ count, seed, onProgress })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(
    `dbus: ${report.scripts} scripts, ${report.steps} steps, ${report.lines} lines, ` +
      `${report.differences.length} differences; ${seconds} s`,
  )
  for (const difference of report.differences) console.log(showDifference(difference))
  process.exitCode = report.differences.length > 0 ? 1 : 0
}
