/** Walks that wait: compiled and in a loop they call the same blocks, with the same end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockingNotifierChain } from './blocking.ts'
import { NOTIFY_BAD, NOTIFY_OK, NOTIFY_STOP } from './constants.ts'
import { SrcuNotifierChain } from './srcu.ts'
import { WAITS_TO_COMPILE } from './tail.ts'

const ANSWERS: Record<string, () => unknown> = {
  number: () => NOTIFY_OK,
  nothing: () => undefined,
  stop: () => NOTIFY_STOP,
  promise: async () => NOTIFY_OK,
  'promise of nothing': async () => undefined,
  'promise of stop': async () => NOTIFY_BAD,
  'later than others': () => new Promise((resolve) => setImmediate(resolve, 7)),
  // biome-ignore lint/suspicious/noThenProperty: it stands for one
  'a thenable': () => ({ then: (resolve: (answer: number) => void) => resolve(5) }),
  'no number': () => 'word',
  'promise of no number': async () => ({}),
  throws: () => {
    throw new Error('thrown')
  },
  rejects: async () => {
    throw new Error('rejected')
  },
}
const ACTS = ['none', 'take out the next', 'take out itself', 'put one in', 'change later'] as const

interface Plan {
  readonly answer: string
  readonly act: (typeof ACTS)[number]
}

type Chain = BlockingNotifierChain | SrcuNotifierChain

/** What a call by the plans did; `isWarm`: so many have waited before that it is compiled. */
async function play(chain: Chain, plans: readonly Plan[], isWarm: boolean): Promise<string[]> {
  const log: string[] = []
  const settling: Promise<unknown>[] = []
  const blocks = plans.map(({ answer, act }, i) => ({
    name: `block ${i}`,
    call(event: number): never {
      if (event === 0) return Promise.resolve(NOTIFY_OK) as never
      log.push(`${i}`)
      if (event === 1) {
        if (act === 'change later') setImmediate(change, i, 'take out the next')
        else change(i, act)
      }
      return (ANSWERS[answer] as () => unknown)() as never
    },
  }))
  const change = (i: number, act: string): void => {
    try {
      const next = blocks[i + 1]
      if (act === 'take out the next' && next) settling.push(chain.unregister(next))
      if (act === 'take out itself') settling.push(chain.unregister(blocks[i] as never))
      if (act === 'put one in') {
        chain.register({ call: () => log.push(`new of ${i}`) && NOTIFY_OK, priority: -i })
      }
    } catch (error) {
      log.push(String(error))
    }
  }
  for (const block of blocks) chain.register(block)
  for (let i = 0; isWarm && i <= WAITS_TO_COMPILE; i++) await chain.call(0, undefined)
  for (const event of [1, 2]) {
    try {
      log.push(`= ${await chain.call(event, undefined)}`)
    } catch (error) {
      log.push(String(error))
    }
  }
  await Promise.all(settling)
  log.push(
    chain
      .blocks()
      .map(({ name }) => name ?? 'new')
      .join(),
  )
  // nobody is left inside: a change is at once
  chain.register({ name: 'last', call: () => NOTIFY_OK })
  log.push(`${chain.blocks().length}`)
  return log
}

const plans = fc.array(
  fc.record({
    answer: fc.constantFrom(...Object.keys(ANSWERS)),
    act: fc.constantFrom(...ACTS, 'none' as const, 'none' as const),
  }),
  { minLength: 1, maxLength: 6 },
)

for (const [type, make] of [
  ['blocking', () => new BlockingNotifierChain('chain')],
  ['srcu', () => new SrcuNotifierChain('chain')],
] as const) {
  test(`a ${type} chain whose blocks wait does the same compiled and in a loop`, async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (given) => {
        assert.deepEqual(await play(make(), given, true), await play(make(), given, false))
      }),
      { numRuns: 150 },
    )
  })
}

test('calls under way of a compiled chain do not see each other', async () => {
  const chain = new SrcuNotifierChain()
  const gates: (() => void)[] = []
  const log: string[] = []
  for (let i = 0; i < 3; i++) {
    chain.register({
      call: ((event: number) => {
        if (event === 0) return Promise.resolve(0)
        log.push(`${event}:${i}`)
        return new Promise<number>((resolve) => gates.push(() => resolve(i)))
      }) as never,
    })
  }
  for (let i = 0; i <= WAITS_TO_COMPILE; i++) await chain.call(0, undefined)
  const calls = [1, 2].map((event) => chain.call(event, undefined))
  for (let turn = 0; turn < 6; turn++) {
    gates.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(await Promise.all(calls), [2, 2])
  assert.deepEqual(log, ['1:0', '2:0', '1:1', '2:1', '1:2', '2:2'])
})
