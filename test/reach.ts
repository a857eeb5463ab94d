/** Every family, and every type that its messages are made of: what tests of all families walk. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { doneMessage, errorMessage } from 'nlkit/families/nlmsgerr'
import type { AnyMessage, AnyType, Family } from 'nlkit/schema'

const folder = new URL('./', import.meta.resolve('nlkit/families/nlctrl'))

function isFamily(value: unknown): value is Family {
  const { kind, ops } = (value ?? {}) as { kind?: unknown; ops?: unknown }
  return (kind === 'raw' || kind === 'genl') && typeof ops === 'object'
}

/** The families that the files of src/families export. */
async function importFamilies(): Promise<Family[]> {
  const names = readdirSync(fileURLToPath(folder)).filter(
    (name) => name.endsWith('.js') && !name.endsWith('.test.js'),
  )
  const modules: object[] = await Promise.all(
    names.sort().map((name) => import(`${folder}${name}`)),
  )
  return [...new Set(modules.flatMap((module) => Object.values(module)).filter(isFamily))]
}

export const families: readonly Family[] = await importFamilies()

export interface NamedMessage {
  /** Such as `rt-link.getLink dump request`. */
  readonly name: string
  readonly message: AnyMessage
}

/** Every message of every family, and the two acknowledgements. */
export function allMessages(): NamedMessage[] {
  return [
    { name: 'NLMSG_ERROR', message: errorMessage },
    { name: 'NLMSG_DONE', message: doneMessage },
    ...messagesOf(families),
  ]
}

/** Every message of some families. */
export function messagesOf(some: readonly Family[]): NamedMessage[] {
  const found: NamedMessage[] = []
  for (const family of some) {
    for (const [op, definition] of Object.entries(family.ops)) {
      for (const kind of ['do', 'dump'] as const) {
        for (const [part, message] of Object.entries(definition[kind] ?? {})) {
          found.push({ name: `${family.name}.${op} ${kind} ${part}`, message })
        }
      }
    }
    for (const [name, { body }] of Object.entries(family.notifications ?? {})) {
      found.push({ name: `${family.name} notification ${name}`, message: body })
    }
  }
  return found
}

/** The types directly inside `type`. */
function parts(type: AnyType): AnyType[] {
  const { shape } = type
  switch (shape.kind) {
    case 'nest':
      return shape.table.entries.map((entry) => entry.type)
    case 'array':
    case 'keyed':
    case 'list':
    case 'multi':
      return [shape.of]
    case 'selected':
      return [...Object.values(shape.variants), ...(shape.otherwise ? [shape.otherwise] : [])]
    case 'struct':
      return shape.fields.map((field) => field.type)
    case 'followed':
      return [shape.head, shape.rest]
    case 'message':
    case 'records':
      return messageTypes(shape.of)
    default:
      return []
  }
}

function messageTypes(message: AnyMessage): AnyType[] {
  return [message.header, message.attrs].filter((type) => type !== undefined)
}

/** Every type that a message is made of, each once. */
export function allTypes(messages: readonly NamedMessage[]): Set<AnyType> {
  const seen = new Set<AnyType>()
  const visit = (type: AnyType): void => {
    if (seen.has(type)) return
    seen.add(type)
    parts(type).forEach(visit)
  }
  for (const { message } of messages) messageTypes(message).forEach(visit)
  return seen
}
