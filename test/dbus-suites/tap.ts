/** Reads what a test program prints in TAP: its cases, each with its verdict. */

export type Verdict = 'ok' | 'not ok' | 'skip'

const LINE = /^(not )?ok\b *(\d+)?(?: *-)? *([^#]*)(#.*)?$/

/** Verdicts by name, in order; a name that comes again has its number behind it. */
export function readTap(text: string): Map<string, Verdict> {
  const cases = new Map<string, Verdict>()
  for (const line of text.split('\n')) {
    if (/^1\.\.0\b/.test(line)) cases.set('(all)', 'skip')
    const [found, not, number = '', title = '', remark = ''] = LINE.exec(line.trimEnd()) ?? []
    if (found === undefined) continue
    const name = title.trim() || number
    const verdict = /# *(?:skip|todo)/i.test(remark) ? 'skip' : not ? 'not ok' : 'ok'
    cases.set(cases.has(name) ? `${name} (${number})` : name, verdict)
  }
  return cases
}
