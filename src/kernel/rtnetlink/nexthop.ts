/**
 * Nexthop objects: the message types, and the group that hears of changes.
 *
 * Kernel: net/ipv4/nexthop.c nexthop_init(), rtm_new_nexthop(), rtm_del_nexthop(),
 * rtm_get_nexthop(), rtm_dump_nexthop(), rtm_get_nexthop_bucket(), rtm_dump_nexthop_bucket(),
 * nexthop_notify(), nexthop_bucket_notify() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { nhmsg } from '../../families/rt-nexthop.ts'
import {
  AF_UNSPEC,
  RTM_DELNEXTHOP,
  RTM_GETNEXTHOP,
  RTM_GETNEXTHOPBUCKET,
  RTM_NEWNEXTHOP,
  RTM_NEWNEXTHOPBUCKET,
  RTNLGRP_NEXTHOP,
} from '../../families/rtnetlink.ts'
import { attrs, flag, message, NL_VALIDATE_STRICT, u16, u32 } from '../../schema/index.ts'
import { NLM_F_REPLACE } from '../net/constants.ts'
import type { Nexthop } from '../net/nexthop.ts'
import type { ResilientTable } from '../net/nexthop-resilient.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { nexthopSize, putBucket, putNexthop } from './nexthop-fill.ts'
import { parseNexthop } from './nexthop-request.ts'
import { notify, requestOf } from './notify.ts'
import { hasHeaderValues, invalid, parseNested } from './parse.ts'
import { nested } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** NHA_OP_FLAG_DUMP_STATS and _HW_STATS. */
const opFlags = u32.mask(3)
/** NLMSG_GOODSIZE: what a bucket's notification takes. */
const BUCKET_SIZE = 3776

const getRequest = message(nhmsg, attrs('NHA_', { id: [1, u32], opFlags: [14, opFlags] }))
const deleteRequest = message(nhmsg, attrs('NHA_', { id: [1, u32] }))
const dumpRequest = message(
  nhmsg,
  attrs('NHA_', {
    oif: [5, u32],
    groups: [9, flag],
    master: [10, u32],
    fdb: [11, flag],
    opFlags: [14, opFlags],
  }),
)
const getBucketRequest = message(nhmsg, attrs('NHA_', { id: [1, u32], resBucket: [13, nested] }))
const dumpBucketRequest = message(
  nhmsg,
  attrs('NHA_', { id: [1, u32], oif: [5, u32], master: [10, u32], resBucket: [13, nested] }),
)
const getBucket = message(attrs('NHA_RES_BUCKET_', { index: [1, u16] }))
const dumpBucket = message(attrs('NHA_RES_BUCKET_', { nhId: [3, u32] }))

export function registerNexthops(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_NEWNEXTHOP, { doit: newNexthop })
  table.register(AF_UNSPEC, RTM_DELNEXTHOP, { doit: deleteNexthop })
  table.register(AF_UNSPEC, RTM_GETNEXTHOP, { doit: getNexthop, dumpit: nexthopDump })
  table.register(AF_UNSPEC, RTM_GETNEXTHOPBUCKET, { doit: getNexthopBucket, dumpit: bucketDump })
}

/** Announces what happens to the nexthops of `stack` through `sock`. */
export function notifyNexthops(stack: NetStack, sock: KernelSocket): void {
  stack.chains.nexthop.register({
    name: 'nexthop_notify',
    call(event, { nexthop, bucket, origin }) {
      if (event === 'NEWNEXTHOPBUCKET') {
        const what = { type: RTM_NEWNEXTHOPBUCKET, flags: NLM_F_REPLACE, group: RTNLGRP_NEXTHOP }
        notify(sock, { ...what, size: BUCKET_SIZE }, (w) => putBucket(w, nexthop, bucket ?? 0))
        return NOTIFY_DONE
      }
      const type = event === 'NEWNEXTHOP' ? RTM_NEWNEXTHOP : RTM_DELNEXTHOP
      const flags = requestOf(origin)?.flags ?? 0
      const size = nexthopSize(nexthop)
      notify(sock, { type, flags, group: RTNLGRP_NEXTHOP, origin, size }, (w) =>
        putNexthop(w, nexthop),
      )
      return NOTIFY_DONE
    },
  })
}

function stackOf(ctx: RequestContext): NetStack {
  return ctx.kernel.rtnl.stackOf(ctx.net)
}

/** rtm_new_nexthop(). @throws NetlinkError EEXIST, ENOENT, EINVAL, ENETDOWN, EOPNOTSUPP */
function newNexthop(ctx: RequestContext): void {
  const stack = stackOf(ctx)
  stack.nexthops.add(parseNexthop(ctx, stack), ctx.flags)
}

/** rtm_del_nexthop(). @throws NetlinkError ENOENT, EINVAL */
function deleteNexthop(ctx: RequestContext): void {
  const { id } = ctx.decode(deleteRequest, NL_VALIDATE_STRICT)
  checkHeader(ctx, 'Invalid values in header')
  stackOf(ctx).nexthops.delete(wantedId(id), ctx)
}

/** rtm_get_nexthop(). @throws NetlinkError ENOENT, EINVAL */
function getNexthop(ctx: RequestContext): void {
  const { id, opFlags: wanted } = ctx.decode(getRequest, NL_VALIDATE_STRICT)
  checkHeader(ctx, 'Invalid values in header')
  const nexthop = stackOf(ctx).nexthops.find(wantedId(id))
  if (!nexthop) throw new NetlinkError('ENOENT')
  ctx.reply(RTM_NEWNEXTHOP, (w) => putNexthop(w, nexthop, wanted))
}

function checkHeader(ctx: RequestContext, text: string): void {
  if (hasHeaderValues(ctx, 1, 7)) invalid(text)
}

function wantedId(id: number | undefined): number {
  if (id === undefined) invalid('Nexthop id is missing')
  if (id === 0) invalid('Invalid nexthop id')
  return id
}

/** What a dump leaves out (struct nh_dump_filter). */
interface NexthopFilter {
  readonly oif?: number | undefined
  readonly master?: number | undefined
  readonly groups?: boolean | undefined
}

/** __nh_valid_dump_req(). */
function checkFilter(ctx: RequestContext, { oif = 0, master = 0 }: NexthopFilter): void {
  if (oif > 0x7fffffff) invalid('Invalid device index')
  if (master > 0x7fffffff) invalid('Invalid master device index')
  checkHeader(ctx, 'Invalid values in header for nexthop dump request')
}

/** nh_dump_filtered(). */
function isWanted(
  nexthop: Nexthop,
  { oif, master, groups }: NexthopFilter,
  family: number,
): boolean {
  const { info } = nexthop
  if (groups && !nexthop.group) return false
  if (!oif && !master && !family) return true
  if (!info || (family && info.family !== family)) return false
  if (oif && info.dev?.ifindex !== oif) return false
  return !master || info.dev?.master?.ifindex === master
}

const nexthopDump: DumpSource<Nexthop> = {
  name: 'RTM_GETNEXTHOP',
  type: RTM_NEWNEXTHOP,
  dumpSeq: (ctx) => stackOf(ctx).nexthops.seq,
  *items(ctx) {
    const filter = ctx.decode(dumpRequest, NL_VALIDATE_STRICT)
    checkFilter(ctx, filter)
    const family = ctx.view.getUint8(ctx.payload)
    const { nexthops } = stackOf(ctx)
    for (const nexthop of nexthops.list()) {
      if (nexthops.find(nexthop.id) === nexthop && isWanted(nexthop, filter, family)) yield nexthop
    }
  },
  put(w, nexthop, ctx) {
    putNexthop(w, nexthop, ctx.decode(dumpRequest).opFlags)
  },
}

/** nexthop_find_group_resilient(). @throws NetlinkError ENOENT, EINVAL */
function resilientOf(ctx: RequestContext, id: number): { nexthop: Nexthop; table: ResilientTable } {
  const nexthop = stackOf(ctx).nexthops.find(id)
  if (!nexthop) throw new NetlinkError('ENOENT')
  if (!nexthop.group) return invalid('Not a nexthop group')
  const { table } = nexthop.group
  if (!table) return invalid('Nexthop group not of type resilient')
  return { nexthop, table }
}

/** rtm_get_nexthop_bucket(). @throws NetlinkError ENOENT, EINVAL */
function getNexthopBucket(ctx: RequestContext): void {
  const { id, resBucket } = ctx.decode(getBucketRequest, NL_VALIDATE_STRICT)
  checkHeader(ctx, 'Invalid values in header')
  const wanted = wantedId(id)
  if (!resBucket) invalid('Bucket information is missing')
  const { index } = parseNested(ctx, resBucket, getBucket, { level: NL_VALIDATE_STRICT })
  if (index === undefined) invalid('Bucket index is missing')
  const { nexthop, table } = resilientOf(ctx, wanted)
  if (index >= table.buckets.length) throw new NetlinkError('ENOENT', 'Bucket index out of bounds')
  ctx.reply(RTM_NEWNEXTHOPBUCKET, (w) => putBucket(w, nexthop, index))
}

interface BucketOf {
  readonly nexthop: Nexthop
  readonly index: number
}

const bucketDump: DumpSource<BucketOf> = {
  name: 'RTM_GETNEXTHOPBUCKET',
  type: RTM_NEWNEXTHOPBUCKET,
  dumpSeq: (ctx) => stackOf(ctx).nexthops.seq,
  *items(ctx) {
    const filter = decodeBucketDump(ctx)
    const family = ctx.view.getUint8(ctx.payload)
    if (filter.id === 0) invalid('Invalid nexthop id')
    const member = filter.resBucket && memberOf(ctx, filter.resBucket)
    checkFilter(ctx, filter)
    const groups = filter.id ? [resilientOf(ctx, filter.id).nexthop] : stackOf(ctx).nexthops.list()
    for (const nexthop of groups) {
      for (const [index, bucket] of nexthop.group?.table?.buckets.entries() ?? []) {
        const way = bucket.member?.nexthop
        if (way && (!member || way.id === member) && isWanted(way, filter, family)) {
          yield { nexthop, index }
        }
      }
    }
  },
  put: (w, { nexthop, index }) => putBucket(w, nexthop, index),
}

/** The attributes are refused without a word. */
function decodeBucketDump(ctx: RequestContext): ReturnType<typeof dumpBucketRequest.decode> {
  try {
    return ctx.decode(dumpBucketRequest, NL_VALIDATE_STRICT)
  } catch (error) {
    throw isNetlinkError(error) ? new NetlinkError(error.code) : error
  }
}

function memberOf(ctx: RequestContext, span: { at: number; end: number }): number | undefined {
  const { nhId } = parseNested(ctx, span, dumpBucket, { level: NL_VALIDATE_STRICT })
  if (nhId === 0) invalid('Invalid nexthop id')
  return nhId
}
