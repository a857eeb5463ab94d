/** An attribute set as data: names, numbers and types, looked up either way. */
import type { Type } from './type.ts'

/** One attribute of a set. */
export interface AttrEntry {
  readonly name: string
  /** nla_type without flag bits. */
  readonly id: number
  readonly type: Type<any, any>
  /** The kernel's name of it, such as `IFLA_MTU`. */
  readonly constant: string
}

/** An attribute whose constant is written out when somebody asks: thousands are made at each start. */
export class Attribute implements AttrEntry {
  readonly name: string
  readonly id: number
  readonly type: Type<any, any>
  readonly #prefix: string
  #constant: string | undefined

  /** `constant` where it does not follow from `prefix` and the name. */
  constructor(name: string, id: number, type: Type<any, any>, prefix: string, constant?: string) {
    this.name = name
    this.id = id
    this.type = type
    this.#prefix = prefix
    this.#constant = constant
  }

  get constant(): string {
    this.#constant ??= constantName(this.#prefix, this.name)
    return this.#constant
  }
}

/** An attribute that no schema knows, kept so that encoding gives the same bytes again. */
export interface UnknownAttr {
  /** nla_type with its flag bits. */
  readonly type: number
  readonly data: Uint8Array
  /** How many attributes came before it. */
  readonly index: number
}

/** A numbering space of attributes. */
export interface AttrTable {
  /** What the kernel's constants begin with, such as `IFLA_`. */
  readonly prefix: string
  readonly entries: readonly AttrEntry[]
  readonly byName: ReadonlyMap<string, AttrEntry>
  readonly byId: ReadonlyMap<number, AttrEntry>
  /** The largest number in it. */
  readonly maxType: number
  /** strict_start_type: from this number on attributes are judged strictly in any parse. */
  readonly strictStart?: number
}

/** @throws TypeError when two attributes share a number or a name is not camelCase. */
export function makeTable(prefix: string, entries: readonly AttrEntry[]): AttrTable {
  const byName = new Map<string, AttrEntry>()
  const byId = new Map<number, AttrEntry>()
  let maxType = 0
  for (const entry of entries) {
    const rival = byId.get(entry.id)
    if (rival)
      throw new TypeError(`${prefix}: ${entry.name} and ${rival.name} are both ${entry.id}`)
    if (entry.name === 'unknown' || !/^[a-z][A-Za-z0-9]*$/.test(entry.name)) {
      throw new TypeError(`${prefix}: ${entry.name} cannot be an attribute's name`)
    }
    byName.set(entry.name, entry)
    byId.set(entry.id, entry)
    if (entry.id > maxType) maxType = entry.id
  }
  return { prefix, entries, byName, byId, maxType }
}

/** The kernel's constant of an attribute: `numTxQueues` of `IFLA_` is `IFLA_NUM_TX_QUEUES`. */
export function constantName(prefix: string, name: string): string {
  return prefix + name.replace(/([A-Z])/g, '_$1').toUpperCase()
}

/** What one message, or one nest, carries of a set. */
export interface AttrSelection {
  readonly table: AttrTable
  /** Names that belong; the others of the table count as unknown. */
  readonly names: ReadonlySet<string>
  readonly required: readonly string[]
  /** Names that are header fields of the message, not attributes. */
  readonly header: ReadonlySet<string>
}
