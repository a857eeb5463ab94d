import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNetlinkError } from '../../errors.ts'
import {
  BlockingNotifierChain,
  NOTIFY_BAD,
  NOTIFY_DONE,
  NOTIFY_OK,
  NOTIFY_STOP,
  NOTIFY_STOP_MASK,
  type NotifierBlock,
  notifierFromErrno,
  notifierToErrno,
  RawNotifierChain,
  throwNotifierErrno,
} from './index.ts'

const code = (name: string) => (error: unknown) => isNetlinkError(error, name)

function recorder(log: string[]) {
  return (
    name: string,
    priority?: number,
    answer: number = NOTIFY_DONE,
  ): NotifierBlock<number, unknown> => ({
    name,
    ...(priority === undefined ? {} : { priority }),
    call: (event) => {
      log.push(`${name}${event}`)
      return answer
    },
  })
}

test('constants are those of include/linux/notifier.h', () => {
  assert.deepEqual(
    [NOTIFY_DONE, NOTIFY_OK, NOTIFY_STOP_MASK, NOTIFY_BAD, NOTIFY_STOP],
    [0, 1, 0x8000, 0x8002, 0x8001],
  )
})

test('errnos fold into answers and back', () => {
  const rows: [ReturnType<typeof Number> | string | undefined, number, number][] = [
    [0, 1, 0],
    [undefined, 1, 0],
    [-1, 0x8002, -1],
    [-2, 0x8003, -2],
    ['ENOENT', 0x8003, -2],
    ['EBUSY', 0x8011, -16],
  ]
  for (const [error, answer, errno] of rows) {
    assert.equal(notifierFromErrno(error as never), answer)
    assert.equal(notifierToErrno(answer), errno)
  }
  assert.equal(notifierToErrno(NOTIFY_BAD), -1)
  assert.equal(notifierToErrno(NOTIFY_DONE), 0)
  assert.equal(notifierToErrno(NOTIFY_STOP), 0)
  assert.throws(() => throwNotifierErrno(0x8003), code('ENOENT'))
  throwNotifierErrno(NOTIFY_STOP)
})

test('higher priority is called first, equals in order of registration', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 20 }), (priorities) => {
      const log: string[] = []
      const block = recorder(log)
      const chain = new RawNotifierChain<number>()
      for (const [i, priority] of priorities.entries()) chain.register(block(`${i}:`, priority))
      chain.call(7, undefined)
      const expected = priorities
        .map((priority, i) => ({ priority, i }))
        .sort((a, b) => b.priority - a.priority || a.i - b.i)
      assert.deepEqual(
        log,
        expected.map(({ i }) => `${i}:7`),
      )
    }),
  )
})

test('the answer is the last block’s, NOTIFY_DONE when nobody was called', () => {
  const block = recorder([])
  const chain = new RawNotifierChain<number>()
  assert.equal(chain.call(1, undefined), NOTIFY_DONE)
  chain.register(block('a', 2, NOTIFY_OK))
  chain.register(block('b', 1, 17))
  assert.equal(chain.call(1, undefined), 17)
})

test('the stop bit ends the walk, and nrToCall bounds it; calls are counted', () => {
  const log: string[] = []
  const block = recorder(log)
  const chain = new RawNotifierChain<number>()
  for (const [name, answer] of [
    ['a', 0],
    ['b', 1],
    ['c', NOTIFY_BAD],
    ['d', 0],
  ] as const)
    chain.register(block(name, 0, answer))
  const counter = { calls: 10 }
  assert.equal(chain.call(1, undefined, -1, counter), NOTIFY_BAD)
  assert.equal(counter.calls, 13)
  assert.equal(chain.call(2, undefined, 2, counter), NOTIFY_OK)
  assert.equal(chain.call(3, undefined, 0, counter), NOTIFY_DONE)
  assert.equal(counter.calls, 15)
  assert.deepEqual(log, ['a1', 'b1', 'c1', 'a2', 'b2'])
})

test('robust: those before the one that stopped hear the other event, in order', () => {
  const log: string[] = []
  const block = recorder(log)
  const chain = new RawNotifierChain<number>()
  for (const [name, answer] of [
    ['a', 0],
    ['b', 1],
    ['c', NOTIFY_BAD],
    ['d', 0],
  ] as const)
    chain.register(block(name, 0, answer))
  assert.equal(chain.callRobust(1, 2, undefined), NOTIFY_BAD)
  assert.deepEqual(log, ['a1', 'b1', 'c1', 'a2', 'b2'])
})

test('a block twice is EEXIST, also after its priority was raised; one that is absent is ENOENT', () => {
  const chain = new RawNotifierChain<number>('test_chain')
  const block = { priority: 0, name: 'test_notifier1', call: () => NOTIFY_DONE }
  chain.register(block)
  chain.register({ call: () => NOTIFY_DONE, priority: 3 })
  assert.throws(() => chain.register(block), /test_chain: .*test_notifier1 already registered/)
  block.priority = 9
  assert.throws(() => chain.register(block), code('EEXIST'))
  chain.unregister(block)
  assert.throws(() => chain.unregister(block), code('ENOENT'))
  assert.equal(chain.blocks().length, 1)
})

test('what register returns takes the block out, and may be called again', () => {
  const chain = new RawNotifierChain<number>()
  const undo = chain.register({ call: () => NOTIFY_DONE })
  undo()
  undo()
  assert.equal(chain.blocks().length, 0)
})

test('raw: the next block is read before a call', () => {
  const log: string[] = []
  const block = recorder(log)
  const chain = new RawNotifierChain<number>()
  const late = block('late', 1)
  const last = block('last', 0)
  const first: NotifierBlock<number, unknown> = {
    priority: 1,
    call(event) {
      log.push(`first${event}`)
      chain.unregister(first)
      chain.register(late)
      chain.unregister(last)
      return NOTIFY_DONE
    },
  }
  chain.register(first)
  chain.register(last)
  chain.call(1, undefined)
  assert.deepEqual(log, ['first1', 'last1'])
  chain.call(2, undefined)
  assert.deepEqual(log, ['first1', 'last1', 'late2'])
})

test('blocking: blocks that do not wait have run when call returns', async () => {
  const log: string[] = []
  const chain = new BlockingNotifierChain<number>()
  assert.equal(await chain.call(0, undefined), NOTIFY_DONE)
  chain.register(recorder(log)('a', 0, 5))
  const answer = chain.call(1, undefined)
  assert.deepEqual(log, ['a1'])
  assert.equal(await answer, 5)
})

test('blocking: a change waits for the walks, later walks wait for the change', async () => {
  const log: string[] = []
  const block = recorder(log)
  const chain = new BlockingNotifierChain<number>()
  let wake = () => {}
  const slow = {
    call: async (event: number) => {
      log.push(`slow${event}`)
      if (event === 1) await new Promise<void>((resolve) => (wake = resolve))
      log.push(`end${event}`)
      return NOTIFY_OK
    },
  }
  const out = block('out')
  const joining = block('in')
  chain.register(slow)
  chain.register(out)
  const one = chain.call(1, undefined)
  const left = chain.unregister(out)
  chain.register(joining)
  assert.throws(() => chain.register(joining), code('EEXIST'))
  assert.throws(() => chain.register(slow), code('EEXIST'))
  assert.throws(() => chain.unregister(block('x')), code('ENOENT'))
  const two = chain.call(2, undefined)
  assert.deepEqual(log, ['slow1'])
  wake()
  await Promise.all([one, left, two])
  assert.deepEqual(log, ['slow1', 'end1', 'out1', 'slow2', 'end2', 'in2'])
})

test('blocking: walks share the chain, a failing block does not keep it', async () => {
  const chain = new BlockingNotifierChain<number>()
  const undo = chain.register({
    call: async (event) => {
      if (event === 1) return (await chain.call(2, undefined)) + 1
      if (event === 3) throw new Error('broken')
      return 40
    },
  })
  assert.equal(await chain.call(1, undefined), 41)
  await assert.rejects(async () => chain.call(3, undefined), /broken/)
  await undo()
  await undo()
  assert.equal(chain.blocks().length, 0)
})

test('blocking robust: rolls back in the same walk', async () => {
  const log: string[] = []
  const block = recorder(log)
  const chain = new BlockingNotifierChain<number>()
  chain.register(block('a'))
  chain.register(block('b', 0, NOTIFY_BAD))
  assert.equal(await chain.callRobust(1, 2, undefined), NOTIFY_BAD)
  assert.deepEqual(log, ['a1', 'b1', 'a2'])
})
