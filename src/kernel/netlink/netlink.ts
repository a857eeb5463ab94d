/**
 * The netlink layer of one kernel: protocols, sockets, and who is told when a port is released.
 *
 * Kernel: net/netlink/af_netlink.c netlink_kernel_create(), netlink_create(),
 * netlink_register_notifier() (Linux 6.12).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { MAX_LINKS } from '../../wire/constants.ts'
import type { Credentials } from '../credentials.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import { BlockingNotifierChain, NOTIFY_DONE } from '../notifier/index.ts'
import { KERN_ERR } from '../printk/log.ts'
import { updateMembership } from './groups.ts'
import { KernelSocket, type KernelSocketConfig } from './kernel-socket.ts'
import type { NETLINK_URELEASE, NetlinkNotify } from './notify.ts'
import { PortRover } from './port.ts'
import { type Skb, SkbPool } from './skb.ts'
import { type NetlinkSock, SOCK_DGRAM, SOCK_RAW } from './sock.ts'
import { LEAST_GROUPS, ProtocolTable } from './table.ts'
import { UserSocket } from './user-socket.ts'

/** nlmon: sees a datagram that `to` receives; it is looked at, and not kept. */
export type Tap = (skb: Skb, to: NetlinkSock) => void

export class Netlink {
  readonly kernel: Kernel
  readonly pool = new SkbPool()
  readonly rover: PortRover
  /** netlink_chain: NETLINK_URELEASE, once for each closed socket that had a port. */
  readonly notifier = new BlockingNotifierChain<number, NetlinkNotify>('netlink_chain', {
    onThrow: (error, { name = 'a block' }) => {
      this.kernel.printk(KERN_ERR, `netlink_chain: ${name} failed: ${error}`)
      return NOTIFY_DONE
    },
  })
  readonly #tables: readonly ProtocolTable[]
  readonly #sockets = new Set<UserSocket>()
  #taps: readonly Tap[] = []
  #cookie = 0

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.rover = new PortRover(() => kernel.random())
    this.#tables = Array.from({ length: MAX_LINKS }, (_, protocol) => new ProtocolTable(protocol))
  }
  /**
   * netlink_kernel_create(): registers protocol `unit` in `net`. Hooks, flags and the number of
   * groups are those of the first namespace's registration.
   * @throws NetlinkError EINVAL for a unit outside 0 to 31, EEXIST when `net` has that one.
   */
  create(net: Net, unit: number, config: KernelSocketConfig = {}): KernelSocket {
    const table = this.#tables[unit]
    if (!table) throw new NetlinkError('EINVAL', `protocol ${unit} is not between 0 and 31`)
    if (table.portsOf(net).has(0)) {
      throw new NetlinkError('EEXIST', `protocol ${unit} has its kernel socket already`)
    }
    const { current } = this.kernel.modules
    table.register(current ? { module: current, ...config } : config)
    const sock = new KernelSocket(this, net, table, config)
    current?.own(() => sock.release())
    return sock
  }
  /**
   * socket(2): an unbound socket of a process in `net`. A protocol that nobody serves is asked for
   * under its module's name, `net-pf-16-proto-N`.
   * @throws NetlinkError ESOCKTNOSUPPORT for a type that is neither SOCK_RAW nor SOCK_DGRAM;
   * EPROTONOSUPPORT when nobody serves the protocol.
   */
  socket(net: Net, protocol: number, credentials: Credentials, type = SOCK_RAW): UserSocket {
    if (type !== SOCK_RAW && type !== SOCK_DGRAM)
      throw new NetlinkError('ESOCKTNOSUPPORT', { syscall: 'socket' })
    const table = this.#tables[protocol]
    if (table?.registered === 0) this.kernel.modules.tryRequest(`net-pf-16-proto-${protocol}`)
    if (!table || table.registered === 0 || table.module?.tryGet() === false) {
      throw new NetlinkError('EPROTONOSUPPORT', { syscall: 'socket' })
    }
    const sock = new UserSocket(this, net, table, credentials)
    sock.module = table.module
    sock.type = type
    this.#sockets.add(sock)
    return sock
  }
  /** The kernel's socket of `protocol` in `net`. */
  kernelSocket(net: Net, protocol: number): KernelSocket | undefined {
    const sock = this.#tables[protocol]?.portsOf(net).get(0)
    return sock instanceof KernelSocket ? sock : undefined
  }
  /** netlink_change_ngroups(): `protocol` has `groups` groups, at least 32, for sockets to come. */
  changeGroups(protocol: number, groups: number): void {
    const table = this.#tables[protocol]
    if (table) table.groups = Math.max(LEAST_GROUPS, groups)
  }
  /** __netlink_clear_multicast_users(): nobody is a member of `group` any more. */
  clearMembers(protocol: number, group: number): void {
    for (const sock of this.#tables[protocol]?.members(group) ?? []) {
      updateMembership(sock, group, false)
    }
  }
  /** The open sockets of processes, in the order in which they were opened. */
  sockets(): UserSocket[] {
    return [...this.#sockets]
  }
  /** netlink_add_tap(): `tap` sees every datagram that is delivered, until the result is called. */
  addTap(tap: Tap): () => void {
    this.#taps = [...this.#taps, tap]
    return () => {
      this.#taps = this.#taps.filter((each) => each !== tap)
    }
  }
  /** netlink_deliver_tap(); for the core. */
  deliverTap(skb: Skb, to: NetlinkSock): void {
    const taps = this.#taps
    if (taps.length > 0) for (const tap of taps) tap(skb, to)
  }
  /** The sockets that are bound in `net`, by protocol, the kernel's included. */
  boundSockets(net: Net): NetlinkSock[] {
    return this.#tables.flatMap((table) => [...table.portsOf(net).values()])
  }
  /** Numbers sockets; for the core. */
  nextCookie(): number {
    return ++this.#cookie
  }
  /** A socket is closed; for the core. */
  forget(sock: NetlinkSock): void {
    this.#sockets.delete(sock as UserSocket)
  }
  /**
   * Tells the chain that a port is free; for the core. A block that closes a socket while a change
   * of the chain waits, where Linux would wait forever, has it told as soon as the block returns.
   */
  notifyRelease(event: typeof NETLINK_URELEASE, notify: NetlinkNotify): void {
    try {
      void this.notifier.call(event, notify)
    } catch (error) {
      if (!isNetlinkError(error, 'EDEADLK')) throw error
      queueMicrotask(() => this.notifyRelease(event, notify))
    }
  }
  /** Forgets a namespace that is gone; for the core. */
  forgetNet(net: Net): void {
    for (const table of this.#tables) table.forget(net)
  }
  /** Closes every socket of every process. */
  close(): void {
    for (const sock of this.sockets()) sock.close()
  }
}
