/** The transport in memory: waiting, options, errors as the seam wants them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kernel } from '../kernel/kernel.ts'
import { NETLINK_USERSOCK } from '../wire/constants.ts'

const buffer = new Uint8Array(65536)
const usersock = (kernel: Kernel, more = {}) =>
  kernel.transport().open({ protocol: NETLINK_USERSOCK, ...more })
const one = Uint8Array.of(1)
const ECHO = 21

/** A kernel with a protocol that sends back what it gets. */
function echoing() {
  const kernel = new Kernel()
  const server = kernel.netlink.create(kernel.initNet, ECHO, {
    input: (skb) => {
      server.unicast(skb.copy().peek(), skb.portid)
    },
  })
  return { kernel, server }
}

test('open: what is asked for is there, or nothing is left', async () => {
  const kernel = new Kernel()
  const a = await usersock(kernel, { portid: 5, groups: [1, 7] })
  assert.deepEqual([a.portid, a.protocol], [5, NETLINK_USERSOCK])
  await assert.rejects(usersock(kernel, { portid: 5 }), { code: 'EADDRINUSE', syscall: 'bind' })
  await assert.rejects(usersock(kernel, { groups: [99] }), {
    code: 'EINVAL',
    syscall: 'setsockopt',
  })
  await assert.rejects(kernel.transport().open({ protocol: 1 }), {
    code: 'EPROTONOSUPPORT',
    syscall: 'socket',
  })
  await assert.rejects(usersock(kernel, { options: { loud: true } }), { code: 'NETLINK_INVALID' })
  await assert.rejects(usersock(kernel, { netns: 'nowhere' }), { code: 'ENOENT' })
  await assert.rejects(usersock(kernel, { netns: 4 }), { code: 'NETLINK_INVALID' })
  await assert.rejects(usersock(kernel, { netns: new Kernel().initNet }), {
    code: 'NETLINK_INVALID',
  })
  assert.equal(kernel.netlink.sockets().length, 1)
})

test('options', async () => {
  const kernel = new Kernel()
  const s = await usersock(kernel, {
    options: { receiveBuffer: 1000, extAck: true, capAck: undefined },
  })
  assert.equal(s.receiveBuffer, 2304)
  await s.setOption('receiveBufferForce', 10_000_000)
  assert.equal(s.receiveBuffer, 20_000_000)
  const [sock] = kernel.netlink.sockets()
  assert.deepEqual([sock?.extAck, sock?.capAck, sock?.strictCheck], [true, false, false])
  await s.setOption('strictCheck', true)
  assert.equal(sock?.strictCheck, true)
  const weak = await kernel
    .transport({ credentials: { capabilities: new Set() } })
    .open({ protocol: NETLINK_USERSOCK })
  await assert.rejects(weak.setOption('receiveBufferForce', 1), { code: 'EPERM' })
  await assert.rejects(weak.join(1), { code: 'EPERM' })
})

test('send, exchange and receive answer at once', async () => {
  const { kernel } = echoing()
  const s = await kernel.transport().open({ protocol: ECHO })
  assert.equal(s.receive(buffer), -11)
  assert.equal(s.exchange?.([one, Uint8Array.of(2, 3)], buffer), 3)
  assert.deepEqual([...buffer.subarray(0, 3)], [1, 2, 3])
  assert.deepEqual([s.senderPortid, s.senderGroup, s.senderNsid], [0, 0, -1])
  assert.equal(s.exchange?.([], buffer), -61)
  assert.equal(s.send([one], { portid: 77 }), -111)
})

test('readable: at once, when something comes, at an overrun', async () => {
  const { kernel, server } = echoing()
  const s = await kernel.transport().open({ protocol: ECHO, groups: [1] })
  s.send([one])
  await s.readable()
  s.receive(buffer)
  let woken = 0
  const both = Promise.all([s.readable(), s.readable()]).then(() => woken++)
  await Promise.resolve()
  server.broadcast(one, { group: 1 })
  assert.equal(woken, 0, 'never within the sender`s call')
  await both
  assert.equal(s.receive(buffer), 1)
  await s.setOption('receiveBuffer', 0)
  for (let i = 0; i < 3; i++) server.broadcast(one, { group: 1 })
  await s.readable()
  assert.equal(s.receive(buffer), -105)
})

test('readable: given up by a signal, ended by close', async () => {
  const { kernel, server } = echoing()
  const s = await kernel.transport().open({ protocol: ECHO })
  const controller = new AbortController()
  const reason = new Error('enough')
  const given = s.readable(controller.signal)
  const kept = s.readable()
  controller.abort(reason)
  await assert.rejects(given, reason)
  await assert.rejects(s.readable(controller.signal), reason)
  server.unicast(one, s.portid)
  await kept
  s.receive(buffer)
  const closing = s.readable()
  s.close()
  s.close()
  await assert.rejects(closing, { code: 'NETLINK_CLOSED' })
  await assert.rejects(s.readable(), { code: 'NETLINK_CLOSED' })
  assert.deepEqual([s.send([one]), s.receive(buffer), s.exchange?.([one], buffer)], [-9, -9, -9])
  await assert.rejects(s.join(1), { code: 'EBADF' })
  assert.equal(kernel.netlink.sockets().length, 0)
})

test('groups are joined and left', async () => {
  const { kernel, server } = echoing()
  const s = await kernel.transport().open({ protocol: ECHO })
  await s.join(3)
  assert.equal(server.broadcast(one, { group: 3 }), 0)
  assert.equal(s.receive(buffer), 1)
  assert.equal(s.senderGroup, 3)
  await s.leave(3)
  assert.equal(server.broadcast(one, { group: 3 }), -3)
})

test('processes speak to each other', async () => {
  const kernel = new Kernel()
  const sender = await usersock(kernel, { portid: 1 })
  const receiver = await usersock(kernel, { portid: 2, groups: [3, 5] })
  const hello = new TextEncoder().encode('Hello Process')
  assert.equal(sender.send([hello], { portid: 2 }), 13)
  await receiver.readable()
  assert.equal(
    new TextDecoder().decode(buffer.subarray(0, receiver.receive(buffer))),
    'Hello Process',
  )
  assert.equal(receiver.senderPortid, 1)
  for (const group of [3, 4, 5]) assert.equal(sender.send([hello], { group }), -111)
  const groups: number[] = []
  while (receiver.receive(buffer) > 0) groups.push(receiver.senderGroup)
  assert.deepEqual(groups, [3, 5])
})
