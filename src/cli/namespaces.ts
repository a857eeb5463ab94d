/** `nlkit netns`: network namespaces, of a served kernel or of this machine. */
import { isNetlinkError } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { openControl } from './control.ts'
import { Listing } from './listing.ts'
import { showNamespace } from './monitor-show.ts'
import { idOf, namespaceNames, namespacesWithNames } from './namespace-names.ts'
import { integer } from './parameter.ts'

const subject = { placeholder: 'NAME', about: 'the name of a namespace', required: true } as const

/** The served kernel's control; nothing where this machine's own kernel is asked, or none is served. */
async function controlOf(call: Call): Promise<Awaited<ReturnType<typeof openControl>> | undefined> {
  if (call.kernel === 'live') return undefined
  try {
    return await openControl(call)
  } catch (error) {
    if (call.kernel === undefined && isNetlinkError(error)) return undefined
    throw error
  }
}

/** What `ip netns` lists: names, the newest first, and their numbers here. */
async function listLive(call: Call): Promise<undefined> {
  const nl = await call.open()
  const listing = new Listing(call)
  for (const name of namespacesWithNames()) {
    const id = await idOf(nl, name)
    listing.item((p) => {
      p.both('name', name, name)
      if (id !== undefined) p.both('id', id, ` (id: ${id})`)
      p.text('\n')
    })
  }
  listing.end()
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'the namespaces that have a name',
  examples: ['nlkit netns list'],
  parameters: {},
  async run(call) {
    const control = await controlOf(call)
    if (!control) return listLive(call)
    const all = await control.dump('getNetns').toArray()
    const named = all.flatMap(({ name }) => (name === undefined ? [] : [{ name }]))
    if (call.options.json) call.out.json(named)
    else call.out.lines(named.map(({ name }) => name))
    return undefined
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

const listId = verb({
  summary: 'the namespaces that have a number in this one',
  examples: ['nlkit netns list-id', 'nlkit netns list-id -j'],
  parameters: { targetNsid: integer('N', 'by the numbers of the namespace of that number') },
  async run(call) {
    const { targetNsid } = call.given
    const nl = await call.open()
    const names = await namespaceNames(nl)
    const listing = new Listing(call)
    for await (const namespace of nl.namespaces.list({ targetNsid }))
      listing.item((p) => showNamespace(p, namespace, (nsid) => names.get(nsid)))
    listing.end()
  },
})

export const command: Command = { verbs: { list, 'list-id': listId, add, delete: remove } }
