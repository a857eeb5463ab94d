/** The exchange and what it says of refusals, over bytes that Linux 6.18 sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DecodeError, type NetlinkError } from '../errors.ts'
import { nlctrl } from '../families/nlctrl.ts'
import { rtAddr } from '../families/rt-addr.ts'
import { rtLink } from '../families/rt-link.ts'
import { attrs, genlFamily, message, nest, string, u32 } from '../schema/index.ts'
import { HOST_LE, MessageWalker, viewOf } from '../wire/index.ts'
import { type Call, makeCall } from './call.ts'
import { Exchange, type Verdict } from './exchange.ts'
import { readExtack, refusal } from './extack.ts'

const littleEndian = { skip: HOST_LE ? false : 'captured on a little-endian machine' }
const bytesOf = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

/** What the messages in `hex` do to an exchange. */
function push(exchange: Exchange, hex: string): Verdict[] {
  const walker = new MessageWalker(viewOf(bytesOf(hex)))
  const verdicts: Verdict[] = []
  while (walker.next()) verdicts.push(exchange.push(walker))
  return verdicts
}

const ENODEV =
  '34000000 02000000 05000000 697a0000 edffffff 20000000 12000100 05000000 63000000 00000000 e7030000 00000000 00000000'
const ACK = '24000000 02000001 06000000 697a0000 00000000 20000000 12000400 06000000 00000000'
const DONE = '14000000 03000200 07000000 697a0000 00000000'
const DONE_ENODEV = '14000000 03002200 09000000 697a0000 edffffff'
const DONE_EINVAL =
  '50000000 03000202 09000000 697a0000 eaffffff 3c000100 69707634 3a20496e 76616c69 64207661 6c756573 20696e20 68656164 65722066 6f722061 64647265 73732064 756d7020 72657175 65737400'
/** A reply of 4 bytes; flags, then sequence number. */
const reply = (seq: number, flags = 0): string =>
  `14000000 1000${flags.toString(16).padStart(2, '0')}00 ${seq.toString(16).padStart(2, '0')}000000 697a0000 01020000`
const MULTI = 0x02
const INTR = 0x12

interface Row {
  name: string
  seq: number
  dump?: boolean
  ack?: boolean
  hex: string
  verdicts: Verdict[]
  over: boolean
  errno?: number
  interrupted?: boolean
}

const rows: Row[] = [
  {
    name: 'a do without ack ends with its reply',
    seq: 7,
    hex: reply(7),
    verdicts: ['reply'],
    over: true,
  },
  {
    name: 'a do with ack goes on behind its reply',
    seq: 6,
    ack: true,
    hex: reply(6),
    verdicts: ['reply'],
    over: false,
  },
  {
    name: 'replies, then the ack',
    seq: 6,
    ack: true,
    hex: reply(6) + reply(6) + ACK,
    verdicts: ['reply', 'reply', 'end'],
    over: true,
  },
  { name: 'the ack alone', seq: 6, ack: true, hex: ACK, verdicts: ['end'], over: true },
  { name: 'an ack that was not asked for', seq: 6, hex: ACK, verdicts: ['end'], over: true },
  {
    name: 'behind the end all is stray',
    seq: 6,
    ack: true,
    hex: ACK + reply(6) + ACK,
    verdicts: ['end', 'stray', 'stray'],
    over: true,
  },
  { name: 'an error', seq: 5, hex: ENODEV, verdicts: ['end'], over: true, errno: -19 },
  {
    name: 'another request’s messages',
    seq: 8,
    hex: reply(7) + ENODEV + ACK + DONE,
    verdicts: ['stray', 'stray', 'stray', 'stray'],
    over: false,
  },
  {
    name: 'a do whose reply has several parts',
    seq: 7,
    hex: reply(7, MULTI) + reply(7, MULTI) + DONE,
    verdicts: ['reply', 'reply', 'end'],
    over: true,
  },
  {
    name: 'several parts, then an ack',
    seq: 7,
    ack: true,
    hex: reply(7, MULTI) + DONE,
    verdicts: ['reply', 'nothing'],
    over: false,
  },
  {
    name: 'a dump',
    seq: 7,
    dump: true,
    hex: reply(7, MULTI) + reply(7, MULTI) + DONE,
    verdicts: ['reply', 'reply', 'end'],
    over: true,
  },
  {
    name: 'a dump does not end with a message that lacks NLM_F_MULTI',
    seq: 7,
    dump: true,
    hex: reply(7),
    verdicts: ['reply'],
    over: false,
  },
  { name: 'an empty dump', seq: 7, dump: true, hex: DONE, verdicts: ['end'], over: true },
  {
    name: 'an interrupted dump',
    seq: 7,
    dump: true,
    hex: reply(7, MULTI) + reply(7, INTR) + DONE,
    verdicts: ['reply', 'reply', 'end'],
    over: true,
    interrupted: true,
  },
  {
    name: 'interrupted in NLMSG_DONE alone',
    seq: 7,
    dump: true,
    hex: '14000000 03001200 07000000 697a0000 00000000',
    verdicts: ['end'],
    over: true,
    interrupted: true,
  },
  {
    name: 'a dump that failed at the end',
    seq: 9,
    dump: true,
    hex: DONE_ENODEV,
    verdicts: ['end'],
    over: true,
    errno: -19,
  },
  {
    name: 'a dump that did not start',
    seq: 5,
    dump: true,
    hex: ENODEV,
    verdicts: ['end'],
    over: true,
    errno: -19,
  },
  {
    name: 'NLMSG_DONE with a positive value is no error',
    seq: 7,
    dump: true,
    hex: '14000000 03000200 07000000 697a0000 40000000',
    verdicts: ['end'],
    over: true,
  },
  {
    name: 'NLMSG_DONE without a value',
    seq: 7,
    dump: true,
    hex: '10000000 03000200 07000000 697a0000',
    verdicts: ['end'],
    over: true,
  },
  {
    name: 'NLMSG_NOOP',
    seq: 7,
    hex: '10000000 01000000 07000000 697a0000',
    verdicts: ['nothing'],
    over: false,
  },
  {
    name: 'NLMSG_OVERRUN',
    seq: 7,
    hex: '10000000 04000000 07000000 697a0000',
    verdicts: ['overrun'],
    over: false,
  },
]

for (const {
  name,
  seq,
  dump = false,
  ack = false,
  hex,
  verdicts,
  over,
  errno = 0,
  interrupted = false,
} of rows)
  test(`exchange: ${name}`, littleEndian, () => {
    const exchange = new Exchange(seq, dump, ack)
    assert.deepEqual(push(exchange, hex), verdicts)
    assert.equal(exchange.over, over)
    assert.equal(exchange.errno, errno)
    assert.equal(exchange.interrupted, interrupted)
  })

test('NLMSG_ERROR without an errno is a DecodeError, and the end', littleEndian, () => {
  const exchange = new Exchange(5, false, false)
  assert.throws(() => push(exchange, '12000000 02000000 05000000 697a0000 0000'), DecodeError)
  assert.ok(exchange.over)
})

test('a request that is repeated begins anew under its new number', littleEndian, () => {
  const exchange = new Exchange(5, false, false)
  push(exchange, ENODEV)
  exchange.restart(7)
  assert.equal(exchange.errno, 0)
  assert.deepEqual(push(exchange, ENODEV + reply(7)), ['stray', 'reply'])
  assert.ok(exchange.over)
})

test('on any bytes: a verdict or a DecodeError, and extacks inside the message', () => {
  const length = fc.constantFrom(0, 4, 16, 20, 24, 36, 0xffff, 0xffffffff)
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 120 }),
      fc.constantFrom(1, 2, 3, 4, 16),
      fc.nat(0xffff),
      length,
      fc.boolean(),
      fc.boolean(),
      (bytes, type, flags, copied, dump, ack) => {
        const view = viewOf(bytes)
        view.setUint32(0, bytes.length, HOST_LE)
        view.setUint16(4, type, HOST_LE)
        view.setUint16(6, flags, HOST_LE)
        view.setUint32(8, 7, HOST_LE)
        if (bytes.length >= 24) view.setUint32(20, copied, HOST_LE)
        const exchange = new Exchange(7, dump, ack)
        const walker = new MessageWalker(view)
        walker.next()
        try {
          exchange.push(walker)
        } catch (error) {
          assert.ok(error instanceof DecodeError)
        }
        const { extackAt, extackEnd } = exchange
        assert.ok(extackAt <= extackEnd && extackEnd <= bytes.length)
        readExtack(view, extackAt, extackEnd, { call: getLink, bytes: new Uint8Array(32) })
      },
    ),
  )
})

const getFamily = makeCall(nlctrl, 'getFamily', 'do', 16)
const getLink = makeCall(rtLink, 'getLink', 'do')
const newLink = makeCall(rtLink, 'newLink', 'do')
const getAddr = makeCall(rtAddr, 'getAddr', 'dump')

/** The error that an answer makes of a request. */
function errorOf(call: Call, seq: number, request: string, answer: string): NetlinkError {
  const exchange = new Exchange(seq, call.dump, false)
  const view = viewOf(bytesOf(answer))
  const walker = new MessageWalker(view)
  while (walker.next()) exchange.push(walker)
  const sent = { call, bytes: bytesOf(request) }
  const { errno, extackAt, extackEnd } = exchange
  return refusal(errno, call, readExtack(view, extackAt, extackEnd, sent))
}

test('extack: an attribute that is too short, with its policy', littleEndian, () => {
  const error = errorOf(
    getFamily,
    9,
    '1c000000 10000100 09000000 00000000 03020000 05000100 01000000',
    '84000000 02000002 09000000 697a0000 deffffff 1c000000 10000100 09000000 00000000 03020000 05000100 01000000 27000100 41747472 69627574 65206661 696c6564 20706f6c 69637920 76616c69 64617469 6f6e0000 08000200 14000000 24000480 0c000400 00000000 00000000 0c000500 ffff0000 00000000 08000100 03000000',
  )
  assert.equal(error.code, 'ERANGE')
  assert.equal(error.errno, -34)
  assert.deepEqual(error.extack, {
    message: 'Attribute failed policy validation',
    offset: 20,
    attribute: 'familyId',
    policy: { type: 'u16', min: 0n, max: 0xffffn },
  })
  assert.equal(
    error.message,
    'CTRL_CMD_GETFAMILY: Attribute failed policy validation (ERANGE) at familyId',
  )
})

test('extack: a path into the data of a kind', littleEndian, () => {
  const error = errorOf(
    newLink,
    9,
    '44000000 10000506 09000000 00000000 00000000 00000000 00000000 00000000 08000300 76783000 1c001200 0a000100 76786c61 6e000000 0c000200 08000100 00000002',
    '8c000000 02000002 09000000 697a0000 deffffff 44000000 10000506 09000000 00000000 00000000 00000000 00000000 00000000 08000300 76783000 1c001200 0a000100 76786c61 6e000000 0c000200 08000100 00000002 29000100 56584c41 4e204944 206d7573 74206265 206c6f77 65722074 68616e20 31363737 37323136 00000000 08000200 3c000000',
  )
  assert.equal(error.extack?.attribute, 'linkinfo.data.id')
  assert.equal(error.extack?.message, 'VXLAN ID must be lower than 16777216')
})

test('extack: a string policy', littleEndian, () => {
  const error = errorOf(
    newLink,
    9,
    '3c000000 10000506 09000000 00000000 00000000 00000000 00000000 00000000 19000300 612d6e61 6d652d6f 662d3230 2d6c6574 74657273 00000000',
    '94000000 02000002 09000000 697a0000 deffffff 3c000000 10000506 09000000 00000000 00000000 00000000 00000000 00000000 19000300 612d6e61 6d652d6f 662d3230 2d6c6574 74657273 00000000 27000100 41747472 69627574 65206661 696c6564 20706f6c 69637920 76616c69 64617469 6f6e0000 08000200 20000000 14000480 08000700 0f000000 08000100 0b000000',
  )
  assert.equal(error.extack?.attribute, 'ifname')
  assert.deepEqual(error.extack?.policy, { type: 'string', maxLength: 15 })
})

test('extack: in NLMSG_DONE, behind the errno', littleEndian, () => {
  const error = errorOf(
    getAddr,
    9,
    '18000000 16000103 09000000 00000000 02180000 00000000',
    DONE_EINVAL,
  )
  assert.equal(error.code, 'EINVAL')
  assert.deepEqual(error.extack, {
    message: 'ipv4: Invalid values in header for address dump request',
  })
})

test('extack: none without NLM_F_ACK_TLVS, whatever follows', littleEndian, () => {
  const error = errorOf(
    getLink,
    5,
    '20000000 12000100 05000000 00000000 00000000 e7030000 00000000 00000000',
    ENODEV,
  )
  assert.equal(error.code, 'ENODEV')
  assert.equal(error.extack, undefined)
  assert.equal(error.message, 'RTM_GETLINK: No such device (ENODEV)')
})

test('extack: with NLM_F_CAPPED its attributes follow the copied header', littleEndian, () => {
  const error = errorOf(
    getLink,
    5,
    '20000000 12000100 05000000 00000000 00000000 e7030000 00000000 00000000',
    '30000000 02000003 05000000 697a0000 edffffff 20000000 12000100 05000000 00000000 0b000100 6e6f7768 65726500',
  )
  assert.equal(error.extack?.message, 'nowhere')
})

test('extack: a warning and a cookie on success', littleEndian, () => {
  const exchange = new Exchange(6, false, true)
  const view = viewOf(
    bytesOf(
      '38000000 02000003 06000000 697a0000 00000000 20000000 12000400 06000000 00000000 09000100 6d696e64 00000000 08000300 01020304',
    ),
  )
  const walker = new MessageWalker(view)
  walker.next()
  assert.equal(exchange.push(walker), 'end')
  const sent = { call: newLink, bytes: new Uint8Array(32) }
  assert.deepEqual(readExtack(view, exchange.extackAt, exchange.extackEnd, sent), {
    message: 'mind',
    cookie: Uint8Array.of(1, 2, 3, 4),
  })
})

const inner = attrs('IN_', { first: [1, u32], second: [2, string] })
const door = genlFamily({
  name: 'door',
  version: 1,
  ops: {
    open: {
      cmd: 1,
      do: {
        request: message(attrs('DOOR_', { id: [1, u32], inner: [2, nest(inner)] })),
        reply: message(attrs('DOOR_', { id: [1, u32] })),
      },
    },
  },
})
const openDoor = makeCall(door, 'open', 'do', 0x20)

test('extack: a missing attribute has its name, at the top and in a nest', littleEndian, () => {
  const request = '20000000 20000100 09000000 00000000 01010000 0c000280 08000100 05000000'
  const error = (tlvs: string, length: string): NetlinkError =>
    errorOf(
      openDoor,
      9,
      request,
      `${length} 02000003 09000000 697a0000 eaffffff 20000000 20000100 09000000 00000000 ${tlvs}`,
    )
  const top = error('08000500 01000000', '2c000000')
  assert.equal(top.extack?.missing, 'id')
  assert.equal(top.message, 'door.open: Invalid argument (EINVAL), id is missing')
  const nested = error('08000500 02000000 08000600 14000000', '34000000')
  assert.equal(nested.extack?.missing, 'inner.second')
  assert.equal(nested.extack?.missingNest, 20)
  const unknown = error('08000500 63000000', '2c000000')
  assert.equal(unknown.extack?.missing, 99)
})
