/** Specs that are spoilt: what is wrong is told with its place, or they are read; never anything else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from './fuzz-run.ts'
import { allSpecs, ynl } from './specs.ts'

const SEED = Number(process.env.NLKIT_SEED ?? 20261130)
const RUNS = Number(process.env.NLKIT_LONG ? 3000 : 150)
/** One spec may take this long, ms, twice in a row: once the machine may have been busy. */
const MOST_MS = 2000

const PIECES = [
  '*x',
  '&a ',
  '[',
  '{',
  '- ',
  ': ',
  '"',
  '!!',
  '0x',
  '-1',
  '99999999999',
  '~',
  '<<: ',
]

/** Lines twice, missing, elsewhere, deeper; words for other words of the same spec; cut; signs. */
function spoil(text: string, random: () => number): string {
  const lines = text.split('\n')
  const words = text.match(/[\w-]+/g) as string[]
  const at = (): number => random() % lines.length
  const any = (list: readonly string[]): string => list[random() % list.length] as string
  for (let changes = (random() % 3) + 1; changes > 0; changes--) {
    const here = at()
    const line = lines[here] as string
    const column = random() % (line.length + 1)
    switch (random() % 7) {
      case 0:
        lines.splice(here, 1)
        break
      case 1:
        lines.splice(at(), 0, line)
        break
      case 2:
        lines[here] = line.startsWith('  ') ? line.slice(2) : `  ${line}`
        break
      case 3:
        lines[here] = line.slice(0, column) + any(PIECES) + line.slice(column)
        break
      case 4:
        lines.length = Math.max(1, here)
        break
      default: {
        const old = any(line.match(/[\w-]+/g) ?? [''])
        lines[here] = line.replace(old, any(words))
      }
    }
    if (lines.length < 2) break
  }
  return lines.join('\n')
}

interface Told {
  readonly code: string
  readonly problems: readonly { readonly line: number; readonly column: number }[]
}

/** Whether it was read; what it says otherwise must have a place. @throws what is no SpecError */
function read(text: string): boolean {
  try {
    ynl.importSpec(text)
    ynl.generateFamily(text)
    return true
  } catch (error) {
    const { code, problems } = error as Told
    if (code !== 'NLKIT_SPEC') throw error
    const last = text.split('\n').length
    assert.ok(problems.length > 0)
    for (const { line, column } of problems)
      assert.ok(line >= 1 && line <= last + 1 && column >= 1, `${line}:${column} of ${last} lines`)
    return false
  }
}

function took(text: string): number {
  const start = performance.now()
  read(text)
  return performance.now() - start
}

for (const { name, text } of allSpecs().filter((each) => each.text.length < 20_000))
  test(`${name}, spoilt ${RUNS} times`, (t) => {
    const random = randomFrom(SEED)
    let good = 0
    for (let run = 0; run < RUNS; run++) {
      const spoilt = spoil(text, random)
      try {
        if (read(spoilt)) good++
      } catch (error) {
        throw new Error(`run ${run} of seed ${SEED}:\n${spoilt}`, { cause: error })
      }
      if (run % 10 === 0 && took(spoilt) > MOST_MS)
        assert.ok(took(spoilt) < MOST_MS, `run ${run} of seed ${SEED} is slow`)
    }
    t.diagnostic(`${good} of ${RUNS} could be read all the same`)
    assert.ok(good > 0 && good < RUNS)
  })
