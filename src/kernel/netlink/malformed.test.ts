/** A hundred thousand malformed datagrams: whatever they are answered, the kernel lives on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  NETLINK_CONNECTOR,
  NETLINK_GENERIC,
  NETLINK_KOBJECT_UEVENT,
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
} from '../../wire/constants.ts'
import { viewOf, Writer } from '../../wire/index.ts'
import type { Credentials } from '../credentials.ts'
import { EAGAIN } from '../errno.ts'
import { Kernel } from '../kernel.ts'

const COUNT = 100_000
const root: Credentials = { pid: 100, uid: 0, gid: 0, capabilities: 'all' }

/** mulberry32: the same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** Bytes, mostly with a header that lies about what follows. */
function malformed(random: (below: number) => number, into: Uint8Array): Uint8Array {
  const length = 1 + random(into.length)
  for (let i = 0; i < length; i++) into[i] = random(256)
  const view = viewOf(into)
  if (length >= 16 && random(8) > 0) {
    const lies = [length, length, 0, 15, 16, length + 1, 0xffffffff, random(length + 4)]
    view.setUint32(0, lies[random(lies.length)] as number, true)
    view.setUint16(4, random(4) === 0 ? random(0x10000) : 16 + random(110), true)
    view.setUint16(6, random(2) === 0 ? NLM_F_REQUEST | NLM_F_ACK : random(0x1000), true)
  }
  return into.subarray(0, length)
}

test('a hundred thousand malformed datagrams leave nothing behind', () => {
  const kernel = new Kernel({ random: () => 0.5 })
  const random = numbers(20)
  const protocols = [
    NETLINK_ROUTE,
    NETLINK_GENERIC,
    NETLINK_CONNECTOR,
    NETLINK_KOBJECT_UEVENT,
    NETLINK_USERSOCK,
  ]
  const sockets = protocols.map((protocol) => kernel.netlink.socket(kernel.initNet, protocol, root))
  const bytes = new Uint8Array(200)
  const buffer = new Uint8Array(32768)
  let answered = 0
  for (let i = 0; i < COUNT; i++) {
    const sock = sockets[i % sockets.length]!
    sock.send([malformed(random, bytes)])
    if (i % 7 === 0) while (sock.receive(buffer) !== -EAGAIN) answered++
    assert.ok(sock.queue.bytes <= sock.queue.limit, 'the queue keeps its bound')
  }
  assert.ok(answered > COUNT / 100, `${answered} answers`)
  const faults = kernel.dmesg().filter(({ text }) => /failed:|handler/.test(text))
  assert.deepEqual(
    faults.map(({ text }) => text.slice(0, 200)),
    [],
  )

  for (const sock of sockets) while (sock.receive(buffer) !== -EAGAIN);
  const w = new Writer()
  const mark = w.messageStart(1, NLM_F_ACK, 7, 0)
  w.messageEnd(mark)
  sockets[0]!.send([w.peek()])
  assert.equal(sockets[0]!.receive(buffer), 36)
  assert.equal(viewOf(buffer).getUint16(4, true), NLMSG_ERROR)
  for (const sock of sockets) sock.close()
  assert.deepEqual(kernel.netlink.sockets(), [])
})
