/** A kernel in this process: it owns everything, there are no globals. */
import { NetlinkError } from '../errors.ts'
import { memoryTransport } from '../transport/memory.ts'
import type { SocketInit, Transport } from '../transport/transport.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Credentials, UserNamespace } from './credentials.ts'
import { Genetlink } from './genetlink/genetlink.ts'
import { Net } from './net-namespace.ts'
import { Netlink } from './netlink/netlink.ts'
import type { UserSocket } from './netlink/user-socket.ts'
import { type Pernet, PernetList, type PernetOperations } from './pernet.ts'
import { KernelLog, type LogEntry, type LogLevel } from './printk/log.ts'
import { Rtnetlink } from './rtnetlink/index.ts'

/** What makes a kernel deterministic. */
export interface KernelInit {
  /** The machine's clock unless given. */
  readonly clock?: Clock
  /** Numbers from 0 to below 1; Math.random unless given. */
  readonly random?: () => number
}

/** For whom sockets are opened. */
export interface TransportInit {
  /** The namespace, or its name; `initNet` unless given. */
  readonly net?: Net | string
  /** Root with all capabilities and a process id of its own unless given. */
  readonly credentials?: Partial<Credentials>
}

/** The first process id that a transport is given. */
const FIRST_PID = 1000

export class Kernel implements AsyncDisposable {
  readonly clock: Clock
  /** The user namespace that every other descends from. */
  readonly initUserNs = new UserNamespace()
  readonly netlink: Netlink
  readonly genl: Genetlink
  readonly rtnl: Rtnetlink
  /** The first network namespace; it lives as long as the kernel. */
  readonly initNet: Net
  readonly #random: () => number
  readonly #log: KernelLog
  readonly #pernet = new PernetList()
  readonly #nets = new Set<Net>()
  #cookie = 0
  #pid = FIRST_PID
  #isClosed = false

  constructor({ clock = systemClock(), random = Math.random }: KernelInit = {}) {
    this.clock = clock
    this.#random = random
    this.#log = new KernelLog(clock)
    this.netlink = new Netlink(this)
    this.initNet = this.addNet()
    this.rtnl = new Rtnetlink(this)
    this.genl = new Genetlink(this)
  }
  /** A number from 0 to below 1. */
  random(): number {
    return this.#random()
  }
  /** Adds a line to the kernel's log. */
  printk(level: LogLevel, text: string): void {
    this.#log.printk(level, text)
  }
  /** The kernel's log, oldest line first. */
  dmesg(): LogEntry[] {
    return this.#log.entries()
  }

  /**
   * Makes a network namespace: `ip netns add`.
   * @throws NetlinkError EEXIST when the name is taken, NETLINK_CLOSED after `close()`.
   */
  addNet(name?: string, userNs: UserNamespace = this.initUserNs): Net {
    this.#checkOpen()
    if (name !== undefined && this.#named(name)) {
      throw new NetlinkError('EEXIST', { message: `namespace ${name} exists already` })
    }
    const net = new Net(this, ++this.#cookie, userNs, name, (gone) => this.#cleanup(gone))
    this.#pernet.setup(net)
    this.#nets.add(net)
    return net
  }
  /** The namespace of that name. @throws NetlinkError ENOENT. */
  net(name: string): Net {
    const net = this.#named(name)
    if (!net) throw new NetlinkError('ENOENT', { message: `there is no namespace ${name}` })
    return net
  }
  /** The namespaces that live, the first one first. */
  nets(): Net[] {
    return [...this.#nets]
  }
  /**
   * Gives a namespace up: `ip netns del`. Its name is free at once; it lives on while sockets are
   * open in it. Harmless when repeated.
   * @throws NetlinkError EBUSY for the first one, ENOENT for a name that nobody has.
   */
  deleteNet(which: Net | string): void {
    const net = typeof which === 'string' ? this.net(which) : which
    if (net === this.initNet) {
      throw new NetlinkError('EBUSY', { message: 'the first namespace stays' })
    }
    if (!this.#nets.has(net) || net.isDeleted) return
    net.name = undefined
    net.isDeleted = true
    net.put()
  }
  /** register_pernet_subsys(): runs `init` in every namespace, those to come included. */
  registerPernet<T>(operations: PernetOperations<T>): Pernet<T> {
    return this.#pernet.register(operations, this.#nets)
  }
  /** unregister_pernet_subsys(): runs `exit` everywhere. Harmless when repeated. */
  unregisterPernet<T>(pernet: Pernet<T>): void {
    this.#pernet.unregister(pernet, this.#nets)
  }

  /** What `open({ kernel })` goes through: a process with sockets to this kernel. */
  transport({ net, credentials }: TransportInit = {}): Transport {
    this.#checkOpen()
    const home = this.#resolveNet(net) ?? this.initNet
    const full: Credentials = {
      pid: this.#pid++,
      uid: 0,
      gid: 0,
      capabilities: 'all',
      ...credentials,
    }
    return memoryTransport({
      socket: (init: SocketInit): UserSocket => {
        this.#checkOpen()
        return this.netlink.socket(this.#resolveNet(init.netns) ?? home, init.protocol, full)
      },
    })
  }

  /** Closes every socket and ends every namespace. Harmless when repeated. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.netlink.close()
    for (const net of this.nets().reverse()) this.#cleanup(net)
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #checkOpen(): void {
    if (this.#isClosed) {
      throw new NetlinkError('NETLINK_CLOSED', { message: 'the kernel is closed' })
    }
  }
  #named(name: string): Net | undefined {
    for (const net of this.#nets) if (net.name === name) return net
    return undefined
  }
  #resolveNet(which: unknown): Net | undefined {
    if (which === undefined) return undefined
    if (typeof which === 'string') return this.net(which)
    if (which instanceof Net && which.kernel === this && !which.isGone) return which
    throw new NetlinkError('NETLINK_INVALID', {
      message: "a namespace of this kernel, or the name of one, is expected as 'netns'",
    })
  }
  #cleanup(net: Net): void {
    if (!this.#nets.has(net)) return
    try {
      this.#pernet.cleanup(net)
    } finally {
      this.#nets.delete(net)
      this.netlink.forgetNet(net)
      for (const other of this.#nets) other.forgetNsid(net)
    }
  }
}
