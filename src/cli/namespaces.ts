/** `nlkit netns`: the network namespaces of a served kernel. */
import { type Command, verb } from './command.ts'
import { openControl } from './control.ts'

const subject = { placeholder: 'NAME', about: 'the name of a namespace', required: true } as const

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'the namespaces that have a name',
  examples: ['nlkit netns list'],
  parameters: {},
  async run(call) {
    const control = await openControl(call)
    const all = await control.dump('getNetns').toArray()
    const named = all.flatMap(({ name }) => (name === undefined ? [] : [{ name }]))
    if (call.options.json) call.out.json(named)
    else call.out.lines(named.map(({ name }) => name))
  },
})

const add = verb({
  summary: 'makes a namespace',
  examples: ['nlkit netns add blue', 'nlkit --kernel unix: -n blue link list'],
  subject,
  parameters: {},
  async run(call) {
    const control = await openControl(call)
    await control.do('newNetns', call.asking({ name: call.subject as string }))
  },
})

const remove = verb({
  aliases: ['del'],
  summary: 'gives a namespace up; it lives on while sockets are open in it',
  examples: ['nlkit netns delete blue'],
  subject,
  parameters: {},
  async run(call) {
    const control = await openControl(call)
    await control.do('delNetns', call.asking({ name: call.subject as string }))
  },
})

export const command: Command = { verbs: { list, add, delete: remove } }
