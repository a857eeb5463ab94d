/** The scheduler on a scripted socket: what is sent together, what is lost, who is told. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import fc from 'fast-check'
import { DecodeError, EncodeError, type Extack, NetlinkError } from '../errors.ts'
import { attrs, message, rawFamily, string, struct, u32 } from '../schema/index.ts'
import type { Socket, SocketInit, Transport } from '../transport/transport.ts'
import {
  HOST_LE,
  MessageWalker,
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_OVERRUN,
  viewOf,
  Writer,
} from '../wire/index.ts'
import { makeCall } from './call.ts'
import { Connection } from './connection.ts'
import type { DumpOptions } from './cursor.ts'
import { Dependants } from './dependants.ts'
import { type DatagramReport, Tap } from './diagnostics.ts'
import type { Dump } from './dump.ts'
import { Endpoint } from './endpoint.ts'
import { type EventOptions, Events } from './events.ts'
import { Turn } from './loop.ts'
import { Receiver } from './receiver.ts'
import type { Session } from './session.ts'

const EAGAIN = -11
const ENOBUFS = -105
const EMSGSIZE = -90
const ECONNRESET = -104
const PORT = 4242

/** rtnetlink's numbering: 16 new, 18 get. */
const GET = 18
const NEW = 16
const body = message(
  struct('toy', { id: u32 }),
  attrs('TOY_', { name: [1, string], blob: [2, string] }),
)
const toy = rawFamily({
  name: 'toy',
  protocol: NETLINK_ROUTE,
  ops: {
    get: {
      cmd: GET,
      replyCmd: NEW,
      do: { request: body, reply: body },
      dump: { request: body, reply: body },
    },
    new: { cmd: NEW, do: { request: body } },
  },
})
const calls = () => ({
  get: makeCall(toy, 'get', 'do'),
  list: makeCall(toy, 'get', 'dump'),
  new: makeCall(toy, 'new', 'do'),
})

/** A request as the kernel side sees it. */
interface Asked {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly id: number
}
/** A datagram that waits in a socket, or an errno that does. */
type Queued = Uint8Array | number | { readonly from: number; readonly bytes: Uint8Array }

/** Writes one message. */
function put(
  w: Writer,
  type: number,
  flags: number,
  seq: number,
  payload?: (w: Writer) => void,
): void {
  const mark = w.messageStart(type, flags, seq, PORT)
  payload?.(w)
  w.messageEnd(mark)
}
/** A datagram of one message. */
function datagram(
  type: number,
  flags: number,
  seq: number,
  payload?: (w: Writer) => void,
): Uint8Array {
  const w = new Writer()
  put(w, type, flags, seq, payload)
  return w.finish()
}
const item =
  (id: number, size = 0) =>
  (w: Writer) =>
    body.encode(w, { id, name: `n${id}`, ...(size ? { blob: 'x'.repeat(size) } : {}) })
const reply = (seq: number, id: number, size = 0): Uint8Array =>
  datagram(NEW, 0, seq, item(id, size))
const ack = (seq: number, errno = 0): Uint8Array =>
  datagram(NLMSG_ERROR, NLM_F_CAPPED, seq, (w) => {
    w.u32(errno)
    w.reserve(16)
  })
const done = (seq: number, flags = 0, errno = 0): Uint8Array =>
  datagram(NLMSG_DONE, NLM_F_MULTI | flags, seq, (w) => w.u32(errno))
const some = (seq: number, ids: readonly number[], flags = 0): Uint8Array => {
  const w = new Writer()
  for (const id of ids) put(w, NEW, NLM_F_MULTI | flags, seq, item(id))
  return w.finish()
}

/** A socket that answers as it is told. */
class Scripted implements Socket {
  readonly protocol: number
  readonly portid = PORT
  readonly init: SocketInit
  receiveBuffer = 212_992
  senderPortid = 0
  senderGroup = 0
  readonly senderNsid = -1
  isClosed = false
  /** Datagrams that were sent, as requests. */
  readonly sent: Asked[][] = []
  readonly queue: Queued[] = []
  /** Most bytes of answers that ever waited. */
  receives = 0
  exchange?: (parts: readonly Uint8Array[], buffer: Uint8Array) => number
  exchangeFirst?: (bytes: Uint8Array, length: number, buffer: Uint8Array) => number
  /** Requests that were sent before their turn was over. */
  prompt = 0
  readonly #answer: (asked: Asked, socket: Scripted) => readonly Queued[]
  readonly #waiters = new Set<{ resolve(): void; reject(reason: unknown): void }>()
  refuseSend: number[] = []

  constructor(
    init: SocketInit,
    answer: (asked: Asked, socket: Scripted) => readonly Queued[],
    hasExchange: boolean,
  ) {
    this.init = init
    this.protocol = init.protocol
    this.#answer = answer
    if (hasExchange) {
      this.exchange = (parts, buffer) => {
        const sent = this.send(parts)
        return sent < 0 ? sent : this.receive(buffer)
      }
      this.exchangeFirst = (bytes, length, buffer) => {
        this.prompt++
        const sent = this.send([bytes.subarray(0, length)])
        return sent < 0 ? sent : this.receive(buffer)
      }
    }
  }
  send(parts: readonly Uint8Array[]): number {
    const refused = this.refuseSend.shift()
    if (refused) return refused
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]))
    const walker = new MessageWalker(viewOf(bytes))
    const asked: Asked[] = []
    while (walker.next()) {
      const { type, flags, seq, payload, view } = walker
      asked.push({ type, flags, seq, id: view.getUint32(payload, HOST_LE) })
    }
    this.sent.push(asked)
    for (const each of asked) this.deliver(...this.#answer(each, this))
    return bytes.length
  }
  deliver(...queued: readonly Queued[]): void {
    this.queue.push(...queued)
    if (this.queue.length > 0) for (const { resolve } of [...this.#waiters]) resolve()
  }
  receive(buffer: Uint8Array): number {
    this.receives++
    if (this.isClosed) return -9
    const next = this.queue.shift()
    if (next === undefined) return EAGAIN
    if (typeof next === 'number') return next
    const { from, bytes } = next instanceof Uint8Array ? { from: 0, bytes: next } : next
    this.senderPortid = from
    buffer.set(bytes.subarray(0, buffer.length))
    return bytes.length
  }
  readable(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.queue.length > 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve: () => {
          this.#waiters.delete(waiter)
          resolve()
        },
        reject: (reason: unknown) => {
          this.#waiters.delete(waiter)
          reject(reason)
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', () => waiter.reject(signal.reason))
    })
  }
  get isWaitedFor(): boolean {
    return this.#waiters.size > 0
  }
  async setOption(): Promise<void> {}
  async attachFilter(): Promise<void> {}
  async join(): Promise<void> {}
  async leave(): Promise<void> {}
  close(): void {
    this.isClosed = true
    for (const { reject } of [...this.#waiters]) reject(new NetlinkError('NETLINK_CLOSED'))
  }
}

/** Answers each read with its own id, each change with an ack. */
const obedient = ({ seq, id, flags, type }: Asked): Queued[] => {
  if (type === NEW) return [ack(seq)]
  return (flags & 0x300) === 0x300 ? [some(seq, [id]), done(seq)] : [reply(seq, id)]
}

interface Stage {
  readonly session: Session
  readonly sockets: Scripted[]
  readonly connection: Connection
  readonly endpoint: Endpoint
  readonly socket: Scripted
}
interface StageInit {
  readonly answer?: (asked: Asked, socket: Scripted) => readonly Queued[]
  readonly exchange?: boolean
  readonly receiveBuffer?: number
  readonly protocol?: number
  readonly timeout?: number
  readonly open?: (init: SocketInit) => Promise<void>
  readonly onWarning?: (warning: Extack) => void
}

async function stage(init: StageInit = {}): Promise<Stage> {
  const { answer = obedient, exchange = true, protocol = NETLINK_ROUTE, timeout = 5000 } = init
  const sockets: Scripted[] = []
  const transport: Transport = {
    async open(socketInit) {
      await init.open?.(socketInit)
      const socket = new Scripted(socketInit, answer, exchange)
      if (init.receiveBuffer) socket.receiveBuffer = init.receiveBuffer
      sockets.push(socket)
      return socket
    },
  }
  const tap = new Tap()
  const session: Session = {
    transport,
    netns: undefined,
    timeout,
    onWarning: init.onWarning,
    tap,
    turn: new Turn(),
    receiver: new Receiver(tap),
    dependants: new Dependants(),
  }
  const connection = new Connection(session, protocol)
  const endpoint = new Endpoint(session, protocol)
  if (!init.open) await connection.ready()
  return {
    session,
    sockets,
    connection,
    endpoint,
    get socket() {
      return sockets[0] as Scripted
    },
  }
}

const idOf = (value: unknown): number => (value as { id: number }).id

test('a lone request is sent and answered in one call', async () => {
  const { connection, socket } = await stage()
  const { get } = calls()
  assert.equal(idOf(await connection.request(get, { id: 7 })), 7)
  assert.equal(socket.receives, 1)
  assert.deepEqual(
    socket.sent.map((asked) => asked.map(({ flags }) => flags)),
    [[1]],
  )
})

test('what is only acknowledged resolves with nothing, and asks for the ack', async () => {
  const { connection, socket } = await stage()
  assert.equal(await connection.request(calls().new, { id: 1 }, { flags: 0x600 }), undefined)
  assert.equal(socket.sent[0]?.[0]?.flags, 0x600 | NLM_F_ACK | 1)
})

for (const exchange of [true, false])
  test(`requests of one turn share a datagram (exchange: ${exchange})`, async () => {
    const { connection, socket } = await stage({ exchange })
    const { get } = calls()
    const ids = [1, 2, 3, 4, 5]
    const values = await Promise.all(ids.map((id) => connection.request(get, { id })))
    assert.deepEqual(values.map(idOf), ids)
    assert.equal(socket.sent.length, 1)
    assert.equal(socket.sent[0]?.length, 5)
  })

test('requests of the next turn have a datagram of their own', async () => {
  const { connection, socket } = await stage()
  const { get } = calls()
  const first = connection.request(get, { id: 1 })
  await first
  await connection.request(get, { id: 2 })
  assert.equal(socket.sent.length, 2)
})

test('expected answers stay under half of the receive buffer', async () => {
  let waiting = 0
  const { connection, socket } = await stage({
    answer: ({ seq, id }, s) => {
      waiting = Math.max(waiting, s.queue.length + 1)
      return [reply(seq, id, 1400)]
    },
  })
  const { get } = calls()
  const ids = Array.from({ length: 1000 }, (_, i) => i)
  const values = await Promise.all(ids.map((id) => connection.request(get, { id })))
  assert.deepEqual(values.map(idOf), ids)
  // 2,304 bytes a reply of that length, as Linux accounts it; 106,496 are half of the buffer.
  assert.ok(waiting <= 106_496 / 2304, `${waiting} replies waited`)
  assert.ok(socket.sent.length < 40, `${socket.sent.length} datagrams`)
})

test('a tiny receive buffer: one at a time, and all are answered', async () => {
  const { connection, socket } = await stage({ receiveBuffer: 2304 })
  const { get } = calls()
  const values = await Promise.all([1, 2, 3].map((id) => connection.request(get, { id })))
  assert.deepEqual(values.map(idOf), [1, 2, 3])
  assert.deepEqual(
    socket.sent.map((asked) => asked.length),
    [1, 1, 1],
  )
})

test('answers in any order, in any datagrams, among strays: each finds its request', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.infiniteStream(fc.nat(99)),
      fc.boolean(),
      fc.boolean(),
      async (count, dice, isLate, exchange) => {
        const roll = (): number => dice.next().value as number
        const held: Uint8Array[] = []
        const { connection, socket } = await stage({
          exchange,
          answer: (asked, s) => {
            const { seq, id } = asked
            const answers: Queued[] = [asked.type === NEW ? ack(seq) : reply(seq, id)]
            if (roll() < 20) answers.unshift(reply(seq + 5000, 999))
            if (roll() < 20) answers.unshift({ from: 77, bytes: reply(seq, 666) })
            if (roll() < 10) answers.unshift(datagram(1, 0, seq))
            held.push(...(answers.filter((a) => a instanceof Uint8Array) as Uint8Array[]))
            const strange = answers.filter((a) => !(a instanceof Uint8Array))
            if (isLate) {
              queueMicrotask(() => s.deliver(...strange, ...shuffle(held.splice(0), roll)))
              return []
            }
            return answers
          },
        })
        const { get, new: create } = calls()
        const work = Array.from({ length: count }, (_, id) =>
          roll() < 70
            ? connection.request(get, { id }).then((value) => assert.equal(idOf(value), id))
            : connection.request(create, { id }).then((value) => assert.equal(value, undefined)),
        )
        await Promise.all(work)
        connection.close()
        assert.ok(socket.isClosed)
      },
    ),
    { numRuns: 60 },
  )
})

function shuffle<T>(items: T[], roll: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = roll() % (i + 1)
    const swapped = items[i] as T
    items[i] = items[j] as T
    items[j] = swapped
  }
  return items
}

test('a message from another port is dropped, whatever it says', async () => {
  const { connection, session } = await stage({
    answer: ({ seq, id }) => [
      { from: 666, bytes: reply(seq, 1) },
      { from: 666, bytes: ack(seq, -1) },
      reply(seq, id),
    ],
  })
  assert.equal(idOf(await connection.request(calls().get, { id: 9 })), 9)
  assert.equal(session.receiver.strangers, 2)
})

test('between processes another port may answer', async () => {
  const { connection } = await stage({
    protocol: NETLINK_USERSOCK,
    answer: ({ seq, id }) => [{ from: 666, bytes: reply(seq, id) }],
  })
  assert.equal(idOf(await connection.request(calls().get, { id: 9 })), 9)
})

test('a reply to another port of ours is stray', async () => {
  const { connection } = await stage({
    answer: ({ seq, id }) => {
      const other = reply(seq, 1)
      viewOf(other).setUint32(12, 99, HOST_LE)
      return [other, reply(seq, id)]
    },
  })
  assert.equal(idOf(await connection.request(calls().get, { id: 9 })), 9)
  assert.equal(connection.strays, 1)
})

/** Answers from the `first` request on as it is told, later ones obediently. */
const troubled = (trouble: (asked: Asked, nth: number) => readonly Queued[] | undefined) => {
  let nth = 0
  return (asked: Asked): readonly Queued[] => trouble(asked, nth++) ?? obedient(asked)
}

for (const exchange of [true, false])
  test(`ENOBUFS in place of an answer: a read is asked again (exchange: ${exchange})`, async () => {
    const { connection, socket } = await stage({
      exchange,
      answer: troubled((_, nth) => (nth === 0 ? [ENOBUFS] : undefined)),
    })
    assert.equal(idOf(await connection.request(calls().get, { id: 3 })), 3)
    assert.equal(socket.sent.length, 2)
    assert.notEqual(socket.sent[0]?.[0]?.seq, socket.sent[1]?.[0]?.seq)
  })

test('ENOBUFS in place of an ack: the change is lost, and says so', async () => {
  const { connection, socket } = await stage({
    answer: troubled((_, nth) => (nth === 0 ? [ENOBUFS] : undefined)),
  })
  await assert.rejects(connection.request(calls().new, { id: 3 }), (error: NetlinkError) => {
    assert.equal(error.code, 'NETLINK_LOST')
    assert.match(error.message, /may have been executed/)
    assert.ok(error.hint)
    return true
  })
  assert.equal(socket.sent.length, 1)
  await connection.request(calls().new, { id: 4 })
})

test('ENOBUFS among many: the answered are answered, reads repeated, changes lost', async () => {
  const { connection } = await stage({
    answer: troubled((_, nth) => {
      if (nth === 3) return [ENOBUFS]
      return nth > 3 && nth < 8 ? [] : undefined
    }),
  })
  const { get, new: create } = calls()
  const work = Array.from({ length: 10 }, (_, id) =>
    connection.request(id % 2 ? create : get, { id }),
  )
  const results = await Promise.allSettled(work)
  assert.deepEqual(
    results.map((r, id) =>
      r.status === 'rejected' ? (r.reason as NetlinkError).code : id % 2 ? 'ack' : idOf(r.value),
    ),
    [0, 'ack', 2, 'NETLINK_LOST', 4, 'NETLINK_LOST', 6, 'NETLINK_LOST', 8, 'ack'],
  )
})

test('a read that is lost again and again is lost in the end', async () => {
  const { connection, socket } = await stage({ answer: () => [ENOBUFS] })
  await assert.rejects(connection.request(calls().get, { id: 1 }), { code: 'NETLINK_LOST' })
  assert.equal(socket.sent.length, 4)
})

test('after an overrun the socket is read until it is empty, or it would stay deaf', async () => {
  const { connection, socket } = await stage({
    answer: ({ seq, id }) => [ENOBUFS, reply(seq, id), reply(9999, 1), reply(9998, 1)],
  })
  assert.equal(idOf(await connection.request(calls().get, { id: 5 })), 5)
  assert.deepEqual(socket.queue, [])
})

test('NLMSG_OVERRUN is an overrun too', async () => {
  const { connection } = await stage({
    answer: troubled(({ seq }, nth) => (nth === 0 ? [datagram(NLMSG_OVERRUN, 0, seq)] : undefined)),
  })
  assert.equal(idOf(await connection.request(calls().get, { id: 5 })), 5)
})

test('EINTR is nothing', async () => {
  const { connection } = await stage({ answer: ({ seq, id }) => [-4, reply(seq, id)] })
  assert.equal(idOf(await connection.request(calls().get, { id: 5 })), 5)
})

test('an answer that does not fit: the read is asked again with room for it', async () => {
  const big = (asked: Asked): Uint8Array => {
    const w = new Writer()
    const mark = w.messageStart(NEW, 0, asked.seq, PORT)
    body.encode(w, { id: asked.id })
    w.attrString(2, 'x'.repeat(60_000))
    w.attrString(2, 'y'.repeat(60_000))
    w.messageEnd(mark)
    return w.finish()
  }
  const { connection, socket } = await stage({ answer: (asked) => [big(asked)] })
  const value = (await connection.request(calls().get, { id: 6 })) as { blob: string }
  assert.equal(value.blob.length, 60_000)
  assert.equal(socket.sent.length, 2)
})

test('a long request leaves room for the error that repeats it', async () => {
  const { connection } = await stage({
    answer: ({ seq }) => [
      datagram(NLMSG_ERROR, NLM_F_ACK_TLVS, seq, (w) => {
        w.u32(-22)
        const at = w.reserve(16 + 65_000)
        w.view.setUint32(at, 65_016, HOST_LE)
        w.attrString(1, 'too long')
      }),
    ],
  })
  const value = { id: 1, blob: 'x'.repeat(65_000) }
  await assert.rejects(connection.request(calls().new, value), {
    code: 'EINVAL',
    message: /too long/,
  })
})

test('a datagram that is not made of messages fails what waits for it', async () => {
  for (const bytes of [Uint8Array.of(1, 2, 3), new Uint8Array(64).fill(255)]) {
    const { connection } = await stage({ answer: () => [bytes] })
    const { get } = calls()
    const both = [connection.request(get, { id: 1 }), connection.request(get, { id: 2 })]
    for (const { status, reason } of (await Promise.allSettled(both)) as PromiseRejectedResult[]) {
      assert.equal(status, 'rejected')
      assert.equal((reason as NetlinkError).code, 'NETLINK_PROTOCOL')
    }
  }
})

test('a reply of another type, and one that does not decode', async () => {
  const odd = await stage({ answer: ({ seq, id }) => [datagram(99, 0, seq, item(id))] })
  await assert.rejects(odd.connection.request(calls().get, { id: 1 }), {
    code: 'NETLINK_PROTOCOL',
    message: /type 99/,
  })
  const short = await stage({ answer: ({ seq }) => [datagram(NEW, 0, seq, (w) => w.u8(1))] })
  await assert.rejects(short.connection.request(calls().get, { id: 1 }), DecodeError)
  const bare = await stage({ answer: ({ seq }) => [datagram(NLMSG_ERROR, 0, seq)] })
  await assert.rejects(bare.connection.request(calls().get, { id: 1 }), { code: 'NETLINK_DECODE' })
})

test('a value that cannot be sent is refused, and disturbs nobody', async () => {
  const { connection, socket } = await stage()
  const { get } = calls()
  const good = connection.request(get, { id: 1 })
  const bad = connection.request(get, { id: 2, name: 5 })
  const last = connection.request(get, { id: 3 })
  await assert.rejects(
    bad,
    (error: EncodeError) => error instanceof EncodeError && error.path === 'name',
  )
  assert.deepEqual([idOf(await good), idOf(await last)], [1, 3])
  assert.deepEqual(
    socket.sent.map((asked) => asked.map(({ id }) => id)),
    [[1, 3]],
  )
})

test('send is refused: the errno and what was asked; the socket goes on', async () => {
  const { connection, socket } = await stage()
  socket.refuseSend = [EMSGSIZE]
  await assert.rejects(connection.request(calls().get, { id: 1 }), {
    code: 'EMSGSIZE',
    syscall: 'sendmsg',
  })
  socket.refuseSend = [-111]
  const { get } = calls()
  const both = [connection.request(get, { id: 1 }), connection.request(get, { id: 2 })]
  const results = await Promise.allSettled(both)
  assert.deepEqual(
    results.map((r) => (r as PromiseRejectedResult).reason.code),
    ['ECONNREFUSED', 'ECONNREFUSED'],
  )
  assert.equal(idOf(await connection.request(get, { id: 3 })), 3)
})

test('a send that finds no room is tried again', async () => {
  const { connection, socket } = await stage({ exchange: false })
  socket.refuseSend = [EAGAIN, EAGAIN]
  const { get } = calls()
  const ids = [1, 2, 3]
  const values = await Promise.all(ids.map((id) => connection.request(get, { id })))
  assert.deepEqual(values.map(idOf), ids)
})

test('a socket that fails takes its requests along; the next one opens another', async () => {
  const { connection, sockets } = await stage({
    exchange: false,
    answer: troubled((_, nth) => (nth === 0 ? [ECONNRESET] : undefined)),
  })
  const { get } = calls()
  await assert.rejects(connection.request(get, { id: 1 }), {
    code: 'ECONNRESET',
    syscall: 'recvmsg',
  })
  assert.ok(sockets[0]?.isClosed)
  assert.equal(idOf(await connection.request(get, { id: 2 })), 2)
  assert.equal(sockets.length, 2)
})

test('a socket that cannot be opened fails the request; the next tries again', async () => {
  let attempts = 0
  const { connection } = await stage({
    open: async () => {
      if (attempts++ === 0) throw new NetlinkError('EMFILE', { syscall: 'socket' })
    },
  })
  const { get } = calls()
  await assert.rejects(connection.request(get, { id: 1 }), { code: 'EMFILE' })
  assert.equal(idOf(await connection.request(get, { id: 2 })), 2)
})

test('a kernel without strict checking is used without', async () => {
  const tried: unknown[] = []
  const { connection } = await stage({
    open: async ({ options }) => {
      tried.push(options)
      if (options?.strictCheck) throw new NetlinkError('ENOPROTOOPT', { syscall: 'setsockopt' })
    },
  })
  assert.equal(idOf(await connection.request(calls().get, { id: 2 })), 2)
  assert.equal(tried.length, 2)
})

test('an aborted signal: nothing is sent; its reason comes out unchanged', async () => {
  const { connection, socket } = await stage()
  const reason = { any: 'thing' }
  const { get } = calls()
  const signal = AbortSignal.abort(reason)
  await assert.rejects(connection.request(get, { id: 1 }, { signal }), (error) => error === reason)
  const stop = new AbortController()
  const asked = connection.request(get, { id: 2 }, { signal: stop.signal })
  stop.abort(reason)
  await assert.rejects(asked, (error) => error === reason)
  assert.deepEqual(socket.sent, [])
  assert.equal(idOf(await connection.request(get, { id: 3 })), 3)
})

test('aborted while it waits: the answer that comes later is ignored', async () => {
  const late: Asked[] = []
  const { connection, socket } = await stage({
    answer: troubled((asked, nth) => {
      if (nth > 0) return undefined
      late.push(asked)
      return []
    }),
  })
  const { get } = calls()
  const stop = new AbortController()
  const asked = connection.request(get, { id: 1 }, { signal: stop.signal })
  setImmediate(() => stop.abort())
  await assert.rejects(asked, { name: 'AbortError' })
  assert.equal(socket.isWaitedFor, false)
  socket.deliver(reply(late[0]?.seq ?? 0, 1))
  assert.equal(idOf(await connection.request(get, { id: 2 })), 2)
  assert.equal(connection.strays, 1)
})

test('aborted behind the window: it is never sent, the others are', async () => {
  const held: Asked[] = []
  const { connection, socket } = await stage({
    receiveBuffer: 4608,
    answer: (asked) => {
      held.push(asked)
      return []
    },
  })
  const { get } = calls()
  const stop = new AbortController()
  const first = connection.request(get, { id: 1 })
  const second = connection.request(get, { id: 2 }, { signal: stop.signal })
  const third = connection.request(get, { id: 3 })
  setImmediate(() => {
    stop.abort()
    socket.deliver(reply(held[0]?.seq ?? 0, 1))
  })
  await assert.rejects(second, { name: 'AbortError' })
  assert.equal(idOf(await first), 1)
  while (held.length < 2) await new Promise(setImmediate)
  socket.deliver(reply(held[1]?.seq ?? 0, 3))
  assert.equal(idOf(await third), 3)
  assert.deepEqual(
    held.map(({ id }) => id),
    [1, 3],
  )
})

test('one signal over many requests leaves no listeners behind', async () => {
  const { connection } = await stage({ answer: () => [] })
  const stop = new AbortController()
  const { get } = calls()
  const work = Array.from({ length: 200 }, (_, id) =>
    connection.request(get, { id }, { signal: stop.signal }),
  )
  setImmediate(() => stop.abort('enough'))
  const results = await Promise.allSettled(work)
  assert.ok(results.every((r) => r.status === 'rejected' && r.reason === 'enough'))
})

test('patience ends: NETLINK_TIMEOUT, with what was asked; the shorter first', async () => {
  const { connection, socket } = await stage({ answer: () => [] })
  const { get } = calls()
  const order: number[] = []
  const wait = (timeout: number): Promise<void> =>
    connection.request(get, { id: timeout }, { timeout }).then(
      () => assert.fail('nobody answers'),
      (error: NetlinkError) => {
        assert.equal(error.code, 'NETLINK_TIMEOUT')
        assert.match(error.message, new RegExp(`toy.get: no answer within ${timeout} ms`))
        order.push(timeout)
      },
    )
  await Promise.all([wait(20), wait(4), wait(12)])
  assert.deepEqual(order, [4, 12, 20])
  assert.equal(socket.isWaitedFor, false)
})

test('patience also ends while the socket is being opened', async () => {
  const { connection } = await stage({ open: () => new Promise(() => {}) })
  await assert.rejects(connection.request(calls().get, { id: 1 }, { timeout: 5 }), {
    code: 'NETLINK_TIMEOUT',
  })
})

test('a timeout must be a number above 0', async () => {
  const { connection } = await stage()
  for (const timeout of [0, -1, Number.NaN, '5' as never])
    await assert.rejects(connection.request(calls().get, { id: 1 }, { timeout }), {
      code: 'NETLINK_INVALID',
    })
  await connection.request(calls().get, { id: 1 }, { timeout: Number.POSITIVE_INFINITY })
})

test('close: what is sent, queued or asked later rejects with NETLINK_CLOSED; twice is once', async () => {
  const { connection, socket } = await stage({ receiveBuffer: 4608, answer: () => [] })
  const { get } = calls()
  const work = [1, 2, 3].map((id) => connection.request(get, { id }))
  setImmediate(() => {
    connection.close()
    connection.close()
  })
  for (const { reason } of (await Promise.allSettled(work)) as PromiseRejectedResult[])
    assert.equal(reason.code, 'NETLINK_CLOSED')
  assert.ok(socket.isClosed)
  await assert.rejects(connection.request(get, { id: 4 }), { code: 'NETLINK_CLOSED' })
})

test('closed while its socket is being opened: the socket is closed when it comes', async () => {
  let come = (): void => {}
  const { connection, sockets } = await stage({
    open: () =>
      new Promise<void>((resolve) => {
        come = resolve
      }),
  })
  const asked = connection.request(calls().get, { id: 1 })
  setImmediate(() => connection.close('over'))
  await assert.rejects(asked, (error) => error === 'over')
  come()
  await new Promise(setImmediate)
  assert.ok(sockets[0]?.isClosed)
})

test('a warning on success goes to the call’s listener, else to the client’s', async () => {
  const warned: unknown[] = []
  const { connection } = await stage({
    onWarning: (warning) => warned.push(['client', warning]),
    answer: ({ seq }) => [
      datagram(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, seq, (w) => {
        w.u32(0)
        w.reserve(16)
        w.attrString(1, 'mind the gap')
      }),
    ],
  })
  await connection.request(calls().new, { id: 1 })
  const onWarning = (warning: Extack): unknown => warned.push(['call', warning])
  await connection.request(calls().new, { id: 1 }, { onWarning })
  assert.deepEqual(warned, [
    ['client', { message: 'mind the gap' }],
    ['call', { message: 'mind the gap' }],
  ])
})

test('awaited requests without an end leave the event loop its turns', async () => {
  const { connection } = await stage()
  const { get } = calls()
  let hasRun = false
  setTimeout(() => {
    hasRun = true
  }, 1)
  const start = performance.now()
  let asked = 0
  for (; !hasRun && asked < 1e6; asked++) await connection.request(get, { id: 1 })
  assert.ok(hasRun, `${asked} requests in ${performance.now() - start} ms`)
})

test('diagnostics channels carry copies of what passes', async () => {
  const reports: [string, DatagramReport][] = []
  const listener = (report: unknown, name: string | symbol): void => {
    reports.push([String(name), report as DatagramReport])
  }
  for (const name of ['nlkit:send', 'nlkit:receive', 'nlkit:overrun']) subscribe(name, listener)
  try {
    const { connection } = await stage({
      answer: troubled((_, nth) => (nth === 0 ? [ENOBUFS] : undefined)),
    })
    await connection.request(calls().get, { id: 1 })
    assert.deepEqual(
      reports.map(([name]) => name),
      ['nlkit:send', 'nlkit:overrun', 'nlkit:send', 'nlkit:receive'],
    )
    const [, received] = reports.at(-1) ?? assert.fail()
    assert.equal(received.portid, PORT)
    const seq = viewOf(received.bytes).getUint32(8, HOST_LE)
    assert.deepEqual(received.bytes, reply(seq, 1))
  } finally {
    for (const name of ['nlkit:send', 'nlkit:receive', 'nlkit:overrun']) unsubscribe(name, listener)
  }
})

/** A dump over sockets that answer with these datagrams, once each time that it is asked. */
function listing({ endpoint }: Stage, options: DumpOptions = {}): Dump<number> {
  return endpoint.dump(
    calls().list,
    { value: () => ({ id: 0 }), map: (value) => idOf(value) },
    options,
  )
}
const dumping = (datagrams: (seq: number, nth: number) => readonly Queued[]) => {
  let nth = 0
  return ({ seq }: Asked): readonly Queued[] => datagrams(seq, nth++)
}
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)

test('a dump item by item, in batches, whole, visited, and its first', async () => {
  const s = await stage({
    answer: dumping((seq) => [some(seq, [1, 2, 3]), some(seq, [4, 5]), done(seq)]),
  })
  const items: number[] = []
  for await (const each of listing(s)) items.push(each)
  assert.deepEqual(items, [1, 2, 3, 4, 5])
  const batches: number[][] = []
  for await (const each of listing(s).batches()) batches.push(each)
  assert.deepEqual(batches, [
    [1, 2, 3],
    [4, 5],
  ])
  assert.deepEqual(await listing(s).toArray(), [1, 2, 3, 4, 5])
  const visited: number[] = []
  await listing(s).forEach((each) => void visited.push(each))
  assert.deepEqual(visited, [1, 2, 3, 4, 5])
  assert.equal(await listing(s).first(), 1)
  assert.equal(s.sockets.length - 1, 1, 'one socket served all of them')
})

test('an empty dump, DONE in the last datagram, items that are left out', async () => {
  const empty = await stage({ answer: dumping((seq) => [done(seq)]) })
  assert.deepEqual(await listing(empty).toArray(), [])
  assert.equal(await listing(empty).first(), undefined)
  const w = new Writer()
  const shared = await stage({
    answer: dumping((seq) => {
      w.length = 0
      put(w, NEW, NLM_F_MULTI, seq, item(1))
      put(w, NEW, NLM_F_MULTI, seq, item(2))
      put(w, NLMSG_DONE, NLM_F_MULTI, seq, (x) => x.u32(0))
      return [w.finish()]
    }),
  })
  assert.deepEqual(await listing(shared).toArray(), [1, 2])
  const odd = shared.endpoint.dump(calls().list, {
    value: () => ({ id: 0 }),
    map: (value) => (idOf(value) % 2 ? idOf(value) : undefined),
  })
  assert.deepEqual(await odd.toArray(), [1])
})

test('nothing is asked before it is read, and each reading asks anew', async () => {
  let asked = 0
  const s = await stage({
    answer: dumping((seq) => {
      asked++
      return [done(seq)]
    }),
  })
  const dump = listing(s)
  dump[Symbol.asyncIterator]()
  await new Promise(setImmediate)
  assert.equal(asked, 0)
  await dump.toArray()
  await dump.toArray()
  assert.equal(asked, 2)
})

test('an interrupted dump is asked again, unseen', async () => {
  const answer = dumping((seq, nth) =>
    nth < 2 ? [some(seq, [1], NLM_F_DUMP_INTR), done(seq)] : [some(seq, [1, 2]), done(seq)],
  )
  const s = await stage({ answer })
  assert.deepEqual(await listing(s).toArray(), [1, 2])
  const again = await stage({
    answer: dumping((seq, nth) =>
      nth === 0 ? [some(seq, [7]), done(seq, NLM_F_DUMP_INTR)] : [some(seq, [8]), done(seq)],
    ),
  })
  const items: number[] = []
  for await (const each of listing(again)) items.push(each)
  assert.deepEqual(items, [8])
})

test('a dump that is interrupted for ever: NETLINK_INTERRUPTED after three repeats', async () => {
  let asked = 0
  const s = await stage({
    answer: dumping((seq) => {
      asked++
      return [some(seq, [1], NLM_F_DUMP_INTR), done(seq)]
    }),
  })
  await assert.rejects(listing(s).toArray(), { code: 'NETLINK_INTERRUPTED' })
  assert.equal(asked, 4)
})

test('onInterrupted error: the items, then the error', async () => {
  const s = await stage({
    answer: dumping((seq) => [some(seq, [1, 2], NLM_F_DUMP_INTR), some(seq, [3]), done(seq)]),
  })
  const items: number[] = []
  const reading = (async () => {
    for await (const each of listing(s, { onInterrupted: 'error' })) items.push(each)
  })()
  await assert.rejects(reading, { code: 'NETLINK_INTERRUPTED' })
  assert.deepEqual(items, [1, 2, 3])
})

test('a long dump is given away as it comes; an interruption is told behind its items', async () => {
  let asked = 0
  const s = await stage({
    answer: dumping((seq) => {
      asked++
      return [
        ...range(0, 30).map((i) => some(seq, [2 * i, 2 * i + 1], i === 29 ? NLM_F_DUMP_INTR : 0)),
        done(seq),
      ]
    }),
  })
  const items: number[] = []
  const reading = (async () => {
    for await (const each of listing(s)) {
      if (items.length === 0)
        assert.ok((s.sockets[1]?.queue.length ?? 0) > 10, 'read too far ahead')
      items.push(each)
    }
  })()
  await assert.rejects(reading, { code: 'NETLINK_INTERRUPTED' })
  assert.deepEqual(items, range(0, 60))
  assert.equal(asked, 1)
})

test('a refused dump: its errno, from NLMSG_DONE and from NLMSG_ERROR, behind its items', async () => {
  const late = await stage({ answer: dumping((seq) => [some(seq, [1]), done(seq, 0, -19)]) })
  const items: number[] = []
  const reading = listing(late).forEach((each) => void items.push(each))
  await assert.rejects(reading, { code: 'ENODEV', request: 'toy.get' })
  assert.deepEqual(items, [1])
  const early = await stage({ answer: dumping((seq) => [ack(seq, -1)]) })
  await assert.rejects(listing(early).toArray(), { code: 'EPERM' })
  assert.equal(early.sockets.length, 2)
  await assert.rejects(listing(early).first(), { code: 'EPERM' })
  assert.equal(early.sockets.length, 2, 'the socket is used again')
})

test('errors that mean an empty table', async () => {
  const s = await stage({ answer: dumping((seq) => [done(seq, 0, -2)]) })
  const dump = s.endpoint.dump(calls().list, {
    value: () => ({ id: 0 }),
    isEmpty: (error) => (error as NetlinkError).code === 'ENOENT',
  })
  assert.deepEqual(await dump.toArray(), [])
})

test('a dump that lost something, or did not fit, is asked again', async () => {
  const lossy = await stage({
    answer: dumping((seq, nth) =>
      nth === 0 ? [some(seq, [1]), ENOBUFS, done(seq)] : [some(seq, [1, 2]), done(seq)],
    ),
  })
  assert.deepEqual(await listing(lossy).toArray(), [1, 2])
  const stuck = await stage({
    answer: dumping((seq, nth) =>
      nth === 0 ? [some(seq, [1]), ENOBUFS] : [some(seq, [3]), done(seq)],
    ),
  })
  assert.deepEqual(await listing(stuck).toArray(), [3])
  assert.ok(stuck.sockets[1]?.isClosed, 'its dump may still run: the socket is replaced')
  const big = await stage({
    answer: dumping((seq) => {
      const w = new Writer()
      for (const id of [1, 2]) put(w, NEW, NLM_F_MULTI, seq, item(id, 60_000))
      return [w.finish(), done(seq)]
    }),
  })
  assert.deepEqual(await listing(big).toArray(), [1, 2])
})

test('leaving a dump: what is left is read and the socket kept, or it is replaced', async () => {
  const short = await stage({
    answer: dumping((seq) => [...range(0, 30).map((id) => some(seq, [id])), done(seq)]),
  })
  for await (const _ of listing(short)) break
  assert.deepEqual(short.sockets[1]?.queue, [])
  assert.equal(short.sockets[1]?.isClosed, false)
  const long = await stage({
    answer: dumping((seq) => [
      ...range(0, 60).map((id) => datagram(NEW, NLM_F_MULTI, seq, item(id, 30_000))),
      done(seq),
    ]),
  })
  assert.equal(await listing(long).first(), 0)
  assert.ok(long.sockets[1]?.isClosed)
  await assert.rejects(
    listing(short).forEach(() => {
      throw new Error('mine')
    }),
    /mine/,
  )
  assert.deepEqual(await listing(short).toArray(), range(0, 30))
})

test('dumps inside dumps inside dumps come to an end', async () => {
  const s = await stage({
    answer: dumping((seq) => [...range(0, 40).map((id) => some(seq, [id])), done(seq)]),
  })
  let deepest = 0
  const dive = async (depth: number): Promise<void> => {
    deepest = Math.max(deepest, depth)
    if (depth === 12) return
    for await (const each of listing(s)) {
      if (each === 20) await dive(depth + 1)
    }
  }
  await dive(0)
  assert.equal(deepest, 12)
  assert.ok(s.sockets.length - 1 <= 8, `${s.sockets.length - 1} sockets`)
})

test('a hundred dumps at once share a few sockets', async () => {
  const s = await stage({ answer: dumping((seq, nth) => [some(seq, [nth]), done(seq)]) })
  const all = await Promise.all(range(0, 100).map(() => listing(s).toArray()))
  assert.deepEqual(
    all.flat().sort((a, b) => a - b),
    range(0, 100),
  )
  assert.ok(s.sockets.length - 1 <= 8)
  assert.ok(
    s.sockets.slice(1).filter((socket) => !socket.isClosed).length <= 2,
    'idle ones are closed',
  )
})

test('calls of next that overlap are served in turn', async () => {
  const s = await stage({
    answer: dumping((seq) => [some(seq, [1, 2]), some(seq, [3]), done(seq)]),
  })
  const iterator = listing(s)[Symbol.asyncIterator]()
  const results = await Promise.all(range(0, 5).map(() => iterator.next()))
  assert.deepEqual(
    results.map(({ value, done }) => (done ? 'done' : value)),
    [1, 2, 3, 'done', 'done'],
  )
})

test('a dump that stops coming runs out of time, is aborted, is closed', async () => {
  const s = await stage({ answer: dumping((seq) => [some(seq, [1])]) })
  await assert.rejects(listing(s, { timeout: 5 }).toArray(), {
    code: 'NETLINK_TIMEOUT',
    message: /toy.get/,
  })
  const stop = new AbortController()
  const aborted = listing(s, { signal: stop.signal }).toArray()
  setImmediate(() => stop.abort('mine'))
  await assert.rejects(aborted, (error) => error === 'mine')
  const closed = listing(s).toArray()
  setImmediate(() => s.endpoint.close())
  await assert.rejects(closed, { code: 'NETLINK_CLOSED' })
  await assert.rejects(listing(s).toArray(), { code: 'NETLINK_CLOSED' })
  assert.ok(s.sockets.slice(1).every((socket) => socket.isClosed))
})

test('a dump with a slow reader does not run out of time', async () => {
  const s = await stage({
    answer: dumping((seq) => [...range(0, 40).map((id) => some(seq, [id])), done(seq)]),
  })
  let seen = 0
  for await (const _ of listing(s, { timeout: 1 })) {
    if (seen++ % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
  }
  assert.equal(seen, 40)
})

/** Numbered events of group 1. */
function listening(
  s: Stage,
  options: EventOptions = {},
  resync?: () => Promise<string>,
): Events<string> {
  return new Events<string>(
    s.session,
    {
      protocol: NETLINK_ROUTE,
      groups: () => [1],
      decode: (m) => (m.type === NEW ? `n${m.view.getUint32(m.payload, HOST_LE)}` : undefined),
      overrun: (source) => `overrun ${source}`,
      ...(resync ? { resync } : {}),
    },
    options,
    () => {},
  )
}
const news = (...ids: number[]): Uint8Array[] => ids.map((id) => datagram(NEW, 0, 0, item(id)))
/** The next `count` events. */
async function take(events: Events<string>, count: number): Promise<string[]> {
  const taken: string[] = []
  while (taken.length < count) taken.push((await events.next()).value)
  return taken
}
const eventSocket = (s: Stage): Scripted => s.sockets.at(-1) as Scripted

test('events come in their order, from the moment that the groups are joined', async () => {
  const s = await stage()
  const events = listening(s)
  await events.ready
  assert.deepEqual(eventSocket(s).init.groups, [1])
  eventSocket(s).deliver(...news(1, 2), datagram(99, 0, 0))
  assert.deepEqual(await take(events, 2), ['n1', 'n2'])
  const next = events.next()
  eventSocket(s).deliver(...news(3))
  assert.equal((await next).value, 'n3')
  events.close()
  assert.deepEqual(await events.next(), { done: true, value: undefined })
  assert.ok(eventSocket(s).isClosed)
})

test('an overrun in the kernel: told, the state taken anew, and what follows it', async () => {
  const s = await stage()
  let resyncs = 0
  const events = listening(s, {}, async () => {
    resyncs++
    eventSocket(s).deliver(...news(6))
    return 'resync'
  })
  await events.ready
  eventSocket(s).deliver(...news(1), ENOBUFS, ...news(2, 3))
  assert.deepEqual(await take(events, 2), ['n1', 'overrun kernel'])
  assert.equal(resyncs, 0, 'not before its reader has heard')
  eventSocket(s).deliver(...news(4))
  assert.deepEqual(await take(events, 2), ['resync', 'n6'])
  eventSocket(s).deliver(...news(7))
  assert.deepEqual(await take(events, 1), ['n7'])
  events.close()
})

test('an overrun without a state to take: told where it happened', async () => {
  const s = await stage()
  const events = listening(s)
  await events.ready
  eventSocket(s).deliver(...news(1), ENOBUFS, ...news(2), datagram(NLMSG_OVERRUN, 0, 0), ...news(3))
  assert.deepEqual(await take(events, 5), ['n1', 'overrun kernel', 'n2', 'overrun kernel', 'n3'])
  events.close()
})

for (const hasState of [true, false])
  test(`a reader who is too slow: overrun iterator${hasState ? ' and resync' : ''}`, async () => {
    const s = await stage()
    const events = listening(s, { buffer: 3 }, hasState ? async () => 'resync' : undefined)
    await events.ready
    eventSocket(s).deliver(...news(1, 2, 3, 4, 5, 6, 7))
    while (eventSocket(s).queue.length > 0) await new Promise(setImmediate)
    assert.deepEqual(await take(events, 4), ['n1', 'n2', 'n3', 'overrun iterator'])
    if (hasState) assert.deepEqual(await take(events, 1), ['resync'])
    eventSocket(s).deliver(...news(8, 9))
    assert.deepEqual(await take(events, 2), ['n8', 'n9'])
    events.close()
  })

test('a reader who keeps up overruns nothing, however much comes at once', async () => {
  const s = await stage()
  const events = listening(s, { buffer: 16 })
  await events.ready
  eventSocket(s).deliver(...news(...range(0, 5000)))
  assert.deepEqual(
    await take(events, 5000),
    range(0, 5000).map((id) => `n${id}`),
  )
  events.close()
})

test('events end with their signal, with an error, with a socket that cannot be had', async () => {
  const s = await stage()
  const stop = new AbortController()
  const aborted = listening(s, { signal: stop.signal })
  await aborted.ready
  eventSocket(s).deliver(...news(1))
  const waiting = (async () => {
    for await (const _ of aborted);
  })()
  setImmediate(() => stop.abort('mine'))
  await assert.rejects(waiting, (error) => error === 'mine')
  assert.deepEqual(await aborted.next(), { done: true, value: undefined })

  const failing = listening(s)
  await failing.ready
  eventSocket(s).deliver(ECONNRESET)
  await assert.rejects(failing.next(), { code: 'ECONNRESET' })

  const garbled = listening(s)
  await garbled.ready
  eventSocket(s).deliver(Uint8Array.of(1, 2, 3))
  await assert.rejects(garbled.next(), { code: 'NETLINK_PROTOCOL' })

  const refused = await stage({
    open: async () => {
      throw new NetlinkError('EACCES', { syscall: 'bind' })
    },
  })
  const never = listening(refused)
  await assert.rejects(never.ready, { code: 'EACCES' })
  await assert.rejects(never.next(), { code: 'EACCES' })
  assert.throws(() => listening(s, { buffer: 0 }), { code: 'NETLINK_INVALID' })
})

test('the largest receive buffer that is allowed', async () => {
  const tried: unknown[] = []
  const s = await stage({
    open: async ({ options }) => {
      tried.push(options?.receiveBufferForce ?? -(options?.receiveBuffer ?? 0))
      if (options?.receiveBufferForce) throw new NetlinkError('EPERM', { syscall: 'setsockopt' })
    },
  })
  const events = listening(s)
  await events.ready
  const given = listening(s, { receiveBuffer: 4608 })
  await given.ready
  assert.deepEqual(tried, [8 << 20, -(8 << 20), -4608])
  events.close()
  given.close()
})

test('a state that cannot be taken ends the events', async () => {
  const s = await stage()
  const events = listening(s, {}, async () => {
    throw new NetlinkError('EPERM')
  })
  await events.ready
  eventSocket(s).deliver(ENOBUFS)
  assert.deepEqual(await take(events, 1), ['overrun kernel'])
  await assert.rejects(events.next(), { code: 'EPERM' })
  assert.equal((await events.next()).done, true)
})

/** A stage on which requests have been alone for some time. */
async function lonely(init: StageInit = {}): Promise<Stage> {
  let isOver = false
  const answer: NonNullable<StageInit['answer']> = init.answer ?? obedient
  const made = await stage({
    ...init,
    answer: (asked, socket) => (isOver ? answer(asked, socket) : obedient(asked)),
  })
  for (let i = 0; i < 4; i++) await made.connection.request(calls().get, { id: i })
  isOver = true
  assert.equal(made.socket.prompt, 0)
  return made
}

test('who asks one thing after another is answered in the call that asks', async () => {
  const { connection, socket } = await lonely()
  for (let i = 10; i < 30; i++) {
    const answer = connection.request(calls().get, { id: i })
    assert.equal(socket.sent.at(-1)?.[0]?.id, i, 'sent already')
    assert.deepEqual(await answer, { id: i, name: `n${i}` })
  }
  assert.equal(await connection.request(calls().new, { id: 1 }), undefined)
  assert.equal(socket.prompt, 21)
  assert.equal(socket.receives, 25, 'a call an answer, and nothing more')
  connection.close()
})

test('among lone requests one waits now and then, and those that join it share its datagram', async () => {
  const { connection, socket } = await lonely()
  const get = calls().get
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, id) => connection.request(get, { id })),
  )
  assert.deepEqual(
    all.map((each) => (each as { id: number }).id),
    Array.from({ length: 50 }, (_, id) => id),
  )
  assert.equal(socket.prompt, 32)
  assert.equal(socket.sent.at(-1)?.length, 18)
  const before = socket.sent.length
  await Promise.all([1, 2].map((id) => connection.request(get, { id })))
  assert.equal(socket.sent.length, before + 1, 'they are not alone any more')
  connection.close()
})

test('a prompt request whose answer is not there yet waits for it', async () => {
  const late: Asked[] = []
  const { connection, socket } = await lonely({
    answer: (asked) => {
      late.push(asked)
      return []
    },
  })
  const first = connection.request(calls().get, { id: 7 })
  const second = connection.request(calls().get, { id: 8 })
  assert.equal(socket.prompt, 1, 'the other waits for its turn')
  await new Promise(setImmediate)
  assert.equal(late.length, 2)
  socket.deliver(...late.map(({ seq, id }) => reply(seq, id)))
  assert.deepEqual(await Promise.all([first, second]), [
    { id: 7, name: 'n7' },
    { id: 8, name: 'n8' },
  ])
  connection.close()
})

test('a prompt request that nobody answers runs out of time', async () => {
  const { connection } = await lonely({ answer: () => [], timeout: 20 })
  await assert.rejects(connection.request(calls().get, { id: 1 }), {
    code: 'NETLINK_TIMEOUT',
  })
  connection.close()
})

test('what is refused, garbled or lost is told of prompt requests as of others', async () => {
  let next: (asked: Asked) => readonly Queued[] = () => []
  const { connection, socket } = await lonely({ answer: (asked) => next(asked) })
  const ask = () => connection.request(calls().get, { id: 5 })
  const answers: [(asked: Asked) => readonly Queued[], string][] = [
    [({ seq }) => [ack(seq, -95)], 'EOPNOTSUPP'],
    [({ seq }) => [datagram(NEW, 0, seq, (w) => w.u8(1))], 'NETLINK_DECODE'],
    [({ seq }) => [datagram(NEW + 4, 0, seq, item(5))], 'NETLINK_PROTOCOL'],
  ]
  for (const [answer, code] of answers) {
    next = answer
    await assert.rejects(ask(), { code })
    next = ({ seq, id }) => [reply(seq, id)]
    while (socket.prompt % 4 !== 0) await ask()
  }
  const id = { id: 5, name: 'n5' }
  let asks = 0
  next = ({ seq }) => (asks++ === 0 ? [ENOBUFS] : [reply(seq, 5)])
  assert.deepEqual(await ask(), id)
  assert.equal(asks, 2, 'asked again after the loss')
  next = ({ seq }) => [reply(seq - 1, 4), reply(seq, 5)]
  assert.deepEqual(await ask(), id)
  assert.equal(connection.strays, 1)
  connection.close()
})

test('a prompt request that cannot be written or sent leaves nothing behind', async () => {
  const { connection, socket } = await lonely()
  const ask = (id: number) => connection.request(calls().get, { id })
  await assert.rejects(ask(-1), EncodeError)
  socket.refuseSend.push(EMSGSIZE)
  await assert.rejects(ask(1), { code: 'EMSGSIZE' })
  assert.deepEqual(await ask(2), { id: 2, name: 'n2' })
  connection.close()
  await assert.rejects(ask(3), { code: 'NETLINK_CLOSED' })
})
