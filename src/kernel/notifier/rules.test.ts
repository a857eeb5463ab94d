/** The four types of chain: what each allows, refuses and waits for. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { isNetlinkError } from '../../errors.ts'
import {
  AtomicNotifierChain,
  BlockingNotifierChain,
  NOTIFY_BAD,
  NOTIFY_DONE,
  NOTIFY_OK,
  NOTIFY_STOP,
  NOTIFY_STOP_MASK,
  type NotifierBlock,
  RawNotifierChain,
  SrcuNotifierChain,
} from './index.ts'

type Block = NotifierBlock<number, unknown>
type AsyncBlock = NotifierBlock<number, unknown, number | Promise<number>>
const code = (name: string, text = /./) => {
  return (error: unknown) => isNetlinkError(error, name) && text.test(error.message)
}

/** A promise and what settles it. */
function gate() {
  let open = () => {}
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { open, passed }
}

const types = [RawNotifierChain, AtomicNotifierChain, BlockingNotifierChain, SrcuNotifierChain]
const COMPILED = 1100

for (const Chain of types) {
  const make = () => new Chain<number>('some_chain') as RawNotifierChain<number>

  test(`${Chain.name}: like a sorted list, whatever is registered, taken out and called`, () => {
    const step = fc.record({
      kind: fc.constantFrom('register', 'unregister', 'call', 'limited'),
      which: fc.nat(7),
      limit: fc.integer({ min: -1, max: 9 }),
    })
    const answers = fc.array(fc.constantFrom(NOTIFY_DONE, NOTIFY_OK, NOTIFY_BAD, NOTIFY_STOP, 7), {
      minLength: 8,
      maxLength: 8,
    })
    const priorities = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        answers,
        priorities,
        fc.boolean(),
        (steps, answer, priority, warm) => {
          const chain = make()
          const log: number[] = []
          const blocks = answer.map(
            (given, i): Block => ({
              priority: priority[i] as number,
              call: () => {
                log.push(i)
                return given
              },
            }),
          )
          let model: number[] = []
          for (const { kind, which, limit } of steps) {
            const block = blocks[which] as Block
            const has = model.includes(which)
            if (kind === 'register') {
              if (has) assert.throws(() => chain.register(block), code('EEXIST'))
              else {
                chain.register(block)
                const at = model.findIndex((i) => (priority[i] ?? 0) < (priority[which] ?? 0))
                model = at < 0 ? [...model, which] : model.toSpliced(at, 0, which)
              }
            } else if (kind === 'unregister') {
              if (has) chain.unregister(block)
              else assert.throws(() => chain.unregister(block), code('ENOENT'))
              model = model.filter((i) => i !== which)
            } else {
              const max = kind === 'call' ? -1 : limit
              const bound = model.slice(0, max === -1 ? undefined : max)
              const stop = bound.findIndex((i) => ((answer[i] ?? 0) & NOTIFY_STOP_MASK) !== 0)
              const called = stop < 0 ? bound : bound.slice(0, stop + 1)
              const last = called.at(-1)
              if (warm) for (let i = 0; i < COMPILED; i++) chain.call(0, undefined)
              log.length = 0
              const counter = { calls: 5 }
              const got =
                kind === 'call' ? chain.call(0, undefined) : chain.call(0, undefined, max, counter)
              assert.equal(got, last === undefined ? NOTIFY_DONE : answer[last])
              assert.deepEqual(log, called)
              if (kind !== 'call') assert.equal(counter.calls, 5 + called.length)
            }
          }
          assert.deepEqual(
            chain.blocks(),
            model.map((i) => blocks[i]),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  test(`${Chain.name}: a block that throws ends that call alone, compiled or not`, () => {
    const chain = make()
    let throws = false
    let behind = 0
    chain.register({
      call: () => {
        if (throws) throw new Error('broken')
        return NOTIFY_OK
      },
    })
    const last: Block = { priority: -1, call: () => ++behind & 1 }
    chain.register(last)
    for (const warm of [0, COMPILED]) {
      for (let i = 0; i < warm; i++) chain.call(0, undefined)
      behind = 0
      throws = true
      assert.throws(() => chain.call(0, undefined), /broken/)
      assert.equal(behind, 0)
      throws = false
      assert.equal(chain.call(0, undefined), 1)
    }
    chain.unregister(last)
    assert.equal(chain.blocks().length, 1, 'the throw left no call under way')
  })

  test(`${Chain.name}: with onThrow the walk goes on, and its result is the answer`, () => {
    const failed: unknown[] = []
    const chain = new Chain<number>('some_chain', {
      onThrow: (error, block) => {
        failed.push(block.name, error instanceof Error && error.message)
        return NOTIFY_OK
      },
    }) as RawNotifierChain<number>
    chain.register({ name: 'bad', call: () => assert.fail('broken') })
    assert.equal(chain.call(0, undefined), NOTIFY_OK)
    chain.register({ name: 'odd', call: () => 'yes' as never })
    chain.register({ call: () => 9 })
    assert.equal(chain.call(0, undefined), 9)
    assert.deepEqual(failed.slice(2), [
      'bad',
      'broken',
      'odd',
      'some_chain: notifier callback odd answered yes, no number (EINVAL)',
    ])
  })

  test(`${Chain.name}: what is no block is refused, no answer counts as NOTIFY_DONE`, () => {
    const chain = make()
    for (const bad of [undefined, null, {}, () => 0, { call: 1 }]) {
      assert.throws(() => chain.register(bad as never), code('EINVAL', /call method/))
    }
    for (const priority of [0.5, Number.NaN, 2 ** 31, '1']) {
      const block = { priority, call: () => 0 } as Block
      assert.throws(() => chain.register(block), code('EINVAL', /priority/))
    }
    assert.equal(chain.blocks().length, 0)
    chain.register({ call: () => 3 })
    chain.register({ call: () => undefined as never })
    assert.equal(chain.call(0, undefined), NOTIFY_DONE)
    chain.register({ name: 'odd', call: () => ({}) as never })
    assert.throws(() => chain.call(0, undefined), code('EINVAL', /some_chain: .*odd answered/))
  })

  test(`${Chain.name}: a call from a callback works`, () => {
    const chain = make()
    const seen: number[] = []
    chain.register({
      call(event) {
        seen.push(event)
        return event === 0 ? NOTIFY_OK : chain.call(event - 1, undefined) + 1
      },
    })
    for (const warm of [0, COMPILED]) {
      for (let i = 0; i < warm; i++) chain.call(0, undefined)
      seen.length = 0
      assert.equal(chain.call(3, undefined), 4)
      assert.deepEqual(seen, [3, 2, 1, 0])
    }
  })
}

test('raw: a change from a callback is seen as by a walk on a list, compiled or not', () => {
  for (const warm of [0, COMPILED]) {
    const chain = new RawNotifierChain<number>()
    let log: string[] = []
    let act = () => {}
    const make = (name: string, priority: number): Block => ({
      priority,
      call: () => {
        log.push(name)
        if (name === 'b') act()
        return NOTIFY_DONE
      },
    })
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name, i) => make(name, -i)) as [
      Block,
      Block,
      Block,
      Block,
      Block,
    ]
    for (const block of [a, b, c, d]) chain.register(block)
    for (let i = 0; i < warm; i++) chain.call(0, undefined)
    const call = (then: () => void) => {
      log = []
      act = then
      chain.call(0, undefined)
      act = () => {}
      return log.join('')
    }
    const walks = (then: () => void, undo: () => void) => {
      const seen = call(then)
      undo()
      for (let i = 0; i < warm; i++) chain.call(0, undefined)
      return seen
    }
    const out = (block: Block) =>
      [() => chain.unregister(block), () => chain.register(block)] as const
    assert.equal(walks(...out(b)), 'abcd', 'itself')
    assert.equal(walks(...out(c)), 'abcd', 'the next one was read already')
    assert.equal(walks(...out(d)), 'abc', 'one further on')
    assert.equal(
      walks(
        () => chain.register(e),
        () => chain.unregister(e),
      ),
      'abcde',
    )
    const near = make('n', -1)
    assert.equal(
      walks(
        () => chain.register(near),
        () => chain.unregister(near),
      ),
      'abcd',
    )
    chain.unregister(a)
    assert.equal(
      call(() => {}),
      'bcd',
    )
  }
})

for (const Chain of [RawNotifierChain, AtomicNotifierChain]) {
  test(`${Chain.name}: a block that returns a promise is an error, and its rejection is nobody's`, async () => {
    const chain = new Chain<number>('die_chain')
    const sleepy = { name: 'sleepy', call: () => Promise.reject(new Error('late')) as never }
    let behind = 0
    chain.register(sleepy)
    chain.register({ call: () => ++behind })
    for (let i = 0; i < COMPILED; i++) {
      assert.throws(
        () => chain.call(0, undefined),
        code('EINVAL', /die_chain: .*sleepy returned a promise/),
      )
    }
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(behind, 0)
    chain.unregister(sleepy)
    assert.equal(chain.call(0, undefined), 1)
  })
}

for (const Chain of [AtomicNotifierChain, BlockingNotifierChain]) {
  test(`${Chain.name}: a priority of one's own`, () => {
    const chain = new Chain<number>()
    const block = { priority: 3, name: 'second', call: () => NOTIFY_OK }
    const undo = chain.registerUniquePrio({ priority: 3, call: () => NOTIFY_OK })
    assert.throws(() => chain.registerUniquePrio(block), code('EBUSY', /second priority is taken/))
    chain.register(block)
    chain.unregister(block)
    undo()
    chain.registerUniquePrio(block)
    assert.deepEqual(chain.blocks(), [block])
  })
}

for (const Chain of [AtomicNotifierChain, BlockingNotifierChain, SrcuNotifierChain]) {
  test(`${Chain.name}: taken out from a callback is EDEADLK with its name, compiled or not`, () => {
    const chain = new Chain<number>('the_chain')
    const errors: unknown[] = []
    const block: Block = {
      name: 'hasty',
      call(event) {
        if (event === 0) return NOTIFY_OK
        try {
          chain.unregister(block)
        } catch (error) {
          errors.push(error)
        }
        return NOTIFY_OK
      },
    }
    chain.register(block)
    chain.call(1, undefined)
    for (let i = 0; i < COMPILED; i++) chain.call(0, undefined)
    chain.call(1, undefined)
    assert.equal(errors.length, 2)
    for (const error of errors) assert.ok(code('EDEADLK', /the_chain: .*hasty taken out/)(error))
    chain.unregister(block)
  })
}

for (const Chain of [AtomicNotifierChain, SrcuNotifierChain]) {
  test(`${Chain.name}: a compiled call that has changed the chain is still a call: EDEADLK`, () => {
    const chain = new Chain<number>('some_chain')
    const other: Block = { call: () => NOTIFY_DONE }
    let refused: unknown
    const block: Block = {
      name: 'changes',
      call(event) {
        if (event !== 2) return NOTIFY_DONE
        chain.register(other)
        const limit = Error.stackTraceLimit
        Error.stackTraceLimit = 0
        try {
          deep(200, () => chain.unregister(block))
        } catch (error) {
          refused = error
        }
        Error.stackTraceLimit = limit
        return NOTIFY_DONE
      },
    }
    const deep = (depth: number, then: () => unknown): unknown =>
      depth === 0 ? then() : deep(depth - 1, then)
    chain.register(block)
    for (let i = 0; i < COMPILED; i++) chain.call(1, undefined)
    chain.call(2, undefined)
    assert.ok(code('EDEADLK', /some_chain: notifier callback changes /)(refused))
    chain.unregister(block)
    assert.deepEqual(chain.blocks(), [other])
  })

  test(`${Chain.name}: a block may register another from its call`, () => {
    const chain = new Chain<number>()
    const other = { priority: -1, call: () => 8 }
    chain.register({
      call: () => {
        if (chain.blocks().length === 1) chain.register(other)
        return 1
      },
    })
    assert.equal(chain.call(0, undefined), 1, 'put in right behind, it is not seen')
    assert.equal(chain.call(0, undefined), 8)
  })
}

for (const Chain of [BlockingNotifierChain, SrcuNotifierChain]) {
  test(`${Chain.name}: a number, unless a block returned a promise`, async () => {
    const chain = new Chain<number>()
    assert.equal(chain.call(0, undefined), NOTIFY_DONE)
    chain.register({ call: () => 4 })
    assert.equal(chain.call(0, undefined), 4)
    const log: number[] = []
    chain.register({ priority: 1, call: async (event) => event })
    chain.register({ call: (event) => log.push(event) })
    for (const warm of [0, COMPILED]) {
      for (let i = 0; i < warm; i++) void chain.call(NOTIFY_BAD, undefined)
      const answer = chain.call(1, undefined)
      assert.ok(answer instanceof Promise)
      assert.ok((await answer) > 0)
      assert.equal(await chain.call(NOTIFY_BAD, undefined), NOTIFY_BAD, 'stop, after a wait')
      const counter = { calls: 0 }
      await chain.call(1, undefined, 2, counter)
      assert.equal(counter.calls, 2)
    }
    assert.deepEqual(log, [1, 1])
    chain.register({ name: 'odd', priority: 2, call: async () => 'no' as never })
    await assert.rejects(async () => chain.call(1, undefined), code('EINVAL', /odd answered no/))
  })
}

test('blocking: registered from a callback, and a robust call from one, is EDEADLK', () => {
  const chain = new BlockingNotifierChain<number>()
  let act = () => {}
  chain.register({
    name: 'outer',
    call: () => {
      act()
      return 0
    },
  })
  act = () => chain.register({ name: 'late', call: () => 0 })
  assert.throws(() => chain.call(0, undefined), code('EDEADLK', /late registered/))
  act = () => chain.callRobust(1, 2, undefined)
  assert.throws(() => chain.call(0, undefined), code('EDEADLK', /robust/))
  act = () => chain.call(0, undefined)
  assert.throws(() => chain.callRobust(1, 2, undefined), code('EDEADLK', /in a robust call/))
  act = () => {}
  assert.equal(chain.callRobust(1, 2, undefined), 0)
  assert.equal(chain.blocks().length, 1)
})

test('blocking: a recursive call behind a change that waits is EDEADLK', async () => {
  const chain = new BlockingNotifierChain<number>()
  const { open, passed } = gate()
  const inner: unknown[] = []
  const slow: AsyncBlock = { call: (event) => (event === 1 ? passed.then(() => 1) : 1) }
  chain.register(slow)
  chain.register({
    priority: -1,
    call() {
      try {
        inner.push(chain.call(2, undefined))
      } catch (error) {
        inner.push(error)
      }
      return NOTIFY_STOP
    },
  })
  const one = chain.call(1, undefined)
  const left = chain.unregister(slow)
  open()
  assert.equal(await one, NOTIFY_STOP)
  assert.ok(code('EDEADLK')(inner[0]))
  await left
})

test('blocking: errors of changes that wait come at once, by the list as it will be', async () => {
  const chain = new BlockingNotifierChain<number>()
  const { open, passed } = gate()
  const slow: AsyncBlock = { priority: 1, call: () => passed.then(() => NOTIFY_OK) }
  chain.register(slow)
  const walk = chain.call(1, undefined)
  const gone = chain.unregister(slow)
  assert.throws(() => chain.unregister(slow), code('ENOENT'))
  const heir: Block = { priority: 1, name: 'heir', call: () => 42 }
  chain.registerUniquePrio(heir)
  assert.throws(() => chain.register(heir), code('EEXIST'))
  assert.throws(() => chain.registerUniquePrio({ ...heir, name: 'third' }), code('EBUSY'))
  assert.deepEqual(chain.blocks(), [slow], 'nothing has changed yet')
  const later = chain.call(1, undefined)
  open()
  assert.equal(await walk, NOTIFY_OK)
  await gone
  assert.equal(await later, 42)
  assert.deepEqual(chain.blocks(), [heir])
})

test('blocking: a robust call excludes others until it has rolled back', async () => {
  const chain = new BlockingNotifierChain<number>()
  const log: string[] = []
  const { open, passed } = gate()
  chain.register({ priority: 2, call: (event) => log.push(`a${event}`) & 1 })
  chain.register({
    priority: 1,
    call: async (event) => {
      log.push(`b${event}`)
      if (event === 1) await passed
      return event === 1 ? NOTIFY_BAD : NOTIFY_OK
    },
  })
  const robust = chain.callRobust(1, 2, undefined)
  const call = chain.call(3, undefined)
  chain.register({ call: (event) => log.push(`c${event}`) & 1 })
  open()
  assert.equal(await robust, NOTIFY_BAD)
  await call
  await chain.call(4, undefined)
  assert.deepEqual(log, ['a1', 'b1', 'a2', 'a3', 'b3', 'a4', 'b4', 'c4'])
})

test('robust: a block that throws is a refusal too: those before it hear the other event', async () => {
  for (const fail of [
    () => assert.fail('no'),
    () => Promise.reject(new Error('no')),
  ] as (() => never)[]) {
    const chain = new BlockingNotifierChain<number>()
    const log: number[] = []
    chain.register({ call: (event) => log.push(event) & 1 })
    chain.register({ call: fail })
    await assert.rejects(async () => chain.callRobust(1, 2, undefined), /no/)
    assert.deepEqual(log, [1, 2])
    assert.equal(chain.register({ call: () => 0 }) instanceof Function, true)
  }
})

test('srcu: who walks goes on while a block is removed; unregister waits for those, not for others', async () => {
  const chain = new SrcuNotifierChain<number>()
  const gates = [gate(), gate()] as const
  const log: string[] = []
  const order: string[] = []
  const slow: AsyncBlock = {
    priority: 1,
    call: (event) => (gates[event]?.passed ?? Promise.resolve()).then(() => NOTIFY_OK),
  }
  const next: Block = { call: (event) => log.push(`next${event}`) & 1 }
  chain.register(slow)
  chain.register(next)
  const one = chain.call(0, undefined)
  const gone = chain.unregister(next).then(() => order.push('gone'))
  assert.deepEqual(chain.blocks(), [slow])
  const two = chain.call(1, undefined)
  const cleaned = chain.cleanup().then(() => order.push('cleaned'))
  gates[0].open()
  await one
  await gone
  assert.deepEqual(log, ['next0'], 'the walk under way had read it')
  assert.deepEqual(order, ['gone'])
  gates[1].open()
  await two
  await cleaned
  assert.deepEqual([log, order], [['next0'], ['gone', 'cleaned']])
  await chain.unregister(slow)
})

test('a map of events types what comes with each', () => {
  const chain = new RawNotifierChain<{ up: { index: number }; renamed: string }>('typed')
  const seen: unknown[] = []
  chain.register({
    call(event, data) {
      if (event === 'up') seen.push(data.index)
      else seen.push(data.toUpperCase())
      return NOTIFY_OK
    },
  })
  chain.call('up', { index: 4 })
  chain.call('renamed', 'eth0')
  // @ts-expect-error a name does not come with `up`
  assert.throws(() => chain.call('renamed', { index: 4 }), TypeError)
  assert.deepEqual(seen, [4, 'ETH0'])
})

test('where code may not be made from text, the chain is a loop and all the same holds', () => {
  if (process.execArgv.includes('--disallow-code-generation-from-strings')) {
    assert.throws(() => new Function('return 1'))
    return
  }
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = ['--disallow-code-generation-from-strings', fileURLToPath(import.meta.url)]
  const out = execFileSync(process.execPath, args, { env, encoding: 'utf8' })
  assert.match(out, /fail 0/)
})
