/** `nlkit chains`: who is on the notifier chains of a served kernel. */
import { type Command, verb } from './command.ts'
import { openControl } from './control.ts'

const chains = verb({
  summary: 'notifier chains of a served kernel, and the blocks on them in the order of their calls',
  examples: ['nlkit chains', 'nlkit chains netdev_chain -j'],
  subject: { placeholder: 'NAME', about: 'one chain alone' },
  parameters: {},
  async run(call) {
    const control = await openControl(call)
    const all = await control.dump('getChain').toArray()
    const wanted = all
      .filter(({ chain }) => call.subject === undefined || chain === call.subject)
      .map(({ chain, type, netns, block, priority }) => ({ chain, type, netns, block, priority }))
    if (call.options.json) {
      call.out.json(wanted)
      return
    }
    call.out.table(
      [
        { heading: 'CHAIN' },
        { heading: 'TYPE' },
        { heading: 'NETNS', align: 'right' },
        { heading: 'PRIORITY', align: 'right' },
        { heading: 'BLOCK' },
      ],
      wanted.map(({ chain, type, netns, block, priority }) => [
        chain,
        type,
        netns === undefined ? '' : String(netns),
        priority === undefined ? '' : String(priority),
        block ?? '-',
      ]),
    )
  },
})

export const command: Command = { only: chains }
