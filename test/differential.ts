/**
 * `npm run differential -- genl [--count N] [--seed N] [--family NAME]…`: spoilt requests to Linux and
 * to nlkit, whose answers must be the same. nlctrl, netdev and tcp_metrics unless families are named;
 * name others only where the kernel under test may be harmed.
 */
import { parseArgs } from 'node:util'
import { differ } from './differential-genl.ts'

/** Families whose operations Linux judges leniently. */
const LIBERAL = new Set(['tcp_metrics'])
/** Families of which this machine's kernel is asked only what changes nothing. */
const READING = new Set(['netdev'])

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    family: { type: 'string', multiple: true, default: ['nlctrl', 'netdev', 'tcp_metrics'] },
  },
})
if (positionals[0] !== 'genl') throw new Error('npm run differential -- genl')
const count = Number(values.count)
const seed = Number(values.seed)
if (!(count > 0) || !(seed > 0)) throw new Error('--count and --seed take numbers above 0')

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
