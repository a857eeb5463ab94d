/** Requests: the loop over a datagram, acknowledgements, dumps, handlers. Golden bytes are Linux's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetlinkError } from '../../errors.ts'
import {
  attrs,
  message,
  NL_VALIDATE_STRICT,
  nest,
  string,
  struct,
  u8,
  u32,
} from '../../schema/index.ts'
import {
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { Writer } from '../../wire/writer.ts'
import { type Credentials, UserNamespace } from '../credentials.ts'
import { EAGAIN, EBUSY, ECONNREFUSED, EMSGSIZE, ENOBUFS } from '../errno.ts'
import { Kernel } from '../kernel.ts'
import type { RequestContext } from './context.ts'
import { type DumpSource, startDump } from './dump.ts'
import { type DoHandler, type DumpHandler, handleDo, handleDump, type OpCodec } from './handler.ts'
import { HANDLED, type Handled, NO_ACK, netlinkRcvSkb } from './rcv.ts'
import { SO_RCVBUF, SOL_SOCKET } from './socket-options.ts'
import type { UserSocket } from './user-socket.ts'

const RTM_NEWADDR = 20
const RTM_GETLINK = 18
const RTM_GETADDR = 22
const ACK = NLM_F_REQUEST | NLM_F_ACK
const root: Credentials = { pid: 31337, uid: 0, gid: 0, capabilities: 'all' }

type Serve = (ctx: RequestContext) => Handled | Promise<Handled>

/** A kernel whose NETLINK_ROUTE is `serve`, and a socket to it. */
function serving(serve: Serve, ...options: number[]) {
  const kernel = new Kernel()
  // Where another room serves this protocol already, it makes way.
  kernel.netlink.kernelSocket(kernel.initNet, NETLINK_ROUTE)?.release()
  const server = kernel.netlink.create(kernel.initNet, NETLINK_ROUTE, {
    input: (skb) => netlinkRcvSkb(skb, serve),
    nonrootRecv: true,
  })
  const open = (as: Credentials = root): UserSocket => {
    const sock = kernel.netlink.socket(kernel.initNet, NETLINK_ROUTE, as)
    assert.equal(sock.bind(), 0)
    for (const option of options) sock.setsockopt(SOL_NETLINK, option, 1)
    return sock
  }
  return { kernel, server, open, sock: open() }
}

/** The bytes of a request. */
function request(type: number, flags: number, seq: number, ...body: number[]): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(type, flags, seq, 99)
  w.put(Uint8Array.from(body))
  w.messageEnd(mark)
  return w.finish()
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const golden = (text: string): string => text.replaceAll(/\s/g, '')

/** The next datagram as hex. */
function read(sock: UserSocket, size = 65536): string {
  const buffer = new Uint8Array(size)
  const length = sock.receive(buffer)
  assert.ok(length >= 0, `receive: ${length}`)
  return hex(buffer.subarray(0, length))
}

interface Seen {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly portid: number
  readonly errno: number | undefined
  readonly payload: Uint8Array
}

/** The messages of each datagram until the queue is empty; errnos in place of datagrams. */
function readAll(sock: UserSocket, size = 65536): (Seen[] | number)[] {
  const all: (Seen[] | number)[] = []
  const buffer = new Uint8Array(size)
  for (;;) {
    const length = sock.receive(buffer)
    if (length === -EAGAIN) return all
    if (length < 0) {
      all.push(length)
      continue
    }
    const datagram = buffer.slice(0, Math.min(size, length))
    const walker = new MessageWalker(viewOf(datagram))
    const seen: Seen[] = []
    while (walker.next()) {
      const { type, flags, seq, portid, payload, end } = walker
      const isVerdict = type === NLMSG_ERROR || type === NLMSG_DONE
      seen.push({
        type,
        flags,
        seq,
        portid,
        errno: isVerdict ? walker.view.getInt32(payload, true) : undefined,
        payload: datagram.slice(payload, end),
      })
    }
    all.push(seen)
  }
}
const flat = (all: (Seen[] | number)[]): Seen[] =>
  all.flatMap((each) => (typeof each === 'number' ? [] : each))

const noDevice: Serve = () => {
  throw new NetlinkError('ENODEV')
}
/** struct ifinfomsg with index 999. */
const getlink999 = [0, 0, 0, 0, 0xe7, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

test('1.11: an error copies the request, an acknowledgement its header', () => {
  const { sock } = serving(noDevice)
  const bad = request(RTM_GETLINK, NLM_F_REQUEST, 5, ...getlink999)
  viewOf(bad).setUint32(12, 0, true)
  assert.equal(sock.send([bad]), 32)
  assert.equal(
    read(sock),
    golden(`34000000 0200 0000 05000000 697a0000 edffffff 20000000 1200 0100 05000000 00000000
      00000000 e7030000 00000000 00000000`),
  )
  const control = request(RTM_GETLINK, NLM_F_ACK, 6, ...getlink999)
  viewOf(control).setUint32(12, 0, true)
  sock.send([control])
  assert.equal(
    read(sock),
    golden('24000000 0200 0001 06000000 697a0000 00000000 20000000 1200 0400 06000000 00000000'),
  )
})

test('the request`s own nlmsg_pid is copied and never used', () => {
  const { sock } = serving(noDevice)
  sock.send([request(RTM_GETLINK, NLM_F_REQUEST, 5, ...getlink999)])
  const answer = read(sock)
  assert.equal(answer.slice(24, 32), '697a0000')
  assert.equal(answer.slice(64, 72), '63000000')
})

test('CAP_ACK: an error without the request`s payload', () => {
  const { sock } = serving(noDevice, NETLINK_CAP_ACK)
  sock.send([request(RTM_GETLINK, NLM_F_REQUEST, 5, ...getlink999)])
  assert.equal(
    read(sock),
    golden('24000000 0200 0001 05000000 697a0000 edffffff 20000000 1200 0100 05000000 63000000'),
  )
})

test('a request whose length is no multiple of 4 is padded in its error', () => {
  const { sock } = serving(noDevice)
  sock.send([request(99, NLM_F_REQUEST, 1, 1, 0, 0).subarray(0, 19)])
  assert.equal(
    read(sock),
    golden(`28000000 0200 0000 01000000 697a0000 edffffff 13000000 6300 0100 01000000 63000000
      01000000`),
  )
})

test('control messages and non-requests are acknowledged if they ask, and never handled', () => {
  const { sock } = serving(() => assert.fail('handled'))
  for (const type of [0, 1, 2, 3, 4, 15]) {
    sock.send([request(type, ACK, type)])
    assert.deepEqual(
      flat(readAll(sock)).map((m) => [m.type, m.flags, m.errno]),
      [[2, 0x100, 0]],
    )
    sock.send([request(type, NLM_F_REQUEST, type)])
    assert.deepEqual(readAll(sock), [])
  }
  sock.send([request(RTM_GETLINK, 0, 1)])
  assert.deepEqual(readAll(sock), [])
})

test('headers that do not fit end the walk without a word', () => {
  const { sock } = serving(noDevice)
  const good = request(RTM_GETLINK, ACK, 1)
  const long = request(RTM_GETLINK, ACK, 2)
  viewOf(long).setUint32(0, 17, true)
  const short = request(RTM_GETLINK, ACK, 3)
  viewOf(short).setUint32(0, 15, true)
  assert.equal(sock.send([new Uint8Array(15)]), 15)
  assert.equal(sock.send([long]), 16)
  assert.equal(sock.send([short]), 16)
  assert.deepEqual(readAll(sock), [])
  sock.send([good, new Uint8Array(8).fill(255)])
  assert.equal(flat(readAll(sock)).length, 1)
  sock.send([good, short, good])
  assert.equal(flat(readAll(sock)).length, 1)
})

test('each message of a datagram is answered for itself', () => {
  const seen: number[] = []
  const { sock } = serving((ctx) => {
    seen.push(ctx.seq, ctx.end - ctx.payload)
    if (ctx.seq === 2) throw new NetlinkError('EPERM')
    return HANDLED
  })
  sock.send([
    request(30, ACK, 1, 7),
    request(30, NLM_F_REQUEST, 2),
    request(30, NLM_F_REQUEST, 3),
    request(30, ACK, 4),
  ])
  assert.deepEqual(seen, [1, 1, 2, 0, 3, 0, 4, 0])
  assert.deepEqual(
    readAll(sock).map((each) => flat([each]).map((m) => [m.seq, m.errno])),
    [[[1, 0]], [[2, -1]], [[4, 0]]],
  )
})

test('NO_ACK: nothing is said, whatever was asked', () => {
  const { sock } = serving(() => NO_ACK)
  sock.send([request(30, ACK, 1)])
  assert.deepEqual(readAll(sock), [])
})

test('extack: its TLVs in order, only with EXT_ACK, a warning without the rest', () => {
  const cookie = Uint8Array.from({ length: 30 }, (_, i) => i)
  const extack = {
    message: 'no',
    offset: 16,
    missing: 7,
    missingNest: 16,
    cookie,
    policy: { type: 'u16', min: 0n, max: 0xffffn },
  }
  const refuse: Serve = (ctx) => {
    if (ctx.seq === 1) throw new NetlinkError('EINVAL', { extack })
    ctx.warn('careful')
    return HANDLED
  }
  const plain = serving(refuse).sock
  plain.send([request(30, ACK, 1, 1, 2, 3, 4)])
  assert.deepEqual(
    flat(readAll(plain)).map((m) => m.flags),
    [0],
  )
  const { sock } = serving(refuse, NETLINK_EXT_ACK, NETLINK_CAP_ACK)
  sock.send([request(30, ACK, 1, 1, 2, 3, 4)])
  assert.equal(
    read(sock).slice(72),
    golden(`0700 0100 6e6f0000
      1800 0300 000102030405060708090a0b0c0d0e0f10111213
      0800 0200 10000000
      2400 0480 0c00 0400 0000000000000000 0c00 0500 ffff000000000000 0800 0100 03000000
      0800 0500 07000000
      0800 0600 10000000`),
  )
  sock.send([request(30, ACK, 2)])
  const warned = read(sock)
  assert.equal(warned.slice(12, 16), '0003')
  assert.equal(warned.slice(72), golden('0c00 0100 6361726566756c00'))
})

test('extack: offsets outside the request are left out', () => {
  const { sock } = serving(
    (ctx) => {
      throw new NetlinkError('EINVAL', { extack: { offset: ctx.seq } })
    },
    NETLINK_EXT_ACK,
    NETLINK_CAP_ACK,
  )
  for (const [offset, tlvs] of [
    [15, ''],
    [16, '0800020010000000'],
    [19, '0800020013000000'],
    [20, ''],
  ] as const) {
    sock.send([request(30, ACK, offset, 1, 2, 3, 4)])
    assert.equal(read(sock).slice(72), tlvs, `offset ${offset}`)
  }
})

test('extack: the policies that are described, each as Linux writes it', () => {
  const policies = [
    [{ type: 'nul-string', maxLength: 15 }, '1400 0480 0800 0700 0f000000 0800 0100 0c000000'],
    [
      { type: 's8', min: -1n, max: 1n },
      '2400 0480 0c00 0200 ffffffffffffffff 0c00 0300 0100000000000000 0800 0100 06000000',
    ],
    [{ type: 'u32', mask: 3n }, '1800 0480 0c00 0c00 0300000000000000 0800 0100 04000000'],
    [{ type: 'bitfield32', mask: 1n }, '1400 0480 0800 0a00 01000000 0800 0100 0f000000'],
    [
      { type: 'binary', minLength: 4, maxLength: 16 },
      '1c00 0480 0800 0600 04000000 0800 0700 10000000 0800 0100 0a000000',
    ],
    [{ type: 'flag' }, '0c00 0480 0800 0100 01000000'],
    [{ type: 'be16' }, ''],
  ] as const
  const { sock } = serving(
    (ctx) => {
      const policy = policies[ctx.seq]?.[0]
      assert.ok(policy)
      throw new NetlinkError('EINVAL', { extack: { policy } })
    },
    NETLINK_EXT_ACK,
    NETLINK_CAP_ACK,
  )
  for (const [i, [, bytes]] of policies.entries()) {
    sock.send([request(30, ACK, i)])
    assert.equal(read(sock).slice(72), golden(bytes), policies[i]?.[0].type)
  }
})

test('an acknowledgement that does not fit is an overrun', () => {
  const { sock } = serving(() => HANDLED)
  sock.setsockopt(SOL_SOCKET, SO_RCVBUF, 0)
  for (let i = 0; i < 5; i++) assert.equal(sock.send([request(30, ACK, i)]), 16)
  const [first, ...rest] = readAll(sock)
  assert.equal(first, -ENOBUFS)
  assert.deepEqual(
    flat(rest).map((m) => m.seq),
    [0, 1],
  )
})

test('whatever else a handler throws is logged, and EIO', () => {
  const { kernel, sock } = serving(
    () => {
      throw new TypeError('a bad handler')
    },
    NETLINK_EXT_ACK,
    NETLINK_CAP_ACK,
  )
  sock.send([request(30, NLM_F_REQUEST, 1)])
  const [answer] = flat(readAll(sock))
  assert.equal(answer?.errno, -5)
  assert.match(Buffer.from(answer?.payload ?? []).toString(), /The handler failed/)
  assert.match(kernel.dmesg()[0]?.text ?? '', /message type 30.*TypeError: a bad handler/)
})

test('a client-side fault has no errno: EIO too', () => {
  const { sock } = serving(() => {
    throw new NetlinkError('NETLINK_ABORTED')
  })
  sock.send([request(30, NLM_F_REQUEST, 1)])
  assert.equal(flat(readAll(sock))[0]?.errno, -5)
})

test('capable: who opened the socket counts, unless the sender names the destination', () => {
  const answers: boolean[] = []
  const { kernel, open } = serving((ctx) => {
    answers.push(ctx.capable('CAP_NET_ADMIN'))
    return HANDLED
  })
  const weak: Credentials = { pid: 5, uid: 7, gid: 7, capabilities: new Set() }
  const ask = (sock: UserSocket) => {
    sock.send([request(30, NLM_F_REQUEST, 1)])
    sock.send([request(30, NLM_F_REQUEST, 1)], { portid: 0 })
    return answers.splice(0)
  }
  assert.deepEqual(ask(open()), [true, true])
  assert.deepEqual(ask(open(weak)), [false, false])
  const child = new UserNamespace(kernel.initUserNs, 1)
  assert.deepEqual(ask(open({ ...root, userNs: child })), [false, false])
})

// Dumps

/** 401 messages of 76 bytes, as `ip addr` gets them. */
function addresses(more: Partial<DumpSource> = {}): Serve {
  return (ctx) => {
    if ((ctx.flags & NLM_F_DUMP) === 0) throw new NetlinkError('ENODEV')
    return startDump(ctx, {
      name: 'addresses',
      type: RTM_NEWADDR,
      doneAlone: true,
      *items() {
        for (let i = 0; i < 401; i++) yield i
      },
      put(w, item) {
        w.u32(item as number)
        w.reserve(56)
      },
      ...more,
    })
  }
}
const dumpRequest = (seq = 1) => request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, seq)
const sizesOf = (sock: UserSocket, size: number): number[] => {
  const sizes: number[] = []
  for (;;) {
    const length = sock.receive(new Uint8Array(size))
    if (length < 0) return sizes
    sizes.push(length)
  }
}

test('1.12: datagrams as long as the reader`s longest buffer', () => {
  const { open } = serving(addresses())
  for (const [size, sizes] of [
    [512, [...Array<number>(8).fill(3724), 684, 20]],
    [4096, [3724, 4028, 4028, 4028, 4028, 4028, 4028, 2584, 20]],
    [8192, [3724, 8132, 8132, 8132, 2356, 20]],
    [16384, [3724, 16340, 10412, 20]],
    [32768, [3724, 26752, 20]],
    [131072, [3724, 26752, 20]],
  ] as const) {
    const sock = open()
    assert.equal(sock.receive(new Uint8Array(size)), -EAGAIN)
    sock.send([dumpRequest()])
    assert.deepEqual(sizesOf(sock, size), sizes, `buffer of ${size}`)
  }
  const sock = open()
  sock.send([request(1, NLM_F_ACK, 1)])
  sock.receive(new Uint8Array(32768))
  sock.send([dumpRequest()])
  assert.deepEqual(sizesOf(sock, 65536), [30476, 20])
})

test('1.12: a full queue holds the dump up; Linux`s sequence of errors and data', () => {
  const { open } = serving(addresses())
  const tail = (first: number, whole: number, last: number) =>
    `${first ? `d${first} ` : ''}${`d53 `.repeat(whole)}d${last} D`
  const expected = [
    tail(49, 6, 34),
    ...[1, 2, 3, 4, 5].map((n) => `${'A '.repeat(n)}N ${tail(49, 6, 34)}`),
    ...[2, 3, 4, 5, 6].map((n) => `${'A '.repeat(n)}N ${'A N '.repeat(4)}E ${tail(0, 7, 30)}`),
    `N ${'A '.repeat(6)}N ${'A N '.repeat(4)}A ${tail(0, 7, 30)}`,
  ]
  for (const [n, sequence] of expected.entries()) {
    const sock = open()
    sock.setsockopt(SOL_SOCKET, SO_RCVBUF, 4608)
    for (let i = 0; i < n; i++) sock.send([request(RTM_GETLINK, NLM_F_ACK, 1)])
    sock.send([dumpRequest(77)])
    const seen = readAll(sock, 4096).map((each) => {
      if (typeof each === 'number') return each === -ENOBUFS ? 'N' : `errno ${each}`
      const [first] = each
      if (first?.type === NLMSG_DONE) return 'D'
      if (first?.type === NLMSG_ERROR) return first.errno === 0 ? 'A' : 'E'
      return `d${each.length}`
    })
    assert.equal(seen.join(' '), sequence, `behind ${n} acks`)
  }
})

test('what a dump counts in the queue', () => {
  const { sock } = serving(addresses())
  sock.send([dumpRequest()])
  assert.equal(sock.queue.bytes, 4352)
  sock.receive(new Uint8Array(4096))
  assert.equal(sock.queue.bytes, 8448)
  sock.receive(new Uint8Array(65536))
  assert.equal(sock.queue.bytes, 33024)
})

test('all messages carry MULTI, our seq and our port; a started dump is not acknowledged', () => {
  const { sock } = serving(addresses())
  sock.send([request(RTM_GETADDR, ACK | NLM_F_DUMP, 0xdeadbeef)])
  const all = flat(readAll(sock))
  assert.equal(all.length, 402)
  assert.deepEqual(
    all.slice(0, 401).map((m) => viewOf(m.payload).getUint32(0, true)),
    Array.from({ length: 401 }, (_, i) => i),
  )
  for (const m of all) assert.deepEqual([m.flags, m.seq, m.portid], [2, 0xdeadbeef, 31337])
  assert.deepEqual([all[401]?.type, all[401]?.errno], [NLMSG_DONE, 0])
})

test('NLMSG_DONE: behind the last message if it fits, else in the next datagram', () => {
  const at = (bytes: number, doneAlone: boolean) => {
    const { sock } = serving(
      addresses({
        doneAlone,
        items: () => [0],
        put: (w) => {
          w.reserve(bytes - 16)
        },
      }),
    )
    sock.send([dumpRequest()])
    return sizesOf(sock, 4096)
  }
  assert.deepEqual(at(76, false), [96])
  assert.deepEqual(at(76, true), [76, 20])
  assert.deepEqual(at(3756, false), [3776])
  assert.deepEqual(at(3760, false), [3760, 20])
  const { sock } = serving(addresses({ items: () => [] }))
  sock.send([dumpRequest(0x0b)])
  assert.equal(read(sock), golden('14000000 0300 0200 0b000000 697a0000 00000000'))
})

test('a message that no datagram holds ends the dump; min_dump_alloc makes room', () => {
  const big = (more: Partial<DumpSource>, size: number) => {
    const { sock } = serving(
      addresses({
        items: () => [0, 0],
        put: (w) => {
          w.reserve(5000)
        },
        ...more,
      }),
    )
    sock.send([dumpRequest()])
    return flat(readAll(sock, size)).map((m) => m.errno ?? m.type)
  }
  assert.deepEqual(big({}, 4096), [-EMSGSIZE])
  assert.deepEqual(big({ minDumpAlloc: () => 5016 }, 8192), [RTM_NEWADDR, RTM_NEWADDR, 0])
})

test('one dump a socket: EBUSY, while other requests are served', () => {
  const { sock } = serving(addresses())
  sock.send([dumpRequest(1)])
  assert.equal(sock.send([dumpRequest(2)]), 16)
  sock.send([request(RTM_GETLINK, NLM_F_REQUEST, 3)])
  const heads = readAll(sock).map((each) => flat([each])[0])
  assert.deepEqual(
    heads.map((m) => [m?.seq, m?.errno]),
    [
      [1, undefined],
      [2, -EBUSY],
      [3, -19],
      [1, undefined],
      [1, 0],
    ],
  )
  sock.send([dumpRequest(4)])
  assert.equal(flat(readAll(sock)).length, 402)
})

test('errors of start are NLMSG_ERROR, errors of the items NLMSG_DONE', () => {
  const fail = () => {
    throw new NetlinkError('EINVAL', 'no such filter')
  }
  const outcome = (more: Partial<DumpSource>) => {
    const { kernel, sock } = serving(addresses(more), NETLINK_EXT_ACK)
    sock.send([dumpRequest()])
    const all = flat(readAll(sock)).map((m) => [m.type, m.flags, m.errno])
    assert.equal(sock.dump, undefined)
    return [all, kernel.dmesg().length]
  }
  assert.deepEqual(outcome({ start: fail }), [[[NLMSG_ERROR, 0x200, -22]], 0])
  assert.deepEqual(outcome({ items: fail }), [[[NLMSG_DONE, 0x202, -22]], 0])
  const late = {
    *items() {
      yield 1
      fail()
    },
  }
  assert.deepEqual(outcome(late), [
    [
      [RTM_NEWADDR, 2, undefined],
      [NLMSG_DONE, 0x202, -22],
    ],
    0,
  ])
  const bad = {
    put() {
      throw new TypeError('no')
    },
  }
  assert.deepEqual(outcome(bad), [[[NLMSG_DONE, 0x202, -5]], 1])
})

test('DUMP_INTR: the first message after a change, and only that one', () => {
  let generation = 1
  for (const more of [
    { dumpSeq: () => generation },
    {
      *items(ctx: RequestContext) {
        for (let i = 0; i < 401; i++) {
          ctx.dumpSeq = generation
          yield i
        }
      },
    },
  ]) {
    const { sock } = serving(addresses(more))
    sock.send([dumpRequest()])
    sock.receive(new Uint8Array(4096))
    generation++
    const all = flat(readAll(sock, 4096))
    const marked = all.flatMap((m, i) => (m.flags & 0x10 ? [i] : []))
    assert.deepEqual(marked.length, 1)
    assert.equal(all.at(-1)?.flags, 2)
  }
})

test('DUMP_INTR: what begins anew is not interrupted', () => {
  const { sock } = serving(
    addresses({
      *items(ctx) {
        for (const family of [1, 2]) {
          ctx.dumpSeq = 0
          ctx.dumpSeq = family * 10
          yield family
          yield family
        }
        ctx.dumpSeq = 30
        yield 3
      },
    }),
  )
  sock.send([dumpRequest()])
  const all = flat(readAll(sock))
  assert.deepEqual(
    all.map((m) => m.flags),
    [2, 2, 2, 2, 0x12, 2],
  )
})

test('flags of a filtered dump: on all, or on all but DONE', () => {
  const flags = (set: (ctx: RequestContext) => void) => {
    const { sock } = serving(
      addresses({
        *items(ctx) {
          set(ctx)
          yield 1
        },
      }),
    )
    sock.send([dumpRequest()])
    return flat(readAll(sock)).map((m) => m.flags)
  }
  const filtered = flags((ctx) => {
    ctx.filtered = true
  })
  const messages = flags((ctx) => {
    ctx.messageFlags = 0x20
  })
  assert.deepEqual(
    [filtered, messages],
    [
      [0x22, 0x22],
      [0x22, 2],
    ],
  )
})

test('closing the reader ends its dump once, behind NETLINK_URELEASE', () => {
  const order: string[] = []
  const { kernel, sock } = serving(
    addresses({
      *items() {
        try {
          for (let i = 0; ; i++) yield i
        } finally {
          order.push('return')
        }
      },
      done: () => order.push('done'),
    } as Partial<DumpSource>),
  )
  kernel.netlink.notifier.register({
    call: () => {
      order.push('urelease')
      return 0
    },
  })
  sock.send([dumpRequest()])
  sock.receive(new Uint8Array(4096))
  assert.deepEqual(order, [])
  sock.close()
  sock.close()
  assert.deepEqual(order, ['urelease', 'return', 'done'])
})

test('a dump that is read to its end is done once, also when its reader closes it from within', () => {
  let done = 0
  const { sock } = serving(addresses({ done: () => done++ } as Partial<DumpSource>))
  sock.send([dumpRequest()])
  readAll(sock)
  assert.equal(done, 1)
  const suicidal = serving(
    addresses({
      *items(ctx) {
        yield 1
        ;(ctx.sender as UserSocket).close()
        yield 2
      },
      done: () => done++,
    } as Partial<DumpSource>),
  )
  assert.equal(suicidal.sock.send([dumpRequest()]), 16)
  assert.equal(done, 2)
})

test('the request outlives its datagram while it is dumped', () => {
  const { sock } = serving(
    addresses({
      *items(ctx) {
        for (let i = 0; i < 401; i++) yield ctx.view.getUint8(ctx.payload)
      },
    }),
  )
  sock.send([request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 42)])
  sock.send([request(RTM_GETLINK, NLM_F_REQUEST, 1, 1, 2, 3, 4)])
  const items = flat(readAll(sock)).filter((m) => m.type === RTM_NEWADDR)
  assert.ok(items.length === 401 && items.every((m) => m.payload[0] === 42))
})

// Typed handlers

const doorAttrs = attrs('DOOR_A_', {
  name: [1, string.max(7)],
  room: [2, u32.max(100)],
  lock: [3, nest(attrs('DOOR_A_LOCK_', { kind: [1, u8], code: [2, u32] }))],
})
const door = message(struct('doormsg', { floor: u32 }), doorAttrs)
const askDoor = message(struct('doormsg', { floor: u32 }), doorAttrs.only('name', 'room!', 'lock'))
const codec: OpCodec = {
  name: 'GETDOOR',
  request: askDoor,
  reply: door,
  replyType: 70,
  level: NL_VALIDATE_STRICT,
}
const body = (value: Parameters<typeof door.encode>[1]): number[] => {
  const w = new Writer()
  door.encode(w, value)
  return [...w.finish()]
}
const doing =
  (handler: DoHandler, more: Partial<OpCodec> = {}): Serve =>
  (ctx) =>
    handleDo(ctx, { ...codec, ...more }, handler)
const dumping =
  (handler: DumpHandler): Serve =>
  (ctx) =>
    handleDump(ctx, codec, handler)

test('doit: decoded request, encoded reply, then the acknowledgement', () => {
  const { sock } = serving(
    doing({
      doit(request, ctx) {
        assert.deepEqual(request, { floor: 2, room: 5 })
        assert.equal(ctx.portid, 31337)
        return { floor: 2, name: 'blue', room: 5 }
      },
    }),
  )
  sock.send([request(30, ACK, 9, ...body({ floor: 2, room: 5 }))])
  const [reply, ack] = flat(readAll(sock))
  assert.deepEqual([reply?.type, reply?.flags, reply?.seq, reply?.portid], [70, 0, 9, 31337])
  assert.deepEqual(door.decode(viewOf(reply?.payload ?? new Uint8Array())), {
    floor: 2,
    name: 'blue',
    room: 5,
  })
  assert.equal(ack?.errno, 0)
})

test('a request that its policy refuses never reaches its handler', () => {
  const { sock } = serving(
    doing({ doit: () => assert.fail('called') }),
    NETLINK_EXT_ACK,
    NETLINK_CAP_ACK,
  )
  const outcome = (bytes: number[]): [string, string] => {
    sock.send([request(30, ACK, 9, ...bytes)])
    const answer = read(sock)
    return [answer.slice(32, 40), answer.slice(72)]
  }
  const [errno, extack] = outcome([...body({ floor: 1 }), 8, 0, 2, 0, 101, 0, 0, 0])
  assert.equal(errno, 'deffffff')
  assert.match(extack, /0800020014000000/, 'the offset counts from nlmsghdr')
  assert.deepEqual(outcome(body({ floor: 1 })), ['eaffffff', golden('0800 0500 02000000')])
  assert.equal(outcome([1, 2])[0], 'eaffffff')
})

test('names in an extack become offsets and numbers', () => {
  const refuse = (extack: object) => {
    const { sock } = serving(
      doing({
        doit() {
          throw new NetlinkError('EINVAL', { extack })
        },
      }),
      NETLINK_EXT_ACK,
      NETLINK_CAP_ACK,
    )
    sock.send([request(30, ACK, 9, ...body({ floor: 2, room: 5, lock: { kind: 1 } }))])
    return read(sock).slice(72)
  }
  assert.equal(refuse({ attribute: 'room' }), golden('0800 0200 14000000'))
  assert.equal(refuse({ attribute: 'lock' }), golden('0800 0200 1c000000'))
  assert.equal(refuse({ attribute: 'lock.kind' }), golden('0800 0200 20000000'))
  assert.equal(refuse({ attribute: 'nothing' }), '')
  assert.equal(refuse({ missing: 'name' }), golden('0800 0500 01000000'))
  assert.equal(refuse({ missing: 'lock.code' }), golden('0800 0500 02000000 0800 0600 1c000000'))
})

test('a reply that its message cannot hold, a reply where none is described: EIO, logged', () => {
  for (const [handler, more] of [
    [{ doit: () => ({ room: 'five' }) }, {}],
    [{ doit: () => ({}) }, { reply: undefined }],
  ] as const) {
    const { kernel, sock } = serving(doing(handler, more))
    sock.send([request(30, ACK, 9, ...body({ room: 5 }))])
    assert.deepEqual(
      flat(readAll(sock)).map((m) => m.errno),
      [-5],
    )
    assert.equal(kernel.dmesg().length, 1)
  }
})

test('a promise from an op that is not marked: logged, EIO', () => {
  const { kernel, sock } = serving(doing({ doit: () => Promise.reject(new Error('late')) }))
  sock.send([request(30, ACK, 9, ...body({ room: 5 }))])
  assert.deepEqual(
    flat(readAll(sock)).map((m) => m.errno),
    [-5],
  )
  assert.match(kernel.dmesg()[0]?.text ?? '', /GETDOOR: its handler returned a promise/)
})

test('async: the rest of the datagram, and the sender`s next one, wait; others do not', async () => {
  const open: (() => void)[] = []
  const { sock, open: another } = serving(
    doing(
      {
        async doit(request) {
          const { room } = request as { room: number }
          if (room === 1) await new Promise<void>((resolve) => open.push(resolve))
          if (room === 2) throw new NetlinkError('ENOENT')
          return { room }
        },
      },
      { async: true },
    ),
  )
  const other = another()
  const ask = (seq: number, room: number) => request(30, ACK, seq, ...body({ room }))
  sock.send([ask(1, 1), ask(2, 2)])
  sock.send([ask(3, 3)])
  other.send([ask(4, 4)])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    flat(readAll(other)).map((m) => m.seq),
    [4, 4],
  )
  assert.deepEqual(readAll(sock), [])
  open[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    flat(readAll(sock)).map((m) => [m.seq, m.errno]),
    [
      [1, undefined],
      [1, 0],
      [2, -2],
      [3, undefined],
      [3, 0],
    ],
  )
})

test('a sender that leaves while its request waits: the handler ends, nobody is told', async () => {
  const open: (() => void)[] = []
  const { kernel, sock } = serving(
    doing(
      {
        async doit() {
          await new Promise<void>((resolve) => open.push(resolve))
          return { room: 1 }
        },
      },
      { async: true },
    ),
  )
  sock.send([request(30, ACK, 1, ...body({ room: 1 }))])
  sock.close()
  open[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(kernel.dmesg(), [])
})

test('dumpit: start first, values encoded, what does not fit kept', () => {
  let started = 0
  const { sock } = serving(
    dumping({
      start(request) {
        started++
        if ((request as { room: number }).room === 13) throw new NetlinkError('ENOENT')
      },
      *dumpit(request) {
        const { room } = request as { room: number }
        for (let i = 0; i < room * 10; i++) yield { floor: i, name: 'door' }
      },
    }),
  )
  sock.send([request(30, NLM_F_REQUEST | NLM_F_DUMP, 1, ...body({ room: 100 }))])
  const all = flat(readAll(sock))
  const floors = all.slice(0, -1).map((m) => door.decode(viewOf(m.payload)).floor)
  assert.deepEqual(
    floors,
    Array.from({ length: 1000 }, (_, i) => i),
  )
  assert.equal(all.at(-1)?.errno, 0)
  sock.send([request(30, NLM_F_REQUEST | NLM_F_DUMP, 2, ...body({ room: 13 }))])
  assert.deepEqual(
    flat(readAll(sock)).map((m) => [m.type, m.errno]),
    [[NLMSG_ERROR, -2]],
  )
  sock.send([request(30, NLM_F_REQUEST | NLM_F_DUMP, 3, ...body({ floor: 1 }))])
  assert.deepEqual(
    flat(readAll(sock)).map((m) => [m.type, m.errno]),
    [[NLMSG_ERROR, -22]],
  )
  assert.equal(started, 2)
})

test('decodeInDump: a bad request is told of in NLMSG_DONE', () => {
  const { sock } = serving(
    dumping({ decodeInDump: true, dumpit: () => [] }),
    NETLINK_EXT_ACK,
    NETLINK_GET_STRICT_CHK,
  )
  sock.send([request(30, NLM_F_REQUEST | NLM_F_DUMP, 3, ...body({ floor: 1 }))])
  assert.deepEqual(
    flat(readAll(sock)).map((m) => [m.type, m.flags, m.errno]),
    [[NLMSG_DONE, 0x202, -22]],
  )
})

test('a requester that is gone gets no dump', () => {
  const { kernel, server, sock } = serving(addresses())
  const other = kernel.netlink.socket(kernel.initNet, NETLINK_ROUTE, root)
  other.bind(5)
  sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
  const { input } = server
  let thrown: unknown
  server.input = (skb) => {
    sock.close()
    return netlinkRcvSkb(skb, (ctx) => {
      try {
        return addresses()(ctx)
      } catch (error) {
        thrown = error
        throw error
      }
    })
  }
  assert.equal(sock.send([dumpRequest()]), 16)
  server.input = input
  assert.equal((thrown as NetlinkError).errno, -ECONNREFUSED)
})
