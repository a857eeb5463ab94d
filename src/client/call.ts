/** An operation made ready to be asked: its numbers, its messages, what is known of its replies. */
import { DecodeError, NetlinkError } from '../errors.ts'
import type { Family, Message, Op } from '../schema/index.ts'
import { opName } from '../schema/index.ts'
import {
  GENL_HDRLEN,
  type MessageWalker,
  NETLINK_ROUTE,
  NLM_F_REQUEST,
  type Writer,
} from '../wire/index.ts'

/** One way to ask one operation. */
export interface Call {
  /** The kernel's constant, such as `RTM_GETLINK`, for errors. */
  readonly name: string
  readonly dump: boolean
  /** Whether asking again changes nothing: such requests are repeated after a loss. */
  readonly read: boolean
  /** nlmsg_type of the request, and of what answers it. */
  readonly type: number
  readonly replyType: number
  /** genlmsghdr's version and cmd, and the cmd of what answers it; undefined for raw families. */
  readonly genl:
    | { readonly cmd: number; readonly replyCmd: number; readonly version: number }
    | undefined
  readonly request: Message<unknown, unknown> | undefined
  readonly reply: Message<unknown, unknown> | undefined
  /** The longest reply seen, bytes; 0 before the first one. */
  replySize: number
}

/** `id` is nlmsg_type for generic families. */
export function makeCall(family: Family, op: string, kind: 'do' | 'dump', id = 0): Call {
  const definition = family.ops[op] as Op
  const { request, reply } = definition[kind] ?? {}
  const { cmd, replyCmd = cmd } = definition
  const generic = family.kind === 'genl'
  return {
    name: opName(family, op),
    dump: kind === 'dump',
    read: kind === 'dump' || isRead(family, op, cmd),
    type: generic ? id : cmd,
    replyType: generic ? id : replyCmd,
    genl: generic ? { cmd, replyCmd, version: family.version } : undefined,
    request,
    reply,
    replySize: 0,
  }
}

/**
 * rtnetlink's kinds are in the number: NEW, DEL, GET, SET. Elsewhere only the name can tell, as it
 * does in Linux's specs.
 */
function isRead(family: Family, op: string, cmd: number): boolean {
  if (family.protocol === NETLINK_ROUTE) return (cmd & 3) === 2
  return /^get($|[A-Z0-9])/.test(op)
}

/**
 * Appends a request. On an error nothing is left behind.
 * @throws EncodeError with the path of the bad value.
 */
export function writeRequest(
  w: Writer,
  call: Call,
  flags: number,
  seq: number,
  value: unknown,
): void {
  const mark = w.messageStart(call.type, flags | NLM_F_REQUEST, seq, 0)
  try {
    if (call.genl) {
      w.u8(call.genl.cmd)
      w.u8(call.genl.version)
      w.u16(0)
    }
    call.request?.encode(w, value ?? {})
    w.messageEnd(mark)
  } catch (error) {
    w.trim(mark)
    throw error
  }
}

/** Where a message's payload starts, behind genlmsghdr if there is one. */
export function payloadOf(call: Call, payload: number): number {
  return call.genl ? payload + GENL_HDRLEN : payload
}

/**
 * The value of the reply at which `m` stands; undefined for operations that describe none.
 * A dump may also be answered in the type in which it was asked, as bridges do (RTM_GETMDB).
 * @throws DecodeError, or NetlinkError NETLINK_PROTOCOL when it answers something else.
 */
export function readReply(call: Call, m: MessageWalker): unknown {
  if (call.reply === undefined) return undefined
  if (m.type !== call.replyType && (m.type !== call.type || !call.dump))
    throw unexpected(call, `message type ${m.type}`, call.replyType)
  const at = payloadOf(call, m.payload)
  if (call.genl) {
    if (at > m.end) throw new DecodeError('a message without genlmsghdr', m.payload)
    const cmd = m.view.getUint8(m.payload)
    if (cmd !== call.genl.replyCmd) throw unexpected(call, `command ${cmd}`, call.genl.replyCmd)
  }
  return call.reply.decode(m.view, at, m.end)
}

function unexpected(call: Call, what: string, expected: number): NetlinkError {
  return new NetlinkError('NETLINK_PROTOCOL', {
    request: call.name,
    message: `answered with ${what}, where ${expected} was expected`,
  })
}
