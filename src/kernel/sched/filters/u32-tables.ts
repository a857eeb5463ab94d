/**
 * Hash tables of u32: those of all filters of one discipline hang together.
 *
 * Kernel: net/sched/cls_u32.c struct tc_u_common, struct tc_u_hnode, gen_new_htid(), gen_new_kid()
 * (Linux 6.12).
 */
import type { Filter, Proto } from '../block.ts'
import type { Exts } from '../exts.ts'
import { refuse } from '../request.ts'

export const ROOT = 0xfff00000
const IDS = 0x7ff
const NODES = 0xfff
const FIRST_NODE = 0x800

export const tableIdOf = (handle: number): number => (handle & 0xfff00000) >>> 0
export const bucketOf = (handle: number): number => (handle >>> 12) & 0xff
export const nodeOf = (handle: number): number => handle & 0xfff
/** TC_U32_KEY: 0 for a table. */
export const keyOf = (handle: number): number => handle & 0xfffff

/** A key (struct tc_u_knode). */
export interface Knode extends Filter {
  readonly up: Hnode
  readonly down: Hnode | undefined
  readonly sel: Uint8Array
  readonly keys: number
  readonly flags: number
  readonly mark: Uint8Array | undefined
  readonly ifindex: number
  readonly exts: Exts
}

/** A table (struct tc_u_hnode). */
export class Hnode implements Filter {
  readonly handle: number
  readonly prio: number
  readonly isRoot: boolean
  /** How many buckets there are. */
  readonly buckets: Knode[][]
  refs = 1

  constructor(handle: number, prio: number, divisor: number, isRoot: boolean) {
    this.handle = handle
    this.prio = prio
    this.isRoot = isRoot
    this.buckets = Array.from({ length: divisor }, () => [])
  }

  *keys(): Iterable<Knode> {
    for (const bucket of this.buckets) yield* bucket
  }

  /** gen_new_kid(). @throws NetlinkError ENOSPC */
  newKey(htid: number): number {
    const taken = new Set([...this.keys()].map(({ handle }) => handle))
    for (const first of [FIRST_NODE, 1]) {
      for (let node = first; node <= NODES; node++) {
        const handle = (htid | node) >>> 0
        if (!taken.has(handle)) return handle
      }
    }
    return refuse('ENOSPC', 'cls_u32: Hash table node ID pool exhausted')
  }

  has(handle: number): boolean {
    for (const key of this.keys()) if (key.handle === handle) return true
    return false
  }
}

export class U32Common {
  /** The newest first. */
  tables: Hnode[] = []
  refs = 0
  #next = 1

  table(handle: number): Hnode | undefined {
    return this.tables.find((each) => each.handle === handle)
  }

  /** gen_new_htid(): numbers go round. 0 when none is free. */
  newTableId(): number {
    for (let tries = 0; tries < IDS; tries++) {
      const id = this.#next
      this.#next = id >= IDS - 1 ? 1 : id + 1
      const handle = ((id | 0x800) << 20) >>> 0
      if (!this.table(handle)) return handle
    }
    return 0
  }

  get keyCount(): number {
    let count = 0
    for (const table of this.tables) for (const bucket of table.buckets) count += bucket.length
    return count
  }
}

/** What a Proto of u32 has. */
export interface U32 {
  readonly common: U32Common
  readonly root: Hnode
}

const commons = new WeakMap<object, U32Common>()

/** u32_init(). */
export function enterU32(tp: Proto): U32 {
  const { owner } = tp.chain.block
  const found = commons.get(owner)
  const common = found ?? new U32Common()
  commons.set(owner, common)
  const root = new Hnode(found ? common.newTableId() : 0x80000000, tp.prio, 1, true)
  common.refs++
  common.tables.unshift(root)
  return { common, root }
}

/** u32_destroy(): `clear` empties a table. */
export function leaveU32(tp: Proto, clear: (table: Hnode) => void): void {
  const { common, root } = tp.state as U32
  clear(root)
  common.tables = common.tables.filter((each) => each !== root)
  common.refs--
  if (common.refs > 0) return
  for (const table of common.tables.splice(0)) clear(table)
  commons.delete(tp.chain.block.owner)
}
