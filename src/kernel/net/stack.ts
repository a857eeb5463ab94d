/**
 * The network stack of one namespace: devices, addresses, routes, rules, neighbours. It knows
 * nothing of netlink; who wants to hear of changes registers on its chains.
 */
import { AddressLabels } from './address-labels.ts'
import { Inet } from './address4.ts'
import { Inet6 } from './address6.ts'
import { Addrconf } from './address6-device.ts'
import { StackChains } from './chains.ts'
import { AF_INET, AF_INET6, RTNL_FAMILY_IP6MR, RTNL_FAMILY_IPMR } from './constants.ts'
import type { NetDevice } from './device.ts'
import { DeviceRegistry, unregisterDevices } from './device-registry.ts'
import { Fib4 } from './fib4.ts'
import { Fib6 } from './fib6.ts'
import { nlmon, wireguard } from './kinds/addressless.ts'
import { bond, watchBonds } from './kinds/bond.ts'
import { bridge } from './kinds/bridge.ts'
import { watchBridgePorts } from './kinds/bridge-port.ts'
import { dummy } from './kinds/dummy.ts'
import { geneve } from './kinds/geneve.ts'
import { erspan, gre, gretap } from './kinds/gre.ts'
import { ifb } from './kinds/ifb.ts'
import { ip6erspan, ip6gre, ip6gretap } from './kinds/ip6gre.ts'
import { ip6tnl, vti6 } from './kinds/ip6tnl.ts'
import { ipip, vti } from './kinds/ipip.ts'
import { ipvlan, ipvtap, watchIpvlans } from './kinds/ipvlan.ts'
import { createLoopback } from './kinds/loopback.ts'
import { macvlan, macvtap, watchMacvlans } from './kinds/macvlan.ts'
import { sit } from './kinds/sit.ts'
import { allTunnels } from './kinds/tunnel.ts'
import { TunnelModules } from './kinds/tunnel-modules.ts'
import { veth } from './kinds/veth.ts'
import { vlan, watchVlans } from './kinds/vlan.ts'
import { vrf, watchVrfs } from './kinds/vrf.ts'
import { vxlan, watchVxlans } from './kinds/vxlan.ts'
import { xfrm } from './kinds/xfrm.ts'
import { deleteLinks } from './link-create.ts'
import type { LinkKind } from './link-kind.ts'
import { LinkWatch } from './link-watch.ts'
import { NeighbourTable } from './neighbour.ts'
import { watchArp, watchNdisc } from './neighbour-watch.ts'
import { Netconf4 } from './netconf4.ts'
import { Netconf6 } from './netconf6.ts'
import { NexthopTable } from './nexthops.ts'
import { RuleTable } from './rules.ts'
import { Sysctls } from './sysctl.ts'

/** Where a stack has its time and its chance from. */
export interface StackHooks {
  readonly clock: {
    /** Milliseconds since boot. */
    monotonic(): number
    /** Calls `run` once, `ms` from now; the result cancels. */
    setTimer(run: () => void, ms: number): () => void
  }
  /** `n` random bytes. */
  random(n: number): Uint8Array
  /** A number from 0 to below 1. Absent: always 0. */
  chance?(): number
  /** Runs something as soon as the running request is done. Absent: queueMicrotask(). */
  defer?(run: () => void): void
  /** What the stack belongs to: the namespace. Never looked at here. */
  readonly owner?: unknown
  /** The first stack of the kernel, which others inherit from. */
  readonly first?: NetStack | undefined
  /** Whether bridges can tell VLANs apart (CONFIG_BRIDGE_VLAN_FILTERING); absent: they can. */
  readonly hasBridgeVlans?: boolean
}

/** The kinds of links that every stack has. */
const KINDS: readonly LinkKind[] = [
  bond,
  bridge,
  dummy,
  erspan,
  geneve,
  gre,
  gretap,
  ifb,
  ip6erspan,
  ip6gre,
  ip6gretap,
  ip6tnl,
  ipip,
  ipvlan,
  ipvtap,
  macvlan,
  macvtap,
  nlmon,
  sit,
  veth,
  vlan,
  vrf,
  vti,
  vti6,
  vxlan,
  wireguard,
  xfrm,
]

/** All state of one namespace. */
export class NetStack {
  readonly owner: unknown
  readonly hasBridgeVlans: boolean
  readonly chains = new StackChains()
  readonly devices = new DeviceRegistry()
  readonly linkWatch: LinkWatch
  readonly netconf4: Netconf4
  readonly netconf6: Netconf6
  readonly sysctls: Sysctls
  readonly kinds = new Map<string, LinkKind>(KINDS.map((kind) => [kind.kind, kind]))
  readonly nexthops: NexthopTable
  readonly fib4: Fib4
  readonly fib6: Fib6
  readonly rules4: RuleTable
  readonly rules6: RuleTable
  /** Of multicast routing. */
  readonly multicastRules4: RuleTable
  readonly multicastRules6: RuleTable
  readonly addressLabels = new AddressLabels()
  readonly arp: NeighbourTable
  readonly ndisc: NeighbourTable
  readonly inet: Inet
  readonly inet6: Inet6
  readonly addrconf: Addrconf
  readonly loopback: NetDevice
  /** The modules of tunnels, of all namespaces of a kernel. */
  readonly tunnelModules: TunnelModules
  readonly #hooks: StackHooks
  #timers = new Set<() => void>()
  #isClosed = false

  constructor(hooks: StackHooks) {
    this.#hooks = hooks
    this.owner = hooks.owner
    this.hasBridgeVlans = hooks.hasBridgeVlans ?? true
    this.linkWatch = new LinkWatch(this)
    this.netconf4 = new Netconf4(this, hooks.first?.netconf4)
    this.netconf6 = new Netconf6(this)
    this.sysctls = new Sysctls(this)
    this.rules4 = new RuleTable(this, AF_INET)
    this.rules6 = new RuleTable(this, AF_INET6)
    this.multicastRules4 = new RuleTable(this, RTNL_FAMILY_IPMR)
    this.multicastRules6 = new RuleTable(this, RTNL_FAMILY_IP6MR)
    this.arp = new NeighbourTable(this, AF_INET)
    this.ndisc = new NeighbourTable(this, AF_INET6)
    watchArp(this)
    this.inet = new Inet(this)
    this.nexthops = new NexthopTable(this)
    this.fib4 = new Fib4(this)
    this.fib6 = new Fib6(this)
    watchMacvlans(this)
    this.inet6 = new Inet6(this)
    this.addrconf = new Addrconf(this, this.inet6)
    watchNdisc(this)
    watchBridgePorts(this)
    watchVlans(this)
    watchIpvlans(this)
    watchVrfs(this)
    watchBonds(this)
    watchVxlans(this)
    this.loopback = createLoopback(this)
    this.tunnelModules = hooks.first?.tunnelModules ?? new TunnelModules()
    this.tunnelModules.enter(this)
  }

  /** Whether it is its kernel's first one. */
  get isFirst(): boolean {
    return this.#hooks.first === undefined
  }

  /** Milliseconds since boot. */
  now(): number {
    return this.#hooks.clock.monotonic()
  }

  random(n: number): Uint8Array {
    return this.#hooks.random(n)
  }

  /** A number from 0 to below 1. */
  chance(): number {
    return this.#hooks.chance?.() ?? 0
  }

  /** Runs `run` once the running request is done, unless the stack is closed by then. */
  defer(run: () => void): void {
    const guarded = (): void => {
      if (!this.#isClosed) run()
    }
    if (this.#hooks.defer) this.#hooks.defer(guarded)
    else queueMicrotask(guarded)
  }

  /** Runs `run` in `ms`, unless the stack is closed by then; the result cancels. */
  setTimer(run: () => void, ms: number): () => void {
    if (this.#isClosed) return () => {}
    const stop = this.#hooks.clock.setTimer(() => {
      this.#timers.delete(cancel)
      run()
    }, ms)
    const cancel = (): void => {
      this.#timers.delete(cancel)
      stop()
    }
    this.#timers.add(cancel)
    return cancel
  }

  /**
   * The end of the namespace (default_device_exit_batch()): its links go, with their peers
   * elsewhere, then lo; nothing of it runs any more. Harmless when repeated.
   */
  close(): void {
    if (this.#isClosed) return
    this.tunnelModules.leave(this)
    deleteLinks(this.devices.list().filter((dev) => dev.kind))
    const left = [...this.devices.list(), ...allTunnels(this)].filter((dev) => dev.kind)
    unregisterDevices([...new Set(left)])
    unregisterDevices([this.loopback])
    this.#isClosed = true
    for (const cancel of [...this.#timers]) cancel()
  }
}
