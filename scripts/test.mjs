/**
 * Runs every test file that has a source, and checks that every one of them ran.
 *
 * Arguments keep the files whose path contains one of them: `npm test -- wire link`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Longest that one test, or one file, may take. */
const TIMEOUT_MS = 120_000

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

/** Runs the files; returns node's exit code and how many tests each file ran. */
function run(files) {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-test-'))
  const ranFile = join(directory, 'ran.json')
  const { status, signal } = spawnSync(
    process.execPath,
    [
      '--enable-source-maps',
      '--test',
      '--test-concurrency=2',
      `--test-timeout=${TIMEOUT_MS}`,
      `--test-reporter=${join(root, 'scripts/reporter.mjs')}`,
      '--test-reporter-destination=stdout',
      ...files,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, NLKIT_TEST_RAN: ranFile },
    },
  )
  const ran = existsSync(ranFile) ? JSON.parse(readFileSync(ranFile, 'utf8')) : {}
  rmSync(directory, { recursive: true })
  if (signal) console.error(`test: the runner was ended by ${signal}`)
  return { status: status ?? 1, ran }
}

function fail(lines) {
  for (const line of lines) console.error(`test: ${line}`)
  process.exit(1)
}

const words = process.argv.slice(2)
const all = listTests()
const chosen = all.filter(
  ({ source }) => words.length === 0 || words.some((word) => source.includes(word)),
)
if (chosen.length === 0)
  fail([`none of the ${all.length} test files has ${words.join(' or ')} in its path`])
const complaints = chosen.map(complaint).filter(Boolean)
if (complaints.length > 0) fail([...complaints, 'npm run build compiles them'])

const { status, ran } = run(chosen.map(({ compiled }) => compiled))
const silent = chosen.filter(({ source }) => !ran[source]).map(({ source }) => source)
if (silent.length > 0) fail(silent.map((source) => `${source} ran no test`))
process.exit(status)
