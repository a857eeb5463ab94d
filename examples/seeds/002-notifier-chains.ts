/** Three modules around one notifier chain: one owns it, one registers, one notifies. */
import { isNetlinkError } from 'nlkit'
import { formatLsmod, Kernel } from 'nlkit/kernel'
import { kbuild, type notifier_block } from 'nlkit/kernel/compat'

type Register = (nb: notifier_block) => number

// buildchain.c
const buildchain = kbuild('buildchain', (c) => {
  c.MODULE_LICENSE('GPL')

  const test_chain = c.RAW_NOTIFIER_HEAD('test_chain')

  function register_test_notifier(nb: notifier_block): number {
    return c.raw_notifier_chain_register(test_chain, nb)
  }
  c.EXPORT_SYMBOL(register_test_notifier)

  function unregister_test_notifier(nb: notifier_block): number {
    return c.raw_notifier_chain_unregister(test_chain, nb)
  }
  c.EXPORT_SYMBOL(unregister_test_notifier)

  function test_notifier_call_chain(val: number, v: unknown): number {
    return c.raw_notifier_call_chain(test_chain, val, v)
  }
  c.EXPORT_SYMBOL(test_notifier_call_chain)

  function init_notifier(): number {
    c.printk('init_notifier\n')
    return 0
  }
  function exit_notifier(): void {
    c.printk('exit_notifier\n')
  }
  c.module_init(init_notifier)
  c.module_exit(exit_notifier)
})

// regchain.c
const regchain = kbuild('regchain', (c) => {
  c.MODULE_LICENSE('GPL')

  const register_test_notifier = c.extern<Register>('register_test_notifier')
  const unregister_test_notifier = c.extern<Register>('unregister_test_notifier')

  function test_event1(_this: notifier_block, event: number, _ptr: unknown): number {
    c.printk('In Event 1: Event Number is %lu\n', event)
    return 0
  }
  function test_event2(_this: notifier_block, event: number, _ptr: unknown): number {
    c.printk('In Event 2: Event Number is %lu\n', event)
    return 0
  }
  function test_event3(_this: notifier_block, event: number, _ptr: unknown): number {
    c.printk('In Event 3: Event Number is %lu\n', event)
    return 0
  }

  const test_notifier1: notifier_block = { notifier_call: test_event1 }
  const test_notifier2: notifier_block = { notifier_call: test_event2 }
  const test_notifier3: notifier_block = { notifier_call: test_event3 }

  function reg_notifier(): number {
    c.printk('Begin to register:\n')
    if (register_test_notifier(test_notifier1)) return -1
    c.printk('register test_notifier1 completed\n')
    if (register_test_notifier(test_notifier2)) return -1
    c.printk('register test_notifier2 completed\n')
    if (register_test_notifier(test_notifier3)) return -1
    c.printk('register test_notifier3 completed\n')
    return 0
  }
  function unreg_notifier(): void {
    c.printk('Begin to unregister\n')
    unregister_test_notifier(test_notifier1)
    unregister_test_notifier(test_notifier2)
    unregister_test_notifier(test_notifier3)
    c.printk('Unregister finished\n')
  }
  c.module_init(reg_notifier)
  c.module_exit(unreg_notifier)
})

// notify.c
const notify = kbuild('notify', (c) => {
  c.MODULE_LICENSE('GPL')

  const test_notifier_call_chain = c.extern<(val: number, v: unknown) => number>(
    'test_notifier_call_chain',
  )

  function call_notifier(): number {
    c.printk('Begin to notify:\n')
    c.printk('==============================\n')
    const err = test_notifier_call_chain(1, null)
    if (err) c.printk('notifier_call_chain error\n')
    return err
  }
  function uncall_notifier(): void {
    c.printk('End notify\n')
  }
  c.module_init(call_notifier)
  c.module_exit(uncall_notifier)
})

await using kernel = new Kernel()

// insmod buildchain.ko; insmod regchain.ko; insmod notify.ko; dmesg
for (const module of [buildchain, regchain, notify]) kernel.insmod(module)
for (const { text } of kernel.dmesg()) console.log(text)

console.log('--- lsmod, and rmmod in the wrong order')
console.log(
  formatLsmod(kernel.lsmod())
    .trimEnd()
    .replace(/ +\d+ +/g, ' '),
)
try {
  kernel.rmmod('buildchain')
} catch (error) {
  if (!isNetlinkError(error)) throw error
  console.log(error.code, error.message)
}

console.log('--- rmmod')
const loaded = kernel.dmesg().length
for (const name of ['notify', 'regchain', 'buildchain']) kernel.rmmod(name)
for (const { text } of kernel.dmesg().slice(loaded)) console.log(text)

console.log('--- insmod in the wrong order')
try {
  kernel.insmod(notify)
} catch (error) {
  if (!isNetlinkError(error)) throw error
  console.log(error.code)
  console.log(kernel.dmesg().at(-1)?.text)
}
