/** A family of one's own on nlkit's kernel, through the client: typed at both ends, one error. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type TestContext, test } from 'node:test'
import { EncodeError, NetlinkError } from '../errors.ts'
import { Kernel } from '../kernel/kernel.ts'
import { attrs, genlFamily, message, nest, string, u8, u32 } from '../schema/index.ts'
import type { Netlink } from './netlink.ts'
import { open } from './open.ts'

const lock = attrs('LOCK_', { code: [1, u32], owner: [2, string] })
const set = attrs('DOOR_', {
  id: [1, u32],
  name: [2, string.max(15)],
  state: [3, u8.max(1)],
  lock: [4, nest(lock)],
})
const door = message(set)
const doors = genlFamily({
  name: 'door',
  version: 1,
  groups: ['events', 'admin'],
  ops: {
    get: {
      cmd: 1,
      replyCmd: 2,
      do: { request: message(set.only('id')), reply: door },
      dump: { reply: door },
    },
    open: { cmd: 3, do: { request: message(set.only('id!', 'lock')) } },
    wait: { cmd: 5, async: true, do: { request: message(set.only('id')), reply: door } },
    gone: { cmd: 6, do: { reply: door } },
  },
  notifications: {
    changed: { cmd: 9, group: 'events', body: door },
    jammed: { cmd: 10, group: ['events', 'admin'], body: door },
  },
})

interface House {
  readonly kernel: Kernel
  readonly nl: Netlink
  readonly notify: (name: 'changed' | 'jammed', id: number) => void
  /** Lets a waiting request have its answer. */
  readonly ring: () => void
}

async function house(t: TestContext): Promise<House> {
  const kernel = new Kernel()
  let ring = (): void => {}
  const registered = kernel.genl.registerFamily(doors, {
    get: {
      doit({ id = 0 }) {
        if (id === 404) throw new NetlinkError('ENODEV', 'no such door')
        return { id, name: `door ${id}`, state: 0 }
      },
      *dumpit() {
        for (let id = 0; id < 2000; id++) yield { id, name: `door ${id}` }
      },
    },
    open: {
      doit({ lock: given }) {
        if (given?.code === 13)
          throw new NetlinkError('EACCES', {
            extack: { message: 'wrong code', attribute: 'lock.code' },
          })
        return undefined
      },
    },
    wait: {
      doit: async ({ id = 0 }) => {
        await new Promise<void>((resolve) => {
          ring = resolve
        })
        return { id, name: 'late' }
      },
    },
  })
  const nl = await open({ kernel })
  t.after(async () => {
    await nl.close()
    await kernel[Symbol.asyncDispose]()
  })
  return {
    kernel,
    nl,
    ring: () => ring(),
    notify: (name, id) => void registered.notify(name, { id }),
  }
}

test('do and dump, as the description has them', async (t) => {
  const { nl } = await house(t)
  const family = await nl.family(doors)
  const reply = await family.do('get', { id: 7 })
  assert.deepEqual(reply, { id: 7, name: 'door 7', state: 0 })
  assert.equal(await family.do('open', { id: 7 }), undefined)
  const all = await family.dump('get').toArray()
  assert.deepEqual(
    all.map((d) => d.id),
    Array.from({ length: 2000 }, (_, id) => id),
  )
  let batches = 0
  for await (const batch of family.dump('get').batches()) batches += batch.length > 0 ? 1 : 0
  assert.ok(batches > 1)
  assert.deepEqual([family.supports('get'), family.supports('gone')], [true, false])
  assert.equal(family.supports('nothing' as never), false)
})

test('what a handler throws is what the caller catches: code, words, path', async (t) => {
  const { nl } = await house(t)
  const family = await nl.family(doors)
  await assert.rejects(family.do('get', { id: 404 }), (error: unknown) => {
    assert.ok(error instanceof NetlinkError)
    assert.deepEqual(
      [error.code, error.errno, error.extack?.message],
      ['ENODEV', -19, 'no such door'],
    )
    assert.equal(error.message, 'door.get: no such door (ENODEV)')
    assert.match(error.stack ?? '', /family\.test/)
    return true
  })
  await assert.rejects(
    family.do('open', { id: 1, lock: { code: 13, owner: 'me' } }),
    (error: unknown) => {
      assert.ok(error instanceof NetlinkError)
      assert.deepEqual([error.code, error.extack?.attribute], ['EACCES', 'lock.code'])
      return true
    },
  )
  await assert.rejects(family.do('open', { lock: {} } as never), (error: unknown) => {
    assert.ok(error instanceof EncodeError)
    assert.equal(error.path, 'id')
    return true
  })
  await assert.rejects(family.do('gone'), { code: 'EOPNOTSUPP' })
})

test('a reply that comes later, and patience that does not', async (t) => {
  const { nl, ring } = await house(t)
  const family = await nl.family(doors)
  const late = family.do('wait', { id: 3 })
  setImmediate(ring)
  assert.deepEqual(await late, { id: 3, name: 'late' })
  await assert.rejects(family.do('wait', { id: 4 }, { timeout: 5 }), { code: 'NETLINK_TIMEOUT' })
  ring()
  assert.equal((await family.do('get', { id: 5 })).id, 5)
})

test('notifications of the groups that are listened to', async (t) => {
  const { nl, notify } = await house(t)
  const family = await nl.family(doors)
  const everything = family.listen()
  const admin = family.listen(['admin'])
  await Promise.all([everything.ready, admin.ready])
  notify('changed', 1)
  notify('jammed', 2)
  const first = await everything.next()
  assert.deepEqual(first.value, { name: 'changed', value: { id: 1 } })
  assert.deepEqual((await everything.next()).value.name, 'jammed')
  assert.deepEqual((await admin.next()).value, { name: 'jammed', value: { id: 2 } })
  family.close()
  await assert.rejects(admin.next(), { code: 'NETLINK_CLOSED' })
  assert.throws(() => family.listen(), { code: 'NETLINK_CLOSED' })
})

test('a family is looked up once, however many ask; a failure is not remembered', async (t) => {
  const { nl, kernel } = await house(t)
  let sent = 0
  const count = (): void => {
    sent++
  }
  subscribe('nlkit:send', count)
  try {
    await Promise.all([nl.family(doors), nl.family(doors), nl.family(doors)])
    await nl.family(doors)
    assert.equal(sent, 1)
    const windows = genlFamily({ ...doors, name: 'window' })
    await assert.rejects(nl.family(windows), {
      code: 'NETLINK_FAMILY',
      message: /no generic netlink family named window/,
    })
    const misspelt = genlFamily({ ...doors, name: 'dor' })
    await assert.rejects(nl.family(misspelt), { hint: 'did you mean door?' })
    kernel.genl.registerFamily(windows, {})
    await nl.family(windows)
  } finally {
    unsubscribe('nlkit:send', count)
  }
})

test('a family with another header than described', async (t) => {
  const { nl } = await house(t)
  const headed = genlFamily({ ...doors, headerSize: 4 })
  await assert.rejects(nl.family(headed), { code: 'NETLINK_FAMILY', message: /header of 0 bytes/ })
})
