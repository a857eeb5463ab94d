/** The kernel as a whole: namespaces, pernet operations, the log, its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NETLINK_GENERIC, NETLINK_USERSOCK } from '../wire/constants.ts'
import { nsCapable, UserNamespace } from './credentials.ts'
import { Kernel } from './kernel.ts'
import { KernelLog } from './printk/log.ts'

const clock = (now = 0) => ({
  monotonic: () => now++,
  realtime: () => 0,
  setTimer: () => () => {},
})

test('namespaces by name', () => {
  const kernel = new Kernel()
  const blue = kernel.addNet('blue')
  const nameless = kernel.addNet()
  assert.equal(kernel.net('blue'), blue)
  assert.throws(() => kernel.net('red'), { code: 'ENOENT' })
  assert.throws(() => kernel.addNet('blue'), { code: 'EEXIST' })
  assert.deepEqual(kernel.nets(), [kernel.initNet, blue, nameless])
  kernel.deleteNet('blue')
  kernel.deleteNet(blue)
  assert.throws(() => kernel.deleteNet('blue'), { code: 'ENOENT' })
  assert.throws(() => kernel.deleteNet(kernel.initNet), { code: 'EBUSY' })
  assert.equal(blue.isGone, true)
  assert.notEqual(kernel.addNet('blue').cookie, blue.cookie)
})

test('a namespace lives on while a socket is open in it', async () => {
  const kernel = new Kernel()
  const gone: string[] = []
  kernel.registerPernet({ init: (net) => net.name, exit: (_, name) => gone.push(String(name)) })
  const blue = kernel.addNet('blue')
  const transport = kernel.transport({ net: 'blue' })
  const one = await transport.open({ protocol: NETLINK_USERSOCK })
  const two = await transport.open({ protocol: NETLINK_GENERIC })
  kernel.deleteNet(blue)
  assert.throws(() => kernel.net('blue'), { code: 'ENOENT' })
  one.close()
  one.close()
  assert.deepEqual(gone, [])
  assert.ok(kernel.nets().includes(blue))
  two.close()
  assert.deepEqual(gone, ['blue'])
  assert.ok(!kernel.nets().includes(blue))
  await assert.rejects(kernel.transport().open({ protocol: NETLINK_USERSOCK, netns: blue }), {
    code: 'NETLINK_INVALID',
  })
})

test('ids by which namespaces know each other', () => {
  const kernel = new Kernel()
  const [a, b, c] = [kernel.initNet, kernel.addNet(), kernel.addNet()]
  assert.equal(a.nsidOf(b), -1)
  assert.equal(a.assignNsid(c, 0), 0)
  assert.equal(a.assignNsid(b), 1)
  assert.equal(a.assignNsid(b), 1)
  assert.equal(a.assignNsid(b, 5), -1, 'it has another')
  assert.equal(a.assignNsid(kernel.addNet(), 1), -1, 'taken')
  assert.equal(a.byNsid(0), c)
  assert.equal(b.nsidOf(a), -1)
  kernel.deleteNet(c)
  assert.equal(a.byNsid(0), undefined)
})

test('pernet operations: in all namespaces, those to come too; the last one leaves first', () => {
  const kernel = new Kernel()
  const order: string[] = []
  const note = (name: string) =>
    kernel.registerPernet({
      init: (net) => {
        order.push(`+${name}${net.cookie}`)
        return name
      },
      exit: (net, state) => order.push(`-${state}${net.cookie}`),
    })
  const second = kernel.addNet()
  const a = note('a')
  const b = note('b')
  const third = kernel.addNet()
  kernel.deleteNet(third)
  assert.deepEqual(order.splice(0), ['+a1', '+a2', '+b1', '+b2', '+a3', '+b3', '-b3', '-a3'])
  assert.equal(a.of(second), 'a')
  assert.throws(() => a.of(third), TypeError)
  kernel.unregisterPernet(b)
  kernel.unregisterPernet(b)
  assert.deepEqual(order.splice(0), ['-b1', '-b2'])
})

test('an init that throws leaves nothing behind', () => {
  const kernel = new Kernel()
  const left: number[] = []
  let refuse = true
  const operations = {
    init: (net: { cookie: number }) => {
      if (refuse && net.cookie > 1) throw new RangeError('no')
      return net.cookie
    },
    exit: (_: unknown, state: number) => left.push(state),
  }
  kernel.addNet('two')
  assert.throws(() => kernel.registerPernet(operations), RangeError)
  assert.deepEqual(left, [1])
  refuse = false
  kernel.registerPernet(operations)
  refuse = true
  assert.throws(() => kernel.addNet('three'), RangeError)
  assert.throws(() => kernel.net('three'), { code: 'ENOENT' })
})

test('close: sockets, namespaces, and everything after it', async () => {
  const exits: number[] = []
  const kernel = new Kernel()
  kernel.registerPernet({ init: (net) => net.cookie, exit: (_, cookie) => exits.push(cookie) })
  kernel.addNet('blue')
  const transport = kernel.transport()
  const socket = await transport.open({ protocol: NETLINK_GENERIC })
  const waiting = socket.readable()
  await Promise.all([assert.rejects(waiting, { code: 'NETLINK_CLOSED' }), kernel.close()])
  await kernel.close()
  await kernel[Symbol.asyncDispose]()
  assert.deepEqual(exits, [2, 1])
  assert.equal(socket.send([new Uint8Array(1)]), -9)
  await assert.rejects(socket.readable(), { code: 'NETLINK_CLOSED' })
  await assert.rejects(transport.open({ protocol: NETLINK_GENERIC }), { code: 'NETLINK_CLOSED' })
  assert.throws(() => kernel.transport(), { code: 'NETLINK_CLOSED' })
  assert.throws(() => kernel.addNet(), { code: 'NETLINK_CLOSED' })
  socket.close()
})

test('two kernels share nothing; with the same chance they do the same', async () => {
  const run = async () => {
    const kernel = new Kernel({ clock: clock(), random: () => 0.25 })
    const transport = kernel.transport()
    const ids: number[] = []
    for (let i = 0; i < 3; i++) ids.push((await transport.open({ protocol: 16 })).portid)
    kernel.printk(6, 'hello')
    return { ids, log: kernel.dmesg() }
  }
  const [a, b] = [await run(), await run()]
  assert.deepEqual(a, b)
  assert.deepEqual(
    a.log.map(({ seq, level, text }) => ({ seq, level, text })),
    [{ seq: 0, level: 6, text: 'hello' }],
  )
})

test('each transport is a process of its own', async () => {
  const kernel = new Kernel()
  const [a, b] = [kernel.transport(), kernel.transport({ credentials: { pid: 7 } })]
  const portids = [
    (await a.open({ protocol: 16 })).portid,
    (await b.open({ protocol: 16 })).portid,
    (await kernel.transport().open({ protocol: 16 })).portid,
  ]
  assert.deepEqual(portids, [1000, 7, 1002])
})

test('the log keeps the newest lines', () => {
  const log = new KernelLog(clock(), 3)
  for (const line of ['a', 'b', 'c', 'd', 'e']) log.printk(6, line)
  assert.deepEqual(
    log.entries().map(({ seq, text }) => [seq, text]),
    [
      [2, 'c'],
      [3, 'd'],
      [4, 'e'],
    ],
  )
})

test('capabilities: in a namespace and below it, its maker`s, nobody`s above', () => {
  const init = new UserNamespace()
  const child = new UserNamespace(init, 1000)
  const grandchild = new UserNamespace(child, 0)
  const root = { pid: 1, uid: 0, gid: 0, capabilities: 'all' } as const
  const plain = { pid: 1, uid: 1000, gid: 0, capabilities: new Set<never>() }
  const inner = { pid: 1, uid: 0, gid: 0, capabilities: 'all', userNs: child } as const
  const can = (who: Parameters<typeof nsCapable>[0], where: UserNamespace) =>
    nsCapable(who, where, 'CAP_NET_ADMIN')
  assert.deepEqual([can(root, init), can(root, child), can(root, grandchild)], [true, true, true])
  assert.deepEqual(
    [can(plain, init), can(plain, child), can(plain, grandchild)],
    [false, true, true],
  )
  assert.deepEqual(
    [can(inner, init), can(inner, child), can(inner, grandchild)],
    [false, true, true],
  )
  const sibling = new UserNamespace(init, 1)
  assert.equal(can(inner, sibling), false)
})
