/** What a family may have besides its handlers: hooks, data for each socket, the edges of a dump. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetlinkError } from '../../errors.ts'
import { attrs, type GenlFamily, genlFamily, message, u32 } from '../../schema/index.ts'
import {
  NETLINK_ADD_MEMBERSHIP,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { ESRCH } from '../errno.ts'
import { Kernel } from '../kernel.ts'
import { NETLINK_URELEASE } from '../netlink/notify.ts'
import { ctrlAttr, drain, nlctrlSocket, policyLines, request } from './ctrl.test.support.ts'
import type { FamilyHandlers, FamilyOptions } from './family.ts'
import { SocketData } from './socket-data.ts'

const set = attrs('T_', { id: [1, u32] })
const item = message(set)
const things = genlFamily({
  name: 'things',
  version: 1,
  groups: ['news', 'more'],
  ops: {
    get: { cmd: 1, do: { request: item, reply: item }, dump: { request: item, reply: item } },
    slow: { cmd: 2, async: true, do: { request: item } },
  },
  notifications: { told: { cmd: 9, group: 'news', body: item } },
})
const id = (value: number) => ctrlAttr.raw(1, Uint8Array.of(value, 0, 0, 0))

function serve(handlers: FamilyHandlers<typeof things>, options: FamilyOptions = {}) {
  const kernel = new Kernel()
  const registered = kernel.genl.registerFamily(things, handlers, options)
  return { kernel, registered, ...nlctrlSocket(kernel) }
}

test('pre_doit stands behind the policy and in front of doit; what it throws skips both', () => {
  const calls: string[] = []
  const { registered, send } = serve(
    {
      get: {
        doit({ id: which = 0 }) {
          calls.push('doit')
          if (which === 2) throw new NetlinkError('ENODEV')
          return { id: which }
        },
      },
    },
    {
      preDoit(given) {
        calls.push('pre')
        if ((given as { id?: number }).id === 1) throw new NetlinkError('EPERM')
      },
      postDoit: () => calls.push('post'),
    },
  )
  const ask = (...parts: Uint8Array[]) => {
    calls.length = 0
    return [send(registered.id, 1, ...parts).at(-1), ...calls]
  }
  assert.deepEqual(ask(id(7)), ['errno 0', 'pre', 'doit', 'post'])
  assert.deepEqual(ask(id(1)), ['errno -1', 'pre'])
  assert.deepEqual(ask(id(2)), ['errno -19', 'pre', 'doit', 'post'])
  assert.deepEqual(ask(ctrlAttr.raw(9, Uint8Array.of(1))), [
    'errno -22 at 20 Unknown attribute type',
  ])
})

test('an operation`s own hooks stand in place of the family`s; post waits for a promise', async () => {
  const calls: string[] = []
  let finish = (): void => {}
  const { registered, send, sock } = serve(
    {
      get: { doit: () => undefined, preDoit: () => calls.push('own pre') },
      slow: {
        doit: async () => {
          await new Promise<void>((resolve) => {
            finish = resolve
          })
          calls.push('done')
          return undefined
        },
      },
    },
    { preDoit: () => calls.push('pre'), postDoit: () => calls.push('post') },
  )
  send(registered.id, 1)
  assert.deepEqual(calls.splice(0), ['own pre', 'post'])
  assert.deepEqual(send(registered.id, 2), [])
  assert.deepEqual(calls, ['pre'])
  finish()
  await new Promise(setImmediate)
  assert.deepEqual(policyLines(drain(sock)), ['errno 0'])
  assert.deepEqual(calls, ['pre', 'done', 'post'])
})

test('data of a socket: made when wanted, freed with the socket in front of URELEASE', () => {
  const calls: string[] = []
  const counts = new SocketData(
    () => ({ asked: 0 }),
    ({ asked }) => calls.push(`freed ${asked}`),
  )
  const { kernel, registered, sock, send } = serve(
    { get: { doit: (_, ctx) => ({ id: ++counts.of(ctx).asked }) } },
    { socketData: counts },
  )
  kernel.netlink.notifier.register({
    name: 'release',
    call: (what) => {
      if (what === NETLINK_URELEASE) calls.push('released')
      return 0
    },
  })
  const other = nlctrlSocket(kernel)
  for (let i = 0; i < 3; i++) send(registered.id, 1)
  other.send(registered.id, 1)
  assert.equal(counts.size, 2)
  sock.close()
  assert.deepEqual(calls, ['freed 3', 'released'])
  registered.unregister()
  assert.deepEqual(calls, ['freed 3', 'released', 'freed 1'])
  assert.equal(counts.size, 0)
  other.sock.close()
  assert.equal(calls.length, 4)
})

/** Dumps everything: ids, the flags of each message, the verdict. */
function dumpOf(
  sock: ReturnType<typeof nlctrlSocket>['sock'],
  family: number,
  ...parts: Uint8Array[]
) {
  sock.send([request(family, NLM_F_REQUEST | NLM_F_DUMP, 1, parts)])
  return drain(sock)
}

test('start refuses with an error, done comes once however a dump ends', () => {
  const calls: string[] = []
  const { registered, sock } = serve({
    get: {
      start({ id: which = 0 }) {
        if (which === 1) throw new NetlinkError('EBUSY')
        calls.push('start')
      },
      *dumpit({ id: which = 0 }) {
        if (which === 2) throw new NetlinkError('ENXIO')
        for (let i = 0; i < (which === 3 ? 5000 : 2); i++) yield { id: i }
      },
      done: () => calls.push('done'),
    },
  })
  assert.deepEqual(policyLines(dumpOf(sock, registered.id, id(1))), ['errno -16'])
  assert.deepEqual(calls.splice(0), [])
  assert.deepEqual(policyLines(dumpOf(sock, registered.id, id(2))), ['done -6'])
  assert.deepEqual(calls.splice(0), ['start', 'done'])
  assert.equal(policyLines(dumpOf(sock, registered.id)).at(-1), 'done 0')
  assert.deepEqual(calls.splice(0), ['start', 'done'])
  sock.send([request(registered.id, NLM_F_REQUEST | NLM_F_DUMP, 1, [id(3)])])
  assert.deepEqual(calls, ['start'])
  sock.close()
  assert.deepEqual(calls, ['start', 'done'])
})

test('what changes underneath a dump is told with NLM_F_DUMP_INTR', () => {
  let generation = 1
  const { registered, sock } = serve({
    get: {
      *dumpit(_, ctx) {
        for (let i = 0; i < 2000; i++) {
          if (i === 1000) generation++
          ctx.dumpSeq = generation
          yield { id: i }
        }
      },
    },
  })
  const flags: number[] = []
  for (const datagram of dumpOf(sock, registered.id)) {
    const walker = new MessageWalker(viewOf(datagram))
    while (walker.next()) if (walker.flags & NLM_F_DUMP_INTR) flags.push(walker.type)
  }
  assert.deepEqual(flags, [registered.id])
})

test('a command from resvStartOp on is judged strictly, or not registered', () => {
  const kernel = new Kernel()
  const doit = () => undefined
  const register = (more: object, resvStartOp: number) =>
    kernel.genl.registerFamily(things, { get: { doit, ...more } }, { resvStartOp })
  for (const more of [{ validate: 'liberal' }, { validate: 'none' }, { validateDump: 'none' }])
    assert.throws(() => register(more, 1), { code: 'EINVAL' })
  assert.equal(register({ validate: 'liberal' }, 2).id, 19, 'what failed left nothing behind')
})

test('what fails midway leaves no id, no name, no group, and nobody was told', () => {
  const kernel = new Kernel()
  const { sock } = nlctrlSocket(kernel)
  sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 16)
  const doit = () => undefined
  const broken: readonly [GenlFamily, object][] = [
    [things, { get: { doit }, slow: {} }],
    [things, { get: { doit }, nowhere: { doit } }],
    [genlFamily({ ...things, groups: ['news', 'sixteen-letters-'] }), { get: { doit } }],
    [genlFamily({ ...things, name: 'nlctrl' }), { get: { doit } }],
  ]
  for (const [family, handlers] of broken)
    assert.throws(() => kernel.genl.registerFamily(family, handlers as never))
  assert.deepEqual(drain(sock), [])
  assert.equal(kernel.genl.find('things'), undefined)
  const { id: given, groups } = kernel.genl.registerFamily(things, { get: { doit } })
  assert.deepEqual([given, groups.map((group) => group.id)], [19, [2, 3]])
})

test('to all namespaces: delivered anywhere is 0, nowhere -ESRCH, closed when the family goes', () => {
  const { kernel, registered, sock } = serve({})
  const there = nlctrlSocket(kernel, kernel.addNet()).sock
  assert.equal(registered.notify('told', { id: 1 }, { net: 'all' }), -ESRCH)
  there.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, registered.groupId('news'))
  assert.equal(registered.notify('told', { id: 1 }, { net: 'all' }), 0)
  assert.equal(registered.notify('told', { id: 1 }), -ESRCH)
  assert.deepEqual([drain(there).length, drain(sock).length], [1, 0])
  registered.unregister()
  kernel.genl.registerFamily(things, {})
  assert.deepEqual(drain(there), [])
})

test('a thousand families of a hundred operations each: every one is found, by number and by name', () => {
  const kernel = new Kernel()
  const ops: Record<string, { cmd: number; do: object }> = {}
  const handlers: Record<string, { doit: () => undefined }> = {}
  for (let cmd = 1; cmd <= 100; cmd++) {
    ops[`op${cmd}`] = { cmd, do: {} }
    handlers[`op${cmd}`] = { doit: () => undefined }
  }
  const register = (i: number) =>
    kernel.genl.registerFamily(genlFamily({ name: `f${i}`, version: 1, ops }), handlers)
  for (let i = 0; i < 1005; i++) register(i)
  assert.throws(() => register(1005), { code: 'ENOSPC' })
  const { send } = nlctrlSocket(kernel)
  for (const i of [0, 500, 1004]) {
    assert.deepEqual(send(19 + i, 100), ['errno 0'])
    assert.deepEqual(send(16, 3, ctrlAttr.name(`f${i}`)), ['command 1', 'errno 0'])
    assert.deepEqual(send(19 + i, 101), ['errno -95'])
  }
})
