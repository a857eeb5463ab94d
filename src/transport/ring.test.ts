/** The ring between threads: what goes in comes out, in order, bounded, and loss is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { isNetlinkError } from '../errors.ts'
import { open } from '../index.ts'
import { Kernel } from '../kernel/index.ts'
import { NETLINK_ROUTE, NETLINK_USERSOCK } from '../wire/constants.ts'
import { type Frame, FrameRing } from './frame-ring.ts'
import { ringTransport } from './ring.ts'
import type { Port } from './ring-protocol.ts'
import { serveRings } from './ring-server.ts'
import type { Socket } from './transport.ts'

const SMALLEST = 8192

test('property: whatever is written, cut and read in whatever order comes out as a queue has it', () => {
  const action = fc.oneof(
    fc.record({
      parts: fc.array(fc.uint8Array({ maxLength: 1500 }), { maxLength: 3 }),
      status: fc.integer({ min: -200, max: 4000 }),
      portid: fc.nat(0xffffffff),
    }),
    fc.record({ room: fc.nat(2000) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const writer = FrameRing.create(SMALLEST)
      const reader = new FrameRing(writer.memory)
      const expected: { bytes: Uint8Array; frame: Frame }[] = []
      const frame: Frame = { status: 0, portid: 0, group: 0, nsid: 0 }
      for (const each of actions) {
        if ('parts' in each) {
          const bytes = Buffer.concat(each.parts)
          const given = { status: each.status, portid: each.portid, group: 3, nsid: -1 }
          const fits = writer.hasRoom(bytes.length)
          assert.equal(writer.write(given, each.parts), fits)
          if (fits) expected.push({ bytes, frame: given })
        } else {
          const buffer = new Uint8Array(each.room)
          const stored = reader.read(frame, buffer)
          const first = expected.shift()
          assert.equal(stored, first ? first.bytes.length : -1)
          if (!first) continue
          assert.deepEqual(frame, first.frame)
          const copied = Math.min(stored, each.room)
          assert.deepEqual(
            buffer.subarray(0, copied),
            new Uint8Array(first.bytes.subarray(0, copied)),
          )
        }
        assert.equal(reader.isEmpty, expected.length === 0)
      }
    }),
    { numRuns: 60 },
  )
})

test('property: memory that anybody scribbled into is refused or read within its bounds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.integer())), (scribbles) => {
      const ring = FrameRing.create(SMALLEST)
      ring.write({ status: 4, portid: 1, group: 0, nsid: -1 }, [Uint8Array.of(1, 2, 3, 4)])
      const words = new Int32Array(ring.memory)
      for (const [at, value] of scribbles) words[at] = value
      const frame: Frame = { status: 0, portid: 0, group: 0, nsid: 0 }
      for (let i = 0; i < 3; i++) {
        try {
          ring.read(frame, new Uint8Array(16))
        } catch (error) {
          assert.ok(error instanceof RangeError)
          return
        }
      }
    }),
  )
})

test('memory that is no ring`s is refused', () => {
  for (const memory of [
    new SharedArrayBuffer(32),
    new SharedArrayBuffer(12_000),
    new ArrayBuffer(8224),
  ])
    assert.throws(() => new FrameRing(memory as SharedArrayBuffer), TypeError)
  const ring = FrameRing.create(1)
  assert.equal(
    ring.write({ status: 0, portid: 0, group: 0, nsid: 0 }, [new Uint8Array(ring.largest + 1)]),
    false,
  )
  assert.equal(
    ring.write({ status: 0, portid: 0, group: 0, nsid: 0 }, [new Uint8Array(ring.largest)]),
    true,
  )
})

/** A kernel, and a ring transport to it whose other end is in this thread too. */
function pair(ringBytes?: number) {
  const kernel = new Kernel()
  const { port1, port2 } = new MessageChannel()
  const server = serveRings(kernel.transport(), port1 as unknown as Port)
  const transport = ringTransport(port2 as unknown as Port, ringBytes ? { ringBytes } : {})
  const close = async () => {
    await transport.close?.()
    await kernel.close()
  }
  return { kernel, server, transport, close }
}
const buffer = new Uint8Array(65536)

async function next(socket: Socket): Promise<number> {
  for (;;) {
    const length = socket.receive(buffer)
    if (length !== -11) return length
    await socket.readable(AbortSignal.timeout(5000))
  }
}

test('a client works over it: requests, dumps, refusals, watching', async () => {
  const { kernel, transport, close } = pair()
  const nl = await open({ kernel: { transport: () => transport } })
  const watch = nl.watch(['link'])
  await watch.ready
  await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
  const names = (await nl.links.list().toArray()).map(({ ifname }) => ifname)
  assert.deepEqual(names, ['lo', 'veth1', 'veth0'])
  await assert.rejects(nl.links.set('veth0', { mtu: 65536 }), { code: 'EINVAL' })
  for await (const event of watch) {
    assert.equal(event.type === 'link' && event.link.ifname, 'veth1')
    break
  }
  await nl.close()
  await close()
  assert.deepEqual(kernel.netlink.sockets(), [])
})

test('options, groups, filters and ports are those of the kernel`s socket', async () => {
  const { kernel, server, transport, close } = pair()
  const one = await transport.open({ protocol: NETLINK_USERSOCK, portid: 7, groups: [3] })
  assert.equal(one.portid, 7)
  await assert.rejects(transport.open({ protocol: NETLINK_USERSOCK, portid: 7 }), {
    code: 'EADDRINUSE',
  })
  await assert.rejects(transport.open({ protocol: 31 }), { code: 'EPROTONOSUPPORT', errno: -93 })
  await assert.rejects(one.join(99), { code: 'EINVAL' })
  await one.setOption('receiveBuffer', 5000)
  assert.equal(one.receiveBuffer, 10_000)
  const two = await transport.open({ protocol: NETLINK_USERSOCK, portid: 8 })
  two.send([Uint8Array.of(1), Uint8Array.of(2)], { group: 3, portid: 7 })
  assert.equal(await next(one), 2)
  assert.deepEqual([one.senderPortid, one.senderGroup, ...buffer.subarray(0, 2)], [8, 3, 1, 2])
  await one.leave(3)
  await assert.rejects(one.attachFilter(), { code: 'ENOENT' })
  two.send([Uint8Array.of(1)], { portid: 99 })
  assert.equal(await next(two), -111)
  assert.equal(two.send([]), -61)
  assert.equal(server.sockets, 2)
  two.close()
  two.close()
  assert.equal(two.send([buffer]), -9)
  await assert.rejects(two.readable(), { code: 'NETLINK_CLOSED' })
  await assert.rejects(two.join(1), { code: 'NETLINK_CLOSED' })
  await close()
  assert.deepEqual(kernel.netlink.sockets(), [])
  assert.equal(one.receive(buffer), -104)
  await assert.rejects(one.readable(), (error) => isNetlinkError(error, 'NETLINK_CLOSED'))
})

test('a full ring refuses, what is not read stays in the kernel, and what is lost there is told', async () => {
  const { transport, close } = pair(SMALLEST)
  const slow = await transport.open({ protocol: NETLINK_USERSOCK, portid: 1, groups: [2] })
  await slow.setOption('receiveBuffer', 20_000)
  const loud = await transport.open({ protocol: NETLINK_USERSOCK, portid: 2 })
  assert.equal(loud.send([new Uint8Array(SMALLEST)], { portid: 1 }), -90)
  assert.equal(slow.receive(buffer), -11)
  let sent = 0
  for (let round = 0; round < 20; round++) {
    while (loud.send([new Uint8Array(1000).fill(round)], { group: 2, portid: 1 }) > 0) sent++
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  assert.ok(sent > 60, `${sent} were taken`)
  const lengths: number[] = []
  for (let length = slow.receive(buffer); length !== -11; length = slow.receive(buffer)) {
    lengths.push(length)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(lengths.length > 5 && lengths.length < sent, `${lengths.length} of ${sent} came`)
  await close()
})

test('an overrun comes through the ring in its place', async () => {
  const { kernel, transport, close } = pair(SMALLEST)
  const slow = await transport.open({
    protocol: NETLINK_ROUTE,
    groups: [1],
    options: { receiveBuffer: 4608 },
  })
  const nl = await open({ kernel })
  for (let i = 0; i < 60; i++) await nl.links.set('lo', { up: i % 2 === 0 })
  const seen: number[] = []
  while (seen.at(-1) !== -105) seen.push(await next(slow))
  assert.ok(seen.length < 60)
  await nl.close()
  await close()
})

test('between threads: a worker`s sockets, in order, and gone with the worker', async () => {
  const kernel = new Kernel()
  const { port1, port2 } = new MessageChannel()
  const server = serveRings(kernel.transport(), port1 as unknown as Port)
  const here = await kernel.transport().open({ protocol: NETLINK_USERSOCK, portid: 1 })
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads')
     import(${JSON.stringify(new URL('./ring.js', import.meta.url).href)}).then(async ({ ringTransport }) => {
       const socket = await ringTransport(workerData).open({ protocol: 2, portid: 2 })
       const buffer = new Uint8Array(4096)
       for (let n = 0; ; ) {
         const length = socket.receive(buffer)
         if (length === -11) { await socket.readable(); continue }
         if (buffer[0] === 255) process.exit()
         while (socket.send([buffer.subarray(0, length)], { portid: 1 }) < 0)
           await new Promise((resolve) => setTimeout(resolve, 0))
       }
     })`,
    { eval: true, workerData: port2, transferList: [port2] },
  )
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  while (here.send([Uint8Array.of(0)], { portid: 2 }) < 0)
    await new Promise((resolve) => setTimeout(resolve, 1))
  await next(here)
  const COUNT = 1000
  let sent = 0
  for (let got = 0; got < COUNT; got++) {
    for (; sent < COUNT && sent - got < 200; sent++)
      assert.equal(here.send([Uint8Array.of(1, sent & 255, sent >> 8)], { portid: 2 }), 3)
    assert.equal(await next(here), 3)
    assert.equal((buffer[1] as number) | ((buffer[2] as number) << 8), got)
  }
  here.send([Uint8Array.of(255)], { portid: 2 })
  await ended
  while (server.sockets > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.equal(here.send([Uint8Array.of(1)], { portid: 2 }), -111)
  await kernel.close()
})
