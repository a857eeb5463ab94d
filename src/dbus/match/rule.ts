/**
 * Match rules: which messages a connection wants (D-Bus Specification, "Match Rules").
 *
 * Grammar and texts are the reference's (dbus-daemon 1.14, bus/signals.c): unquoted values go up to
 * a comma, an apostrophe toggles quoting, and of a rule's keys the first sixteen count.
 */
import {
  ERROR,
  isBusName,
  isInterfaceName,
  isMemberName,
  isNamespace,
  isObjectPath,
  METHOD_CALL,
  METHOD_RETURN,
  SIGNAL,
  typeName,
} from '../message/index.ts'
import { encodeText } from '../message/utf8.ts'
import { tokenize } from './token.ts'

/** Longest rule, bytes. */
const MAX_RULE_BYTES = 1024
/** Highest number of an argument. */
const MAX_ARGUMENT = 63

/** What an argument has to be. `path` and `namespace` also fit by their beginning. */
export interface ArgumentMatch {
  readonly index: number
  readonly kind: 'string' | 'path' | 'namespace'
  readonly value: string
}

/** A rule. What is undefined may be anything. */
export interface MatchRule {
  readonly type: number | undefined
  readonly sender: string | undefined
  readonly interface: string | undefined
  readonly member: string | undefined
  readonly path: string | undefined
  readonly pathNamespace: string | undefined
  readonly destination: string | undefined
  readonly eavesdrop: boolean
  /** In the order of their indices. */
  readonly args: readonly ArgumentMatch[]
  /** The rule in one spelling: two rules are equal when these are. */
  readonly text: string
}

/** Why a rule was refused: an error's name below org.freedesktop.DBus.Error, and the reference's text. */
export class MatchRuleError extends Error {
  override readonly name = 'MatchRuleError'
  readonly code: 'MatchRuleInvalid' | 'LimitsExceeded'

  constructor(code: 'MatchRuleInvalid' | 'LimitsExceeded', message: string) {
    super(message)
    this.code = code
  }
}

interface Draft {
  type?: number
  sender?: string
  interface?: string
  member?: string
  path?: string
  pathNamespace?: string
  destination?: string
  eavesdrop?: boolean
  args: Map<number, ArgumentMatch>
}

/** Text keys whose value is a name: how it is judged, and what the reference calls it. */
const NAMES = {
  sender: [isBusName, 'Sender name'],
  interface: [isInterfaceName, 'Interface name'],
  member: [isMemberName, 'Member name'],
  destination: [isBusName, 'Destination name'],
} as const

/**
 * The rule that `text` says.
 * @throws MatchRuleError
 */
export function parseMatchRule(text: string): MatchRule {
  // No character of a string has more than three bytes.
  const bytes = 3 * text.length > MAX_RULE_BYTES ? encodeText(text).length : 0
  if (bytes > MAX_RULE_BYTES)
    throw new MatchRuleError(
      'LimitsExceeded',
      `Match rule text is ${bytes} bytes, maximum is ${MAX_RULE_BYTES}`,
    )
  const draft: Draft = { args: new Map() }
  for (const { key, value } of tokenize(text, invalid)) enter(draft, key, value)
  return finish(draft)
}

function enter(draft: Draft, key: string, value: string): void {
  switch (key) {
    case 'type':
      once(draft.type, key)
      draft.type = messageType(value)
      return
    case 'sender':
    case 'interface':
    case 'member':
    case 'destination': {
      once(draft[key], key)
      const [isValid, what] = NAMES[key]
      if (!isValid(value)) invalid(`${what} '${value}' is invalid\n`)
      draft[key] = value
      return
    }
    case 'path':
    case 'path_namespace':
      if (draft.path !== undefined || draft.pathNamespace !== undefined)
        invalid('path or path_namespace specified twice in match rule\n')
      if (!isObjectPath(value)) invalid(`Path '${value}' is invalid\n`)
      draft[key === 'path' ? 'path' : 'pathNamespace'] = value
      return
    case 'eavesdrop':
      if (value !== 'true' && value !== 'false')
        invalid(`eavesdrop='${value}' is invalid, it should be 'true' or 'false'\n`)
      draft.eavesdrop = value === 'true'
      return
    default:
      if (!key.startsWith('arg')) invalid(`Unknown key "${key}" in match rule`)
      enterArgument(draft, key, value)
  }
}

function messageType(value: string): number {
  for (const type of [METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL])
    if (typeName(type) === value) return type
  return invalid(`Invalid message type (${value}) in match rule\n`)
}

function enterArgument(draft: Draft, key: string, value: string): void {
  const [, digits, suffix] = /^arg(\d*)(.*)$/s.exec(key)!
  if (digits === '')
    invalid(
      `Key '${key}' in match rule starts with 'arg' but lacks an arg number. Should be 'arg0' or 'arg7' for example.\n`,
    )
  const index = Number(digits)
  const kind = argumentKind(index, suffix!)
  if (kind === undefined)
    invalid(
      `Key '${key}' in match rule contains junk after argument number (${index}). Only 'arg${index}path' (for example) or 'arg0namespace' are valid`,
    )
  if (kind === 'namespace' && !isNamespace(value))
    invalid(`${key}='${value}' is not a valid prefix of a bus name`)
  if (index > MAX_ARGUMENT)
    invalid(
      `Key '${key}' in match rule has arg number ${index} but the maximum is ${MAX_ARGUMENT}.\n`,
    )
  if (draft.args.has(index)) invalid(`Argument ${key} matched more than once in match rule\n`)
  draft.args.set(index, { index, kind, value })
}

function argumentKind(index: number, suffix: string): ArgumentMatch['kind'] | undefined {
  if (suffix === '') return 'string'
  if (suffix === 'path') return 'path'
  return suffix === 'namespace' && index === 0 ? 'namespace' : undefined
}

function once(value: unknown, key: string): void {
  if (value !== undefined) invalid(`Key ${key} specified twice in match rule\n`)
}

function invalid(message: string): never {
  throw new MatchRuleError('MatchRuleInvalid', message)
}

function finish(draft: Draft): MatchRule {
  const args = [...draft.args.values()].sort((a, b) => a.index - b.index)
  const rule = {
    type: draft.type,
    sender: draft.sender,
    interface: draft.interface,
    member: draft.member,
    path: draft.path,
    pathNamespace: draft.pathNamespace,
    destination: draft.destination,
    eavesdrop: draft.eavesdrop ?? false,
    args,
  }
  return { ...rule, text: formatMatchRule(rule) }
}

/** A rule as text, in the reference's order of keys. */
function formatMatchRule(rule: Omit<MatchRule, 'text'>): string {
  const parts: string[] = []
  const add = (key: string, value: string | undefined): void => {
    if (value !== undefined) parts.push(`${key}='${value.replaceAll("'", "'\\''")}'`)
  }
  add('type', rule.type === undefined ? undefined : typeName(rule.type))
  add('interface', rule.interface)
  add('member', rule.member)
  add('path', rule.path)
  add('path_namespace', rule.pathNamespace)
  add('sender', rule.sender)
  add('destination', rule.destination)
  if (rule.eavesdrop) add('eavesdrop', 'true')
  for (const { index, kind, value } of rule.args)
    add(`arg${index}${kind === 'string' ? '' : kind}`, value)
  return parts.join(',')
}
