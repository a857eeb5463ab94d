/** `nlkit proc`: processes, as they fork, execute and exit. */
import { didYouMean } from '../client/nearest.ts'
import type { ProcessEvent, ProcessEventName } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { duration, integer } from './parameter.ts'
import { watchAll } from './watch-all.ts'

const EVENTS = [
  'fork',
  'exec',
  'uid',
  'gid',
  'sid',
  'ptrace',
  'comm',
  'coredump',
  'exit',
] as const satisfies readonly ProcessEventName[]

function eventsOf(words: readonly string[]): readonly ProcessEventName[] {
  return words.map((word) => {
    const event = EVENTS.find((known) => known === word)
    if (event) return event
    throw new UsageError(
      `"${word}" is no process event`,
      didYouMean(word, EVENTS) ?? `these are: ${EVENTS.join(' ')}`,
    )
  })
}

/** How a wait status ended: `code 0`, `signal 9`, and `core` where it was dumped. */
function describeStatus(status: number): string {
  const signal = status & 0x7f
  if (signal === 0) return `code ${(status >> 8) & 0xff}`
  return status & 0x80 ? `signal ${signal} core` : `signal ${signal}`
}

function own(pid: number, tgid: number): string {
  return pid === tgid ? `pid ${pid}` : `pid ${tgid} thread ${pid}`
}

function describe(event: ProcessEvent): string {
  switch (event.what) {
    case 'fork':
      return `${own(event.childPid, event.childTgid)}  by ${own(event.parentPid, event.parentTgid)}`
    case 'exit': {
      const ids = own(event.processPid, event.processTgid)
      return `${ids}  ${describeStatus(event.exitCode)}  parent ${event.parentTgid}`
    }
    case 'coredump':
      return `${own(event.processPid, event.processTgid)}  parent ${event.parentTgid}`
    case 'uid':
      return `${own(event.processPid, event.processTgid)}  real ${event.ruid} effective ${event.euid}`
    case 'gid':
      return `${own(event.processPid, event.processTgid)}  real ${event.rgid} effective ${event.egid}`
    case 'ptrace': {
      const ids = own(event.processPid, event.processTgid)
      return event.tracerTgid === 0 ? `${ids}  let go` : `${ids}  by pid ${event.tracerTgid}`
    }
    case 'comm':
      return `${own(event.processPid, event.processTgid)}  ${JSON.stringify(event.comm)}`
    case 'exec':
    case 'sid':
      return own(event.processPid, event.processTgid)
    default:
      return `of kind ${String(event.what)}`
  }
}

const watch = verb({
  summary: 'processes, as they fork, execute and exit',
  examples: ['nlkit proc watch', 'nlkit proc watch exec exit -j', 'nlkit proc watch --count 2'],
  many: `${EVENTS.join('|')} …`,
  parameters: {
    count: integer('N', 'ends after that many'),
    duration: duration('ends after that time, such as 5s'),
  },
  async run(call: Call) {
    const events = eventsOf(call.rest)
    const nl = await call.open()
    return watchAll(call, nl.processes.watch({ events }), {
      subject: events.length === 0 ? 'processes' : `processes: ${events.join(', ')}`,
      line: (event) => `${String(event.what).padEnd(8)}  ${describe(event)}`,
    })
  },
})

export const command: Command = { verbs: { list: watch, watch } }
