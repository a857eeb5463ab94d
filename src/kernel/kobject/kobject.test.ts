/** Kobjects and uevents: the tree, what is told of it, to whom, and within which bounds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KOBJECT_ACTIONS, uevent } from '../../families/uevent.ts'
import type { Socket } from '../../transport/transport.ts'
import { NETLINK_KOBJECT_UEVENT, NLM_F_ACK, NLM_F_REQUEST } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { UserNamespace } from '../credentials.ts'
import { Kernel, type TransportInit } from '../kernel.ts'
import { defineModule } from '../module/definition.ts'
import { NetDevice } from '../net/device.ts'
import {
  moveDevice,
  registerDevice,
  renameDevice,
  unregisterDevices,
} from '../net/device-registry.ts'
import type { Net } from '../net-namespace.ts'
import { UeventEnv } from './uevent-env.ts'

const open = (kernel: Kernel, init?: TransportInit, groups = [1]) =>
  kernel.transport(init).open({ protocol: NETLINK_KOBJECT_UEVENT, groups })
const buffer = new Uint8Array(8192)
const decoder = new TextDecoder()
/** Each datagram that waits, its NULs as blanks. */
function texts(socket: Socket): string[] {
  const found: string[] = []
  for (let size = socket.receive(buffer); size > 0; size = socket.receive(buffer)) {
    found.push(decoder.decode(buffer.subarray(0, size)).replaceAll('\0', ' '))
  }
  return found
}
/** The first line of each. */
const heads = (socket: Socket) => texts(socket).map((text) => text.split(' ')[0])
const log = (kernel: Kernel) => kernel.dmesg().map(({ text }) => text)
/** A number that the first event of the test has. */
const next = (kernel: Kernel) => kernel.kobject.ueventSeqnum + 1n

test('uevent: action@devpath, ACTION, DEVPATH, SUBSYSTEM, the caller’s, the kset’s, SEQNUM last', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const seq = next(kernel)
  const kset = kernel.kobject.createKset('doors', {}, { uevent: (_, env) => env.add('KSET=yes') })
  const door = kernel.kobject.create('door0', { kset }).add()
  door.uevent('add', ['B=2', 'A=1'])
  assert.deepEqual(texts(socket), [
    `add@/doors/door0 ACTION=add DEVPATH=/doors/door0 SUBSYSTEM=doors B=2 A=1 KSET=yes SEQNUM=${seq} `,
  ])
  assert.deepEqual([socket.senderPortid, socket.senderGroup], [0, 1])
})

test('uevent: each action has its name', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const kset = kernel.kobject.createKset('k')
  const kobj = kernel.kobject.create('o', { kset }).add()
  for (const action of KOBJECT_ACTIONS) kobj.uevent(action)
  assert.deepEqual(
    heads(socket),
    KOBJECT_ACTIONS.map((action) => `${action}@/k/o`),
  )
  assert.throws(() => kobj.uevent('explode' as never), { code: 'EINVAL' })
})

test('uevent: the 65th variable, and 2,049 bytes, are ENOMEM: a warning, nothing sent, no number used', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
  const seq = kernel.kobject.ueventSeqnum
  assert.throws(() => kobj.uevent('add', Array(62).fill('A=1')), { code: 'ENOMEM' })
  assert.throws(() => kobj.uevent('add', [`A=${'x'.repeat(2048)}`]), { code: 'ENOMEM' })
  assert.equal(kernel.kobject.ueventSeqnum, seq)
  assert.deepEqual(texts(socket), [])
  assert.deepEqual(log(kernel), [
    'add_uevent_var: too many keys',
    'add_uevent_var: buffer size too small',
  ])
  kobj.uevent('add', Array(60).fill('A=1'))
  assert.equal(texts(socket).length, 1)
})

test('uevent: where SEQNUM itself does not fit, its number is used up', async () => {
  await using kernel = new Kernel()
  const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
  const seq = kernel.kobject.ueventSeqnum
  assert.throws(() => kobj.uevent('add', Array(61).fill('A=1')), { code: 'ENOMEM' })
  assert.equal(kernel.kobject.ueventSeqnum, seq + 1n)
})

test('the environment: 2,048 bytes with the NULs, in UTF-8, and no NUL inside', () => {
  const env = new UeventEnv(() => {})
  env.add(`A=${'é'.repeat(1022)}`)
  assert.throws(() => env.add('B'), { code: 'ENOMEM' })
  env.add('')
  assert.throws(() => env.add('C=\0'), { code: 'EINVAL' })
})

test('SEQNUM: one count over all namespaces, also when nobody listens', async () => {
  await using kernel = new Kernel()
  const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
  const seq = kernel.kobject.ueventSeqnum
  kobj.uevent('change')
  kobj.uevent('change')
  assert.equal(kernel.kobject.ueventSeqnum, seq + 2n)
  const socket = await open(kernel, { net: kernel.addNet('blue') })
  const before = next(kernel)
  kobj.uevent('change')
  assert.match(texts(socket)[0] ?? '', new RegExp(`SEQNUM=${before} $`))
})

test('uevent: EINVAL without a kset above, ENOENT without a path; suppressed, filtered, nameless: nothing', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const { kobject } = kernel
  assert.throws(() => kobject.create('alone').add().uevent('add'), { code: 'EINVAL' })
  const kset = kobject.createKset('k')
  assert.throws(() => kobject.create('', { kset }).uevent('add'), { code: 'ENOENT' })
  const quiet = kobject.create('quiet', { kset }).add()
  quiet.ueventSuppress = true
  quiet.uevent('add')
  const filtered = kobject.createKset('f', {}, { filter: () => false })
  kobject.create('o', { kset: filtered }).add().uevent('add')
  const nameless = kobject.createKset('n', {}, { name: () => undefined })
  kobject.create('o', { kset: nameless }).add().uevent('add')
  const strict = kobject.createKset('s', {}, { uevent: () => assert.fail('no') })
  assert.throws(() => kobject.create('o', { kset: strict }).add().uevent('add'), /no/)
  assert.deepEqual(texts(socket), [])
})

test('uevent: the kset is the nearest one above, and says the subsystem', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const kset = kernel.kobject.createKset('k', {}, { name: () => 'class' })
  const parent = kernel.kobject.create('a', { kset }).add()
  kernel.kobject.create('b', { parent }).add().uevent('change')
  assert.match(texts(socket)[0] ?? '', /^change@\/k\/a\/b .*SUBSYSTEM=class /)
})

test('unbind loses every MODALIAS', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
  kobj.uevent('unbind', ['MODALIAS=a', 'X=1', 'MODALIAS=b', 'MODALIASES=2'])
  const [text = ''] = texts(socket)
  assert.match(text, /SUBSYSTEM=k X=1 MODALIASES=2 SEQNUM/)
})

test('kobjects: counted; the last put tells remove if add was told, once, and releases', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const gone: string[] = []
  const ktype = { release: (kobj: { name: string }) => gone.push(kobj.name) }
  const kset = kernel.kobject.createKset('k')
  const told = kernel.kobject.create('told', { kset, ktype }).add()
  const quiet = kernel.kobject.create('quiet', { kset, ktype }).add()
  const manual = kernel.kobject.create('manual', { kset, ktype }).add()
  told.uevent('add')
  manual.uevent('add')
  manual.uevent('remove')
  told.get()
  for (const kobj of [told, quiet, manual]) kobj.put()
  assert.deepEqual(gone, ['quiet', 'manual'])
  told.put()
  told.put()
  assert.deepEqual(gone, ['quiet', 'manual', 'told'])
  assert.deepEqual(heads(socket), [
    'add@/k/told',
    'add@/k/manual',
    'remove@/k/manual',
    'remove@/k/told',
  ])
  assert.equal(kset.members.size, 0)
  assert.deepEqual(kset.children(), [])
})

test('kobjects: remove that was told in vain, suppressed, is not made up for', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
  kobj.uevent('add')
  kobj.ueventSuppress = true
  kobj.uevent('remove')
  kobj.ueventSuppress = false
  kobj.put()
  assert.deepEqual(heads(socket), ['add@/k/o'])
})

test('kobjects: a parent lives as long as its children; a taken name is EEXIST; no name EINVAL', async () => {
  await using kernel = new Kernel()
  const gone: string[] = []
  const ktype = { release: ({ name }: { name: string }) => gone.push(name) }
  const parent = kernel.kobject.create('p', { ktype }).add()
  const child = kernel.kobject.create('c/d', { parent, ktype }).add()
  assert.equal(child.path, '/p/c!d')
  assert.equal(kernel.kobject.find('/p/c!d'), child)
  assert.throws(() => kernel.kobject.create('c/d', { parent }).add(), { code: 'EEXIST' })
  assert.match(log(kernel)[0] ?? '', /^kobject_add_internal failed for c!d with -EEXIST/)
  assert.throws(() => kernel.kobject.create('').add(), { code: 'EINVAL' })
  assert.throws(() => child.add(), { code: 'EINVAL' })
  parent.put()
  assert.deepEqual(gone, [])
  child.put()
  assert.deepEqual(gone, ['c!d', 'p'])
  assert.equal(kernel.kobject.find('/p'), undefined)
})

test('kobjects: rename and move are told as move with DEVPATH_OLD; what fails changes nothing', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const { kobject } = kernel
  const kset = kobject.createKset('k')
  const a = kobject.create('a', { kset }).add()
  const b = kobject.create('b', { kset }).add()
  a.rename('c')
  assert.throws(() => a.rename('b'), { code: 'EEXIST' })
  assert.equal(a.name, 'c')
  a.move(b)
  assert.equal(a.path, '/k/b/c')
  assert.deepEqual(
    texts(socket).map((text) => text.replace(/ACTION=move .*(DEVPATH_OLD=\S+) .*/, '$1')),
    ['move@/k/c DEVPATH_OLD=/k/a', 'move@/k/b/c DEVPATH_OLD=/k/c'],
  )
  assert.throws(() => kobject.create('x').rename('y'), { code: 'EINVAL' })
  b.put()
  assert.equal(b.refcount, 1, 'its child holds it')
  a.put()
  assert.equal(b.refcount, 0)
})

test('no listener and a full listener are no error; the listener hears ENOBUFS', async () => {
  await using kernel = new Kernel()
  const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
  kobj.uevent('change')
  const socket = await open(kernel)
  for (let i = 0; i < 2000; i++) kobj.uevent('change')
  assert.equal(socket.receive(buffer), -105)
})

test('untagged objects: heard in every namespace of the first user namespace; tagged in one', async () => {
  await using kernel = new Kernel()
  const blue = kernel.addNet('blue')
  const userNs = new UserNamespace(kernel.initUserNs, 1000)
  const boxed = kernel.addNet('boxed', userNs)
  const sockets: Socket[] = []
  for (const net of [kernel.initNet, blue, boxed]) sockets.push(await open(kernel, { net }))
  const kset = kernel.kobject.createKset('k', { ktype: { hasNamespaces: true } })
  const tagged = (name: string, net: Net) =>
    kernel.kobject.create(name, { kset, ktype: { namespace: () => net } }).add()
  kernel.kobject.create('all', { kset }).add().uevent('add')
  tagged('one', blue).uevent('add')
  tagged('one', boxed).uevent('add')
  assert.deepEqual(sockets.map(heads), [
    ['add@/k/all'],
    ['add@/k/all', 'add@/k/one'],
    ['add@/k/one'],
  ])
})

test('creds: root; for a tagged object the root of its namespace’s users', async () => {
  await using kernel = new Kernel()
  const userNs = new UserNamespace(kernel.initUserNs, 1000)
  const boxed = kernel.addNet('boxed', userNs)
  const kset = kernel.kobject.createKset('k', { ktype: { hasNamespaces: true } })
  const uids: (number | undefined)[] = []
  for (const net of [kernel.initNet, boxed]) {
    const sock = kernel.netlink.socket(net, NETLINK_KOBJECT_UEVENT, {
      pid: 1,
      uid: 0,
      gid: 0,
      capabilities: 'all',
    })
    sock.bind(0, 1)
    kernel.kobject
      .create('o', { kset, ktype: { namespace: () => net } })
      .add()
      .uevent('add')
    sock.receive(buffer)
    uids.push(sock.senderCredentials?.uid)
    sock.close()
  }
  assert.deepEqual(uids, [0, 1000])
})

const UUID = 'fe4d7c9d-b8c6-4a70-9ef1-3d8a58d18eed'
for (const [text, env] of [
  ['change', 'SYNTH_UUID=0'],
  ['change\n', 'SYNTH_UUID=0'],
  [`add ${UUID}`, `SYNTH_UUID=${UUID}`],
  [`add ${UUID} A=1 Bc=d2\n`, `SYNTH_UUID=${UUID} SYNTH_ARG_A=1 SYNTH_ARG_Bc=d2`],
] as const) {
  test(`synthetic uevent: ${JSON.stringify(text)}`, async () => {
    await using kernel = new Kernel()
    const socket = await open(kernel)
    const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
    kobj.synthUevent(text)
    assert.match(texts(socket)[0] ?? '', new RegExp(`SUBSYSTEM=k ${env} SEQNUM`))
  })
}
for (const [text, why] of [
  ['', 'unknown uevent action string'],
  ['bang', 'unknown uevent action string'],
  ['ad', 'unknown uevent action string'],
  ['adds', 'unknown uevent action string'],
  ['add ', 'incorrect uevent action arguments'],
  ['add no-uuid', 'incorrect uevent action arguments'],
  [`add ${UUID} `, 'incorrect uevent action arguments'],
  [`add ${UUID} A`, 'incorrect uevent action arguments'],
  [`add ${UUID} A=`, 'incorrect uevent action arguments'],
  [`add ${UUID} A_B=1`, 'incorrect uevent action arguments'],
  [`add ${UUID}  A=1`, 'incorrect uevent action arguments'],
  [`add ${UUID} ${'A=1 '.repeat(70).trim()}`, 'failed to send uevent'],
] as const) {
  test(`synthetic uevent: ${JSON.stringify(text.slice(0, 50))} is refused, and the log says why`, async () => {
    await using kernel = new Kernel()
    const kobj = kernel.kobject.create('o', { kset: kernel.kobject.createKset('k') }).add()
    assert.throws(() => kobj.synthUevent(text), {
      code: why.startsWith('failed') ? 'ENOMEM' : 'EINVAL',
    })
    assert.equal(log(kernel).at(-1), `synth uevent: /k/o: ${why}`)
  })
}

/** A message with `text` behind its header. */
function injection(text: string, flags = NLM_F_REQUEST) {
  const w = new Writer()
  const mark = w.messageStart(16, flags, 1, 0)
  w.string(text, false)
  w.view.setUint32(mark, w.length, HOST_LE)
  return w.finish()
}
/** errno and message of the answer. */
function answer(socket: Socket) {
  const size = socket.receive(buffer)
  const errno = new DataView(buffer.buffer).getInt32(16, HOST_LE)
  return [
    errno,
    decoder.decode(buffer.subarray(0, size)).includes('missing CAP_SYS_ADMIN capability'),
  ]
}

test('user injection: the header is cut off, a number put behind, in the kernel’s name', async () => {
  await using kernel = new Kernel()
  const [listener, socket] = [await open(kernel), await open(kernel, {}, [])]
  const seq = next(kernel)
  socket.send([injection('add@/x\0ACTION=add\0')])
  assert.deepEqual(texts(listener), [`add@/x ACTION=add SEQNUM=${seq} `])
  assert.equal(listener.senderPortid, 0)
  assert.deepEqual(texts(socket), [], 'and no answer')
  socket.send([injection('add@/y\0', NLM_F_REQUEST | NLM_F_ACK)])
  assert.deepEqual(answer(socket), [0, false])
})

test('user injection: needs CAP_SYS_ADMIN over the namespace, and 2,048 bytes at most', async () => {
  await using kernel = new Kernel()
  const nobody = await kernel
    .transport({ credentials: { uid: 7, capabilities: new Set() } })
    .open({ protocol: NETLINK_KOBJECT_UEVENT, options: { extAck: true } })
  const listener = await open(kernel)
  nobody.send([injection('add@/x\0')])
  assert.deepEqual(answer(nobody), [-1, true])
  const socket = await open(kernel, {}, [])
  const seq = kernel.kobject.ueventSeqnum
  socket.send([injection('x'.repeat(2048 - 16 - 8))])
  assert.equal(answer(socket)[0], -22)
  assert.equal(kernel.kobject.ueventSeqnum, seq + 1n, 'its number is used up')
  assert.deepEqual(texts(listener), [])
})

test('user injection stays in its namespace', async () => {
  await using kernel = new Kernel()
  const blue = kernel.addNet('blue')
  const [here, there] = [await open(kernel), await open(kernel, { net: blue })]
  const socket = await open(kernel, { net: blue }, [])
  socket.send([injection('add@/x\0')])
  assert.deepEqual([heads(here), heads(there)], [[], ['add@/x']])
})

test('modules: add@/module/NAME behind init, remove behind exit; nothing for one that fails', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  kernel.insmod(
    defineModule({
      name: 'door',
      license: 'GPL',
      init: () => {
        assert.deepEqual(texts(socket), [])
        return () => {}
      },
    }),
  )
  const bad = defineModule({ name: 'bad', license: 'GPL', init: () => -1 })
  assert.throws(() => kernel.insmod(bad), { code: 'EPERM' })
  await kernel.rmmod('door')
  assert.deepEqual(
    texts(socket).map((text) => text.replace(/SEQNUM=\d+ $/, '')),
    [
      'add@/module/door ACTION=add DEVPATH=/module/door SUBSYSTEM=module ',
      'remove@/module/door ACTION=remove DEVPATH=/module/door SUBSYSTEM=module ',
    ],
  )
})

test('network devices: device, rx queues, tx queues; queues first when it goes; a move tells DEVPATH_OLD', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const stack = kernel.rtnl.stackOf(kernel.initNet)
  const dev = new NetDevice(stack, 'v0')
  dev.rxQueues = 2
  registerDevice(dev)
  renameDevice(dev, 'w0')
  unregisterDevices([dev])
  const at = '/devices/virtual/net'
  assert.deepEqual(
    texts(socket).map((text) =>
      text.replace(/ACTION=\S+ DEVPATH=\S+ /, '').replace(/SEQNUM=\d+ $/, ''),
    ),
    [
      `add@${at}/v0 SUBSYSTEM=net INTERFACE=v0 IFINDEX=${dev.ifindex} `,
      `add@${at}/v0/queues/rx-0 SUBSYSTEM=queues `,
      `add@${at}/v0/queues/rx-1 SUBSYSTEM=queues `,
      `add@${at}/v0/queues/tx-0 SUBSYSTEM=queues `,
      `move@${at}/w0 SUBSYSTEM=net DEVPATH_OLD=${at}/v0 INTERFACE=w0 IFINDEX=${dev.ifindex} `,
      `remove@${at}/w0/queues/rx-1 SUBSYSTEM=queues `,
      `remove@${at}/w0/queues/rx-0 SUBSYSTEM=queues `,
      `remove@${at}/w0/queues/tx-0 SUBSYSTEM=queues `,
      `remove@${at}/w0 SUBSYSTEM=net INTERFACE=w0 IFINDEX=${dev.ifindex} `,
    ],
  )
})

test('network devices: heard in their own namespace; a move between two is remove and add, without queues', async () => {
  await using kernel = new Kernel()
  const blue = kernel.addNet('blue')
  const [here, there] = [await open(kernel), await open(kernel, { net: blue })]
  const dev = new NetDevice(kernel.rtnl.stackOf(kernel.initNet), 'v0')
  registerDevice(dev)
  heads(here)
  moveDevice(dev, kernel.rtnl.stackOf(blue))
  assert.deepEqual(
    [heads(here), heads(there)],
    [['remove@/devices/virtual/net/v0'], ['add@/devices/virtual/net/v0']],
  )
  assert.equal(kernel.kobject.find('/devices/virtual/net/v0', blue)?.name, 'v0')
  assert.equal(kernel.kobject.find('/devices/virtual/net/v0', kernel.initNet), undefined)
  unregisterDevices([dev])
  assert.deepEqual(heads(there), [
    'remove@/devices/virtual/net/v0/queues/rx-0',
    'remove@/devices/virtual/net/v0/queues/tx-0',
    'remove@/devices/virtual/net/v0',
  ])
})

test('network devices: each namespace has its lo, and nothing is left of it', async () => {
  await using kernel = new Kernel()
  const folder = kernel.kobject.find('/devices/virtual/net')
  assert.equal(folder?.children().length, 1)
  const blue = kernel.addNet('blue')
  assert.equal(folder?.children().length, 2)
  kernel.deleteNet(blue)
  assert.equal(folder?.children().length, 1)
  assert.equal(kernel.kobject.devices.members.size, 1)
})

test('the family’s type: any event comes back as it was', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_]+$/)
  const env = fc.dictionary(
    word,
    fc.string().filter((text) => !text.includes('\0')),
  )
  fc.assert(
    fc.property(word, word, env, (action, name, variables) => {
      const value = { action, devpath: `/${name}`, env: { ...variables } }
      const w = new Writer()
      uevent.put(w, value)
      assert.deepEqual(uevent.get(w.view, 0, w.length), value)
    }),
  )
  assert.throws(() => uevent.get(new DataView(new ArrayBuffer(3)), 0, 3), {
    code: 'NETLINK_DECODE',
  })
})
