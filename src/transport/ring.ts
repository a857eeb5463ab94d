/**
 * The transport between threads: datagrams go through rings in shared memory, one for each direction
 * of each socket, and no message is sent for them as long as both sides are awake. It takes the
 * place of the memory-mapped I/O that Linux had until 4.6 (NETLINK_RX_RING, NETLINK_TX_RING).
 *
 *   const { port1, port2 } = new MessageChannel()
 *   serveRings(kernel.transport(), port1)                                // where the kernel is
 *   new Worker(file, { workerData: port2, transferList: [port2] })
 *   const nl = await open({ kernel: { transport: () => ringTransport(workerData) } })  // in there
 *
 * A ring is bounded. A send that finds no room answers -EAGAIN. What the reader does not read stays
 * in the kernel's queue once the ring is full, and what is lost there is told as an overrun, in its
 * place. The outcome of a send is known later: a refusal is what the next `receive` answers.
 */
import { NetlinkError } from '../errors.ts'
import { type Frame, FrameRing } from './frame-ring.ts'
import {
  type Answer,
  type Ask,
  type Opened,
  type Port,
  RING_BYTES,
  type RingInit,
  unpackError,
} from './ring-protocol.ts'
import type { Address, Socket, SocketInit, SocketOptions, Transport } from './transport.ts'

const EAGAIN = -11
const EBADF = -9
const EPROTO = -71
const EMSGSIZE = -90
const ENODATA = -61
const ECONNRESET = -104

export interface RingOptions {
  /** Bytes of each ring, two for each socket: 256 KiB unless given. */
  readonly ringBytes?: number
}

/** Sockets through `port`, at whose other end `serveRings` is. Closing it closes them all. */
export function ringTransport(port: Port, { ringBytes = RING_BYTES }: RingOptions = {}): Transport {
  const line = new Line(port)
  return {
    async open(init) {
      const rings: RingInit = {
        sent: FrameRing.create(ringBytes).memory,
        received: FrameRing.create(ringBytes).memory,
      }
      const { id, portid, receiveBuffer } = await line.open(init, rings)
      return line.add(new RingSocket(line, id, init.protocol, portid, receiveBuffer, rings))
    },
    close: () => line.close(),
  }
}

/** What the sockets share: the port, and who waits for its answers. */
class Line {
  readonly #port: Port
  readonly #sockets = new Map<number, RingSocket>()
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #lastId = 0
  #isClosed = false

  constructor(port: Port) {
    this.#port = port
    port.addEventListener('message', ({ data }) => this.#hear(data as Answer))
    port.addEventListener('close', () => this.close())
    port.start?.()
    this.#hold()
  }
  #hear(answer: Answer): void {
    if ('wake' in answer) {
      this.#sockets.get(answer.wake)?.wake()
      return
    }
    const waiter = this.#waiting.get(answer.ask)
    this.#waiting.delete(answer.ask)
    this.#hold()
    waiter?.(answer)
  }
  /** Answers that are to come, and sockets that wait, keep the thread alive. */
  #hold(): void {
    let isBusy = this.#waiting.size > 0
    for (const socket of this.#sockets.values()) isBusy ||= socket.isWaiting
    if (isBusy) this.#port.ref?.()
    else this.#port.unref?.()
  }
  hold(): void {
    this.#hold()
  }
  open(init: SocketInit, rings: RingInit): Promise<Opened> {
    return this.ask({ kind: 'open', init, rings }) as Promise<Opened>
  }
  /** @throws NetlinkError that the other side's call threw; NETLINK_CLOSED. */
  ask(what: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw gone()
      const id = ++this.#lastId
      this.#waiting.set(id, (answer) => {
        if ('error' in answer) reject(unpackError(answer.error))
        else resolve(answer)
      })
      this.#hold()
      this.#port.postMessage({ ...what, ask: id })
    })
  }
  add(socket: RingSocket): RingSocket {
    this.#sockets.set(socket.id, socket)
    return socket
  }
  wakePeer(id: number): void {
    if (!this.#isClosed) this.#port.postMessage({ kind: 'wake', socket: id })
  }
  release(id: number): void {
    if (this.#sockets.delete(id) && !this.#isClosed)
      this.#port.postMessage({ kind: 'close', socket: id })
    this.#hold()
  }
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const socket of this.#sockets.values()) socket.wake()
    for (const [ask, waiter] of this.#waiting)
      waiter({ ask, error: { code: 'NETLINK_CLOSED', message: 'the other thread has gone' } })
    this.#waiting.clear()
    this.#port.close()
  }
  get isClosed(): boolean {
    return this.#isClosed
  }
}

class RingSocket implements Socket {
  readonly id: number
  readonly protocol: number
  readonly portid: number
  receiveBuffer: number
  senderPortid = 0
  senderGroup = 0
  senderNsid = -1
  readonly #line: Line
  readonly #sent: FrameRing
  readonly #received: FrameRing
  readonly #frame: Frame = { status: 0, portid: 0, group: 0, nsid: 0 }
  readonly #waiters = new Set<() => void>()
  #isClosed = false

  constructor(
    line: Line,
    id: number,
    protocol: number,
    portid: number,
    receiveBuffer: number,
    rings: RingInit,
  ) {
    this.#line = line
    this.id = id
    this.protocol = protocol
    this.portid = portid
    this.receiveBuffer = receiveBuffer
    this.#sent = new FrameRing(rings.sent)
    this.#received = new FrameRing(rings.received)
  }
  get isWaiting(): boolean {
    return this.#waiters.size > 0
  }
  #isGone(): boolean {
    return this.#line.isClosed || this.#received.isClosed
  }

  send(parts: readonly Uint8Array[], to?: Address): number {
    if (this.#isClosed) return EBADF
    if (this.#isGone()) return ECONNRESET
    let length = 0
    for (let i = 0; i < parts.length; i++) length += (parts[i] as Uint8Array).length
    if (length === 0) return ENODATA
    if (length > this.#sent.largest) return EMSGSIZE
    const { portid = 0, group = 0 } = to ?? {}
    const frame = { status: to ? 1 : 0, portid, group, nsid: -1 }
    if (!this.#sent.write(frame, parts)) return EAGAIN
    if (this.#sent.wakesReader()) this.#line.wakePeer(this.id)
    return length
  }
  receive(buffer: Uint8Array): number {
    if (this.#isClosed) return EBADF
    const ring = this.#received
    const frame = this.#frame
    if (ring.pull !== buffer.length) ring.pull = Math.max(1, buffer.length)
    let stored: number
    try {
      stored = ring.read(frame, buffer)
    } catch {
      return EPROTO
    }
    if (ring.wakesWriter()) this.#line.wakePeer(this.id)
    if (stored < 0) return this.#isGone() ? ECONNRESET : EAGAIN
    if (frame.status < 0) return frame.status
    this.senderPortid = frame.portid
    this.senderGroup = frame.group
    this.senderNsid = frame.nsid
    return frame.status
  }
  async readable(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const ring = this.#received
    if (ring.pull === 0) ring.pull = 4096
    for (;;) {
      if (this.#isClosed) throw closed()
      if (!ring.isEmpty) return
      if (this.#isGone()) throw gone()
      ring.readerSleeps()
      if (ring.wakesWriter()) this.#line.wakePeer(this.id)
      if (ring.isEmpty) await this.#sleep(signal)
    }
  }
  #sleep(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(wake)
        signal?.removeEventListener('abort', abort)
        this.#line.hold()
      }
      const wake = (): void => {
        end()
        resolve()
      }
      const abort = (): void => {
        end()
        reject(signal?.reason)
      }
      this.#waiters.add(wake)
      signal?.addEventListener('abort', abort, { once: true })
      this.#line.hold()
    })
  }
  /** There is something to read, or the other side is gone. */
  wake(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }
  async setOption<K extends keyof SocketOptions>(
    name: K,
    value: NonNullable<SocketOptions[K]>,
  ): Promise<void> {
    const answer = await this.#ask({ kind: 'option', socket: this.id, name, value })
    if ('receiveBuffer' in answer) this.receiveBuffer = answer.receiveBuffer
  }
  async attachFilter(program?: Uint8Array): Promise<void> {
    await this.#ask({ kind: 'filter', socket: this.id, program })
  }
  async join(group: number): Promise<void> {
    await this.#ask({ kind: 'join', socket: this.id, group })
  }
  async leave(group: number): Promise<void> {
    await this.#ask({ kind: 'leave', socket: this.id, group })
  }
  async #ask(what: Ask): Promise<Answer> {
    if (this.#isClosed) throw closed()
    return this.#line.ask(what)
  }
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#line.release(this.id)
    this.wake()
  }
}

function closed(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'the socket is closed' })
}
function gone(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'the other thread has gone' })
}
