/** `nlkit call FAMILY OP JSON`: asks one operation of a family. */
import type { ExchangeKind } from '../schema/index.ts'
import { type Call, type Command, verb } from './command.ts'
import { describedFamily } from './described-family.ts'
import { EXIT, UsageError } from './exit.ts'
import { callFamily } from './family-call.ts'
import { flag, type Parameters, readDuration, text } from './parameter.ts'

const parameters = {
  do: flag('asks for one answer, where the operation can be dumped too'),
  dump: flag('asks for all'),
  spec: text('FILE', "one of Linux's YAML specs; then it is OP JSON, in the spec's words"),
  family: text('NAME', 'the spec of that family: in NLKIT_SPECS, or where distributions put it'),
  multi: flag('several operations of a spec in one datagram: OP JSON OP JSON …'),
  subscribe: text('GROUP', 'of a spec: the notifications of that group'),
  ntf: text('GROUP', 'as --subscribe'),
  duration: text('TIME', 'ends listening after that time: 5s, or seconds'),
  create: flag('of a spec: NLM_F_CREATE'),
  excl: flag('of a spec: NLM_F_EXCL'),
  replace: flag('of a spec: NLM_F_REPLACE'),
  append: flag('of a spec: NLM_F_APPEND'),
} satisfies Parameters

const NLM_FLAGS = ['create', 'excl', 'replace', 'append'] as const

type Asking = Call<typeof parameters>

/** Linux's own tool counts in seconds. */
function milliseconds(time: string | undefined): number | undefined {
  if (time === undefined) return undefined
  return /^\d+$/.test(time) ? Number(time) * 1000 : readDuration(time)
}

async function askSpec(call: Asking, kind: ExchangeKind | undefined): Promise<number> {
  const { spec, family, multi, subscribe, ntf, duration } = call.given
  const { callSpec } = await import('./call-spec.ts')
  const { findSpec } = await import('./spec-file.ts')
  return callSpec(call, {
    file: spec ?? findSpec(family as string, call.env),
    words: call.rest,
    kind,
    isMulti: multi === true,
    group: subscribe ?? ntf,
    duration: milliseconds(duration),
    flags: NLM_FLAGS.filter((each) => call.given[each]),
  })
}

const only = verb({
  summary: 'one operation of a family, the request given as JSON',
  examples: [
    `nlkit call nlctrl getFamily '{"familyName": "nlctrl"}'`,
    'nlkit call nlctrl getFamily --dump -j',
    `nlkit call rt-link getLink '{"ifindex": 1}'`,
    `nlkit call --spec netdev.yaml --do dev-get --json '{"ifindex": 1}'`,
  ],
  many: 'FAMILY OP JSON',
  parameters,
  async run(call) {
    if (call.given.do && call.given.dump) throw new UsageError('--do and --dump exclude each other')
    const kind = call.given.do ? 'do' : call.given.dump ? 'dump' : undefined
    if (call.given.spec !== undefined || call.given.family !== undefined) return askSpec(call, kind)
    for (const each of ['multi', 'subscribe', 'ntf', 'duration', ...NLM_FLAGS] as const)
      if (call.given[each] !== undefined) throw new UsageError(`--${each} needs --spec FILE`)
    const [name, op, request, ...more] = call.rest
    if (name === undefined || op === undefined)
      throw new UsageError('a family and an operation are needed', 'nlkit call FAMILY OP JSON')
    if (more.length > 0)
      throw new UsageError(`unexpected word "${more[0]}"`, 'the request is one word: quote it')
    await callFamily(call, await describedFamily(call, name), { op, request, kind })
    return EXIT.ok
  },
})

export const command: Command = { only }
