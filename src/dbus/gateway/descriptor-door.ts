/** Where clients that speak netlink exchange descriptors for tokens, and tokens for descriptors. */
import { NetlinkError } from '../../errors.ts'
import type { NativeSocket } from '../../transport/native-socket.ts'
import { type Armed, type Readiness, readinessOf } from '../../transport/readiness.ts'
import type { Bus } from '../bus/bus.ts'
import {
  DEPOSIT,
  decodeExchange,
  EXCHANGE_BYTES,
  encodeExchange,
  REDEEM,
  WITHDRAW,
} from '../bus/token-exchange.ts'
import { type Listening, listenAtAll } from './listener.ts'
import { peerCredentialsOf } from './peer-credentials.ts'

/** Connections that there may be. */
const MOST_EXCHANGES = 256
/** Descriptors that one connection may have here. */
const MOST_DEPOSITS = 256
/** Requests of one connection, before others have their turn. */
const TURN = 64
/** Words of receiveControl's array before the descriptors. */
const CONTROL_COUNT = 4
const CONTROL_FDS = 5
const MSG_CTRUNC = 8
const [EAGAIN, EBADF, EINVAL, EMFILE] = [-11, -9, -22, -24]

export class DescriptorDoor implements Armed {
  readonly native: NativeSocket
  readonly readiness: Readiness
  readonly bus: Bus
  /** Abstract name of its socket. */
  readonly name: string
  readonly #listening: Listening
  readonly #exchanges = new Set<Exchange>()
  #armed: number | undefined
  #isClosed = false

  /** @throws NetlinkError as `listenAtAll` does */
  constructor(native: NativeSocket, bus: Bus) {
    this.native = native
    this.readiness = readinessOf(native)
    this.bus = bus
    this.name = `nlkit-dbus-${crypto.randomUUID()}`
    this.#listening = listenAtAll(native, [`unix:abstract=${this.name}`])[0]!
    this.#armed = this.readiness.arm(this, this.#listening.fd)
  }

  ready(): void {
    this.#armed = undefined
    for (let left = TURN; left > 0; left--) {
      const fd = this.native.accept(this.#listening.fd)
      if (fd < 0) break
      this.#admit(fd)
    }
    this.#rearm()
  }

  /** While there is no room nobody is let in. */
  #rearm(): void {
    if (this.#isClosed || this.#armed !== undefined || this.#exchanges.size >= MOST_EXCHANGES)
      return
    this.#armed = this.readiness.arm(this, this.#listening.fd)
  }

  #admit(fd: number): void {
    try {
      if (
        this.#exchanges.size < MOST_EXCHANGES &&
        this.bus.policy.mayConnect(peerCredentialsOf(this.native, fd))
      ) {
        this.#exchanges.add(new Exchange(this, fd))
        return
      }
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error
    }
    this.native.close(fd)
  }

  forget(exchange: Exchange): void {
    this.#exchanges.delete(exchange)
    this.#rearm()
  }

  /** Ends all; what was deposited is let go. Harmless when repeated. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#armed !== undefined) this.readiness.forget(this.#armed)
    this.native.disarm(this.#listening.fd)
    this.native.close(this.#listening.fd)
    for (const exchange of [...this.#exchanges]) exchange.close()
  }
}

/** One client's connection; what it deposits is held until it withdraws it or goes. */
class Exchange implements Armed {
  readonly #door: DescriptorDoor
  /** -1 once closed. */
  #fd: number
  #armed: number | undefined
  readonly #deposits = new Set<bigint>()
  readonly #request = new Uint8Array(EXCHANGE_BYTES)
  readonly #control = new Int32Array(CONTROL_FDS + 1)
  #filled = 0
  /** Came with the request that is being read. */
  #descriptor: number | undefined

  constructor(door: DescriptorDoor, fd: number) {
    this.#door = door
    this.#fd = fd
    this.#armed = door.readiness.arm(this, fd)
  }

  ready(): void {
    this.#armed = undefined
    const { native, readiness } = this.#door
    for (let left = TURN; left > 0 && this.#fd >= 0; left--) {
      const count = native.receiveControl(
        this.#fd,
        this.#request.subarray(this.#filled),
        this.#control,
      )
      if (count === EAGAIN) break
      if (!this.#received(count)) this.close()
    }
    if (this.#fd >= 0) this.#armed = readiness.arm(this, this.#fd)
  }

  /** False when the connection is over, or has broken the rules. */
  #received(count: number): boolean {
    if (count <= 0) return false
    if (this.#control[CONTROL_COUNT]! > 0) {
      if (this.#descriptor !== undefined) this.#door.native.close(this.#descriptor)
      this.#descriptor = this.#control[CONTROL_FDS]!
    }
    if (this.#control[0]! & MSG_CTRUNC) return false
    this.#filled += count
    if (this.#filled < EXCHANGE_BYTES) return true
    this.#filled = 0
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    return this.#answer(descriptor)
  }

  #answer(descriptor: number | undefined): boolean {
    const { native, bus } = this.#door
    const { word, token } = decodeExchange(this.#request)
    if (word === DEPOSIT && descriptor !== undefined) return this.#deposit(descriptor)
    if (descriptor !== undefined) native.close(descriptor)
    if (word === WITHDRAW && this.#deposits.delete(token)) {
      bus.tokens.release([token])
      return this.#say(0, token)
    }
    if (word !== REDEEM) return this.#say(word === WITHDRAW ? EBADF : EINVAL, token)
    const found = bus.tokens.descriptor(token)
    return found === undefined ? this.#say(EBADF, token) : this.#say(0, token, found)
  }

  #deposit(descriptor: number): boolean {
    const { native, bus } = this.#door
    if (this.#deposits.size >= MOST_DEPOSITS) {
      native.close(descriptor)
      return this.#say(EMFILE, 0n)
    }
    const token = bus.tokens.add(descriptor)
    this.#deposits.add(token)
    return this.#say(0, token)
  }

  #say(word: number, token: bigint, descriptor?: number): boolean {
    const fds = descriptor === undefined ? undefined : Int32Array.of(descriptor)
    const sent = this.#door.native.sendControl(this.#fd, [encodeExchange(word, token)], fds)
    return sent === EXCHANGE_BYTES
  }

  /** Harmless when repeated. */
  close(): void {
    if (this.#fd < 0) return
    const { native, readiness, bus } = this.#door
    if (this.#armed !== undefined) readiness.forget(this.#armed)
    native.disarm(this.#fd)
    native.close(this.#fd)
    this.#fd = -1
    if (this.#descriptor !== undefined) native.close(this.#descriptor)
    bus.tokens.release([...this.#deposits])
    this.#deposits.clear()
    this.#door.forget(this)
  }
}
