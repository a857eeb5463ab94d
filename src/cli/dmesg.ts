/** `nlkit dmesg`: the log of a served kernel. */
import type { FamilyClient } from '../client/family.ts'
import type { nlkit } from '../families/nlkit.ts'
import { formatDmesg, type LogEntry, type LogLevel } from '../kernel/index.ts'
import { type Call, type Command, verb } from './command.ts'
import { openControl } from './control.ts'
import { flag, integer, type Parameters } from './parameter.ts'

const parameters = {
  follow: flag('goes on with what comes', { words: ['-w'] }),
  clear: flag('hides what is there now from the next dmesg'),
  count: integer('N', 'with --follow: ends after that many lines'),
} satisfies Parameters

interface WireEntry {
  readonly seq: bigint
  readonly level: number
  readonly time: bigint
  readonly text: string
}

function print(call: Call<typeof parameters>, { seq, level, time, text }: WireEntry): void {
  const entry: LogEntry = {
    seq: Number(seq),
    level: level as LogLevel,
    time: Number(time) / 1000,
    text,
  }
  if (call.options.json) call.out.json({ ...entry, time: entry.time / 1000 })
  else call.out.lines(formatDmesg(entry).split('\n'))
}

async function follow(
  call: Call<typeof parameters>,
  control: FamilyClient<typeof nlkit>,
): Promise<void> {
  const events = control.listen(['log'], { signal: call.signal })
  await events.ready
  let left = call.given.count ?? Number.POSITIVE_INFINITY
  let next = 0n
  for (const entry of await control.dump('getLog').toArray()) {
    print(call, entry)
    next = entry.seq + 1n
    if (--left <= 0) break
  }
  try {
    for await (const event of events) {
      if (left <= 0) break
      if (event.name === 'overrun') call.err.line('some lines were lost')
      else if (event.value.seq >= next) {
        print(call, event.value)
        if (--left <= 0) break
      }
    }
  } finally {
    events.close()
  }
}

const dmesg = verb({
  summary: 'the log of a served kernel',
  examples: ['nlkit dmesg', 'nlkit dmesg --follow -j', 'nlkit dmesg --clear'],
  parameters,
  async run(call) {
    const control = await openControl(call)
    if (call.given.clear) await control.do('clearLog')
    else if (call.given.follow) await follow(call, control)
    else for await (const entry of control.dump('getLog')) print(call, entry)
  },
})

export const command: Command = { only: dmesg }
