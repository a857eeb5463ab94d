/** The family `dbus`: connections are sockets, and end with them. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import test from 'node:test'
import { Kernel } from '../../kernel/index.ts'
import { encodeMessage, type MessageInit } from '../message/index.ts'
import { dbusModule } from './module.ts'
import { NetlinkClient } from './netlink-client.test.support.ts'

const SESSION = { busName: 'session', guid: new Uint8Array(16).fill(7) }

async function busKernel(): Promise<Kernel> {
  const kernel = new Kernel()
  await kernel.insmod(dbusModule)
  equal((new NetlinkClient(kernel).ask('newBus', SESSION) as { busId: number }).busId, 1)
  return kernel
}

function hello(kernel: Kernel, portid = 0): NetlinkClient {
  const client = new NetlinkClient(kernel, undefined, portid)
  ok(client.ask('hello', { peerFlags: 1 }))
  return client
}

function send(client: NetlinkClient, init: MessageInit): unknown {
  return client.ask('send', { msg: encodeMessage(init) })
}

const call: MessageInit = { type: 1, serial: 5, path: '/x', member: 'Ask', destination: ':1.1' }

test('a bus is made once by its name, and told of by its number', async () => {
  const kernel = await busKernel()
  const client = new NetlinkClient(kernel)
  equal(client.ask('newBus', SESSION), 'EEXIST')
  const bus = client.ask('getBus', { busId: 1 }) as { busName: string; guid: Uint8Array }
  equal(bus.busName, 'session')
  deepEqual(bus.guid, SESSION.guid)
  equal(client.ask('getBus', { busId: 9 }), 'ENOENT')
  equal(client.ask('delBus', { busId: 1 }), 'ok')
  equal(client.ask('getBus', { busId: 1 }), 'ENOENT')
})

test('before hello there is no connection, and a second hello is refused', async () => {
  const kernel = await busKernel()
  const client = new NetlinkClient(kernel)
  equal(client.ask('requestName', { name: 'com.a.B' }), 'ENOTCONN')
  equal((client.ask('hello') as { uniqueId: bigint }).uniqueId, 0n)
  equal(client.ask('hello'), 'EALREADY')
  equal(client.ask('bye'), 'ok')
  equal(client.ask('bye'), 'ENOTCONN')
})

test('messages go from socket to socket, and the native commands change what the driver sees', async () => {
  const kernel = await busKernel()
  const [a, b] = [hello(kernel), hello(kernel)]
  deepEqual(b.ask('requestName', { name: 'com.a.B' }), { result: 1 })
  equal(send(a, { ...call, destination: 'com.a.B' }), 'ok')
  b.drain()
  const got = b.inbox.at(-1)!
  deepEqual([got.sender, got.member, got.destination], [':1.0', 'Ask', 'com.a.B'])
  equal((a.ask('getName', { name: 'com.a.B' }) as { newOwner: bigint }).newOwner, 1n)
  equal(a.ask('releaseName', { name: 'com.none.X' }) instanceof Object, true)
  equal(a.ask('addMatch', { matchRule: "type='bogus'" }), 'EINVAL')
  const { matchCookie } = a.ask('addMatch', { matchRule: "member='S'" }) as { matchCookie: bigint }
  send(b, { type: 4, serial: 9, path: '/x', interface: 'a.b', member: 'S' })
  a.drain()
  equal(a.inbox.at(-1)?.member, 'S')
  equal(a.ask('delMatch', { matchCookie }), 'ok')
  equal(a.ask('delMatch', { matchCookie }), 'ENOENT')
})

test('a long message travels in fragments, and the receive queue never overruns', async () => {
  const kernel = await busKernel()
  const [a, b] = [hello(kernel), hello(kernel)]
  const body = new Uint8Array(4_000_000).map((_, i) => i * 7)
  const bytes = encodeMessage({ ...call, signature: 'ay', body: [body] })
  const size = 40_000
  for (let offset = 0; offset < bytes.length; offset += size) {
    const msg = bytes.subarray(offset, offset + size)
    equal(a.ask('send', { msg, frag: { id: 3, offset, total: bytes.length } }), 'ok')
  }
  b.drain()
  equal(b.sock.queue.drops, 0)
  deepEqual(b.inbox.at(-1)?.body, [body])
})

test('a fragment that does not follow ends the connection', async () => {
  const kernel = await busKernel()
  const client = hello(kernel)
  const msg = new Uint8Array(10)
  equal(client.ask('send', { msg, frag: { id: 1, offset: 0, total: 30 } }), 'ok')
  equal(client.ask('send', { msg, frag: { id: 1, offset: 20, total: 30 } }), 'EPROTO')
  equal(client.ask('bye'), 'ENOTCONN')
})

test('bytes that are no message end the connection with EBADMSG', async () => {
  const client = hello(await busKernel())
  equal(client.ask('send', { msg: new Uint8Array(64) }), 'EBADMSG')
  equal(client.ask('bye'), 'ENOTCONN')
})

test('a socket that closes is a connection that ends: names go on, open calls are answered', async () => {
  const kernel = await busKernel()
  const [a, b] = [hello(kernel), hello(kernel)]
  b.ask('requestName', { name: 'com.a.B' })
  a.ask('requestName', { name: 'com.a.B' })
  send(a, call)
  b.sock.close()
  a.drain()
  const names = a.inbox.map(({ member, errorName }) => member ?? errorName)
  deepEqual(names, ['NameAcquired', 'org.freedesktop.DBus.Error.NoReply'])
})

test('whoever takes a port again at once keeps what is his', async () => {
  const kernel = await busKernel()
  const first = hello(kernel, 4711)
  first.ask('requestName', { name: 'com.a.B' })
  let second: NetlinkClient | undefined
  const block = {
    priority: 1000,
    call: () => {
      second ??= hello(kernel, 4711)
      return 0
    },
  }
  kernel.netlink.notifier.register(block)
  first.sock.close()
  equal(second!.ask('getName', { name: 'com.a.B' }), 'ENOENT')
  deepEqual(second!.ask('requestName', { name: 'com.a.B' }), { result: 1 })
})

test('the module goes, and leaves neither family nor block nor connection', async () => {
  const kernel = await busKernel()
  const client = hello(kernel)
  await kernel.rmmod('dbus')
  equal(kernel.genl.find('dbus'), undefined)
  equal(client.ask('bye'), 'ENOENT')
  client.sock.close()
  await kernel.insmod(dbusModule)
})
