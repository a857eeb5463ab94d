/**
 * A registered family: its ops with their handlers, its numbers, its notifications.
 *
 * Kernel: struct genl_family, include/net/genetlink.h; genl_validate_ops() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import {
  type AnyMessage,
  type AttrSelection,
  type GenlFamily,
  NL_VALIDATE_LIBERAL,
  NL_VALIDATE_OWN_MAXTYPE,
  NL_VALIDATE_STRICT,
  type Op,
  opName,
  ownMaxType,
  type ReplyInput,
  type Request,
} from '../../schema/index.ts'
import { GENL_CMD_CAP_DO, GENL_CMD_CAP_DUMP, GENL_CMD_CAP_HASPOL } from '../../wire/constants.ts'
import type { Writer } from '../../wire/writer.ts'
import type { Capability } from '../credentials.ts'
import type { ModuleOwner } from '../module/module.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DoHandler, DumpHandler, Handlers, OpCodec } from '../netlink/handler.ts'
import type { KeptForSockets } from './socket-data.ts'

/** struct nla_policy[] of an op: which attributes, up to which number. */
export interface OpPolicy {
  /** Absent: all are refused (genl_policy_reject_all). */
  readonly selection: AttrSelection | undefined
  readonly maxattr: number
}

/** What runs around an op's `doit`. */
export interface Hooks {
  /**
   * Behind the policy, in front of `doit`: what it throws is the answer, and neither `doit` nor
   * `postDoit` is called.
   */
  preDoit?(request: unknown, ctx: RequestContext): void
  /** Behind `doit`, whatever became of that. */
  postDoit?(request: unknown, ctx: RequestContext): void
}

/** How an op's attributes are judged: `none` leaves them to the handler. */
export type Validation = 'strict' | 'liberal' | 'none'

/** What may be said of an op besides its handlers (enum genl_validate_flags). */
export interface OpOptions extends Hooks {
  /** GENL_DONT_VALIDATE_STRICT is `liberal`. Strict unless given. */
  readonly validate?: Validation
  /** GENL_DONT_VALIDATE_DUMP is `none`, GENL_DONT_VALIDATE_DUMP_STRICT `liberal`. */
  readonly validateDump?: Validation
}

/** Handlers by the ops' names. An op without one is not served. */
export type FamilyHandlers<F extends GenlFamily> = {
  readonly [N in keyof F['ops'] & string]?: Handlers<
    Request<F, N, 'do'>,
    ReplyInput<F, N, 'do'>,
    Request<F, N, 'dump'>,
    ReplyInput<F, N, 'dump'>
  > &
    OpOptions
}

/** How a family behaves at the kernel's side. */
export interface FamilyOptions extends Hooks {
  /** Commands from this one on refuse a reserved field or flags that mean nothing. 0 unless given. */
  readonly resvStartOp?: number
  /**
   * Its operations are struct genl_split_ops, as Linux's newer families have them: one without a
   * request takes any attribute, and does not say otherwise when asked alone.
   */
  readonly splitOps?: boolean
  /** False: it is there in the first namespace alone. */
  readonly netnsok?: boolean
  /** Its handlers may run while another family's asynchronous one waits. */
  readonly parallelOps?: boolean
  /** What joining a group takes, by the group's name (GENL_MCAST_CAP_NET_ADMIN). */
  readonly groupCapabilities?: Readonly<Record<string, Capability>>
  /**
   * Whose family it is: a running dump holds it. Inside a module's `init` it is that module unless
   * given.
   */
  readonly module?: ModuleOwner
  /** What is kept for each socket that asks. */
  readonly socketData?: KeptForSockets
  /** Somebody has joined, or left, a group: its place in `groups`. */
  bind?(index: number): void
  unbind?(index: number): void
}

/** One command, ready to be dispatched. */
export interface RegisteredOp {
  readonly cmd: number
  /** GENL_ADMIN_PERM, GENL_UNS_ADMIN_PERM. */
  readonly permission: number
  /** What nlctrl says of it (CTRL_ATTR_OP_FLAGS). */
  readonly flags: number
  readonly doCodec: OpCodec | undefined
  readonly doHandler: DoHandler | undefined
  readonly dumpCodec: OpCodec | undefined
  readonly dumpHandler: DumpHandler | undefined
  /** What CTRL_CMD_GETPOLICY says; absent where attributes are not looked at. */
  readonly doPolicy: OpPolicy | undefined
  readonly dumpPolicy: OpPolicy | undefined
}

/** Whom a notification goes to. */
export interface NotifyOptions {
  /** One namespace, or all; the first one unless given. */
  readonly net?: Net | 'all'
  /** The requester, to whom `seq` and, with `report`, a copy belong. */
  readonly portid?: number
  readonly seq?: number
  readonly report?: boolean
}

type OpHandler = Partial<DoHandler & DumpHandler> & OpOptions

const levels: Readonly<Record<Validation, number | undefined>> = {
  strict: NL_VALIDATE_STRICT,
  liberal: NL_VALIDATE_LIBERAL,
  none: undefined,
}
/** Room for one attribute, a refused one. */
const rejectAll: OpPolicy = { selection: undefined, maxattr: 1 }

/** struct genlmsghdr: command, version, a reserved field. */
export function putGenlHeader(w: Writer, cmd: number, version: number): void {
  w.u32(cmd | (version << 8), true)
}

/**
 * The table of a family's commands.
 * @throws NetlinkError EINVAL for a handler without op, an op without either handler, a handler
 * that its op has no room for, a command twice.
 */
export function registerOps(
  family: GenlFamily,
  id: number,
  handlers: Readonly<Record<string, OpHandler | undefined>>,
  options: FamilyOptions,
): Map<number, RegisteredOp> {
  const ops = new Map<number, RegisteredOp>()
  for (const name of Object.keys(handlers)) {
    if (!family.ops[name]) invalid(`${family.name} has no op ${name}`)
  }
  for (const [name, op] of Object.entries(family.ops)) {
    const handler = handlers[name]
    if (!handler) continue
    if (ops.has(op.cmd)) invalid(`${family.name}: command ${op.cmd} is there twice`)
    ops.set(op.cmd, registerOp(family, id, name, op, handler, options))
  }
  return ops
}

function registerOp(
  family: GenlFamily,
  id: number,
  name: string,
  op: Op,
  handler: OpHandler,
  options: FamilyOptions,
): RegisteredOp {
  const { doit, dumpit } = handler
  const title = opName(family, name)
  if (!doit && !dumpit) invalid(`${title} has neither doit nor dumpit`)
  if (doit && !op.do) invalid(`${title} has a doit, and no do`)
  if (dumpit && !op.dump) invalid(`${title} has a dumpit, and no dump`)
  const { validate = 'strict', validateDump = 'strict' } = handler
  const isNew = op.cmd >= (options.resvStartOp ?? 0)
  if (isNew && (validate !== 'strict' || validateDump !== 'strict'))
    invalid(`${title}: a command from resvStartOp on is judged strictly`)
  const doPolicy = doit && policyOf(family, op.do?.request, validate, isNew)
  const dumpPolicy = dumpit && policyOf(family, op.dump?.request, validateDump, isNew)
  const capabilities = (doit ? GENL_CMD_CAP_DO : 0) | (dumpit ? GENL_CMD_CAP_DUMP : 0)
  const permission = op.flags ?? 0
  const codec = (exchange: Op['do'], validation: Validation): OpCodec => ({
    name: title,
    request: exchange?.request,
    reply: exchange?.reply,
    replyType: id,
    replyHeader: (w) => putGenlHeader(w, op.replyCmd ?? op.cmd, family.version),
    level: levelOf(family, validation),
    async: op.async,
  })
  return {
    cmd: op.cmd,
    permission,
    flags: permission | capabilities | (doPolicy || dumpPolicy ? GENL_CMD_CAP_HASPOL : 0),
    doCodec: doit && codec(op.do, validate),
    doHandler: doit && hooked(handler as DoHandler, [handler, options]),
    dumpCodec: dumpit && codec(op.dump, validateDump),
    dumpHandler: dumpit && (handler as DumpHandler),
    doPolicy,
    dumpPolicy,
  }
}

/** genl_op_fill_in_reject_policy(): newer commands without a policy refuse every attribute. */
function policyOf(
  { maxattr }: GenlFamily,
  request: AnyMessage | undefined,
  validation: Validation,
  isNew: boolean,
): OpPolicy | undefined {
  if (validation === 'none') return undefined
  const selection = request?.attrs?.selection
  if (!selection) return isNew ? rejectAll : undefined
  return { selection, maxattr: maxattr ?? ownMaxType(selection) }
}

function levelOf({ maxattr }: GenlFamily, validation: Validation): number | undefined {
  const level = levels[validation]
  return level === undefined || maxattr !== undefined ? level : level | NL_VALIDATE_OWN_MAXTYPE
}

/** A `doit` between its hooks: the op's own, or else the family's. */
function hooked(handler: DoHandler, [own, family]: readonly [Hooks, Hooks]): DoHandler {
  const before = own.preDoit ? own : family
  const after = own.postDoit ? own : family
  if (!before.preDoit && !after.postDoit) return handler
  return {
    doit(request, ctx) {
      before.preDoit?.(request, ctx)
      let result: unknown
      try {
        result = handler.doit(request, ctx)
      } catch (error) {
        after.postDoit?.(request, ctx)
        throw error
      }
      if (result instanceof Promise) return result.finally(() => after.postDoit?.(request, ctx))
      after.postDoit?.(request, ctx)
      return result
    },
  }
}

function invalid(message: string): never {
  throw new NetlinkError('EINVAL', { message })
}
