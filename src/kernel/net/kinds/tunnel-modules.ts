/**
 * The modules that tunnels are of: each is loaded by the first request for one of its kinds, and
 * brings a device that takes what no other tunnel does into every namespace.
 *
 * Kernel: net/ipv4/ip_tunnel.c ip_tunnel_init_net(); sit_init_net(), ip6_tnl_init_net(),
 * ip6gre_init_net(), vti6_init_net(); include/linux/netdevice.h net_has_fallback_tunnels()
 * (Linux 6.18).
 */
import { registerDevice } from '../device-registry.ts'
import type { LinkKind } from '../link-kind.ts'
import type { NetStack } from '../stack.ts'
import { erspan, gre, gretap } from './gre.ts'
import { ip6erspan, ip6gre, ip6gretap } from './ip6gre.ts'
import { ip6tnl, vti6 } from './ip6tnl.ts'
import { ipip, vti } from './ipip.ts'
import { SitDevice, sit } from './sit.ts'
import { IPPROTO_GRE, IPPROTO_IPIP, IPPROTO_IPV6, type TunnelDevice, tunnelsOf } from './tunnel.ts'
import { bindTunnel4, Tunnel4Device } from './tunnel4.ts'
import { Tunnel6Device } from './tunnel6.ts'

interface TunnelModule {
  readonly kinds: readonly LinkKind[]
  /** What is loaded before it. */
  readonly needs?: string
  /** The devices that come with it. */
  readonly fallbacks: readonly (readonly [name: string, kind: LinkKind])[]
}

const MODULES: Readonly<Record<string, TunnelModule>> = {
  ip_gre: {
    kinds: [gre, gretap, erspan],
    fallbacks: [
      ['gre0', gre],
      ['gretap0', gretap],
      ['erspan0', erspan],
    ],
  },
  ipip: { kinds: [ipip], fallbacks: [['tunl0', ipip]] },
  sit: { kinds: [sit], fallbacks: [['sit0', sit]] },
  ip_vti: { kinds: [vti], fallbacks: [['ip_vti0', vti]] },
  ip6_tunnel: { kinds: [ip6tnl], fallbacks: [['ip6tnl0', ip6tnl]] },
  ip6_gre: {
    kinds: [ip6gre, ip6gretap, ip6erspan],
    needs: 'ip6_tunnel',
    fallbacks: [['ip6gre0', ip6gre]],
  },
  ip6_vti: { kinds: [vti6], needs: 'ip6_tunnel', fallbacks: [['ip6_vti0', vti6]] },
}

/** Sysctl fb_tunnels_only_for_init_net. */
const ALL_NAMESPACES = 0
const FIRST_NAMESPACE = 1

/** Of one kernel: which modules are loaded, and where their devices go. */
export class TunnelModules {
  /** Sysctl net/core/fb_tunnels_only_for_init_net: 0 all namespaces, 1 the first one, 2 none. */
  fallbacksOnlyForFirst = ALL_NAMESPACES
  readonly #stacks = new Set<NetStack>()
  readonly #loaded: TunnelModule[] = []

  /** A namespace begins. */
  enter(stack: NetStack): void {
    this.#stacks.add(stack)
    for (const module of this.#loaded) this.#populate(module, stack)
  }

  leave(stack: NetStack): void {
    this.#stacks.delete(stack)
  }

  /** request_module("rtnl-link-KIND"). */
  loadForKind(kind: string): void {
    for (const [name, { kinds }] of Object.entries(MODULES)) {
      if (kinds.some((each) => each.kind === kind)) this.#load(name)
    }
  }

  /** dev_load(): the module that a device of this name comes with. */
  loadForDevice(device: string): void {
    for (const [name, { fallbacks }] of Object.entries(MODULES)) {
      if (fallbacks.some(([each]) => each === device)) this.#load(name)
    }
  }

  #load(name: string): void {
    const module = MODULES[name]
    if (!module || this.#loaded.includes(module)) return
    if (module.needs) this.#load(module.needs)
    this.#loaded.push(module)
    for (const stack of this.#stacks) this.#populate(module, stack)
  }

  /** net_has_fallback_tunnels(). */
  #hasFallbacks(stack: NetStack): boolean {
    const { fallbacksOnlyForFirst: only } = this
    const [first] = this.#stacks
    return only === ALL_NAMESPACES || (only === FIRST_NAMESPACE && stack === first)
  }

  #populate({ fallbacks }: TunnelModule, stack: NetStack): void {
    if (!this.#hasFallbacks(stack)) return
    for (const [name, kind] of fallbacks) {
      if (!stack.devices.byName(name)) makeFallback(stack, name, kind)
    }
  }
}

/** Its size is known behind its registration. */
function makeFallback(stack: NetStack, name: string, kind: LinkKind): void {
  const dev = kind.setup(stack, name) as TunnelDevice
  dev.isFallback = true
  dev.isNetnsLocal = true
  describe(dev, kind)
  registerDevice(dev)
  if (dev instanceof Tunnel4Device) dev.mtu = bindTunnel4(dev)
  tunnelsOf(stack, dev.tunnelGroup).add(dev)
}

/** What its packets carry: 0 for anything. */
const PROTOCOLS: ReadonlyMap<LinkKind, number> = new Map([
  [gre, IPPROTO_GRE],
  [gretap, IPPROTO_GRE],
  [erspan, IPPROTO_GRE],
  [sit, IPPROTO_IPV6],
  [vti, IPPROTO_IPIP],
  [ip6tnl, IPPROTO_IPV6],
  [vti6, IPPROTO_IPV6],
])

function describe(dev: TunnelDevice, kind: LinkKind): void {
  const protocol = PROTOCOLS.get(kind) ?? 0
  if (dev instanceof Tunnel4Device) dev.params = { ...dev.params, protocol }
  else if (dev instanceof SitDevice) dev.params = { ...dev.params, protocol, ttl: 64 }
  else if (dev instanceof Tunnel6Device) dev.params = { ...dev.params, proto: protocol }
}
