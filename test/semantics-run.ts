/**
 * Prints how much of the checklist is held by tests, by section.
 *
 * Arguments: `--gaps` lists the lines without a test and why; a number such as 1 or 3.4 chooses
 * sections. NLKIT_SEMANTICS names a checklist's Markdown: its lines are counted too, and shown.
 */
import { readFileSync } from 'node:fs'
import { complaintsOf, type Line, readChecklist, readSections, type Section } from './semantics.ts'

const args = process.argv.slice(2)
const gaps = args.includes('--gaps')
const chosen = args.filter((arg) => !arg.startsWith('-'))
const path = process.env.NLKIT_SEMANTICS
const checklist = path ? readChecklist(readFileSync(path, 'utf8')) : undefined

const isChosen = ({ number }: Section): boolean =>
  chosen.length === 0 || chosen.some((one) => number === one || number.startsWith(`${one}.`))

/** Why a line has no test, and what it says where the checklist is at hand. */
function describeGap(line: Line): string {
  const text = checklist?.get(line.section)?.[Number(line.id.split('/')[1]) - 1]
  const about = line.about ?? (text ? `“${text}”` : '')
  return `      ${line.id} ${about}: ${line.reason ?? 'open'}`
}

const share = (n: number, of: number): string => `${n} of ${of} (${((100 * n) / of).toFixed(1)} %)`

const complaints: string[] = []
const totals = new Map<string, { held: number; explained: number; all: number }>()
for (const section of readSections().filter(isChosen)) {
  const { number, title, lines } = section
  const held = lines.filter(({ tests }) => tests)
  const explained = lines.filter(({ reason }) => reason)
  const open = lines.length - held.length - explained.length
  const more = [explained.length && `${explained.length} with a reason`, open && `${open} open`]
  const tail = more.filter(Boolean).join(', ')
  console.log(
    `${number.padEnd(6)} ${title.padEnd(44)} ${held.length} of ${lines.length}${tail && `, ${tail}`}`,
  )
  if (gaps) for (const line of lines) if (!line.tests) console.log(describeGap(line))
  complaints.push(...lines.flatMap(complaintsOf))
  const counted = checklist && (checklist.get(number)?.length ?? 0)
  if (counted !== undefined && counted !== lines.length)
    complaints.push(`${number}: the checklist has ${counted} lines, the record ${lines.length}`)
  const key = `part ${number.split('.')[0]}`
  const total = totals.get(key) ?? { held: 0, explained: 0, all: 0 }
  total.held += held.length
  total.explained += explained.length
  total.all += lines.length
  totals.set(key, total)
}
for (const [key, { held, explained, all }] of totals)
  console.log(
    `${key}: ${share(held, all)} held by a test, ${explained} with a reason, ${all - held - explained} open`,
  )
for (const complaint of complaints) console.error(`semantics: ${complaint}`)
process.exitCode = complaints.length > 0 ? 1 : 0
