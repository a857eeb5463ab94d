/**
 * IFLA_INFO_DATA of tunnels: what requests may have, and what replies have, in Linux's order.
 *
 * Kernel: ipgre_policy, ipgre_fill_info(), erspan_fill_info() of net/ipv4/ip_gre.c; ipip_policy of
 * ipip.c; ipip6_policy of net/ipv6/sit.c; ip6_tnl_policy of ip6_tunnel.c; ip6gre_policy of ip6_gre.c;
 * vti_policy and vti6_policy; xfrmi_policy of net/xfrm/xfrm_interface_core.c (Linux 6.18).
 */
import { attrs, be16, be32, flag, message, u8, u16, u32 } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import { ErspanDevice, type GreDevice } from '../net/kinds/gre.ts'
import { Ip6erspanDevice, type Ip6greDevice } from '../net/kinds/ip6gre.ts'
import type { Ip6tnlDevice, Vti6Device } from '../net/kinds/ip6tnl.ts'
import type { IpipDevice, VtiDevice } from '../net/kinds/ipip.ts'
import type { SitDevice } from '../net/kinds/sit.ts'
import { type Erspan, GRE_KEY, type TunnelEncap } from '../net/kinds/tunnel.ts'
import type { XfrmDevice } from '../net/kinds/xfrm.ts'
import type { LinkKindCodec } from './link-kinds.ts'
import { in4Addr, in6Addr, inAddr } from './policy-types.ts'

function encapOf({ type, flags, sport, dport }: TunnelEncap): object {
  return { encapType: type, encapFlags: flags, encapSport: sport, encapDport: dport }
}

/** Of a version that is none, nothing. */
function erspanAttrs({ version, index, dir, hwid }: Erspan): object {
  return {
    erspanVer: version,
    erspanIndex: version === 1 ? index : undefined,
    erspanDir: version === 2 ? dir : undefined,
    erspanHwid: version === 2 ? hwid : undefined,
  }
}

const erspanTypes = {
  erspanVer: [22, u8],
  erspanIndex: [21, u32],
  erspanDir: [23, u8],
  erspanHwid: [24, u16],
} as const

const greHead = { link: [1, u32], iflags: [2, be16], oflags: [3, be16] } as const
const greKeys = { ikey: [4, be32], okey: [5, be32] } as const
const greEncap = {
  encapType: [14, u16],
  encapSport: [16, be16],
  encapDport: [17, be16],
  encapFlags: [15, u16],
} as const

/** ipgre_fill_info(); erspan_fill_info() comes first, and says that there is a key. */
function fillGre(device: NetDevice): object {
  const dev = device as GreDevice
  const { isWhole, protocol: _protocol, ...params } = dev.params
  const isErspan = dev instanceof ErspanDevice
  const hasKey = isErspan && dev.erspan.version !== 0 && !dev.isExternal
  return {
    ...params,
    ...(isErspan ? erspanAttrs(dev.erspan) : {}),
    oflags: hasKey ? params.oflags | GRE_KEY : params.oflags,
    pmtudisc: Number(isWhole),
    fwmark: dev.fwmark,
    ...encapOf(dev.encap),
    ignoreDf: Number(dev.doesIgnoreDf),
    collectMetadata: dev.isExternal,
  }
}

const greRest = {
  ...greHead,
  ...greKeys,
  local: [6, in4Addr],
  remote: [7, in4Addr],
  ttl: [8, u8],
  tos: [9, u8],
  pmtudisc: [10, u8],
  fwmark: [20, u32],
  ...greEncap,
  ignoreDf: [19, u8],
  collectMetadata: [18, flag],
} as const

export const greCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(attrs('IFLA_GRE_', { ...greRest, ...erspanTypes })),
  fill: fillGre,
}

export const erspanCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(attrs('IFLA_GRE_', { ...erspanTypes, ...greRest })),
  fill: fillGre,
}

/** ip6gre_fill_info(). */
function fillIp6gre(device: NetDevice): object {
  const dev = device as Ip6greDevice
  const { hopLimit, proto: _proto, ...params } = dev.params
  const isErspan = dev instanceof Ip6erspanDevice
  return {
    ...params,
    ...(isErspan ? erspanAttrs(dev.erspan) : {}),
    oflags: isErspan && !dev.isExternal ? params.oflags | GRE_KEY : params.oflags,
    ttl: hopLimit,
    ...encapOf(dev.encap),
    collectMetadata: dev.isExternal,
  }
}

export const ip6greCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_GRE_', {
      ...erspanTypes,
      ...greHead,
      ...greKeys,
      local: [6, in6Addr],
      remote: [7, in6Addr],
      ttl: [8, u8],
      encapLimit: [11, u8],
      flowinfo: [12, be32],
      flags: [13, u32],
      fwmark: [20, u32],
      ...greEncap,
      collectMetadata: [18, flag],
    }),
  ),
  fill: fillIp6gre,
}

const iptunEncap = {
  encapType: [15, u16],
  encapSport: [17, be16],
  encapDport: [18, be16],
  encapFlags: [16, u16],
} as const

/** ipip_fill_info(). */
function fillIpip(device: NetDevice): object {
  const dev = device as IpipDevice
  const { link, local, remote, ttl, tos, isWhole, protocol } = dev.params
  return {
    link,
    local,
    remote,
    ttl,
    tos,
    proto: protocol,
    pmtudisc: Number(isWhole),
    fwmark: dev.fwmark,
    ...encapOf(dev.encap),
    collectMetadata: dev.isExternal,
  }
}

const iptunHead = {
  link: [1, u32],
  local: [2, inAddr],
  remote: [3, inAddr],
  ttl: [4, u8],
  tos: [5, u8],
} as const

export const ipipCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_IPTUN_', {
      ...iptunHead,
      proto: [9, u8],
      pmtudisc: [10, u8],
      fwmark: [20, u32],
      ...iptunEncap,
      collectMetadata: [19, flag],
    }),
  ),
  fill: fillIpip,
}

/** ipip6_fill_info(). */
function fillSit(device: NetDevice): object {
  const dev = device as SitDevice
  const { rapid, params } = dev
  const { collectMetadata: _none, ...common } = fillIpip(device) as Record<string, unknown>
  return {
    ...common,
    flags: params.iflags,
    prefix6rd: rapid.prefix,
    relayPrefix6rd: rapid.relayPrefix,
    prefixlen6rd: rapid.prefixlen,
    relayPrefixlen6rd: rapid.relayPrefixlen,
  }
}

export const sitCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_IPTUN_', {
      ...iptunHead,
      pmtudisc: [10, u8],
      proto: [9, u8],
      flags: [8, u16],
      fwmark: [20, u32],
      prefix6rd: [11, in6Addr],
      relayPrefix6rd: [12, inAddr],
      prefixlen6rd: [13, u16],
      relayPrefixlen6rd: [14, u16],
      ...iptunEncap,
    }),
  ),
  fill: fillSit,
}

/** ip6_tnl_fill_info(). */
function fillIp6tnl(device: NetDevice): object {
  const dev = device as Ip6tnlDevice
  const { hopLimit, ...params } = dev.params
  return {
    link: params.link,
    local: params.local,
    remote: params.remote,
    ttl: hopLimit,
    encapLimit: params.encapLimit,
    flowinfo: params.flowinfo,
    flags: params.flags,
    proto: params.proto,
    fwmark: params.fwmark,
    ...encapOf(dev.encap),
    collectMetadata: dev.isExternal,
  }
}

export const ip6tnlCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_IPTUN_', {
      link: [1, u32],
      local: [2, in6Addr],
      remote: [3, in6Addr],
      ttl: [4, u8],
      encapLimit: [6, u8],
      flowinfo: [7, be32],
      flags: [8, u32],
      proto: [9, u8],
      fwmark: [20, u32],
      ...iptunEncap,
      collectMetadata: [19, flag],
    }),
  ),
  fill: fillIp6tnl,
}

const vtiRest = { ikey: [2, be32], okey: [3, be32] } as const

export const vtiCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_VTI_', {
      link: [1, u32],
      ...vtiRest,
      local: [4, in4Addr],
      remote: [5, in4Addr],
      fwmark: [6, u32],
    }),
  ),
  fill(device) {
    const { params, fwmark } = device as VtiDevice
    const { link, ikey, okey, local, remote } = params
    return { link, ikey, okey, local, remote, fwmark }
  },
}

export const vti6Codec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_VTI_', {
      link: [1, u32],
      local: [4, in6Addr],
      remote: [5, in6Addr],
      ...vtiRest,
      fwmark: [6, u32],
    }),
  ),
  fill(device) {
    const { link, local, remote, ikey, okey, fwmark } = (device as Vti6Device).params
    return { link, local, remote, ikey, okey, fwmark }
  },
}

export const xfrmCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_XFRM_', { link: [1, u32], ifId: [2, u32], collectMetadata: [3, flag] }),
  ),
  fill(device) {
    const { link, ifId, isExternal } = device as XfrmDevice
    return { link, ifId, collectMetadata: isExternal }
  },
}
