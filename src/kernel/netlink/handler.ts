/**
 * Handlers: what answers an op, and what the core needs to know to call them.
 *
 *   const handlers: Handlers<Request, Reply> = {
 *     doit(request, ctx) {
 *       const dev = ctx.net…              // the sender's namespace
 *       if (!dev) throw new NetlinkError('ENODEV', { extack: { attribute: 'ifname' } })
 *       return describe(dev)              // encoded with the op's reply message
 *     },
 *     *dumpit(request, ctx) {
 *       for (const dev of …) yield describe(dev)
 *     },
 *   }
 *
 * A family's dispatcher (genl_rcv_msg, rtnetlink_rcv_msg) finds the op, checks permission, and
 * hands over to `handleDo` or `handleDump`. What a handler throws is what the client catches: an
 * attribute named in the extack (`attribute`, `missing`) becomes its offset in the request. Any
 * other exception is logged and answered with EIO; the kernel lives on.
 *
 * A dispatcher may also do it all itself, as rtnetlink does: `ctx.view` from `ctx.payload` to
 * `ctx.end`, `ctx.decode`, `ctx.reply`, and `startDump` with a source of its own.
 */
import { NetlinkError } from '../../errors.ts'
import type { Message, ValidationLevel } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { ModuleOwner } from '../module/module.ts'
import { KERN_ERR } from '../printk/log.ts'
import type { RequestContext } from './context.ts'
import { type DumpSource, startDump } from './dump.ts'
import { HANDLED, type Handled } from './rcv.ts'

/** How an op looks on the wire. */
export interface OpCodec {
  /** What the log calls it, such as `RTM_GETLINK`. */
  readonly name: string
  /** Absent: the request carries nothing, and nothing of it is looked at. */
  readonly request?: Message<unknown, unknown> | undefined
  /** Absent: nothing but the acknowledgement answers it. */
  readonly reply?: Message<unknown, unknown> | undefined
  /** nlmsg_type of the replies. */
  readonly replyType: number
  /** Writes what stands between nlmsghdr and the message, such as genlmsghdr. */
  readonly replyHeader?: ((w: Writer) => void) | undefined
  /** How the request's attributes are judged (NL_VALIDATE_…); absent: not at all. */
  readonly level?: ValidationLevel | undefined
  /** `doit` may return a promise: the rest of its datagram, and the sender's next, wait for it. */
  readonly async?: boolean | undefined
}

/** What answers a request that is not a dump. */
export interface DoHandler<Request = unknown, Reply = unknown> {
  /**
   * Does it, and returns the reply, or undefined where there is none. Synchronous, so that the
   * answer is there when send returns, unless its op is marked async.
   * @throws NetlinkError
   */
  doit(request: Request, ctx: RequestContext): Reply | undefined | Promise<Reply | undefined>
}

/** What answers a dump. */
export interface DumpHandler<Request = unknown, Reply = unknown> {
  /** Comes first: what it throws goes out as NLMSG_ERROR, and there is no dump. */
  start?(request: Request, ctx: RequestContext): void
  /**
   * Yields the values, one a message; the core pulls them as the reader reads. What it throws, even
   * before the first value, goes out in NLMSG_DONE. A reader that leaves calls its `return`.
   */
  dumpit(request: Request, ctx: RequestContext): Iterable<Reply>
  /** Comes last, exactly once, also when the reader leaves. */
  done?(request: Request, ctx: RequestContext): void
  /** cb->seq at each step, where `ctx.dumpSeq` is not set by `dumpit` itself. */
  dumpSeq?(ctx: RequestContext): number
  /** cb->min_dump_alloc: bytes that the largest message needs. */
  minDumpAlloc?(request: Request, ctx: RequestContext): number
  /** NLMSG_DONE comes in a datagram of its own; else behind the last value if it fits. */
  readonly doneAlone?: boolean
  /** The request is judged and decoded inside the dump: what is wrong with it goes out in DONE. */
  readonly decodeInDump?: boolean
}

/** `doit`, `dumpit` or both. */
export type Handlers<
  DoRequest = unknown,
  DoReply = unknown,
  DumpRequest = DoRequest,
  DumpReply = DoReply,
> = Partial<DoHandler<DoRequest, DoReply>> & Partial<DumpHandler<DumpRequest, DumpReply>>

const nothing: Readonly<Record<string, never>> = Object.freeze({})

/** Decodes a request for its handler. */
function readRequest(ctx: RequestContext, codec: OpCodec): unknown {
  return codec.request ? ctx.decode(codec.request, codec.level) : nothing
}

/** Judges, decodes, calls `doit`, sends its reply. The acknowledgement is netlinkRcvSkb's. */
export function handleDo(
  ctx: RequestContext,
  codec: OpCodec,
  handler: DoHandler,
): Handled | Promise<Handled> {
  const result: unknown = handler.doit(readRequest(ctx, codec), ctx)
  if (!(result instanceof Promise)) return sendReply(ctx, codec, result)
  if (codec.async) return result.then((reply) => sendReply(ctx, codec, reply))
  result.catch(() => {})
  const text = `${codec.name}: its handler returned a promise and is not marked async`
  ctx.kernel.printk(KERN_ERR, text)
  throw new NetlinkError('EIO', text)
}

/** Encodes `reply` and sends it to the requester. */
function sendReply(ctx: RequestContext, codec: OpCodec, reply: unknown): Handled {
  if (reply === undefined) return HANDLED
  if (!codec.reply) throw new TypeError(`${codec.name} has no reply, and its handler returned one`)
  const skb = ctx.sock.alloc()
  const mark = skb.messageStart(codec.replyType, 0, ctx.seq, ctx.portid)
  codec.replyHeader?.(skb)
  codec.reply.encode(skb, reply)
  skb.messageEnd(mark)
  ctx.sock.unicast(skb, ctx.portid)
  return HANDLED
}

/** Starts a dump: judges and decodes, calls `start`, makes the first step. It holds `module`. */
export function handleDump(
  ctx: RequestContext,
  codec: OpCodec,
  handler: DumpHandler,
  module?: ModuleOwner,
): Handled {
  return startDump(ctx, { ...dumpSource(ctx, codec, handler), module })
}

function dumpSource(ctx: RequestContext, codec: OpCodec, handler: DumpHandler): DumpSource {
  const { reply } = codec
  if (!reply) throw new TypeError(`${codec.name} has no reply, and is dumped`)
  let request: unknown = nothing
  return {
    name: codec.name,
    type: codec.replyType,
    doneAlone: handler.doneAlone ?? false,
    minDumpAlloc: handler.minDumpAlloc && (() => handler.minDumpAlloc?.(request, ctx) ?? 0),
    dumpSeq: handler.dumpSeq && (() => handler.dumpSeq?.(ctx) ?? 0),
    start() {
      if (!handler.decodeInDump) request = readRequest(ctx, codec)
      handler.start?.(request, ctx)
    },
    *items() {
      if (handler.decodeInDump) request = readRequest(ctx, codec)
      yield* handler.dumpit(request, ctx)
    },
    ...(handler.done ? { done: () => handler.done?.(request, ctx) } : {}),
    put(w, item) {
      codec.replyHeader?.(w)
      reply.encode(w, item)
    },
  }
}
