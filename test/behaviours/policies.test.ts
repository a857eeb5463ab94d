/**
 * Policies: what Linux's own families refuse, and in which words, beside the same sets described
 * here. Nothing that a policy lets through is sent.
 */
import assert from 'node:assert/strict'
import type { Kernel } from 'nlkit/kernel'
import {
  type AnyMessage,
  attrs,
  binary,
  flag,
  genlFamily,
  message,
  NL_VALIDATE_LIBERAL,
  NL_VALIDATE_STRICT,
  nest,
  s32,
  string,
  u8,
  u16,
  u32,
  uint,
} from 'nlkit/schema'
import type { Socket } from 'nlkit/transport'
import {
  NETLINK_GENERIC,
  NLA_F_NESTED,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  viewOf,
  type Writer,
} from 'nlkit/wire'
import { type Bench, both, NOT_HERE } from '../both.ts'
import { ask, request } from '../raw.ts'

/** An older Linux without the command. */
const EOPNOTSUPP = -95
const F = NLA_F_NESTED
const zeros = (length: number): number[] => new Array(length).fill(0)
const text = (value: string): number[] => [...new TextEncoder().encode(value)]

/** What is sent: an attribute's type and its payload, attributes inside of it as arrays. */
type Sent = readonly [type: number, ...payload: (number | Sent)[]]

function put(w: Writer, [type, ...payload]: Sent): void {
  const mark = w.attrStart(type)
  for (const each of payload) {
    if (typeof each === 'number') w.u8(each)
    else put(w, each)
  }
  w.attrEnd(mark)
}

/** A family of Linux's as far as it is asked here, and what it refuses. */
interface Case {
  readonly family: string
  readonly cmd: number
  readonly level: number
  readonly request: AnyMessage
  readonly refused: readonly (readonly Sent[])[]
}

const exact16 = binary.exact(16)

const tcpMetrics: Case = {
  family: 'tcp_metrics',
  cmd: 1,
  level: NL_VALIDATE_LIBERAL,
  request: message(
    attrs('TCP_METRICS_ATTR_', {
      addrIpv4: [1, u32],
      addrIpv6: [2, exact16],
      saddrIpv4: [11, u32],
      saddrIpv6: [12, exact16],
    }),
  ),
  refused: [
    [[1, ...zeros(3)]],
    [[1]],
    [[2, ...zeros(15)]],
    [[2, ...zeros(17)]],
    [[12]],
    [
      [1, ...zeros(4)],
      [12, 1, 2, 3],
    ],
    [
      [99, 1],
      [1, 1],
    ],
  ],
}

const SEG6 = attrs('SEG6_ATTR_', {
  dst: [1, binary.max(16)],
  dstlen: [2, s32],
  hmackeyid: [3, u32],
  secret: [4, binary],
  secretlen: [5, u8],
  algid: [6, u8],
  hmacinfo: [7, nest(attrs('', {}))],
})
const seg6: Case = {
  family: 'SEG6',
  cmd: 3,
  level: NL_VALIDATE_LIBERAL,
  request: message(SEG6),
  refused: [
    [[1, ...zeros(17)]],
    [[2, 1, 2]],
    [[3, 1, 2, 3]],
    [[5]],
    [[7, 1]],
    [
      [1, ...zeros(16)],
      [2, ...zeros(3)],
    ],
  ],
}

const ioam6: Case = {
  family: 'IOAM6',
  cmd: 7,
  level: NL_VALIDATE_LIBERAL,
  request: message(attrs('IOAM6_ATTR_', { nsId: [1, u16], scId: [4, u32], scNone: [6, flag] })),
  refused: [
    [[1, 1]],
    [[4, 1, 2, 3]],
    [[6, 1]],
    [
      [1, 0, 0],
      [6, ...zeros(4)],
    ],
  ],
}

const napi = attrs('NETDEV_A_NAPI_', {
  ifindex: [1, u32.min(1)],
  id: [2, u32],
  deferHardIrqs: [5, u32.max(0x7fffffff)],
  groFlushTimeout: [6, uint],
  irqSuspendTimeout: [7, uint],
})
const netdevNapi: Case = {
  family: 'netdev',
  cmd: 14,
  level: NL_VALIDATE_STRICT,
  request: message(napi.only('id', 'deferHardIrqs', 'groFlushTimeout', 'irqSuspendTimeout')),
  refused: [
    [[2, 1]],
    [[2, ...zeros(8)]],
    [[5, 0, 0, 0, 0x80]],
    [[6, 1, 2, 3]],
    [[6]],
    [[6, ...zeros(12)]],
    [[7, ...zeros(5)]],
    [[2 | F, ...zeros(4)]],
    [[0, 1]],
    [[3, ...zeros(4)]],
  ],
}
const netdevGet: Case = {
  family: 'netdev',
  cmd: 1,
  level: NL_VALIDATE_STRICT,
  request: message(attrs('NETDEV_A_DEV_', { ifindex: [1, u32.min(1)] })),
  refused: [
    [[1, ...zeros(4)]],
    [[1]],
    [[1, 1]],
    [[1, ...zeros(5)]],
    [[2, 1]],
    [[1 | F, 1, 0, 0, 0]],
    [
      [1, 1, 0, 0, 0],
      [1, ...zeros(4)],
    ],
  ],
}

const header = attrs('ETHTOOL_A_HEADER_', {
  devIndex: [1, u32],
  devName: [2, string.max(127)],
  flags: [3, u32.mask(3)],
  phyIndex: [4, u32.min(1)],
})
const features: Case = {
  family: 'ethtool',
  cmd: 11,
  level: NL_VALIDATE_STRICT,
  request: message(
    attrs('ETHTOOL_A_FEATURES_', {
      header: [1, nest(header.only('devIndex', 'devName', 'flags'))],
    }),
  ),
  refused: [
    [[1, [1, ...zeros(4)]]],
    [[1 | F, 1, 2]],
    [[1 | F, [1, 1, 2]]],
    [[1 | F, [2, ...text('no NUL')]]],
    [[1 | F, [2]]],
    [[1 | F, [2, ...text('a'.repeat(128)), 0]]],
    [[1 | F, [3, 8, 0, 0, 0]]],
    [[1 | F, [3, 0xf, 0, 0, 0x80]]],
    [[1 | F, [9, 1]]],
    [[1 | F, [1 | F, ...zeros(4)]]],
    [[2, 1]],
  ],
}
const CASES = { tcpMetrics, seg6, ioam6, netdevGet, netdevNapi, features }

/** The family's id, on either kernel. */
async function familyId(s: Socket, name: string): Promise<number | undefined> {
  const [answer] = await ask(
    s,
    request(16, NLM_F_REQUEST | NLM_F_ACK, 1, (w) => {
      w.put(Uint8Array.of(3, 1, 0, 0))
      w.attrString(2, name)
    }),
    1,
  )
  const payload = answer?.messages[0]?.payload
  if (!payload || answer?.messages[0]?.type === NLMSG_ERROR) return undefined
  const view = viewOf(payload)
  for (let at = 4; at + 4 <= payload.length; at += (view.getUint16(at, true) + 3) & ~3)
    if (view.getUint16(at + 2, true) === 1) return view.getUint16(at + 4, true)
  return undefined
}

/** Each refusal: errno and flags, then the extack's attributes as hex. */
async function refusals(t: Bench, s: Socket, { family, cmd, refused }: Case): Promise<unknown> {
  const id = await familyId(s, family)
  if (id === undefined) return NOT_HERE
  const seen: string[] = []
  for (const attributes of refused) {
    const bytes = request(id, NLM_F_REQUEST | NLM_F_ACK, 2, (w) => {
      w.put(Uint8Array.of(cmd, 1, 0, 0))
      for (const each of attributes) put(w, each)
    })
    const [answer] = await ask(s, bytes, 2)
    const { payload, flags } = answer!.messages[0]!
    const errno = viewOf(payload).getInt32(0, true)
    if (errno === EOPNOTSUPP) return NOT_HERE
    assert.ok(errno < 0, `${t.kernel}: ${family} takes ${JSON.stringify(attributes)}`)
    seen.push(`${errno} ${flags.toString(16)} ${Buffer.from(payload.slice(20)).toString('hex')}`)
  }
  assert.equal(new Set(seen).size > 1, true)
  return seen
}

/** On nlkit's kernel the family is made of its description. */
function register(kernel: Kernel, { family, cmd, level, request: body }: Case): void {
  const described = genlFamily({
    name: family,
    version: 1,
    ops: { asked: { cmd, do: { request: body } } },
  })
  const validate = level === NL_VALIDATE_STRICT ? 'strict' : 'liberal'
  const options = validate === 'liberal' ? { resvStartOp: cmd + 1 } : {}
  kernel.genl.registerFamily(described, { asked: { validate, doit: () => undefined } }, options)
}

for (const [name, each] of Object.entries(CASES)) {
  both(
    `what ${name} refuses: errno, words, offset and policy`,
    async (t) => {
      const options = { extAck: true, capAck: true }
      const s = await t.socket({ protocol: NETLINK_GENERIC, options })
      return await refusals(t, s, each)
    },
    (kernel) => register(kernel, each),
  )
}
