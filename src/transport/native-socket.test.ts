import assert from 'node:assert/strict'
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HOST_LE } from '../wire/order.ts'
import { loadAddon } from './addon.ts'
import {
  NOT_SENT,
  TRIP_BUFFER,
  TRIP_FD,
  TRIP_IS_PLAIN,
  TRIP_LENGTH,
  TRIP_REQUEST,
  TRIP_RESULT,
  TRIP_WORDS,
} from './native-socket.ts'
import { PIN_TRIP } from './pins.ts'

const native = loadAddon()

const AF_UNIX = 1
const AF_NETLINK = 16
const SOCK_STREAM = 1
const SOCK_RAW = 3
const SOCK_SEQPACKET = 5
const SOL_SOCKET = 1
const NETLINK_GENERIC = 16
const SO_PASSCRED = 16
const SO_PEERCRED = 17
const SO_DETACH_FILTER = 27
const MSG_CTRUNC = 8
const POLLIN = 1
const POLLHUP = 0x10
/** wait(): other descriptors are ready. */
const OTHERS = 0x10000
const EPERM = -1
const EBADF = -9
const EAGAIN = -11
const EINVAL = -22
const EPIPE = -32
const ENOTSOCK = -88
const ECONNREFUSED = -111

const encoder = new TextEncoder()
const bytes = (text: string): Uint8Array => encoder.encode(text)
const text = (buffer: Uint8Array, length: number): string =>
  new TextDecoder().decode(buffer.subarray(0, length))

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

/** struct sockaddr_un; a name that starts with NUL is abstract. */
function unixAddress(name: string): Uint8Array {
  const address = new Uint8Array(2 + name.length + (name.startsWith('\0') ? 0 : 1))
  new DataView(address.buffer).setUint16(0, AF_UNIX, HOST_LE)
  address.set(bytes(name), 2)
  return address
}

function netlinkAddress(portid = 0): Uint8Array {
  const address = new Uint8Array(12)
  const view = new DataView(address.buffer)
  view.setUint16(0, AF_NETLINK, HOST_LE)
  view.setUint32(4, portid, HOST_LE)
  return address
}

let pairs = 0

/** A connected pair: the one that connected, the one that was accepted. */
function pair(type: number, name = `\0nlkit-test-${process.pid}-${pairs++}`): [number, number] {
  const listener = native.socket(AF_UNIX, type, 0)
  assert.equal(native.bind(listener, unixAddress(name)), 0)
  assert.equal(native.listen(listener, 8), 0)
  assert.equal(native.accept(listener), EAGAIN)
  const client = native.socket(AF_UNIX, type, 0)
  assert.equal(native.connect(client, unixAddress(name)), 0)
  const server = native.accept(listener)
  assert.ok(server > 0)
  assert.equal(native.close(listener), 0)
  return [client, server]
}

function closeAll(...fds: number[]): void {
  for (const fd of fds) assert.equal(native.close(fd), 0)
}

/** A netlink socket of a protocol between processes, and its port. */
function userSocket(): [fd: number, portid: number] {
  const fd = native.socket(AF_NETLINK, SOCK_RAW, 2)
  const address = netlinkAddress()
  assert.equal(native.bind(fd, address), 0)
  assert.equal(native.getsockname(fd, address), 12)
  return [fd, new DataView(address.buffer).getUint32(4, HOST_LE)]
}

test('a stream moves bytes both ways, in parts, until it is closed', () => {
  const [client, server] = pair(SOCK_STREAM)
  const buffer = new Uint8Array(64)
  assert.equal(native.receive(server, buffer), EAGAIN)
  assert.equal(native.send(client, [bytes('Hello '), bytes(''), bytes('Process')]), 13)
  assert.equal(native.receive(server, buffer.subarray(0, 5)), 5)
  assert.equal(native.receive(server, buffer.subarray(5)), 8)
  assert.equal(text(buffer, 13), 'Hello Process')
  assert.equal(native.send(server, bytes('back')), 4)
  assert.equal(native.receive(client, buffer), 4)
  closeAll(server)
  assert.equal(native.receive(client, buffer), 0)
  assert.equal(native.send(client, bytes('x')), EPIPE)
  closeAll(client)
})

test('seqpacket keeps datagrams apart and tells the length of one that was cut', () => {
  const [client, server] = pair(SOCK_SEQPACKET)
  const buffer = new Uint8Array(4)
  native.send(client, bytes('first one'))
  native.send(client, bytes('2nd'))
  assert.equal(native.receive(server, buffer), 9)
  assert.equal(text(buffer, 4), 'firs')
  assert.equal(native.receive(server, buffer), 3)
  assert.equal(native.unsent(client), 0)
  native.send(client, bytes('unread'))
  assert.ok(native.unsent(client) > 0)
  closeAll(client, server)
})

test('a socket has a path', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-'))
  const path = join(directory, 'socket')
  const [client, server] = pair(SOCK_STREAM, path)
  const name = new Uint8Array(110)
  const length = native.getsockname(server, name)
  assert.equal(text(name.subarray(2), length - 3), path)
  closeAll(client, server)
  rmSync(directory, { recursive: true })
})

test('batches: many datagrams in one call each way', () => {
  const [client, server] = pair(SOCK_SEQPACKET)
  const datagrams = Array.from({ length: 70 }, (_, i) => bytes(`datagram ${i}`))
  assert.equal(native.sendMany(client, datagrams), 64)
  assert.equal(native.sendMany(client, datagrams.slice(64)), 6)
  const buffer = new Uint8Array(16 * 40)
  const slots = new Uint32Array(4 * 50)
  assert.equal(native.receiveMany(server, buffer, 16, slots), 40)
  assert.equal(slots[4 * 9]!, 10)
  assert.equal(text(buffer.subarray(16 * 9), 10), 'datagram 9')
  assert.equal(native.receiveMany(server, buffer, 4, slots), 30)
  assert.equal(slots[0], 11)
  assert.equal(native.sendMany(client, datagrams.slice(0, 2)), 2)
  slots.fill(7)
  assert.equal(native.receiveMany(server, buffer, 16, slots, 1), 2)
  assert.deepEqual([...slots.subarray(0, 6)], [10, 7, 7, 7, 10, 7], 'lengths alone')
  assert.equal(text(buffer.subarray(16), 10), 'datagram 1')
  assert.equal(native.receiveMany(server, buffer, 16, slots), EAGAIN)
  assert.equal(native.receiveMany(server, buffer, 0, slots), EINVAL)
  assert.equal(native.receiveMany(server, buffer, 641, slots), EINVAL)
  closeAll(client, server)
})

test('descriptors are passed, and are ours to close', () => {
  const before = openDescriptors()
  const [client, server] = pair(SOCK_STREAM)
  const file = openSync('/proc/self/comm', 'r')
  assert.equal(native.sendControl(client, bytes('x'), new Int32Array([file, file])), 1)
  closeSync(file)
  const control = new Int32Array(5 + 4)
  assert.equal(native.receiveControl(server, new Uint8Array(8), control), 1)
  const [flags, pid, , , count, first, second] = control
  assert.deepEqual([flags, pid, count], [0, -1, 2])
  const read = new Uint8Array(32)
  assert.ok(readSync(first!, read) > 0)
  closeAll(first!, second!, client, server)
  assert.equal(openDescriptors(), before)
})

test('descriptors for which nobody has room are closed', () => {
  const before = openDescriptors()
  for (const room of [0, 1, 2, 3]) {
    const [client, server] = pair(SOCK_SEQPACKET)
    native.sendControl(client, bytes('x'), new Int32Array([0, 1, 2, 0]))
    const control = new Int32Array(5 + room)
    assert.equal(native.receiveControl(server, new Uint8Array(8), control), 1)
    assert.equal(control[4], room)
    assert.equal(control[0]! & MSG_CTRUNC, MSG_CTRUNC)
    closeAll(...control.subarray(5), client, server)
  }
  assert.equal(openDescriptors(), before)
})

test('descriptors that come to somebody who takes none are closed', () => {
  const before = openDescriptors()
  const [client, server] = pair(SOCK_SEQPACKET)
  for (let i = 0; i < 3; i++) native.sendControl(client, bytes('x'), new Int32Array([0, 1, 2]))
  const from = new Uint32Array(3)
  assert.equal(native.receive(server, new Uint8Array(8)), 1)
  assert.equal(native.receive(server, new Uint8Array(8), from), 1)
  assert.equal(native.receiveMany(server, new Uint8Array(8), 8, new Uint32Array(4)), 1)
  closeAll(client, server)
  assert.equal(openDescriptors(), before)
})

test('credentials come from the kernel, or are given and checked', () => {
  const [client, server] = pair(SOCK_SEQPACKET)
  const peer = new Int32Array(3)
  const us = [process.pid, process.getuid!(), process.getgid!()]
  const asBytes = new Uint8Array(peer.buffer)
  assert.equal(native.getsockopt(server, SOL_SOCKET, SO_PEERCRED, asBytes), 12)
  assert.deepEqual([...peer], us)
  assert.equal(native.setsockopt(server, SOL_SOCKET, SO_PASSCRED, 1), 0)
  const control = new Int32Array(6)
  assert.equal(native.sendControl(client, bytes('x'), undefined, new Int32Array(us)), 1)
  native.receiveControl(server, new Uint8Array(8), control)
  assert.deepEqual([...control.subarray(1, 4)], us)
  native.sendControl(client, bytes('x'), new Int32Array([client]), new Int32Array(us))
  native.receiveControl(server, new Uint8Array(8), control)
  assert.deepEqual([...control.subarray(1, 5)], [...us, 1])
  closeAll(control[5]!, client, server)
})

test('a given descriptor may be closed by nobody else, a released one by its taker', () => {
  const [client, server] = pair(SOCK_STREAM)
  assert.equal(native.close(client), 0)
  assert.equal(native.close(client), EBADF)
  assert.equal(native.close(0), EBADF)
  assert.equal(native.close(-1), EBADF)
  assert.equal(native.close(1 << 30), EBADF)
  assert.ok(fstatSync(0))
  assert.equal(native.release(server), server)
  assert.equal(native.release(server), EBADF)
  assert.equal(native.close(server), EBADF)
  closeSync(server)
})

test('netlink: the sender is told, and a cut datagram', () => {
  const [one, onePort] = userSocket()
  const [two, twoPort] = userSocket()
  const from = new Uint32Array(3)
  const buffer = new Uint8Array(8)
  assert.notEqual(onePort, twoPort)
  assert.equal(native.send(one, bytes('Hello Process'), twoPort, 0), 13)
  assert.equal(native.receive(two, buffer, from), 13)
  assert.deepEqual([...from], [onePort, 0, 0xffffffff])
  const sent = native.sendMany(one, [bytes('a'), bytes('bc')], twoPort, 0)
  assert.equal(sent, 2)
  const slots = new Uint32Array(8)
  assert.equal(native.receiveMany(two, new Uint8Array(8), 4, slots), 2)
  assert.deepEqual([...slots], [1, onePort, 0, 0xffffffff, 2, onePort, 0, 0xffffffff])
  closeAll(two)
  assert.equal(native.send(one, bytes('x'), twoPort, 0), ECONNREFUSED)
  closeAll(one)
})

test('a filter decides what a socket gets', () => {
  const [one] = userSocket()
  const [two, port] = userSocket()
  const returns = (length: number): Uint8Array => {
    const program = new Uint8Array(8)
    const view = new DataView(program.buffer)
    view.setUint16(0, 0x06, HOST_LE) // BPF_RET | BPF_K
    view.setUint32(4, length, HOST_LE)
    return program
  }
  const buffer = new Uint8Array(32)
  assert.equal(native.attachFilter(two, returns(0)), 0)
  native.send(one, bytes('dropped'), port, 0)
  assert.equal(native.receive(two, buffer), EAGAIN)
  assert.equal(native.attachFilter(two, returns(4)), 0)
  native.send(one, bytes('shortened'), port, 0)
  assert.equal(native.receive(two, buffer), 4)
  assert.equal(native.setsockopt(two, SOL_SOCKET, SO_DETACH_FILTER, 0), 0)
  native.send(one, bytes('whole'), port, 0)
  assert.equal(native.receive(two, buffer), 5)
  assert.equal(native.attachFilter(two, new Uint8Array(7)), EINVAL)
  closeAll(one, two)
})

test('the first bytes of an array are sent alone', () => {
  const [client, server] = pair(SOCK_SEQPACKET)
  const buffer = new Uint8Array(16)
  assert.equal(native.sendFirst(client, bytes('Hello Process'), 5), 5)
  assert.equal(native.receive(server, buffer), 5)
  assert.equal(text(buffer, 5), 'Hello')
  assert.equal(native.sendFirst(client, bytes('Hello'), 6), EINVAL)
  assert.equal(native.sendFirst(client, bytes('Hello'), -1), EINVAL)
  closeAll(client, server)
})

test('a converse sends, then waits for a bounded time', () => {
  const [client, server] = pair(SOCK_SEQPACKET)
  const buffer = new Uint8Array(16)
  const none = new Uint8Array(1)
  assert.equal(native.converse(client, none, 0, buffer), EAGAIN)
  assert.equal(native.bePatient(client, 0), EINVAL)
  assert.equal(native.bePatient(client, 1000), EINVAL)
  assert.equal(native.bePatient(client, 40), 0)
  const before = performance.now()
  assert.equal(native.converse(client, bytes('Hello'), 4, buffer), EAGAIN)
  assert.ok(performance.now() - before >= 39)
  assert.equal(native.receive(client, buffer), EAGAIN)
  assert.equal(native.receive(server, buffer), 4)
  assert.equal(text(buffer, 4), 'Hell')
  native.send(server, bytes('soon'))
  assert.equal(native.converse(client, none, 0, buffer), 4)
  assert.equal(native.converse(client, none, 2, buffer), EINVAL - NOT_SENT)
  assert.equal(native.converse(client, none, -1, buffer), EINVAL - NOT_SENT)
  native.close(server)
  assert.equal(native.converse(client, none, 1, buffer), EPIPE - NOT_SENT)
  assert.equal(native.converse(client, none, 0, buffer), 0)
  native.close(client)
})

test('waiting ends with what is waited for, with time, and with word of others', () => {
  const [client, server] = pair(SOCK_SEQPACKET)
  const [other, peer] = pair(SOCK_SEQPACKET)
  assert.equal(native.wait(client, POLLIN, 1000), 0)
  assert.equal(native.wait(client, POLLIN, 1000, 1), 0)
  assert.equal(native.wait(client, POLLIN, -1), EINVAL)
  assert.equal(native.wait(client, POLLIN, 1_000_001), EINVAL)
  native.send(server, bytes('x'))
  assert.equal(native.wait(client, POLLIN, 1_000_000), POLLIN)
  native.receive(client, new Uint8Array(1))
  assert.equal(
    native.startReadiness(new Int32Array(4), () => {}),
    0,
  )
  assert.equal(native.arm(other, 1, POLLIN), 0)
  native.send(peer, bytes('x'))
  assert.equal(native.wait(client, POLLIN, 1_000_000, 1), OTHERS)
  assert.equal(native.wait(client, POLLIN, 1000), 0)
  closeAll(server)
  assert.ok(native.wait(client, POLLIN, 1_000_000) & POLLHUP)
  for (const fd of [other, peer, client]) assert.equal(native.disarm(fd), 0)
  closeAll(client, other, peer)
})

test('failures are numbers', () => {
  const [client, server] = pair(SOCK_STREAM)
  const buffer = new Uint8Array(8)
  assert.equal(native.socket(AF_NETLINK, SOCK_RAW, 99), -93)
  assert.equal(native.socket(AF_NETLINK, SOCK_RAW, 0, -1), EBADF)
  assert.equal(native.bind(-1, netlinkAddress()), EBADF)
  assert.equal(native.connect(client, new Uint8Array(2)), EINVAL)
  assert.equal(native.setsockopt(client, SOL_SOCKET, 9999, 1), -92)
  assert.equal(native.exchange(-1, buffer, buffer), EBADF)
  assert.equal(native.receiveControl(-1, buffer, new Int32Array(5)), EBADF)
  const file = openSync('/proc/self/comm', 'r')
  assert.equal(native.bind(file, netlinkAddress()), ENOTSOCK)
  closeSync(file)
  assert.equal(native.sendControl(client, buffer, new Int32Array(254)), -109)
  assert.equal(native.pin(21, buffer), EINVAL)
  closeAll(client, server)
})

test('wrong arguments are TypeErrors, thrown before the call', () => {
  const wrong = native as unknown as Record<string, (...args: unknown[]) => unknown>
  const [client, server] = pair(SOCK_STREAM)
  for (const [name, ...args] of [
    ['send', client],
    ['send', client, 'text'],
    ['send', client, [new Uint8Array(1), 'text']],
    ['send', client, new Array(1025).fill(new Uint8Array(1))],
    ['send', client, new Uint32Array(1)],
    ['send', client, new Uint8Array(1), 1],
    ['receive', 'client', new Uint8Array(1)],
    ['receive', client, new Uint8Array(1), new Uint32Array(1)],
    ['receive', client, 15],
    ['receiveControl', client, new Uint8Array(1), new Int32Array(4)],
    ['setsockopt', client, 1, 1, 'on'],
    ['pin', 3, 'text'],
    ['close'],
  ] as const)
    assert.throws(() => wrong[name]!(...args), { code: 'ERR_INVALID_ARG_TYPE' }, name)
  assert.equal(native.receive(server, new Uint8Array(1)), EAGAIN)
  closeAll(client, server)
})

test('10,000 sockets opened and closed leak no descriptor', () => {
  const before = openDescriptors()
  for (let i = 0; i < 10_000; i++) native.close(native.socket(AF_NETLINK, SOCK_RAW, 0))
  assert.equal(openDescriptors(), before)
})

test('1,000 descriptors open at once are told apart', () => {
  const before = openDescriptors()
  const fds = Array.from({ length: 1000 }, () => native.socket(AF_NETLINK, SOCK_RAW, 0))
  assert.equal(new Set(fds).size, 1000)
  assert.ok(fds.every((fd) => fd > 0))
  closeAll(...fds)
  assert.equal(openDescriptors(), before)
})

test('a new namespace does not move the thread', (t) => {
  const threadIn = (): number => statSync('/proc/thread-self/ns/net').ino
  const before = threadIn()
  const netns = native.newNetns()
  if (netns === EPERM) return t.skip('a network namespace needs CAP_SYS_ADMIN')
  const [here] = userSocket()
  const there = native.socket(AF_NETLINK, SOCK_RAW, 2, netns)
  assert.ok(there > 0)
  assert.equal(threadIn(), before)
  assert.notEqual(fstatSync(netns).ino, before)
  // Our port id is taken here, and free there.
  const name = netlinkAddress()
  native.getsockname(here, name)
  assert.equal(native.bind(there, name), 0)
  closeAll(here, there, netns)
})

for (const isPlain of [true, false]) {
  test(`round trips by ${isPlain ? 'two system calls' : 'io_uring, where it is to be had'}`, () => {
    const fd = native.socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC)
    assert.equal(native.bind(fd, netlinkAddress()), 0)
    // A message that says nothing and asks for an acknowledgement: NLMSG_NOOP with NLM_F_ACK.
    const request = new Uint8Array(16)
    const view = new DataView(request.buffer)
    view.setUint32(0, 16, HOST_LE)
    view.setUint16(4, 1, HOST_LE)
    view.setUint16(6, 5, HOST_LE)
    const buffer = new Uint8Array(64)
    const answer = new DataView(buffer.buffer)
    const trip = new Int32Array(TRIP_WORDS)
    const before = openDescriptors()
    native.pin(PIN_TRIP, trip)
    native.pin(2, request)
    native.pin(3, buffer)
    trip[TRIP_FD] = fd
    trip[TRIP_REQUEST] = 2
    trip[TRIP_LENGTH] = 16
    trip[TRIP_BUFFER] = 3
    trip[TRIP_IS_PLAIN] = isPlain ? 1 : 0
    const go = (): number => {
      native.roundTrip()
      return trip[TRIP_RESULT] as number
    }
    for (let seq = 1; seq <= 200; seq++) {
      view.setUint32(8, seq, HOST_LE)
      assert.equal(go(), 36)
      assert.equal(answer.getUint16(4, HOST_LE), 2)
      assert.equal(answer.getUint32(8, HOST_LE), seq)
    }
    view.setUint16(6, 1, HOST_LE)
    assert.equal(go(), EAGAIN, 'without NLM_F_ACK there is no answer')
    view.setUint16(6, 5, HOST_LE)
    trip[TRIP_FD] = -1
    assert.equal(go(), EBADF)
    trip[TRIP_FD] = fd
    trip[TRIP_LENGTH] = 17
    assert.equal(go(), EINVAL)
    trip[TRIP_LENGTH] = 16
    trip[TRIP_BUFFER] = 4
    assert.throws(go, TypeError)
    trip[TRIP_BUFFER] = 3
    native.pin(3, buffer.subarray(0, 20))
    assert.equal(go(), 36, 'the real length of what was cut')
    assert.equal(go(), 36)
    native.pin(3)
    assert.throws(go, TypeError)
    native.pin(2)
    native.pin(PIN_TRIP)
    assert.throws(go, TypeError)
    if (isPlain) assert.equal(openDescriptors(), before)
    native.close(fd)
  })
}
