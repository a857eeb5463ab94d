/** Whether a rule wants a message: the specification, key by key. The index has to agree with it. */
import type { ArgumentMatch, MatchRule } from './rule.ts'

/** An argument that a rule may look at: a string or an object path. */
export interface TextArgument {
  readonly text: string
  readonly isPath: boolean
}

/** A message, as far as rules ask. */
export interface Matchable {
  readonly type: number
  readonly path: string | undefined
  readonly interface: string | undefined
  readonly member: string | undefined
  /** Whom it is for; undefined for a broadcast. */
  readonly destination: string | undefined
  /** The sender's unique name, or the bus's own name. */
  readonly sender: string
  /** Whether the sender is the primary owner of `name`. */
  isFrom(name: string): boolean
  /** Whether it goes to the primary owner of `name`. */
  isTo(name: string): boolean
  /** Argument `index`, if there is one and it is text. */
  argument(index: number): TextArgument | undefined
}

/** Whether `rule` wants `message`. */
export function matchesRule(rule: MatchRule, message: Matchable): boolean {
  if (message.destination === undefined) {
    if (rule.destination !== undefined) return false
  } else {
    if (!rule.eavesdrop) return false
    if (rule.destination !== undefined && !message.isTo(rule.destination)) return false
  }
  if (rule.sender !== undefined && !message.isFrom(rule.sender)) return false
  if (rule.path !== undefined && rule.path !== message.path) return false
  if (rule.interface !== undefined && rule.interface !== message.interface) return false
  if (rule.member !== undefined && rule.member !== message.member) return false
  return matchesRest(rule, message)
}

/** What no index looks at: type, namespace of the path, arguments. */
export function matchesRest(rule: MatchRule, message: Matchable): boolean {
  if (rule.type !== undefined && rule.type !== message.type) return false
  if (rule.pathNamespace !== undefined && !isWithin(message.path, rule.pathNamespace)) return false
  for (const match of rule.args)
    if (!matchesArgument(match, message.argument(match.index))) return false
  return true
}

/** Whether `path` is `namespace`, or an object below it. */
function isWithin(path: string | undefined, namespace: string): boolean {
  if (path === undefined) return false
  if (namespace === '/' || path === namespace) return true
  return path.startsWith(namespace) && path[namespace.length] === '/'
}

function matchesArgument(match: ArgumentMatch, argument: TextArgument | undefined): boolean {
  if (argument === undefined) return false
  const { text, isPath } = argument
  const { kind, value } = match
  if (kind === 'path')
    return (
      text === value ||
      (value.endsWith('/') && text.startsWith(value)) ||
      (text.endsWith('/') && value.startsWith(text))
    )
  if (isPath) return false
  if (kind === 'string') return text === value
  return text === value || (text.startsWith(value) && text[value.length] === '.')
}
