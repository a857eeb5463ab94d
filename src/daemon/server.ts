/** A kernel served to other processes, on a Unix socket. */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import { type Credentials, nsCapable } from '../kernel/credentials.ts'
import { devIoctl } from '../kernel/ioctl/dev-ioctl.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { KernelSocketOps } from '../kernel/netlink/ops.ts'
import type { UserSocket } from '../kernel/netlink/user-socket.ts'
import { KERN_WARNING } from '../kernel/printk/log.ts'
import { loadAddon } from '../transport/addon.ts'
import type { NativeSocket } from '../transport/native-socket.ts'
import { SO_SNDBUF, SOL_SOCKET } from '../transport/options.ts'
import { PIN_SERVER_ANSWER, PIN_SERVER_REQUEST } from '../transport/pins.ts'
import { type Armed, type Readiness, readinessOf } from '../transport/readiness.ts'
import { ANSWER_SIZE, PAYLOAD_MAX, REQUEST_SIZE } from '../transport/wire-protocol.ts'
import { peerCredentials } from './admission.ts'
import { Client } from './client.ts'
import { MachineNamespaces } from './machine-namespaces.ts'
import type { Outlet } from './outlet.ts'
import { type Claim, claim, defaultPath, makePrivateFolder, ownUid } from './place.ts'
import { type Ioctl, type OpenOps, Shims } from './shims.ts'

/** How a kernel is served. */
export interface ServeOptions {
  /** The socket's path; in the user's runtime folder unless given. */
  readonly path?: string | undefined
  /** Sockets that may be open at a time, of all clients together: 10,000 unless given. */
  readonly maxClients?: number
}

const MAX_CLIENTS = 10_000
/** Connections that are taken before others are served. */
const ACCEPTS = 64
/** Milliseconds until clients are let in again after the descriptors were used up. */
const PAUSE = 100
/** Milliseconds of being the only one that wants anything, until others are not expected. */
const ALONE = 50
const SEND_BUFFER = 2 * PAYLOAD_MAX

/** Who is served in turns. */
type Turn = Required<Pick<Armed, 'ready'>>

interface Buffers {
  readonly request: Uint8Array<ArrayBuffer>
  readonly answer: Uint8Array<ArrayBuffer>
}

const shared = Symbol.for('nlkit.daemon')

/** All servers of a thread take turns with them: they are pinned under numbers of their own. */
function buffersOf(native: NativeSocket & { [shared]?: Buffers }): Buffers {
  if (native[shared] === undefined) {
    const request = new Uint8Array(REQUEST_SIZE + PAYLOAD_MAX)
    const answer = new Uint8Array(ANSWER_SIZE + PAYLOAD_MAX)
    native.pin(PIN_SERVER_REQUEST, request)
    native.pin(PIN_SERVER_ANSWER, answer)
    native[shared] = { request, answer }
  }
  return native[shared]
}

/**
 * Serves a kernel to other processes from its making until `close()`, which leaves the kernel as it
 * is. The clients share it.
 */
export class Server implements Armed {
  readonly kernel: Kernel
  readonly path: string
  readonly native: NativeSocket
  readonly readiness: Readiness
  /** The request that is being answered, and the answer that is being made. */
  readonly request: Uint8Array
  readonly requestView: DataView
  readonly answer: Uint8Array
  readonly answerView: DataView
  readonly shims: Shims
  readonly namespaces: MachineNamespaces
  #payload: Uint8Array
  readonly #parts: [Uint8Array]
  readonly #owner = ownUid()
  readonly #maxClients: number
  readonly #claim: Claim
  readonly #clients = new Set<Client>()
  /** Whose answer is held back in `answer`. */
  holder: Outlet | undefined
  /** Who was served last, and since when nobody else was, milliseconds. */
  #last: Client | undefined
  #since = 0
  /** Those with something to be told of. */
  #woken: Client[] = []
  #isFlushing = false
  /** Those whose turn was over before their requests were. */
  #waiting: Turn[] = []
  #isClosed = false

  /** @throws NetlinkError as `claim` does; NETLINK_NO_NATIVE, NETLINK_PLATFORM. */
  constructor(kernel: Kernel, { path, maxClients = MAX_CLIENTS }: ServeOptions) {
    this.kernel = kernel
    this.native = loadAddon()
    this.readiness = readinessOf(this.native)
    this.path = path ?? defaultPath()
    this.#maxClients = maxClients
    if (path === undefined) makePrivateFolder(this.path)
    const { request, answer } = buffersOf(this.native)
    this.request = request
    this.requestView = new DataView(request.buffer)
    this.answer = answer
    this.answerView = new DataView(answer.buffer)
    this.#payload = answer
    this.#parts = [request]
    this.namespaces = new MachineNamespaces(kernel)
    kernel.netFinder = this.namespaces
    const open: OpenOps = (netns, type, protocol, credentials) => {
      const net = this.namespaces.find(netns, credentials.pid)
      const sock = kernel.netlink.socket(net, protocol, credentials)
      sock.type = type
      return new KernelSocketOps(sock)
    }
    this.shims = new Shims(this, open, (each) => this.#ioctl(each), this.#owner)
    this.#claim = claim(this.native, this.path)
    this.readiness.arm(this, this.#claim.fd)
    this.readiness.count(1)
  }
  get clients(): number {
    return this.#clients.size + this.shims.size
  }

  /** Clients want in. */
  ready(): void {
    for (let left = ACCEPTS; left > 0 && !this.#isClosed; left--) {
      const fd = this.native.accept(this.#claim.fd)
      if (fd >= 0) this.#admit(fd)
      else if (this.#isExhausted(fd)) return
      else break
    }
    if (!this.#isClosed) this.readiness.arm(this, this.#claim.fd)
  }
  /** Without descriptors accept(2) would fail again and again. */
  #isExhausted(errno: number): boolean {
    const code = errnoName(errno)
    if (code !== 'EMFILE' && code !== 'ENFILE' && code !== 'ENOMEM' && code !== 'ENOBUFS')
      return false
    this.kernel.printk(KERN_WARNING, `daemon: a client was not let in: ${code}`)
    setTimeout(() => {
      if (!this.#isClosed) this.readiness.arm(this, this.#claim.fd)
    }, PAUSE).unref()
    return true
  }
  #admit(fd: number): void {
    try {
      if (this.clients >= this.#maxClients) throw new NetlinkError('EMFILE')
      this.native.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
      this.#clients.add(new Client(this, fd, peerCredentials(this.native, fd, this.#owner)))
    } catch (error) {
      this.native.close(fd)
      this.kernel.printk(KERN_WARNING, `daemon: a client was not let in: ${error}`)
    }
  }
  forget(client: Client): void {
    this.#clients.delete(client)
    if (this.#last === client) this.#last = undefined
  }
  /** `client` is being served: whether nobody else was for a while. */
  isAlone(client: Client): boolean {
    const now = performance.now()
    if (this.#last !== client) {
      this.#last = client
      this.#since = now
    }
    return now - this.#since >= ALONE
  }

  /** socket(2) in the namespace of that name, or in the first one. @throws NetlinkError */
  socket(net: string, protocol: number, credentials: Credentials): UserSocket {
    const { kernel } = this
    return kernel.netlink.socket(
      net === '' ? kernel.initNet : kernel.net(net),
      protocol,
      credentials,
    )
  }
  #ioctl({ netns, domain, request, argument, current }: Ioctl): number {
    const { kernel } = this
    const net = this.namespaces.find(netns, current.pid)
    const mayChange = nsCapable(current, net.userNs, 'CAP_NET_ADMIN')
    return devIoctl(kernel.rtnl.stackOf(net), domain, request, argument, mayChange)
  }
  /** The payload of the request, which has `size` bytes in all. */
  parts(size: number): readonly Uint8Array[] {
    if (this.#parts[0].length !== size - REQUEST_SIZE)
      this.#parts[0] = this.request.subarray(REQUEST_SIZE, size)
    return this.#parts
  }
  /** Where the payload of the answer goes: `size` bytes. */
  payload(size: number): Uint8Array {
    if (this.#payload.length !== size)
      this.#payload = this.answer.subarray(ANSWER_SIZE, ANSWER_SIZE + size)
    return this.#payload
  }

  /** There is something for `client`: it is told soon, not in the middle of somebody's call. */
  wake(client: Client): void {
    if (this.#woken.push(client) === 1 && !this.#isFlushing) queueMicrotask(() => this.flush())
  }
  /** Tells those that have something to be told of. */
  flush(): void {
    if (this.#woken.length === 0 || this.#isFlushing) return
    this.holder?.letGo()
    this.#isFlushing = true
    try {
      while (this.#woken.length > 0) {
        const woken = this.#woken
        this.#woken = []
        for (const client of woken) client.tell()
      }
    } finally {
      this.#isFlushing = false
    }
  }
  /** `client` has more to ask, and waits until the others had their turn. */
  serveLater(client: Turn): void {
    if (this.#waiting.push(client) > 1) return
    setImmediate(() => {
      const waiting = this.#waiting
      this.#waiting = []
      for (const each of waiting) each.ready(waiting.length === 1)
    })
  }

  /** Ends every client's connection, and gives the path back. Harmless when repeated. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#claim.release()
    this.native.disarm(this.#claim.fd)
    this.native.close(this.#claim.fd)
    for (const client of [...this.#clients]) client.close()
    this.shims.close()
    this.namespaces.close()
    this.readiness.count(-1)
  }
}
