/**
 * Multicast groups of devices: RTM_GETMULTICAST, and the groups that hear of changes.
 *
 * Kernel: net/ipv4/igmp.c inet_fill_ifmcaddr(), inet_ifmcaddr_notify(); net/ipv6/mcast.c
 * inet6_ifmcaddr_notify(); net/ipv6/addrconf.c inet6_fill_ifmcaddr(), inet6_dump_addr()
 * (Linux 6.18).
 */
import { addrAttrs, ifaddrmsg } from '../../families/rt-addr.ts'
import {
  AF_INET,
  AF_INET6,
  RTM_DELMULTICAST,
  RTM_GETMULTICAST,
  RTM_NEWMULTICAST,
  RTNLGRP_IPV4_MCADDR,
  RTNLGRP_IPV6_MCADDR,
} from '../../families/rtnetlink.ts'
import { attrs, message } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import { IFA_F_PERMANENT, INFINITY_LIFE_TIME, RT_SCOPE_UNIVERSE } from '../net/constants.ts'
import type { MulticastGroup } from '../net/multicast.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { type AddrFilter, dumpedDevices, parseAddrDump4 } from './addr4.ts'
import { parseAddrDump6 } from './addr6.ts'
import { notify } from './notify.ts'
import { fibAddress } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** What Linux allocates: a header, an address, struct ifa_cacheinfo. */
const SIZE4 = 36
const SIZE6 = 48

const { cacheinfo, targetNetnsid } = addrAttrs.definitions
const reply = message(
  ifaddrmsg,
  attrs('IFA_', { targetNetnsid, multicast: [7, fibAddress], cacheinfo }),
)

/** inet_fill_ifmcaddr(), inet6_fill_ifmcaddr(): what stands behind the nlmsghdr. */
function put(w: Writer, group: MulticastGroup, nsid?: number): void {
  const { family, dev, address, created, updated } = group
  reply.encode(w, {
    family,
    prefixlen: family === AF_INET ? 32 : 128,
    ifaFlags: IFA_F_PERMANENT,
    scope: RT_SCOPE_UNIVERSE,
    ifindex: dev.ifindex,
    targetNetnsid: nsid,
    multicast: address,
    cacheinfo: {
      prefered: INFINITY_LIFE_TIME,
      valid: INFINITY_LIFE_TIME,
      cstamp: Math.floor(created / 10),
      tstamp: Math.floor(updated / 10),
    },
  })
}

/** Announces what the devices of `stack` join and leave through `sock`. */
export function notifyMulticast(stack: NetStack, sock: KernelSocket): void {
  stack.chains.multicast.register({
    name: 'inet_ifmcaddr_notify',
    call(event, { group }) {
      const isInet = group.family === AF_INET
      const type = event === 'NEWMULTICAST' ? RTM_NEWMULTICAST : RTM_DELMULTICAST
      const to = isInet ? RTNLGRP_IPV4_MCADDR : RTNLGRP_IPV6_MCADDR
      notify(sock, { type, group: to, size: isInet ? SIZE4 : SIZE6 }, (w) => put(w, group))
      return NOTIFY_DONE
    },
  })
}

interface GroupItem {
  readonly group: MulticastGroup
  readonly filter: AddrFilter
}

function groupDump(
  side: 'inet' | 'inet6',
  parse: (ctx: RequestContext) => AddrFilter,
): DumpSource<GroupItem> {
  return {
    name: `RTM_GETMULTICAST of ${side}`,
    type: RTM_GETMULTICAST,
    *items(ctx) {
      const filter = parse(ctx)
      for (const dev of dumpedDevices(ctx, filter)) {
        for (const group of [...(dev[side]?.groups.list() ?? [])]) {
          ctx.dumpSeq = ctx.kernel.rtnl.generationsOf(ctx.net).addresses
          yield { group, filter }
        }
      }
    },
    put: (w, { group, filter }) => put(w, group, filter.targetNetnsid),
  }
}

export function registerMulticast(table: RtnlTable): void {
  const dumps = { 4: groupDump('inet', parseAddrDump4), 6: groupDump('inet6', parseAddrDump6) }
  table.register(AF_INET, RTM_GETMULTICAST, { dumpit: dumps[4] })
  table.register(AF_INET6, RTM_GETMULTICAST, { dumpit: dumps[6] })
}
