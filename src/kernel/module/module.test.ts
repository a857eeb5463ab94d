/** Modules: loading, symbols, use counts, states, notifiers, and what they leave behind: nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attrs, genlFamily, message, u32 } from '../../schema/index.ts'
import { NETLINK_GENERIC, NLM_F_DUMP, NLM_F_REQUEST } from '../../wire/constants.ts'
import { Writer } from '../../wire/writer.ts'
import { UserNamespace } from '../credentials.ts'
import { Kernel } from '../kernel.ts'
import { NOTIFY_OK, notifierFromErrno } from '../notifier/index.ts'
import { defineModule, type ExportsOf, extern } from './definition.ts'
import { formatLsmod, formatModinfo, formatProcModules } from './list.ts'
import {
  MODULE_STATE_COMING,
  MODULE_STATE_GOING,
  MODULE_STATE_LIVE,
  type ModuleState,
} from './module.ts'
import { param } from './parameters.ts'

const STATES = {
  [MODULE_STATE_LIVE]: 'live',
  [MODULE_STATE_COMING]: 'coming',
  [MODULE_STATE_GOING]: 'going',
}
const lines = (kernel: Kernel) => kernel.dmesg().map(({ text }) => text)
const empty = (name: string) => defineModule({ name, license: 'GPL', init: () => () => {} })
const base = defineModule({
  name: 'base',
  license: 'GPL',
  exports: { answer: () => 42, secret: () => 7 },
  gplOnly: ['secret'],
  init: () => () => {},
})
const user = (name: string, license = 'GPL') =>
  defineModule({
    name,
    license,
    imports: { answer: extern<ExportsOf<typeof base>['answer']>() },
    init: (kernel, { imports }) => {
      kernel.printk(`${name}: ${imports.answer()}\n`)
      return () => {}
    },
  })
/** Watches module_notify_list. */
function watch(kernel: Kernel): string[] {
  const events: string[] = []
  kernel.modules.notifier.register({
    call(state: ModuleState, { name }) {
      events.push(`${name} ${STATES[state as keyof typeof STATES]}`)
      return NOTIFY_OK
    },
  })
  return events
}

test('insmod: init runs, with symbols of the modules that it uses', async () => {
  await using kernel = new Kernel()
  const module = kernel.insmod(base)
  assert.equal(module.state, MODULE_STATE_LIVE)
  kernel.insmod(user('a'))
  assert.deepEqual(lines(kernel), ['a: 42'])
  assert.equal(module.refcount, 1)
})

test('insmod: an unknown symbol is ENOENT, and the log names each', async () => {
  await using kernel = new Kernel()
  const lost = defineModule({
    name: 'lost',
    license: 'GPL',
    imports: { one: extern<() => void>(), two: extern<() => void>() },
    init: () => assert.fail('it runs without its symbols'),
  })
  assert.throws(() => kernel.insmod(lost), {
    code: 'ENOENT',
    message: 'lost: Unknown symbol one (err -2) (ENOENT)',
  })
  assert.deepEqual(lines(kernel), [
    'lost: Unknown symbol one (err -2)',
    'lost: Unknown symbol two (err -2)',
  ])
  assert.deepEqual(kernel.lsmod(), [])
})

test('insmod: a symbol for GPL modules is unknown to others, whose license taints, once', async () => {
  await using kernel = new Kernel()
  kernel.insmod(base)
  const thief = defineModule({
    name: 'thief',
    license: 'MIT',
    imports: { secret: extern<() => number>() },
  })
  assert.throws(() => kernel.insmod(thief), { code: 'ENOENT' })
  kernel.insmod(user('other', 'MIT'))
  assert.deepEqual(lines(kernel), [
    "thief: module license 'MIT' taints kernel.",
    'thief: Unknown symbol secret (err -2)',
    'other: 42',
  ])
})

test('insmod: a symbol that another module exports already is ENOEXEC', async () => {
  await using kernel = new Kernel()
  kernel.insmod(base)
  const copy = defineModule({ name: 'copy', license: 'GPL', exports: { answer: 1 } })
  assert.throws(() => kernel.insmod(copy), {
    code: 'ENOEXEC',
    message: 'copy: exports duplicate symbol answer (owned by base) (ENOEXEC)',
  })
  await kernel.rmmod('base')
  kernel.insmod(copy)
})

test('insmod: a name that is loaded is EEXIST, with - as _; what is no module is ENOEXEC', async () => {
  await using kernel = new Kernel()
  kernel.insmod(empty('a-b'))
  assert.throws(() => kernel.insmod(empty('a_b')), { code: 'EEXIST' })
  assert.ok(kernel.modules.find('a_b'))
  for (const bad of [
    undefined,
    5,
    {},
    { name: 'x' },
    { name: '', license: 'GPL' },
    { name: 'a b', license: 'GPL' },
    { name: 'x', license: 'GPL', init: 1 },
  ]) {
    assert.throws(() => kernel.insmod(bad as never), { code: 'ENOEXEC' })
  }
})

test('insmod and rmmod need CAP_SYS_MODULE in the first user namespace', async () => {
  await using kernel = new Kernel()
  const nobody = { pid: 1, uid: 1000, gid: 1000, capabilities: new Set<never>() }
  const contained = {
    pid: 1,
    uid: 0,
    gid: 0,
    capabilities: 'all' as const,
    userNs: new UserNamespace(kernel.initUserNs, 1000),
  }
  for (const credentials of [nobody, contained]) {
    assert.throws(() => kernel.insmod(empty('a'), '', { credentials }), { code: 'EPERM' })
    assert.throws(() => kernel.rmmod('a', { credentials }), { code: 'EPERM' })
  }
})

test('module states: COMING, LIVE and GOING are told in order', async () => {
  await using kernel = new Kernel()
  const events = watch(kernel)
  const module = defineModule({
    name: 'a',
    license: 'GPL',
    init: () => {
      events.push('init')
      return () => events.push('exit')
    },
  })
  kernel.insmod(module)
  await kernel.rmmod('a')
  assert.deepEqual(events, ['a coming', 'init', 'a live', 'exit', 'a going'])
})

test('module states: a block refuses COMING, those before it hear GOING, init does not run', async () => {
  await using kernel = new Kernel()
  const events = watch(kernel)
  kernel.modules.notifier.register({
    priority: -1,
    call: (state) => (state === MODULE_STATE_COMING ? notifierFromErrno('EACCES') : NOTIFY_OK),
  })
  const module = defineModule({ name: 'a', license: 'GPL', init: () => assert.fail('init ran') })
  assert.throws(() => kernel.insmod(module), { code: 'EACCES' })
  assert.deepEqual(events, ['a coming', 'a going'])
  assert.equal(kernel.lsmod().length, 0)
})

test('module states: a block that throws is logged, and the kernel goes on', async () => {
  await using kernel = new Kernel()
  const stop = kernel.modules.notifier.register({
    name: 'broken',
    call(state) {
      if (state !== MODULE_STATE_COMING) throw new Error('no')
      return NOTIFY_OK
    },
  })
  const events = watch(kernel)
  kernel.insmod(empty('a'))
  await kernel.rmmod('a')
  assert.deepEqual(events, ['a coming', 'a live', 'a going'])
  assert.equal(
    lines(kernel).filter((line) => line.startsWith('module_notify_list: broken failed')).length,
    2,
  )
  stop()
  kernel.modules.notifier.register({
    call: () => {
      throw new Error('at once')
    },
  })
  assert.throws(() => kernel.insmod(empty('b')), { code: 'EIO' })
  assert.equal(kernel.lsmod().length, 0)
})

test('an init that throws leaves nothing behind', async () => {
  await using kernel = new Kernel()
  const events = watch(kernel)
  const family = genlFamily({ name: 'left', version: 1, ops: {} })
  kernel.insmod(base)
  const gone: string[] = []
  const module = defineModule({
    name: 'bad',
    license: 'GPL',
    imports: { answer: extern<() => number>() },
    init(inner, { defer }) {
      defer(() => gone.push('first'))
      defer(() => gone.push('second'))
      inner.netlink.create(inner.initNet, 25)
      inner.registerPernet({ init: () => 1, exit: () => gone.push('pernet') })
      inner.genl.registerFamily(family, {})
      throw new Error('half-way')
    },
  })
  assert.throws(() => kernel.insmod(module), { code: 'EIO', message: /bad: init failed: half-way/ })
  assert.deepEqual(gone, ['second', 'first', 'pernet'])
  assert.equal(kernel.genl.find('left'), undefined)
  assert.equal(kernel.netlink.kernelSocket(kernel.initNet, 25), undefined)
  assert.equal(kernel.modules.find('base')?.refcount, 0)
  assert.deepEqual(events.slice(2), ['bad coming', 'bad going'])
  assert.match(lines(kernel).join('\n'), /bad: init failed: Error: half-way/)
  assert.throws(() => kernel.insmod(module), { code: 'EIO' }, 'and again')
})

test('init as in C: a negative errno refuses, a positive number is warned of', async () => {
  await using kernel = new Kernel()
  const refused = defineModule({ name: 'a', license: 'GPL', init: () => -12 })
  assert.throws(() => kernel.insmod(refused), { code: 'ENOMEM' })
  const odd = defineModule({ name: 'b', license: 'GPL', init: () => 3, exit: () => {} })
  kernel.insmod(odd)
  assert.deepEqual(lines(kernel), [
    "do_init_module: 'b'->init suspiciously returned 3, it should follow 0/-E convention",
  ])
  await kernel.rmmod('b')
})

test('rmmod: unknown ENOENT, used by others EWOULDBLOCK, no exit EBUSY unless forced', async () => {
  await using kernel = new Kernel()
  assert.throws(() => kernel.rmmod('nope'), { code: 'ENOENT' })
  kernel.insmod(base)
  kernel.insmod(user('a'))
  kernel.insmod(user('b'))
  assert.throws(() => kernel.rmmod('base'), {
    code: 'EWOULDBLOCK',
    errno: -11,
    message: 'Module base is in use by: a b (EWOULDBLOCK)',
  })
  await kernel.rmmod('a')
  await kernel.rmmod('b')
  await kernel.rmmod('base')
  kernel.insmod(defineModule({ name: 'stays', license: 'GPL', init: () => {} }))
  assert.throws(() => kernel.rmmod('stays'), { code: 'EBUSY' })
  await kernel.rmmod('stays', { force: true })
  kernel.insmod(defineModule({ name: 'data', license: 'GPL', exports: { x: 1 } }))
  await kernel.rmmod('data')
  assert.deepEqual(kernel.lsmod(), [])
})

test('rmmod: EBUSY while it is loading, and while it is unloading', async () => {
  await using kernel = new Kernel()
  const codes: unknown[] = []
  const note = (run: () => unknown) => {
    try {
      run()
      codes.push('done')
    } catch (error) {
      codes.push((error as { code: string }).code)
    }
  }
  const module = defineModule({
    name: 'a',
    license: 'GPL',
    init(inner) {
      note(() => inner.rmmod('a'))
      note(() => inner.insmod(empty('a')))
      return () => {
        note(() => inner.rmmod('a'))
        note(() => inner.insmod(empty('a')))
      }
    },
  })
  kernel.insmod(module)
  await kernel.rmmod('a')
  assert.deepEqual(codes, ['EBUSY', 'EBUSY', 'EBUSY', 'EBUSY'])
})

test('rmmod: an exit that throws is logged with the module’s name, and the module is gone', async () => {
  await using kernel = new Kernel()
  kernel.insmod(
    defineModule({
      name: 'a',
      license: 'GPL',
      init: () => () => {
        throw new Error('no')
      },
    }),
  )
  await kernel.rmmod('a')
  assert.match(lines(kernel)[0] ?? '', /^a: its exit failed: Error: no/)
  assert.deepEqual(kernel.lsmod(), [])
})

test('rmmod: what an exit forgot is taken back, and told', async () => {
  await using kernel = new Kernel()
  kernel.insmod(
    defineModule({
      name: 'a',
      license: 'GPL',
      init(inner) {
        inner.netlink.create(inner.initNet, 25)
        const kept = inner.netlink.create(inner.initNet, 26)
        return () => kept.release()
      },
    }),
  )
  await kernel.rmmod('a')
  assert.equal(kernel.netlink.kernelSocket(kernel.initNet, 25), undefined)
  assert.deepEqual(lines(kernel), ['a: its exit left 1 registrations behind'])
})

test('an asynchronous init: insmod returns a promise, LIVE comes behind it', async () => {
  await using kernel = new Kernel()
  const events = watch(kernel)
  const steps: (() => void)[] = []
  const wait = () => new Promise<void>((resolve) => steps.push(resolve))
  const slow = defineModule({
    name: 'slow',
    license: 'GPL',
    exports: { x: 1 },
    async init() {
      await wait()
      return async () => {
        await wait()
        events.push('exit')
      }
    },
  })
  const loading = kernel.insmod(slow)
  assert.equal(kernel.lsmod()[0]?.state, 'Loading')
  assert.throws(() => kernel.rmmod('slow'), { code: 'EBUSY' })
  const needs = defineModule({ name: 'needs', license: 'GPL', imports: { x: extern<number>() } })
  assert.throws(() => kernel.insmod(needs), { code: 'EBUSY' })
  assert.deepEqual(lines(kernel), [
    'needs: gave up waiting for init of module slow.',
    'needs: Unknown symbol x (err -16)',
  ])
  steps.shift()?.()
  const module = await loading
  assert.equal(module.state, MODULE_STATE_LIVE)
  const unloading = kernel.rmmod('slow')
  assert.equal(kernel.lsmod()[0]?.state, 'Unloading')
  assert.equal(module.tryGet(), false)
  steps.shift()?.()
  await unloading
  assert.deepEqual(events, ['slow coming', 'slow live', 'exit', 'slow going'])
})

test('an asynchronous init that rejects leaves nothing behind', async () => {
  await using kernel = new Kernel()
  const gone: string[] = []
  const module = defineModule({
    name: 'a',
    license: 'GPL',
    async init(_, { defer }) {
      defer(async () => gone.push('deferred'))
      throw new Error('late')
    },
  })
  await assert.rejects(kernel.insmod(module), { code: 'EIO' })
  assert.deepEqual(gone, ['deferred'])
  assert.deepEqual(kernel.lsmod(), [])
})

test('a protocol’s module is held by its sockets: rmmod is EWOULDBLOCK while one is open', async () => {
  await using kernel = new Kernel()
  kernel.insmod(
    defineModule({
      name: 'proto',
      license: 'GPL',
      init(inner) {
        const sock = inner.netlink.create(inner.initNet, 25)
        return () => sock.release()
      },
    }),
  )
  const socket = await kernel.transport().open({ protocol: 25 })
  assert.equal(kernel.lsmod()[0]?.refcount, 1)
  assert.throws(() => kernel.rmmod('proto'), {
    code: 'EWOULDBLOCK',
    message: 'Module proto is in use (EWOULDBLOCK)',
  })
  socket.close()
  socket.close()
  assert.equal(kernel.lsmod()[0]?.refcount, 0)
  await kernel.rmmod('proto')
  await assert.rejects(kernel.transport().open({ protocol: 25 }), { code: 'EPROTONOSUPPORT' })
})

test('a family’s module is held by its dumps', async () => {
  await using kernel = new Kernel()
  const numbers = attrs('N_', { value: [1, u32] })
  const family = genlFamily({
    name: 'many',
    version: 1,
    ops: { get: { cmd: 1, dump: { reply: message(numbers) } } },
  })
  kernel.insmod(
    defineModule({
      name: 'many',
      license: 'GPL',
      init(inner) {
        const registered = inner.genl.registerFamily(family, {
          get: {
            *dumpit() {
              for (let value = 0; value < 100_000; value++) yield { value }
            },
          },
        })
        return () => registered.unregister()
      },
    }),
  )
  const socket = await kernel.transport().open({ protocol: NETLINK_GENERIC })
  const w = new Writer()
  const mark = w.messageStart(kernel.genl.find('many')?.id ?? 0, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
  w.put(Uint8Array.of(1, 1, 0, 0))
  w.messageEnd(mark)
  socket.send([w.finish()])
  assert.throws(() => kernel.rmmod('many'), { code: 'EWOULDBLOCK' })
  socket.close()
  await kernel.rmmod('many')
})

test('try_module_get: refused while a module is neither coming nor live', async () => {
  await using kernel = new Kernel()
  let inside = false
  const module = kernel.insmod(
    defineModule({
      name: 'a',
      license: 'GPL',
      init(_, ctx) {
        inside = ctx.module.tryGet()
        ctx.module.put()
        return () => assert.equal(ctx.module.tryGet(), false)
      },
    }),
  )
  assert.equal(inside, true)
  assert.equal(module.tryGet(), true)
  assert.throws(() => kernel.rmmod('a'), { code: 'EWOULDBLOCK' })
  module.put()
  module.put()
  assert.equal(module.refcount, 0)
  await kernel.rmmod('a')
  assert.equal(module.tryGet(), false)
})

test('request_module: the helper runs at once; without one ENOENT; a socket asks for its protocol', async () => {
  await using kernel = new Kernel()
  assert.throws(() => kernel.modules.request('x'), { code: 'ENOENT' })
  const asked: string[] = []
  kernel.modules.helper = (name) => {
    asked.push(name)
    if (name === 'net-pf-16-proto-27') kernel.netlink.create(kernel.initNet, 27)
    if (name === 'broken') throw new Error('no')
  }
  kernel.modules.request('x')
  const socket = await kernel.transport().open({ protocol: 27 })
  socket.close()
  await assert.rejects(kernel.transport().open({ protocol: 28 }), { code: 'EPROTONOSUPPORT' })
  assert.deepEqual(asked, ['x', 'net-pf-16-proto-27', 'net-pf-16-proto-28'])
})

test('lsmod, /proc/modules: newest first, users newest first', async () => {
  await using kernel = new Kernel()
  for (const module of [base, user('first'), user('second')]) kernel.insmod(module)
  assert.equal(
    formatLsmod(kernel.lsmod()),
    'Module                  Size  Used by\n' +
      'second                  4096  0\n' +
      'first                   4096  0\n' +
      'base                    4096  2 second,first\n',
  )
  assert.equal(
    formatProcModules(kernel.lsmod()),
    'second 4096 0 - Live 0x0000000000000000\n' +
      'first 4096 0 - Live 0x0000000000000000\n' +
      'base 4096 2 second,first, Live 0x0000000000000000\n',
  )
})

test('modinfo: of a loaded module by name, of any by its value', async () => {
  await using kernel = new Kernel()
  const module = defineModule({
    name: 'dummy',
    license: 'GPL',
    description: 'Dummy netdevice',
    version: '1.0',
    depends: ['base'],
    params: { numdummies: param.int(1, 'Number of dummy pseudo devices') },
  })
  assert.throws(() => kernel.modinfo('dummy'), { code: 'ENOENT' })
  kernel.insmod(module)
  assert.deepEqual(kernel.modinfo('dummy'), kernel.modinfo(module))
  assert.equal(
    formatModinfo(kernel.modinfo('dummy'), 'dummy.js'),
    'filename:       dummy.js\n' +
      'license:        GPL\n' +
      'description:    Dummy netdevice\n' +
      'version:        1.0\n' +
      'depends:        base\n' +
      'name:           dummy\n' +
      'parm:           numdummies:Number of dummy pseudo devices (int)\n',
  )
})

test('close: every module goes, the newest first, whoever uses it; its exit may take its time', async () => {
  const kernel = new Kernel()
  const order: string[] = []
  const note = (name: string) =>
    defineModule({ name, license: 'GPL', init: () => async () => order.push(name) })
  for (const name of ['a', 'b', 'c']) kernel.insmod(note(name))
  kernel.modules.find('b')?.tryGet()
  await Promise.all([kernel.close(), kernel.close()])
  assert.deepEqual(order, ['c', 'b', 'a'])
  assert.throws(() => kernel.insmod(empty('d')), { code: 'NETLINK_CLOSED' })
})

test('close while a module loads: its init is undone, and insmod rejects', async () => {
  const kernel = new Kernel()
  let go = () => {}
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  let undone = false
  const loading = kernel.insmod(
    defineModule({
      name: 'a',
      license: 'GPL',
      async init() {
        await gate
        return () => {
          undone = true
        }
      },
    }),
  )
  await kernel.close()
  go()
  await assert.rejects(loading, { code: 'NETLINK_CLOSED' })
  assert.equal(undone, true)
})
