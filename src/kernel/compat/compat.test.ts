/** What the kernel's names do where C would return NULL, an errno, wait, or panic. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError } from '../../errors.ts'
import { KERNEL_CREDENTIALS } from '../credentials.ts'
import { Kernel } from '../kernel.ts'
import {
  AF_NETLINK,
  alloc_skb,
  compat,
  GFP_KERNEL,
  kbuild,
  MSG_DONTWAIT,
  nlmsg_new,
  nlmsg_put,
  type notifier_block,
  Process,
  SOCK_RAW,
  SRCU_NOTIFIER_HEAD,
  skb_put,
  skb_tailroom,
  srcu_notifier_call_chain,
  srcu_notifier_chain_register,
  srcu_notifier_chain_unregister,
} from './index.ts'

const UNIT = 22
const EAGAIN = 11
const EEXIST = 17
const ENOENT = 2

function message(payload: number) {
  const skb = nlmsg_new(payload, GFP_KERNEL)
  nlmsg_put(skb, 0, 0, 16, payload, 0)
  return skb
}

test('netlink_unicast: a full receiver is -EAGAIN, or waited for until it reads', async () => {
  await using kernel = new Kernel()
  const k = compat(kernel)
  const sk = k.netlink_kernel_create(k.init_net, UNIT, {})
  assert.ok(sk)
  const reader = kernel.netlink.socket(kernel.initNet, UNIT, KERNEL_CREDENTIALS)
  reader.bind(5)
  const other = kernel.netlink.socket(kernel.initNet, UNIT, KERNEL_CREDENTIALS)
  other.bind(6)
  reader.setsockopt(1, 8, 4096)
  for (let sent = 0; sent >= 0; )
    sent = (await k.netlink_unicast(sk, message(900), 5, MSG_DONTWAIT)) as number
  assert.equal(await k.netlink_unicast(sk, message(8), 5, MSG_DONTWAIT), -EAGAIN)
  let answered: number | undefined
  const waiting = Promise.resolve(k.netlink_unicast(sk, message(8), 5, 0)).then((sent) => {
    answered = sent
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(answered, undefined, 'it waits')
  const buffer = new Uint8Array(1024)
  while (reader.receive(buffer) !== -EAGAIN && answered === undefined)
    await new Promise((resolve) => setImmediate(resolve))
  await waiting
  assert.equal(answered, 24)
})

test('skb_put: beyond the buffer it throws where Linux panics; nothing is written', () => {
  const skb = alloc_skb(8, GFP_KERNEL)
  skb_put(skb, 5)
  assert.throws(() => skb_put(skb, 4), /skb_over_panic/)
  assert.deepEqual([skb.length, skb_tailroom(skb)], [5, 3])
})

test('a block is the same block for every function, and its priority may change', async () => {
  const head = SRCU_NOTIFIER_HEAD('head')
  const calls: string[] = []
  const block = (name: string, priority: number): notifier_block => ({
    priority,
    notifier_call: () => calls.push(name) & 1,
  })
  const [one, two] = [block('one', 0), block('two', 0)]
  assert.equal(srcu_notifier_chain_register(head, one), 0)
  assert.equal(srcu_notifier_chain_register(head, one), -EEXIST)
  assert.equal(srcu_notifier_chain_register(head, two), 0)
  await srcu_notifier_call_chain(head, 1, null)
  assert.equal(await srcu_notifier_chain_unregister(head, two), 0)
  assert.equal(await srcu_notifier_chain_unregister(head, two), -ENOENT)
  two.priority = 9
  srcu_notifier_chain_register(head, two)
  await srcu_notifier_call_chain(head, 1, null)
  assert.deepEqual(calls, ['one', 'two', 'two', 'one'])
})

test('kbuild: each kernel has variables of its own; what is called too early says so', async () => {
  const counter = kbuild('counter', (c) => {
    c.MODULE_LICENSE('GPL')
    c.MODULE_AUTHOR('somebody')
    c.MODULE_DESCRIPTION('counts')
    let count = 0
    function next_count(): number {
      return ++count
    }
    c.EXPORT_SYMBOL_GPL(next_count)
  })
  const user = (license: string) =>
    kbuild('user', (c) => {
      c.MODULE_LICENSE(license)
      const next_count = c.extern<() => number>('next_count')
      c.module_init(() => {
        c.printk('count %d\n', next_count())
        return 0
      })
      c.module_exit(() => {})
    })
  assert.deepEqual(
    [counter.license, counter.author, counter.description],
    ['GPL', 'somebody', 'counts'],
  )
  for (let i = 0; i < 2; i++) {
    await using kernel = new Kernel()
    kernel.insmod(counter)
    kernel.insmod(user('GPL'))
    assert.equal(kernel.dmesg().at(-1)?.text, 'count 1')
    await kernel.rmmod('user')
    assert.throws(
      () => kernel.insmod(user('Proprietary')),
      (error) => isNetlinkError(error, 'ENOENT'),
    )
  }
  assert.throws(
    () => kbuild('hasty', (c) => void c.extern<() => void>('next_count')()),
    /next_count is called before the module is loaded/,
  )
})

test('printk: arguments in turn, a level where the text begins with one', async () => {
  await using kernel = new Kernel()
  const { printk } = compat(kernel)
  printk('%s has %d of %x\n', 'a', 2, 255)
  printk(`${String.fromCharCode(1)}6told\n`)
  assert.deepEqual(
    kernel.dmesg().map(({ level, text }) => [level, text]),
    [
      [4, 'a has 2 of ff'],
      [6, 'told'],
    ],
  )
})

test('genl_lock: taken twice it would wait forever, given back twice it was not held', async () => {
  await using kernel = new Kernel()
  const { genl_lock, genl_unlock } = compat(kernel)
  genl_lock()
  assert.throws(genl_lock, /wait forever/)
  genl_unlock()
  assert.throws(genl_unlock, /not held/)
})

test('a process: -1 and errno; descriptors that are closed twice', async () => {
  await using kernel = new Kernel()
  const process = new Process(kernel.transport())
  assert.deepEqual([await process.socket(2, SOCK_RAW, 0), process.errno], [-1, 97])
  assert.deepEqual([await process.socket(AF_NETLINK, 1, 0), process.errno], [-1, 94])
  assert.deepEqual([await process.socket(AF_NETLINK, SOCK_RAW, 31), process.errno], [-1, 93])
  const fd = await process.socket(AF_NETLINK, SOCK_RAW, 2)
  assert.equal(await process.bind(fd, { nl_family: AF_NETLINK, nl_pid: 9, nl_groups: 1 }), 0)
  assert.equal(await process.bind(fd, { nl_family: AF_NETLINK, nl_pid: 8, nl_groups: 0 }), -1)
  assert.equal(process.errno, 22)
  assert.equal(process.close(fd), 0)
  assert.deepEqual([process.close(fd), process.errno], [-1, 9])
})
