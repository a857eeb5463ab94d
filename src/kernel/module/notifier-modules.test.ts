/** Three modules around one notifier chain: their log, their exits, the wrong order. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainRows } from '../control/chains.ts'
import { Kernel } from '../kernel.ts'
import { type NotifierBlock, RawNotifierChain } from '../notifier/index.ts'
import { defineModule, type ExportsOf, extern } from './definition.ts'

type Block = NotifierBlock<number, unknown>

/** Owns the chain, and lets others register and call. */
const buildchain = defineModule({
  name: 'buildchain',
  license: 'GPL',
  exports: () => {
    const chain = new RawNotifierChain<number>('test_chain')
    return {
      register_test_notifier: (block: Block) => void chain.register(block),
      unregister_test_notifier: (block: Block) => chain.unregister(block),
      test_notifier_call_chain: (event: number, data: unknown) => chain.call(event, data),
    }
  },
  init: (kernel) => {
    kernel.printk('init_notifier\n')
    return () => kernel.printk('exit_notifier\n')
  },
})
type Chain = ExportsOf<typeof buildchain>

/** Registers three blocks. */
const regchain = defineModule({
  name: 'regchain',
  license: 'GPL',
  imports: {
    register_test_notifier: extern<Chain['register_test_notifier']>(),
    unregister_test_notifier: extern<Chain['unregister_test_notifier']>(),
  },
  init(kernel, { imports }) {
    const blocks = [1, 2, 3].map(
      (number): Block => ({
        call(event) {
          kernel.printk(`In Event ${number}: Event Number is ${event}\n`)
          return 0
        },
      }),
    )
    kernel.printk('Begin to register:\n')
    for (const block of blocks) imports.register_test_notifier(block)
    return () => {
      kernel.printk('Begin to unregister\n')
      for (const block of blocks) imports.unregister_test_notifier(block)
      kernel.printk('Unregister finished\n')
    }
  },
})

/** Calls the chain. */
const notify = defineModule({
  name: 'notify',
  license: 'GPL',
  imports: { test_notifier_call_chain: extern<Chain['test_notifier_call_chain']>() },
  init(kernel, { imports }) {
    kernel.printk('Begin to notify:\n')
    const error = imports.test_notifier_call_chain(1, null)
    if (error) kernel.printk('notifier_call_chain error\n')
    return () => kernel.printk('End notify\n')
  },
})

const lines = (kernel: Kernel) => kernel.dmesg().map(({ text }) => text)

test('three modules around a chain: the log of loading and of unloading', async () => {
  await using kernel = new Kernel()
  for (const module of [buildchain, regchain, notify]) kernel.insmod(module)
  assert.deepEqual(lines(kernel), [
    'init_notifier',
    'Begin to register:',
    'Begin to notify:',
    'In Event 1: Event Number is 1',
    'In Event 2: Event Number is 1',
    'In Event 3: Event Number is 1',
  ])
  assert.ok(kernel.dmesg().every(({ level }) => level === 4))
  kernel.log.clear()
  for (const name of ['notify', 'regchain', 'buildchain']) await kernel.rmmod(name)
  assert.deepEqual(lines(kernel), [
    'End notify',
    'Begin to unregister',
    'Unregister finished',
    'exit_notifier',
  ])
  assert.deepEqual(kernel.lsmod(), [])
})

test('three modules in the wrong order: insmod fails with the symbol that is missing', async () => {
  await using kernel = new Kernel()
  assert.throws(() => kernel.insmod(regchain), {
    code: 'ENOENT',
    message: /register_test_notifier/,
  })
  assert.throws(() => kernel.insmod(notify), {
    code: 'ENOENT',
    message: /test_notifier_call_chain/,
  })
  assert.deepEqual(lines(kernel), [
    'regchain: Unknown symbol register_test_notifier (err -2)',
    'regchain: Unknown symbol unregister_test_notifier (err -2)',
    'notify: Unknown symbol test_notifier_call_chain (err -2)',
  ])
})

test('three modules, the first unloaded first: it is in use by the others', async () => {
  await using kernel = new Kernel()
  for (const module of [buildchain, regchain, notify]) kernel.insmod(module)
  assert.throws(() => kernel.rmmod('buildchain'), {
    code: 'EWOULDBLOCK',
    message: /^Module buildchain is in use by: regchain notify/,
  })
})

test('three modules in two kernels: each has a chain of its own', async () => {
  await using one = new Kernel()
  await using two = new Kernel()
  for (const module of [buildchain, regchain]) one.insmod(module)
  for (const module of [buildchain, notify]) two.insmod(module)
  assert.deepEqual(lines(two), ['init_notifier', 'Begin to notify:'])
})

test('a chain of a module’s own is listed, and what throws on a chain is logged with its module’s name', async () => {
  await using kernel = new Kernel()
  const careless = defineModule({
    name: 'careless',
    license: 'GPL',
    imports: { register_test_notifier: extern<Chain['register_test_notifier']>() },
    init(_, { imports }) {
      imports.register_test_notifier({
        name: 'careless_block',
        call() {
          throw new Error('not today')
        },
      })
    },
  })
  kernel.insmod(buildchain)
  kernel.insmod(careless)
  const chains = kernel.modules.list().flatMap(({ chains }) => [...chains])
  assert.deepEqual(
    [...chainRows(kernel)].filter(({ chain }) => chain === 'test_chain'),
    [{ chain: 'test_chain', type: 'raw', netns: undefined, block: 'careless_block', priority: 0 }],
  )
  const [chain] = chains as [RawNotifierChain<number>]
  assert.throws(() => chain.call(1, null), /not today/)
  assert.deepEqual(lines(kernel).slice(-1), [
    'careless: careless_block on test_chain failed: Error: not today',
  ])
  assert.deepEqual(
    kernel.modules.list().map(({ name }) => name),
    ['careless', 'buildchain'],
  )
})
