/** A client of a bus on a Unix socket that sends and receives descriptors, for tests. */

import { loadAddon } from '../../transport/addon.ts'
import { readinessOf, type Watch } from '../../transport/readiness.ts'
import { AF_UNIX, SOCK_STREAM, unixAddress } from '../../transport/unix-address.ts'
import {
  type DecodedMessage,
  decodeMessage,
  encodeMessage,
  type MessageInit,
  messageLength,
} from '../index.ts'

const EAGAIN = -11
const CONTROL_COUNT = 4
const CONTROL_FDS = 5
const MOST_FDS = 16
const BUS = {
  type: 1,
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  destination: 'org.freedesktop.DBus',
} as const

export class SocketClient {
  name = ''
  readonly #native = loadAddon()
  readonly #fd: number
  readonly #watch: Watch
  readonly #chunk = new Uint8Array(1 << 20)
  readonly #control = new Int32Array(CONTROL_FDS + MOST_FDS)
  #input: Buffer = Buffer.alloc(0)
  #chunks: Buffer[] = []
  #size = 0
  #wanted = 0
  #fds: number[] = []
  #serial = 0
  /** Messages that nobody has asked for yet. */
  readonly #inbox: { message: DecodedMessage; descriptors: number[] }[] = []

  private constructor(path: string) {
    this.#fd = this.#native.socket(AF_UNIX, SOCK_STREAM, 0)
    const refused = this.#native.connect(this.#fd, unixAddress(path))
    if (refused < 0) throw new Error(`connect: ${refused}`)
    this.#watch = readinessOf(this.#native).watch(this.#fd)
  }

  static async open(path: string): Promise<SocketClient> {
    const client = new SocketClient(path)
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
    await client.#write(Buffer.from(`\0AUTH EXTERNAL ${uid}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`))
    while (client.#joined().toString('latin1').split('\r\n').length < 3) await client.#read()
    client.#input = Buffer.alloc(0)
    client.#size = 0
    client.#chunks = []
    const { message } = await client.call({ ...BUS, member: 'Hello' })
    client.name = message.body[0] as string
    return client
  }

  async addMatch(rule: string): Promise<void> {
    await this.call({ ...BUS, member: 'AddMatch', signature: 's', body: [rule] })
  }

  async send(init: Omit<MessageInit, 'serial'>, descriptors: readonly number[] = []) {
    const serial = ++this.#serial
    const unixFds = descriptors.length > 0 ? { unixFds: descriptors.length } : {}
    await this.#write(encodeMessage({ ...init, ...unixFds, serial }), descriptors)
    return serial
  }

  async call(init: Omit<MessageInit, 'serial'>, descriptors: readonly number[] = []) {
    const serial = await this.send(init, descriptors)
    return this.next(
      ({ replySerial, type }) => replySerial === serial && (type === 2 || type === 3),
    )
  }

  /** The first message, also of those that have come, for which `is` holds. */
  async next(is: (message: DecodedMessage) => boolean) {
    for (;;) {
      const at = this.#inbox.findIndex(({ message }) => is(message))
      if (at >= 0) return this.#inbox.splice(at, 1)[0]!
      await this.#read()
      this.#parse()
    }
  }

  close(): void {
    this.#watch.close()
    this.#native.close(this.#fd)
  }

  async #write(bytes: Uint8Array, descriptors: readonly number[] = []): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const fds = at === 0 && descriptors.length > 0 ? Int32Array.from(descriptors) : undefined
      const part = bytes.subarray(at, at + (1 << 18))
      const sent = this.#native.sendControl(this.#fd, [part], fds)
      if (sent >= 0) at += sent
      else if (sent !== EAGAIN) throw new Error(`sendmsg: ${sent}`)
      else await new Promise((room) => setImmediate(room))
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      const count = this.#native.receiveControl(this.#fd, this.#chunk, this.#control)
      if (count === EAGAIN) {
        await this.#watch.wait()
        continue
      }
      if (count <= 0) throw new Error(`the bus has hung up: ${count}`)
      for (let i = 0; i < this.#control[CONTROL_COUNT]!; i++)
        this.#fds.push(this.#native.release(this.#control[CONTROL_FDS + i]!))
      this.#chunks.push(Buffer.from(this.#chunk.subarray(0, count)))
      this.#size += count
      return
    }
  }

  #joined(): Buffer {
    if (this.#chunks.length > 0) this.#input = Buffer.concat([this.#input, ...this.#chunks])
    this.#chunks = []
    return this.#input
  }

  #parse(): void {
    if (this.#size < this.#wanted) return
    this.#joined()
    for (;;) {
      const length = messageLength(this.#input, 0, this.#input.length, 1 << 27)
      this.#wanted = length
      if (length === 0 || length > this.#input.length) return
      const message = decodeMessage(new Uint8Array(this.#input.subarray(0, length)))
      this.#input = this.#input.subarray(length)
      this.#size -= length
      const descriptors = this.#fds.splice(0, message.unixFds ?? 0)
      this.#inbox.push({ message, descriptors })
    }
  }
}
