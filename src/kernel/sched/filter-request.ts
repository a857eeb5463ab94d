/**
 * RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER.
 *
 * Kernel: net/sched/cls_api.c tc_new_tfilter(), tc_del_tfilter(), tc_get_tfilter(),
 * tc_dump_tfilter() (Linux 6.12).
 */
import { RTM_NEWTFILTER } from '../../families/rtnetlink.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../wire/constants.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { payloadSize } from '../rtnetlink/parse.ts'
import { type Chain, type Filter, Proto } from './block.ts'
import { bindFilter } from './class-use.ts'
import { major, minor } from './constants.ts'
import { notifyFilter, prepareDeletion, putFilter, type ShownFilter } from './filter-fill.ts'
import {
  chainIndexOf,
  disciplineOf,
  dumpedBlock,
  type FilterPlace,
  placeOf,
} from './filter-place.ts'
import { filterKinds } from './filters/index.ts'
import { refuse, shortName, TcRequest } from './request.ts'
import type { Sched } from './sched.ts'
import type { SchedNet } from './sched-net.ts'

const HEADER_SIZE = 20
/** A priority that is given by itself is below the lowest that there is, or this. */
const AUTO_PRIO = 0xc0000000
const AUTO_FROM = 0x80000000
const NOT_FOUND = 'Filter with specified priority/protocol not found'
const NEEDS_CREATE = 'Need both RTM_NEWTFILTER and NLM_F_CREATE to create a new filter'

interface Wanted {
  readonly tc: TcRequest
  readonly net: SchedNet
  readonly place: FilterPlace
  readonly chainIndex: number
  readonly prio: number
  readonly protocol: number
}

/**
 * tcf_chain_tp_find(): what has `prio`, and where it would stand; refuses in the words of Linux 6.18.
 * @throws NetlinkError EINVAL, ENOSPC
 */
function find(
  { protos }: Chain,
  prio: number,
  protocol: number,
  isAuto: boolean,
): { tp: Proto | undefined; at: number } {
  const at = protos.findIndex((each) => each.prio >= prio)
  const tp = at < 0 ? undefined : protos[at]
  if (tp?.prio !== prio) return { tp: undefined, at: at < 0 ? protos.length : at }
  if (isAuto) refuse('ENOSPC', 'Lowest ID from auto-alloc range already in use')
  if (tp.protocol !== protocol && protocol) {
    refuse('EINVAL', 'Protocol mismatch for filter with specified priority')
  }
  return { tp, at }
}

function wantedOf(sched: Sched, tc: TcRequest): Wanted {
  const net = sched.netOf(tc.ctx.net)
  const found = disciplineOf(net, tc)
  if (tc.isKindTooLong) refuse('EINVAL', 'Specified TC filter name too long')
  const place = placeOf(net, tc, found)
  const prio = major(tc.info)
  return { tc, net, place, chainIndex: chainIndexOf(tc), prio, protocol: minor(tc.info) }
}

/** tc_new_tfilter(). @throws NetlinkError */
export function newFilter(sched: Sched, ctx: RequestContext): void {
  const tc = new TcRequest(ctx)
  if (major(tc.info) === 0 && !(tc.flags & NLM_F_CREATE)) {
    refuse('ENOENT', 'Invalid filter command with priority of zero')
  }
  const wanted = wantedOf(sched, tc)
  const { place, chainIndex } = wanted
  place.block.classid = place.parent
  const chain = place.block.chain(chainIndex)
  try {
    const isAuto = wanted.prio === 0
    const { tp: found, at } = find(chain, wanted.prio || AUTO_FROM, wanted.protocol, isAuto)
    const tp = found ?? createProto(wanted, chain, at, isAuto)
    try {
      change(wanted, chain, tp)
    } catch (error) {
      const isEmpty = [...tp.ops.walk(tp)].length === 0
      if (!found || (tp.ops.deletesEmpty && isEmpty)) removeProto(chain, tp)
      throw error
    }
  } finally {
    chain.settle()
  }
}

function createProto(
  { tc, prio, protocol }: Wanted,
  chain: Chain,
  at: number,
  isAuto: boolean,
): Proto {
  if (tc.kind === undefined || !protocol) {
    refuse('EINVAL', 'Filter kind and protocol must be specified')
  }
  if (!(tc.flags & NLM_F_CREATE)) refuse('ENOENT', NEEDS_CREATE)
  const ops = filterKinds.get(shortName(tc.kind))
  if (!ops) refuse('ENOENT', 'TC classifier not found')
  const next = chain.protos[at]
  const given = isAuto ? major(next ? next.prio - 1 : AUTO_PRIO) : prio
  const tp = new Proto(chain, ops, given, protocol)
  chain.protos.splice(at, 0, tp)
  return tp
}

function removeProto(chain: Chain, tp: Proto): void {
  const at = chain.protos.indexOf(tp)
  if (at >= 0) chain.protos.splice(at, 1)
  tp.ops.destroy(tp)
}

function change({ tc, net, place }: Wanted, chain: Chain, tp: Proto): void {
  const { ops } = tp
  if (tc.kind !== undefined && tc.kind !== ops.kind) {
    refuse('EINVAL', 'Specified filter kind does not match existing one')
  }
  const old = ops.get(tp, tc.handle)
  if (!old && !(tc.flags & NLM_F_CREATE)) refuse('ENOENT', NEEDS_CREATE)
  if (old && tc.flags & NLM_F_EXCL) refuse('EEXIST', 'Filter already exists')
  if (chain.template && chain.template.ops !== ops) {
    refuse('EINVAL', 'Chain template is set to a different filter kind')
  }
  const filter = ops.change(tp, { tc, handle: tc.handle, net }, old)
  if (filter) bindFilter(place.block, filter)
  const shown = ops.hidesNew ? undefined : filter
  notifyFilter(net, tc.ctx, RTM_NEWTFILTER, { tp, place, filter: shown })
}

/** tc_del_tfilter(). @throws NetlinkError */
export function deleteFilter(sched: Sched, ctx: RequestContext): void {
  const tc = new TcRequest(ctx)
  const isFlush = major(tc.info) === 0
  if (isFlush && (minor(tc.info) || tc.handle || tc.kind !== undefined)) {
    refuse('ENOENT', 'Cannot flush filters with protocol, handle or kind set')
  }
  const wanted = wantedOf(sched, tc)
  const { net, place } = wanted
  const chain = place.block.chains.get(wanted.chainIndex)
  if (!chain) {
    if (isFlush) return
    refuse('ENOENT', 'Cannot find specified filter chain')
  }
  // A chain that only actions hold comes to life for the request, and goes again.
  const known = place.block.chain(wanted.chainIndex)
  try {
    if (isFlush) flush(net, ctx, place, known)
    else deleteOne(wanted, known)
  } finally {
    known.settle()
  }
}

/** All of a chain, told of one by one. */
export function flush(net: SchedNet, ctx: RequestContext, place: FilterPlace, chain: Chain): void {
  for (const tp of chain.protos) {
    prepareDeletion(net, ctx, { tp, place, filter: undefined })()
  }
  chain.flush()
}

function deleteOne({ tc, net, place, prio, protocol }: Wanted, chain: Chain): void {
  const { tp } = find(chain, prio, protocol, false)
  if (!tp) refuse('ENOENT', NOT_FOUND)
  if (tc.kind !== undefined && tc.kind !== tp.ops.kind) {
    refuse('EINVAL', 'Specified filter kind does not match existing one')
  }
  if (tc.handle === 0) {
    const tell = prepareDeletion(net, tc.ctx, { tp, place, filter: undefined })
    removeProto(chain, tp)
    tell()
    return
  }
  const filter = tp.ops.get(tp, tc.handle)
  if (!filter) refuse('ENOENT', 'Specified filter handle not found')
  const tell = prepareDeletion(net, tc.ctx, { tp, place, filter })
  const isLast = tp.ops.delete(tp, filter)
  tell()
  if (isLast) removeProto(chain, tp)
}

/** tc_get_tfilter(). @throws NetlinkError */
export function getFilter(sched: Sched, ctx: RequestContext): void {
  const tc = new TcRequest(ctx)
  if (major(tc.info) === 0) refuse('ENOENT', 'Invalid filter command with priority of zero')
  const { place, chainIndex, prio, protocol } = wantedOf(sched, tc)
  const chain = place.block.chains.get(chainIndex)
  if (!chain) refuse('EINVAL', 'Cannot find specified filter chain')
  const { tp } = find(chain, prio, protocol, false)
  if (!tp) refuse('ENOENT', NOT_FOUND)
  if (tc.kind !== undefined && tc.kind !== tp.ops.kind) {
    refuse('EINVAL', 'Specified filter kind does not match existing one')
  }
  const filter = tp.ops.get(tp, tc.handle)
  if (!filter) refuse('ENOENT', 'Specified filter handle not found')
  ctx.reply(RTM_NEWTFILTER, (w) => putFilter(w, { tp, place, filter }), tc.flags)
}

export function filterDump(sched: Sched): DumpSource<ShownFilter> {
  return {
    name: 'RTM_GETTFILTER',
    type: RTM_NEWTFILTER,
    *items(ctx) {
      if (payloadSize(ctx) < HEADER_SIZE) return
      const tc = new TcRequest(ctx)
      const place = dumpedBlock(sched.netOf(ctx.net), tc)
      for (const chain of place?.block.chains.values() ?? []) {
        if (tc.chain !== undefined && tc.chain !== chain.index) continue
        for (const tp of chain.protos) {
          if (isAsked(tc, tp)) yield* shownOf(tp, place as FilterPlace)
        }
      }
    },
    put: (w, shown) => putFilter(w, shown),
  }
}

function isAsked({ info }: TcRequest, { prio, protocol }: Proto): boolean {
  return (
    (major(info) === 0 || major(info) === prio) && (minor(info) === 0 || minor(info) === protocol)
  )
}

function* shownOf(tp: Proto, place: FilterPlace): Iterable<ShownFilter> {
  yield { tp, place, filter: undefined }
  for (const filter of tp.ops.walk(tp) as Iterable<Filter>) yield { tp, place, filter }
}
