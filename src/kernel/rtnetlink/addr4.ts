/**
 * RTM_NEWADDR, RTM_DELADDR and RTM_GETADDR of IPv4.
 *
 * Kernel: net/ipv4/devinet.c inet_rtm_newaddr(), inet_rtm_deladdr(), inet_dump_ifaddr(),
 * inet_fill_ifaddr() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { addrAttrs, ifaddrmsg } from '../../families/rt-addr.ts'
import { AF_INET, RTM_NEWADDR } from '../../families/rtnetlink.ts'
import {
  attrs,
  type Infer,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
} from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import { remainingLifetime } from '../net/address-lifetime.ts'
import type { Ifaddr4, Ifaddr4Request } from '../net/ifaddr4.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { dumpedNet } from './netns.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'
import { inAddr, nlaString } from './policy-types.ts'

/** sizeof(struct ifaddrmsg). */
const HEADER_SIZE = 8

/** ifa_ipv4_policy. */
const policy = attrs('IFA_', {
  ...addrAttrs.definitions,
  address: [1, inAddr],
  local: [2, inAddr],
  broadcast: [4, inAddr],
  label: [3, nlaString(15)],
}).only(
  'targetNetnsid',
  'address',
  'local',
  'broadcast',
  'label',
  'proto',
  'flags',
  'rtPriority',
  'cacheinfo',
)
const addr = message(ifaddrmsg, policy)
type AddrMessage = Infer<typeof policy> & Infer<typeof ifaddrmsg>

/** inet_rtm_newaddr(). @throws NetlinkError EINVAL, ENODEV, ENOBUFS, EEXIST */
export function newAddr4(ctx: RequestContext): void {
  const request = ctx.decode(addr, NL_VALIDATE_LIBERAL)
  validate(request)
  ctx.kernel.rtnl.stackOf(ctx.net).inet.add(describeRequest(request), ctx.flags, ctx)
}

/** inet_validate_rtm(): what is wrong in itself comes before a link that is not there. */
function validate({ prefixlen, local, cacheinfo }: AddrMessage): void {
  if (prefixlen > 32) invalid('ipv4: Invalid prefix length')
  if (local === undefined) invalid('ipv4: Local address is not supplied')
  if (cacheinfo && (cacheinfo.valid === 0 || cacheinfo.prefered > cacheinfo.valid)) {
    invalid('ipv4: address lifetime invalid')
  }
}

/** inet_rtm_deladdr(). @throws NetlinkError ENODEV, EADDRNOTAVAIL */
export function deleteAddr4(ctx: RequestContext): void {
  const request = ctx.decode(addr, NL_VALIDATE_LIBERAL)
  ctx.kernel.rtnl.stackOf(ctx.net).inet.delete(describeRequest(request), ctx)
}

function describeRequest(request: AddrMessage): Ifaddr4Request {
  const { cacheinfo } = request
  return {
    ifindex: request.ifindex,
    prefixlen: request.prefixlen,
    local: request.local,
    address: request.address,
    broadcast: request.broadcast,
    label: request.label,
    scope: request.scope,
    flags: request.flags ?? request.ifaFlags,
    rtPriority: request.rtPriority,
    proto: request.proto,
    validLft: cacheinfo?.valid,
    preferredLft: cacheinfo?.prefered,
  }
}

/** inet_fill_ifaddr(): what stands behind the nlmsghdr. */
export function putAddr4(w: Writer, ifa: Ifaddr4, targetNetnsid?: number): void {
  const { dev, flags } = ifa
  const { valid, preferred } = remainingLifetime(dev.stack, ifa)
  addr.encode(w, {
    family: AF_INET,
    prefixlen: ifa.prefixlen,
    ifaFlags: flags & 0xff,
    scope: ifa.scope,
    ifindex: dev.ifindex,
    targetNetnsid,
    address: ifa.address || undefined,
    local: ifa.local || undefined,
    broadcast: ifa.broadcast || undefined,
    label: ifa.label || undefined,
    proto: ifa.proto || undefined,
    flags,
    rtPriority: ifa.rtPriority || undefined,
    cacheinfo: {
      prefered: preferred,
      valid,
      cstamp: Math.floor(ifa.created / 10),
      tstamp: Math.floor(ifa.updated / 10),
    },
  })
}

/** What a dump shows. */
export interface AddrFilter {
  readonly stack: NetStack
  readonly targetNetnsid?: number | undefined
  /** One link; 0: all. */
  readonly ifindex: number
}

interface Addr4Item {
  readonly ifa: Ifaddr4
  readonly filter: AddrFilter
}

export const addr4Dump: DumpSource<Addr4Item> = {
  name: 'RTM_GETADDR of AF_INET',
  type: RTM_NEWADDR,
  doneAlone: true,
  *items(ctx) {
    const filter = parseAddrDump4(ctx)
    for (const dev of dumpedDevices(ctx, filter)) {
      for (const ifa of [...(dev.inet?.addresses ?? [])]) {
        ctx.dumpSeq = ctx.kernel.rtnl.generationsOf(ctx.net).addresses
        yield { ifa, filter }
      }
    }
  },
  put: (w, { ifa, filter }) => putAddr4(w, ifa, filter.targetNetnsid),
}

/** The devices that a dump walks, as they are when it comes to them. @throws NetlinkError ENODEV */
export function* dumpedDevices(ctx: RequestContext, { stack, ifindex }: AddrFilter) {
  if (ifindex !== 0) {
    const dev = stack.devices.byIndex(ifindex)
    if (!dev) throw new NetlinkError('ENODEV')
    ctx.filtered = true
    yield dev
    return
  }
  for (let dev = stack.devices.after(0); dev; dev = stack.devices.after(dev.ifindex)) yield dev
}

/** inet_valid_dump_ifaddr_req(); a lax request is not looked at. */
export function parseAddrDump4(ctx: RequestContext): AddrFilter {
  const own = ctx.kernel.rtnl.stackOf(ctx.net)
  if (!ctx.strict) return { stack: own, ifindex: 0 }
  if (payloadSize(ctx) < HEADER_SIZE) invalid('ipv4: Invalid header for address dump request')
  if (hasHeaderValues(ctx, 1, 3)) invalid('ipv4: Invalid values in header for address dump request')
  const { targetNetnsid, ifindex, ...rest } = ctx.decode(addr, NL_VALIDATE_DEPRECATED_STRICT)
  if (ifindex !== 0) ctx.filtered = true
  if (hasOthers(rest, ['family', 'prefixlen', 'ifaFlags', 'scope'])) {
    invalid('ipv4: Unsupported attribute in dump request')
  }
  if (targetNetnsid === undefined) return { stack: own, ifindex }
  const net = dumpedNet(ctx, targetNetnsid, 'ipv4: Invalid target network namespace id')
  return { stack: ctx.kernel.rtnl.stackOf(net), targetNetnsid, ifindex }
}
