/** The kernel's end of a ring transport: opens the sockets that another thread asks for. */
import { type Frame, FrameRing } from './frame-ring.ts'
import { type Answer, type Ask, type Port, packError, type RingInit } from './ring-protocol.ts'
import type { Socket, Transport } from './transport.ts'

const EAGAIN = -11
const EBADF = -9
const EPROTO = -71
const ENOBUFS = -105
/** Datagrams of one socket that are sent before the event loop has its turn. */
const TURN = 256
/** Outcomes of sends that wait for room. */
const MOST_OUTCOMES = 64
/** Sockets that one thread may have open. */
const MOST_SOCKETS = 10_000

/** Serves the sockets of one other thread. */
export interface RingServer {
  /** Sockets that are open. */
  readonly sockets: number
  /** Closes them all, and the port. Harmless when repeated. */
  close(): void
}

/**
 * Opens sockets of `transport` for `ringTransport` at the other end of `port`. When that thread ends
 * its sockets are closed, as those of a process are.
 */
export function serveRings(transport: Transport, port: Port): RingServer {
  return new Server(transport, port)
}

class Server implements RingServer {
  readonly #transport: Transport
  readonly #port: Port
  readonly #sockets = new Map<number, Served>()
  readonly #scratch = new Scratch()
  #lastId = 0
  #isClosed = false

  constructor(transport: Transport, port: Port) {
    this.#transport = transport
    this.#port = port
    port.addEventListener('message', ({ data }) => void this.#hear(data as Ask & { ask: number }))
    port.addEventListener('close', () => this.close())
    port.start?.()
  }
  get sockets(): number {
    return this.#sockets.size
  }
  async #hear(asked: Ask & { readonly ask: number }): Promise<void> {
    if (asked.kind === 'wake') return this.#sockets.get(asked.socket)?.wake()
    if (asked.kind === 'close') return this.#release(asked.socket)
    try {
      this.#answer(await this.#serve(asked))
    } catch (error) {
      this.#answer({ ask: asked.ask, error: packError(error) })
    }
  }
  #answer(answer: Answer): void {
    if (!this.#isClosed) this.#port.postMessage(answer)
  }
  /** @throws NetlinkError what the socket says; TypeError for memory that is none of a ring. */
  async #serve(asked: Ask & { readonly ask: number }): Promise<Answer> {
    const { ask } = asked
    if (asked.kind === 'open') return this.#open(ask, asked)
    const socket = this.#sockets.get((asked as { socket: number }).socket)?.socket
    if (!socket) throw new TypeError('there is no such socket')
    if (asked.kind === 'option') await socket.setOption(asked.name, asked.value as never)
    else if (asked.kind === 'filter') await socket.attachFilter(asked.program)
    else if (asked.kind === 'join') await socket.join(asked.group)
    else if (asked.kind === 'leave') await socket.leave(asked.group)
    else throw new TypeError('there is no such request')
    return { ask, kind: 'done', receiveBuffer: socket.receiveBuffer }
  }
  async #open(ask: number, { init, rings }: Ask & { kind: 'open' }): Promise<Answer> {
    if (this.#sockets.size >= MOST_SOCKETS) throw new TypeError('too many sockets')
    const ends = { sent: new FrameRing(rings.sent), received: new FrameRing(rings.received) }
    const socket = await this.#transport.open(init)
    if (this.#isClosed) {
      socket.close()
      throw new TypeError('the ring is closed')
    }
    const id = ++this.#lastId
    const served = new Served(socket, ends, this.#scratch, () => this.#answer({ wake: id }))
    this.#sockets.set(id, served)
    const { portid, receiveBuffer } = socket
    return { ask, kind: 'opened', id, portid, receiveBuffer }
  }
  #release(id: number): void {
    this.#sockets.get(id)?.close()
    this.#sockets.delete(id)
  }
  close(): void {
    if (this.#isClosed) return
    for (const id of [...this.#sockets.keys()]) this.#release(id)
    this.#isClosed = true
    this.#port.close()
  }
}

/** Where a datagram is between socket and ring. */
class Scratch {
  bytes = new Uint8Array(4096)
  reserve(size: number): void {
    if (this.bytes.length < size) this.bytes = new Uint8Array(size)
  }
}

/** One socket: what is in its ring is sent, what it receives is put into the other. */
class Served {
  readonly socket: Socket
  readonly #sent: FrameRing
  readonly #received: FrameRing
  readonly #wakePeer: () => void
  readonly #frame: Frame = { status: 0, portid: 0, group: 0, nsid: 0 }
  readonly #end = new AbortController()
  /** Refusals of sends that are still to be told. */
  readonly #outcomes: number[] = []
  readonly #scratch: Scratch
  #wakePump: (() => void) | undefined
  #isDraining = false

  constructor(
    socket: Socket,
    { sent, received }: { [K in keyof RingInit]: FrameRing },
    scratch: Scratch,
    wakePeer: () => void,
  ) {
    this.socket = socket
    this.#sent = sent
    this.#received = received
    this.#scratch = scratch
    this.#wakePeer = wakePeer
    this.#drain()
    void this.#pump()
  }
  /** The other side has sent something, or made room. */
  wake(): void {
    if (!this.#isDraining) this.#drain()
    this.#wakePump?.()
  }
  close(): void {
    if (this.#end.signal.aborted) return
    this.#end.abort()
    this.#drain()
    this.#received.close()
    this.socket.close()
    this.#wakePump?.()
    this.#wakePeer()
  }

  /** Sends what the other side has written, a turn's worth. */
  #drain(): void {
    this.#isDraining = false
    if (this.#sent.isClosed) return
    for (let left = TURN; left > 0; left--) {
      if (this.#sent.isEmpty) {
        this.#sent.readerSleeps()
        if (this.#sent.isEmpty) return
      }
      if (!this.#sendOne()) return
    }
    this.#isDraining = true
    setTimeout(() => this.#drain(), 0)
  }
  /** @returns whether there may be more. */
  #sendOne(): boolean {
    const frame = this.#frame
    let length: number
    try {
      this.#scratch.reserve(this.#sent.largest)
      length = this.#sent.read(frame, this.#scratch.bytes)
    } catch {
      this.#tell(EPROTO)
      this.#sent.close()
      return false
    }
    if (length < 0) return false
    const to = frame.status === 1 ? { portid: frame.portid, group: frame.group } : undefined
    const result = this.socket.send([this.#scratch.bytes.subarray(0, length)], to)
    if (result < 0) this.#tell(result === EAGAIN ? ENOBUFS : result)
    return result !== EBADF
  }
  #tell(errno: number): void {
    if (this.#outcomes.length < MOST_OUTCOMES) this.#outcomes.push(errno)
    else this.#outcomes[MOST_OUTCOMES - 1] = ENOBUFS
    this.#wakePump?.()
  }

  /** Puts into the ring what the socket receives, as long as there is room. */
  async #pump(): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      const outcome = this.#outcomes[0]
      const size = outcome === undefined ? this.#size() : 0
      if (size < 0 || !this.#received.hasRoom(size)) await this.#roomOrWake(size)
      else if (outcome !== undefined) {
        this.#outcomes.shift()
        this.#put(outcome, [])
      } else if (!this.#receiveOne(size)) await this.#readable(signal)
    }
  }
  /** Bytes to ask the socket for; -1 as long as nobody has read. */
  #size(): number {
    const { pull, largest } = this.#received
    return pull <= 0 ? -1 : Math.min(pull, largest)
  }
  async #roomOrWake(size: number): Promise<void> {
    this.#received.writerSleeps()
    const isStill = size < 0 ? this.#size() < 0 : !this.#received.hasRoom(size)
    if (!isStill || this.#end.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#wakePump = resolve
    })
    this.#wakePump = undefined
  }
  /** Sleeps until the socket has something, or there is an outcome to tell. */
  async #readable(signal: AbortSignal): Promise<void> {
    const told = new Promise<void>((resolve) => {
      this.#wakePump = resolve
    })
    const abort = new AbortController()
    const any = AbortSignal.any([signal, abort.signal])
    await Promise.race([told, this.socket.readable(any)]).catch(() => {})
    abort.abort()
    this.#wakePump = undefined
  }
  #receiveOne(size: number): boolean {
    this.#scratch.reserve(size)
    const buffer = this.#scratch.bytes.subarray(0, size)
    const { socket } = this
    const status = socket.receive(buffer)
    if (status === EAGAIN) return false
    const stored = Math.max(0, Math.min(status, size))
    this.#put(status, [buffer.subarray(0, stored)])
    if (status === EBADF) this.close()
    return true
  }
  #put(status: number, parts: readonly Uint8Array[]): void {
    const { senderPortid: portid, senderGroup: group, senderNsid: nsid } = this.socket
    this.#received.write({ status, portid, group, nsid }, parts)
    if (this.#received.wakesReader()) this.#wakePeer()
  }
}
