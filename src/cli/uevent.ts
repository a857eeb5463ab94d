/** `nlkit uevent`: kernel objects, as they come, change and go. */
import type { KobjectEvent } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { duration, integer } from './parameter.ts'
import { watchAll } from './watch-all.ts'

/** What the first line has already. */
const HEAD = new Set(['ACTION', 'DEVPATH', 'SUBSYSTEM', 'SEQNUM'])

function describe({ action, devpath, env, seqnum }: KobjectEvent, details: boolean): string {
  const { SUBSYSTEM = '-' } = env
  const line = `${action.padEnd(8)}  ${SUBSYSTEM.padEnd(8)}  ${devpath}  ${seqnum}`
  if (!details) return line
  const rest = Object.entries(env).filter(([name]) => !HEAD.has(name))
  return [line, ...rest.map(([name, value]) => `    ${name}=${value}`)].join('\n')
}

const watch = verb({
  summary: 'kernel objects, as they come, change and go',
  examples: ['nlkit uevent watch', 'nlkit -d uevent watch', 'nlkit uevent watch -j --count 2'],
  parameters: {
    count: integer('N', 'ends after that many'),
    duration: duration('ends after that time, such as 5s'),
  },
  async run(call: Call) {
    const nl = await call.open()
    return watchAll(call, nl.uevents.watch(), {
      subject: 'uevents',
      line: (event) => describe(event, call.options.details),
    })
  },
})

export const command: Command = { verbs: { list: watch, watch } }
