/** The netlink layer itself, byte for byte: acks, errors, dumps, groups, queues. */
import assert from 'node:assert/strict'
import type { Socket } from 'nlkit/transport'
import {
  MessageWalker,
  NETLINK_GENERIC,
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_ECHO,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  viewOf,
  type Writer,
} from 'nlkit/wire'
import { type Bench, both } from '../both.ts'
import { ask, type Datagram, next, outline, queued, request, split } from '../raw.ts'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const RTM_SETLINK = 19
const ACK = NLM_F_REQUEST | NLM_F_ACK

/** struct ifinfomsg. */
function ifinfomsg(index = 0, flags = 0, change = 0): (w: Writer) => void {
  return (w) => {
    w.reserve(4)
    w.u32(index)
    w.u32(flags)
    w.u32(change)
  }
}
const route = (t: Bench, init = {}): Promise<Socket> =>
  t.socket({ protocol: NETLINK_ROUTE, ...init })
const flat = (all: readonly Datagram[]) => all.flatMap((d) => d.messages)

async function lines(socket: Socket, bytes: Uint8Array, seq: number): Promise<string[]> {
  return outline(socket, flat(await ask(socket, bytes, seq)))
}

const PORT = 0x504f5254

/** A datagram as hex, our port id in its headers replaced: it is another one on each kernel. */
function anonymous(socket: Socket, bytes: Uint8Array): string {
  const copy = bytes.slice()
  const view = viewOf(copy)
  const walker = new MessageWalker(view)
  while (walker.next()) {
    if (walker.portid === socket.portid) view.setUint32(walker.start + 12, PORT, true)
  }
  return Buffer.from(copy).toString('hex')
}

both('a socket gets a port id, a second one gets another', async (t) => {
  const a = await route(t)
  const b = await route(t)
  assert.notEqual(a.portid, 0)
  assert.notEqual(a.portid, b.portid)
})

both('a port id of one`s own choice, and one that is taken', async (t) => {
  const a = await route(t, { portid: 4242 })
  assert.equal(a.portid, 4242)
  await assert.rejects(route(t, { portid: 4242 }), { code: 'EADDRINUSE' })
  const other = await t.socket({ protocol: NETLINK_GENERIC, portid: 4242 })
  assert.equal(other.portid, 4242)
  a.close()
  assert.equal((await route(t, { portid: 4242 })).portid, 4242)
})

both('a protocol without a kernel side does not open', async (t) => {
  for (const protocol of [1, 31, 32]) {
    await assert.rejects(t.socket({ protocol }), { code: 'EPROTONOSUPPORT' }, String(protocol))
  }
})

both('a request without NLM_F_ACK has its reply and nothing else', async (t) => {
  const s = await route(t)
  s.send([request(RTM_GETLINK, NLM_F_REQUEST, 7, ifinfomsg(1))])
  const first = await next(s)
  assert.deepEqual(queued(s), [])
  return outline(s, first.messages)
})

both(
  'a request with NLM_F_ACK has its reply, then the ack, in datagrams of their own',
  async (t) => {
    const s = await route(t)
    const all = await ask(s, request(RTM_GETLINK, ACK, 8, ifinfomsg(1)), 8)
    assert.equal(all.length, 2)
    return [outline(s, flat(all)), anonymous(s, all[1]!.bytes)]
  },
)

both('an error copies the request whole', async (t) => {
  const s = await route(t)
  const [error] = await ask(s, request(RTM_GETLINK, NLM_F_REQUEST, 5, ifinfomsg(999)), 5)
  return anonymous(s, error!.bytes)
})

both('CAP_ACK leaves the request`s payload out', async (t) => {
  const s = await route(t, { options: { capAck: true } })
  const [error] = await ask(s, request(RTM_GETLINK, NLM_F_REQUEST, 5, ifinfomsg(999)), 5)
  return anonymous(s, error!.bytes)
})

both('EXT_ACK says why and where, with the policy that was broken', async (t) => {
  const s = await route(t, { options: { extAck: true } })
  const long = (w: Writer) => {
    ifinfomsg()(w)
    w.attrString(3, 'a-name-of-20-letters')
  }
  const [error] = await ask(s, request(RTM_NEWLINK, ACK, 6, long), 6)
  return anonymous(s, error!.bytes)
})

both('EXT_ACK and CAP_ACK together', async (t) => {
  const s = await route(t, { options: { extAck: true, capAck: true } })
  const long = (w: Writer) => {
    ifinfomsg()(w)
    w.attrString(3, 'a-name-of-20-letters')
  }
  const [error] = await ask(s, request(RTM_NEWLINK, ACK, 6, long), 6)
  return anonymous(s, error!.bytes)
})

both(
  'control messages and messages that are no requests are acknowledged when they ask for it',
  async (t) => {
    const s = await route(t)
    const seen: string[][] = []
    for (const [type, flags] of [
      [1, ACK],
      [3, ACK],
      [15, ACK],
      [RTM_GETLINK, NLM_F_ACK],
    ] as const) {
      seen.push(await lines(s, request(type, flags, 9, ifinfomsg(1)), 9))
    }
    s.send([request(2, NLM_F_REQUEST, 10)])
    s.send([request(RTM_GETLINK, 0, 11, ifinfomsg(1))])
    assert.deepEqual(queued(s), [])
    return seen
  },
)

both(
  'a datagram shorter than a header, and a length beyond the datagram, are ignored',
  async (t) => {
    const s = await route(t)
    assert.equal(s.send([new Uint8Array(8)]), 8)
    const bytes = request(RTM_GETLINK, ACK, 1, ifinfomsg(1))
    viewOf(bytes).setUint32(0, 100, true)
    s.send([bytes])
    viewOf(bytes).setUint32(0, 15, true)
    s.send([bytes])
    assert.deepEqual(queued(s), [])
  },
)

both('an empty datagram is ENODATA', async (t) => {
  const s = await route(t)
  assert.equal(s.send([new Uint8Array(0)]), -61)
})

both(
  'several messages in a datagram are answered one by one, errors do not stop the rest',
  async (t) => {
    const s = await route(t)
    s.send([
      request(RTM_GETLINK, ACK, 1, ifinfomsg(77)),
      request(RTM_GETLINK, ACK, 2, ifinfomsg(1)),
      request(RTM_GETLINK, ACK, 3, ifinfomsg(78)),
      new Uint8Array(12),
    ])
    const all = queued(s) as Datagram[]
    return all.map((d) => outline(s, d.messages))
  },
)

both('a message type that nobody handles', async (t) => {
  const s = await route(t)
  const seen: string[][] = []
  for (const type of [250, 99, 4000]) {
    seen.push(await lines(s, request(type, ACK, type, ifinfomsg(1)), type))
  }
  return seen
})

both('a route message without any payload succeeds and does nothing', async (t) => {
  const s = await route(t)
  return await lines(s, request(RTM_NEWLINK, ACK, 4), 4)
})

both('a dump ends with NLMSG_DONE in a datagram of its own, and is not acknowledged', async (t) => {
  const s = await route(t)
  const all = await ask(
    s,
    request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ACK, 3, ifinfomsg()),
    3,
  )
  assert.deepEqual(queued(s), [])
  return all.map((d) => outline(s, d.messages))
})

both('a refused dump says so in NLMSG_DONE, with its extack', async (t) => {
  const s = await route(t, { options: { extAck: true, strictCheck: true } })
  const all = await ask(
    s,
    request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 3, ifinfomsg(0, 0, 77)),
    3,
  )
  return all.map((d) => anonymous(s, d.bytes))
})

/** Adds `count` addresses to lo, so that dumps have several datagrams. */
async function fill(s: Socket, count: number): Promise<void> {
  const addresses: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    addresses.push(
      request(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, 100 + i, (w) => {
        w.put(Uint8Array.of(2, 32, 0, 0))
        w.u32(1)
        w.attrBytes(2, Uint8Array.of(10, 0, i >> 8, i & 255))
      }),
    )
  }
  s.send(addresses)
  assert.deepEqual(queued(s), [])
}
const ifaddrmsg = (w: Writer): void => {
  w.reserve(8)
}

both('a dump`s datagrams are as large as the reader`s buffer allows', async (t) => {
  const s = await route(t)
  await fill(s, 400)
  const sizes: Record<string, number[]> = {}
  for (const size of [4096, 8192, 32768]) {
    const fresh = await route(t)
    const all = await ask(
      fresh,
      request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 3, ifaddrmsg),
      3,
      size,
    )
    assert.equal(flat(all).length, 401)
    sizes[size] = all.map((d) => d.bytes.length)
  }
  return sizes
})

both(
  'a second dump on a socket that has one running is EBUSY; other requests are served',
  async (t) => {
    const s = await route(t)
    await fill(s, 400)
    s.send([request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, ifaddrmsg)])
    s.send([request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 2, ifinfomsg())])
    s.send([request(RTM_GETLINK, NLM_F_REQUEST, 3, ifinfomsg(999))])
    const seen = (queued(s, 4096) as Datagram[]).flatMap((d) => d.messages)
    const others = seen.filter((m) => m.seq !== 1)
    assert.equal(seen.at(-1)?.seq, 1)
    assert.equal(seen.filter((m) => m.seq === 1).length, 401)
    return outline(s, others)
  },
)

both('closing a socket in the middle of a dump frees it', async (t) => {
  const s = await route(t, { portid: 777 })
  await fill(s, 400)
  s.send([request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, ifaddrmsg)])
  s.close()
  s.close()
  const again = await route(t, { portid: 777 })
  const all = await ask(again, request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, ifaddrmsg), 1)
  assert.equal(flat(all).length, 401)
})

both('NLM_F_ECHO brings the notification to the requester', async (t) => {
  const s = await route(t)
  s.send([request(RTM_SETLINK, ACK | NLM_F_ECHO, 5, ifinfomsg(1, 1, 1))])
  const all = queued(s) as Datagram[]
  return all.map((d) => outline(s, d.messages))
})

both('a member of a group hears changes, with the group it came through', async (t) => {
  const member = await route(t, { groups: [1], options: { pktinfo: true } })
  const stranger = await route(t)
  const s = await route(t)
  await ask(s, request(RTM_SETLINK, ACK, 5, ifinfomsg(1, 1, 1)), 5)
  const heard = await next(member)
  assert.deepEqual(queued(stranger), [])
  await member.leave(1)
  queued(member)
  await ask(s, request(RTM_SETLINK, ACK, 6, ifinfomsg(1, 0, 1)), 6)
  assert.deepEqual(queued(member), [])
  return [outline(s, heard.messages), heard.group, heard.from]
})

both('groups that do not exist cannot be joined', async (t) => {
  const s = await route(t)
  for (const group of [64, 100000]) {
    await assert.rejects(s.join(group), { code: 'EINVAL' }, String(group))
  }
  await s.join(1)
  await s.join(1)
  await s.leave(1)
  await s.leave(1)
})

both('a slow member is told of its overrun once, before what is queued', async (t) => {
  const slow = await route(t, { groups: [1], options: { receiveBuffer: 4608 } })
  const s = await route(t)
  for (let i = 0; i < 20; i++) {
    await ask(s, request(RTM_SETLINK, ACK, 5, ifinfomsg(1, i & 1 ? 0 : 1, 1)), 5)
  }
  await slow.readable()
  const all = queued(slow)
  assert.equal(all[0], -105)
  assert.equal(all.filter((each) => each === -105).length, 1)
  assert.ok(all.length > 1 && all.length < 10)
  await ask(s, request(RTM_SETLINK, ACK, 6, ifinfomsg(1, 1, 1)), 6)
  await slow.readable()
  assert.equal(typeof queued(slow)[0], 'object')
  return all.length
})

both('NO_ENOBUFS drops without a word', async (t) => {
  const slow = await route(t, { groups: [1], options: { receiveBuffer: 4608, noEnobufs: true } })
  const s = await route(t)
  for (let i = 0; i < 20; i++) {
    await ask(s, request(RTM_SETLINK, ACK, 5, ifinfomsg(1, i & 1 ? 0 : 1, 1)), 5)
  }
  const all = queued(slow)
  assert.ok(all.every((each) => typeof each === 'object'))
  return all.length
})

both('receive gives the length of what was cut', async (t) => {
  const s = await route(t)
  s.send([request(RTM_GETLINK, NLM_F_REQUEST, 7, ifinfomsg(1))])
  const length = s.receive(new Uint8Array(8))
  assert.ok(length > 500)
  assert.equal(s.receive(new Uint8Array(8)), -11)
})

both('a datagram larger than the send buffer is EMSGSIZE', async (t) => {
  const s = await route(t, { options: { sendBuffer: 4608 / 2 } })
  assert.equal(s.send([new Uint8Array(4576)]), 4576)
  assert.equal(s.send([new Uint8Array(4577)]), -90)
})

both('process to process: unicast reaches its port, an absent one is ECONNREFUSED', async (t) => {
  const one = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1001 })
  const two = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1002 })
  const hello = new TextEncoder().encode('Hello Process')
  assert.equal(one.send([hello.subarray(0, 5), hello.subarray(5)], { portid: 1002 }), 13)
  assert.equal(one.send([hello], { portid: 1003 }), -111)
  assert.equal(one.send([hello]), -111)
  const buffer = new Uint8Array(64)
  await two.readable()
  assert.equal(two.receive(buffer), 13)
  assert.deepEqual(buffer.subarray(0, 13), hello)
  assert.equal(two.senderPortid, 1001)
  assert.equal(two.senderGroup, 0)
})

both('process to process: a send to a group reaches its members but the sender', async (t) => {
  const one = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1001, groups: [3] })
  const two = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1002, groups: [3, 5] })
  const three = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1003, groups: [5] })
  assert.equal(one.send([Uint8Array.of(1)], { group: 3 }), -111)
  assert.equal(one.send([Uint8Array.of(2)], { group: 5, portid: 1003 }), 1)
  const heard = (s: Socket) => (queued(s) as Datagram[]).map((d) => [d.bytes[0], d.group, d.from])
  return [heard(one), heard(two), heard(three)]
})

both('a full queue refuses the next unicast with EAGAIN', async (t) => {
  const one = await t.socket({ protocol: NETLINK_USERSOCK, portid: 1001 })
  const two = await t.socket({
    protocol: NETLINK_USERSOCK,
    portid: 1002,
    options: { receiveBuffer: 4608 },
  })
  let sent = 0
  while (one.send([new Uint8Array(1016)], { portid: 1002 }) > 0) sent++
  assert.equal(one.send([new Uint8Array(1016)], { portid: 1002 }), -11)
  const all = queued(two)
  assert.equal(all.length, sent)
  assert.ok(all.every((each) => typeof each === 'object'))
  assert.equal(one.send([new Uint8Array(1016)], { portid: 1002 }), 1016)
  return sent
})

/** genlmsghdr. */
const genl = (cmd: number, body?: (w: Writer) => void) => (w: Writer) => {
  w.put(Uint8Array.of(cmd, 1, 0, 0))
  body?.(w)
}
const control = (t: Bench, options = {}) => t.socket({ protocol: NETLINK_GENERIC, options })

both('nlctrl describes itself, byte for byte', async (t) => {
  const s = await control(t)
  const all = await ask(
    s,
    request(
      16,
      ACK,
      9,
      genl(3, (w) => w.attrString(2, 'nlctrl')),
    ),
    9,
  )
  // CTRL_CMD_GETPOLICY and the attributes behind it differ between kernels' ages: the head does not.
  return [outline(s, flat(all)), Buffer.from(all[0]!.bytes.slice(16, 64)).toString('hex')]
})

both('nlctrl refuses names and ids that its policy does not allow', async (t) => {
  const s = await control(t, { extAck: true })
  const bad: ((w: Writer) => void)[] = [
    (w) => w.attrBytes(1, Uint8Array.of(16)),
    (w) => w.attrString(2, 'a-name-of-16-let'),
    (w) => w.attrBytes(2, Uint8Array.of()),
    () => {},
    (w) => w.attrString(2, 'no-such-family'),
  ]
  const seen: string[] = []
  for (const body of bad) {
    const [error] = await ask(s, request(16, ACK, 9, genl(3, body)), 9)
    seen.push(anonymous(s, error!.bytes))
  }
  return seen
})

both('generic netlink: a family, and a command, that are not there', async (t) => {
  const s = await control(t)
  return [
    await lines(s, request(1000, ACK, 1, genl(1)), 1),
    await lines(s, request(16, ACK, 2, genl(77)), 2),
    await lines(s, request(16, ACK, 3, genl(1)), 3),
    await lines(
      s,
      request(16, ACK, 4, (w) => w.put(Uint8Array.of(3, 1))),
      4,
    ),
  ]
})

both(
  'a dump of nlctrl has itself in it, and its end in the same datagram when it fits',
  async (t) => {
    const s = await control(t)
    const all = await ask(s, request(16, NLM_F_REQUEST | NLM_F_DUMP, 1, genl(3)), 1)
    const last = split(all.at(-1)!.bytes)
    assert.ok(last.length > 1)
    const first = flat(all)[0]!
    return [first.type, first.flags, [...first.payload.slice(0, 20)]]
  },
)
