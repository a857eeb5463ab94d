/** `npm run fidelity`: the same unmodified programs on Linux and on nlkit, and what differs. */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { collect, LISTS } from './collect.ts'
import { type Reason, readReasons } from './compare.ts'
import { readGolden, record } from './golden.ts'
import { judge, type Verdict } from './judge.ts'
import { renderDocument, renderSummary } from './report.ts'

const here = new URL('../../../test/fidelity/', import.meta.url)
const document = new URL('../../../docs/fidelity.md', import.meta.url)

const HELP = `npm run fidelity -- [WORD...] [options]

Runs scenarios with unmodified programs on Linux, in a network namespace of their own, and on
nlkit, and says what differs. Needs root, and iproute2 ${'6.1.0'}.

  WORD            only scenarios whose name has one of these words: own/link, veth
  --list NAME     only this list: ${LISTS.join(', ')}
  --seed N        what the generator begins with (1)
  --count M       how many scripts it writes (50)
  --show          every difference, in full
  --unexplained   only differences without a known reason
  --itself        compares Linux with itself: what differs then, no kernel promises
  --at-once N     scenarios that run at the same time (2)
  --write         writes docs/fidelity.md, of all lists
  --record FILE   records Linux's answers for those that need a full kernel, into FILE; run it there
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '50' },
    show: { type: 'boolean', default: false },
    unexplained: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '2' },
    itself: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    record: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

function show({ scenario, differences, reason }: Verdict): void {
  console.log(`${scenario.id}: ${reason?.reason ?? 'NO KNOWN REASON'}`)
  for (const { step, stream, linux, nlkit } of values.show
    ? differences
    : differences.slice(0, 1)) {
    console.log(`  ${step} [${stream}]`)
    console.log(`    Linux: ${linux ?? '(nothing)'}`)
    console.log(`    nlkit: ${nlkit ?? '(nothing)'}`)
  }
}

/** A list's name, or a path, is where a name begins; another word is somewhere in it. */
function isMeant(id: string, word: string): boolean {
  if (LISTS.includes(word) || word.includes('/')) return `${id}/`.startsWith(`${word}/`)
  return id.slice(id.indexOf('/')).includes(word)
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const lists = values.list ?? LISTS
  const all = collect(lists, { seed: Number(values.seed), count: Number(values.count) })
  const chosen = all.filter(
    ({ id }) => positionals.length === 0 || positionals.some((word) => isMeant(id, word)),
  )
  const atOnce = Number(values['at-once'])
  if (values.record !== undefined) {
    const { record: file } = values
    const wanted = chosen.filter((scenario) => scenario.recorded)
    const { recorded, failed } = await record(wanted, (text) => writeFileSync(file, text))
    console.log(`${recorded} of ${wanted.length} recorded in ${file}`)
    return failed === 0 ? 0 : 1
  }
  const golden = readGolden(new URL('golden/', here))
  const reasons: Reason[] = readReasons(new URL('known.json', here))
  const verdicts = await judge(chosen, { golden, reasons, atOnce, itself: values.itself })
  for (const verdict of verdicts)
    if (verdict.differences.length > 0 && !(values.unexplained && verdict.reason)) show(verdict)
  console.log(renderSummary(verdicts))
  if (values.write) {
    const before = readFileSync(document, 'utf8')
    writeFileSync(document, renderDocument(before, verdicts))
  }
  return verdicts.some(({ differences, reason }) => differences.length > 0 && !reason) ? 1 : 0
}

process.exitCode = await main()
