/** All scenarios of the lists that are asked for. */
import { generate } from './generate.ts'
import { readLists, type Scenario } from './scenario.ts'
import { iproute2Suite, selftests } from './suites.ts'

const folder = (name: string): URL => new URL(`../../../test/fidelity/${name}/`, import.meta.url)

/** What the generator gets: its first seed, and how many scripts it shall write. */
export interface Draw {
  readonly seed: number
  readonly count: number
}

const SOURCES: Readonly<Record<string, (draw: Draw) => Scenario[]>> = {
  own: () => readLists(folder('lists'), 'own'),
  generated: ({ seed, count }) => generate(seed, count),
  iproute2: iproute2Suite,
  selftests,
  libnl: () => readLists(folder('libnl'), 'libnl'),
  pyroute2: () => readLists(folder('pyroute2'), 'pyroute2'),
}

export const LISTS: readonly string[] = Object.keys(SOURCES)

/** @throws Error when a list is not known, or what it is made of cannot be fetched */
export function collect(lists: readonly string[], draw: Draw): Scenario[] {
  return lists.flatMap((list) => {
    const source = SOURCES[list]
    if (!source) throw new Error(`no list is called ${list}: there are ${LISTS.join(', ')}`)
    return source(draw)
  })
}
