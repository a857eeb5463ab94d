/**
 * Anycast addresses of devices: RTM_GETANYCAST, and the group that hears of changes.
 *
 * Kernel: net/ipv6/anycast.c inet6_ifacaddr_notify(); net/ipv6/addrconf.c inet6_fill_ifacaddr(),
 * inet6_dump_addr() (Linux 6.18).
 */
import { addrAttrs, ifaddrmsg } from '../../families/rt-addr.ts'
import {
  AF_INET6,
  RTM_DELANYCAST,
  RTM_GETANYCAST,
  RTM_NEWANYCAST,
  RTNLGRP_IPV6_ACADDR,
} from '../../families/rtnetlink.ts'
import { attrs, message } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { AnycastAddress } from '../net/anycast6.ts'
import { IFA_F_PERMANENT, INFINITY_LIFE_TIME, RT_SCOPE_UNIVERSE } from '../net/constants.ts'
import type { NetStack } from '../net/stack.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { type AddrFilter, dumpedDevices } from './addr4.ts'
import { parseAddrDump6 } from './addr6.ts'
import { notify } from './notify.ts'
import { in6Addr } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** What Linux allocates: a header, an address, struct ifa_cacheinfo. */
const SIZE = 48

const { cacheinfo, targetNetnsid } = addrAttrs.definitions
const reply = message(ifaddrmsg, attrs('IFA_', { targetNetnsid, anycast: [5, in6Addr], cacheinfo }))

/** inet6_fill_ifacaddr(): what stands behind the nlmsghdr. */
function put(w: Writer, { dev, address, created }: AnycastAddress, nsid?: number): void {
  const stamp = Math.floor(created / 10)
  reply.encode(w, {
    family: AF_INET6,
    prefixlen: 128,
    ifaFlags: IFA_F_PERMANENT,
    scope: RT_SCOPE_UNIVERSE,
    ifindex: dev.ifindex,
    targetNetnsid: nsid,
    anycast: address,
    cacheinfo: {
      prefered: INFINITY_LIFE_TIME,
      valid: INFINITY_LIFE_TIME,
      cstamp: stamp,
      tstamp: stamp,
    },
  })
}

/** Announces the anycast addresses of `stack` through `sock`. */
export function notifyAnycast(stack: NetStack, sock: KernelSocket): void {
  stack.chains.anycast.register({
    name: 'inet6_ifacaddr_notify',
    call(event, { anycast }) {
      const type = event === 'NEWANYCAST' ? RTM_NEWANYCAST : RTM_DELANYCAST
      notify(sock, { type, group: RTNLGRP_IPV6_ACADDR, size: SIZE }, (w) => put(w, anycast))
      return NOTIFY_DONE
    },
  })
}

interface AnycastItem {
  readonly anycast: AnycastAddress
  readonly filter: AddrFilter
}

const anycastDump: DumpSource<AnycastItem> = {
  name: 'RTM_GETANYCAST of AF_INET6',
  type: RTM_GETANYCAST,
  *items(ctx) {
    const filter = parseAddrDump6(ctx)
    for (const dev of dumpedDevices(ctx, filter)) {
      for (const anycast of [...(dev.inet6?.anycasts.list() ?? [])]) {
        ctx.dumpSeq = ctx.kernel.rtnl.generationsOf(ctx.net).addresses
        yield { anycast, filter }
      }
    }
  },
  put: (w, { anycast, filter }) => put(w, anycast, filter.targetNetnsid),
}

export function registerAnycast(table: RtnlTable): void {
  table.register(AF_INET6, RTM_GETANYCAST, { dumpit: anycastDump })
}
