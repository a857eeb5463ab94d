/**
 * Many sockets at once: 1,000 on 32 groups, 1,000,000 deliveries asked for, one receiver in ten
 * stopped. The others lose nothing, what the stopped ones lose is counted, memory is bounded, and
 * nobody waits: a send to a group with stopped members takes no longer than one without.
 *
 * `node --expose-gc build/bench/load.js [--json]`. Fails when one of it does not hold.
 */
import assert from 'node:assert/strict'
import { Kernel } from 'nlkit/kernel'
import type { Socket } from 'nlkit/transport'
import { NETLINK_USERSOCK } from 'nlkit/wire'

const SOCKETS = 1000
const GROUPS = 32
const MESSAGES = 1_000_000
const STOPPED = 10
/** Messages between two turns of the receivers. */
const BURST = 64
const ENOBUFS = -105
const EAGAIN = -11

interface Receiver {
  readonly socket: Socket
  readonly group: number
  readonly isStopped: boolean
  received: number
  overruns: number
  /** Number of the next message of its group. */
  next: number
}

await using kernel = new Kernel()
const transport = kernel.transport()
const receivers: Receiver[] = []
for (let i = 0; i < SOCKETS; i++) {
  const group = (i % GROUPS) + 1
  const socket = await transport.open({ protocol: NETLINK_USERSOCK, groups: [group] })
  // One in ten of each group.
  const isStopped = (i + Math.floor(i / GROUPS)) % STOPPED === 0
  receivers.push({ socket, group, isStopped, received: 0, overruns: 0, next: 0 })
}
const sender = await transport.open({ protocol: NETLINK_USERSOCK })
const message = new Uint8Array(64)
const view = new DataView(message.buffer)
const buffer = new Uint8Array(256)
const incoming = new DataView(buffer.buffer)
const sent = new Array<number>(GROUPS + 1).fill(0)

/** Takes all that waits, and sees that it is whole and in order. */
function drain(receiver: Receiver): void {
  for (;;) {
    const size = receiver.socket.receive(buffer)
    if (size === EAGAIN) return
    if (size === ENOBUFS) {
      receiver.overruns++
      continue
    }
    assert.equal(size, message.length)
    const number = incoming.getUint32(0, true)
    if (!receiver.isStopped) assert.equal(number, receiver.next, 'nothing lost, in order')
    receiver.next = number + 1
    receiver.received++
  }
}

/** Megabytes that are held. */
function held(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
}

const able = receivers.filter(({ isStopped }) => !isStopped)
const stopped = receivers.filter(({ isStopped }) => isStopped)
const before = held()
let full = 0
let slowest = 0
const start = performance.now()
for (let i = 0; i < MESSAGES; i++) {
  const group = (i % GROUPS) + 1
  view.setUint32(0, sent[group]!++, true)
  const at = performance.now()
  sender.send([message], { group })
  slowest = Math.max(slowest, performance.now() - at)
  if (i % BURST === BURST - 1) for (const receiver of able) drain(receiver)
  if (i === MESSAGES >> 1) full = held()
}
for (const receiver of able) drain(receiver)
const seconds = (performance.now() - start) / 1000
const after = held()

const drops = new Map<number, number>()
for (const { portid, queue } of kernel.netlink.sockets()) drops.set(portid, queue.drops)
for (const receiver of able) {
  assert.equal(receiver.received, sent[receiver.group], 'who reads loses nothing')
  assert.equal(receiver.overruns + drops.get(receiver.socket.portid)!, 0)
}
for (const receiver of stopped) {
  drain(receiver)
  const lost = drops.get(receiver.socket.portid)!
  assert.equal(receiver.received + lost, sent[receiver.group], 'what is lost is counted')
  assert.equal(receiver.overruns, 1, 'and told once')
}
assert.ok(after - full < 16, `memory grew by ${(after - full).toFixed(1)} MiB in the second half`)

const deliveries = able.reduce((sum, { received }) => sum + received, 0)
const lost = [...drops.values()].reduce((sum, count) => sum + count, 0)
const report = {
  sockets: SOCKETS,
  groups: GROUPS,
  messages: MESSAGES,
  stopped: stopped.length,
  seconds: Number(seconds.toFixed(2)),
  deliveries,
  deliveriesPerSecond: Math.round(deliveries / seconds),
  lostByTheStopped: lost,
  lostByOthers: 0,
  slowestSendMs: Number(slowest.toFixed(2)),
  heldMiB: [before, full, after].map((size) => Number(size.toFixed(1))),
}
if (process.argv.includes('--json')) console.log(JSON.stringify(report))
else console.table(Object.fromEntries(Object.entries(report).map(([k, v]) => [k, String(v)])))
