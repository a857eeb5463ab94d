/** The errors of nlkit: one for what a kernel refuses, one for bad bytes, one for bad values. */
import { type ErrnoName, errnoNumber, errnoText } from './errno.ts'

/** Faults that no kernel reported: the client, the transport or the machine did. */
export type ClientFault =
  | 'NETLINK_ABORTED'
  | 'NETLINK_CLOSED'
  | 'NETLINK_FAMILY'
  | 'NETLINK_INTERRUPTED'
  | 'NETLINK_INVALID'
  | 'NETLINK_KERNEL'
  | 'NETLINK_LOST'
  | 'NETLINK_NO_NATIVE'
  | 'NETLINK_OVERFLOW'
  | 'NETLINK_PLATFORM'
  | 'NETLINK_PROTOCOL'
  | 'NETLINK_TIMEOUT'

/** What a policy allows, as NLMSGERR_ATTR_POLICY describes it (enum netlink_policy_type_attr). */
export interface PolicyDescription {
  /** An NL_ATTR_TYPE_* name in lower case, such as `u32` or `nul-string`. */
  readonly type: string
  /** Smallest and largest value, for integers. */
  readonly min?: bigint
  readonly max?: bigint
  /** Bytes, for strings and binaries. */
  readonly minLength?: number
  readonly maxLength?: number
  /** Bits that may be set. */
  readonly mask?: bigint
}

/** The extended acknowledgement: why, and where (enum nlmsgerr_attrs). */
export interface Extack {
  /** The kernel's own words (NLMSGERR_ATTR_MSG). On success this is a warning. */
  readonly message?: string | undefined
  /** The attribute at fault as a path in the request, such as `linkinfo.data.id`. */
  readonly attribute?: string | undefined
  /** Bytes from the request's nlmsghdr to the attribute at fault (NLMSGERR_ATTR_OFFS). */
  readonly offset?: number | undefined
  /** What would have been accepted (NLMSGERR_ATTR_POLICY). */
  readonly policy?: PolicyDescription | undefined
  /** Path, or number, of an attribute that is required and absent (NLMSGERR_ATTR_MISS_TYPE). */
  readonly missing?: string | number | undefined
  /** Bytes from the request's nlmsghdr to the nest that lacks it (NLMSGERR_ATTR_MISS_NEST). */
  readonly missingNest?: number | undefined
  /** Opaque bytes of the kernel's, at most 20 (NLMSGERR_ATTR_COOKIE). */
  readonly cookie?: Uint8Array | undefined
}

/** What is known of a failure besides its code. */
export interface NetlinkErrorInit {
  readonly extack?: Extack | undefined
  /** The request's name, such as `RTM_NEWLINK`. */
  readonly request?: string | undefined
  /** What to do about it, one sentence. */
  readonly hint?: string | undefined
  /** The system call that failed, for errors that are a system call's own. */
  readonly syscall?: string | undefined
  readonly cause?: unknown
  /** A whole sentence that replaces the errno's text. */
  readonly message?: string | undefined
}

const brand = Symbol.for('nlkit.error')

/**
 * A refusal. Kernel handlers throw it, NLMSG_ERROR and NLMSG_DONE carry it, the client throws it
 * again: the same class, code and extack at both ends. Client-side faults have codes that begin
 * with `NETLINK_` and no errno.
 */
export class NetlinkError extends Error {
  override readonly name: string = 'NetlinkError'
  /** The errno's name, such as `EEXIST`, or a ClientFault. */
  readonly code: string
  /** Negative, as in Node's own system errors; undefined for client-side faults. */
  readonly errno: number | undefined
  readonly extack: Extack | undefined
  readonly request: string | undefined
  readonly hint: string | undefined
  readonly syscall: string | undefined

  /** `detail` is the extack's message, or everything that is known. */
  constructor(code: ErrnoName | ClientFault | (string & {}), detail?: string | NetlinkErrorInit) {
    const init: NetlinkErrorInit =
      typeof detail === 'string' ? { extack: { message: detail } } : (detail ?? {})
    super(sentence(code, init), init.cause === undefined ? undefined : { cause: init.cause })
    Object.defineProperty(this, brand, { value: true })
    const number = errnoNumber(code)
    this.code = code
    this.errno = number === undefined ? undefined : -number
    this.extack = init.extack
    this.request = init.request
    this.hint = init.hint
    this.syscall = init.syscall
  }
}

function sentence(code: string, init: NetlinkErrorInit): string {
  const where = init.request ?? init.syscall
  const words = init.message ?? init.extack?.message ?? errnoText(code)
  const at = init.extack?.attribute
  const missing = init.extack?.missing
  return (
    `${where ? `${where}: ` : ''}${words} (${code})` +
    (at ? ` at ${at}` : '') +
    (missing === undefined ? '' : `, ${missing} is missing`)
  )
}

/** Whether `error` is a NetlinkError, of `code` if one is given; also across copies of the package. */
export function isNetlinkError(error: unknown, code?: string): error is NetlinkError {
  return (
    typeof error === 'object' &&
    error !== null &&
    (error as { [brand]?: true })[brand] === true &&
    (code === undefined || (error as NetlinkError).code === code)
  )
}

/** Bytes that are not what their schema says. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code = 'NETLINK_DECODE'
  /** What is wrong, without place. */
  readonly reason: string
  /** Bytes from the start of what was decoded. */
  readonly offset: number
  /** The attribute, such as `linkinfo.data`, when the schema could tell. */
  readonly path: string | undefined

  constructor(reason: string, offset: number, path?: string) {
    super(`${reason} (at byte ${offset}${path ? `, ${path}` : ''})`)
    this.reason = reason
    this.offset = offset
    this.path = path
  }
}

/** A value that its schema cannot put on the wire; nothing was sent. */
export class EncodeError extends TypeError {
  override readonly name = 'EncodeError'
  readonly code = 'NETLINK_ENCODE'
  /** What is wrong, without place. */
  readonly reason: string
  /** The value's path in the request, such as `addresses[2].prefixlen`. */
  readonly path: string

  constructor(reason: string, path = '') {
    super(path ? `${path}: ${reason}` : reason)
    this.reason = reason
    this.path = path
  }
}
