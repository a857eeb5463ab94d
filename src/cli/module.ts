/** `nlkit module`: insmod, rmmod, lsmod and modinfo of a served kernel. */
import { resolve } from 'node:path'
import { formatLsmod, formatModinfo, type ModuleInfo } from '../kernel/index.ts'
import { type Call, type Command, verb } from './command.ts'
import { openControl } from './control.ts'
import { flag, text } from './parameter.ts'

const file = { placeholder: 'FILE', about: 'a .js or .ts file', required: true } as const
const name = { placeholder: 'NAME', about: 'the name of a module', required: true } as const

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'the modules that are loaded',
  examples: ['nlkit module list', 'nlkit module list -j'],
  parameters: {},
  async run(call) {
    const control = await openControl(call)
    const all = await control.dump('getModule').toArray()
    const rows = all.map(({ name, size, refcount, usedBy = [], state }) => ({
      name,
      size,
      refcount,
      usedBy,
      state: state as 'Live',
    }))
    if (call.options.json) call.out.json(rows)
    else call.out.lines(formatLsmod(rows).trimEnd().split('\n'))
  },
})

const insmod = verb({
  aliases: ['load', 'add'],
  summary: 'loads a module from a file',
  examples: ['nlkit module insmod door.js', 'nlkit module insmod door.ts --params "size=3 name=x"'],
  subject: file,
  parameters: { params: text('LINE', 'its parameters, as insmod takes them') },
  async run(call) {
    const control = await openControl(call)
    const request = { file: resolve(call.subject as string), params: call.given.params }
    await control.do('newModule', call.asking(request))
  },
})

const rmmod = verb({
  aliases: ['unload', 'del', 'delete'],
  summary: 'unloads a module',
  examples: ['nlkit module rmmod door'],
  subject: name,
  parameters: { force: flag('although it has no exit') },
  async run(call) {
    const control = await openControl(call)
    const request = { name: call.subject as string, force: call.given.force }
    await control.do('delModule', call.asking(request))
  },
})

/** A name has no slash and no dot; a file has one or the other. */
function whichModule(word: string): { readonly file: string } | { readonly name: string } {
  return /[./]/.test(word) ? { file: resolve(word) } : { name: word }
}

async function showInfo(call: Call): Promise<void> {
  const control = await openControl(call)
  const which = whichModule(call.subject as string)
  const {
    moduleVersion: version,
    parm = [],
    depends = [],
    ...rest
  } = await control.do('getModuleInfo', call.asking(which))
  const params = parm.map((line) => {
    const [, name = line, description = '', type = ''] = /^(.*?):(.*?) ?\((\w*)\)$/.exec(line) ?? []
    return { name, description: description || undefined, type }
  })
  const { name, license, description, author } = rest
  const info: ModuleInfo = { name, license, version, description, author, depends, params }
  const filename = 'file' in which ? which.file : undefined
  if (call.options.json) call.out.json({ filename, ...info })
  else call.out.lines(formatModinfo(info, filename).trimEnd().split('\n'))
}

const info = verb({
  summary: 'what a module says of itself',
  examples: ['nlkit module info door', 'nlkit module info ./door.js'],
  subject: {
    placeholder: 'NAME|FILE',
    about: 'a module that is loaded, or a file',
    required: true,
  },
  parameters: {},
  run: showInfo,
})

export const command: Command = { verbs: { list, info, insmod, rmmod } }
