/**
 * Runs every test file that has a source, two at a time, and checks that every one of them ran.
 *
 * Arguments keep the files whose path contains one of them: `npm test -- wire link`.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runTestFile } from './run-test-file.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Longest that one file may take. */
const TIMEOUT_MS = 120_000
/** Longest that all of them may take; what has not begun by then fails without being run. */
const ALL_MS = 40 * 60_000
const AT_ONCE = 2

/** Source directory, where its compiled form is, and the build record that tsc renews. */
const TREES = [
  { sources: 'src', output: 'dist', record: 'dist/.tsbuildinfo' },
  { sources: 'test', output: 'build/test', record: 'build/.tsbuildinfo' },
]

/** Test files as { source, compiled, record }, paths from the root. */
function listTests() {
  return TREES.flatMap(({ sources, output, record }) =>
    readdirSync(join(root, sources), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => ({
        source: join(sources, name),
        compiled: join(output, name.replace(/\.ts$/, '.js')),
        record,
      })),
  ).sort((a, b) => a.source.localeCompare(b.source))
}

/** What is wrong with a test's compiled form, or undefined. */
function complaint({ source, compiled, record }) {
  if (!existsSync(join(root, compiled))) return `${compiled} is missing`
  if (statSync(join(root, source)).mtimeMs > statSync(join(root, record)).mtimeMs)
    return `${compiled} is older than ${source}`
  return undefined
}

function fail(lines) {
  for (const line of lines) console.error(`test: ${line}`)
  process.exit(1)
}

/** Shows what a file did: one line, and below it what is worth a line. */
function report(source, { ran, failed, lines, output }, seconds) {
  if (output.length > 0) process.stdout.write(output.join(''))
  const verdict = `${failed ? 'not ok' : 'ok'} ${source}`
  console.log(`${verdict} (${ran} ${ran === 1 ? 'test' : 'tests'}, ${seconds.toFixed(1)} s)`)
  for (const line of lines) console.log(line)
}

/** Runs all of `tests`; the sum of node's counts, and the sources of the files that failed. */
async function runAll(tests) {
  const totals = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 }
  const failed = []
  const queue = [...tests]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const start = performance.now()
      if (start > ALL_MS) {
        console.log(`not ok ${next.source} (not begun: the time for all tests is over)`)
        failed.push(next.source)
        continue
      }
      const result = await runTestFile(join(root, next.compiled), TIMEOUT_MS)
      report(next.source, result, (performance.now() - start) / 1000)
      for (const name of Object.keys(totals)) totals[name] += result.counts[name] ?? 0
      if (result.failed) failed.push(next.source)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { totals, failed }
}

process.chdir(root)
const words = process.argv.slice(2)
const all = listTests()
const chosen = all.filter(
  ({ source }) => words.length === 0 || words.some((word) => source.includes(word)),
)
if (chosen.length === 0)
  fail([`none of the ${all.length} test files has ${words.join(' or ')} in its path`])
const complaints = chosen.map(complaint).filter(Boolean)
if (complaints.length > 0) fail([...complaints, 'npm run build compiles them'])

const start = performance.now()
const { totals, failed } = await runAll(chosen)
for (const source of failed.sort()) console.log(`failed: ${source}`)
for (const [name, count] of Object.entries(totals)) console.log(`# ${name} ${count}`)
console.log(`# duration_ms ${(performance.now() - start).toFixed(0)}`)
process.exit(failed.length > 0 || totals.fail + totals.cancelled > 0 ? 1 : 0)
