/** `nlkit listen FAMILY GROUP`: a family's notifications, as they come. */
import type { FamilyClient } from '../client/family.ts'
import type { Family } from '../schema/index.ts'
import { type Command, verb } from './command.ts'
import { describedFamily } from './described-family.ts'
import { EXIT, UsageError } from './exit.ts'
import { duration, integer, type Parameters } from './parameter.ts'

const parameters = {
  count: integer('N', 'ends after that many'),
  duration: duration('ends after that time, such as 5s'),
} satisfies Parameters

const only = verb({
  summary: "a family's notifications, as they come",
  examples: ['nlkit listen nlctrl notify', 'nlkit listen nlctrl --count 1 -j'],
  many: 'FAMILY GROUP …',
  parameters,
  async run(call) {
    const [name, ...groups] = call.rest
    if (name === undefined) throw new UsageError('a family is needed', 'nlkit listen FAMILY GROUP')
    const family = await describedFamily(call, name)
    const nl = await call.open()
    const client = (await nl.family<Family>(family)) as FamilyClient<Family>
    const asked = groups.length > 0 ? (groups as never) : undefined
    const events = client.listen(asked, { signal: call.signal })
    await events.ready
    if (!call.options.quiet)
      call.err.line(`listening to ${name}${groups.map((g) => ` ${g}`).join('')}; Ctrl-C ends it`)
    const { count = Number.POSITIVE_INFINITY, duration: milliseconds } = call.given
    const timer =
      milliseconds === undefined ? undefined : setTimeout(() => events.close(), milliseconds)
    let left = count
    let isLost = false
    try {
      while (left > 0) {
        const { done, value: event } = await events.next()
        if (done) break
        if (event.name === 'overrun') {
          isLost = true
          call.err.line('some events were lost')
          continue
        }
        left--
        if (call.options.json) call.out.json(event)
        else call.out.indented(event)
      }
    } finally {
      clearTimeout(timer)
      events.close()
    }
    const isBounded = call.given.count !== undefined || milliseconds !== undefined
    return isLost && isBounded ? EXIT.lost : EXIT.ok
  },
})

export const command: Command = { only }
