/** `<allow>` and `<deny>`: which attributes go together, and what they mean (bus/config-parser.c). */
import { ERROR, METHOD_CALL, METHOD_RETURN, SIGNAL, typeName } from '../message/index.ts'
import type { Identities, MessageRule, PolicyRule } from '../policy/rule.ts'
import type { Element } from './xml.ts'

const SEND = [
  'send_destination',
  'send_destination_prefix',
  'send_broadcast',
  'send_path',
  'send_type',
  'send_interface',
  'send_member',
  'send_error',
  'send_requested_reply',
]
const RECEIVE = [
  'receive_sender',
  'receive_path',
  'receive_type',
  'receive_interface',
  'receive_member',
  'receive_error',
  'receive_requested_reply',
]
const MESSAGE = [...SEND, ...RECEIVE, 'eavesdrop', 'max_fds', 'min_fds']
const OTHERS = ['own', 'own_prefix', 'user', 'group']
const KNOWN = new Set([...MESSAGE, ...OTHERS, 'log'])
/** Most descriptors that a message may have. */
const MOST_FDS = 0xffffffff

/** What stands in the way of a rule; the caller knows file and line. */
export type Fail = (message: string) => never

/** What a rule is made with. */
interface Draft {
  readonly element: Element
  readonly fail: Fail
  readonly allow: boolean
  has(names: readonly string[]): boolean
  /** An attribute's value; undefined for `*`, which fits all. */
  text(name: string): string | undefined
  boolean(name: string): boolean | undefined
}

/**
 * The rule that an element is; undefined, with a warning, when it is about a user that nobody is.
 * @throws what `fail` throws
 */
export function parseRule(
  element: Element,
  identities: Identities,
  fail: Fail,
  warn: (message: string) => void,
): PolicyRule | undefined {
  const draft = draftOf(element, fail)
  checkCombination(draft)
  if (draft.has(SEND)) return sendRule(draft)
  if (draft.has(MESSAGE)) return receiveRule(draft)
  if (draft.has(['own'])) return ownRule(draft, 'own')
  if (draft.has(['own_prefix'])) return ownRule(draft, 'own_prefix')
  return connectRule(draft, identities, warn)
}

function draftOf(element: Element, fail: Fail): Draft {
  const { attributes, name } = element
  for (const attribute of attributes.keys())
    if (!KNOWN.has(attribute))
      fail(`Attribute "${attribute}" is invalid on <${name}> element in this context`)
  const draft: Draft = {
    element,
    fail,
    allow: name === 'allow',
    has: (names) => names.some((attribute) => attributes.has(attribute)),
    text(attribute) {
      const value = attributes.get(attribute)
      return value === '*' ? undefined : value
    },
    boolean(attribute) {
      const value = attributes.get(attribute)
      if (value === undefined) return undefined
      if (value === 'true' || value === 'false') return value === 'true'
      return fail(`Bad value "${value}" for ${attribute} attribute, must be true or false`)
    },
  }
  draft.boolean('log')
  return draft
}

function checkCombination(draft: Draft): void {
  const { element, fail, has } = draft
  const isMessage = has(MESSAGE)
  const others = OTHERS.filter((name) => element.attributes.has(name))
  if (!isMessage && others.length === 0)
    fail(`Element <${element.name}> must have one or more attributes`)
  if (others.length > 1 || (isMessage && others.length > 0))
    fail(`Invalid combination of attributes on element <${element.name}>`)
  if (has(SEND) && has(RECEIVE))
    fail(`send and receive attributes cannot go together on element <${element.name}>`)
  for (const side of ['send', 'receive'])
    if (has([`${side}_member`]) && !has([`${side}_interface`, `${side}_path`]))
      fail(
        `On element <${element.name}>, ${side}_member requires a ${side}_interface or ${side}_path`,
      )
  if (has(['send_destination']) && has(['send_destination_prefix']))
    fail(
      `On element <${element.name}>, send_destination and send_destination_prefix cannot go together`,
    )
  const isAddressed =
    draft.text('send_destination') !== undefined || has(['send_destination_prefix'])
  if (draft.boolean('send_broadcast') && isAddressed)
    fail('send_broadcast="true" cannot be combined with a destination: a broadcast has none')
}

function messageRule(draft: Draft, side: 'send' | 'receive'): MessageRule {
  return {
    allow: draft.allow,
    type: messageType(draft, `${side}_type`),
    path: draft.text(`${side}_path`),
    interface: draft.text(`${side}_interface`),
    member: draft.text(`${side}_member`),
    errorName: draft.text(`${side}_error`),
    eavesdrop: draft.boolean('eavesdrop') ?? false,
    requestedReply: draft.boolean(`${side}_requested_reply`) ?? draft.allow,
    minFds: count(draft, 'min_fds') ?? 0,
    maxFds: count(draft, 'max_fds') ?? MOST_FDS,
  }
}

function messageType(draft: Draft, attribute: string): number | undefined {
  const value = draft.text(attribute)
  if (value === undefined) return undefined
  for (const type of [METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL])
    if (typeName(type) === value) return type
  return draft.fail(`Bad message type "${value}"`)
}

function count(draft: Draft, attribute: string): number | undefined {
  const value = draft.element.attributes.get(attribute)
  if (value === undefined) return undefined
  if (/^\d{1,10}$/.test(value) && Number(value) <= MOST_FDS) return Number(value)
  return draft.fail(`Bad value "${value}" for ${attribute} attribute, must be a number`)
}

function sendRule(draft: Draft): PolicyRule {
  const prefix = draft.text('send_destination_prefix')
  return {
    kind: 'send',
    ...messageRule(draft, 'send'),
    destination: prefix ?? draft.text('send_destination'),
    isPrefix: prefix !== undefined,
    broadcast: draft.boolean('send_broadcast'),
  }
}

function receiveRule(draft: Draft): PolicyRule {
  return {
    kind: 'receive',
    ...messageRule(draft, 'receive'),
    origin: draft.text('receive_sender'),
  }
}

function ownRule(draft: Draft, attribute: 'own' | 'own_prefix'): PolicyRule {
  const name = draft.text(attribute)
  const isPrefix = attribute === 'own_prefix'
  return { kind: 'own', allow: draft.allow, name, isPrefix: isPrefix && name !== undefined }
}

function connectRule(
  draft: Draft,
  identities: Identities,
  warn: (message: string) => void,
): PolicyRule | undefined {
  const kind = draft.has(['user']) ? 'user' : 'group'
  const name = draft.text(kind)
  if (name === undefined) return { kind, allow: draft.allow, id: undefined }
  const id = kind === 'user' ? identities.uidOf(name) : identities.gidOf(name)
  if (id !== undefined) return { kind, allow: draft.allow, id }
  warn(
    `Unknown ${kind === 'user' ? 'username' : 'group'} "${name}" on element <${draft.element.name}>`,
  )
  return undefined
}
