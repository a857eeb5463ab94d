/** A client of a message bus that speaks netlink alone: its connection is a socket of the kernel's. */
import { NetlinkError } from '../../errors.ts'
import { transportTo } from '../../transport/choose.ts'
import type { Transport } from '../../transport/transport.ts'
import { CallError } from '../bus/call-error.ts'
import {
  type DecodedMessage,
  decodeMessage,
  ERROR,
  encodeMessage,
  METHOD_CALL,
  METHOD_RETURN,
  type MessageInit,
} from '../message/index.ts'
import { DescriptorExchange } from './descriptor-exchange.ts'
import { FamilySocket, type Part } from './family-socket.ts'

export interface NetlinkBusOptions {
  /** `unix:PATH` of a kernel that another process serves, or a `Kernel` of this one. */
  readonly kernel: { transport(): Transport } | string
  readonly netns?: unknown
  /** The bus's number in the kernel; the first one unless given. */
  readonly bus?: number
  /** Milliseconds that a request or a call may take: 25,000 unless given. */
  readonly timeout?: number
}

/** A message, and the descriptors that came with it, which are the receiver's to close. */
export interface Received {
  readonly message: DecodedMessage
  readonly descriptors: readonly number[]
}

interface Open {
  resolve(reply: Received): void
  reject(error: unknown): void
  readonly timer: NodeJS.Timeout
}

interface Greeting {
  readonly uniqueId: bigint
  readonly guid: Uint8Array
  readonly fdDoor?: string
}

/** What the client says of itself: it takes descriptors. */
const PEER_FDS = 1
/** Bytes of a message that go into one datagram. */
const FRAGMENT_BYTES = 48 * 1024
/** Fragments that are sent before the first of them is acknowledged. */
const WINDOW = 16
const TIMEOUT = 25_000

export class NetlinkBus {
  /** `:1.N` */
  uniqueName = ''
  /** Of the bus, 32 hexadecimal digits. */
  guid = ''
  /** Hears everything that is no answer to a call from here. */
  listener: ((received: Received) => void) | undefined
  readonly #socket: FamilySocket
  readonly #timeout: number
  readonly #open = new Map<number, Open>()
  #door: string | undefined
  #exchange: DescriptorExchange | undefined
  #serial = 0
  #fragment = 0
  /** Messages go one after the other: their fragments may not mix. */
  #last: Promise<unknown> = Promise.resolve()
  #whole: Uint8Array | undefined
  #filled = 0
  #tokens: readonly bigint[] = []

  private constructor(socket: FamilySocket, timeout: number) {
    this.#socket = socket
    this.#timeout = timeout
    socket.heard = (part) => this.#take(part)
    socket.ended = (error) => this.#end(error)
  }

  /**
   * Opens a socket and says hello.
   * @throws NetlinkError ENOENT where there is no such bus; EPERM; as the transport does
   */
  static async open(options: NetlinkBusOptions): Promise<NetlinkBus> {
    const timeout = options.timeout ?? TIMEOUT
    const transport = await transportTo(options.kernel)
    const bus = new NetlinkBus(await FamilySocket.open(transport, options.netns, timeout), timeout)
    try {
      await bus.#greet(options.bus)
    } catch (error) {
      bus.close()
      throw error
    }
    return bus
  }

  async #greet(busId: number | undefined): Promise<void> {
    const asked = { peerFlags: PEER_FDS, ...(busId === undefined ? {} : { busId }) }
    const { uniqueId, guid, fdDoor } = (await this.#socket.ask('hello', asked)) as Greeting
    this.uniqueName = `:1.${uniqueId}`
    this.guid = Array.from(guid, (byte) => byte.toString(16).padStart(2, '0')).join('')
    this.#door = fdDoor
  }

  /** RequestName: 1 primary owner, 2 in the queue, 3 exists, 4 already owner. @throws NetlinkError */
  async requestName(name: string, nameFlags = 0): Promise<number> {
    const answer = await this.#socket.ask('requestName', { name, nameFlags })
    return (answer as { result: number }).result
  }

  /** ReleaseName: 1 released, 2 non-existent, 3 not owner. @throws NetlinkError */
  async releaseName(name: string): Promise<number> {
    return ((await this.#socket.ask('releaseName', { name })) as { result: number }).result
  }

  /** Adds a match rule: its number, for `removeMatch`. @throws NetlinkError EINVAL, EDQUOT */
  async addMatch(matchRule: string): Promise<bigint> {
    const answer = await this.#socket.ask('addMatch', { matchRule })
    return (answer as { matchCookie: bigint }).matchCookie
  }

  /** @throws NetlinkError ENOENT */
  async removeMatch(matchCookie: bigint): Promise<void> {
    await this.#socket.ask('delMatch', { matchCookie })
  }

  /**
   * Sends a message; its serial. Descriptors stay the caller's.
   * @throws EncodeError; NetlinkError what the bus refuses with, EOPNOTSUPP for descriptors where the
   * bus takes none
   */
  async send(
    init: Omit<MessageInit, 'serial'>,
    descriptors: readonly number[] = [],
  ): Promise<number> {
    const serial = this.#nextSerial()
    await this.#sendAs(serial, init, descriptors)
    return serial
  }

  /**
   * Calls a method.
   * @throws CallError what was answered instead; NetlinkError as `send` does, NETLINK_TIMEOUT
   */
  call(
    init: Omit<MessageInit, 'type' | 'serial'>,
    descriptors: readonly number[] = [],
  ): Promise<Received> {
    const serial = this.#nextSerial()
    return new Promise((resolve, reject) => {
      const forget = (error: unknown): void => {
        const open = this.#open.get(serial)
        if (open) clearTimeout(open.timer)
        this.#open.delete(serial)
        reject(error)
      }
      const timer = setTimeout(
        () =>
          forget(
            new NetlinkError('NETLINK_TIMEOUT', { message: `${init.member}: no answer came` }),
          ),
        this.#timeout,
      )
      this.#open.set(serial, { resolve, reject, timer })
      this.#sendAs(serial, { ...init, type: METHOD_CALL }, descriptors).catch(forget)
    })
  }

  /** Ends the connection: names and rules go with it. Harmless when repeated. */
  close(): void {
    this.#socket.close()
  }

  #nextSerial(): number {
    this.#serial = this.#serial >= 0xffffffff ? 1 : this.#serial + 1
    return this.#serial
  }

  #sendAs(
    serial: number,
    init: Omit<MessageInit, 'serial'>,
    descriptors: readonly number[],
  ): Promise<void> {
    const unixFds = descriptors.length > 0 ? { unixFds: descriptors.length } : {}
    const bytes = encodeMessage({ ...init, ...unixFds, serial })
    const sent = this.#last.then(() => this.#sendBytes(bytes, descriptors))
    this.#last = sent.catch(() => undefined)
    return sent
  }

  async #sendBytes(bytes: Uint8Array, descriptors: readonly number[]): Promise<void> {
    const fds: bigint[] = []
    try {
      for (const descriptor of descriptors) fds.push(await this.#exchanger().deposit(descriptor))
      await this.#sendFragments(bytes, fds)
    } finally {
      for (const token of fds) this.#exchanger().withdraw(token).catch(ignore)
    }
  }

  async #sendFragments(bytes: Uint8Array, tokens: readonly bigint[]): Promise<void> {
    const total = bytes.length
    const fds = tokens.length > 0 ? { fds: tokens } : {}
    if (total <= FRAGMENT_BYTES) {
      await this.#socket.ask('send', { msg: bytes, ...fds })
      return
    }
    this.#fragment = (this.#fragment + 1) >>> 0
    const id = this.#fragment
    const under: Promise<unknown>[] = []
    for (let offset = 0; offset < total; offset += FRAGMENT_BYTES) {
      const msg = bytes.subarray(offset, offset + FRAGMENT_BYTES)
      const first = offset === 0 ? fds : {}
      under.push(this.#socket.ask('send', { msg, frag: { id, offset, total }, ...first }))
      if (under.length === WINDOW) await settle(under)
    }
    await settle(under)
  }

  /** @throws NetlinkError EOPNOTSUPP */
  #exchanger(): DescriptorExchange {
    if (this.#door === undefined)
      throw new NetlinkError('EOPNOTSUPP', { message: 'this bus takes no descriptors' })
    this.#exchange ??= new DescriptorExchange(this.#door)
    return this.#exchange
  }

  /** Puts fragments together. */
  #take({ msg, frag, fds }: Part): Promise<void> | undefined {
    if (fds) this.#tokens = [...fds]
    let bytes: Uint8Array
    if (frag?.total === undefined) bytes = msg.slice()
    else {
      if (!this.#whole || frag.offset === 0) {
        this.#whole = new Uint8Array(frag.total)
        this.#filled = 0
      }
      this.#whole.set(msg, frag.offset)
      this.#filled += msg.length
      if (this.#filled < frag.total) return undefined
      bytes = this.#whole
      this.#whole = undefined
    }
    const tokens = this.#tokens
    this.#tokens = []
    const message = decodeMessage(bytes)
    if (tokens.length > 0) return this.#redeem(message, tokens)
    this.#hear({ message, descriptors: [] })
    return undefined
  }

  async #redeem(message: DecodedMessage, tokens: readonly bigint[]): Promise<void> {
    const descriptors: number[] = []
    for (const token of tokens) descriptors.push(await this.#exchanger().redeem(token))
    this.#socket.ask('releaseFds', { fds: tokens }).catch(ignore)
    this.#hear({ message, descriptors })
  }

  #hear(received: Received): void {
    const { type, replySerial, errorName = '', body } = received.message
    const isAnswer = type === METHOD_RETURN || type === ERROR
    const open = isAnswer && replySerial !== undefined ? this.#open.get(replySerial) : undefined
    if (!open) {
      this.listener?.(received)
      return
    }
    this.#open.delete(replySerial!)
    clearTimeout(open.timer)
    if (type === METHOD_RETURN) open.resolve(received)
    else open.reject(new CallError(errorName, typeof body[0] === 'string' ? body[0] : errorName))
  }

  #end(error: NetlinkError): void {
    this.#exchange?.close()
    for (const { reject, timer } of this.#open.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#open.clear()
  }
}

/** Waits for all; the first that failed is what is thrown. */
async function settle(under: Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(under.splice(0)))
    if (outcome.status === 'rejected') throw outcome.reason
}

/** The connection is gone, and with it all that it held. */
function ignore(): void {}
