/** `nlkit call FAMILY OP JSON`: asks one operation of a family. */
import { type Command, verb } from './command.ts'
import { describedFamily } from './described-family.ts'
import { UsageError } from './exit.ts'
import { callFamily } from './family-call.ts'
import { flag, type Parameters } from './parameter.ts'

const parameters = {
  do: flag('asks for one answer, where the operation can be dumped too'),
  dump: flag('asks for all'),
} satisfies Parameters

const only = verb({
  summary: 'one operation of a family, the request given as JSON',
  examples: [
    `nlkit call nlctrl getFamily '{"familyName": "nlctrl"}'`,
    'nlkit call nlctrl getFamily --dump -j',
    `nlkit call rt-link getLink '{"ifindex": 1}'`,
  ],
  many: 'FAMILY OP JSON',
  parameters,
  async run(call) {
    const [name, op, request, ...more] = call.rest
    if (name === undefined || op === undefined)
      throw new UsageError('a family and an operation are needed', 'nlkit call FAMILY OP JSON')
    if (more.length > 0)
      throw new UsageError(`unexpected word "${more[0]}"`, 'the request is one word: quote it')
    if (call.given.do && call.given.dump) throw new UsageError('--do and --dump exclude each other')
    const kind = call.given.do ? 'do' : call.given.dump ? 'dump' : undefined
    await callFamily(call, await describedFamily(name), { op, request, kind })
  },
})

export const command: Command = { only }
