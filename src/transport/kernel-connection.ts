/**
 * One connection to a served kernel: requests out, answers in, in order.
 *
 * A call waits for its answer as a system call would, for a bounded time: answers take some
 * microseconds, fewer than the event loop would. What is not there in time comes later, to whoever
 * gave a function for it. A kernel that was waited for in vain is not waited for again before it
 * has proved to be quick.
 */
import { NetlinkError } from '../errors.ts'
import { type NativeSocket, NOT_SENT } from './native-socket.ts'
import { PIN_CLIENT_PACKET, PIN_CLIENT_REQUEST } from './pins.ts'
import { readinessOf, type Watch } from './readiness.ts'
import {
  ANSWER_SIZE,
  AT_A,
  AT_B,
  AT_C,
  EAGAIN,
  EMSGSIZE,
  KIND_ANSWER,
  KIND_DATA,
  KIND_READY,
  PAYLOAD_MAX,
  REQUEST_SIZE,
} from './wire-protocol.ts'

/** Milliseconds that a call waits. */
const PATIENCE = 20
/** Answers that must come within PATIENCE, one after another, before calls wait again. */
const PROOFS = 4
const EINTR = -4
const ECONNRESET = -104

/** What the connections of one JavaScript thread share: each uses it for the time of a call. */
export interface Scratch {
  readonly native: NativeSocket
  readonly request: Uint8Array
  readonly requestView: DataView
  /** The last packet that came, and its view. */
  readonly packet: Uint8Array
  readonly view: DataView
}

const shared = Symbol.for('nlkit.served')

/** Kept with the addon, as readiness is. */
export function scratchOf(native: NativeSocket & { [shared]?: Scratch }): Scratch {
  if (native[shared] === undefined) {
    const request = new Uint8Array(REQUEST_SIZE + PAYLOAD_MAX)
    const packet = new Uint8Array(ANSWER_SIZE + PAYLOAD_MAX)
    native.pin(PIN_CLIENT_REQUEST, request)
    native.pin(PIN_CLIENT_PACKET, packet)
    native[shared] = {
      native,
      request,
      requestView: new DataView(request.buffer),
      packet,
      view: new DataView(packet.buffer),
    }
  }
  return native[shared]
}

/** What came: nothing yet, an answer, a datagram, word of one, or the end. */
export type Came = 'nothing' | 'answer' | 'data' | 'ready' | 'gone'

/** Reads the answer that has come from `scratch.view`; undefined: there will be none. */
export type Answered = (view: DataView | undefined) => void

/** Somebody who waits for an answer. */
interface Late {
  readonly answered: Answered
  /** When the request was put, milliseconds. */
  readonly since: number
}

const nothing: readonly Uint8Array[] = []

export class KernelConnection {
  readonly scratch: Scratch
  readonly #native: NativeSocket
  readonly #watch: Watch
  readonly #path: string
  /** -1 once closed. */
  #fd: number
  /** Who waits for answers that come later, in order. */
  #late: Late[] = []
  /** Quick answers since the last wait in vain, PROOFS at most. */
  #proofs = PROOFS
  /** How many of them keep the process alive. */
  #pumping = false
  #isGone = false
  /** Called for each packet that may bring a datagram to nobody in particular; reads `scratch`. */
  onData: () => void = () => {}
  /** Called when there is word of something to receive. */
  onReady: () => void = () => {}

  constructor(scratch: Scratch, fd: number, path: string) {
    this.scratch = scratch
    this.#native = scratch.native
    this.#watch = readinessOf(scratch.native).watch(fd)
    this.#fd = fd
    this.#path = path
    scratch.native.bePatient(fd, PATIENCE)
  }
  get isClosed(): boolean {
    return this.#fd < 0
  }
  /** Whether answers are to come. */
  get isLate(): boolean {
    return this.#late.length > 0
  }

  /**
   * Sends a request.
   * @returns 0, or a negative errno: -EAGAIN when too much is under way, -ECONNRESET when the
   * kernel has gone, -EMSGSIZE.
   */
  put(
    op: number,
    flags: number,
    a = 0,
    b = 0,
    c = 0,
    parts: readonly Uint8Array[] = nothing,
  ): number {
    if (this.#isGone) return ECONNRESET
    const size = this.#write(op, flags, a, b, c, parts)
    if (size < 0) return size
    return this.#sent(this.#native.sendFirst(this.#fd, PIN_CLIENT_REQUEST, size))
  }
  /**
   * Sends a request and waits for its answer, unless somebody else waits for one or answers have
   * proved to be slow.
   * @returns 1 when the answer is in `scratch`; 0 when it is to be expected; what `put` returns when
   * nothing was sent, -ECONNRESET also when the kernel goes meanwhile.
   */
  ask(
    op: number,
    flags: number,
    a = 0,
    b = 0,
    c = 0,
    parts: readonly Uint8Array[] = nothing,
  ): number {
    if (this.#late.length > 0 || this.#proofs < PROOFS) return this.put(op, flags, a, b, c, parts)
    if (this.#isGone) return ECONNRESET
    let size = this.#write(op, flags, a, b, c, parts)
    while (size >= 0) {
      const received = this.#native.converse(this.#fd, PIN_CLIENT_REQUEST, size, PIN_CLIENT_PACKET)
      if (received <= -NOT_SENT) return this.#sent(received + NOT_SENT)
      const came = this.#read(received)
      if (came === 'answer') return 1
      if (came === 'gone') return ECONNRESET
      if (came === 'nothing') {
        this.#proofs = 0
        return 0
      }
      size = 0
    }
    return size
  }
  /** Writes a request; its size, or -EMSGSIZE. */
  #write(
    op: number,
    flags: number,
    a: number,
    b: number,
    c: number,
    parts: readonly Uint8Array[],
  ): number {
    const { request, requestView } = this.scratch
    request[0] = op
    request[1] = flags
    requestView.setUint32(AT_A, a, true)
    requestView.setUint32(AT_B, b, true)
    requestView.setInt32(AT_C, c, true)
    let size = REQUEST_SIZE
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array
      if (size + part.length > request.length) return EMSGSIZE
      request.set(part, size)
      size += part.length
    }
    return size
  }
  /** What a send comes to. */
  #sent(sent: number): number {
    if (sent >= 0) return 0
    if (sent === EAGAIN || sent === EMSGSIZE) return sent
    this.#end()
    return ECONNRESET
  }

  /** Takes the next packet. An answer that somebody waits for is given to them. */
  take(): Came {
    if (this.#isGone) return 'gone'
    return this.#read(this.#native.receive(this.#fd, PIN_CLIENT_PACKET))
  }
  #read(size: number): Came {
    const { packet, view } = this.scratch
    if (size === EAGAIN || size === EINTR) return 'nothing'
    if (size < ANSWER_SIZE) return this.#end()
    switch (packet[0]) {
      case KIND_ANSWER: {
        const late = this.#late.shift()
        if (late === undefined) return 'answer'
        const isQuick = performance.now() - late.since < PATIENCE
        this.#proofs = isQuick ? Math.min(this.#proofs + 1, PROOFS) : 0
        this.onData()
        late.answered(view)
        this.#watch.wake()
        return 'answer'
      }
      case KIND_DATA:
        this.onData()
        this.#watch.wake()
        return 'data'
      case KIND_READY:
        this.onReady()
        this.#watch.wake()
        return 'ready'
      default:
        return this.#end()
    }
  }
  /** Takes all that has come. @returns whether the connection lives. */
  drain(): boolean {
    for (;;) {
      const came = this.take()
      if (came === 'nothing') return true
      if (came === 'gone') return false
    }
  }

  get isGone(): boolean {
    return this.#isGone
  }
  /** The answer to the request that was just put will be for `answered`. */
  expect(answered: Answered): void {
    this.#late.push({ answered, since: performance.now() })
  }

  /** Asks, and gives the answer to `read`. @throws NetlinkError NETLINK_CLOSED */
  async call<T>(ask: () => number, read: (view: DataView) => T): Promise<T> {
    if (this.#fd < 0) throw closed()
    let asked = ask()
    while (asked < 0) {
      if (this.#isGone) throw this.goneError()
      await this.readable()
      this.drain()
      asked = ask()
    }
    if (asked > 0) return read(this.scratch.view)
    return new Promise<T>((resolve, reject) => {
      this.expect((view) => {
        if (view === undefined) reject(this.#fd < 0 ? closed() : this.goneError())
        else resolve(read(view))
      })
      void this.#pump()
    })
  }
  /** Reads while there are answers to come. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#late.length > 0 && this.drain() && this.#late.length > 0) await this.readable()
    } catch {
      // Closed meanwhile, and all who waited know.
    } finally {
      this.#pumping = false
    }
  }

  /** Waits until a packet is there, or was taken by somebody else. */
  readable(signal?: AbortSignal): Promise<void> {
    return this.#watch.wait(signal)
  }
  /** Lets those in `readable` look again. */
  wake(): void {
    this.#watch.wake()
  }
  goneError(): NetlinkError {
    return new NetlinkError('NETLINK_CLOSED', {
      message: `the kernel at ${this.#path} has gone`,
    })
  }

  /** Harmless when repeated. */
  close(): void {
    if (this.#fd < 0) return
    this.#watch.close()
    this.#native.close(this.#fd)
    this.#fd = -1
    this.#isGone = true
    this.#giveUp()
  }
  #end(): 'gone' {
    this.#isGone = true
    this.#giveUp()
    this.#watch.wake()
    return 'gone'
  }
  #giveUp(): void {
    for (const { answered } of this.#late.splice(0)) answered(undefined)
  }
}

function closed(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'the socket is closed' })
}
