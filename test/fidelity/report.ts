/** The score in words: N of M by list and by object, and each difference with its reason. */
import type { Verdict } from './judge.ts'

interface Score {
  equal: number
  all: number
}

function scoreBy(
  verdicts: readonly Verdict[],
  key: (verdict: Verdict) => string,
): Map<string, Score> {
  const scores = new Map<string, Score>()
  for (const verdict of verdicts) {
    const score = scores.get(key(verdict)) ?? { equal: 0, all: 0 }
    scores.set(key(verdict), score)
    score.all++
    if (verdict.differences.length === 0) score.equal++
  }
  return scores
}

const isEqual = ({ differences }: Verdict): boolean => differences.length === 0

/** A few lines for a terminal. */
export function renderSummary(verdicts: readonly Verdict[]): string {
  const lines: string[] = []
  for (const [name, { equal, all }] of scoreBy(
    verdicts,
    ({ scenario }) => `${scenario.list}/${scenario.object}`,
  ))
    lines.push(`${name}: ${equal} of ${all}`)
  const unexplained = verdicts.filter((verdict) => !isEqual(verdict) && !verdict.reason).length
  lines.push(
    `all: ${verdicts.filter(isEqual).length} of ${verdicts.length}, ${unexplained} differences without a known reason`,
  )
  return lines.join('\n')
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('`', "'").trim()

function code(text: string | undefined): string {
  const short = (text ?? '').length > 90 ? `${text!.slice(0, 90)}…` : text
  return short === undefined || short.trim() === '' ? '–' : `\`${cell(short)}\``
}

function table(head: string, scores: Map<string, Score>): string[] {
  return [
    `| ${head} | equal | of |`,
    '|---|---:|---:|',
    ...[...scores].map(([name, { equal, all }]) => `| ${name} | ${equal} | ${all} |`),
  ]
}

const MARK = '<!-- What follows is written by npm run fidelity -- --write -->'

/** The document: what stands before the mark, and the score. */
export function renderDocument(before: string, verdicts: readonly Verdict[]): string {
  const different = verdicts.filter((verdict) => !isEqual(verdict))
  const equal = verdicts.length - different.length
  const lines = [
    `## ${equal} of ${verdicts.length}`,
    '',
    ...table(
      'list',
      scoreBy(verdicts, ({ scenario }) => scenario.list),
    ),
    '',
    ...table(
      'list and object',
      scoreBy(verdicts, ({ scenario }) => `${scenario.list}, ${scenario.object}`),
    ),
    '',
    '## What differs, and why',
    '',
    'The first difference of each scenario.',
    '',
    '| scenario | command | Linux | nlkit | reason |',
    '|---|---|---|---|---|',
    ...different.map(({ scenario, differences: [first], reason }) => {
      const { step, linux, nlkit } = first!
      const why = reason?.reason ?? 'not known yet'
      return `| ${scenario.id} | ${code(step)} | ${code(linux)} | ${code(nlkit)} | ${cell(why)} |`
    }),
    '',
  ]
  return `${before.split(MARK)[0]!.trimEnd()}\n\n${MARK}\n\n${lines.join('\n')}`
}
