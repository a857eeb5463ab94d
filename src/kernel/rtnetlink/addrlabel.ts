/**
 * RTM_NEWADDRLABEL, RTM_DELADDRLABEL and RTM_GETADDRLABEL. Nobody is told of changes.
 *
 * Kernel: net/ipv6/addrlabel.c ip6addrlbl_newdel(), ip6addrlbl_get(), ip6addrlbl_dump()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { ifaddrlblmsg } from '../../families/rt-addrlabel.ts'
import {
  AF_INET6,
  RTM_DELADDRLABEL,
  RTM_GETADDRLABEL,
  RTM_NEWADDRLABEL,
} from '../../families/rtnetlink.ts'
import {
  attrs,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
  type Type,
  u32,
} from '../../schema/index.ts'
import { NLM_F_REPLACE } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { AddressLabel } from '../net/address-labels.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { hasHeaderValues, invalid, payloadSize } from './parse.ts'
import { in6Addr, spanOf } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct ifaddrlblmsg). */
const HEADER_SIZE = 12
/** IPV6_ADDR_LABEL_DEFAULT: what an address without a label has. */
const NO_LABEL = 0xffffffff

/** NLA_UNSPEC of at least four bytes. */
const unspec32: Type<number> = {
  ...spanOf(4),
  get: (view, at) => view.getUint32(at, HOST_LE),
}
/** ifal_policy. */
const request = message(
  ifaddrlblmsg,
  attrs('IFAL_', { address: [1, in6Addr], label: [2, unspec32] }),
)
const reply = message(ifaddrlblmsg, attrs('IFAL_', { address: [1, in6Addr], label: [2, u32] }))
type Decoded = ReturnType<typeof request.decode>

function stackOf(ctx: RequestContext): NetStack {
  return ctx.kernel.rtnl.stackOf(ctx.net)
}

/** What adding and deleting have in common. @throws NetlinkError EINVAL */
function parse(ctx: RequestContext): Required<Pick<Decoded, 'address' | 'label'>> & Decoded {
  const decoded = ctx.decode(request, NL_VALIDATE_LIBERAL)
  const { family, prefixlen, address, label } = decoded
  if (family !== AF_INET6 || prefixlen > 128) throw new NetlinkError('EINVAL')
  if (address === undefined || label === undefined || label === NO_LABEL) {
    throw new NetlinkError('EINVAL')
  }
  return { ...decoded, address, label }
}

/** @throws NetlinkError EINVAL */
function checkDevice(ctx: RequestContext, ifindex: number): void {
  if (ifindex !== 0 && !stackOf(ctx).devices.byIndex(ifindex)) throw new NetlinkError('EINVAL')
}

function newLabel(ctx: RequestContext): void {
  const { address, prefixlen, ifindex, label } = parse(ctx)
  checkDevice(ctx, ifindex)
  const replace = (ctx.flags & NLM_F_REPLACE) !== 0
  stackOf(ctx).addressLabels.add(address, prefixlen, ifindex, label, replace)
}

function deleteLabel(ctx: RequestContext): void {
  const { address, prefixlen, ifindex } = parse(ctx)
  stackOf(ctx).addressLabels.delete(address, prefixlen, ifindex)
}

/** ip6addrlbl_fill(): what stands behind the nlmsghdr. */
function put(w: Writer, of: AddressLabel, sequence: number): void {
  const { prefixlen, ifindex, prefix: address, label } = of
  reply.encode(w, { family: AF_INET6, prefixlen, flags: 0, ifindex, seq: sequence, address, label })
}

/** ip6addrlbl_get(): the label that an address has. */
function getLabel(ctx: RequestContext): void {
  const { family, prefixlen, ifindex, address } = parseGet(ctx)
  if (family !== AF_INET6 || prefixlen !== 128) throw new NetlinkError('EINVAL')
  checkDevice(ctx, ifindex)
  if (address === undefined) throw new NetlinkError('EINVAL')
  const { addressLabels } = stackOf(ctx)
  const found = addressLabels.find(address, ifindex)
  if (!found) throw new NetlinkError('ESRCH')
  ctx.reply(RTM_NEWADDRLABEL, (w) => put(w, found, addressLabels.sequence))
}

function parseGet(ctx: RequestContext): Decoded {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('ipv6: Invalid header for addrlabel get request')
  if (!ctx.strict) return ctx.decode(request, NL_VALIDATE_LIBERAL)
  if (hasHeaderValues(ctx, 1, 1) || hasHeaderValues(ctx, 3, 1) || hasHeaderValues(ctx, 8, 4)) {
    invalid('ipv6: Invalid values in header for addrlabel get request')
  }
  const decoded = ctx.decode(request, NL_VALIDATE_DEPRECATED_STRICT)
  if (decoded.label !== undefined) invalid('ipv6: Unsupported attribute in addrlabel get request')
  return decoded
}

const labelDump: DumpSource<AddressLabel> = {
  name: 'RTM_GETADDRLABEL',
  type: RTM_NEWADDRLABEL,
  *items(ctx) {
    if (ctx.strict) checkDump(ctx)
    yield* [...stackOf(ctx).addressLabels.list()]
  },
  put: (w, label, ctx) => put(w, label, stackOf(ctx).addressLabels.sequence),
}

/** ip6addrlbl_valid_dump_req(). */
function checkDump(ctx: RequestContext): void {
  const what = 'for address label dump request'
  if (payloadSize(ctx) < HEADER_SIZE) invalid(`ipv6: Invalid header ${what}`)
  if (hasHeaderValues(ctx, 1, 11)) invalid(`ipv6: Invalid values in header ${what}`)
  if (payloadSize(ctx) > HEADER_SIZE) invalid(`ipv6: Invalid data after header ${what}`)
}

export function registerAddressLabels(table: RtnlTable): void {
  table.register(AF_INET6, RTM_NEWADDRLABEL, { doit: newLabel })
  table.register(AF_INET6, RTM_DELADDRLABEL, { doit: deleteLabel })
  table.register(AF_INET6, RTM_GETADDRLABEL, { doit: getLabel, dumpit: labelDump })
}
