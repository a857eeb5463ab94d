/**
 * Segment routing as an encapsulation: seg6, seg6local, and RPL's routing header.
 *
 * Kernel: net/ipv6/seg6_iptunnel.c seg6_build_state(), net/ipv6/seg6.c seg6_validate_srh(),
 * net/ipv6/seg6_local.c seg6_action_table, parse_nla_action(), net/ipv6/rpl_iptunnel.c
 * rpl_build_state() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { rplEncapAttrs, seg6EncapAttrs } from '../../families/lwtunnel.ts'
import { attrs, binary, message, NL_VALIDATE_STRICT, u8, u32 } from '../../schema/index.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { AF_INET, AF_INET6, RT_TABLE_UNSPEC } from '../net/constants.ts'
import type { RequestContext } from '../netlink/context.ts'
import { bytesOf, invalid, parseNested } from './parse.ts'
import { in6Addr, inAddr, nested, type Span } from './policy-types.ts'

/** sizeof(struct ipv6_sr_hdr), sizeof(struct in6_addr), the mode before a header. */
const SRH_SIZE = 8
const SEGMENT_SIZE = 16
const MODE_SIZE = 4
/** SEG6_IPTUN_MODE_INLINE, and the last mode. */
const MODE_INLINE = 0
const MODE_MAX = 4
/** IPV6_SRCRT_TYPE_4. */
const ROUTING_TYPE = 4

const seg6 = message(seg6EncapAttrs)
const rpl = message(rplEncapAttrs)
const local = message(
  attrs('SEG6_LOCAL_', {
    action: [1, u32],
    srh: [2, binary],
    table: [3, u32],
    nh4: [4, inAddr],
    nh6: [5, in6Addr],
    iif: [6, u32],
    oif: [7, u32],
    bpf: [8, nested],
    vrftable: [9, u32],
    counters: [10, nested],
    flavors: [11, nested],
  }),
)
const countersPart = message(
  attrs('SEG6_LOCAL_CNT_', { packets: [2, binary], bytes: [3, binary], errors: [4, binary] }),
)
const flavorsPart = message(
  attrs('SEG6_LOCAL_FLV_', { operation: [1, u32], lcblockBits: [2, u8], lcnodeFnBits: [3, u8] }),
)

type Local = ReturnType<typeof local.decode>

/** seg6_build_state(): the header as it was given. */
export function parseSeg6(ctx: RequestContext, span: Span, family: number): Uint8Array {
  if (family !== AF_INET && family !== AF_INET6) throw new NetlinkError('EINVAL')
  const { srh } = parseNested(ctx, span, seg6)
  if (!srh || srh.length < MODE_SIZE + SRH_SIZE + SEGMENT_SIZE) throw new NetlinkError('EINVAL')
  const mode = new DataView(srh.buffer, srh.byteOffset).getInt32(0, HOST_LE)
  const isPossible = mode >= MODE_INLINE && mode <= MODE_MAX
  if (!isPossible || (mode === MODE_INLINE && family !== AF_INET6)) throw new NetlinkError('EINVAL')
  checkSrh(srh.subarray(MODE_SIZE))
  return bytesOf(seg6, { srh })
}

/** seg6_validate_srh(). */
function checkSrh(srh: Uint8Array): void {
  const [, hdrlen = 0, type = 0, left = 0, first = 0] = srh
  const isWhole = type === ROUTING_TYPE && (hdrlen + 1) * 8 === srh.length
  if (!isWhole || left > first || first > Math.floor(hdrlen / 2) - 1) {
    throw new NetlinkError('EINVAL')
  }
  let at = SRH_SIZE + (first + 1) * SEGMENT_SIZE
  while (at !== srh.length) {
    const length = srh.length - at < 2 ? srh.length : 2 + (srh[at + 1] as number)
    at += length
    if (at > srh.length) throw new NetlinkError('EINVAL')
  }
}

/** rpl_build_state(). */
export function parseRpl(ctx: RequestContext, span: Span, family: number): Uint8Array {
  if (family !== AF_INET6) throw new NetlinkError('EINVAL')
  const { srh } = parseNested(ctx, span, rpl, { level: NL_VALIDATE_STRICT })
  if (!srh || srh.length < SRH_SIZE) throw new NetlinkError('EINVAL')
  const segments = srh[3] as number
  const isPlain = ((srh[4] as number) | (srh[5] as number)) === 0
  const isWhole = srh.length - SRH_SIZE === segments * SEGMENT_SIZE
  if (!isPlain || !isWhole || segments === 0) throw new NetlinkError('EINVAL')
  return bytesOf(rpl, { srh })
}

type Name = Exclude<keyof Local, 'action'>

/** SEG6_LOCAL_ACTION_*: what each must have, and may have beside counters. */
const ACTIONS: ReadonlyMap<
  number,
  { readonly must: readonly Name[]; readonly may: readonly Name[] }
> = new Map([
  [1, { must: [], may: ['flavors'] }],
  [2, { must: ['nh6'], may: ['flavors'] }],
  [3, { must: ['table'], may: [] }],
  [4, { must: ['oif'], may: [] }],
  [5, { must: ['nh6'], may: [] }],
  [6, { must: ['nh4'], may: [] }],
  [7, { must: [], may: ['table', 'vrftable'] }],
  [8, { must: ['vrftable'], may: [] }],
  [9, { must: ['srh'], may: [] }],
  [10, { must: ['srh'], may: [] }],
  [16, { must: ['vrftable'], may: [] }],
] as const)

/** seg6_local_build_state(): what the action has, by ascending number. */
export function parseSeg6Local(ctx: RequestContext, span: Span, family: number): Uint8Array {
  if (family !== AF_INET6) throw new NetlinkError('EINVAL')
  const given = parseNested(ctx, span, local)
  const action = given.action === undefined ? undefined : ACTIONS.get(given.action)
  if (!action) throw new NetlinkError('EINVAL')
  if (action.must.some((name) => given[name] === undefined)) throw new NetlinkError('EINVAL')
  const has = (name: Name): boolean => action.must.includes(name) || action.may.includes(name)
  if (has('srh') && given.srh) {
    if (given.srh.length < SRH_SIZE + SEGMENT_SIZE) throw new NetlinkError('EINVAL')
    checkSrh(given.srh)
  }
  const isDecapsulating = given.action === 7
  if (isDecapsulating && (given.table === undefined) === (given.vrftable === undefined)) {
    invalid('table and vrftable are mutually exclusive')
  }
  if (given.vrftable === RT_TABLE_UNSPEC && has('vrftable')) invalid('Invalid attribute vrftable')
  return putLocal(ctx, given, has)
}

function putLocal(ctx: RequestContext, given: Local, has: (name: Name) => boolean): Uint8Array {
  const w = new Writer()
  const { action, srh, table, nh4, nh6, oif, vrftable } = given
  const kept = {
    action,
    srh: has('srh') ? srh : undefined,
    table: has('table') ? table : undefined,
    nh4: has('nh4') ? nh4 : undefined,
    nh6: has('nh6') ? nh6 : undefined,
    oif: has('oif') ? oif : undefined,
    vrftable: has('vrftable') ? vrftable : undefined,
  }
  local.encode(w, kept as never)
  if (given.counters) putCounters(ctx, w, given.counters)
  if (given.flavors && has('flavors')) putFlavors(ctx, w, given.flavors, action === 1)
  return w.finish()
}

/** Counters start from zero, whatever was given. */
function putCounters(ctx: RequestContext, w: Writer, span: Span): void {
  const { packets, bytes, errors } = parseNested(ctx, span, countersPart, { silent: true })
  if (!packets || !bytes || !errors) throw new NetlinkError('EINVAL')
  const nest = w.nestStart(10)
  for (const type of [2, 3, 4]) w.attrBytes(type, new Uint8Array(8))
  w.attrEnd(nest)
}

/** SEG6_LOCAL_FLV_OP_*, as bits: PSP, USP, USD are 1 to 3, NEXT-CSID is 4. */
const FLAVOR_PSP = 1 << 1
const FLAVOR_NEXT_CSID = 1 << 4

function putFlavors(ctx: RequestContext, w: Writer, span: Span, isEnd: boolean): void {
  const {
    operation,
    lcblockBits = 32,
    lcnodeFnBits = 16,
  } = parseNested(ctx, span, flavorsPart, {
    silent: true,
  })
  if (operation === undefined) throw new NetlinkError('EINVAL')
  if (operation & ~(isEnd ? FLAVOR_PSP | FLAVOR_NEXT_CSID : FLAVOR_NEXT_CSID)) {
    throw new NetlinkError('EOPNOTSUPP', 'Unsupported Flavor operation(s)')
  }
  const hasCsid = (operation & FLAVOR_NEXT_CSID) !== 0
  const nest = w.nestStart(11)
  flavorsPart.encode(w, hasCsid ? { operation, lcblockBits, lcnodeFnBits } : { operation })
  w.attrEnd(nest)
}
