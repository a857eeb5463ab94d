/**
 * rt-link: interfaces.
 *
 * Kernel: include/uapi/linux/if_link.h; net/core/rtnetlink.c rtnl_newlink(), rtnl_fill_ifinfo()
 * (Linux 6.18).
 */
import { attrs, message, nest, rawFamily, selected, string, u32, variant } from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { afterLinkinfo, beforeLinkinfo, inet6Attrs, propListAttrs } from './rt-link-attrs.ts'
import { bondAttrs, bondSlaveAttrs } from './rt-link-bond.ts'
import { bridgeAttrs, bridgeSpecAttrs, brportAttrs } from './rt-link-bridge.ts'
import { canAttrs, canDeviceStats } from './rt-link-can.ts'
import {
  amtAttrs,
  bareudpAttrs,
  batadvAttrs,
  dsaAttrs,
  gtpAttrs,
  hsrAttrs,
  ipoibAttrs,
  ipvlanAttrs,
  macsecAttrs,
  macvlanAttrs,
  netkitAttrs,
  rmnetAttrs,
  tunAttrs,
  vethAttrs,
  vlanAttrs,
  vrfAttrs,
  vrfPortAttrs,
  vxcanAttrs,
  wwanAttrs,
  xfrmAttrs,
} from './rt-link-kinds.ts'
import { ifinfomsg, ipv4Devconf, ipv4DevconfAttrs } from './rt-link-structs.ts'
import {
  geneveAttrs,
  greAttrs,
  ip6tnlAttrs,
  iptunAttrs,
  vtiAttrs,
  vxlanAttrs,
} from './rt-link-tunnels.ts'
import {
  AF_BRIDGE,
  RTM_DELLINK,
  RTM_DELLINKPROP,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_NEWLINKPROP,
  RTM_SETLINK,
  RTNLGRP_IPV6_IFINFO,
  RTNLGRP_LINK,
} from './rtnetlink.ts'

export * from './rt-link-constants.ts'
export { ifinfomsg } from './rt-link-structs.ts'

const gre = nest(greAttrs, 'noflag')
const iptun = nest(iptunAttrs, 'noflag')
const vti = nest(vtiAttrs, 'noflag')
const macvlan = nest(macvlanAttrs, 'noflag')
const ipvlan = nest(ipvlanAttrs, 'noflag')

const linkinfoDefinitions = {
  kind: [1, string.unterminated()],
  data: [
    2,
    selected('kind', {
      amt: nest(amtAttrs, 'noflag'),
      bareudp: nest(bareudpAttrs, 'noflag'),
      batadv: nest(batadvAttrs, 'noflag'),
      bond: nest(bondAttrs, 'noflag'),
      bridge: nest(bridgeAttrs, 'noflag'),
      can: nest(canAttrs, 'noflag'),
      dsa: nest(dsaAttrs, 'noflag'),
      erspan: gre,
      geneve: nest(geneveAttrs, 'noflag'),
      gre,
      gretap: gre,
      gtp: nest(gtpAttrs, 'noflag'),
      hsr: nest(hsrAttrs, 'noflag'),
      ip6erspan: gre,
      ip6gre: gre,
      ip6gretap: gre,
      ip6tnl: nest(ip6tnlAttrs, 'noflag'),
      ipip: iptun,
      ipoib: nest(ipoibAttrs, 'noflag'),
      ipvlan,
      ipvtap: ipvlan,
      macsec: nest(macsecAttrs, 'noflag'),
      macvlan,
      macvtap: macvlan,
      netkit: nest(netkitAttrs, 'noflag'),
      rmnet: nest(rmnetAttrs, 'noflag'),
      sit: iptun,
      tun: nest(tunAttrs, 'noflag'),
      veth: nest(vethAttrs, 'noflag'),
      vlan: nest(vlanAttrs, 'noflag'),
      vrf: nest(vrfAttrs, 'noflag'),
      vti,
      vti6: vti,
      vxcan: nest(vxcanAttrs, 'noflag'),
      vxlan: nest(vxlanAttrs, 'noflag'),
      wwan: nest(wwanAttrs, 'noflag'),
      xfrm: nest(xfrmAttrs, 'noflag'),
    }),
  ],
  /** Counters that only the kind has. */
  xstats: [3, selected('kind', { can: canDeviceStats })],
  slaveKind: [4, string.unterminated()],
  slaveData: [
    5,
    selected('slaveKind', {
      bond: nest(bondSlaveAttrs, 'noflag'),
      bridge: nest(brportAttrs, 'noflag'),
      vrf: nest(vrfPortAttrs, 'noflag'),
    }),
  ],
} as const
export interface LinkinfoDefinitions extends Readonly<typeof linkinfoDefinitions> {}
/** The kind of a device and what only that kind has; the same of its master's. */
export const linkinfoAttrs = attrs('IFLA_INFO_', linkinfoDefinitions as LinkinfoDefinitions)

const mctpAttrs = attrs('IFLA_MCTP_', { net: [1, u32] })
const inet6 = nest(inet6Attrs, 'noflag')
const mctp = nest(mctpAttrs, 'noflag')
const bridgeSpec = nest(bridgeSpecAttrs, 'noflag')

/** IFLA_AF_SPEC: what the address families have to say, by their numbers. */
export const afSpecAttrs = attrs('AF_', {
  inet: [2, nest(attrs('IFLA_INET_', { conf: [1, ipv4Devconf] }), 'noflag')],
  inet6: [10, inet6],
  mctp: [45, mctp],
})
const afSpecRequestAttrs = attrs('AF_', {
  inet: [2, nest(attrs('IFLA_INET_', { conf: [1, nest(ipv4DevconfAttrs)] }), 'noflag')],
  inet6: [10, inet6],
  mctp: [45, mctp],
})

const linkinfo = [18, nest(linkinfoAttrs, 'noflag')] as const

const linkDefinitions = {
  ...beforeLinkinfo,
  linkinfo,
  ...afterLinkinfo,
  /** Of AF_BRIDGE: VLANs, MRP, CFM; else what each address family has. */
  afSpec: [26, variant('family', { [AF_BRIDGE]: bridgeSpec }, nest(afSpecAttrs, 'noflag'))],
} as const
export interface LinkDefinitions extends Readonly<typeof linkDefinitions> {}
export const linkAttrs = attrs('IFLA_', linkDefinitions as LinkDefinitions)

const requestDefinitions = {
  ...beforeLinkinfo,
  linkinfo,
  ...afterLinkinfo,
  afSpec: [26, variant('family', { [AF_BRIDGE]: bridgeSpec }, nest(afSpecRequestAttrs, 'noflag'))],
} as const
export interface LinkRequestDefinitions extends Readonly<typeof requestDefinitions> {}
const requestAttrs = attrs('IFLA_', requestDefinitions as LinkRequestDefinitions)

const link = message(ifinfomsg, linkAttrs)
const change = message(ifinfomsg, requestAttrs)
const names = message(
  ifinfomsg,
  attrs('IFLA_', {
    ifname: [3, string.max(15).unterminated()],
    altIfname: [53, string.max(127).unterminated()],
    propList: [52, nest(propListAttrs)],
  }),
)

export const rtLink = rawFamily({
  name: 'rt-link',
  protocol: NETLINK_ROUTE,
  groups: { link: RTNLGRP_LINK, ipv6Ifinfo: RTNLGRP_IPV6_IFINFO },
  ops: {
    newLink: { cmd: RTM_NEWLINK, constant: 'RTM_NEWLINK', do: { request: change } },
    setLink: { cmd: RTM_SETLINK, constant: 'RTM_SETLINK', do: { request: change } },
    delLink: {
      cmd: RTM_DELLINK,
      constant: 'RTM_DELLINK',
      do: {
        request: message(
          ifinfomsg,
          requestAttrs.only('ifname', 'altIfname', 'group', 'targetNetnsid', 'afSpec'),
        ),
      },
    },
    /** One link by index or name; or all, of a kind and a master if they are given. */
    getLink: {
      cmd: RTM_GETLINK,
      replyCmd: RTM_NEWLINK,
      constant: 'RTM_GETLINK',
      do: {
        request: message(
          ifinfomsg,
          requestAttrs.only('ifname', 'altIfname', 'extMask', 'targetNetnsid'),
        ),
        reply: link,
      },
      dump: {
        request: message(
          ifinfomsg,
          requestAttrs.only('extMask', 'master', 'linkinfo', 'targetNetnsid'),
        ),
        reply: link,
      },
    },
    /** Alternative names. */
    newLinkProp: { cmd: RTM_NEWLINKPROP, constant: 'RTM_NEWLINKPROP', do: { request: names } },
    delLinkProp: { cmd: RTM_DELLINKPROP, constant: 'RTM_DELLINKPROP', do: { request: names } },
  },
  notifications: {
    newLink: { cmd: RTM_NEWLINK, group: ['link', 'ipv6Ifinfo'], body: link },
    delLink: { cmd: RTM_DELLINK, group: 'link', body: link },
  },
})
