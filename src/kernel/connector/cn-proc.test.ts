/** Process events: who hears what, acknowledgements, masks, and the count of listeners. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  PROC_CN_MCAST_IGNORE,
  PROC_CN_MCAST_LISTEN,
  PROC_EVENT_EXEC,
  PROC_EVENT_EXIT,
  PROC_EVENT_FORK,
  PROC_EVENT_NONZERO_EXIT,
  PROC_EVENT_SIZE,
  type ProcEvent,
  procEvent,
  procInput,
} from '../../families/cn-proc.ts'
import { cnMessage, cnMsg } from '../../families/connector.ts'
import type { Socket } from '../../transport/transport.ts'
import { NETLINK_CONNECTOR, NLMSG_DONE, NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { UserNamespace } from '../credentials.ts'
import { Kernel, type TransportInit } from '../kernel.ts'

const clock = { monotonic: () => 1.5, realtime: () => 0, setTimer: () => () => {} }
const open = (kernel: Kernel, init?: TransportInit, groups = [1]) =>
  kernel.transport(init).open({ protocol: NETLINK_CONNECTOR, groups })

/** LISTEN, IGNORE or whatever, with a mask or without, of some other length. */
function control(
  socket: Socket,
  mcastOp: number,
  eventType?: number,
  { seq = 0, ack = 0, extra = 0 } = {},
) {
  const data = new Writer()
  procInput.put(data, { mcastOp, eventType: eventType ?? 0 })
  if (eventType === undefined) data.trim(4)
  data.reserve(extra)
  const w = new Writer()
  const mark = w.messageStart(NLMSG_DONE, 0, seq, 0)
  cnMsg.put(w, { idx: 1, val: 1, seq, ack, len: data.length })
  w.put(data.finish())
  w.messageEnd(mark)
  socket.send([w.finish()])
}
const buffer = new Uint8Array(1024)
/** All events that wait. */
function events(socket: Socket): (ProcEvent & { seq: number; ack: number })[] {
  const found = []
  for (let size = socket.receive(buffer); size > 0; size = socket.receive(buffer)) {
    const view = new DataView(buffer.buffer, 0, size)
    const { data, idx, val, seq, ack, len } = cnMessage.get(view, NLMSG_HDRLEN, size)
    assert.deepEqual([idx, val, len, data.length], [1, 1, PROC_EVENT_SIZE, PROC_EVENT_SIZE])
    found.push({ ...procEvent.get(new DataView(data.buffer), 0, data.length), seq, ack })
  }
  return found
}
const names = (socket: Socket) => events(socket).map(({ what }) => what)

test('nothing is told before LISTEN; its acknowledgement has what none, ack + 1, and a seq of the CPU’s', async () => {
  await using kernel = new Kernel({ clock })
  const socket = await open(kernel)
  kernel.processes.init.fork()
  assert.deepEqual(events(socket), [])
  control(socket, PROC_CN_MCAST_LISTEN, undefined, { seq: 77, ack: 5 })
  assert.deepEqual(events(socket), [
    { what: 'none', cpu: 0, timestampNs: 1_500_000n, err: 0, seq: 0, ack: 6 },
  ])
})

test('fork, exec, uid, gid, sid, comm, ptrace, coredump, exit: what each tells', async () => {
  await using kernel = new Kernel({ clock })
  const socket = await open(kernel)
  control(socket, PROC_CN_MCAST_LISTEN)
  events(socket)
  const { init } = kernel.processes
  const shell = init.fork()
  const thread = shell.clone()
  shell.exec('a-name-of-more-than-15')
  shell.setuid(1000)
  shell.setgid(100)
  shell.setsid()
  shell.setComm('shell')
  shell.ptrace(init)
  shell.ptrace(undefined)
  thread.exit()
  shell.kill(11, true)
  const own = { processPid: 2, processTgid: 2 }
  const parent = { parentPid: 1, parentTgid: 1 }
  const expected = [
    { what: 'fork', ...parent, childPid: 2, childTgid: 2 },
    { what: 'fork', ...parent, childPid: 3, childTgid: 2 },
    { what: 'exec', ...own },
    { what: 'uid', ...own, ruid: 1000, euid: 1000 },
    { what: 'gid', ...own, rgid: 100, egid: 100 },
    { what: 'sid', ...own },
    { what: 'comm', ...own, comm: 'shell' },
    { what: 'ptrace', ...own, tracerPid: 1, tracerTgid: 1 },
    { what: 'ptrace', ...own, tracerPid: 0, tracerTgid: 0 },
    { what: 'exit', processPid: 3, processTgid: 2, exitCode: 0, exitSignal: -1, ...parent },
    { what: 'coredump', ...own, ...parent },
    { what: 'exit', ...own, exitCode: 0x8b, exitSignal: 17, ...parent },
  ].map((event, i) => ({ ...event, cpu: 0, timestampNs: 1_500_000n, seq: i + 1, ack: 0 }))
  assert.deepEqual(events(socket), expected)
  assert.deepEqual(
    kernel.processes.tasks().map(({ pid }) => pid),
    [1],
  )
})

test('each CPU counts for itself', async () => {
  await using kernel = new Kernel({ clock })
  const socket = await open(kernel)
  control(socket, PROC_CN_MCAST_LISTEN)
  events(socket)
  for (const cpu of [1, 0, 1]) kernel.procConnector.tell({ what: 'sid' }, cpu)
  assert.deepEqual(
    events(socket).map(({ cpu, seq }) => [cpu, seq]),
    [
      [1, 0],
      [0, 1],
      [1, 1],
    ],
  )
})

test('a mask: only its events; failures by NONZERO_EXIT; without the acknowledgement', async () => {
  await using kernel = new Kernel({ clock })
  const { init } = kernel.processes
  const forks = await open(kernel)
  const failures = await open(kernel)
  const exits = await open(kernel)
  control(forks, PROC_CN_MCAST_LISTEN, PROC_EVENT_FORK | PROC_EVENT_EXEC)
  control(failures, PROC_CN_MCAST_LISTEN, PROC_EVENT_NONZERO_EXIT)
  control(exits, PROC_CN_MCAST_LISTEN, PROC_EVENT_EXIT)
  const before = [[], ['none'], ['none', 'none']]
  assert.deepEqual(
    [forks, failures, exits].map(names),
    before,
    'others, as long as they have no mask',
  )
  init.fork().exit(0)
  const bad = init.fork()
  bad.exec('x')
  bad.exit(3)
  assert.deepEqual([forks, failures, exits].map(names), [
    ['fork', 'fork', 'exec'],
    ['exit'],
    ['exit', 'exit'],
  ])
})

test('a mask of 0, or of nothing known, is all', async () => {
  await using kernel = new Kernel({ clock })
  for (const mask of [0, 0x00100000]) {
    const socket = await open(kernel)
    control(socket, PROC_CN_MCAST_LISTEN, mask)
    assert.deepEqual(names(socket), ['none'])
    socket.close()
  }
})

test('IGNORE: it hears nothing more, not its own acknowledgement; the last one ends the events', async () => {
  await using kernel = new Kernel({ clock })
  const { init } = kernel.processes
  const [one, two] = [await open(kernel), await open(kernel)]
  control(one, PROC_CN_MCAST_LISTEN)
  control(two, PROC_CN_MCAST_LISTEN)
  control(two, PROC_CN_MCAST_LISTEN)
  assert.equal(kernel.procConnector.listeners, 2, 'once for each socket')
  for (const socket of [one, two]) events(socket)
  control(one, PROC_CN_MCAST_IGNORE)
  init.fork()
  assert.deepEqual([names(one), names(two)], [[], ['none', 'fork']])
  control(two, PROC_CN_MCAST_IGNORE)
  control(two, PROC_CN_MCAST_IGNORE)
  assert.equal(kernel.procConnector.listeners, 0)
  init.fork()
  assert.deepEqual([names(one), names(two)], [[], []])
})

test('members that never sent LISTEN get everything while somebody listens', async () => {
  await using kernel = new Kernel({ clock })
  const [quiet, listener] = [await open(kernel), await open(kernel)]
  control(listener, PROC_CN_MCAST_LISTEN, PROC_EVENT_EXIT)
  kernel.processes.init.fork()
  assert.deepEqual([names(quiet), names(listener)], [['none', 'fork'], []])
})

test('an unknown op is acknowledged with EINVAL, other lengths are ignored', async () => {
  await using kernel = new Kernel({ clock })
  const [listener, socket] = [await open(kernel), await open(kernel)]
  control(listener, PROC_CN_MCAST_LISTEN)
  events(listener)
  control(socket, 9, undefined, { ack: 1 })
  const [answer] = events(listener)
  assert.deepEqual(
    [answer?.what, answer?.what === 'none' && answer.err, answer?.ack],
    ['none', 22, 2],
  )
  control(socket, PROC_CN_MCAST_LISTEN, 0, { extra: 4 })
  assert.deepEqual(events(listener), [])
  assert.equal(kernel.procConnector.listeners, 1)
})

test('LISTEN itself needs no privilege', async () => {
  await using kernel = new Kernel({ clock })
  const credentials = { uid: 1000, gid: 1000, capabilities: new Set<never>() }
  const socket = await open(kernel, { credentials })
  control(socket, PROC_CN_MCAST_LISTEN)
  assert.equal(kernel.procConnector.listeners, 1)
  assert.deepEqual(names(socket), ['none'])
})

test('from another user namespace LISTEN is ignored without a word', async () => {
  await using kernel = new Kernel({ clock })
  const userNs = new UserNamespace(kernel.initUserNs, 1000)
  const socket = await kernel
    .transport({ credentials: { userNs } })
    .open({ protocol: NETLINK_CONNECTOR, groups: [1] })
  control(socket, PROC_CN_MCAST_LISTEN)
  assert.equal(kernel.procConnector.listeners, 0)
  assert.deepEqual(events(socket), [])
})

for (const leaks of [true, false]) {
  test(`closing without IGNORE ${leaks ? 'leaves the count raised, as Linux does' : 'counts out, in the mended mode'}`, async () => {
    await using kernel = new Kernel({ clock })
    kernel.procConnector.leaksListeners = leaks
    const socket = await open(kernel)
    control(socket, PROC_CN_MCAST_LISTEN)
    socket.close()
    assert.equal(kernel.procConnector.listeners, leaks ? 1 : 0)
    const other = await open(kernel)
    kernel.processes.init.fork()
    assert.equal(names(other).length, leaks ? 1 : 0)
  })
}

test('processes: orphans go to process 1, the dead do nothing, ids come round', async () => {
  await using kernel = new Kernel({ clock })
  const { processes } = kernel
  const parent = processes.init.fork()
  const child = parent.fork()
  parent.exit()
  parent.exit()
  assert.equal(child.parent, processes.init)
  assert.throws(() => parent.fork(), { code: 'ESRCH' })
  for (let i = 0; i < 40_000; i++) processes.init.fork().exit()
  assert.equal(processes.find(child.pid), child)
  const many = [...Array(200)].map(() => processes.init.fork())
  assert.equal(new Set(many.map(({ pid }) => pid)).size, 200)
})

test('any 40 bytes decode, and what decodes to a known event encodes to itself', () => {
  const known = fc.constantFrom(0, 1, 2, 4, 0x40, 0x80, 0x100, 0x40000000, 0x80000000, 5)
  fc.assert(
    fc.property(known, fc.uint8Array({ minLength: 40, maxLength: 40 }), (what, data) => {
      const view = new DataView(data.buffer)
      view.setUint32(0, what, HOST_LE)
      const value = procEvent.get(view, 0, 40)
      if (typeof value.what === 'number') return assert.equal(value.what, 5)
      const w = new Writer()
      procEvent.put(w, value)
      const again = procEvent.get(w.view, 0, 40)
      assert.equal(w.length, 40)
      assert.deepEqual(again, value)
    }),
  )
})
