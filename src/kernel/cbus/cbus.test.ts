/** CBUS: order, bounds, counters, the worker, and queues in shared memory. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { cnMessage } from '../../families/connector.ts'
import type { Socket } from '../../transport/transport.ts'
import { NETLINK_CONNECTOR, NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { CnMsgInput } from '../connector/message.ts'
import { Kernel } from '../kernel.ts'
import { CbusRing } from './ring.ts'

const ID = { idx: 20, val: 1 }
/** Timers that run when the test says so. */
function handClock() {
  const timers = new Map<number, { run: () => void; ms: number }>()
  let next = 0
  return {
    monotonic: () => 0,
    realtime: () => 0,
    setTimer(run: () => void, ms: number) {
      const id = next++
      timers.set(id, { run, ms })
      return () => void timers.delete(id)
    },
    /** Runs those that are due; how many there were. */
    tick(within = 0): number {
      const due = [...timers].filter(([, { ms }]) => ms <= within)
      for (const [id, { run }] of due) {
        timers.delete(id)
        run()
      }
      return due.length
    },
  }
}
const buffer = new Uint8Array(32768)
/** The sequence numbers that wait, and their first byte of data. */
function receive(socket: Socket): number[] {
  const seqs: number[] = []
  for (let size = socket.receive(buffer); size > 0; size = socket.receive(buffer)) {
    const view = new DataView(buffer.buffer, 0, size)
    const { seq, len, data } = cnMessage.get(view, NLMSG_HDRLEN, view.getUint32(0, HOST_LE))
    assert.ok(data.length === len && data.every((byte) => byte === (seq & 0xff)))
    seqs.push(seq)
  }
  return seqs
}
const message = (seq: number, size = 8): CnMsgInput => ({
  ...ID,
  seq,
  data: new Uint8Array(size).fill(seq & 0xff),
})
/** A kernel with a listener of group 20. */
async function setup() {
  const clock = handClock()
  const kernel = new Kernel({ clock })
  kernel.connector.addCallback(ID, 'test', () => {})
  const options = { receiveBufferForce: 1 << 26 }
  const socket = await kernel
    .transport()
    .open({ protocol: NETLINK_CONNECTOR, groups: [20], options })
  return { clock, kernel, cbus: kernel.cbus, socket }
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('insert returns 0 before anything is delivered; the worker sends in order', async () => {
  const { clock, kernel, cbus, socket } = await setup()
  for (const seq of range(0, 10)) assert.equal(cbus.insert(message(seq)), 0)
  assert.deepEqual(receive(socket), [])
  assert.equal(clock.tick(), 1, 'one wake-up for all')
  assert.deepEqual(receive(socket), range(0, 10))
  assert.equal(clock.tick(), 0, 'nothing runs while there is nothing')
  await kernel.close()
})

test('insert copies: the message may be used again at once', async () => {
  const { kernel, cbus, socket } = await setup()
  const data = new Uint8Array(100)
  for (const seq of range(0, 5)) {
    data.fill(seq)
    cbus.insert({ ...ID, seq, data })
  }
  data.fill(255)
  cbus.flush()
  assert.deepEqual(receive(socket), range(0, 5))
  await kernel.close()
})

test('each CPU’s queue keeps its order; a round takes one message from each', async () => {
  const { kernel, cbus, socket } = await setup()
  for (const seq of range(0, 3)) cbus.queue(0).insert(message(seq))
  for (const seq of range(10, 12)) cbus.queue(3).insert(message(seq))
  cbus.flush()
  assert.deepEqual(receive(socket), [0, 10, 1, 11, 2])
  for (const bad of [-1, 1.5, 1024]) assert.throws(() => cbus.queue(bad), { code: 'EINVAL' })
  await kernel.close()
})

test('a queue takes 1,025; what is beyond is sent at once, and overtakes', async () => {
  const { kernel, cbus, socket } = await setup()
  for (const seq of range(0, 1027)) assert.equal(cbus.insert(message(seq)), 0)
  assert.deepEqual(receive(socket), [1025, 1026])
  assert.deepEqual(cbus.stats(), {
    inserted: 1027,
    queued: 1025,
    sent: 2,
    lost: 0,
    dropped: 0,
    direct: 2,
  })
  cbus.flush()
  assert.deepEqual(receive(socket), range(0, 1025))
  await kernel.close()
})

test('a full queue may drop instead, and counts', async () => {
  const { kernel, cbus, socket } = await setup()
  cbus.whenFull = 'drop'
  cbus.maxQueueLength = 9
  for (const seq of range(0, 15)) assert.equal(cbus.insert(message(seq)), 0)
  assert.equal(cbus.stats().dropped, 5)
  cbus.flush()
  assert.deepEqual(receive(socket), range(0, 10))
  await kernel.close()
})

test('the inserter learns nothing of what becomes of a message; the counters do', async () => {
  const { kernel, cbus, socket } = await setup()
  cbus.insert({ idx: 99, val: 1 })
  socket.close()
  cbus.insert(message(1))
  cbus.flush()
  const { sent, lost, queued } = cbus.stats()
  assert.deepEqual([sent, lost, queued], [0, 2, 0])
  await kernel.close()
})

test('insert: more data than a connector message has room for is EINVAL, no bytes a TypeError', async () => {
  const { kernel, cbus, socket } = await setup()
  assert.equal(cbus.insert(message(1, 16365)), -22)
  assert.equal(cbus.insert(message(2, 16364)), 0)
  assert.throws(() => cbus.insert({ ...ID, data: 'text' as never }), TypeError)
  assert.equal(cbus.insert(ID), 0)
  cbus.flush()
  assert.deepEqual(receive(socket), [2, 0])
  await kernel.close()
})

test('closing sends all that waits; then insert is ENODEV; closing again is harmless', async () => {
  const { clock, kernel, cbus, socket } = await setup()
  for (const seq of range(0, 3)) cbus.insert(message(seq))
  cbus.close()
  cbus.close()
  assert.deepEqual(receive(socket), range(0, 3))
  assert.equal(cbus.insert(message(4)), -19)
  assert.throws(() => cbus.attachRing(), { code: 'ENODEV' })
  assert.equal(clock.tick(100), 0)
  await kernel.close()
})

test('kernel.close sends what the modules’ exits insert', async () => {
  const { kernel, socket } = await setup()
  kernel.insmod({
    name: 'last',
    license: 'GPL',
    init: () => () => void kernel.cbus.insert(message(7)),
  })
  const closing = kernel.close()
  assert.equal(kernel.cbus.stats().sent, 1)
  await closing
  assert.ok(socket.receive(buffer) < 0)
})

test('what is inserted while the worker sends is sent too, and an endless answerer is bounded', async () => {
  const { kernel, cbus } = await setup()
  let answers = 0
  kernel.connector.addCallback({ idx: 21, val: 1 }, 'other', () => {})
  const echo = kernel.netlink.socket(kernel.initNet, NETLINK_CONNECTOR, {
    pid: 1,
    uid: 0,
    gid: 0,
    capabilities: 'all',
  })
  echo.bind(0, 1 << 20)
  echo.dataReady = () => {
    while (echo.receive(buffer) > 0);
    answers++
    cbus.insert({ idx: 21, val: 1 })
  }
  cbus.insert({ idx: 21, val: 1 })
  cbus.flush()
  assert.ok(answers >= 1 << 20 && answers < (1 << 20) + 2)
  cbus.close()
  assert.equal(cbus.stats().queued, 0)
  echo.close()
  await kernel.close()
})

test('any mixture of sizes and takings keeps order and count', async () => {
  const { kernel, cbus, socket } = await setup()
  const step = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.constant('flush' as const))
  let seq = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const expected: number[] = []
      for (const size of steps) {
        if (size === 'flush') cbus.flush()
        else {
          expected.push(seq)
          cbus.insert(message(seq++, size))
        }
      }
      cbus.flush()
      assert.deepEqual(receive(socket), expected)
      const { inserted, queued, sent, lost, dropped } = cbus.stats()
      assert.equal(inserted, queued + sent + lost + dropped)
    }),
  )
  await kernel.close()
})

test('a queue that grows while it is wrapped keeps everything', async () => {
  const { kernel, cbus, socket } = await setup()
  const queue = cbus.queue(0)
  let next = 0
  const insert = (size: number) => queue.insert(message(next++, size))
  for (let i = 0; i < 20; i++) insert(700)
  for (let i = 0; i < 15; i++)
    queue.take((_i, _v, _s, bytes) => void kernel.connector.relay(20, 1, 0, bytes))
  for (let i = 0; i < 100; i++) insert(700 + i)
  cbus.flush()
  assert.deepEqual(receive(socket), range(0, 120))
  await kernel.close()
})

test('a ring: from another end of the memory, in order, polled by the worker', async () => {
  const { clock, kernel, cbus, socket } = await setup()
  const ring = new CbusRing(cbus.attachRing())
  for (const seq of range(0, 5)) assert.equal(ring.insert(message(seq)), 0)
  assert.equal(clock.tick(0), 0)
  assert.equal(clock.tick(10), 1)
  assert.deepEqual(receive(socket), range(0, 5))
  ring.insert(message(5))
  cbus.detachRing(ring.memory)
  cbus.detachRing(ring.memory)
  assert.deepEqual(receive(socket), [5])
  assert.equal(ring.insert(message(6)), -19)
  assert.throws(() => new CbusRing(new SharedArrayBuffer(100)), TypeError)
  assert.throws(() => new CbusRing(5 as never), TypeError)
  await kernel.close()
})

test('a ring: bounded; what finds no room is counted; long runs go round it', async () => {
  const { kernel, cbus, socket } = await setup()
  const ring = new CbusRing(cbus.attachRing(1))
  let kept = 0
  for (let seq = 0; seq < 1000; seq++) if (ring.insert(message(seq, 200)) === 0) kept++
  assert.ok(kept > 200 && kept < 400)
  assert.equal(ring.dropped, 1000 - kept)
  cbus.flush()
  assert.deepEqual(receive(socket), range(0, kept))
  for (let seq = 0; seq < 5000; seq++) {
    assert.equal(ring.insert(message(seq, (seq * 37) % 3000)), 0)
    if (seq % 3 === 0) cbus.flush()
  }
  cbus.flush()
  assert.deepEqual(receive(socket), range(0, 5000))
  cbus.detachRing(ring.memory)
  const { inserted, sent, lost, dropped, queued } = cbus.stats()
  assert.deepEqual([inserted, queued, lost], [6000, 0, 0])
  assert.deepEqual([sent, dropped], [5000 + kept, 1000 - kept])
  await kernel.close()
})

test('a ring: whatever its writer puts into the memory, the kernel lives on', async () => {
  const { kernel, cbus } = await setup()
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 2, maxLength: 40 }), (values) => {
      const memory = cbus.attachRing()
      new Int32Array(memory).set(values)
      cbus.flush()
      cbus.detachRing(memory)
    }),
  )
  assert.match(kernel.dmesg().at(-1)?.text ?? '', /^cbus: a ring is given up/)
  assert.equal(cbus.insert(message(1)), 0)
  await kernel.close()
})

test('a worker thread inserts while this one drains: nothing lost but what is counted, order kept', async () => {
  const kernel = new Kernel()
  kernel.connector.addCallback(ID, 'test', () => {})
  const options = { receiveBufferForce: 1 << 28 }
  const socket = await kernel
    .transport()
    .open({ protocol: NETLINK_CONNECTOR, groups: [20], options })
  const memory = kernel.cbus.attachRing(1 << 16)
  const source = `
    import { workerData } from 'node:worker_threads'
    import { CbusRing } from ${JSON.stringify(new URL('./ring.js', import.meta.url).href)}
    const ring = new CbusRing(workerData)
    for (let seq = 0; seq < 20000; seq++) {
      ring.insert({ idx: 20, val: 1, seq, data: new Uint8Array(8).fill(seq & 255) })
    }`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: memory,
  })
  const [code] = await once(worker, 'exit')
  assert.equal(code, 0)
  kernel.cbus.detachRing(memory)
  const { inserted, sent, dropped } = kernel.cbus.stats()
  const seqs = receive(socket)
  assert.deepEqual([inserted, sent + dropped, seqs.length], [20000, 20000, sent])
  assert.ok(seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] as number)))
  await kernel.close()
})
