/** What the oracle asks of notifier chains, asked of nlkit's. The C side: nlkit_oracle.c. */
import type { notifier_block } from 'nlkit/kernel/compat'
import * as c from 'nlkit/kernel/compat'
import type { Say } from './say.ts'

const INT_MAX = 0x7fffffff
const INT_MIN = -0x80000000
/** Stands for ULONG_MAX: the largest that a number holds. */
const LARGEST = Number.MAX_SAFE_INTEGER

/** A block that notes its letter, and what it was told if something came with it. */
interface Block extends notifier_block {
  priority: number
  answer: number
}
type Call = (head: never, val: number, v: unknown) => unknown
type Change = (head: never, nb: notifier_block) => number | Promise<number>

/** The functions of one type of chain. */
interface Type {
  readonly name: string
  readonly head: unknown
  readonly reg: Change
  readonly unreg: Change
  readonly call: Call
  readonly unique?: Change
  readonly robust?: (head: never, up: number, down: number, v: unknown) => unknown
}

export const types = (): Type[] => [
  {
    name: 'raw',
    head: c.RAW_NOTIFIER_HEAD('raw'),
    reg: c.raw_notifier_chain_register as Change,
    unreg: c.raw_notifier_chain_unregister as Change,
    call: c.raw_notifier_call_chain as Call,
    robust: c.raw_notifier_call_chain_robust as never,
  },
  {
    name: 'atomic',
    head: c.ATOMIC_NOTIFIER_HEAD('atom'),
    reg: c.atomic_notifier_chain_register as Change,
    unreg: c.atomic_notifier_chain_unregister as Change,
    call: c.atomic_notifier_call_chain as Call,
    unique: c.atomic_notifier_chain_register_unique_prio as Change,
  },
  {
    name: 'blocking',
    head: c.BLOCKING_NOTIFIER_HEAD('blk'),
    reg: c.blocking_notifier_chain_register as Change,
    unreg: c.blocking_notifier_chain_unregister as Change,
    call: c.blocking_notifier_call_chain as Call,
    unique: c.blocking_notifier_chain_register_unique_prio as Change,
    robust: c.blocking_notifier_call_chain_robust as never,
  },
  {
    name: 'srcu',
    head: c.SRCU_NOTIFIER_HEAD('src'),
    reg: c.srcu_notifier_chain_register as Change,
    unreg: c.srcu_notifier_chain_unregister as Change,
    call: c.srcu_notifier_call_chain as Call,
  },
]

let heard = ''
let last = -1

function take(): string {
  const out = heard || '-'
  heard = ''
  return out
}
function note(letter: string, answer: number, val: number, v: unknown): number {
  last = val
  heard += v === null ? letter : `${letter}${val % 10}`
  return answer
}
function block(letter: string, priority: number): Block {
  return {
    priority,
    answer: c.NOTIFY_DONE,
    notifier_call(_self, val, v) {
      return note(letter, this.answer, val, v)
    },
  }
}
type Four = [a: Block, b: Block, c: Block, d: Block]
const reset = (...p: [number, number, number, number]): Four =>
  ['a', 'b', 'c', 'd'].map((letter, i) => block(letter, p[i] ?? 0)) as Four

/** The questions that are asked of each type. */
export async function typeCases(say: Say, { name: T, head, reg, unreg, call }: Type) {
  const H = head as never
  const on = (nb: Block) => reg(H, nb)
  const off = (nb: Block) => unreg(H, nb)
  const tell = (what: string, val: number, v: unknown = 1) => {
    const r = call(H, val, v)
    say(`${T} ${what}`, `${r} ${take()}`)
  }
  const tellErrno = (what: string) => {
    const r = call(H, 3, 1) as number
    say(`${T} ${what}`, `${r} ${take()} errno ${c.notifier_to_errno(r)}`)
  }
  let [A, B, C, D] = reset(0, 0, 0, 0)
  tell('empty call', 1, null)
  say(`${T} unregister from an empty chain`, await off(A))
  say(`${T} register`, await on(A))
  say(`${T} register twice`, await on(A))
  say(`${T} register a second`, await on(B))
  await on(C)
  tell('equals in order', 2)
  say(`${T} register one in the middle twice`, await on(B))
  say(`${T} unregister a stranger`, await off(D))
  B.answer = c.NOTIFY_OK
  tell('the last answer counts', 3)
  C.answer = 7
  tell('any number is an answer', 3)
  B.answer = c.NOTIFY_STOP
  tell('stop', 3)
  B.answer = c.NOTIFY_BAD
  tellErrno('bad')
  B.answer = c.notifier_from_errno(-12)
  tellErrno('an errno')
  B.answer = -5
  tell('a negative answer', 3)
  A.answer = c.NOTIFY_STOP_MASK
  tell('the stop bit alone', 3)
  A.answer = c.NOTIFY_DONE
  say(`${T} unregister from the middle`, await off(B))
  tell('the others stay', 3)
  say(`${T} unregister twice`, await off(B))
  await off(A)
  tell('without the first', 3)
  await off(C)
  tell('empty again', 3)
  ;[A, B, C, D] = reset(0, 10, -10, 5)
  for (const nb of [A, B, C, D]) await on(nb)
  tell('higher priority first', 4)
  await off(A)
  A.priority = INT_MAX
  await on(A)
  await off(C)
  C.priority = INT_MIN
  await on(C)
  tell('extreme priorities', 4)
  await off(D)
  D.priority = 10
  await on(D)
  tell('an equal comes behind', 4)
  D.answer = c.NOTIFY_STOP
  tell('stop in the middle', 4)
  tell('event 0', 0)
  const r = call(H, LARGEST, null)
  say(`${T} the largest event`, `${r} ${last === LARGEST ? 1 : 0}`)
  take()
  for (const nb of [A, B, C, D]) await off(nb)
}

export async function uniqueCases(say: Say, { name: T, head, reg, unreg, unique }: Type) {
  if (!unique) return
  const H = head as never
  const [A, B, C, D] = reset(1, 1, 2, 1)
  say(`${T} unique priority on an empty chain`, await unique(H, A))
  say(`${T} unique priority that is taken`, await unique(H, B))
  say(`${T} unique priority twice`, await unique(H, A))
  say(`${T} another unique priority`, await unique(H, C))
  say(`${T} plain beside unique`, await reg(H, D))
  await unreg(H, A)
  say(`${T} unique behind a plain one`, await unique(H, B))
  for (const nb of [B, C, D]) await unreg(H, nb)
}

export async function robustCases(say: Say, { name: T, head, reg, unreg, robust }: Type) {
  if (!robust) return
  const H = head as never
  const [A, B, C] = reset(0, 0, 0, 0)
  const tell = (what: string) => {
    const r = robust(H, 1, 2, 1)
    say(`${T} robust: ${what}`, `${r} ${take()}`)
  }
  tell('nobody')
  for (const nb of [A, B, C]) await reg(H, nb)
  tell('nobody refuses')
  C.answer = c.NOTIFY_BAD
  tell('the last refuses')
  B.answer = c.notifier_from_errno(-16)
  tell('the second refuses')
  A.answer = c.NOTIFY_STOP
  tell('the first stops')
  A.answer = c.NOTIFY_OK
  B.answer = c.NOTIFY_STOP
  tell('a stop is a refusal')
  for (const nb of [A, B, C]) await unreg(H, nb)
}

/** Blocks that change a raw chain from their own call. */
export function rawChanges(say: Say): void {
  const raw = c.RAW_NOTIFIER_HEAD('raw')
  const on = (nb: Block) => c.raw_notifier_chain_register(raw, nb)
  const off = (nb: Block) => c.raw_notifier_chain_unregister(raw, nb)
  const tell = (what: string, val = 1) => {
    const r = c.raw_notifier_call_chain(raw, val, 1)
    say(`raw: ${what}`, `${r} ${take()}`)
  }
  /** Does `then` when it is called, behind its note. */
  const acting = (priority: number, then: (val: number) => void): Block => ({
    priority,
    answer: c.NOTIFY_DONE,
    notifier_call(_self, val, v) {
      const answer = note('a', this.answer, val, v)
      then(val)
      return answer
    },
  })

  let [, B, C, D] = reset(0, 0, 0, 0)
  let A: Block = acting(0, () => say("raw unregister from one's own call", off(A)))
  for (const nb of [A, B]) on(nb)
  tell('who left in its call')
  tell('who left is gone')
  off(B)

  A = acting(0, () => say('raw unregister the next one', off(B)))
  for (const nb of [A, B, C]) on(nb)
  tell('the next one was read before')
  tell('dropped once, ENOENT then')
  for (const nb of [A, C]) off(nb)

  ;[, B, C, D] = reset(1, 0, 0, 1)
  A = acting(1, () => say('raw register one right behind', on(D)))
  for (const nb of [A, B]) on(nb)
  tell('one put in right behind is not seen')
  tell('and is there the next time')
  for (const nb of [A, B, D]) off(nb)

  ;[, B] = reset(0, 0, 0, 0)
  A = acting(0, (val) => {
    if (val > 1) c.raw_notifier_call_chain(raw, val - 1, 1)
  })
  for (const nb of [A, B]) on(nb)
  tell('a call from a call', 3)
  for (const nb of [A, B]) off(nb)

  ;[A, B] = reset(0, 5, 0, 0)
  for (const nb of [B, A]) on(nb)
  A.priority = 3
  say('raw: twice, its priority raised but not beyond the first', on(A))
  for (const nb of [A, B]) off(nb)
}

export function errnos(say: Say): void {
  for (const e of [0, -1, -2, -11, -12, -16, -17, -22, -95, -111, -4095])
    say(`notifier_from_errno(${e})`, c.notifier_from_errno(e))
  const answers = [
    0, 1, 2, 0x8000, 0x8001, 0x8002, 0x8003, 0x800d, 0x8011, 0x8017, 7, 0x7fff, 0xffff,
  ]
  for (const r of answers) say(`notifier_to_errno(${r})`, c.notifier_to_errno(r))
}
