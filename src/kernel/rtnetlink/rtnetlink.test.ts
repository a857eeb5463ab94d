/** The table of handlers, who may do what, groups, dumps under change, the end of a namespace. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import type { Socket } from '../../transport/transport.ts'
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR } from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Credentials } from '../credentials.ts'
import { Kernel } from '../kernel.ts'
import {
  ACK,
  ADD,
  DUMP,
  GET,
  ifaddr,
  ifinfo,
  ip,
  linkinfo,
  raw,
  step,
  str,
  u32,
} from './requests.test.support.ts'
import { RtnlTable } from './table.ts'

const nobody: Partial<Credentials> = { uid: 1000, gid: 1000, capabilities: new Set() }
/** A message type that is free for tests: RTM_NEWTUNNEL and its kin. */
const NEW = 120
const LIST = 122

interface Message {
  readonly type: number
  readonly flags: number
  readonly payload: Uint8Array
}

/** What is queued, datagram by datagram. */
function drain(socket: Socket, size = 65_536): Message[][] {
  const buffer = new Uint8Array(size)
  const datagrams: Message[][] = []
  for (;;) {
    const length = socket.receive(buffer)
    if (length < 0) return datagrams
    datagrams.push(messagesOf(buffer.slice(0, length)))
  }
}

function messagesOf(bytes: Uint8Array): Message[] {
  const walker = new MessageWalker(viewOf(bytes))
  const messages: Message[] = []
  while (walker.next()) {
    const { type, flags, payload, end } = walker
    messages.push({ type, flags, payload: bytes.slice(payload, end) })
  }
  return messages
}

/** The errno of the last message: an acknowledgement, an error, or the end of a dump. */
function verdict(socket: Socket): number {
  const last = drain(socket).flat().at(-1)
  assert.ok(last?.type === NLMSG_ERROR || last?.type === NLMSG_DONE)
  return viewOf(last.payload).getInt32(0, HOST_LE)
}

function bridge(name: string): Uint8Array {
  return step('', 16, ADD, ifinfo({}, str(3, name), linkinfo('bridge'))).request
}

test('rtnl_register fills a slot and leaves the rest of it', () => {
  const table = new RtnlTable()
  const first = (): void => {}
  const second = (): void => {}
  const dumpit = { name: 'x', type: NEW, items: () => [], put: () => {} }
  table.register(2, LIST, { doit: first })
  table.register(2, LIST, { dumpit, bulkDelete: true })
  table.register(2, LIST, { doit: second })
  assert.deepEqual(table.get(2, LIST), { doit: second, dumpit, bulkDelete: true })
  table.register(0, LIST, { doit: first })
  assert.equal(table.doer(2, LIST)?.doit, second)
  assert.equal(table.doer(10, LIST)?.doit, first, 'a family without a table')
  assert.equal(table.doer(200, LIST)?.doit, first, 'a family beyond the last')
  assert.equal(table.dumper(10, LIST), undefined)
  table.unregister(2, LIST)
  table.unregister(2, LIST)
  assert.equal(table.doer(2, LIST)?.doit, first)
  assert.throws(
    () => table.unregister(77, LIST),
    (e) => isNetlinkError(e, 'ENOENT'),
  )
})

test('a slot that no message can reach is not registered', () => {
  const table = new RtnlTable()
  for (const [family, type] of [
    [-1, 16],
    [130, 16],
    [0, 15],
    [0, 124],
    [1.5, 16],
  ] as const) {
    assert.throws(() => table.register(family, type, {}), TypeError)
  }
})

test('a handler of one`s own answers do and dump', async () => {
  await using kernel = new Kernel()
  const seen: number[] = []
  kernel.rtnl.register(0, NEW, {
    doit(ctx) {
      seen.push(ctx.view.getUint8(ctx.payload))
      if (ctx.end - ctx.payload < 4) throw new NetlinkError('EINVAL', 'too short')
    },
  })
  kernel.rtnl.register(0, LIST, {
    doit: (ctx) => void ctx.reply(NEW, (w) => w.u32(7)),
    dumpit: {
      name: 'tunnels',
      type: NEW,
      *items() {
        yield 1
        yield 2
      },
      put: (w, item) => w.u32(item as number),
    },
  })
  const socket = await kernel.transport().open({ protocol: 0 })
  socket.send([step('', NEW, ACK, raw(9, 0, 0, 0)).request])
  assert.equal(verdict(socket), 0)
  socket.send([step('', NEW, ACK, raw(9)).request])
  assert.equal(verdict(socket), -22)
  assert.deepEqual(seen, [9, 9])
  socket.send([step('', LIST, GET, raw(0)).request])
  assert.deepEqual(
    drain(socket)
      .flat()
      .map(({ type }) => type),
    [NEW],
  )
  socket.send([step('', LIST, DUMP, raw(0)).request])
  assert.deepEqual(
    drain(socket)
      .flat()
      .map(({ type }) => type),
    [NEW, NEW, NLMSG_DONE],
  )
  kernel.rtnl.unregister(0, LIST)
  socket.send([step('', LIST, GET, raw(0)).request])
  assert.equal(verdict(socket), -95)
  socket.close()
})

test('who may not administrate may look', async () => {
  await using kernel = new Kernel()
  const socket = await kernel.transport({ credentials: nobody }).open({ protocol: 0 })
  for (const [type, errno] of [
    [16, -1],
    [17, -1],
    [19, -1],
    [20, -1],
    [24, -1],
    [28, -1],
    [32, -1],
    [124, -95],
  ] as const) {
    socket.send([step('', type, ACK, ifinfo({ index: 1 })).request])
    assert.equal(verdict(socket), errno, `type ${type}`)
  }
  socket.send([step('', 16, ACK).request])
  assert.equal(verdict(socket), 0, 'no payload is no request')
  socket.send([step('', 18, ACK, ifinfo({ index: 1 })).request])
  assert.equal(verdict(socket), 0)
  socket.close()
})

test('reports of multicast routing are for administrators', async () => {
  await using kernel = new Kernel()
  const socket = await kernel.transport({ credentials: nobody }).open({ protocol: 0 })
  for (const group of [1, 7, 39]) await socket.join(group)
  for (const group of [30, 31]) {
    await assert.rejects(
      async () => socket.join(group),
      (e) => isNetlinkError(e, 'EPERM'),
    )
  }
  await assert.rejects(
    async () => socket.join(64),
    (e) => isNetlinkError(e, 'EINVAL'),
  )
  socket.close()
})

test('a deletion in bulk is for those who say that they can', async () => {
  await using kernel = new Kernel()
  let count = 0
  const doit = (): void => {
    count++
  }
  kernel.rtnl.register(0, 121, { doit })
  const socket = await kernel.transport().open({ protocol: 0 })
  socket.send([step('', 121, 0x205, raw(0)).request])
  assert.equal(verdict(socket), -95)
  kernel.rtnl.register(0, 121, { bulkDelete: true })
  socket.send([step('', 121, 0x205, raw(0)).request])
  assert.equal(verdict(socket), 0)
  assert.equal(count, 1)
  socket.close()
})

test('a dump of many links goes on as it is read, each link once', async () => {
  await using kernel = new Kernel()
  const socket = await kernel.transport().open({ protocol: 0 })
  for (let i = 0; i < 200; i++) {
    socket.send([bridge(`b${i}`)])
    assert.equal(verdict(socket), 0)
  }
  socket.send([step('', 18, DUMP, ifinfo()).request])
  const datagrams = drain(socket)
  assert.ok(datagrams.length > 5)
  const indices = datagrams
    .flat()
    .map(({ payload }) => viewOf(payload).getInt32(4 % payload.length, HOST_LE))
  assert.deepEqual(
    indices.slice(0, -1),
    Array.from({ length: 201 }, (_, i) => i + 1),
  )
  assert.deepEqual(
    datagrams.at(-1)?.map(({ type }) => type),
    [NLMSG_DONE],
    'its end is alone',
  )
  socket.close()
})

test('a dump that is overtaken by a change says so once', async () => {
  await using kernel = new Kernel()
  const transport = kernel.transport()
  const reader = await transport.open({ protocol: 0 })
  const writer = await transport.open({ protocol: 0 })
  for (let i = 0; i < 30; i++) writer.send([bridge(`b${i}`)])
  reader.send([step('', 18, DUMP, ifinfo()).request])
  const buffer = new Uint8Array(4096)
  reader.receive(buffer)
  writer.send([bridge('late')])
  const rest = drain(reader, 4096).flat()
  const marked = rest.filter(({ flags }) => flags & NLM_F_DUMP_INTR)
  assert.equal(marked.length, 1)
  assert.notEqual(rest.at(-1)?.flags, marked[0]?.flags)
  reader.send([step('', 18, DUMP, ifinfo()).request])
  assert.ok(
    drain(reader)
      .flat()
      .every(({ flags }) => (flags & NLM_F_DUMP_INTR) === 0),
  )
  for (const socket of [reader, writer]) socket.close()
})

test('a dump of addresses is overtaken by addresses', async () => {
  await using kernel = new Kernel()
  const transport = kernel.transport()
  const reader = await transport.open({ protocol: 0 })
  const writer = await transport.open({ protocol: 0 })
  const add = (i: number): void => {
    const address = `10.0.${i >> 8}.${i & 255}`
    const body = ifaddr({ index: 1, len: 32 }, ip(2, address), ip(1, address))
    writer.send([step('', 20, ADD, body).request])
  }
  for (let i = 1; i <= 300; i++) add(i)
  reader.send([step('', 22, DUMP, ifaddr({ family: 0, len: 0, index: 0 })).request])
  reader.receive(new Uint8Array(4096))
  add(301)
  const marked = drain(reader, 4096)
    .flat()
    .filter(({ flags }) => flags & NLM_F_DUMP_INTR)
  assert.equal(marked.length, 1)
  for (const socket of [reader, writer]) socket.close()
})

test('namespaces: a pair with an end in each, and what is left when one goes', async () => {
  await using kernel = new Kernel()
  const other = kernel.addNet('other')
  kernel.initNet.assignNsid(other, 5)
  const here = await kernel.transport().open({ protocol: 0 })
  const there = await kernel.transport({ net: other }).open({ protocol: 0 })
  here.send([step('', 16, ADD, ifinfo({}, str(3, 'v0'), linkinfo('veth'))).request])
  assert.equal(verdict(here), 0)
  here.send([step('', 16, ACK, ifinfo({}, str(3, 'v0'), u32(46, 5))).request])
  assert.equal(verdict(here), 0, 'moved')
  assert.equal(kernel.rtnl.stackOf(kernel.initNet).devices.byName('v0'), undefined)
  assert.equal(kernel.rtnl.stackOf(other).devices.byName('v0')?.ifindex, 3)
  here.send([step('', 18, GET, ifinfo({}, str(3, 'v0'), u32(46, 5))).request])
  assert.deepEqual(
    drain(here)
      .flat()
      .map(({ type }) => type),
    [16],
    'seen from here',
  )
  there.close()
  kernel.deleteNet(other)
  assert.deepEqual(
    kernel.rtnl
      .stackOf(kernel.initNet)
      .devices.list()
      .map(({ name }) => name),
    ['lo'],
    'the other end went along',
  )
  here.close()
})
