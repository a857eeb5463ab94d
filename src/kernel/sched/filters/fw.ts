/** fw: by the mark that a packet has. Kernel: net/sched/cls_fw.c fw_change(), fw_dump() (Linux 6.12). */
import { attrs, message, u32 } from '../../../schema/index.ts'
import { nlaString, spanOf } from '../../rtnetlink/policy-types.ts'
import type { Filter, FilterOps, FilterRequest, Proto } from '../block.ts'
import { TCA_OPTIONS } from '../constants.ts'
import { type Exts, extsOf, putExts, releaseExts } from '../exts.ts'
import { refuse } from '../request.ts'
import { indevOf } from './indev.ts'

const HASH_SIZE = 256

const policy = message(
  attrs('TCA_FW_', {
    classid: [1, u32],
    police: [2, spanOf(0)],
    indev: [3, nlaString(16)],
    act: [4, spanOf(0)],
    mask: [5, u32],
  }),
)

interface Fw extends Filter {
  readonly ifindex: number
  readonly exts: Exts
}

interface Head {
  readonly mask: number
  readonly buckets: Fw[][]
}

/** fw_hash(). */
function hashOf(handle: number): number {
  let hash = handle ^ (handle >>> 16)
  hash ^= hash >>> 8
  return (hash % HASH_SIZE) & (HASH_SIZE - 1)
}

const headOf = (tp: Proto): Head | undefined => tp.state as Head | undefined
const netOf = (tp: Proto) => tp.chain.block.net

function make(
  tp: Proto,
  request: FilterRequest,
  { head, handle, ifindex }: { head: Head; handle: number; ifindex: number },
): Fw {
  const { tc, net } = request
  const asked = tc.nest(policy, true)
  const exts = extsOf(tp, request, asked)
  try {
    const dev = asked.indev === undefined ? ifindex : indevOf(net, asked.indev)
    if (asked.mask === undefined ? head.mask !== 0xffffffff : asked.mask !== head.mask) {
      refuse('EINVAL')
    }
    return { handle, classid: asked.classid, ifindex: dev, exts }
  } catch (error) {
    releaseExts(net, exts)
    throw error
  }
}

export const fw: FilterOps = {
  kind: 'fw',
  init() {},
  get: (tp, handle) => headOf(tp)?.buckets[hashOf(handle)]?.find((f) => f.handle === handle),
  change(tp, request, old) {
    const { tc, handle } = request
    if (!tc.options) {
      if (handle) refuse('EINVAL')
      if (tp.chain.block.index !== 0) {
        refuse('EINVAL', 'Must specify mark when attaching fw filter to block')
      }
      return undefined
    }
    const asked = tc.nest(policy, true)
    const had = old as Fw | undefined
    if (!had && handle === 0) refuse('EINVAL')
    const head = headOf(tp) ?? {
      mask: asked.mask ?? 0xffffffff,
      buckets: Array.from({ length: HASH_SIZE }, (): Fw[] => []),
    }
    tp.state = head
    const { handle: number = handle, ifindex = 0 } = had ?? {}
    const filter = make(tp, request, { head, handle: number, ifindex })
    const bucket = head.buckets[hashOf(number)] as Fw[]
    if (had) {
      bucket[bucket.indexOf(had)] = filter
      releaseExts(netOf(tp), had.exts)
    } else bucket.unshift(filter)
    return filter
  },
  delete(tp, filter) {
    const buckets = headOf(tp)?.buckets ?? []
    const bucket = buckets[hashOf(filter.handle)] as Fw[]
    bucket.splice(bucket.indexOf(filter as Fw), 1)
    releaseExts(netOf(tp), (filter as Fw).exts)
    return buckets.every((each) => each.length === 0)
  },
  *walk(tp) {
    for (const bucket of headOf(tp)?.buckets ?? []) yield* bucket
  },
  destroy(tp) {
    for (const bucket of headOf(tp)?.buckets ?? []) {
      for (const { exts } of bucket) releaseExts(netOf(tp), exts)
    }
    tp.state = undefined
  },
  put(w, tp, filter) {
    const { classid, ifindex, exts } = filter as Fw
    if (!classid && exts.actions.length === 0) return
    const nest = w.attrStart(TCA_OPTIONS)
    if (classid) w.attrU32(1, classid)
    const dev = ifindex ? netOf(tp).stack.devices.byIndex(ifindex) : undefined
    if (dev) w.attrString(3, dev.name)
    const { mask = 0xffffffff } = headOf(tp) ?? {}
    if (mask !== 0xffffffff) w.attrU32(5, mask)
    putExts(w, netOf(tp), exts, { act: 4, police: 2 })
    w.attrEnd(nest)
  },
}
