/**
 * RTA_ENCAP and NHA_ENCAP: what routes put around their packets, read and shown.
 *
 * Kernel: net/core/lwtunnel.c lwtunnel_valid_encap_type(), lwtunnel_build_state(),
 * lwtunnel_fill_encap(); net/ipv4/ip_tunnel_core.c ip_tun_build_state(), ip6_tun_build_state();
 * net/mpls/mpls_iptunnel.c mpls_build_state(); net/ipv6/ioam6_iptunnel.c ioam6_build_state()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import {
  attrs,
  be16,
  be64,
  binary,
  message,
  NL_VALIDATE_STRICT,
  u8,
  u32,
} from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import { AF_INET6 } from '../net/constants.ts'
import type { Encap } from '../net/lwtunnel.ts'
import type { RequestContext } from '../netlink/context.ts'
import { parseRpl, parseSeg6, parseSeg6Local } from './encap-seg6.ts'
import { bytesOf, invalid, parseNested } from './parse.ts'
import { in6Addr, inAddr, type Span } from './policy-types.ts'

/** LWTUNNEL_ENCAP_*. */
const ENCAP_MPLS = 1
const ENCAP_IP = 2
const ENCAP_IP6 = 4
const ENCAP_SEG6 = 5
const ENCAP_SEG6_LOCAL = 7
const ENCAP_RPL = 8
const ENCAP_IOAM6 = 9
const ENCAP_MAX = 10

type Parser = (ctx: RequestContext, span: Span, family: number) => Uint8Array

/** TUNNEL_*OPT: the header has options, which come in an attribute of their own. */
const OPTION_FLAGS = 0x1900 | 0x4000

const ipPart = message(
  attrs('LWTUNNEL_IP_', {
    id: [1, be64],
    dst: [2, inAddr],
    src: [3, inAddr],
    tos: [5, u8],
    ttl: [4, u8],
    flags: [6, be16],
    opts: [8, binary],
  }),
)
const ip6Part = message(
  attrs('LWTUNNEL_IP6_', {
    id: [1, be64],
    dst: [2, in6Addr],
    src: [3, in6Addr],
    tc: [5, u8],
    hoplimit: [4, u8],
    flags: [6, be16],
    opts: [8, binary],
  }),
)
const mplsPart = message(attrs('MPLS_IPTUNNEL_', { dst: [1, binary], ttl: [2, u8] }))
const ioam6Part = message(
  attrs('IOAM6_IPTUNNEL_', {
    freqK: [4, u32],
    freqN: [5, u32],
    mode: [1, u8],
    src: [6, in6Addr],
    dst: [2, in6Addr],
    trace: [3, binary],
  }),
)

function parseIp(ctx: RequestContext, span: Span): Uint8Array {
  const {
    id = 0n,
    dst = 0,
    src = 0,
    tos = 0,
    ttl = 0,
    flags = 0,
    opts,
  } = parseNested(ctx, span, ipPart)
  const kept = { id, dst, src, tos, ttl, flags: opts ? flags : flags & ~OPTION_FLAGS, opts }
  return bytesOf(ipPart, kept)
}

function parseIp6(ctx: RequestContext, span: Span): Uint8Array {
  const {
    id = 0n,
    dst = 0n,
    src = 0n,
    tc = 0,
    hoplimit = 0,
    flags = 0,
    opts,
  } = parseNested(ctx, span, ip6Part)
  const kept = { id, dst, src, tc, hoplimit, flags: opts ? flags : flags & ~OPTION_FLAGS, opts }
  return bytesOf(ip6Part, kept)
}

/** The most labels that are pushed at once. */
const MAX_NEW_LABELS = 30
const IMPLICIT_NULL = 3

function parseMpls(ctx: RequestContext, span: Span): Uint8Array {
  const { dst, ttl } = parseNested(ctx, span, mplsPart)
  if (!dst) invalid('MPLS_IPTUNNEL_DST attribute is missing')
  checkLabels(dst)
  return bytesOf(mplsPart, { dst, ttl })
}

/** nla_get_labels(). */
function checkLabels(labels: Uint8Array): void {
  if (labels.length & 3 || labels.length / 4 > 255) invalid('Invalid length for labels attribute')
  if (labels.length / 4 > MAX_NEW_LABELS) invalid('Too many labels')
  const view = new DataView(labels.buffer, labels.byteOffset, labels.length)
  for (let at = labels.length - 4, isLast = true; at >= 0; at -= 4, isLast = false) {
    const entry = view.getUint32(at)
    if (entry & 0xff) invalid('TTL in label must be 0')
    if (entry & 0xe00) invalid('Traffic class in label must be 0')
    if (((entry & 0x100) !== 0) !== isLast) {
      invalid(`BOS bit ${isLast ? 'must be set' : 'can only be set'} in first label`)
    }
    if (entry >>> 12 === IMPLICIT_NULL) {
      invalid('Implicit NULL Label (3) can not be used in encapsulation')
    }
  }
}

/** IOAM6_IPTUNNEL_MODE_INLINE; sizeof(struct ioam6_trace_hdr); the most words of data. */
const IOAM6_INLINE = 1
const TRACE_SIZE = 8
const TRACE_WORDS_MAX = 244 / 4

function parseIoam6(ctx: RequestContext, span: Span, family: number): Uint8Array {
  if (family !== AF_INET6) throw new NetlinkError('EINVAL')
  const given = parseNested(ctx, span, ioam6Part, { level: NL_VALIDATE_STRICT })
  const { freqK, freqN, mode = IOAM6_INLINE, src, dst, trace } = given
  if ((freqK === undefined) !== (freqN === undefined)) invalid('freq: missing parameter')
  if ((freqK ?? 1) > (freqN ?? 1)) invalid('freq: k > n is forbidden')
  if (src !== undefined && mode === IOAM6_INLINE) invalid('no tunnel src expected with this mode')
  if (dst === undefined && mode !== IOAM6_INLINE) invalid('this mode needs a tunnel destination')
  if (!trace) invalid('missing trace')
  const kept = traceOf(trace)
  if (src === 0n) invalid('invalid tunnel source address')
  if (dst === 0n) invalid('invalid tunnel dest address')
  const ends = mode === IOAM6_INLINE ? {} : { src, dst }
  const shown = { freqK: freqK ?? 1, freqN: freqN ?? 1, mode, ...ends, trace: kept }
  return bytesOf(ioam6Part, shown)
}

/** ioam6_validate_trace_hdr(): checked, with the length of a node's data put in. */
function traceOf(trace: Uint8Array): Uint8Array {
  const kept = trace.slice(0, TRACE_SIZE)
  const view = new DataView(kept.buffer)
  const words = view.getUint8(3) & 0x7f
  const type = kept.length < TRACE_SIZE ? 0 : view.getUint32(4) >>> 8
  // Bits 12 to 21, and 23, mean nothing yet.
  if (type === 0 || words === 0 || words > TRACE_WORDS_MAX || type & 0xffd) {
    invalid('invalid trace validation')
  }
  // Bits 8 to 10 stand for 8 bytes each, bits 0 to 7 and 11 for 4.
  let length = 0
  for (let bit = 0; bit < 12; bit++) {
    if (type & (0x800000 >>> bit)) length += bit >= 8 && bit <= 10 ? 2 : 1
  }
  view.setUint8(2, (length << 3) | (view.getUint8(2) & 7))
  return kept
}

const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [ENCAP_MPLS, parseMpls],
  [ENCAP_IP, parseIp],
  [ENCAP_IP6, parseIp6],
  [ENCAP_SEG6, parseSeg6],
  [ENCAP_SEG6_LOCAL, parseSeg6Local],
  [ENCAP_RPL, parseRpl],
  [ENCAP_IOAM6, parseIoam6],
])

/** lwtunnel_valid_encap_type(). @throws NetlinkError EINVAL, EOPNOTSUPP */
export function checkEncapType(type: number): void {
  if (type === 0 || type > ENCAP_MAX) invalid('Unknown lwt encapsulation type')
  if (PARSERS.has(type)) return
  throw new NetlinkError('EOPNOTSUPP', 'lwt encapsulation type not supported')
}

/** lwtunnel_build_state(), for routes of `family`. @throws NetlinkError EINVAL, EOPNOTSUPP */
export function parseEncap(ctx: RequestContext, type: number, span: Span, family: number): Encap {
  const parse = PARSERS.get(type)
  if (!parse) {
    checkEncapType(type)
    throw new NetlinkError('EOPNOTSUPP')
  }
  return { type, content: parse(ctx, span, family) }
}

/** lwtunnel_fill_encap(). */
export function putEncap(
  w: Writer,
  encap: Encap | undefined,
  encapAttr: number,
  typeAttr: number,
): void {
  if (!encap) return
  w.attrBytes(encapAttr, encap.content)
  const mark = w.attrStart(typeAttr)
  w.u16(encap.type)
  w.attrEnd(mark)
}
