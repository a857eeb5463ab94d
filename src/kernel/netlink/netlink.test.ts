/** Sockets, ports, groups, queues, namespaces: what af_netlink.c decides, as tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetlinkError } from '../../errors.ts'
import {
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_BROADCAST_ERROR,
  NETLINK_CAP_ACK,
  NETLINK_DROP_MEMBERSHIP,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_LISTEN_ALL_NSID,
  NETLINK_NO_ENOBUFS,
  NETLINK_PKTINFO,
  NETLINK_USERSOCK,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import { type Capability, type Credentials, UserNamespace } from '../credentials.ts'
import {
  EADDRINUSE,
  EAGAIN,
  EBADF,
  ECONNREFUSED,
  EINVAL,
  EMSGSIZE,
  ENOBUFS,
  ENODATA,
  ENOENT,
  ENOPROTOOPT,
  EPERM,
  ESRCH,
} from '../errno.ts'
import { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { KernelSocketConfig } from './kernel-socket.ts'
import { NETLINK_URELEASE, type NetlinkNotify } from './notify.ts'
import {
  SO_ERROR,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SOL_SOCKET,
} from './socket-options.ts'
import type { UserSocket } from './user-socket.ts'
import { MSG_PEEK } from './user-socket.ts'

/** A protocol number that Linux does not use. */
const CUSTOM = 17
const root: Credentials = { pid: 100, uid: 0, gid: 0, capabilities: 'all' }
const nobody: Credentials = { pid: 200, uid: 1000, gid: 1000, capabilities: new Set() }

function open(
  kernel: Kernel,
  protocol = CUSTOM,
  {
    portid,
    groups = 0,
    as = root,
    net = kernel.initNet,
  }: {
    portid?: number
    groups?: number
    as?: Credentials
    net?: Net
  } = {},
): UserSocket {
  const sock = kernel.netlink.socket(net, protocol, as)
  if (portid !== undefined || groups !== 0) assert.equal(sock.bind(portid ?? 0, groups), 0)
  return sock
}

/** A kernel that has the custom protocol in its first namespace. */
function withProtocol(config: KernelSocketConfig = {}) {
  const kernel = new Kernel({ random: () => 0.5 })
  return { kernel, server: kernel.netlink.create(kernel.initNet, CUSTOM, config) }
}

const buffer = new Uint8Array(65536)
const bytes = (length: number, value = 0) => new Uint8Array(length).fill(value)

/** Everything that a read gives until the socket is empty: first bytes, or errnos. */
function drain(sock: UserSocket): number[] {
  const all: number[] = []
  for (;;) {
    const length = sock.receive(buffer)
    if (length === -EAGAIN) return all
    all.push(length < 0 ? length : (buffer[0] as number))
  }
}
const option = (sock: UserSocket, name: number, value: number) =>
  sock.setsockopt(SOL_NETLINK, name, value)

test('a protocol is there as long as somebody serves it', () => {
  const kernel = new Kernel()
  const refused = (protocol: number) =>
    assert.throws(() => open(kernel, protocol), { code: 'EPROTONOSUPPORT' }, String(protocol))
  for (const protocol of [-1, 1, CUSTOM, 31, 32, 0x7fffffff]) refused(protocol)
  const server = kernel.netlink.create(kernel.initNet, CUSTOM)
  open(kernel)
  server.release()
  server.release()
  refused(CUSTOM)
})

test('one kernel socket a protocol and namespace', () => {
  const kernel = new Kernel()
  kernel.netlink.create(kernel.initNet, CUSTOM)
  kernel.netlink.create(kernel.addNet(), CUSTOM)
  assert.throws(() => kernel.netlink.create(kernel.initNet, CUSTOM), { code: 'EEXIST' })
  assert.throws(() => kernel.netlink.create(kernel.initNet, 32), { code: 'EINVAL' })
  assert.throws(() => kernel.netlink.create(kernel.initNet, -1), { code: 'EINVAL' })
})

test('the first registration decides about groups and permissions', () => {
  const { kernel } = withProtocol({ groups: 40, nonrootRecv: true })
  const other = kernel.addNet()
  kernel.netlink.create(other, CUSTOM, { groups: 80 })
  const sock = open(kernel, CUSTOM, { net: other, as: nobody })
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 40), 0)
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 41), -EINVAL)
})

test('a fresh socket has no address and no peer', () => {
  const sock = open(new Kernel(), NETLINK_USERSOCK)
  assert.deepEqual(sock.getsockname(), { portid: 0, groups: 0 })
  assert.deepEqual(sock.getpeername(), { portid: 0, groups: 0 })
  assert.equal(sock.getsockopt(SOL_SOCKET, SO_PROTOCOL), NETLINK_USERSOCK)
})

test('autobind: the process id, then a large number, then one less', () => {
  const { kernel } = withProtocol()
  const ids = [1, 2, 3].map(() => {
    const sock = open(kernel)
    assert.equal(sock.bind(), 0)
    return sock.portid
  })
  const rover = -0x80000000 + Math.floor(0.5 * (-4096 + 0x80000000))
  assert.deepEqual(ids, [100, rover >>> 0, (rover - 1) >>> 0])
  const elsewhere = open(kernel, NETLINK_USERSOCK, { portid: 0 })
  assert.equal(elsewhere.portid, 100)
})

test('autobind wraps at the smallest signed number', () => {
  const { kernel } = withProtocol()
  const low = new Kernel({ random: () => 0 })
  low.netlink.create(low.initNet, CUSTOM)
  const ids = [1, 2, 3].map(() => {
    const sock = open(low)
    sock.bind()
    return sock.portid | 0
  })
  assert.deepEqual(ids, [100, -0x80000000, -4097])
  assert.equal(kernel.netlink.sockets().length, 0)
})

test('bind: taken ports, a second bind, ports of other protocols and namespaces', () => {
  const { kernel } = withProtocol()
  const first = open(kernel, CUSTOM, { portid: 7 })
  assert.equal(open(kernel).bind(7), -EADDRINUSE)
  assert.equal(open(kernel, NETLINK_USERSOCK).bind(7), 0)
  assert.equal(open(kernel, NETLINK_USERSOCK, { net: kernel.addNet() }).bind(7), 0)
  assert.equal(first.bind(7), 0)
  assert.equal(first.bind(0), -EINVAL)
  assert.equal(first.bind(8), -EINVAL)
  first.close()
  assert.equal(open(kernel).bind(7), 0)
  assert.equal(open(kernel, CUSTOM, { as: nobody }).bind(100), 0)
})

test('bind replaces groups 1 to 32 and leaves those above', () => {
  const { kernel } = withProtocol({ groups: 64 })
  const sock = open(kernel)
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 1), 0)
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 40), 0)
  assert.deepEqual(sock.getsockname(), { portid: 0, groups: 1 })
  assert.equal(sock.bind(0, 0b110), 0)
  assert.deepEqual(sock.getsockname(), { portid: 100, groups: 0b110 })
  assert.equal(sock.bind(100, 0), 0)
  assert.equal(sock.getsockname().groups, 0)
  assert.deepEqual([...sock.listMemberships()], [0, 1 << 7])
})

test('who may join, and who may send', () => {
  const { kernel } = withProtocol()
  const sock = open(kernel, CUSTOM, { as: nobody })
  assert.equal(sock.bind(0, 1), -EPERM)
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 1), -EPERM)
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 9999), -EPERM)
  assert.equal(sock.connect(5, 0), -EPERM)
  assert.equal(sock.connect(0, 4), -EPERM)
  assert.equal(sock.connect(0, 0), 0)
  assert.equal(sock.send([bytes(1)], { portid: 5 }), -EPERM)
  assert.equal(sock.send([bytes(1)], { group: 5 }), -EPERM)
  const free = open(kernel, NETLINK_USERSOCK, { as: nobody, portid: 3 })
  assert.equal(free.send([bytes(4)], { portid: 3 }), 4)
  assert.equal(option(free, NETLINK_ADD_MEMBERSHIP, 1), -EPERM)
})

test('capabilities count in the namespace that owns the network', () => {
  const kernel = new Kernel()
  const child = new UserNamespace(kernel.initUserNs, 1000)
  const net = kernel.addNet('child', child)
  const inside: Credentials = { ...nobody, capabilities: 'all', userNs: child }
  const join = (as: Credentials, where: Net) =>
    option(open(kernel, NETLINK_USERSOCK, { as, net: where }), NETLINK_ADD_MEMBERSHIP, 1)
  assert.equal(join(inside, net), 0)
  assert.equal(join(inside, kernel.initNet), -EPERM)
  assert.equal(join(root, net), 0)
  assert.equal(join(nobody, net), 0, 'who made the namespace has its capabilities')
  assert.equal(join({ ...nobody, uid: 1001 }, net), -EPERM)
  const some = new Set<Capability>(['CAP_NET_ADMIN'])
  assert.equal(join({ ...nobody, uid: 1001, capabilities: some }, kernel.initNet), 0)
})

test('bind hooks: ascending, undone on refusal, on every join', () => {
  const calls: string[] = []
  const { kernel } = withProtocol({
    bind(_, group) {
      if (group === 5) throw new NetlinkError('EACCES')
      calls.push(`+${group}`)
    },
    unbind: (_, group) => calls.push(`-${group}`),
    release: (sock) => calls.push(`release ${sock.protocol}`),
  } as KernelSocketConfig)
  const taken = open(kernel, CUSTOM, { portid: 9 })
  const sock = open(kernel)
  const did = () => calls.splice(0).join(' ')
  assert.equal(sock.bind(0, 0b11111), -13)
  assert.equal(did(), '+1 +2 +3 +4 -1 -2 -3 -4')
  assert.deepEqual(sock.getsockname(), { portid: 0, groups: 0 })
  assert.equal(sock.bind(9, 0b11), -EADDRINUSE)
  assert.equal(did(), '+1 +2 -1 -2')
  assert.equal(sock.bind(0, 0b11), 0)
  assert.equal(did(), '+1 +2')
  assert.equal(sock.bind(100, 0b1), 0)
  assert.equal(did(), '+1', 'a group that a bind drops is not unbound')
  option(sock, NETLINK_ADD_MEMBERSHIP, 1)
  option(sock, NETLINK_ADD_MEMBERSHIP, 30)
  option(sock, NETLINK_DROP_MEMBERSHIP, 7)
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 5), -13)
  assert.equal(did(), '+1 +30 -7')
  sock.close()
  assert.equal(did(), 'release 17 -1 -30')
  taken.close()
})

test('membership by number', () => {
  const { kernel, server } = withProtocol({ groups: 37 })
  const sock = open(kernel)
  assert.deepEqual([...sock.listMemberships()], [])
  for (const group of [0, 38, 64, -1, 2 ** 31]) {
    assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, group), -EINVAL, String(group))
  }
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 37), 0)
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 37), 0)
  assert.deepEqual([...sock.listMemberships()], [0, 16])
  assert.equal(sock.portid, 0)
  assert.equal(option(sock, NETLINK_DROP_MEMBERSHIP, 37), 0)
  assert.equal(option(sock, NETLINK_DROP_MEMBERSHIP, 37), 0)
  server.release()
  assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, 1), -ENOENT)
})

test('options: booleans, unknown ones, and those of another level', () => {
  const sock = open(new Kernel(), NETLINK_USERSOCK)
  for (const name of [
    NETLINK_PKTINFO,
    NETLINK_BROADCAST_ERROR,
    NETLINK_NO_ENOBUFS,
    NETLINK_LISTEN_ALL_NSID,
    NETLINK_CAP_ACK,
    NETLINK_EXT_ACK,
    NETLINK_GET_STRICT_CHK,
  ]) {
    assert.equal(sock.getsockopt(SOL_NETLINK, name), 0)
    assert.equal(option(sock, name, 77), 0)
    assert.equal(sock.getsockopt(SOL_NETLINK, name), 1)
    assert.equal(option(sock, name, 0), 0)
    assert.equal(sock.getsockopt(SOL_NETLINK, name), 0)
  }
  for (const name of [0, 6, 7, 9, 13, 99]) assert.equal(option(sock, name, 1), -ENOPROTOOPT)
  for (const name of [1, 2, 6, 99]) assert.equal(sock.getsockopt(SOL_NETLINK, name), -ENOPROTOOPT)
  assert.equal(sock.setsockopt(6, 1, 1), -ENOPROTOOPT)
  assert.equal(sock.getsockopt(6, 1), -ENOPROTOOPT)
  const plain = open(sock.netlink.kernel, NETLINK_USERSOCK, { as: nobody })
  assert.equal(option(plain, NETLINK_LISTEN_ALL_NSID, 1), -EPERM)
  assert.equal(plain.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, 1), -EPERM)
})

test('buffer sizes are doubled, within bounds', () => {
  const sock = open(new Kernel(), NETLINK_USERSOCK)
  assert.equal(sock.getsockopt(SOL_SOCKET, SO_RCVBUF), 212992)
  assert.equal(sock.getsockopt(SOL_SOCKET, SO_SNDBUF), 212992)
  for (const [value, receive, send, forced] of [
    [0, 2304, 4608, 2304],
    [1000, 2304, 4608, 2304],
    [2304, 4608, 4608, 4608],
    [100000, 200000, 200000, 200000],
    [-1, 8388608, 8388608, 2304],
    [2 ** 31 - 1, 8388608, 8388608, 2147483646],
  ] as const) {
    sock.setsockopt(SOL_SOCKET, SO_RCVBUF, value)
    sock.setsockopt(SOL_SOCKET, SO_SNDBUF, value)
    assert.equal(sock.getsockopt(SOL_SOCKET, SO_RCVBUF), receive, `SO_RCVBUF ${value}`)
    assert.equal(sock.getsockopt(SOL_SOCKET, SO_SNDBUF), send, `SO_SNDBUF ${value}`)
    sock.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, value)
    assert.equal(sock.getsockopt(SOL_SOCKET, SO_RCVBUF), forced, `SO_RCVBUFFORCE ${value}`)
  }
})

test('send: empty, too long, to nobody, to oneself, to a kernel that takes nothing', () => {
  const { kernel } = withProtocol()
  const sock = open(kernel)
  assert.equal(sock.send([]), -ENODATA)
  assert.equal(sock.send([bytes(0), bytes(0)]), -ENODATA)
  assert.equal(sock.portid, 0)
  assert.equal(sock.send([bytes(212961)]), -EMSGSIZE)
  assert.equal(sock.portid, 100, 'the port is taken before the size is looked at')
  assert.equal(sock.send([bytes(1)], { portid: 5 }), -ECONNREFUSED)
  assert.equal(sock.send([bytes(1)]), -ECONNREFUSED)
  assert.equal(open(kernel, NETLINK_USERSOCK).send([bytes(1)]), -ECONNREFUSED)
  assert.equal(sock.send([bytes(3, 1), bytes(2, 9)], { portid: 100 }), 5)
  assert.equal(sock.receive(buffer), 5)
  assert.deepEqual([...buffer.subarray(0, 5)], [1, 1, 1, 9, 9])
  assert.deepEqual([sock.senderPortid, sock.senderGroup], [100, 0])
  assert.equal(sock.senderCredentials, root)
  assert.equal(sock.send([bytes(212960)], { portid: 100 }), 212960)
})

test('what was sent is the receiver`s, whatever becomes of the sender`s bytes', () => {
  const sock = open(new Kernel(), NETLINK_USERSOCK, { portid: 1 })
  const part = bytes(100, 1)
  sock.send([part], { portid: 1 })
  part.fill(2)
  assert.deepEqual(drain(sock), [1])
})

test('connect: lowest group, peers that are not there, unicasts of others', () => {
  const { kernel, server } = withProtocol()
  const one = open(kernel, CUSTOM, { portid: 1 })
  const two = open(kernel, CUSTOM, { portid: 2, groups: 4 })
  const three = open(kernel, CUSTOM, { portid: 3 })
  assert.equal(one.connect(5, 0b1100), 0)
  assert.deepEqual(one.getpeername(), { portid: 5, groups: 0b100 })
  assert.equal(one.send([bytes(1, 8)]), -ECONNREFUSED)
  assert.deepEqual(drain(two), [8], 'the group has it all the same')
  assert.equal(two.connect(1, 0), 0)
  assert.equal(three.send([bytes(1)], { portid: 2 }), -ECONNREFUSED)
  assert.equal(server.unicast(bytes(1), 2), -ECONNREFUSED)
  assert.equal(one.send([bytes(1, 7)], { portid: 2 }), 1)
  assert.equal(server.broadcast(bytes(1, 6), { group: 3 }), 0)
  assert.deepEqual(drain(two), [7, 6])
  assert.equal(two.disconnect(), 0)
  assert.deepEqual(two.getpeername(), { portid: 0, groups: 0 })
  assert.equal(three.send([bytes(1, 5)], { portid: 2 }), 1)
  const fresh = open(kernel)
  assert.equal(fresh.connect(0, 0), 0)
  assert.equal(fresh.portid, 100)
})

test('receive: cut datagrams, a look, an empty buffer, the whole length', () => {
  const sock = open(new Kernel(), NETLINK_USERSOCK, { portid: 1 })
  const self = { portid: 1 }
  assert.equal(sock.receive(buffer), -EAGAIN)
  for (const value of [1, 2, 3]) sock.send([bytes(100, value)], self)
  const small = bytes(4)
  assert.equal(sock.receive(small, MSG_PEEK), 100)
  assert.equal(sock.receive(small), 100)
  assert.deepEqual([...small], [1, 1, 1, 1])
  assert.equal(sock.receive(bytes(0)), 100)
  assert.equal(sock.receive(small), 100)
  assert.deepEqual([...small], [3, 3, 3, 3])
  assert.equal(sock.receive(small), -EAGAIN)
})

test('1.7: 9,216 bytes hold exactly four datagrams of 1,016; EAGAIN is the sender`s', () => {
  const kernel = new Kernel()
  const reader = open(kernel, NETLINK_USERSOCK, { portid: 1 })
  const writer = open(kernel, NETLINK_USERSOCK, { portid: 2 })
  reader.setsockopt(SOL_SOCKET, SO_RCVBUF, 4608)
  const sent = [0, 1, 2, 3, 4, 5].map((i) => writer.send([bytes(1016, i)], { portid: 1 }))
  assert.deepEqual(sent, [1016, 1016, 1016, 1016, -EAGAIN, -EAGAIN])
  assert.equal(reader.queue.drops, 0)
  assert.deepEqual(drain(reader), [0, 1, 2, 3])
})

test('an empty queue takes a datagram of any size', () => {
  const kernel = new Kernel()
  const reader = open(kernel, NETLINK_USERSOCK, { portid: 1 })
  reader.setsockopt(SOL_SOCKET, SO_RCVBUF, 0)
  const writer = open(kernel, NETLINK_USERSOCK)
  assert.equal(writer.send([bytes(200000)], { portid: 1 }), 200000)
  assert.equal(reader.queue.bytes, 200576)
  assert.equal(writer.send([bytes(1)], { portid: 1 }), -EAGAIN)
})

test('overrun: told once, before what is queued; nothing more until the queue is empty', () => {
  const { kernel, server } = withProtocol()
  const reader = open(kernel, CUSTOM, { portid: 1, groups: 1 })
  reader.setsockopt(SOL_SOCKET, SO_RCVBUF, 4608)
  const results = Array.from({ length: 12 }, (_, i) =>
    server.broadcast(bytes(1016, i), { group: 1 }),
  )
  assert.deepEqual(results, [0, 0, 0, 0, ...Array<number>(8).fill(-ESRCH)])
  assert.equal(reader.queue.drops, 8)
  assert.equal(reader.receive(buffer), -ENOBUFS)
  reader.setsockopt(SOL_SOCKET, SO_RCVBUF, 100000)
  assert.equal(reader.receive(buffer), 1016)
  assert.equal(server.broadcast(bytes(10, 50), { group: 1 }), -ESRCH, 'still congested')
  assert.deepEqual(drain(reader), [1, 2, 3])
  assert.equal(server.broadcast(bytes(10, 51), { group: 1 }), 0)
  assert.deepEqual(drain(reader), [51])
  assert.equal(reader.queue.drops, 9)
})

test('a kernel`s unicast that does not fit is an overrun, and EAGAIN for the kernel', () => {
  const { kernel, server } = withProtocol()
  const reader = open(kernel, CUSTOM, { portid: 1 })
  reader.setsockopt(SOL_SOCKET, SO_RCVBUF, 0)
  assert.equal(server.unicast(bytes(10, 1), 1), 10)
  assert.equal(server.unicast(bytes(10, 2), 1), 10)
  assert.equal(server.unicast(bytes(10, 3), 1), -EAGAIN)
  assert.equal(reader.getsockopt(SOL_SOCKET, SO_ERROR), ENOBUFS)
  assert.equal(reader.getsockopt(SOL_SOCKET, SO_ERROR), 0)
  assert.deepEqual(drain(reader), [1, 2])
  assert.equal(server.unicast(bytes(1), 99), -ECONNREFUSED)
})

test('NO_ENOBUFS: lost without a word, counted', () => {
  const { kernel, server } = withProtocol()
  const reader = open(kernel, CUSTOM, { portid: 1, groups: 1 })
  reader.setsockopt(SOL_SOCKET, SO_RCVBUF, 4608)
  option(reader, NETLINK_NO_ENOBUFS, 1)
  for (let i = 0; i < 8; i++) server.broadcast(bytes(1016, i), { group: 1 })
  assert.equal(reader.queue.drops, 4)
  assert.equal(reader.receive(buffer), 1016)
  assert.equal(server.broadcast(bytes(1016, 9), { group: 1 }), 0, 'never congested')
  assert.deepEqual(drain(reader), [1, 2, 3, 9])
})

test('BROADCAST_ERROR: the sender learns of one loss among those who got it', () => {
  const { kernel, server } = withProtocol()
  const slow = open(kernel, CUSTOM, { portid: 1, groups: 1 })
  const quick = open(kernel, CUSTOM, { portid: 2, groups: 1 })
  slow.setsockopt(SOL_SOCKET, SO_RCVBUF, 0)
  option(slow, NETLINK_BROADCAST_ERROR, 1)
  const results = [1, 2, 3].map((i) => server.broadcast(bytes(1, i), { group: 1 }))
  assert.deepEqual(results, [0, 0, -ENOBUFS])
  assert.deepEqual(drain(quick), [1, 2, 3])
  assert.deepEqual(drain(slow), [-ENOBUFS, 1, 2])
})

test('multicast: members but the sender and the excluded port; nobody is ESRCH', () => {
  const { kernel, server } = withProtocol({ groups: 64 })
  const at = (portid: number, ...groups: number[]) => {
    const sock = open(kernel, CUSTOM, { portid })
    for (const group of groups) assert.equal(option(sock, NETLINK_ADD_MEMBERSHIP, group), 0)
    return sock
  }
  const [one, two, three] = [at(1, 3), at(2, 3, 40), at(3, 5)]
  assert.equal(server.broadcast(bytes(1, 1), { group: 3 }), 0)
  assert.equal(server.broadcast(bytes(1, 2), { group: 3, portid: 1 }), 0)
  assert.equal(server.broadcast(bytes(1, 3), { group: 7 }), -ESRCH)
  assert.equal(server.broadcast(bytes(1, 4), { group: 3, filter: (sk) => sk.portid === 2 }), 0)
  assert.equal(server.broadcast(bytes(1, 5), { group: 3, filter: () => true }), -ESRCH)
  assert.equal(one.send([bytes(1, 6)], { group: 3 }), -ECONNREFUSED)
  assert.equal(one.send([bytes(1, 7)], { group: 3, portid: 2 }), 1)
  assert.deepEqual(drain(one), [1, 4])
  assert.deepEqual(drain(two), [1, 2, 6, 7])
  assert.deepEqual(drain(three), [])
  assert.equal(server.hasListeners(3), true)
  assert.equal(server.hasListeners(7), false)
  server.broadcast(bytes(1), { group: 40 })
  two.receive(buffer)
  assert.equal(two.senderGroup, 0, 'no bit for groups above 32')
  option(two, NETLINK_PKTINFO, 1)
  server.broadcast(bytes(1), { group: 40 })
  two.receive(buffer)
  assert.equal(two.senderGroup, 40)
})

test('a member without a port hears nothing of the kernel', () => {
  const { kernel, server } = withProtocol()
  const sock = open(kernel)
  option(sock, NETLINK_ADD_MEMBERSHIP, 1)
  assert.equal(server.broadcast(bytes(1), { group: 1 }), -ESRCH)
  sock.bind()
  assert.equal(server.broadcast(bytes(1), { group: 1 }), -ESRCH, 'bind replaces the groups')
  option(sock, NETLINK_ADD_MEMBERSHIP, 1)
  assert.equal(server.broadcast(bytes(1), { group: 1 }), 0)
})

test('nlmsg_notify: the echo goes to the requester once', () => {
  const { kernel, server } = withProtocol()
  const asker = open(kernel, CUSTOM, { portid: 1, groups: 1 })
  const member = open(kernel, CUSTOM, { portid: 2, groups: 1 })
  assert.equal(server.notify(bytes(1, 1), { group: 1, portid: 1 }), 0)
  assert.equal(server.notify(bytes(1, 2), { group: 1, portid: 1, report: true }), 0)
  assert.deepEqual(drain(asker), [1, 2])
  assert.equal(asker.senderGroup, 1, 'the echo shows the group')
  assert.deepEqual(drain(member), [1, 2])
  assert.equal(server.notify(bytes(1), { group: 9 }), 0, 'nobody listens')
  assert.equal(server.notify(bytes(1), { group: 0 }), 0)
  assert.equal(server.notify(bytes(1), { group: 9, portid: 77, report: true }), -ECONNREFUSED)
})

test('netlink_set_err: one errno for all members', () => {
  const { kernel, server } = withProtocol()
  const one = open(kernel, CUSTOM, { portid: 1, groups: 1 })
  const two = open(kernel, CUSTOM, { portid: 2, groups: 1 })
  option(two, NETLINK_NO_ENOBUFS, 1)
  assert.equal(server.setErr(0, 1, ENOBUFS), 1)
  assert.equal(server.setErr(0, 1, ESRCH), 0)
  assert.deepEqual(drain(one), [-ESRCH])
  assert.deepEqual(drain(two), [-ESRCH])
})

test('namespaces: ports and multicasts stay within theirs', () => {
  const kernel = new Kernel()
  const [here, there] = [kernel.initNet, kernel.addNet('there')]
  const server = kernel.netlink.create(here, CUSTOM)
  kernel.netlink.create(there, CUSTOM)
  const listener = open(kernel, CUSTOM, { portid: 1, groups: 1, net: there })
  const say = (value: number) => server.broadcast(bytes(1, value), { group: 1 })
  assert.equal(say(1), -ESRCH)
  assert.equal(server.unicast(bytes(1), 1), -ECONNREFUSED)
  option(listener, NETLINK_LISTEN_ALL_NSID, 1)
  assert.equal(say(2), -ESRCH, 'we have no id there')
  assert.equal(there.assignNsid(here), 0)
  assert.equal(say(3), 0)
  assert.equal(listener.receive(buffer), 1)
  assert.deepEqual([buffer[0], listener.senderNsid], [3, 0])
  kernel.netlink.kernelSocket(there, CUSTOM)?.broadcast(bytes(1, 4), { group: 1 })
  assert.equal(listener.receive(buffer), 1)
  assert.equal(listener.senderNsid, -1, 'no id for its own namespace')
  const weak = open(kernel, CUSTOM, { portid: 2, groups: 1, net: there })
  assert.equal(server.hasListeners(1), true)
  assert.equal(weak.receive(buffer), -EAGAIN)
})

test('a protocol of the first namespace alone: sockets elsewhere open, sends are refused', () => {
  const { kernel } = withProtocol({ input() {} })
  const sock = open(kernel, CUSTOM, { net: kernel.addNet() })
  assert.equal(sock.send([bytes(1)]), -ECONNREFUSED)
  assert.equal(open(kernel).send([bytes(1)]), 1)
})

test('close: port and groups first, then the hooks, then NETLINK_URELEASE', () => {
  const order: string[] = []
  const { kernel } = withProtocol({
    unbind: (_, group) => order.push(`unbind ${group}`),
    release: () => order.push('release'),
  } as KernelSocketConfig)
  const sock = open(kernel, CUSTOM, { portid: 7, groups: 0b101 })
  const seen: NetlinkNotify[] = []
  kernel.netlink.notifier.register({
    call(event, notify) {
      order.push(`urelease ${event}`)
      seen.push(notify)
      const heir = open(kernel, CUSTOM, { portid: notify.portid })
      assert.notEqual(heir.cookie, notify.cookie, 'the port may have a new holder already')
      return 0
    },
  })
  sock.close()
  sock.close()
  assert.deepEqual(order, ['release', 'unbind 1', 'unbind 3', `urelease ${NETLINK_URELEASE}`])
  const { net, protocol, portid, cookie } = seen[0] as NetlinkNotify
  assert.deepEqual([net, protocol, portid, cookie], [kernel.initNet, CUSTOM, 7, sock.cookie])
  assert.deepEqual(
    [sock.send([bytes(1)]), sock.receive(buffer), sock.bind(), sock.connect(0), sock.disconnect()],
    Array(5).fill(-EBADF),
  )
  assert.deepEqual([option(sock, 3, 1), sock.getsockopt(SOL_NETLINK, 3)], [-EBADF, -EBADF])
})

test('sockets that never had a port, and the kernel`s, release without a word', () => {
  const { kernel, server } = withProtocol()
  let calls = 0
  kernel.netlink.notifier.register({ call: () => ++calls * 0 })
  open(kernel).close()
  assert.equal(open(kernel).receive(buffer), -EAGAIN)
  server.release()
  assert.equal(calls, 0)
  open(kernel, NETLINK_USERSOCK, { portid: 1 }).close()
  assert.equal(calls, 1)
})

test('a block of the chain that fails is logged, and the close goes on', async () => {
  const { kernel } = withProtocol()
  kernel.netlink.notifier.register({
    call() {
      throw new Error('a bad block')
    },
  })
  open(kernel, CUSTOM, { portid: 1 }).close()
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(kernel.dmesg().at(-1)?.text ?? '', /netlink_chain.*a bad block/)
  assert.equal(open(kernel).bind(1), 0)
})

test('input runs in the sender`s call and sees who sends', () => {
  const seen: unknown[] = []
  const { kernel, server } = withProtocol({
    input(skb) {
      seen.push([skb.portid, skb.credentials, skb.sender?.portid, skb.hasDestination, skb.length])
      assert.equal(skb.owner, server)
      server.unicast(skb.copy().peek(), skb.portid)
    },
  })
  const sock = open(kernel)
  assert.equal(sock.send([bytes(3, 4)]), 3)
  assert.equal(sock.receive(buffer), 3)
  assert.equal(buffer[0], 4)
  assert.equal(sock.senderPortid, 0)
  assert.equal(sock.send([bytes(2)], {}), 2)
  assert.deepEqual(seen, [
    [100, root, 100, false, 3],
    [100, root, 100, true, 2],
  ])
})

test('an input that throws is logged; the sender and the kernel live on', () => {
  const { kernel } = withProtocol({
    input() {
      throw new Error('a bad input')
    },
  })
  assert.equal(open(kernel).send([bytes(2)]), 2)
  assert.match(kernel.dmesg()[0]?.text ?? '', /input of protocol 17 failed: Error: a bad input/)
})

test('an input that waits holds up its sender alone, in order, up to a bound', async () => {
  const done: number[] = []
  const waiting: (() => void)[] = []
  const { kernel } = withProtocol({
    async input(skb) {
      const first = skb.bytes[0] as number
      if (first === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      done.push(first)
    },
  })
  const slow = open(kernel, CUSTOM, { portid: 1 })
  const other = open(kernel, CUSTOM, { portid: 2 })
  for (const value of [0, 1, 2]) assert.equal(slow.send([bytes(1, value)]), 1)
  assert.equal(other.send([bytes(1, 9)]), 1)
  assert.deepEqual(done, [9])
  let more = 0
  while (slow.send([bytes(1, 3)]) === 1) more++
  assert.equal(more, 254)
  assert.equal(slow.send([bytes(1, 3)]), -EAGAIN)
  waiting[0]?.()
  while (done.length < 258) await Promise.resolve()
  assert.deepEqual(done.slice(0, 5), [9, 0, 1, 2, 3])
  assert.equal(slow.send([bytes(1, 4)]), 1)
})

test('what waits for a kernel socket that goes is dropped', async () => {
  const seen: number[] = []
  const waiting: (() => void)[] = []
  const { kernel, server } = withProtocol({
    async input(skb) {
      seen.push(skb.bytes[0] as number)
      await new Promise<void>((resolve) => waiting.push(resolve))
    },
  })
  const sock = open(kernel)
  for (const value of [1, 2]) assert.equal(sock.send([bytes(1, value)]), 1)
  server.release()
  waiting[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(seen, [1])
  assert.equal(sock.send([bytes(1)]), -ECONNREFUSED)
})

test('a thousand sockets on 32 groups: everybody hears his own group, closing frees all', () => {
  const { kernel, server } = withProtocol()
  const socks = Array.from({ length: 1000 }, (_, i) =>
    open(kernel, CUSTOM, { portid: i + 1, groups: 1 << (i % 32) }),
  )
  for (let group = 1; group <= 32; group++) {
    assert.equal(server.broadcast(bytes(100, group), { group }), 0)
  }
  for (const [i, sock] of socks.entries()) assert.deepEqual(drain(sock), [(i % 32) + 1])
  for (const sock of socks) sock.close()
  for (let group = 1; group <= 32; group++) assert.equal(server.hasListeners(group), false)
  assert.equal(kernel.netlink.sockets().length, 0)
  assert.equal(open(kernel).bind(1), 0)
})
