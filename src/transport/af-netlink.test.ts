import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { isNetlinkError } from '../errors.ts'
import {
  GENL_ID_CTRL,
  NETLINK_GENERIC,
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
} from '../wire/constants.ts'
import { MessageWalker, viewOf } from '../wire/message.ts'
import { HOST_LE } from '../wire/order.ts'
import { afNetlink } from './af-netlink.ts'
import { type Netns, newNetns } from './netns.ts'
import type { Socket } from './transport.ts'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const RTNLGRP_LINK = 1
const EAGAIN = -11
const EINVAL = -22
const ENOBUFS = -105
const EBADF = -9
const ECONNREFUSED = -111

const transport = afNetlink()
const buffer = new Uint8Array(32768)

/** One message with an opaque payload. */
function message(type: number, flags: number, payload: Uint8Array, seq = 1): Uint8Array {
  const bytes = new Uint8Array(NLMSG_HDRLEN + payload.length)
  const view = viewOf(bytes)
  view.setUint32(0, bytes.length, HOST_LE)
  view.setUint16(4, type, HOST_LE)
  view.setUint16(6, flags | NLM_F_REQUEST, HOST_LE)
  view.setUint32(8, seq, HOST_LE)
  bytes.set(payload, NLMSG_HDRLEN)
  return bytes
}

/** struct ifinfomsg of interface 1, with IFF_UP as given. */
function loopback(isUp: boolean): Uint8Array {
  const payload = new Uint8Array(16)
  const view = viewOf(payload)
  view.setInt32(4, 1, HOST_LE)
  view.setUint32(8, isUp ? 1 : 0, HOST_LE)
  view.setUint32(12, 1, HOST_LE)
  return payload
}

/** CTRL_CMD_GETFAMILY of nlctrl itself. */
function getFamily(): Uint8Array {
  return message(
    GENL_ID_CTRL,
    0,
    Uint8Array.of(3, 2, 0, 0, ...attribute(2, new TextEncoder().encode('nlctrl\0'))),
  )
}

function attribute(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((payload.length + 3) & ~3))
  viewOf(bytes).setUint16(0, 4 + payload.length, HOST_LE)
  viewOf(bytes).setUint16(2, type, HOST_LE)
  bytes.set(payload, 4)
  return bytes
}

function netnsFor(t: TestContext): Netns | undefined {
  try {
    const netns = newNetns()
    t.after(() => netns.close())
    return netns
  } catch (error) {
    assert.ok(isNetlinkError(error, 'EPERM'), String(error))
    t.skip('a network namespace needs CAP_SYS_ADMIN')
    return undefined
  }
}

/** The type of the first message in `length` bytes of the buffer. */
function typeOf(length: number): number {
  const walker = new MessageWalker(viewOf(buffer), length)
  assert.ok(walker.next())
  return walker.type
}

test('a dump comes in datagrams whose messages add up', async () => {
  const socket = await transport.open({ protocol: NETLINK_ROUTE })
  const request = message(RTM_GETLINK, NLM_F_DUMP, new Uint8Array(16), 77)
  let length = socket.exchange!([request], buffer)
  const types: number[] = []
  for (; types.at(-1) !== NLMSG_DONE; length = socket.receive(buffer)) {
    assert.ok(length > 0, `${length}`)
    assert.deepEqual([socket.senderPortid, socket.senderGroup, socket.senderNsid], [0, 0, -1])
    const walker = new MessageWalker(viewOf(buffer), length)
    while (walker.next()) {
      assert.deepEqual([walker.seq, walker.portid], [77, socket.portid])
      types.push(walker.type)
    }
    assert.equal(walker.leftover, 0)
  }
  assert.equal(length, EAGAIN)
  assert.ok(types.length >= 2)
  assert.ok(types.slice(0, -1).every((type) => type === RTM_NEWLINK))
  socket.close()
})

test('the reply is there when send returns, for any way of asking', async () => {
  const socket = await transport.open({ protocol: NETLINK_GENERIC, options: { extAck: true } })
  const request = getFamily()
  const parts = [request.subarray(0, 16), request.subarray(16, 20), request.subarray(20)]
  for (let i = 0; i < 4; i++) {
    assert.ok(socket.exchange!([request], buffer) > 100)
    assert.ok(socket.exchange!(parts, buffer) > 100)
    assert.equal(socket.send([request]), request.length)
    assert.ok(socket.receive(buffer) > 100)
    assert.equal(socket.send(parts, { portid: 0 }), request.length)
    assert.ok(socket.receive(buffer) > 100)
    assert.equal(typeOf(200), GENL_ID_CTRL)
  }
  assert.equal(socket.receive(buffer), EAGAIN)
  socket.close()
})

test('more parts than a system call takes are sent all the same', async () => {
  const socket = await transport.open({ protocol: NETLINK_GENERIC })
  const request = getFamily()
  const parts = Array.from(request, (byte) => Uint8Array.of(byte))
  const padding = new Array<Uint8Array>(1100).fill(new Uint8Array(0))
  assert.ok(socket.exchange!([...parts, ...padding], buffer) > 100)
  socket.close()
})

test('a datagram longer than the buffer tells its length', async () => {
  const socket = await transport.open({ protocol: NETLINK_GENERIC })
  const small = new Uint8Array(20)
  const whole = socket.exchange!([getFamily()], buffer)
  for (let i = 0; i < 3; i++) assert.equal(socket.exchange!([getFamily()], small), whole)
  assert.equal(socket.exchange!([getFamily()], new Uint8Array(0)), whole)
  assert.equal(socket.receive(buffer), EAGAIN)
  socket.close()
})

test('a buffer that is detached between calls receives nothing', async () => {
  const socket = await transport.open({ protocol: NETLINK_GENERIC })
  const bytes = new Uint8Array(4096)
  const whole = socket.exchange!([getFamily()], bytes)
  assert.equal(socket.exchange!([getFamily()], bytes), whole)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  assert.equal(socket.exchange!([getFamily()], bytes), whole)
  assert.equal(bytes.length, 0)
  socket.close()
})

test('groups: the number arrives, by mask and by NETLINK_PKTINFO', async (t) => {
  const netns = netnsFor(t)
  if (!netns) return
  const init = { protocol: NETLINK_USERSOCK, netns }
  const sender = await transport.open({ ...init, portid: 7 })
  const byMask = await transport.open({ ...init, groups: [3, 5] })
  const byInfo = await transport.open({ ...init, groups: [5], options: { pktinfo: true } })
  // netlink_sendmsg() broadcasts, then finds nobody at port 0.
  assert.equal(sender.send([Uint8Array.of(1)], { group: 5 }), ECONNREFUSED)
  for (const socket of [byMask, byInfo]) {
    assert.equal(socket.receive(buffer), 1)
    assert.deepEqual([socket.senderPortid, socket.senderGroup, socket.senderNsid], [7, 5, -1])
  }
  sender.send([Uint8Array.of(1)], { group: 3 })
  assert.deepEqual([byMask.receive(buffer), byMask.senderGroup], [1, 3])
  assert.equal(byInfo.receive(buffer), EAGAIN)
  sender.send([Uint8Array.of(1)], { portid: byInfo.portid })
  assert.deepEqual([byInfo.receive(buffer), byInfo.senderGroup], [1, 0])
  await byMask.leave(3)
  sender.send([Uint8Array.of(1)], { group: 3 })
  assert.equal(byMask.receive(buffer), EAGAIN)
  assert.equal(sender.send([Uint8Array.of(1)], { group: 33 }), EINVAL)
  for (const socket of [sender, byMask, byInfo]) socket.close()
})

test('a group above 32 is told too', async (t) => {
  const netns = netnsFor(t)
  if (!netns) return
  const RTNLGRP_IPV4_MCADDR = 37
  const socket = await transport.open({ protocol: NETLINK_ROUTE, netns, groups: [RTNLGRP_LINK] })
  try {
    await socket.join(RTNLGRP_IPV4_MCADDR)
  } catch (error) {
    assert.ok(isNetlinkError(error, 'EINVAL'), String(error))
    return t.skip('RTNLGRP_IPV4_MCADDR came with Linux 6.15')
  }
  const changer = await transport.open({ protocol: NETLINK_ROUTE, netns })
  changer.exchange!([message(RTM_NEWLINK, NLM_F_ACK, loopback(true))], buffer)
  await socket.readable()
  const groups = new Set<number>()
  while (socket.receive(buffer) > 0) groups.add(socket.senderGroup)
  assert.deepEqual([...groups].sort(), [RTNLGRP_LINK, RTNLGRP_IPV4_MCADDR])
  socket.close()
  changer.close()
})

test('an overrun is told once, and readiness goes on', async (t) => {
  const netns = netnsFor(t)
  if (!netns) return
  const listener = await transport.open({
    protocol: NETLINK_ROUTE,
    netns,
    groups: [RTNLGRP_LINK],
    options: { receiveBuffer: 1 },
  })
  assert.ok(listener.receiveBuffer < 10_000)
  const changer = await transport.open({ protocol: NETLINK_ROUTE, netns })
  const change = (isUp: boolean): void => {
    changer.exchange!([message(RTM_NEWLINK, NLM_F_ACK, loopback(isUp))], buffer)
    assert.equal(typeOf(36), NLMSG_ERROR)
  }
  for (let round = 0; round < 3; round++) {
    const waiting = listener.readable()
    for (let i = 0; i < 10; i++) change(i % 2 === 0)
    await waiting
    await listener.readable()
    const results: number[] = []
    do results.push(listener.receive(buffer))
    while (results.at(-1) !== EAGAIN)
    assert.equal(results[0], ENOBUFS)
    assert.equal(results.filter((result) => result === ENOBUFS).length, 1)
    assert.ok(results.length > 2)
    const next = listener.readable()
    change(true)
    await next
    assert.ok(listener.receive(buffer) > 0)
    while (listener.receive(buffer) !== EAGAIN);
    change(false)
    while (listener.receive(buffer) !== EAGAIN);
  }
  await listener.setOption('noEnobufs', true)
  for (let i = 0; i < 10; i++) change(i % 2 === 0)
  await listener.readable()
  assert.ok(listener.receive(buffer) > 0)
  listener.close()
  changer.close()
})

test('events of another namespace carry its id', async (t) => {
  const ours = netnsFor(t)
  const theirs = netnsFor(t)
  if (!ours || !theirs) return
  const options = { listenAllNsid: true }
  const listener = await transport.open({ protocol: NETLINK_ROUTE, netns: ours, options })
  await listener.join(RTNLGRP_LINK)
  const requests = await transport.open({ protocol: NETLINK_ROUTE, netns: ours })
  const RTM_NEWNSID = 88
  const fd = new Uint8Array(4)
  viewOf(fd).setUint32(0, theirs.fd, HOST_LE)
  const id = new Uint8Array(4)
  viewOf(id).setInt32(0, 42, HOST_LE)
  const payload = Uint8Array.of(0, 0, 0, 0, ...attribute(1, id), ...attribute(3, fd))
  requests.exchange!([message(RTM_NEWNSID, NLM_F_ACK, payload)], buffer)
  assert.equal(viewOf(buffer).getInt32(16, HOST_LE), 0)
  const there = await transport.open({ protocol: NETLINK_ROUTE, netns: theirs })
  there.exchange!([message(RTM_NEWLINK, NLM_F_ACK, loopback(true))], buffer)
  await listener.readable()
  assert.ok(listener.receive(buffer) > 0)
  assert.deepEqual([listener.senderNsid, listener.senderGroup], [42, RTNLGRP_LINK])
  requests.exchange!([message(RTM_NEWLINK, NLM_F_ACK, loopback(true))], buffer)
  while (listener.senderNsid !== -1) assert.ok(listener.receive(buffer) > 0)
  for (const socket of [listener, requests, there]) socket.close()
})

test('only the kernel reaches a socket that was opened for it alone', async () => {
  const socket = await transport.open({ protocol: NETLINK_USERSOCK, kernelOnly: true })
  const stranger = await transport.open({ protocol: NETLINK_USERSOCK })
  assert.equal(stranger.send([Uint8Array.of(1)], { portid: socket.portid }), ECONNREFUSED)
  assert.equal(socket.receive(buffer), EAGAIN)
  const genl = await transport.open({ protocol: NETLINK_GENERIC, kernelOnly: true })
  for (let i = 0; i < 3; i++) assert.ok(genl.exchange!([getFamily()], buffer) > 100)
  assert.deepEqual([genl.senderPortid, genl.senderGroup, genl.senderNsid], [0, 0, -1])
  for (const each of [socket, stranger, genl]) each.close()
})

test('a kernel-only socket that joins a group hears who sends there', async (t) => {
  const netns = netnsFor(t)
  if (!netns) return
  const init = { protocol: NETLINK_USERSOCK, netns }
  const socket = await transport.open({ ...init, kernelOnly: true })
  const stranger = await transport.open({ ...init, portid: 9 })
  await socket.join(4)
  stranger.send([Uint8Array.of(1)], { group: 4 })
  assert.equal(socket.receive(buffer), 1)
  assert.deepEqual([socket.senderPortid, socket.senderGroup], [9, 4])
  socket.close()
  stranger.close()
})

test('options reach the kernel, and its refusals come back', async () => {
  const socket = await transport.open({
    protocol: NETLINK_GENERIC,
    options: { extAck: true, capAck: true, strictCheck: true, receiveBuffer: 50_000 },
  })
  assert.equal(socket.receiveBuffer, 100_000)
  await socket.setOption('receiveBuffer', 60_000)
  assert.equal(socket.receiveBuffer, 120_000)
  const request = getFamily()
  viewOf(request).setUint16(22, 99, HOST_LE)
  socket.exchange!([request], buffer)
  assert.equal(typeOf(buffer.length), NLMSG_ERROR)
  await socket.setOption('extAck', false)
  await assert.rejects(socket.setOption('receiveBuffer', -1), { code: 'NETLINK_INVALID' })
  await assert.rejects(socket.join(0), { code: 'NETLINK_INVALID' })
  await assert.rejects(socket.join(4_000_000), { code: 'EINVAL', hint: /no group 4000000/ })
  await assert.rejects(socket.leave(1.5), { code: 'NETLINK_INVALID' })
  socket.close()
})

test('a refused opening says why and leaks nothing', async () => {
  const first = await transport.open({ protocol: NETLINK_USERSOCK })
  const before = readdirSync('/proc/self/fd').length
  const { portid } = first
  for (const [init, expected] of [
    [{ protocol: 99 }, { code: 'EPROTONOSUPPORT', syscall: 'socket', hint: /protocol 99/ }],
    [{ protocol: -1 }, { code: 'NETLINK_INVALID' }],
    [{ protocol: 0.5 }, { code: 'NETLINK_INVALID' }],
    [
      { protocol: 2, portid },
      { code: 'EADDRINUSE', syscall: 'bind', hint: /is taken/ },
    ],
    [{ protocol: 2, portid: -1 }, { code: 'NETLINK_INVALID' }],
    [{ protocol: 2, portid: 2 ** 32 }, { code: 'NETLINK_INVALID' }],
    [
      { protocol: 16, groups: [1, 5_000_000] },
      { code: 'EINVAL', syscall: 'setsockopt' },
    ],
    [{ protocol: 16, options: { extAck: 'yes' as never } }, { code: 'NETLINK_INVALID' }],
  ] as const)
    await assert.rejects(transport.open(init), expected, JSON.stringify(init))
  assert.equal(readdirSync('/proc/self/fd').length, before)
  first.close()
})

test('port ids: of our choice, up to the largest', async () => {
  const socket = await transport.open({ protocol: NETLINK_USERSOCK, portid: 0xfffffffe })
  assert.equal(socket.portid, 0xfffffffe)
  const other = await transport.open({ protocol: NETLINK_USERSOCK })
  assert.equal(other.send([Uint8Array.of(5)], { portid: 0xfffffffe }), 1)
  await socket.readable()
  assert.equal(socket.receive(buffer), 1)
  assert.equal(socket.senderPortid, other.portid)
  assert.equal(socket.send([Uint8Array.of(5)], { portid: other.portid }), 1)
  assert.equal(other.receive(buffer), 1)
  assert.equal(other.senderPortid, 0xfffffffe)
  socket.close()
  other.close()
})

test('a closed socket answers everything with an error, twice closed or not', async () => {
  const socket = await transport.open({ protocol: NETLINK_GENERIC })
  const waiting = socket.readable()
  const aborter = new AbortController()
  const withSignal = socket.readable(aborter.signal)
  socket.close()
  socket.close()
  await assert.rejects(waiting, { code: 'NETLINK_CLOSED' })
  await assert.rejects(withSignal, { code: 'NETLINK_CLOSED' })
  await assert.rejects(socket.readable(), { code: 'NETLINK_CLOSED' })
  await assert.rejects(socket.setOption('extAck', true), { code: 'NETLINK_CLOSED' })
  await assert.rejects(socket.join(1), { code: 'NETLINK_CLOSED' })
  assert.equal(socket.send([getFamily()]), EBADF)
  assert.equal(socket.send([getFamily()], { portid: 3 }), EBADF)
  assert.equal(socket.receive(buffer), EBADF)
  assert.equal(socket.exchange!([getFamily()], buffer), EBADF)
})

test('waiting can be called off', async () => {
  const socket = await transport.open({ protocol: NETLINK_GENERIC })
  const aborter = new AbortController()
  const waiting = socket.readable(aborter.signal)
  aborter.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  await assert.rejects(socket.readable(AbortSignal.timeout(1)), { name: 'TimeoutError' })
  socket.send([getFamily()])
  await socket.readable()
  assert.ok(socket.receive(buffer) > 100)
  socket.close()
})

test('100 sockets wait at once, and each gets its own', async () => {
  const init = { protocol: NETLINK_USERSOCK }
  const sockets = await Promise.all(Array.from({ length: 100 }, () => transport.open(init)))
  const sender = await transport.open(init)
  const got: Promise<number>[] = sockets.map(async (socket) => {
    await socket.readable()
    assert.equal(socket.receive(buffer), 1)
    return buffer[0]!
  })
  for (const [i, { portid }] of [...sockets.entries()].reverse())
    assert.equal(sender.send([Uint8Array.of(i)], { portid }), 1)
  assert.deepEqual(await Promise.all(got), [...sockets.keys()])
  for (const socket of [...sockets, sender]) socket.close()
})

test('sockets that are closed while others get their number wake nobody', async () => {
  const init = { protocol: NETLINK_USERSOCK }
  const sender: Socket = await transport.open(init)
  const last: Socket = await transport.open(init)
  let woken = 0
  for (let i = 0; i < 500; i++) {
    const old = await transport.open(init)
    const waiting = old.readable().catch((error: unknown) => error)
    sender.send([Uint8Array.of(1)], { portid: old.portid })
    old.close()
    const next = await transport.open(init)
    const aborter = new AbortController()
    const idle = next.readable(aborter.signal).then(
      () => woken++,
      () => undefined,
    )
    sender.send([Uint8Array.of(1)], { portid: last.portid })
    await last.readable()
    last.receive(buffer)
    aborter.abort()
    await idle
    assert.ok(isNetlinkError(await waiting, 'NETLINK_CLOSED'))
    next.close()
  }
  assert.equal(woken, 0)
  sender.close()
  last.close()
})

test('10,000 sockets opened, used and closed leak no descriptor', async () => {
  const before = readdirSync('/proc/self/fd').length
  for (let i = 0; i < 10_000; i++) {
    const socket = await transport.open({ protocol: NETLINK_GENERIC })
    if (i % 10 === 0) {
      socket.send([getFamily()])
      await socket.readable()
      assert.ok(socket.receive(buffer) > 100)
    }
    socket.close()
  }
  assert.equal(readdirSync('/proc/self/fd').length, before)
})
