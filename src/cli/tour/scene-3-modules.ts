/** Scene 3: three modules around a notifier chain, their log, the wrong order, the chain's table. */
import { isNetlinkError } from '../../index.ts'
import { kbuild, type notifier_block } from '../../kernel/compat/index.ts'
import { Kernel } from '../../kernel/index.ts'
import { formatTable } from '../table.ts'
import { type Scene, SceneFailure, type Stage } from './scene.ts'

type Register = (nb: notifier_block) => number
type Call = (val: number, v: unknown) => number

/** The chain that buildchain makes, for the table: each kernel that loads it has its own. */
interface Shown {
  chain?: { readonly blocks: () => readonly { name?: string; priority?: number }[] }
}

function makeModules(shown: Shown) {
  const buildchain = kbuild('buildchain', (c) => {
    c.MODULE_LICENSE('GPL')
    const test_chain = c.RAW_NOTIFIER_HEAD('test_chain')
    shown.chain = test_chain as never
    function register_test_notifier(nb: notifier_block): number {
      return c.raw_notifier_chain_register(test_chain, nb)
    }
    function unregister_test_notifier(nb: notifier_block): number {
      return c.raw_notifier_chain_unregister(test_chain, nb)
    }
    function test_notifier_call_chain(val: number, v: unknown): number {
      return c.raw_notifier_call_chain(test_chain, val, v)
    }
    for (const symbol of [register_test_notifier, unregister_test_notifier]) c.EXPORT_SYMBOL(symbol)
    c.EXPORT_SYMBOL(test_notifier_call_chain)
    c.module_init(() => {
      c.printk('init_notifier\n')
      return 0
    })
    c.module_exit(() => c.printk('exit_notifier\n'))
  })
  const regchain = kbuild('regchain', (c) => {
    c.MODULE_LICENSE('GPL')
    const register_test_notifier = c.extern<Register>('register_test_notifier')
    const unregister_test_notifier = c.extern<Register>('unregister_test_notifier')
    const event = (number: number): notifier_block => {
      const test_event = (_this: notifier_block, action: number): number => {
        c.printk(`In Event ${number}: Event Number is %lu\n`, action)
        return 0
      }
      return {
        notifier_call: Object.defineProperty(test_event, 'name', { value: `test_event${number}` }),
      }
    }
    const blocks = [1, 2, 3].map(event)
    c.module_init(() => {
      c.printk('Begin to register:\n')
      for (const [i, block] of blocks.entries()) {
        if (register_test_notifier(block)) return -1
        c.printk(`register test_notifier${i + 1} completed\n`)
      }
      return 0
    })
    c.module_exit(() => {
      c.printk('Begin to unregister\n')
      for (const block of blocks) unregister_test_notifier(block)
      c.printk('Unregister finished\n')
    })
  })
  const notify = kbuild('notify', (c) => {
    c.MODULE_LICENSE('GPL')
    const test_notifier_call_chain = c.extern<Call>('test_notifier_call_chain')
    c.module_init(() => {
      c.printk('Begin to notify:\n')
      c.printk('==============================\n')
      return test_notifier_call_chain(1, null)
    })
    c.module_exit(() => c.printk('End notify\n'))
  })
  return { buildchain, regchain, notify }
}

/** What the article shows of the log. */
const LOG = [
  'init_notifier',
  'Begin to register:',
  'register test_notifier1 completed',
  'register test_notifier2 completed',
  'register test_notifier3 completed',
  'Begin to notify:',
  '==============================',
  'In Event 1: Event Number is 1',
  'In Event 2: Event Number is 1',
  'In Event 3: Event Number is 1',
]
const EXITS = ['End notify', 'Begin to unregister', 'Unregister finished', 'exit_notifier']

function refusalOf(run: () => unknown): { code: string; message: string } {
  try {
    run()
  } catch (error) {
    if (isNetlinkError(error)) return error
    throw error
  }
  throw new SceneFailure('expected a refusal, it was done')
}

function showChain(stage: Stage, { chain }: Shown): void {
  const blocks = chain?.blocks() ?? []
  const columns = ['CHAIN', 'TYPE', 'PRIORITY', 'BLOCK'].map((heading) => ({ heading }))
  const rows = blocks.map(({ name = '?', priority = 0 }) => [
    'test_chain',
    'raw',
    `${priority}`,
    name,
  ])
  stage.say(...formatTable(columns, rows), '')
  stage.equal(
    'the blocks of the chain',
    blocks.map(({ name }) => name),
    ['test_event1', 'test_event2', 'test_event3'],
  )
}

export const scene: Scene = {
  number: '3',
  title: 'Three modules around a notifier chain',
  async run(stage) {
    const shown: Shown = {}
    const { buildchain, regchain, notify } = makeModules(shown)
    await using kernel = new Kernel()
    const lines = (): string[] => kernel.dmesg().map(({ text }) => text)

    stage.code('kernel.insmod(notify)   // before the others')
    const refusal = refusalOf(() => kernel.insmod(notify))
    stage.say(refusal.message, '')
    stage.equal('its errno', refusal.code, 'ENOENT')
    const unknown = 'notify: Unknown symbol test_notifier_call_chain (err -2)'
    stage.equal('the log', lines(), [unknown])

    stage.code('for (const module of [buildchain, regchain, notify]) kernel.insmod(module)')
    kernel.log.clear()
    for (const module of [buildchain, regchain, notify]) kernel.insmod(module)
    const log = lines()
    stage.say(...log, '')
    stage.equalLists('the log', log, LOG)
    showChain(stage, shown)

    stage.code(`kernel.rmmod('buildchain')   // in use`)
    const busy = refusalOf(() => kernel.rmmod('buildchain'))
    stage.say(busy.message, '')
    stage.equal('its errno', busy.code, 'EWOULDBLOCK')

    kernel.log.clear()
    for (const name of ['notify', 'regchain', 'buildchain']) await kernel.rmmod(name)
    stage.equalLists('the log of their exits', lines(), EXITS)
    stage.equal('what is left', kernel.lsmod(), [])
    stage.held('the log is the article’s, to the letter; the wrong order is refused both ways')
  },
}
