/** The gateway: clients on Unix sockets, as their bytes show them. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import {
  DEFAULT_LIMITS,
  type DecodedMessage,
  decodeMessage,
  encodeMessage,
  type Limits,
  type MessageInit,
  messageLength,
} from '../index.ts'
import { type RunningBus, startBus } from './start.ts'

const DEADLINE = 10_000
const UID = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
const BUS = 'org.freedesktop.DBus'

/** Rejects when what is waited for does not come. */
function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not come`)), DEADLINE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

async function serve(
  t: TestContext,
  limits: Partial<Limits> = {},
): Promise<RunningBus & { path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-gateway-'))
  const path = join(folder, 'bus')
  const bus = await startBus({
    listen: [`unix:path=${path}`],
    mechanisms: ['EXTERNAL'],
    limits: { ...DEFAULT_LIMITS, ...limits },
    log: () => undefined,
  })
  t.after(() => {
    bus.close()
    equal(existsSync(path), false)
    rmSync(folder, { recursive: true })
  })
  return { ...bus, path }
}

/** A client that speaks for itself. */
class Client {
  readonly socket: Socket
  name = ''
  #bytes: Buffer = Buffer.alloc(0)
  readonly #chunks: Buffer[] = []
  /** Bytes of the message that is waited for, and not there yet. */
  #missing = 0
  #isOver = false
  #wake: (() => void) | undefined
  #serial = 0

  constructor(t: TestContext, path: string) {
    this.socket = connect(path)
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#missing -= chunk.length
      if (this.#missing <= 0) this.#wake?.()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.#isOver = true
      this.#wake?.()
    })
    t.after(() => this.socket.destroy())
  }

  async #until<T>(find: () => T | undefined, what: string): Promise<T | 'closed'> {
    for (;;) {
      this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks.splice(0)])
      const found = find()
      if (found !== undefined) return found
      if (this.#isOver) return 'closed'
      await soon(new Promise<void>((wake) => (this.#wake = wake)), what)
    }
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  line(): Promise<string> {
    return this.#until(() => {
      const end = this.#bytes.indexOf('\r\n')
      if (end < 0) return undefined
      const line = this.#bytes.subarray(0, end).toString('latin1')
      this.#bytes = this.#bytes.subarray(end + 2)
      return line
    }, 'a line')
  }

  message(): Promise<DecodedMessage | 'closed'> {
    return this.#until(() => {
      const length = messageLength(this.#bytes, 0, this.#bytes.length, 2 ** 27)
      this.#missing = length - this.#bytes.length
      if (length === 0 || this.#missing > 0) return undefined
      const bytes = Uint8Array.from(this.#bytes.subarray(0, length))
      this.#bytes = this.#bytes.subarray(length)
      return decodeMessage(bytes)
    }, 'a message')
  }

  closed(): Promise<'closed' | undefined> {
    return this.#until<undefined>(() => undefined, 'the end') as Promise<'closed'>
  }

  send(init: Omit<MessageInit, 'serial'>, littleEndian = true): number {
    this.write(encodeMessage({ ...init, serial: ++this.#serial }, littleEndian))
    return this.#serial
  }

  /** Calls the bus, and reads until the answer. */
  async ask(
    member: string,
    signature = '',
    body: unknown[] = [],
    littleEndian = true,
  ): Promise<unknown> {
    const serial = this.send(
      {
        type: 1,
        path: '/org/freedesktop/DBus',
        interface: BUS,
        member,
        destination: BUS,
        signature,
        body,
      },
      littleEndian,
    )
    for (;;) {
      const message = await this.message()
      if (message === 'closed') return message
      if (message.replySerial === serial) return message.errorName ?? message.body[0]
    }
  }

  static async hello(t: TestContext, path: string): Promise<Client> {
    const client = new Client(t, path)
    client.write(`\0AUTH EXTERNAL ${UID}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`)
    match(await client.line(), /^OK [\da-f]{32}$/)
    equal(await client.line(), 'AGREE_UNIX_FD')
    client.name = (await client.ask('Hello')) as string
    return client
  }
}

test('lines and messages in one write are both heard, in both byte orders', async (t) => {
  const { path, bus } = await serve(t)
  const client = await Client.hello(t, path)
  equal(client.name, ':1.0')
  equal(await client.ask('GetId', '', [], false), bus.guid)
})

test('each client is a netlink socket of the kernel, and ends with it', async (t) => {
  const { path, bus, kernel } = await serve(t)
  const sockets = () => [...kernel.netlink.sockets()].length
  const before = sockets()
  const [a, b] = [await Client.hello(t, path), await Client.hello(t, path)]
  equal(sockets(), before + 2)
  await a.ask('RequestName', 'su', ['com.example.A', 0])
  await b.ask('RequestName', 'su', ['com.example.A', 0])
  a.send({ type: 1, path: '/x', member: 'Slow', destination: b.name })
  b.send({ type: 1, path: '/x', member: 'Slow', destination: a.name })
  for (let last: unknown; last !== 'Slow'; ) {
    const message = await a.message()
    ok(message !== 'closed')
    last = message.member
  }
  a.socket.destroy()
  const got: (string | undefined)[] = []
  for (let last: string | undefined; last !== `${BUS}.Error.NoReply`; ) {
    const message = await b.message()
    ok(message !== 'closed')
    last = message.errorName ?? message.member
    got.push(last)
  }
  deepEqual(got.slice(-2), ['NameAcquired', `${BUS}.Error.NoReply`])
  equal(sockets(), before + 1)
  equal(bus.peers.size, 1)
})

test('who is at the other end is asked of the system', async (t) => {
  const { path } = await serve(t)
  const client = await Client.hello(t, path)
  equal(await client.ask('GetConnectionUnixProcessID', 's', [client.name]), process.pid)
  equal(await client.ask('GetConnectionUnixUser', 's', [client.name]), process.getuid?.())
})

test('a talker without a name is hung up on: in time, by size, and for garbage', async (t) => {
  const { path } = await serve(t, { authTimeout: 50 })
  const late = new Client(t, path)
  late.write('\0AUTH\r\n')
  equal(await late.line(), 'REJECTED EXTERNAL')
  equal(await late.closed(), 'closed')
  const long = new Client(t, path)
  long.write(`\0AUTH ${'x'.repeat(20_000)}`)
  equal(await long.closed(), 'closed')
  const garbage = await Client.hello(t, path)
  garbage.write('Z'.repeat(64))
  for (let last: unknown; last !== 'closed'; ) last = await garbage.message()
})

test('a client that reads nothing is dropped at its quota, and the others do not notice', async (t) => {
  const { path, bus } = await serve(t, { maxOutgoingBytes: 1_000_000 })
  const [deaf, talker, reader] = [
    await Client.hello(t, path),
    await Client.hello(t, path),
    await Client.hello(t, path),
  ]
  for (const each of [deaf, reader])
    await each.ask('AddMatch', 's', ["type='signal',interface='a.b'"])
  deaf.socket.pause()
  const body = [new Uint8Array(100_000)]
  for (let i = 0; i < 60; i++) {
    talker.send({ type: 4, path: '/x', interface: 'a.b', member: 'S', signature: 'ay', body })
    const message = await reader.message()
    ok(message !== 'closed' && (message.body[0] as Uint8Array).length === 100_000)
  }
  equal(bus.peers.has(deaf.name), false)
  deepEqual([...bus.peers.keys()], [talker.name, reader.name])
})

test('who reads late gets all, in order and whole, long and short', async (t) => {
  const { path } = await serve(t, { maxOutgoingBytes: 2 ** 27 })
  const [talker, ...readers] = await Promise.all([1, 2, 3].map(() => Client.hello(t, path)))
  for (const each of readers) await each.ask('AddMatch', 's', ["type='signal',interface='a.b'"])
  for (const each of readers) each.socket.pause()
  const sizes = [0, 100, 5000, 20_000, 70_000, 300_000, 10, 1_100_000, 64, 64, 4096, 65_536]
  const rounds = 12
  for (let round = 0; round < rounds; round++)
    for (const [i, size] of sizes.entries())
      talker!.send(
        {
          type: 4,
          path: '/x',
          interface: 'a.b',
          member: `S${round}_${i}`,
          signature: 'ay',
          body: [new Uint8Array(size).fill(i + round)],
        },
        i % 2 === 0,
      )
  // The bus has taken all of it once it answers.
  await talker!.ask('GetId')
  for (const each of readers) {
    each.socket.resume()
    for (let round = 0; round < rounds; round++)
      for (const [i, size] of sizes.entries()) {
        const message = await each.message()
        ok(message !== 'closed')
        deepEqual([message.member, message.sender], [`S${round}_${i}`, talker!.name])
        const body = message.body[0] as Uint8Array
        equal(body.length, size)
        ok(body.every((byte) => byte === i + round))
      }
  }
})

test('a message comes in pieces of any size', async (t) => {
  const { path } = await serve(t)
  const [talker, reader, other] = [
    await Client.hello(t, path),
    await Client.hello(t, path),
    await Client.hello(t, path),
  ]
  await reader.ask('AddMatch', 's', ["type='signal',interface='a.b'"])
  const one = (serial: number): Uint8Array =>
    encodeMessage({ type: 4, serial, path: '/x', interface: 'a.b', member: 'S' })
  const all = Buffer.concat([7, 8, 9].map(one))
  const length = all.length / 3
  for (const cut of [1, 15, 16, 17, length - 1, length, length + 5]) {
    talker.write(all.subarray(0, cut))
    // The bus has read what came before this question.
    await other.ask('GetId')
    talker.write(all.subarray(cut))
    for (const serial of [7, 8, 9]) {
      const message = await reader.message()
      ok(message !== 'closed')
      equal(message.serial, serial)
    }
  }
})

test('a 32 MiB message passes', async (t) => {
  const { path } = await serve(t, { maxMessageSize: 2 ** 27 })
  const [a, b] = [await Client.hello(t, path), await Client.hello(t, path)]
  await b.ask('GetId')
  const body = Buffer.alloc(32 * 2 ** 20, 'nlkit')
  a.send({ type: 1, path: '/x', member: 'Big', destination: b.name, signature: 'ay', body: [body] })
  const message = await b.message()
  ok(message !== 'closed')
  ok(Buffer.compare(Buffer.from(message.body[0] as Uint8Array), body) === 0)
})

test('at the end nothing is left: no socket, no descriptor, no connection', async (t) => {
  const fds = () => readdirSync('/proc/self/fd').length
  const { path, bus, gateway, kernel, close } = await serve(t)
  const before = [...kernel.netlink.sockets()].length
  const clients = await Promise.all(Array.from({ length: 20 }, () => Client.hello(t, path)))
  const open = fds()
  close()
  for (const client of clients) equal(await client.closed(), 'closed')
  deepEqual([bus.peers.size, gateway.clients, [...kernel.netlink.sockets()].length], [0, 0, before])
  ok(fds() < open - 20)
  close()
})

test('a bus in a worker lives as long as the worker, and ends with it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-gateway-'))
  const path = join(folder, 'bus')
  const code = `
    const { workerData, parentPort } = require('node:worker_threads')
    import(workerData.start).then(async ({ startBus }) => {
      await startBus({ listen: ['unix:path=' + workerData.path] })
      parentPort.postMessage('up')
    })`
  const start = new URL('./start.js', import.meta.url).href
  const worker = new Worker(code, { eval: true, workerData: { path, start } })
  t.after(async () => {
    await worker.terminate()
    rmSync(folder, { recursive: true })
  })
  await soon(once(worker, 'message'), 'the worker')
  const client = await Client.hello(t, path)
  equal(client.name, ':1.0')
  await worker.terminate()
  equal(await client.closed(), 'closed')
})
