/** A family that is unloaded and loaded anew, while clients use it: nobody's answer is another's. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type TestContext, test } from 'node:test'
import { isNetlinkError, NetlinkError } from '../errors.ts'
import { Kernel } from '../kernel/kernel.ts'
import { attrs, genlFamily, message, nest, string, u8, u32 } from '../schema/index.ts'
import type { FamilyClient } from './family.ts'
import type { Netlink } from './netlink.ts'
import { open } from './open.ts'

const lock = attrs('LOCK_', { code: [1, u32.max(9999)], owner: [2, string.max(7)] })
const set = attrs('ECHO_', {
  who: [1, string],
  value: [2, u32],
  lock: [3, nest(lock)],
  late: [4, u8],
})
const echo = message(set)
const make = (name: string) =>
  genlFamily({
    name,
    version: 1,
    groups: ['events'],
    ops: {
      echo: {
        cmd: 1,
        do: { request: message(set.only('value', 'lock')), reply: echo },
        dump: { request: message(set.only('value')), reply: echo },
      },
      lost: { cmd: 2, do: { reply: echo } },
    },
    notifications: { said: { cmd: 3, group: 'events', body: echo } },
  })
const echoes = make('echo')
type Echo = typeof echoes

/** Answers with its own name; `lost` with an ENOENT of its own. */
function load(kernel: Kernel, name = 'echo') {
  const family = make(name)
  return kernel.genl.registerFamily(family, {
    echo: {
      doit: ({ value }) => ({ who: name, value }),
      *dumpit({ value = 0 }) {
        for (let i = 0; i < 3; i++) yield { who: name, value: value + i }
      },
    },
    lost: {
      doit() {
        throw new NetlinkError('ENOENT')
      },
    },
  })
}

async function house(t: TestContext): Promise<{ kernel: Kernel; nl: Netlink; sent: () => number }> {
  const kernel = new Kernel()
  const nl = await open({ kernel })
  let sent = 0
  const count = (): void => {
    sent++
  }
  subscribe('nlkit:send', count)
  t.after(async () => {
    unsubscribe('nlkit:send', count)
    await nl.close()
    await kernel.close()
  })
  return { kernel, nl, sent: () => sent }
}

test('a request to a family that was loaded anew reaches it', async (t) => {
  const { kernel, nl } = await house(t)
  let registered = load(kernel)
  const family = await nl.family(echoes)
  assert.equal((await family.do('echo', { value: 1 })).value, 1)
  const before = registered.id
  registered.unregister()
  registered = load(kernel)
  assert.notEqual(registered.id, before)
  assert.equal((await family.do('echo', { value: 2 })).value, 2)
  registered.unregister()
  registered = load(kernel)
  assert.deepEqual(
    (await family.dump('echo', { value: 5 }).toArray()).map(({ value }) => value),
    [5, 6, 7],
  )
})

test('a stale number that nothing told of: sent again, once, because another is found', async (t) => {
  const { kernel, nl, sent } = await house(t)
  const registered = load(kernel)
  const family = await nl.family(echoes)
  await family.do('echo', { value: 1 })
  const asked = family.do('echo', { value: 2 })
  registered.unregister()
  load(kernel)
  const before = sent()
  assert.equal((await asked).value, 2)
  assert.equal(sent() - before, 3, 'the request, the look-up, the request again')
})

test('an ENOENT of the handler`s own is not asked again', async (t) => {
  const { kernel, nl, sent } = await house(t)
  load(kernel)
  const family = await nl.family(echoes)
  const before = sent()
  await assert.rejects(family.do('lost'), { code: 'ENOENT' })
  assert.equal(sent() - before, 2, 'the request, and the look-up that gave the same number')
})

test('a family that is gone is told as such, and is found again when it is back', async (t) => {
  const { kernel, nl } = await house(t)
  const registered = load(kernel)
  const family = await nl.family(echoes)
  registered.unregister()
  await assert.rejects(family.do('echo', {}), { code: 'NETLINK_FAMILY' })
  await assert.rejects(family.dump('echo').toArray(), { code: 'NETLINK_FAMILY' })
  load(kernel)
  assert.equal((await family.do('echo', { value: 3 })).who, 'echo')
})

test('who listens goes on listening, and is told that something may be lost', async (t) => {
  const { kernel, nl } = await house(t)
  let registered = load(kernel)
  const family = await nl.family(echoes)
  const events = family.listen()
  await events.ready
  registered.notify('said', { value: 1 })
  assert.deepEqual((await events.next()).value, { name: 'said', value: { value: 1 } })
  registered.unregister()
  kernel.genl.registerFamily(make('other'), {})
  registered = load(kernel)
  assert.equal((await events.next()).value.name, 'overrun')
  registered.notify('said', { value: 2 })
  assert.deepEqual((await events.next()).value, { name: 'said', value: { value: 2 } })
})

/** What came of one request: its own answer, or a typed error. */
async function outcome(family: FamilyClient<Echo>, name: string, value: number): Promise<string> {
  try {
    const reply = await family.do('echo', { value })
    assert.deepEqual(reply, { who: name, value })
    return 'answered'
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    assert.ok(['NETLINK_FAMILY', 'ENOENT', 'NETLINK_LOST'].includes(error.code), error.code)
    return error.code
  }
}

test('two clients, ten thousand requests, families unloaded and loaded meanwhile', async (t) => {
  const { kernel, nl } = await house(t)
  const other = await open({ kernel })
  t.after(() => other.close())
  const names = ['echo', 'echo2'] as const
  const loaded = new Map(names.map((name) => [name, load(kernel, name)]))
  const families = await Promise.all(
    [nl, other].flatMap((each) =>
      names.map(async (name) => ({ name, family: await each.family(make(name)) })),
    ),
  )
  const outcomes = new Map<string, number>()
  let value = 0
  let isOver = false
  const unload = async (): Promise<void> => {
    for (let round = 0; !isOver; round++) {
      const name = names[round % 2] as 'echo'
      loaded.get(name)?.unregister()
      if (round % 3 === 0) await new Promise(setImmediate)
      loaded.set(name, load(kernel, name))
      await new Promise(setImmediate)
    }
  }
  const asking = families.map(async ({ name, family }) => {
    for (let i = 0; i < 250; i++) {
      const batch = Array.from({ length: 10 }, () =>
        outcome(family as unknown as FamilyClient<Echo>, name, value++),
      )
      for (const each of await Promise.all(batch)) outcomes.set(each, (outcomes.get(each) ?? 0) + 1)
      await new Promise(setImmediate)
    }
  })
  const unloading = unload()
  try {
    await Promise.all(asking)
  } finally {
    isOver = true
    await unloading
  }
  assert.equal(value, 10_000)
  assert.equal(
    [...outcomes.values()].reduce((sum, n) => sum + n, 0),
    10_000,
  )
  assert.ok((outcomes.get('answered') ?? 0) > 5000, JSON.stringify([...outcomes]))
})

test('supports: operations, and attributes by the live policy', async (t) => {
  const { kernel, nl } = await house(t)
  const older = genlFamily({
    ...echoes,
    ops: { echo: { cmd: 1, do: { request: message(set.only('value')), reply: echo } } },
  })
  kernel.genl.registerFamily(older, { echo: { doit: () => ({}) } })
  const family = await nl.family(echoes)
  assert.equal(family.supports('echo'), true)
  assert.equal(family.supports('lost'), false)
  assert.equal(await family.supports('echo', 'value'), true)
  assert.equal(await family.supports('echo', 'lock'), false)
  assert.equal(await family.supports('echo', 'lock.code'), false)
  assert.equal(await family.supports('echo', 'nonsense'), false)
  assert.equal(await family.supports('lost', 'value'), false)
  const registered = kernel.genl.find('echo')
  if (registered) kernel.genl.unregisterFamily(registered)
  load(kernel)
  assert.equal(await family.supports('echo', 'lock.code'), true, 'a newer one has it')
})

test('a check before sending: the kernel`s own errno, words, place and policy', async (t) => {
  const { kernel, nl, sent } = await house(t)
  const strictLock = attrs('LOCK_', { code: [1, u32.max(99)], owner: [2, string.max(3)] })
  const strict = genlFamily({
    ...echoes,
    ops: {
      echo: {
        cmd: 1,
        do: {
          request: message(attrs('ECHO_', { value: [2, u32.min(5)], lock: [3, nest(strictLock)] })),
          reply: echo,
        },
      },
    },
  })
  kernel.genl.registerFamily(strict, { echo: { doit: () => ({}) } })
  const family = await nl.family(echoes)
  for (const request of [
    { value: 4 },
    { lock: { code: 100 } },
    { value: 5, lock: { owner: 'four' } },
    { lock: { code: 1 }, unknown: [{ type: 9, data: Uint8Array.of(1), index: 1 }] },
  ]) {
    const refusals: unknown[] = []
    for (const options of [{ check: true }, {}]) {
      const before = sent()
      await family.do('echo', request, options).catch((error) => {
        assert.ok(error instanceof NetlinkError)
        const { code, message: text, extack, request: name } = error
        refusals.push({ code, text, extack, name })
      })
      if (options.check) assert.ok(sent() - before <= 1, 'nothing but the policy was asked for')
    }
    assert.equal(refusals.length, 2, JSON.stringify(request))
    assert.deepEqual(refusals[0], refusals[1])
  }
  assert.deepEqual(await family.do('echo', { value: 5 }, { check: true }), {})
  await family.check('echo', { value: 6, lock: { code: 99, owner: 'two' } })
})
