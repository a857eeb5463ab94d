/**
 * Numbers of generic netlink families and groups.
 *
 * Kernel: net/netlink/genetlink.c genl_register_family(), genl_allocate_reserve_groups()
 * (Linux 6.12); lib/idr.c idr_alloc_cyclic().
 */
import { GENL_ID_CTRL, GENL_MAX_ID } from '../../wire/constants.ts'

export const GENL_ID_VFS_DQUOT = 17
export const GENL_ID_PMCRAID = 18
const GENL_START_ALLOC = 19
/** Groups are given room in words of this many. */
const BITS_PER_LONG = 64

/** Families that had a number before numbers were given out. */
const fixedIds: Readonly<Record<string, number>> = {
  nlctrl: GENL_ID_CTRL,
  VFS_DQUOT: GENL_ID_VFS_DQUOT,
  pmcraid: GENL_ID_PMCRAID,
}
/** And their groups, which begin at a fixed number. */
const fixedGroups: Readonly<Record<string, number>> = {
  nlctrl: GENL_ID_CTRL,
  NET_DM: 1,
  VFS_DQUOT: GENL_ID_VFS_DQUOT,
  pmcraid: GENL_ID_PMCRAID,
}

/** Family ids: given out in a cycle, so that a freed one is not used again soon. */
export class FamilyIds {
  readonly #used = new Set<number>()
  #next = GENL_START_ALLOC

  /** The next id, or the fixed one of `name`; undefined when there is none. */
  alloc(name: string): number | undefined {
    const fixed = fixedIds[name]
    if (fixed !== undefined) {
      if (this.#used.has(fixed)) return undefined
      this.#used.add(fixed)
      return fixed
    }
    const count = GENL_MAX_ID - GENL_START_ALLOC + 1
    for (let i = 0; i < count; i++) {
      const id = GENL_START_ALLOC + ((this.#next - GENL_START_ALLOC + i) % count)
      if (this.#used.has(id)) continue
      this.#used.add(id)
      this.#next = id + 1
      return id
    }
    return undefined
  }
  free(id: number): void {
    this.#used.delete(id)
  }
}

/** Group numbers, over all families: the first run that is long enough. */
export class GroupIds {
  readonly #used = new Set([0, 1, GENL_ID_CTRL, GENL_ID_VFS_DQUOT, GENL_ID_PMCRAID])
  #longs = 1

  /** How many numbers there is room for: the protocol's number of groups. */
  get room(): number {
    return this.#longs * BITS_PER_LONG
  }
  /** The first of `count` numbers in a row for the family `name`. */
  alloc(name: string, count: number): number {
    const fixed = fixedGroups[name]
    if (fixed !== undefined) return fixed
    let first = 0
    for (let found = 0; found < count; ) {
      found = this.#used.has(first + found) ? 0 : found + 1
      if (found === 0) first = this.#nextFree(first + 1)
    }
    if (first + count > this.room) this.#longs += Math.ceil(count / BITS_PER_LONG)
    for (let id = first; id < first + count; id++) this.#used.add(id)
    return first
  }
  /** Gives one back; group 1 is never given out again. */
  free(id: number): void {
    if (id !== 1) this.#used.delete(id)
  }
  #nextFree(from: number): number {
    let id = from
    while (this.#used.has(id)) id++
    return id
  }
}
