/** A family's description in words: what its operations take. */
import type { OpPolicies } from '../client/family-policy.ts'
import { type AnyMessage, describePolicy, type Family } from '../schema/index.ts'

function attributesOf(message: AnyMessage | undefined): string {
  if (!message) return 'nothing'
  const { attrs, header } = message
  const fields = (header?.shape.fields ?? []).map(({ name }) => name)
  const { names = new Set<string>(), required = [], table } = attrs?.selection ?? {}
  const attributes = [...names].map((name) => {
    const entry = table?.byName.get(name)
    const { type } = (entry && describePolicy(entry.type)) ?? { type: 'value' }
    return `${name}${required.includes(name) ? '!' : ''}: ${type}`
  })
  return [...fields, ...attributes].join(', ') || 'nothing'
}

/** Lines on what an operation takes and answers; none where it is not described. */
export function describeOps(family: Family | undefined, op: string | undefined): string[] {
  const definition = op === undefined ? undefined : family?.ops[op]
  if (!definition) return []
  return (['do', 'dump'] as const).flatMap((kind) => {
    const exchange = definition[kind]
    if (!exchange) return []
    return [
      `${kind} takes ${attributesOf(exchange.request)}`,
      ...(exchange.reply ? [`${kind} answers ${attributesOf(exchange.reply)}`] : []),
    ]
  })
}

/** The name of an attribute of a policy, with a space behind it; empty where it is not known. */
export function nameOfAttribute(
  family: Family | undefined,
  ops: readonly OpPolicies[],
  policy: number,
  number: number,
): string {
  for (const { cmd, do: doPolicy, dump } of ops) {
    const kind = doPolicy === policy ? 'do' : dump === policy ? 'dump' : undefined
    if (kind === undefined) continue
    const op = Object.values(family?.ops ?? {}).find((each) => each.cmd === cmd)
    const name = op?.[kind]?.request?.attrs?.shape.table.byId.get(number)?.name
    if (name !== undefined) return `${name}  `
  }
  return ''
}
