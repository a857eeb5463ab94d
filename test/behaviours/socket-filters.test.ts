/** Socket filters: which programs are taken, what they compute, what becomes of a datagram. */
import assert from 'node:assert/strict'
import type { Socket } from 'nlkit/transport'
import { NETLINK_ROUTE, NETLINK_USERSOCK, NLM_F_ACK, NLM_F_REQUEST } from 'nlkit/wire'
import { type Bench, both } from '../both.ts'
import {
  AD,
  ALL,
  ALU,
  JA,
  JUMP,
  LD_B_ABS,
  LD_B_IND,
  LD_H_ABS,
  LD_H_IND,
  LD_IMM,
  LD_LEN,
  LD_MEM,
  LD_W_ABS,
  LDX_IMM,
  LDX_LEN,
  LDX_MEM,
  LDX_MSH,
  MORE_ALU,
  NOTHING,
  program,
  RET_A,
  RET_K,
  ST,
  STX,
  type Step,
  TAX,
  TXA,
  X,
} from '../filters.ts'
import { type Datagram, queued, request } from '../raw.ts'

const usersock = (t: Bench, portid: number, init = {}): Promise<Socket> =>
  t.socket({ protocol: NETLINK_USERSOCK, portid, ...init })

/** The errno's name, or 'taken'. */
async function verdict(s: Socket, bytes: Uint8Array): Promise<string> {
  try {
    await s.attachFilter(bytes)
    return 'taken'
  } catch (error) {
    return (error as { code: string }).code
  }
}

const END: Step = [RET_K, 0, 0, 1]
const PROGRAMS: Readonly<Record<string, readonly Step[]>> = {
  'one return': [END],
  'return of the accumulator': [[RET_A, 0, 0, 0]],
  'return of the index register': [[0x0e, 0, 0, 0]],
  'no return at the end': [END, [LD_IMM, 0, 0, 1]],
  'an unknown code': [[0xff, 0, 0, 0], END],
  'a code of another class`s bits': [[0x08, 0, 0, 0], END],
  'a code above 255': [[0x100, 0, 0, 0], END],
  'a load of 4 bytes': [[LD_W_ABS, 0, 0, 0], END],
  'a load of the packet`s length': [[LD_LEN, 0, 0, 0], END],
  'a load far beyond': [[LD_W_ABS, 0, 0, 0x7fffffff], END],
  'a load from the network header': [[LD_W_ABS, 0, 0, 0xfff00000], END],
  'a load from the link-layer header': [[LD_W_ABS, 0, 0, 0xffe00000], END],
  'an attribute': [[LD_W_ABS, 0, 0, AD + 12], END],
  'an attribute by a load of a byte': [[LD_B_ABS, 0, 0, AD + 12], END],
  'nothing known beside the packet': [[LD_W_ABS, 0, 0, AD + 13], END],
  'the last known': [[LD_W_ABS, 0, 0, AD + 60], END],
  'one behind the last known': [[LD_W_ABS, 0, 0, AD + 64], END],
  'an indirect load with any offset': [[LD_B_IND, 0, 0, 0xffffffff], END],
  'a division by 0': [[ALU.div, 0, 0, 0], END],
  'a remainder of 0': [[MORE_ALU.mod, 0, 0, 0], END],
  'a division by the index register': [[ALU.div | X, 0, 0, 0], END],
  'a shift by 31': [[ALU.lsh, 0, 0, 31], END],
  'a shift by 32': [[MORE_ALU.rsh, 0, 0, 32], END],
  'a jump to the next': [[JA, 0, 0, 0], END],
  'a jump beyond the end': [[JA, 0, 0, 1], END],
  'a jump back': [[JA, 0, 0, 0xffffffff], END],
  'a condition with a way beyond the end': [[JUMP.eq, 0, 1, 0], END],
  'a condition with both ways inside': [[JUMP.eq, 0, 1, 0], END, END],
  'memory that was written': [[ST, 0, 0, 15], [LD_MEM, 0, 0, 15], END],
  'memory that was never written': [[LD_MEM, 0, 0, 0], END],
  'another word of memory': [[ST, 0, 0, 1], [LDX_MEM, 0, 0, 2], END],
  'memory written by one way only': [[JUMP.eq, 0, 1, 0], [ST, 0, 0, 0], [LD_MEM, 0, 0, 0], END],
  'memory written by both ways': [
    [JUMP.eq, 0, 2, 0],
    [ST, 0, 0, 0],
    [JA, 0, 0, 1],
    [STX, 0, 0, 0],
    [LD_MEM, 0, 0, 0],
    END,
  ],
  'the 17th word of memory': [[ST, 0, 0, 16], END],
}

both('which programs a socket takes', async (t) => {
  const s = await usersock(t, 1)
  const seen: Record<string, string> = {
    'no instruction': await verdict(s, new Uint8Array()),
    'half an instruction': await verdict(s, new Uint8Array(12)),
    '4,096 instructions': await verdict(s, program(...new Array<Step>(4096).fill(END))),
    '4,097 instructions': await verdict(s, program(...new Array<Step>(4097).fill(END))),
  }
  for (const [name, steps] of Object.entries(PROGRAMS)) {
    seen[name] = await verdict(s, program(...steps))
  }
  assert.equal(seen['memory written by one way only'], 'EINVAL')
  assert.equal(seen['one return'], 'taken')
  return seen
})

/** 40 bytes: what is loaded at an offset is easy to tell. */
const PACKET = Uint8Array.from({ length: 40 }, (_, i) => (i === 20 ? 0x45 : 3 * i + 1))
const imm = (a: number, x: number): Step[] => [
  [LDX_IMM, 0, 0, x],
  [LD_IMM, 0, 0, a],
]
const alu = (code: number, a: number, x: number): Step[] => [...imm(a, x), [code | X, 0, 0, 0]]

/** Programs whose accumulator is of interest; what a program without an end answers is its `a`. */
const COMPUTES: Readonly<Record<string, readonly Step[]>> = {
  'a byte': [[LD_B_ABS, 0, 0, 5]],
  'two bytes': [
    [LD_H_ABS, 0, 0, 0],
    [ALU.and, 0, 0, 0x1f],
  ],
  'four bytes, the last': [
    [LD_W_ABS, 0, 0, 36],
    [ALU.and, 0, 0, 0x1f],
  ],
  'four bytes, one beyond': [
    [LD_W_ABS, 0, 0, 37],
    [LD_IMM, 0, 0, 9],
  ],
  'a byte behind the end': [
    [LD_B_ABS, 0, 0, 40],
    [LD_IMM, 0, 0, 9],
  ],
  'a byte, indirect': [
    [LDX_IMM, 0, 0, 4],
    [LD_B_IND, 0, 0, 1],
  ],
  'a byte, indirect and back': [
    [LDX_IMM, 0, 0, 6],
    [LD_B_IND, 0, 0, 0xffffffff],
  ],
  'two bytes, indirect and beyond': [
    [LDX_IMM, 0, 0, 39],
    [LD_H_IND, 0, 0, 0],
    [LD_IMM, 0, 0, 9],
  ],
  'a negative offset': [
    [LDX_IMM, 0, 0, 0],
    [LD_B_IND, 0, 0, 0xffffffff],
    [LD_IMM, 0, 0, 9],
  ],
  'from the network header': [[LD_B_ABS, 0, 0, 0xfff00003]],
  'from the link-layer header': [
    [LD_B_ABS, 0, 0, 0xffe00003],
    [LD_IMM, 0, 0, 9],
  ],
  'the length': [[LD_LEN, 0, 0, 0]],
  'the length as index': [
    [LDX_LEN, 0, 0, 0],
    [TXA, 0, 0, 0],
  ],
  'an IP header`s length': [
    [LDX_MSH, 0, 0, 20],
    [TXA, 0, 0, 0],
  ],
  'an IP header`s length beyond': [
    [LDX_MSH, 0, 0, 40],
    [LD_IMM, 0, 0, 9],
  ],
  memory: [
    [LD_IMM, 0, 0, 17],
    [ST, 0, 0, 3],
    [LD_IMM, 0, 0, 1],
    [LDX_MEM, 0, 0, 3],
    [TXA, 0, 0, 0],
  ],
  'memory of the index': [
    [LDX_IMM, 0, 0, 18],
    [STX, 0, 0, 9],
    [LD_MEM, 0, 0, 9],
  ],
  'both registers': [
    [LD_IMM, 0, 0, 21],
    [TAX, 0, 0, 0],
    [LD_IMM, 0, 0, 0],
    [TXA, 0, 0, 0],
  ],
  'a sum that wraps': alu(ALU.add, 0xffffffff, 8),
  'a difference that wraps': [...alu(ALU.sub, 1, 2), [MORE_ALU.rsh, 0, 0, 27]],
  'a product that wraps': [...alu(ALU.mul, 0x10001, 0x10001), [ALU.and, 0, 0, 0x3f]],
  'a quotient of large numbers': [...alu(ALU.div, 0xfffffff0, 0x10000000)],
  'a quotient by 0': [...alu(ALU.div, 8, 0), [LD_IMM, 0, 0, 9]],
  'a remainder': alu(MORE_ALU.mod, 0xffffffff, 20),
  'a remainder by 0': [...alu(MORE_ALU.mod, 8, 0), [LD_IMM, 0, 0, 9]],
  and: alu(ALU.and, 0x3c, 0x17),
  or: alu(ALU.or, 0x10, 0x03),
  'exclusive or': alu(MORE_ALU.xor, 0x3c, 0x17),
  'a shift to the left': alu(ALU.lsh, 3, 3),
  'a shift to the left by 33': alu(ALU.lsh, 3, 33),
  'a shift to the right': alu(MORE_ALU.rsh, 0x80000000, 27),
  'a shift to the right by 32': alu(MORE_ALU.rsh, 7, 32),
  'a negation': [
    [LD_IMM, 0, 0, 0xfffffff1],
    [MORE_ALU.neg, 0, 0, 0],
  ],
  'equal, unsigned': [
    ...imm(0xffffffff, 0),
    [JUMP.eq, 0, 1, 0xffffffff],
    [RET_K, 0, 0, 5],
    [RET_K, 0, 0, 6],
  ],
  'greater, unsigned': [
    ...imm(0x80000000, 1),
    [JUMP.gt | X, 0, 1, 0],
    [RET_K, 0, 0, 5],
    [RET_K, 0, 0, 6],
  ],
  'at least': [...imm(7, 7), [JUMP.ge | X, 0, 1, 0], [RET_K, 0, 0, 5], [RET_K, 0, 0, 6]],
  'bits set': [
    ...imm(0x80000000, 0),
    [JUMP.set, 0, 1, 0x80000000],
    [RET_K, 0, 0, 5],
    [RET_K, 0, 0, 6],
  ],
  'a jump over two': [
    [JA, 0, 0, 2],
    [RET_K, 0, 0, 5],
    [RET_K, 0, 0, 6],
    [RET_K, 0, 0, 7],
  ],
  'no device': [
    [LD_W_ABS, 0, 0, AD + 8],
    [LD_IMM, 0, 0, 9],
  ],
  'no type of device': [
    [LD_W_ABS, 0, 0, AD + 28],
    [LD_IMM, 0, 0, 9],
  ],
  'no protocol': [
    [LD_W_ABS, 0, 0, AD],
    [ALU.add, 0, 0, 3],
  ],
  'to this host': [
    [LD_W_ABS, 0, 0, AD + 4],
    [ALU.add, 0, 0, 3],
  ],
  'no mark, queue, hash, tag': [
    [LD_W_ABS, 0, 0, AD + 20],
    [TAX, 0, 0, 0],
    [LD_W_ABS, 0, 0, AD + 32],
    [ALU.add | X, 0, 0, 0],
    [TAX, 0, 0, 0],
    [LD_W_ABS, 0, 0, AD + 44],
    [ALU.add | X, 0, 0, 0],
    [TAX, 0, 0, 0],
    [LD_W_ABS, 0, 0, AD + 48],
    [ALU.add | X, 0, 0, 0],
    [ALU.add, 0, 0, 3],
  ],
  'no payload that is known': [
    [LD_W_ABS, 0, 0, AD + 52],
    [ALU.add, 0, 0, 3],
  ],
  'exclusive or with the index': [...imm(0x3c, 0x17), [LD_W_ABS, 0, 0, AD + 40]],
}

/** How long what arrives is, 0 for nothing: which is what the program answers, up to the packet's length. */
async function arrives(one: Socket, two: Socket, steps: readonly Step[]): Promise<number[]> {
  const isWhole = (steps.at(-1)?.[0] ?? 0) === RET_K
  await two.attachFilter(program(...steps, ...(isWhole ? [] : [[RET_A, 0, 0, 0] as const])))
  const sent = one.send([PACKET], { portid: two.portid })
  const [got] = queued(two)
  return [sent, typeof got === 'object' ? got.bytes.length : (got ?? 0)]
}

both('what a program computes is how much is taken', async (t) => {
  const one = await usersock(t, 1)
  const two = await usersock(t, 2)
  const seen: Record<string, number[]> = {}
  for (const [name, steps] of Object.entries(COMPUTES)) {
    seen[name] = await arrives(one, two, steps)
  }
  assert.deepEqual(seen['a byte'], [16, 16])
  assert.deepEqual(seen['a quotient by 0'], [40, 0])
  assert.deepEqual(seen['a sum that wraps'], [7, 7])
  return seen
})

both('a program finds an attribute, and one inside another', async (t) => {
  const one = await usersock(t, 1)
  const two = await usersock(t, 2)
  const bytes = Uint8Array.from([
    ...[5, 0, 1, 0, 9, 0, 0, 0],
    ...[16, 0, 2, 128, 8, 0, 7, 0, 1, 2, 3, 4, 4, 0, 8, 0],
    ...[4, 0, 3, 0],
  ])
  const seen: number[][] = []
  for (const [kind, from, type] of [
    [12, 0, 3],
    [12, 0, 2],
    [12, 0, 9],
    [12, 8, 1],
    [12, 25, 3],
    [12, 24, 3],
    [16, 8, 8],
    [16, 8, 7],
    [16, 8, 3],
    [16, 24, 3],
  ] as const) {
    await two.attachFilter(
      program(
        ...imm(from, type),
        [LD_W_ABS, 0, 0, AD + kind],
        [ALU.add, 0, 0, 1],
        [RET_A, 0, 0, 0],
      ),
    )
    one.send([bytes], { portid: 2 })
    seen.push((queued(two) as Datagram[]).map((d) => d.bytes.length))
  }
  assert.deepEqual(seen[0], [25])
  return seen
})

both('a filter is replaced, taken away, and locked', async (t) => {
  const one = await usersock(t, 1)
  const two = await usersock(t, 2)
  const get = () => {
    const sent = one.send([PACKET], { portid: 2 })
    return [sent, queued(two).length]
  }
  const refusal = (work: Promise<void>) =>
    work.then(
      () => 'done',
      ({ code }) => code,
    )
  return [
    await refusal(two.attachFilter()),
    await refusal(two.attachFilter(NOTHING)),
    get(),
    await refusal(two.attachFilter(ALL)),
    get(),
    await refusal(two.attachFilter(new Uint8Array(8).fill(0xff))),
    get(),
    await refusal(two.attachFilter()),
    await refusal(two.attachFilter()),
    get(),
  ]
})

both('multicasts, replies and dumps go through the reader`s filter, each for itself', async (t) => {
  const one = await usersock(t, 1)
  const deaf = await usersock(t, 2, { groups: [3] })
  const cut = await usersock(t, 3, { groups: [3] })
  const whole = await usersock(t, 4, { groups: [3] })
  await deaf.attachFilter(NOTHING)
  await cut.attachFilter(program([RET_K, 0, 0, 10]))
  one.send([PACKET], { group: 3 })
  const lengths = [deaf, cut, whole].map((s) =>
    queued(s).map((d) => (typeof d === 'object' ? [d.bytes.length, d.from, d.group] : d)),
  )
  const route = await t.socket({ protocol: NETLINK_ROUTE })
  await route.attachFilter(NOTHING)
  const ask = (flags: number, seq: number) =>
    route.send([request(18, NLM_F_REQUEST | flags, seq, (w) => w.reserve(16))])
  const silent = [ask(NLM_F_ACK, 1), queued(route).length, ask(0x300, 2), queued(route).length]
  await route.attachFilter()
  return [lengths, silent]
})
