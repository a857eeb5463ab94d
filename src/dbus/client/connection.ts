/** A client of a message bus on a Unix socket: EXTERNAL authentication, calls, and all that comes. */
import { connect, type Socket } from 'node:net'
import { type DecodeError, NetlinkError } from '../../errors.ts'
import { parseAddresses } from '../address.ts'
import { CallError } from '../bus/call-error.ts'
import {
  type DecodedMessage,
  decodeMessage,
  ERROR,
  encodeMessage,
  MAX_MESSAGE_BYTES,
  METHOD_CALL,
  METHOD_RETURN,
  type MessageInit,
  messageLength,
} from '../message/index.ts'
import { socketPath } from './well-known.ts'

interface Open {
  resolve(reply: DecodedMessage): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout
}

/** A message as it came, and its bytes. */
export type Listener = (message: DecodedMessage, bytes: Uint8Array) => void

/** Longest line of the authentication. */
const MAX_LINE = 16_384
const BUS = {
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  destination: 'org.freedesktop.DBus',
} as const

export class BusConnection {
  /** The name that the bus gave. */
  uniqueName = ''
  /** Hears everything that is no answer to a call from here. */
  listener: Listener | undefined
  /** Resolves when the connection has ended, from whichever side. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #open = new Map<number, Open>()
  readonly #timeout: number
  #serial = 0
  #input: Buffer = Buffer.alloc(0)
  #authenticated = false
  #greeted: { resolve(): void; reject(error: Error): void } | undefined

  private constructor(socket: Socket, timeout: number) {
    this.#socket = socket
    this.#timeout = timeout
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('data', (data: Buffer) => this.#take(data))
    socket.on('error', (error) => this.#end(unreachable(error.message)))
    socket.on('close', () => this.#end(unreachable('the connection has ended')))
  }

  /**
   * Connects to the first address of `addresses` that answers, and says Hello.
   * @param timeout milliseconds that a call may take
   * @throws NetlinkError NETLINK_INVALID, NETLINK_CLOSED, NETLINK_TIMEOUT
   */
  static async open(addresses: string, timeout = 25_000): Promise<BusConnection> {
    let failure: unknown = unreachable('there is no address')
    for (const address of parseAddresses(addresses)) {
      let socket: Socket
      try {
        socket = connect({ path: socketPath(address) })
      } catch (error) {
        failure = error
        continue
      }
      const connection = new BusConnection(socket, timeout)
      try {
        await connection.#greet()
        const [name] = (await connection.call({ ...BUS, member: 'Hello' })).body
        connection.uniqueName = name as string
        return connection
      } catch (error) {
        socket.destroy()
        failure = error
      }
    }
    throw failure
  }

  /**
   * Calls a method.
   * @throws CallError what was answered instead; NetlinkError NETLINK_TIMEOUT, NETLINK_CLOSED
   */
  call(init: Omit<MessageInit, 'type' | 'serial'>): Promise<DecodedMessage> {
    return new Promise((resolve, reject) => {
      const serial = this.send({ ...init, type: METHOD_CALL })
      const timer = setTimeout(() => {
        this.#open.delete(serial)
        reject(new NetlinkError('NETLINK_TIMEOUT', { message: `${init.member}: no answer came` }))
      }, this.#timeout)
      this.#open.set(serial, { resolve, reject, timer })
    })
  }

  /** Calls a method of the bus itself. */
  callBus(member: string, signature = '', ...body: readonly unknown[]): Promise<DecodedMessage> {
    return this.call({ ...BUS, member, signature, body })
  }

  /** Sends a message; its serial. @throws EncodeError */
  send(init: Omit<MessageInit, 'serial'>): number {
    const serial = ++this.#serial
    this.#socket.write(encodeMessage({ ...init, serial }))
    return serial
  }

  /** Ends the connection once all is written. May be called twice. */
  close(): void {
    this.#socket.end()
    this.#socket.destroySoon()
  }

  #greet(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          this.#end(new NetlinkError('NETLINK_TIMEOUT', { message: 'the bus does not answer' })),
        this.#timeout,
      )
      this.#greeted = {
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
      this.#socket.write(`\0AUTH EXTERNAL ${uid}\r\n`)
    })
  }

  #take(data: Buffer): void {
    this.#input = this.#input.length === 0 ? data : Buffer.concat([this.#input, data])
    try {
      if (!this.#authenticated) this.#readLine()
      if (this.#authenticated) this.#readMessages()
    } catch (error) {
      this.#end(error as Error)
      this.#socket.destroy()
    }
  }

  #readLine(): void {
    const end = this.#input.indexOf('\r\n')
    if (end < 0) {
      if (this.#input.length > MAX_LINE) throw unreachable('its answer is no D-Bus')
      return
    }
    const line = this.#input.subarray(0, end).toString('latin1')
    this.#input = this.#input.subarray(end + 2)
    if (!line.startsWith('OK ')) throw unreachable(`it refuses this user: ${line}`)
    this.#authenticated = true
    this.#socket.write('BEGIN\r\n')
    this.#greeted?.resolve()
    this.#greeted = undefined
  }

  #readMessages(): void {
    let at = 0
    for (;;) {
      const length = messageLength(this.#input, at, this.#input.length, MAX_MESSAGE_BYTES)
      if (length === 0 || at + length > this.#input.length) break
      const bytes = new Uint8Array(this.#input.subarray(at, at + length))
      at += length
      this.#hear(decodeMessage(bytes), bytes)
    }
    this.#input = this.#input.subarray(at)
  }

  #hear(message: DecodedMessage, bytes: Uint8Array): void {
    const { type, replySerial, destination } = message
    const isMine = this.uniqueName === '' || destination === this.uniqueName
    const open =
      replySerial !== undefined && isMine && (type === METHOD_RETURN || type === ERROR)
        ? this.#open.get(replySerial)
        : undefined
    if (open === undefined) {
      this.listener?.(message, bytes)
      return
    }
    this.#open.delete(replySerial!)
    clearTimeout(open.timer)
    if (type === METHOD_RETURN) open.resolve(message)
    else open.reject(errorOf(message))
  }

  #end(error: Error): void {
    this.#greeted?.reject(error)
    this.#greeted = undefined
    for (const { reject, timer } of this.#open.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#open.clear()
  }
}

function errorOf({ errorName = '', body }: DecodedMessage): CallError {
  const [text] = body
  return new CallError(errorName, typeof text === 'string' ? text : errorName)
}

function unreachable(what: string): NetlinkError | DecodeError {
  return new NetlinkError('NETLINK_CLOSED', { message: `the message bus cannot be used: ${what}` })
}
