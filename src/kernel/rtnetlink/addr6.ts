/**
 * RTM_NEWADDR, RTM_DELADDR and RTM_GETADDR of IPv6.
 *
 * Kernel: net/ipv6/addrconf.c inet6_rtm_newaddr(), inet6_rtm_deladdr(), inet6_rtm_getaddr(),
 * inet6_dump_addr(), inet6_fill_ifaddr() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { addrAttrs, ifaddrmsg } from '../../families/rt-addr.ts'
import { AF_INET6, RTM_NEWADDR } from '../../families/rtnetlink.ts'
import {
  attrs,
  type Infer,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
} from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { Ipv6 } from '../net/address.ts'
import { remainingLifetime } from '../net/address-lifetime.ts'
import { IFA_F_PERMANENT, INFINITY_LIFE_TIME } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import type { Ifaddr6, Ifaddr6Request } from '../net/ifaddr6.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { type AddrFilter, dumpedDevices } from './addr4.ts'
import { dumpedNet, netById } from './netns.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'
import { in6Addr } from './policy-types.ts'

/** sizeof(struct ifaddrmsg). */
const HEADER_SIZE = 8
const header = ['family', 'prefixlen', 'ifaFlags', 'scope', 'ifindex']

/** ifa_ipv6_policy. */
const policy = attrs('IFA_', {
  ...addrAttrs.definitions,
  address: [1, in6Addr],
  local: [2, in6Addr],
}).only('targetNetnsid', 'address', 'local', 'rtPriority', 'cacheinfo', 'flags', 'proto')
const addr = message(ifaddrmsg, policy)
type AddrMessage = Infer<typeof policy> & Infer<typeof ifaddrmsg>

/** inet6_rtm_newaddr(). @throws NetlinkError EINVAL, ENODEV, EACCES, EADDRNOTAVAIL, EEXIST */
export function newAddr6(ctx: RequestContext): void {
  const request = ctx.decode(addr, NL_VALIDATE_LIBERAL)
  ctx.kernel.rtnl.stackOf(ctx.net).inet6.add(describeRequest(request), ctx.flags)
}

/** inet6_rtm_deladdr(). @throws NetlinkError EINVAL, ENODEV, ENXIO, EADDRNOTAVAIL */
export function deleteAddr6(ctx: RequestContext): void {
  const request = ctx.decode(addr, NL_VALIDATE_LIBERAL)
  ctx.kernel.rtnl.stackOf(ctx.net).inet6.delete(describeRequest(request))
}

/** extract_addr(): the address itself, and the peer's where both are given and differ. */
function extract({ address, local }: AddrMessage): { address?: Ipv6; peer?: Ipv6 } {
  if (local === undefined) return address === undefined ? {} : { address }
  return address === undefined || address === local
    ? { address: local }
    : { address: local, peer: address }
}

function describeRequest(request: AddrMessage): Ifaddr6Request {
  const { cacheinfo } = request
  return {
    ...extract(request),
    ifindex: request.ifindex,
    prefixlen: request.prefixlen,
    flags: request.flags ?? request.ifaFlags,
    rtPriority: request.rtPriority,
    proto: request.proto,
    validLft: cacheinfo?.valid,
    preferredLft: cacheinfo?.prefered,
  }
}

/** inet6_fill_ifaddr(): what stands behind the nlmsghdr. */
export function putAddr6(w: Writer, ifa: Ifaddr6, targetNetnsid?: number): void {
  const { flags, peer } = ifa
  addr.encode(w, {
    family: AF_INET6,
    prefixlen: ifa.prefixlen,
    ifaFlags: flags & 0xff,
    scope: ifa.scope,
    ifindex: ifa.dev.ifindex,
    targetNetnsid,
    ...(peer ? { local: ifa.address, address: peer } : { address: ifa.address }),
    rtPriority: ifa.rtPriority || undefined,
    cacheinfo: {
      ...lifetimes(ifa),
      cstamp: Math.floor(ifa.created / 10),
      tstamp: Math.floor(ifa.updated / 10),
    },
    flags,
    proto: ifa.proto || undefined,
  })
}

/** An address that is permanent may be preferred for a time only. */
function lifetimes(ifa: Ifaddr6): { prefered: number; valid: number } {
  const isForEver = ifa.flags & IFA_F_PERMANENT && ifa.preferredLft === INFINITY_LIFE_TIME
  if (isForEver) return { prefered: INFINITY_LIFE_TIME, valid: INFINITY_LIFE_TIME }
  const mortal = { ...ifa, flags: ifa.flags & ~IFA_F_PERMANENT }
  const { valid, preferred } = remainingLifetime(ifa.dev.stack, mortal)
  return { prefered: preferred, valid }
}

/** inet6_rtm_getaddr(). @throws NetlinkError EINVAL, EADDRNOTAVAIL */
export function getAddr6(ctx: RequestContext): void {
  const request = parseGet(ctx)
  const { targetNetnsid, ifindex } = request
  const net = targetNetnsid === undefined ? ctx.net : netById(ctx, targetNetnsid)
  const { devices } = ctx.kernel.rtnl.stackOf(net)
  const { address } = extract(request)
  if (address === undefined) throw new NetlinkError('EINVAL')
  const dev = ifindex === 0 ? undefined : devices.byIndex(ifindex)
  const all = dev ? [dev] : devices.list()
  const isIt = (ifa: Ifaddr6): boolean => ifa.address === address
  const ifa = all.map((each: NetDevice) => each.inet6?.addresses.find(isIt)).find(Boolean)
  if (!ifa) throw new NetlinkError('EADDRNOTAVAIL')
  ctx.reply(RTM_NEWADDR, (w) => putAddr6(w, ifa, targetNetnsid))
}

/** inet6_rtm_valid_getaddr_req(). */
function parseGet(ctx: RequestContext): AddrMessage {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('ipv6: Invalid header for get address request')
  if (!ctx.strict) return ctx.decode(addr, NL_VALIDATE_LIBERAL)
  if (hasHeaderValues(ctx, 1, 3)) invalid('ipv6: Invalid values in header for get address request')
  const request = ctx.decode(addr, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(request, [...header, 'targetNetnsid', 'address', 'local'])) {
    invalid('ipv6: Unsupported attribute in get address request')
  }
  return request
}

interface Addr6Item {
  readonly ifa: Ifaddr6
  readonly filter: AddrFilter
}

export const addr6Dump: DumpSource<Addr6Item> = {
  name: 'RTM_GETADDR of AF_INET6',
  type: RTM_NEWADDR,
  *items(ctx) {
    const filter = parseAddrDump6(ctx)
    for (const dev of dumpedDevices(ctx, filter)) {
      for (const ifa of [...(dev.inet6?.addresses ?? [])]) {
        ctx.dumpSeq = ctx.kernel.rtnl.generationsOf(ctx.net).addresses
        yield { ifa, filter }
      }
    }
  },
  put: (w, { ifa, filter }) => putAddr6(w, ifa, filter.targetNetnsid),
}

/** inet6_valid_dump_ifaddr_req(); a lax request is not looked at. */
export function parseAddrDump6(ctx: RequestContext): AddrFilter {
  const own = ctx.kernel.rtnl.stackOf(ctx.net)
  if (!ctx.strict) return { stack: own, ifindex: 0 }
  if (payloadSize(ctx) < HEADER_SIZE) invalid('ipv6: Invalid header for address dump request')
  if (hasHeaderValues(ctx, 1, 3)) invalid('ipv6: Invalid values in header for address dump request')
  const request = ctx.decode(addr, NL_VALIDATE_DEPRECATED_STRICT)
  const { targetNetnsid, ifindex } = request
  if (ifindex !== 0) ctx.filtered = true
  if (hasOthers(request, [...header, 'targetNetnsid'])) {
    invalid('ipv6: Unsupported attribute in dump request')
  }
  if (targetNetnsid === undefined) return { stack: own, ifindex }
  const net = dumpedNet(ctx, targetNetnsid, 'ipv6: Invalid target network namespace id')
  return { stack: ctx.kernel.rtnl.stackOf(net), targetNetnsid, ifindex }
}
