/** CTRL_CMD_GETPOLICY: the bytes of Linux 6.18, and what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AttrType,
  array,
  attrs,
  binary,
  bitfield32,
  genlFamily,
  lazy,
  message,
  nest,
  s8,
  string,
  u8,
  u32,
} from '../../schema/index.ts'
import { Kernel } from '../kernel.ts'
import { ask, ctrlAttr, hex, nlctrlSocket, policyLines } from './ctrl.test.support.ts'

/** Everything about nlctrl, sequence number 1; the second datagram is NLMSG_1400000003000200010000000000000000000000 alone. */
const GOLDEN = [
  '340000001000020001000000000000000a020000060001001000000018000980140003800800010000000000' +
    '08000200000000002c0000001000020001000000000000000a0200000600010010000000100009800c000080' +
    '0800020001000000480000001000020001000000000000000a02000006000100100000002c00088028000080' +
    '240001800c00040000000000000000000c000500ffff00000000000008000100030000003800000010000200' +
    '01000000000000000a02000006000100100000001c0008801800008014000280080007000f00000008000100' +
    '0c000000480000001000020001000000000000000a02000006000100100000002c0008802800018024000180' +
    '0c00040000000000000000000c000500ffff0000000000000800010003000000380000001000020001000000' +
    '000000000a02000006000100100000001c0008801800018014000280080007000f000000080001000c000000' +
    '480000001000020001000000000000000a02000006000100100000002c0008802800018024000a800c000400' +
    '00000000000000000c000500ffffffff000000000800010004000000',
  '1400000003000200010000000000000000000000',
]

test('nlctrl itself, byte for byte', () => {
  const { sock } = nlctrlSocket(new Kernel())
  const datagrams = ask(sock, 10, ctrlAttr.name('nlctrl'))
  assert.deepEqual(datagrams.map(hex), GOLDEN)
})

test('one operation alone: the key of a command that is only dumped is 0', () => {
  const { sock } = nlctrlSocket(new Kernel())
  const lines = policyLines(ask(sock, 10, ctrlAttr.name('nlctrl'), ctrlAttr.op(10)))
  assert.deepEqual(lines.slice(0, 3), [
    '16 op 0 dump=0',
    '16 policy 0 attr 1 minValueU=0 maxValueU=65535 type=u16',
    '16 policy 0 attr 2 maxLength=15 type=nul-string',
  ])
  assert.deepEqual(
    policyLines(ask(sock, 10, ctrlAttr.id(16), ctrlAttr.op(3)))[0],
    '16 op 3 do=0 dump=0',
  )
})

test('what GETPOLICY refuses: as an error, not inside the dump', () => {
  const kernel = new Kernel()
  const bare = genlFamily({
    name: 'bare',
    version: 1,
    groups: ['g'],
    ops: { go: { cmd: 1, do: {} } },
  })
  kernel.genl.registerFamily({ ...bare, name: 'nothing', ops: {} }, {})
  kernel.genl.registerFamily(bare, { go: { doit: () => undefined } }, { resvStartOp: 2 })
  const { sock } = nlctrlSocket(kernel)
  const refused = (...parts: Uint8Array[]) => policyLines(ask(sock, 10, ...parts))
  assert.deepEqual(refused(), ['errno -22'])
  assert.deepEqual(refused(ctrlAttr.name('nobody')), ['errno -2'])
  assert.deepEqual(refused(ctrlAttr.id(900), ctrlAttr.name('nlctrl')), ['errno -2'], 'the id wins')
  assert.deepEqual(refused(ctrlAttr.name('nlctrl'), ctrlAttr.op(99)), ['errno -2 at 32'])
  assert.deepEqual(refused(ctrlAttr.name('nothing')), ['errno -61'])
  assert.deepEqual(
    refused(ctrlAttr.name('bare')),
    ['errno -61'],
    'its attributes are not looked at',
  )
  assert.deepEqual(refused(ctrlAttr.raw(99, Uint8Array.of(0))), [
    'errno -22 at 20 Unknown attribute type',
  ])
  assert.deepEqual(refused(ctrlAttr.raw(3, Uint8Array.of(0))), [
    'errno -22 at 20 Unsupported attribute',
  ])
})

const inner: AttrType<unknown, unknown> = attrs('IN_', {
  deep: [1, u8.max(3)],
  again: [2, lazy(() => inner)],
})
const shared = message(
  attrs('SET_', {
    flags: [1, bitfield32(5)],
    nested: [2, nest(inner)],
    list: [3, array(nest(inner))],
    low: [4, s8.min(-3)],
    text: [5, string],
    blob: [6, binary.max(9)],
    bits: [7, u32.mask(0xf0)],
    exact: [9, binary.exact(16)],
  }),
)
const part = message(attrs('SET_', { a: [1, u32], b: [2, u32] }).only('a'))
const family = genlFamily({
  name: 'rich',
  version: 1,
  ops: {
    first: { cmd: 1, do: { request: shared }, dump: { request: part, reply: part } },
    second: { cmd: 2, do: { request: shared } },
    third: { cmd: 3, do: {} },
    unserved: { cmd: 4, do: { request: part } },
  },
})

test('policies are numbered as they are met, nests behind their operation, shared ones once', () => {
  const kernel = new Kernel()
  const doit = () => undefined
  kernel.genl.registerFamily(family, {
    first: { doit, *dumpit() {} },
    second: { doit },
    third: { doit },
  })
  const { sock } = nlctrlSocket(kernel)
  assert.deepEqual(policyLines(ask(sock, 10, ctrlAttr.name('rich'))), [
    '19 op 1 do=0 dump=2',
    '19 op 2 do=0',
    '19 op 3 do=3',
    '19 policy 0 attr 1 bitfield32Mask=5 type=bitfield32',
    '19 policy 0 attr 2 policyIdx=1 policyMaxtype=2 type=nested',
    '19 policy 0 attr 3 policyIdx=1 policyMaxtype=2 type=nested-array',
    '19 policy 0 attr 4 minValueS=-3 maxValueS=127 type=s8',
    '19 policy 0 attr 5 type=nul-string',
    '19 policy 0 attr 6 maxLength=9 type=binary',
    '19 policy 0 attr 7 mask=240 type=u32',
    '19 policy 0 attr 9 minLength=16 maxLength=16 type=binary',
    '19 policy 1 attr 1 minValueU=0 maxValueU=3 type=u8',
    '19 policy 1 attr 2 policyIdx=1 policyMaxtype=2 type=nested',
    '19 policy 2 attr 1 minValueU=0 maxValueU=4294967295 type=u32',
    'done 0',
  ])
})

test('split operations without a policy look at no attribute, and say so when asked alone', () => {
  const kernel = new Kernel()
  const doit = () => undefined
  const handlers = { first: { doit, *dumpit() {} }, third: { doit } }
  const { id } = kernel.genl.registerFamily(family, handlers, { splitOps: true })
  const { sock, send } = nlctrlSocket(kernel)
  const all = policyLines(ask(sock, 10, ctrlAttr.name('rich')))
  assert.ok(all.includes('19 op 3 do=3'), 'among all it has a policy that refuses')
  assert.deepEqual(send(id, 3, ctrlAttr.raw(77, Uint8Array.of(1))), ['errno 0'])
  const of = (op: number) => policyLines(ask(sock, 10, ctrlAttr.name('rich'), ctrlAttr.op(op)))
  assert.deepEqual(of(3), ['errno -61'])
  assert.deepEqual(of(1)[0], '19 op 1 do=0 dump=2')
})

test('a policy ends with its own last attribute, or with the family`s', () => {
  const kernel = new Kernel()
  const short = genlFamily({
    name: 'short',
    version: 1,
    ops: { go: { cmd: 1, do: { request: part } } },
  })
  const long = genlFamily({ ...short, name: 'long', maxattr: 2 })
  const handlers = { go: { doit: () => undefined } }
  const first = kernel.genl.registerFamily(short, handlers)
  const second = kernel.genl.registerFamily(long, handlers)
  const { send } = nlctrlSocket(kernel)
  const two = ctrlAttr.raw(2, Uint8Array.of(1, 0, 0, 0))
  assert.deepEqual(send(first.id, 1, two), ['errno -22 at 20 Unknown attribute type'])
  assert.deepEqual(send(second.id, 1, two), ['errno -22 at 20 Unsupported attribute'])
})
