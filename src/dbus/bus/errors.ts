/** Errors of the bus: names below org.freedesktop.DBus.Error, and the errnos that stand for them on netlink. */
import type { ErrnoName } from '../../errno.ts'

/** What all the names begin with. */
export const ERROR_PREFIX = 'org.freedesktop.DBus.Error.'

const ERRNOS = {
  AccessDenied: 'EPERM',
  AdtAuditDataUnknown: 'ENODATA',
  Failed: 'EALREADY',
  InvalidArgs: 'EINVAL',
  LimitsExceeded: 'EDQUOT',
  MatchRuleInvalid: 'EINVAL',
  MatchRuleNotFound: 'ENOENT',
  NameHasNoOwner: 'ENOENT',
  NoReply: 'ETIMEDOUT',
  NotSupported: 'EOPNOTSUPP',
  PropertyReadOnly: 'EROFS',
  SELinuxSecurityContextUnknown: 'ENODATA',
  ServiceUnknown: 'ENOENT',
  UnixProcessIdUnknown: 'ENODATA',
  UnknownInterface: 'EOPNOTSUPP',
  UnknownMethod: 'EOPNOTSUPP',
  UnknownObject: 'ENOENT',
  UnknownProperty: 'ENOENT',
} as const satisfies Record<string, ErrnoName>

/** A name below org.freedesktop.DBus.Error. */
export type BusErrorName = keyof typeof ERRNOS

/** What the bus refuses: it becomes an error message, or an errno with an extack. */
export class BusError extends Error {
  override readonly name = 'BusError'
  /** Whole, such as `org.freedesktop.DBus.Error.Failed`. */
  readonly errorName: string
  readonly errno: ErrnoName

  /** `name` is one of ours, or a whole one of another's making. */
  constructor(name: BusErrorName | (string & {}), message: string) {
    super(message)
    const ours = name in ERRNOS
    this.errorName = ours || !name.includes('.') ? ERROR_PREFIX + name : name
    this.errno = ours ? ERRNOS[name as BusErrorName] : 'EIO'
  }
}

/** A sender who breaks the protocol: it is disconnected, and told nothing. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}

/** Somebody who does not take descriptors is sent some. */
export function noDescriptors(): BusError {
  return new BusError(
    'NotSupported',
    "Tried to send message with Unix file descriptorsto a client that doesn't support that.",
  )
}
