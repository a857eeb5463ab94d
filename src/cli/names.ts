/**
 * Names that iproute2 gives to numbers: tables, protocols, scopes, groups.
 *
 * What every installation has is built in; /etc/iproute2 is read when that does not suffice.
 */
import { readFileSync } from 'node:fs'
import { didYouMean } from '../client/nearest.ts'
import * as route from '../families/rt-route-constants.ts'
import { UsageError } from './exit.ts'

/** Constants that begin with `prefix`, by number, in lower case. */
function constants(prefix: string): Map<number, string> {
  const found = Object.entries(route).filter(([name]) => name.startsWith(prefix))
  return new Map(
    found.map(([name, number]) => [
      number as number,
      name.slice(prefix.length).toLowerCase().replaceAll('_', '-'),
    ]),
  )
}

/** One numbering: its built-in names, and the file that may add others. */
class NameTable {
  readonly #what: string
  readonly #file: string
  readonly #names: Map<number, string>
  #isRead = false

  constructor(what: string, file: string, names: Map<number, string>) {
    this.#what = what
    this.#file = file
    this.#names = names
  }

  /** A file's lines are `NUMBER NAME`; what is built in is not replaced. */
  #readFile(): void {
    if (this.#isRead) return
    this.#isRead = true
    let text: string
    try {
      text = readFileSync(`/etc/iproute2/${this.#file}`, 'utf8')
    } catch {
      return
    }
    for (const [, number, name] of text.matchAll(/^\s*(0x[\da-f]+|\d+)[ \t]+(\S+)/gim)) {
      if (!this.#names.has(Number(number))) this.#names.set(Number(number), name!)
    }
  }

  /** A number's name or its digits; of a name that the kernel's constants gave, iproute2's. */
  name(value: number | string): string {
    if (typeof value === 'string') return value === 'universe' ? 'global' : value
    if (!this.#names.has(value)) this.#readFile()
    return this.#names.get(value) ?? String(value)
  }

  /** The number of what the client calls by a name, or by a number. */
  numberOf(value: number | string): number {
    return typeof value === 'number' ? value : this.number(this.name(value))
  }

  /** @throws UsageError */
  number(word: string): number {
    if (/^(\d+|0x[\da-f]+)$/i.test(word)) return Number(word)
    for (const read of [false, true]) {
      if (read) this.#readFile()
      for (const [number, name] of this.#names) if (name === word) return number
    }
    throw new UsageError(
      `expected a ${this.#what}, got "${word}"`,
      didYouMean(word, this.#names.values()),
    )
  }
}

/** Routing tables. */
export const TABLES = new NameTable(
  'table',
  'rt_tables',
  new Map([
    [route.RT_TABLE_UNSPEC, 'unspec'],
    [route.RT_TABLE_DEFAULT, 'default'],
    [route.RT_TABLE_MAIN, 'main'],
    [route.RT_TABLE_LOCAL, 'local'],
  ]),
)

/** Who installed a route. */
export const PROTOCOLS = new NameTable('protocol', 'rt_protos', constants('RTPROT_'))

/** The distance to a destination. */
export const SCOPES = new NameTable(
  'scope',
  'rt_scopes',
  constants('RT_SCOPE_').set(route.RT_SCOPE_UNIVERSE, 'global'),
)

/** Groups of links. */
export const GROUPS = new NameTable('group', 'group', new Map([[0, 'default']]))

/** Why somebody keeps a link's protocols down. */
export const PROTO_DOWN_REASONS = new NameTable('reason', 'protodown_reasons', new Map())

/** Realms of routes. */
export const REALMS = new NameTable('realm', 'rt_realms', new Map([[0, 'cosmos']]))

/** The octet of IP headers that was the type of service, which numbers show as 0x10. */
const DSFIELDS = new NameTable('dsfield', 'rt_dsfield', new Map())
export function dsfield(value: number): string {
  const name = DSFIELDS.name(value)
  return name === String(value) ? `0x${value.toString(16).padStart(2, '0')}` : name
}
