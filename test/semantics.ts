/**
 * The checklist of what a faithful kernel side does: which test holds each line, and why one has none.
 *
 * `test/semantics/*.json` name the sections and, for each line of the checklist, its id (section
 * and number of the line in it), what it is about, and either tests or a reason. A test is written
 * `FILE > NAME`, the name as it stands in the source.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** One line of the checklist. Without tests and reason it is open. */
export interface Line {
  readonly id: string
  readonly section: string
  readonly about?: string
  readonly tests?: readonly string[]
  readonly reason?: string
}

/** One section: number, title, lines in order. */
export interface Section {
  readonly number: string
  readonly title: string
  readonly lines: readonly Line[]
}

interface Part {
  readonly sections: Record<string, string>
  readonly lines: Record<string, Omit<Line, 'id' | 'section'>>
}

const here = (path: string): URL => new URL(`../../${path}`, import.meta.url)

/** All sections of all parts, by number. */
export function readSections(): Section[] {
  const files = readdirSync(here('test/semantics')).filter((name) => name.endsWith('.json'))
  const found = files.flatMap((name) => {
    const part = JSON.parse(readFileSync(here(`test/semantics/${name}`), 'utf8')) as Part
    const lines = Object.entries(part.lines).map(
      ([id, line]): Line => ({ ...line, id, section: id.split('/')[0] ?? '' }),
    )
    return Object.entries(part.sections).map(
      ([number, title]): Section => ({
        number,
        title,
        lines: lines.filter((line) => line.section === number),
      }),
    )
  })
  return found.sort((a, b) => compareNumbers(a.number, b.number))
}

function compareNumbers(a: string, b: string): number {
  const [one, other] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const difference = (one[i] ?? -1) - (other[i] ?? -1)
    if (difference !== 0) return difference
  }
  return 0
}

const sources = new Map<string, string | undefined>()

function sourceOf(file: string): string | undefined {
  if (!sources.has(file)) {
    let text: string | undefined
    try {
      text = readFileSync(here(file), 'utf8')
    } catch {
      // A file that is not there has no tests; the caller says so.
    }
    sources.set(file, text)
  }
  return sources.get(file)
}

/** What is wrong with `FILE > NAME`, or undefined: the file is a test's, and has the name as a literal. */
export function complaintOfTest(test: string): string | undefined {
  const [file = '', ...rest] = test.split(' > ')
  const name = rest.join(' > ')
  if (name === '') return `"${test}" is not FILE > NAME`
  if (!file.endsWith('.test.ts')) return `${file} is no test file`
  const source = sourceOf(file)
  if (source === undefined) return `${file} does not exist`
  const quoted = ["'", '"', '`'].some((quote) =>
    source.includes(`${quote}${name.replaceAll(quote, `\\${quote}`)}${quote}`),
  )
  return quoted ? undefined : `${file} has no test "${name}"`
}

/** What is wrong with a line, or nothing. */
export function complaintsOf({ id, about, tests, reason }: Line): string[] {
  const complaints = (tests ?? []).flatMap((test) => complaintOfTest(test) ?? [])
  if (tests && reason) complaints.push('has tests, and a reason to have none')
  if (tests?.length === 0) complaints.push('has an empty list of tests')
  if ((tests || reason) && !about) complaints.push('does not say what it is about')
  return complaints.map((complaint) => `${id}: ${complaint}`)
}

/** Lines of each section in a checklist's Markdown: what stands behind `[ ]`. */
export function readChecklist(markdown: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  let section: string | undefined
  for (const line of markdown.split('\n')) {
    if (line.startsWith('#')) section = /^#+ (\d+(?:\.\d+)+) /.exec(line)?.[1]
    const text = /^(?:-|\d+\.) \[ \] (.*)/.exec(line)?.[1]
    if (!section || text === undefined) continue
    found.set(section, [...(found.get(section) ?? []), text])
  }
  return found
}
