/**
 * Test reporter: one line a file, failures in full, reasons of skipped tests, node's closing lines.
 *
 * With NLKIT_TEST_RAN set it also writes there which files ran tests, for scripts/test.mjs.
 */
import { writeFileSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { inspect } from 'node:util'

/** The lines with which node's runner closes; other diagnostics are a test's own. */
const CLOSING = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

/** What has been heard of one test file. */
class FileRecord {
  tests = 0
  failed = 0
  skipped = 0
  failures = []
  skips = []
}

/** A file as its source is called, whichever of source and output the runner names. */
export function sourceName(file, root = process.cwd()) {
  const path = relative(root, file).split(sep).join('/')
  return path
    .replace(/^dist\//, 'src/')
    .replace(/^build\//, '')
    .replace(/\.js$/, '.ts')
}

function describe(error) {
  const cause = error?.cause ?? error
  return inspect(cause, { depth: 8, breakLength: 100 })
}

function indent(text) {
  return text.replace(/^(?=.)/gm, '    ')
}

/** Enters a test that ended in its file's record. A file as a whole is no test. */
function enter(records, type, data) {
  const name = data.file === undefined ? '(no file)' : sourceName(data.file)
  const record = records.get(name) ?? new FileRecord()
  records.set(name, record)
  const isFile = data.nesting === 0 && data.name.endsWith('.test.js')
  if (data.details?.type === 'suite' && type === 'test:pass') return
  if (!isFile) record.tests++
  if (data.skip !== undefined && data.skip !== false) {
    record.skipped++
    record.skips.push(`${data.name}: ${data.skip === true ? 'no reason given' : data.skip}`)
  } else if (type === 'test:fail' && data.todo === undefined) {
    if (data.details.error?.failureType === 'subtestsFailed') return
    record.failed++
    record.failures.push(`not ok ${name}: ${data.name}\n${indent(describe(data.details.error))}\n`)
  }
}

export default async function* reporter(source) {
  const records = new Map()
  const closing = []
  for await (const { type, data } of source) {
    if (type === 'test:pass' || type === 'test:fail') {
      enter(records, type, data)
      const failures = records.get(data.file === undefined ? '(no file)' : sourceName(data.file))
      while (failures.failures.length > 0) yield failures.failures.shift()
    } else if (type === 'test:stdout' || type === 'test:stderr') yield data.message
    else if (type === 'test:diagnostic') {
      if (data.nesting === 0 && CLOSING.test(data.message)) closing.push(data.message)
      else yield `# ${data.message}\n`
    }
  }
  for (const [name, { tests, failed, skipped, skips }] of [...records].sort()) {
    const notes = [failed && `${failed} FAILED`, skipped && `${skipped} skipped`].filter(Boolean)
    yield `${failed ? 'not ok' : 'ok'} ${name} (${[`${tests} tests`, ...notes].join(', ')})\n`
    for (const skip of skips) yield `    skip ${skip}\n`
  }
  if (process.env.NLKIT_TEST_RAN) {
    const ran = [...records].map(([name, { tests }]) => [name, tests])
    writeFileSync(process.env.NLKIT_TEST_RAN, JSON.stringify(Object.fromEntries(ran)))
  }
  for (const line of closing) yield `# ${line}\n`
}
