/** Names for the numbers in route messages: the kernel's constants in lower case, without prefix. */
import { EncodeError } from '../../errors.ts'
import * as address from '../../families/rt-addr-constants.ts'
import * as link from '../../families/rt-link-constants.ts'
import * as neighbour from '../../families/rt-neigh-constants.ts'
import * as route from '../../families/rt-route-constants.ts'
import * as rule from '../../families/rt-rule-constants.ts'

/** The names that constants give under a prefix: `RT_SCOPE_LINK` is `link`. */
type NameIn<C, P extends string> = {
  [K in keyof C & string]: K extends `${P}${infer Rest}` ? Lowercase<Rest> : never
}[keyof C & string]

/** One numbering, both ways. */
export class Names<N extends string> {
  readonly #what: string
  readonly #byName = new Map<string, number>()
  readonly #byNumber = new Map<number, N>()
  /** The same for small numbers, which most are. */
  readonly #small: (N | number)[] = Array.from({ length: 256 }, (_, number) => number)

  constructor(what: string, constants: Readonly<Record<string, number>>, prefix: string) {
    this.#what = what
    for (const [constant, number] of Object.entries(constants)) {
      if (!constant.startsWith(prefix)) continue
      const name = constant.slice(prefix.length).toLowerCase() as N
      this.#byName.set(name, number)
      if (this.#byNumber.has(number)) continue
      this.#byNumber.set(number, name)
      if (number < 256) this.#small[number] = name
    }
  }
  /** The name, or the number when it has none. */
  name(number: number): N | number {
    return this.#small[number] ?? this.#byNumber.get(number) ?? number
  }
  /** @throws EncodeError at `path` for an unknown name. */
  number(name: string | number, path: string): number {
    const number = typeof name === 'number' ? name : this.#byName.get(name)
    if (number !== undefined) return number
    const known = [...this.#byName.keys()].join(', ')
    throw new EncodeError(`${JSON.stringify(name)} is no ${this.#what}: ${known}`, path)
  }
  /** One name, several, or the bits themselves. @throws EncodeError at `path` */
  bits(names: number | string | readonly string[], path: string): number {
    if (typeof names === 'number') return names
    const all = typeof names === 'string' ? [names] : names
    return all.reduce((sum, name) => (sum | this.number(name, path)) >>> 0, 0)
  }
}

const names = <const C extends Readonly<Record<string, number>>, const P extends string>(
  what: string,
  constants: C,
  prefix: P,
): Names<NameIn<C, P>> => new Names(what, constants, prefix)

export const linkTypes = names('hardware type', link, 'ARPHRD_')
export const addressFlags = names('address flag', address, 'IFA_F_')
export const routeTypes = names('route type', route, 'RTN_')
export const routeProtocols = names('route protocol', route, 'RTPROT_')
export const scopes = names('scope', route, 'RT_SCOPE_')
export const neighbourStates = names('neighbour state', neighbour, 'NUD_')
export const neighbourFlags = names('neighbour flag', neighbour, 'NTF_')
export const ruleActions = names('rule action', rule, 'FR_ACT_')

const { RT_TABLE_MAIN, RT_TABLE_LOCAL, RT_TABLE_DEFAULT } = route
export const tables = names(
  'table',
  { RT_TABLE_MAIN, RT_TABLE_LOCAL, RT_TABLE_DEFAULT },
  'RT_TABLE_',
)

export type LinkType = NameIn<typeof link, 'ARPHRD_'>
export type AddressFlag = NameIn<typeof address, 'IFA_F_'>
export type RouteType = NameIn<typeof route, 'RTN_'>
export type RouteProtocol = NameIn<typeof route, 'RTPROT_'>
export type Scope = NameIn<typeof route, 'RT_SCOPE_'>
export type NeighbourState = NameIn<typeof neighbour, 'NUD_'>
export type NeighbourFlag = Exclude<NameIn<typeof neighbour, 'NTF_'>, `ext_${string}`>
export type RuleAction = NameIn<typeof rule, 'FR_ACT_'>
/** A routing table by its name, where every installation has one, or by its number. */
export type Table = 'main' | 'local' | 'default' | number
