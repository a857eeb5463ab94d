/** Who waits in the netlink layer: senders for room, kernel threads for datagrams. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError } from '../../errors.ts'
import { NETLINK_NO_ENOBUFS, NETLINK_USERSOCK, SOL_NETLINK } from '../../wire/constants.ts'
import type { Clock } from '../clock.ts'
import type { Credentials } from '../credentials.ts'
import { EAGAIN, ECONNREFUSED, EDOM, EINTR, EINVAL } from '../errno.ts'
import { Kernel } from '../kernel.ts'
import { WaitQueue } from '../wait-queue.ts'
import { SO_RCVBUF, SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET } from './socket-options.ts'
import type { UserSocket } from './user-socket.ts'

const CUSTOM = 17
const root: Credentials = { pid: 100, uid: 0, gid: 0, capabilities: 'all' }
const buffer = new Uint8Array(4096)
const KILOBYTE = [new Uint8Array(1016)]

/** A clock that stands still until it is told to go on. */
class StoppedClock implements Clock {
  now = 0
  readonly timers = new Set<{ at: number; run: () => void }>()
  monotonic(): number {
    return this.now
  }
  realtime(): number {
    return this.now
  }
  setTimer(run: () => void, ms: number): () => void {
    const timer = { at: this.now + ms, run }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }
  advance(ms: number): void {
    this.now += ms
    for (const timer of [...this.timers]) {
      if (timer.at > this.now) continue
      this.timers.delete(timer)
      timer.run()
    }
  }
}

/** A sender, and a receiver that is full. */
function fullReceiver() {
  const clock = new StoppedClock()
  const kernel = new Kernel({ clock })
  const open = (portid: number): UserSocket => {
    const sock = kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, root)
    assert.equal(sock.bind(portid), 0)
    return sock
  }
  const sender = open(1)
  const receiver = open(2)
  receiver.setsockopt(SOL_SOCKET, SO_RCVBUF, 4608)
  let queued = 0
  while (sender.send(KILOBYTE, { portid: 2 }) > 0) queued++
  return { clock, kernel, sender, receiver, queued, open }
}

const pending = Symbol('pending')
/** What a promise has come to by now. */
async function stateOf<T>(promise: T | Promise<T>): Promise<T | typeof pending> {
  const turn = new Promise<typeof pending>((resolve) => setImmediate(resolve, pending))
  return Promise.race([promise, turn])
}

test('a sender that may wait is woken by a read, and its datagram comes last', async () => {
  const { sender, receiver, queued } = fullReceiver()
  assert.equal(sender.send(KILOBYTE, { portid: 2 }), -EAGAIN)
  const sent = sender.sendWait([Uint8Array.of(7)], { portid: 2 })
  assert.equal(await stateOf(sent), pending)
  assert.equal(receiver.receive(buffer), 1016)
  assert.equal(await sent, 1)
  for (let i = 1; i < queued; i++) assert.equal(receiver.receive(buffer), 1016)
  assert.equal(receiver.receive(buffer), 1)
  assert.equal(receiver.receive(buffer), -EAGAIN)
  assert.equal(receiver.senders.isActive, false)
})

test('where there is room nobody waits: the answer is a number', () => {
  const { sender, open } = fullReceiver()
  open(3)
  assert.equal(sender.sendWait(KILOBYTE, { portid: 3 }), 1016)
  assert.equal(sender.sendWait(KILOBYTE, { portid: 99 }), -ECONNREFUSED)
})

test('several senders are served in their order, as many as there is room for', async () => {
  const { sender, receiver } = fullReceiver()
  const order: number[] = []
  const sends = [1, 2, 3].map(async (n) => {
    await sender.sendWait([new Uint8Array(1016).fill(n)], { portid: 2 })
    order.push(n)
  })
  receiver.receive(buffer)
  await stateOf(Promise.all(sends))
  assert.deepEqual(order, [1])
  receiver.receive(buffer)
  receiver.receive(buffer)
  await Promise.all(sends)
  assert.deepEqual(order, [1, 2, 3])
})

test('SO_SNDTIMEO ends the wait with EAGAIN; what is sent was not', async () => {
  const { clock, sender, receiver, queued } = fullReceiver()
  const timeval = new Uint8Array(16)
  new DataView(timeval.buffer).setBigInt64(8, 250_000n, true)
  assert.equal(sender.setTimeout(SO_SNDTIMEO, timeval), 0)
  const sent = sender.sendWait(KILOBYTE, { portid: 2 })
  clock.advance(249)
  assert.equal(await stateOf(sent), pending)
  clock.advance(1)
  assert.equal(await sent, -EAGAIN)
  assert.equal(clock.timers.size, 0)
  assert.equal(receiver.queue.length, queued)
  assert.equal(receiver.queue.drops, 0)
  assert.equal(receiver.senders.isActive, false)
})

test('timeouts are a struct timeval: zero is for ever, a negative one does not wait', () => {
  const { sender } = fullReceiver()
  const timeval = (seconds: bigint, microseconds: bigint) => {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    view.setBigInt64(0, seconds, true)
    view.setBigInt64(8, microseconds, true)
    return bytes
  }
  assert.equal(sender.setTimeout(SO_SNDTIMEO, timeval(0n, 1_000_000n)), -EDOM)
  assert.equal(sender.setTimeout(SO_SNDTIMEO, new Uint8Array(8)), -EINVAL)
  assert.equal(sender.setTimeout(SO_RCVTIMEO, timeval(2n, 500n)), 0)
  assert.equal(sender.receiveTimeout, 2000.5)
  assert.equal(sender.setTimeout(SO_RCVTIMEO, timeval(0n, 0n)), 0)
  assert.equal(sender.receiveTimeout, Number.POSITIVE_INFINITY)
  assert.equal(sender.setTimeout(SO_SNDTIMEO, timeval(-1n, 0n)), 0)
  assert.equal(sender.sendWait(KILOBYTE, { portid: 2 }), -EAGAIN)
})

test('a signal ends the wait with EINTR, a receiver that closes with ECONNREFUSED', async () => {
  const { sender, receiver } = fullReceiver()
  const signal = new AbortController()
  const timeout = Number.POSITIVE_INFINITY
  const one = sender.sendWait(KILOBYTE, { portid: 2 }, { timeout, signal: signal.signal })
  const two = sender.sendWait(KILOBYTE, { portid: 2 })
  signal.abort()
  assert.equal(await one, -EINTR)
  const late = { timeout, signal: signal.signal }
  assert.equal(await sender.sendWait(KILOBYTE, { portid: 2 }, late), -EINTR)
  assert.equal(await stateOf(two), pending)
  receiver.close()
  assert.equal(await two, -ECONNREFUSED)
})

test('who waits goes to whoever has the port by then', async () => {
  const { sender, receiver, open } = fullReceiver()
  const sent = sender.sendWait(KILOBYTE, { portid: 2 })
  receiver.close()
  const heir = open(2)
  assert.equal(await sent, 1016)
  assert.equal(heir.receive(buffer), 1016)
})

test('NETLINK_NO_ENOBUFS ends a congestion, and with it the wait', async () => {
  const { kernel, sender, receiver } = fullReceiver()
  receiver.queue.overrun()
  while (receiver.queue.length > 1) receiver.receive(buffer)
  const sent = sender.sendWait(KILOBYTE, { portid: 2 })
  assert.equal(await stateOf(sent), pending)
  receiver.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
  assert.equal(await sent, 1016)
  await kernel.close()
})

test('a kernel thread sleeps on the queue and is woken by input; senders do not wait for it', async () => {
  const kernel = new Kernel()
  const heard: string[] = []
  let finishWork = (): void => {}
  const server = kernel.netlink.create(kernel.initNet, CUSTOM, {
    input(skb) {
      assert.equal(server.enqueue(skb), true)
      server.wait.wakeUp()
    },
  })
  const thread = kernel.kthreadRun('custom', async ({ shouldStop, signal }) => {
    while (!shouldStop) {
      const skb = await server.receive(signal)
      heard.push(new TextDecoder().decode(skb.peek()))
      const { portid } = skb
      skb.free()
      await new Promise<void>((resolve) => {
        finishWork = resolve
      })
      server.unicast(new TextEncoder().encode(`done ${heard.length}`), portid)
    }
  })
  const user = kernel.netlink.socket(kernel.initNet, CUSTOM, root)
  const say = (text: string) => user.send([new TextEncoder().encode(text)])
  assert.deepEqual([say('one'), say('two'), say('three')], [3, 3, 5])
  assert.deepEqual(heard, [])
  for (const n of [1, 2, 3]) {
    await stateOf(pending)
    assert.equal(heard.length, n)
    assert.equal(user.receive(buffer), -EAGAIN)
    finishWork()
    await stateOf(pending)
    assert.equal(user.receive(buffer), 6)
    assert.equal(new TextDecoder().decode(buffer.subarray(0, 6)), `done ${n}`)
  }
  assert.deepEqual(heard, ['one', 'two', 'three'])
  assert.deepEqual(kernel.kthreads(), [thread])
  await thread.stop()
  assert.deepEqual(kernel.kthreads(), [])
  assert.deepEqual(kernel.dmesg(), [])
})

test('the queue of a kernel socket is bounded, and counts what it loses', () => {
  const kernel = new Kernel()
  const server = kernel.netlink.create(kernel.initNet, CUSTOM, {
    input: (skb) => void server.enqueue(skb),
  })
  server.queue.limit = 4096
  const user = kernel.netlink.socket(kernel.initNet, CUSTOM, root)
  for (let i = 0; i < 10; i++) user.send([Uint8Array.of(i)])
  assert.deepEqual([server.queue.length, server.queue.drops], [4, 6])
  assert.equal(server.dequeue()?.peek()[0], 0)
})

test('a kernel thread that throws is logged; a release wakes, a module`s end and the kernel`s stop', async () => {
  const kernel = new Kernel()
  const broken = kernel.kthreadRun('broken', async () => {
    throw new TypeError('oops')
  })
  await broken.stop()
  assert.match(kernel.dmesg()[0]?.text ?? '', /^kthread broken: TypeError: oops/)
  const server = kernel.netlink.create(kernel.initNet, CUSTOM)
  const refused = server.receive()
  server.release()
  await assert.rejects(refused, (error) => isNetlinkError(error, 'NETLINK_CLOSED'))
  await assert.rejects(server.receive(), (error) => isNetlinkError(error, 'NETLINK_CLOSED'))

  const sleep = async ({ signal }: { signal: AbortSignal }) => {
    await new WaitQueue().waitEvent(() => false, signal)
  }
  let ofModule: { shouldStop: boolean } | undefined
  await kernel.insmod({
    name: 'sleeper',
    license: 'MIT',
    init(given) {
      ofModule = given.kthreadRun('of the module', sleep)
      return () => {}
    },
  })
  const other = kernel.kthreadRun('of nobody', sleep)
  await kernel.rmmod('sleeper')
  assert.deepEqual([ofModule?.shouldStop, other.shouldStop], [true, false])
  await kernel.close()
  assert.equal(other.shouldStop, true)
})

test('wait queues: who sleeps is woken in order, once; a condition that throws rejects', async () => {
  const queue = new WaitQueue()
  const order: number[] = []
  let isOver = false
  const sleepers = [1, 2].map(async (n) => {
    const holds = await queue.waitEvent(() => isOver)
    order.push(n)
    return holds
  })
  assert.equal(await queue.waitEvent(() => true), true)
  assert.equal(queue.isActive, true)
  queue.wakeUp()
  await stateOf(pending)
  assert.deepEqual(order, [])
  isOver = true
  queue.wakeUp()
  assert.deepEqual(await Promise.all(sleepers), [true, true])
  assert.deepEqual(order, [1, 2])
  assert.equal(queue.isActive, false)
  assert.equal(await queue.waitEvent(() => false, AbortSignal.abort()), false)
  let asked = 0
  const breaks = queue.waitEvent(() => {
    if (asked++ > 0) throw new RangeError('no')
    return false
  })
  queue.wakeUp()
  await assert.rejects(breaks, RangeError)
  assert.equal(queue.isActive, false)
})
