/** docs/kernel-api.md: every row has its counterpart, an example that runs and a test that is there. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Kernel } from 'nlkit/kernel'
import * as compatModule from 'nlkit/kernel/compat'
import { complaintOfTest } from './semantics.ts'

const document = new URL('../../docs/kernel-api.md', import.meta.url)

interface Row {
  readonly line: number
  readonly name: string
  readonly counterpart: string
  readonly examples: readonly string[]
  readonly tests: readonly string[]
}

/** Tests in a cell: in back quotes, or in two where a name has some. */
function testsIn(cell: string): string[] {
  return [...cell.matchAll(/`` (.*?) ``|`([^`]+)`/g)].map(
    ([, double, single]) => double ?? single ?? '',
  )
}

function readRows(): Row[] {
  return readFileSync(document, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      if (!text.startsWith('| ') || text.startsWith('| C |')) return []
      // a bar that belongs to a name is escaped
      const [, name = '', counterpart = '', example = '', tests = ''] = text
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim())
      const examples = [...example.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path ?? '')
      return [{ line: i + 1, name, counterpart, examples, tests: testsIn(tests) }]
    })
}

const rows = readRows()

/** Folders whose programs a test runs, every one of them. */
const RUN = [
  /^\.\.\/examples\/[\w-]+\.ts$/,
  /^\.\.\/examples\/network\/[\w-]+\.ts$/,
  /^\.\.\/examples\/seeds\/[\w-]+\.ts$/,
  /^\.\.\/examples\/processes\/[\w-]+\.ts$/,
]

test('every row has a counterpart, an example and a test, or says that it has none yet', () => {
  assert.ok(rows.length > 50)
  const unfilled = rows.filter(
    ({ counterpart, examples, tests }) =>
      counterpart !== 'not yet' &&
      (counterpart === '' || examples.length === 0 || tests.length === 0),
  )
  assert.deepEqual(unfilled, [])
})

test('every example that a row names is there, and among those that tests run', () => {
  for (const { line, examples } of rows) {
    for (const path of examples) {
      assert.ok(existsSync(new URL(path, document)), `line ${line}: ${path} is not there`)
      assert.ok(
        RUN.some((folder) => folder.test(path)),
        `line ${line}: no test runs ${path}`,
      )
    }
  }
})

test('every test that a row names is there', () => {
  const complaints = rows.flatMap(({ line, tests }) =>
    tests.flatMap((name) => {
      const complaint = complaintOfTest(name.replaceAll('\\|', '|'))
      return complaint ? [`line ${line}: ${complaint}`] : []
    }),
  )
  assert.deepEqual(complaints, [])
})

/** Names that a row explains in words, or that are a struct's members. */
const ELSEWHERE = [
  'dbus_init',
  'dbus_netlink_notify',
  'netlink_chain',
  'nl_family',
  'nl_groups',
  'nl_pad',
  'nl_pid',
  'nla_policy',
  'notifier_call',
  'pthread_self',
  'rtmsg_fib',
  'rtnetlink_rcv_msg',
]

test('every C function that a row names is in nlkit/kernel/compat under its name', async () => {
  await using kernel = new Kernel()
  const names: object = { ...compatModule, ...compatModule.compat(kernel) }
  const macros = ['module_init', 'module_exit', 'MODULE_LICENSE', 'EXPORT_SYMBOL']
  const known = new Set([...Object.keys(names), ...macros, ...ELSEWHERE])
  const missing = rows
    .filter(({ counterpart }) => counterpart !== 'not yet')
    .flatMap(({ name }) => [...name.matchAll(/`([a-z_]+)(?:\([^`]*)?`/g)].map(([, c]) => c ?? ''))
    .filter((c) => c.includes('_') && !known.has(c))
  assert.deepEqual([...new Set(missing)], [])
})
