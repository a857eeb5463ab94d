/**
 * rtnetlink: NETLINK_ROUTE over the stack of each namespace.
 *
 * Kernel: net/core/rtnetlink.c rtnetlink_net_init(), rtnetlink_bind(), rtnetlink_init()
 * (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import {
  RTNLGRP_IPV4_MROUTE_R,
  RTNLGRP_IPV6_MROUTE_R,
  RTNLGRP_MAX,
} from '../../families/rtnetlink.ts'
import { NETLINK_ROUTE } from '../../wire/constants.ts'
import { type Credentials, nsCapable } from '../credentials.ts'
import type { Kernel } from '../kernel.ts'
import { NetStack } from '../net/stack.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { type Handled, netlinkRcvSkb } from '../netlink/rcv.ts'
import type { Pernet } from '../pernet.ts'
import { notifyAddrs, registerAddrs } from './addr.ts'
import { registerAddressLabels } from './addrlabel.ts'
import { notifyAnycast, registerAnycast } from './anycast.ts'
import { notifyBrvlans, registerBrvlans } from './brvlan.ts'
import { registerFdb } from './fdb.ts'
import { Generations } from './generations.ts'
import { notifyLinks } from './link-notify.ts'
import { registerLinks } from './link-register.ts'
import { notifyMdbs, registerMdbs } from './mdb.ts'
import { notifyMulticast, registerMulticast } from './multicast.ts'
import { registerNeighbours } from './neigh.ts'
import { notifyNeighbours } from './neigh-fill.ts'
import { registerNeighbourTables } from './neightbl.ts'
import { notifyNetconf, registerNetconf } from './netconf.ts'
import { notifyNexthops, registerNexthops } from './nexthop.ts'
import { notifyNsids, registerNsids } from './nsid.ts'
import { rtnetlinkRcvMsg } from './rcv.ts'
import { notifyRoutes, registerRoutes } from './route.ts'
import { notifyRules, registerRules } from './rule.ts'
import { registerStats } from './stats.ts'
import { type RtnlHandlers, RtnlTable } from './table.ts'

export type { RtnlHandlers } from './table.ts'

/** What rtnetlink has in a namespace. */
interface RtnlNet {
  readonly stack: NetStack
  readonly sock: KernelSocket
  readonly generations: Generations
}

export class Rtnetlink {
  readonly kernel: Kernel
  readonly #table = new RtnlTable()
  readonly #nets: Pernet<RtnlNet>
  /** Of the first namespace, whose settings others begin with. */
  #first: RtnlNet | undefined

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.#nets = kernel.registerPernet<RtnlNet>({
      init: (net) => this.#enter(net),
      exit: (_, { stack, sock }) => {
        stack.close()
        sock.release()
      },
    })
    registerLinks(this.#table)
    registerAddrs(this.#table)
    registerRoutes(this.#table)
    registerNeighbours(this.#table)
    registerFdb(this.#table)
    registerBrvlans(this.#table)
    registerMdbs(this.#table)
    registerRules(this.#table)
    registerNetconf(this.#table)
    registerMulticast(this.#table)
    registerAnycast(this.#table)
    registerAddressLabels(this.#table)
    registerNsids(this.#table)
    registerNeighbourTables(this.#table)
    registerStats(this.#table)
    registerNexthops(this.#table)
  }
  /**
   * rtnl_register(): from now on `handlers` answer `type` for `family`. Merges with what is
   * registered: a doit does not replace a dumpit.
   * @throws TypeError for a family or a type that no message can have.
   */
  register(family: number, type: number, handlers: RtnlHandlers): void {
    this.#table.register(family, type, handlers)
  }
  /** rtnl_unregister(). @throws NetlinkError ENOENT when the family has no handlers at all. */
  unregister(family: number, type: number): void {
    this.#table.unregister(family, type)
  }
  /** The network stack of `net`. */
  stackOf(net: Net): NetStack {
    return this.#nets.of(net).stack
  }
  /** The kernel's socket of NETLINK_ROUTE in `net`. */
  socketOf(net: Net): KernelSocket {
    return this.#nets.of(net).sock
  }

  /** What tells a dump in `net` that it is inconsistent. */
  generationsOf(net: Net): Generations {
    return this.#nets.of(net).generations
  }

  #enter(net: Net): RtnlNet {
    const { kernel } = this
    const handle = (ctx: RequestContext): Handled => rtnetlinkRcvMsg(ctx, this.#table)
    const sock = kernel.netlink.create(net, NETLINK_ROUTE, {
      groups: RTNLGRP_MAX,
      nonrootRecv: true,
      input: (skb) => netlinkRcvSkb(skb, handle),
      bind: mayJoin,
    })
    const stack = new NetStack({
      clock: kernel.clock,
      random: (n) => Uint8Array.from({ length: n }, () => Math.floor(kernel.random() * 256)),
      chance: () => kernel.random(),
      owner: net,
      hasBridgeVlans: !kernel.without.has('BRIDGE_VLAN_FILTERING'),
      first: this.#first?.stack,
    })
    notifyLinks(stack, net, sock)
    notifyAddrs(stack, sock)
    notifyRoutes(stack, sock)
    notifyNeighbours(stack, sock)
    notifyBrvlans(stack, sock)
    notifyMdbs(stack, sock)
    notifyRules(stack, sock)
    notifyNetconf(stack, sock)
    notifyMulticast(stack, sock)
    notifyAnycast(stack, sock)
    notifyNsids(net, sock)
    notifyNexthops(stack, sock)
    const entered = { stack, sock, generations: new Generations(stack) }
    this.#first ??= entered
    return entered
  }
}

/** rtnetlink_bind(): reports of multicast routing are not for everybody. */
function mayJoin(net: Net, group: number, current: Credentials): void {
  if (group !== RTNLGRP_IPV4_MROUTE_R && group !== RTNLGRP_IPV6_MROUTE_R) return
  if (!nsCapable(current, net.userNs, 'CAP_NET_ADMIN')) throw new NetlinkError('EPERM')
}
