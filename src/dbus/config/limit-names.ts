/** `<limit>`: names as the reference has them, and what a value may be. */
import type { Limits } from '../bus/limits.ts'

type Writable = { -readonly [name in keyof Limits]: Limits[name] }
export type LimitDraft = Partial<Writable>

/** Known, and without a meaning here: limits of containers, which this bus does not have. */
const WITHOUT_MEANING = new Set([
  'max_connections_per_container',
  'max_container_metadata_bytes',
  'max_containers',
  'max_containers_per_user',
])

const NAMES: ReadonlyMap<string, keyof Limits> = new Map([
  ['max_incoming_bytes', 'maxIncomingBytes'],
  ['max_incoming_unix_fds', 'maxIncomingUnixFds'],
  ['max_outgoing_bytes', 'maxOutgoingBytes'],
  ['max_outgoing_unix_fds', 'maxOutgoingUnixFds'],
  ['max_message_size', 'maxMessageSize'],
  ['max_message_unix_fds', 'maxMessageUnixFds'],
  ['service_start_timeout', 'serviceStartTimeout'],
  ['auth_timeout', 'authTimeout'],
  ['pending_fd_timeout', 'pendingFdTimeout'],
  ['reply_timeout', 'replyTimeout'],
  ['max_completed_connections', 'maxCompletedConnections'],
  ['max_incomplete_connections', 'maxIncompleteConnections'],
  ['max_connections_per_user', 'maxConnectionsPerUser'],
  ['max_pending_service_starts', 'maxPendingServiceStarts'],
  ['max_names_per_connection', 'maxNamesPerConnection'],
  ['max_match_rules_per_connection', 'maxMatchRulesPerConnection'],
  ['max_replies_per_connection', 'maxRepliesPerConnection'],
])

/** Limits of bytes may be more than an int. */
const LONG = new Set(['max_incoming_bytes', 'max_outgoing_bytes', 'max_message_size'])
const MAX_INT = 0x7fffffff

/** Enters a limit; what is wrong with it otherwise. */
export function enterLimit(limits: LimitDraft, name: string, text: string): string | undefined {
  const field = NAMES.get(name)
  if (field === undefined && !WITHOUT_MEANING.has(name)) return `There is no limit called "${name}"`
  if (!/^\s*[+-]?\d+\s*$/.test(text)) return `<limit name="${name}"> value "${text}" is no number`
  const value = Number(text)
  if (value < 0 && name !== 'reply_timeout')
    return `<limit name="${name}"> must be a positive number`
  if (value > (LONG.has(name) ? Number.MAX_SAFE_INTEGER : MAX_INT))
    return `<limit name="${name}"> value is too large`
  if (field !== undefined) limits[field] = value
  return undefined
}
