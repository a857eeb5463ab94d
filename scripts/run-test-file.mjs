/** Runs one test file in a process of its own, and keeps what node's runner tells of it. */
import { relative } from 'node:path'
import { run } from 'node:test'
import { inspect } from 'node:util'

/** What a file may still take once its time is over, milliseconds: its children are being ended. */
const GRACE_MS = 15_000

/** The counts with which node's runner closes; its other diagnostics are a test's own. */
const COUNT = /^(tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/
const CLOSING = /^duration_ms [\d.]+$/

function indent(text) {
  return text.replace(/^(?=.)/gm, '    ')
}

/** An error as node prints it, without node's own frames, and without what its message says already. */
function describe(error) {
  const cause = error?.cause ?? error
  const text =
    cause?.code === 'ERR_ASSERTION' ? cause.stack : inspect(cause, { depth: 8, breakLength: 100 })
  return indent(text.replace(/\n\s+at .*node:(internal|async_hooks).*/g, ''))
}

/** Whether an event is about the file as a whole, which node lists as a test when it has none. */
function isFile(data, file) {
  return data.nesting === 0 && (data.name === file || data.name === relative(process.cwd(), file))
}

/** Enters one test that ended. */
function enter(result, failed, data, file) {
  if (data.details?.type === 'suite' && !failed) return
  if (!isFile(data, file)) result.ran++
  if (data.skip !== undefined && data.skip !== false) {
    const reason = data.skip === true ? 'no reason given' : data.skip
    result.lines.push(`    skip ${data.name}: ${reason}`)
  } else if (failed && data.todo === undefined) {
    result.failed = true
    const { error } = data.details
    if (error?.failureType === 'subtestsFailed') return
    const name = isFile(data, file) ? 'the file as a whole' : data.name
    result.lines.push(`    not ok ${name}`, indent(describe(error)))
  }
}

/**
 * Runs `file`, a compiled test by its absolute path.
 *
 * Gives node's own counts, how many tests really ran, whether one failed, and what there is to say.
 */
export async function runTestFile(file, timeout) {
  const result = { counts: {}, ran: 0, failed: false, lines: [], output: [] }
  const left = await Promise.race([
    follow(file, timeout, result),
    expire(timeout + GRACE_MS, 'the process does not end, though its time is over'),
  ])
  if (left !== undefined) {
    result.failed = true
    result.lines.push(`    not ok the file as a whole`, `    ${left}`)
  }
  if (result.ran === 0) {
    result.failed = true
    result.counts.fail = Math.max(1, result.counts.fail ?? 0)
    result.counts.pass = 0
    result.lines.push('    ran no test')
  }
  return result
}

/** Resolves with `sentence` after so many milliseconds: a process that the kernel holds ends for no signal. */
function expire(milliseconds, sentence) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds, sentence).unref()
  })
}

/** Enters what node's runner tells of `file` into `result`. */
async function follow(file, timeout, result) {
  for await (const { type, data } of run({ files: [file], timeout, concurrency: 1 })) {
    if (type === 'test:pass' || type === 'test:fail') {
      enter(result, type === 'test:fail', data, file)
    } else if (type === 'test:stdout' || type === 'test:stderr') {
      result.output.push(data.message)
    } else if (type === 'test:diagnostic') {
      const count = data.nesting === 0 ? COUNT.exec(data.message) : null
      if (count) result.counts[count[1]] = Number(count[2])
      else if (!CLOSING.test(data.message)) result.lines.push(`    ${data.message}`)
    }
  }
}
