/** A kernel in this process: it owns everything, there are no globals. */
import { NetlinkError } from '../errors.ts'
import { memoryTransport } from '../transport/memory.ts'
import type { SocketInit, Transport } from '../transport/transport.ts'
import { Cbus } from './cbus/index.ts'
import { type Clock, systemClock } from './clock.ts'
import { Connector, ProcConnector, ProcessTable } from './connector/index.ts'
import { type Credentials, UserNamespace } from './credentials.ts'
import { Genetlink } from './genetlink/genetlink.ts'
import { Kobjects, moduleObjects, NetDeviceObjects } from './kobject/index.ts'
import { Kthread, type ThreadFunction } from './kthread.ts'
import type { Exports, Externs, ModuleDefinition, ParamTypes } from './module/definition.ts'
import { type ModuleInfo, type ModuleStatus, moduleInfo, moduleStatus } from './module/list.ts'
import { type Loaded, type ModuleRequest, Modules, type RmmodOptions } from './module/loader.ts'
import type { ParamInput } from './module/parameters.ts'
import type { Ending } from './module/undo.ts'
import { Net, type NetFinder } from './net-namespace.ts'
import { Netlink } from './netlink/netlink.ts'
import type { UserSocket } from './netlink/user-socket.ts'
import { type Pernet, PernetList, type PernetOperations } from './pernet.ts'
import {
  type KERN_CONT,
  KERN_DEFAULT,
  KERN_ERR,
  KernelLog,
  type LogEntry,
  type LogLevel,
} from './printk/log.ts'
import { Rtnetlink } from './rtnetlink/index.ts'
import { Sched } from './sched/sched.ts'
import { SockDiag } from './sock-diag/index.ts'

/** What makes a kernel deterministic. */
export interface KernelInit {
  /** The machine's clock unless given. */
  readonly clock?: Clock
  /** Numbers from 0 to below 1; Math.random unless given. */
  readonly random?: () => number
  /** What the kernel is built without, as the option of Linux's configuration is called. */
  readonly without?: readonly 'BRIDGE_VLAN_FILTERING'[]
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
  /** What it is built without. */
  readonly without: ReadonlySet<string>
  /** The user namespace that every other descends from. */
  readonly initUserNs = new UserNamespace()
  /** The log itself: `dmesg()` and `printk()` are short for the most of it. */
  readonly log: KernelLog
  readonly modules: Modules
  readonly netlink: Netlink
  readonly genl: Genetlink
  readonly rtnl: Rtnetlink
  /** The tree that /sys shows, and its uevents. */
  readonly kobject: Kobjects
  readonly connector: Connector
  /** Process events (cn_proc), and simulated processes that cause them. */
  readonly procConnector: ProcConnector
  readonly processes: ProcessTable
  readonly cbus: Cbus
  readonly sockDiag: SockDiag
  /** The first network namespace; it lives as long as the kernel. */
  readonly initNet: Net
  /** Set by whoever serves this kernel to processes that move between namespaces. */
  netFinder: NetFinder | undefined
  readonly #random: () => number
  readonly #pernet = new PernetList()
  readonly #nets = new Set<Net>()
  readonly #threads = new Set<Kthread>()
  #cookie = 0
  #pid = FIRST_PID
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor({ clock = systemClock(), random = Math.random, without = [] }: KernelInit = {}) {
    this.clock = clock
    this.without = new Set(without)
    this.#random = random
    this.log = new KernelLog(clock)
    this.modules = new Modules(this)
    this.netlink = new Netlink(this)
    this.initNet = this.addNet()
    this.rtnl = new Rtnetlink(this)
    new Sched(this)
    this.genl = new Genetlink(this)
    this.kobject = new Kobjects(this)
    this.#watchObjects()
    this.connector = new Connector(this)
    this.procConnector = new ProcConnector(this, this.connector)
    this.processes = new ProcessTable(this.procConnector)
    this.cbus = new Cbus(this, this.connector)
    this.sockDiag = new SockDiag(this)
  }
  /** A number from 0 to below 1. */
  random(): number {
    return this.#random()
  }
  /**
   * Adds a line to the kernel's log, as a warning unless a level is given. With KERN_CONT it goes on
   * with the line before, if that did not end in a newline.
   */
  printk(text: string): void
  printk(level: LogLevel | typeof KERN_CONT, text: string): void
  printk(first: LogLevel | typeof KERN_CONT | string, text?: string): void {
    if (typeof first === 'string') this.log.printk(KERN_DEFAULT, first)
    else this.log.printk(first, text ?? '')
  }
  /** The kernel's log, oldest line first. */
  dmesg(): LogEntry[] {
    return this.log.entries()
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
  /**
   * A setting of the network, by its name below /proc/sys: `net.ipv4.conf.lo.rp_filter`, or with
   * slashes.
   * @throws NetlinkError ENOENT, EIO for one that was never set.
   */
  sysctl(name: string, net: Net = this.initNet): string {
    return this.rtnl.stackOf(net).sysctls.read(name)
  }
  /**
   * Changes one, with all that follows: `sysctl -w`.
   * @throws NetlinkError ENOENT, EINVAL for what is no number or out of range, EACCES for one that
   * is only read, EIO.
   */
  setSysctl(name: string, value: string | number, net: Net = this.initNet): void {
    this.#checkOpen()
    this.rtnl.stackOf(net).sysctls.write(name, String(value))
  }
  /**
   * kthread_run(): starts a kernel thread. One that a module's `init` starts is stopped with the
   * module, the others with the kernel. What it throws is logged.
   */
  kthreadRun(name: string, run: ThreadFunction): Kthread {
    this.#checkOpen()
    const thread = new Kthread(name, run, (ended, error) => {
      this.#threads.delete(ended)
      if (error === undefined) return
      const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
      this.printk(KERN_ERR, `kthread ${name}: ${text}`)
    })
    this.#threads.add(thread)
    this.modules.current?.own(() => this.#threads.has(thread) && thread.stop() !== undefined)
    return thread
  }
  /** The kernel threads that run. */
  kthreads(): Kthread[] {
    return [...this.#threads]
  }

  /** Loads a module: see `Modules.insmod`. */
  insmod<R>(
    module: ModuleDefinition<ParamTypes, Externs, Exports, R>,
    params?: ParamInput,
    request?: ModuleRequest,
  ): Loaded<R> {
    return this.modules.insmod(module, params, request)
  }
  /** Unloads a module: see `Modules.rmmod`. */
  rmmod(name: string, options?: RmmodOptions): Ending {
    return this.modules.rmmod(name, options)
  }
  /** The modules that are loaded, the newest first. */
  lsmod(): ModuleStatus[] {
    return this.modules.list().map(moduleStatus)
  }
  /** What a loaded module, or one that might be, says of itself. @throws NetlinkError ENOENT. */
  modinfo(which: string | ModuleDefinition): ModuleInfo {
    const definition = typeof which === 'string' ? this.modules.find(which)?.definition : which
    if (definition) return moduleInfo(definition)
    throw new NetlinkError('ENOENT', { message: `Module ${which} not found.` })
  }

  /** register_pernet_subsys(): runs `init` in every namespace, those to come included. */
  registerPernet<T>(operations: PernetOperations<T>): Pernet<T> {
    const pernet = this.#pernet.register(operations, this.#nets)
    this.modules.current?.own(() => this.#pernet.unregister(pernet, this.#nets))
    return pernet
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

  /**
   * Unloads every module, closes every socket and ends every namespace. Harmless when repeated:
   * all calls resolve when it is done.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    const unloading = this.modules.close()
    if (unloading !== undefined) await unloading
    const threads = this.kthreads()
    if (threads.length > 0) await Promise.all(threads.map((thread) => thread.stop()))
    this.cbus.close()
    this.connector.close()
    this.netlink.close()
    for (const net of this.nets().reverse()) this.#cleanup(net)
    this.log.close()
  }
  /** What in the kernel has an object in the tree: modules and network devices. */
  #watchObjects(): void {
    this.modules.notifier.register(moduleObjects(this.kobject))
    const devices = new NetDeviceObjects(this.kobject)
    this.registerPernet({ init: (net) => devices.watch(this.rtnl.stackOf(net)) })
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
    for (const other of this.#nets) other.forgetNsid(net)
    try {
      this.#pernet.cleanup(net)
    } finally {
      this.#nets.delete(net)
      this.netlink.forgetNet(net)
    }
  }
}
