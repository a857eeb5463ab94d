/** Scenarios: a few commands, given to both kernels in the same order, and the lists of them. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

export interface Scenario {
  /** `list/object/name`, unique. */
  readonly id: string
  /** What counts together in the score: `own`, `iproute2`, `selftests`, `libnl`, `pyroute2`, `generated`. */
  readonly list: string
  /** What it is about: link, addr, route and so on. */
  readonly object: string
  /** Shell commands; each one's stdout, stderr and exit code are compared. */
  readonly steps: readonly string[]
  /** Needs what only a full kernel has: Linux's answer is the recorded one. */
  readonly recorded: boolean
  /** Seconds that the whole may take; 30 unless given. */
  readonly seconds?: number
  /** False when `ip monitor` is not to listen. */
  readonly monitor?: boolean
  /** What the programs shall find in their environment. */
  readonly env?: Readonly<Record<string, string>>
}

const HEAD = /^@ (\S+)( recorded)?$/

/**
 * Reads a list: `@ name`, or `@ name recorded`, and below it a command a line. A line of `#` is
 * a comment.
 * @throws Error that names the line which is neither
 */
export function parseList(text: string, list: string, object: string): Scenario[] {
  const scenarios: { id: string; steps: string[]; recorded: boolean }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const head = HEAD.exec(line)
    const last = scenarios.at(-1)
    if (head) {
      const id = `${list}/${object}/${head[1]}`
      if (scenarios.some((other) => other.id === id)) throw new Error(`${id} stands there twice`)
      scenarios.push({ id, steps: [], recorded: head[2] !== undefined })
    } else if (line.startsWith('@') || !last) {
      throw new Error(`${list}/${object}, line ${index + 1}: not "@ name" and no command`)
    } else last.steps.push(line)
  }
  return scenarios.map((scenario) => ({ ...scenario, list, object }))
}

/** The lists of a folder, one file an object: `link.txt`. */
export function readLists(folder: URL, list: string): Scenario[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((name) =>
      parseList(readFileSync(new URL(name, folder), 'utf8'), list, basename(name, '.txt')),
    )
}

/** Says whether what was recorded was this scenario. */
export function digest({ steps }: Scenario): string {
  return createHash('sha256').update(steps.join('\n')).digest('hex').slice(0, 12)
}
