/** The door for unmodified programs: Unix sockets on one side, connections of a bus on the other. */
import { errnoName } from '../../errno.ts'
import type { Kernel, UserSocket } from '../../kernel/index.ts'
import { loadAddon } from '../../transport/addon.ts'
import type { NativeSocket } from '../../transport/native-socket.ts'
import type { PeerCredentials } from '../bus/peer.ts'
import type { DbusBus, DbusRouter } from '../netlink/router.ts'
import { Client } from './client.ts'
import { type Listening, listenAtAll } from './listener.ts'
import { peerCredentialsOf } from './peer-credentials.ts'
import { MECHANISMS, type Mechanism } from './sasl.ts'
import { REPORT, type Stream, type Streams, streamsOf } from './streams.ts'

/** NETLINK_GENERIC. */
const PROTOCOL = 16
const KERN_INFO = 6
/** Connections that are taken before others are served. */
const ACCEPTS = 64
/** Milliseconds until clients are let in again after descriptors were used up. */
const PAUSE = 100

export interface GatewayOptions {
  /** Where to listen, as addresses of the specification. */
  readonly listen: readonly string[]
  /** Mechanisms of authentication; all unless given. */
  readonly mechanisms?: readonly Mechanism[]
  /** Whether who says nobody's name may come in. */
  readonly allowAnonymous?: boolean
  /** Hears why somebody was let go; the kernel's log unless given. */
  readonly log?: (line: string) => void
}

export class Gateway {
  readonly router: DbusRouter
  readonly bus: DbusBus
  readonly native: NativeSocket
  readonly streams: Streams
  readonly mechanisms: readonly Mechanism[]
  readonly allowAnonymous: boolean
  readonly log: (line: string) => void
  readonly #kernel: Kernel
  readonly #listening: readonly Listening[]
  readonly #doors: readonly Door[]
  readonly #clients = new Set<Client>()
  #isClosed = false

  /**
   * Lets programs into `bus`.
   * @throws NetlinkError as `listenAtAll` does; NETLINK_NO_NATIVE, NETLINK_PLATFORM.
   */
  constructor(router: DbusRouter, bus: DbusBus, options: GatewayOptions) {
    this.router = router
    this.bus = bus
    this.#kernel = router.kernel
    this.native = loadAddon()
    this.streams = streamsOf(this.native)
    this.mechanisms = options.mechanisms ?? MECHANISMS
    this.allowAnonymous = options.allowAnonymous ?? false
    this.log = options.log ?? ((line) => this.#kernel.printk(KERN_INFO, `dbus: ${line}`))
    this.#listening = listenAtAll(this.native, options.listen)
    this.#doors = this.#listening.map(({ fd }) => new Door(this, fd))
    this.streams.count(1)
  }

  /** How clients find it: `unix:path=/tmp/dbus-x,guid=…`, one for each place, with `;` between. */
  get address(): string {
    const { guid } = this.bus.bus
    return this.#listening.map(({ address }) => `${address},guid=${guid}`).join(';')
  }
  get clients(): number {
    return this.#clients.size
  }
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether so many are on their way in that nobody else is let in. */
  get isCrowded(): boolean {
    const { peers, limits } = this.bus.bus
    return this.#clients.size - peers.size >= limits.maxIncompleteConnections
  }

  /** A new connection, whose descriptor is `fd`. */
  admit(fd: number): void {
    try {
      this.#clients.add(new Client(this, fd, peerCredentialsOf(this.native, fd)))
    } catch (error) {
      this.native.close(fd)
      this.log(`a client was not let in: ${(error as Error).message}`)
    }
  }

  /** A netlink socket for a client, as if its process had opened it. */
  socketFor({ pid = 0, uid = 65_534, gids }: PeerCredentials): UserSocket {
    const sock = this.#kernel.netlink.socket(this.#kernel.initNet, PROTOCOL, {
      pid,
      uid,
      gid: gids?.[0] ?? 65_534,
      capabilities: uid === (process.getuid?.() ?? 0) ? 'all' : new Set(),
    })
    sock.bind()
    return sock
  }

  /** Arms a timer that keeps no process alive; what it returns cancels it. */
  timer(milliseconds: number, expired: () => void): () => void {
    const timer = setTimeout(expired, Math.min(milliseconds, 2 ** 31 - 1)).unref()
    return () => clearTimeout(timer)
  }

  /** Somebody said Hello: there may be room for others. */
  completed(): void {
    for (const door of this.#doors) door.open()
  }

  forget(client: Client): void {
    this.#clients.delete(client)
    if (!this.#isClosed) this.completed()
  }

  /** Ends every connection, and gives the places back. Harmless when repeated. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const door of this.#doors) door.close()
    for (const { release } of this.#listening) release()
    for (const client of [...this.#clients]) client.close()
    this.streams.count(-1)
  }
}

/** One place where clients come in. */
class Door implements Stream {
  readonly takesNew = true
  readonly #gateway: Gateway
  readonly #fd: number
  #isOpen = false

  constructor(gateway: Gateway, fd: number) {
    this.#gateway = gateway
    this.#fd = fd
    this.open()
  }

  /** Waits for clients, unless it does or there are too many. */
  open(): void {
    if (this.#isOpen || this.#gateway.isClosed || this.#gateway.isCrowded) return
    this.#isOpen = true
    this.#gateway.streams.watch(this, this.#fd, REPORT)
  }

  #shut(): void {
    if (this.#isOpen) this.#gateway.streams.unwatch(this.#fd)
    this.#isOpen = false
  }

  ready(): void {
    const { native, streams } = this.#gateway
    if (!this.#isOpen) return
    streams.isStill = false
    for (let left = ACCEPTS; left > 0 && !this.#gateway.isCrowded; left--) {
      const fd = native.accept(this.#fd)
      if (fd < 0) {
        if (!isExhausted(fd)) return
        this.#shut()
        this.#gateway.timer(PAUSE, () => this.open())
        return
      }
      this.#gateway.admit(fd)
    }
    if (this.#gateway.isCrowded) this.#shut()
  }

  close(): void {
    this.#isOpen = false
    this.#gateway.streams.close(this.#fd)
  }
}

/** Without descriptors accept(2) would fail again and again. */
function isExhausted(errno: number): boolean {
  return ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'].includes(errnoName(errno))
}
