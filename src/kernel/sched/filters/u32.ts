/** u32: by words of the packet, in hash tables. Kernel: net/sched/cls_u32.c u32_change(), u32_dump() (Linux 6.12). */
import { attrs, message, u32 as u32Type } from '../../../schema/index.ts'
import { nlaString, spanOf } from '../../rtnetlink/policy-types.ts'
import type { Filter, FilterOps, FilterRequest, Proto } from '../block.ts'
import { TCA_OPTIONS } from '../constants.ts'
import { type Exts, extsOf, putExts, releaseExts } from '../exts.ts'
import { refuse } from '../request.ts'
import { areFlagsValid, settleFlags } from './flags.ts'
import { indevOf } from './indev.ts'
import {
  bucketOf,
  enterU32,
  Hnode,
  type Knode,
  keyOf,
  leaveU32,
  nodeOf,
  ROOT,
  tableIdOf,
  type U32,
} from './u32-tables.ts'

/** struct tc_u32_sel and one key; struct tc_u32_mark. */
const SEL_SIZE = 16
const KEY_SIZE = 16
const MARK_SIZE = 12
const DIVISOR_MAX = 256
const HW_FLAGS = 12

const policy = message(
  attrs('TCA_U32_', {
    classid: [1, u32Type],
    hash: [2, u32Type],
    link: [3, u32Type],
    divisor: [4, u32Type],
    sel: [5, spanOf(SEL_SIZE)],
    police: [6, spanOf(0)],
    act: [7, spanOf(0)],
    indev: [8, nlaString(16)],
    mark: [10, spanOf(MARK_SIZE)],
    flags: [11, u32Type],
  }),
)
type Options = ReturnType<typeof policy.decode>

const stateOf = (tp: Proto): U32 => tp.state as U32
const netOf = (tp: Proto) => tp.chain.block.net

function isTable(filter: Filter): filter is Hnode {
  return filter instanceof Hnode
}

/** u32_set_parms(). @throws NetlinkError */
function parametersOf(
  tp: Proto,
  request: FilterRequest,
  asked: Options,
): { exts: Exts; down: Hnode | undefined; ifindex: number | undefined } {
  const exts = extsOf(tp, request, asked)
  try {
    const ifindex = asked.indev === undefined ? undefined : indevFor(request, asked.indev)
    if (!asked.link) {
      if (asked.link !== undefined && keyOf(asked.link)) linkMustBeTable()
      return { exts, down: undefined, ifindex }
    }
    if (keyOf(asked.link)) linkMustBeTable()
    const down = stateOf(tp).common.table(asked.link)
    if (!down) refuse('EINVAL', 'cls_u32: Link hash table not found')
    if (down.isRoot) refuse('EINVAL', 'cls_u32: Not linking to root node')
    down.refs++
    return { exts, down, ifindex }
  } catch (error) {
    releaseExts(request.net, exts)
    throw error
  }
}

function linkMustBeTable(): never {
  refuse('EINVAL', 'cls_u32: u32 Link handle must be a hash table')
}

/** Whatever is wrong with the link's name is EINVAL here. */
function indevFor({ net }: FilterRequest, name: string): number {
  if (name.length > 15) refuse('EINVAL', 'Interface name too long')
  if (!net.stack.devices.byName(name)) refuse('EINVAL', 'Network device not found')
  return indevOf(net, name)
}

/** A key in the place of `old`. */
function replace(tp: Proto, request: FilterRequest, old: Filter, asked: Options): Knode {
  if (isTable(old)) refuse('EINVAL', 'cls_u32: Key node id cannot be zero')
  const had = old as Knode
  if ((had.flags ^ (asked.flags ?? 0)) & ~HW_FLAGS) {
    refuse('EINVAL', 'cls_u32: Key node flags do not match passed flags')
  }
  const { exts, down, ifindex } = parametersOf(tp, request, asked)
  const key: Knode = {
    ...had,
    classid: asked.classid,
    exts,
    down: asked.link === undefined ? had.down : down,
    ifindex: ifindex ?? had.ifindex,
  }
  if (asked.link === undefined && had.down) had.down.refs++
  const bucket = had.up.buckets[bucketOf(had.handle)] as Knode[]
  bucket[bucket.indexOf(had)] = key
  drop(tp, had)
  return key
}

function drop(tp: Proto, { exts, down }: Knode): void {
  releaseExts(netOf(tp), exts)
  if (down) down.refs--
}

/** TCA_U32_DIVISOR: a table. */
function makeTable(tp: Proto, handle: number, divisor: number, flags: number): Hnode {
  if (divisor === 0 || divisor & (divisor - 1)) {
    refuse('EINVAL', 'cls_u32: Divisor is not a power of 2')
  }
  if (divisor > DIVISOR_MAX) refuse('EINVAL', 'cls_u32: Exceeded maximum 256 hash buckets')
  if (keyOf(handle)) refuse('EINVAL', 'cls_u32: Divisor can only be used on a hash table')
  const { common } = stateOf(tp)
  const number = handle || common.newTableId()
  if (number === 0) refuse('ENOMEM')
  if (common.table(number)) refuse('ENOSPC')
  settleFlags(flags)
  const table = new Hnode(number, tp.prio, divisor, false)
  common.tables.unshift(table)
  return table
}

/** Where a new key goes, and its number. @throws NetlinkError EINVAL, ENOSPC */
function placeOf(tp: Proto, handle: number, hash: number | undefined): [Hnode, number] {
  const { common, root } = stateOf(tp)
  let table: Hnode | undefined = root
  let htid = root.handle
  if (hash !== undefined && tableIdOf(hash) !== ROOT) {
    table = common.table(tableIdOf(hash))
    htid = hash
    if (!table) refuse('EINVAL', 'cls_u32: Specified hash table not found')
  }
  if (table.buckets.length - 1 < bucketOf(htid)) {
    refuse('EINVAL', 'cls_u32: Specified hash table buckets exceed configured value')
  }
  if (handle && tableIdOf(handle) && tableIdOf(handle ^ htid)) {
    refuse('EINVAL', 'cls_u32: Handle specified hash table address mismatch')
  }
  if (!nodeOf(handle)) return [table, table.newKey(htid)]
  const number = (htid | nodeOf(handle)) >>> 0
  if (table.has(number)) refuse('ENOSPC')
  return [table, number]
}

function makeKey(tp: Proto, request: FilterRequest, asked: Options): Knode {
  const { tc } = request
  const [up, handle] = placeOf(tp, request.handle, asked.hash)
  if (!asked.sel) refuse('EINVAL', 'cls_u32: Selector not specified')
  const bytes = tc.bytes(asked.sel)
  const keys = bytes[2] ?? 0
  const size = SEL_SIZE + keys * KEY_SIZE
  if (bytes.length < size) refuse('EINVAL')
  if ((bytes[1] ?? 0) >= 16) refuse('EINVAL', 'cls_u32: offshift must be less than 16')
  const { exts, down, ifindex = 0 } = parametersOf(tp, request, asked)
  const key: Knode = {
    ...{ handle, classid: asked.classid, up, down, keys, exts, ifindex },
    sel: bytes.slice(0, size),
    flags: settleFlags(asked.flags ?? 0),
    mark: asked.mark ? tc.bytes(asked.mark).slice(0, 8) : undefined,
  }
  const bucket = up.buckets[bucketOf(handle)] as Knode[]
  const at = bucket.findIndex((each) => nodeOf(handle) < nodeOf(each.handle))
  bucket.splice(at < 0 ? bucket.length : at, 0, key)
  return key
}

export const u32: FilterOps = {
  kind: 'u32',
  init(tp) {
    tp.state = enterU32(tp)
  },
  get(tp, handle) {
    const { common, root } = stateOf(tp)
    const id = tableIdOf(handle)
    const table = id === ROOT ? root : common.table(id)
    if (!table || keyOf(handle) === 0) return table
    return table.buckets[bucketOf(handle)]?.find((each) => each.handle === handle)
  },
  change(tp, request, old) {
    const { tc, handle } = request
    if (!tc.options) {
      if (handle) refuse('EINVAL', 'cls_u32: Filter handle requires options')
      return undefined
    }
    const asked = tc.nest(policy)
    const { flags = 0, divisor } = asked
    if (!areFlagsValid(flags)) refuse('EINVAL', 'cls_u32: Invalid filter flags')
    if (old) return replace(tp, request, old, asked)
    if (divisor !== undefined) return makeTable(tp, handle, divisor, flags)
    return makeKey(tp, request, asked)
  },
  delete(tp, filter) {
    const { common } = stateOf(tp)
    if (isTable(filter)) {
      if (filter.isRoot) refuse('EINVAL', 'cls_u32: Not allowed to delete root node')
      if (filter.refs > 1) refuse('EBUSY', 'cls_u32: Can not delete in-use filter')
      for (const key of filter.keys()) drop(tp, key)
      common.tables = common.tables.filter((each) => each !== filter)
    } else {
      const key = filter as Knode
      const bucket = key.up.buckets[bucketOf(key.handle)] as Knode[]
      bucket.splice(bucket.indexOf(key), 1)
      drop(tp, key)
    }
    return common.refs === 1 && common.keyCount === 0
  },
  *walk(tp): Iterable<Filter> {
    for (const table of stateOf(tp).common.tables) {
      if (table.prio !== tp.prio) continue
      yield table
      yield* table.keys()
    }
  },
  destroy(tp) {
    leaveU32(tp, (table) => {
      for (const key of table.keys()) drop(tp, key)
      for (const bucket of table.buckets) bucket.length = 0
    })
  },
  put(w, tp, filter) {
    const nest = w.attrStart(TCA_OPTIONS)
    if (isTable(filter)) w.attrU32(4, filter.buckets.length)
    else putKey(w, tp, filter as Knode)
    w.attrEnd(nest)
  },
}

function putKey(w: Parameters<FilterOps['put']>[0], tp: Proto, key: Knode): void {
  w.attrBytes(5, key.sel)
  w.attrU32(2, (key.handle & 0xfffff000) >>> 0)
  if (key.classid) w.attrU32(1, key.classid)
  if (key.down) w.attrU32(3, key.down.handle)
  if (key.flags) w.attrU32(11, key.flags)
  if (key.mark?.some((each) => each !== 0)) w.attrBytes(10, Uint8Array.of(...key.mark, 0, 0, 0, 0))
  putExts(w, netOf(tp), key.exts, { act: 7, police: 6 })
  const dev = key.ifindex ? netOf(tp).stack.devices.byIndex(key.ifindex) : undefined
  if (dev) w.attrString(8, dev.name)
  // struct tc_u32_pcnt: how often it was looked at, how often it fitted, and for each key.
  w.attrBytes(9, new Uint8Array(16 + key.keys * 8))
}
