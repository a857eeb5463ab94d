/**
 * The request loop: walks a datagram, calls the protocol for each request, acknowledges.
 *
 * Kernel: net/netlink/af_netlink.c netlink_rcv_skb() (Linux 6.12).
 */
import { align4 } from '../../wire/align.ts'
import { NLM_F_ACK, NLM_F_REQUEST, NLMSG_HDRLEN, NLMSG_MIN_TYPE } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { netlinkAck } from './ack.ts'
import { RequestContext } from './context.ts'
import { refusalOf } from './extack.ts'
import type { Skb } from './skb.ts'

/** A request is done: it is acknowledged if it asked for that. */
export const HANDLED = 0
/** A dump has started, or nothing is to be said: no acknowledgement, whatever was asked (-EINTR). */
export const NO_ACK = 1
export type Handled = typeof HANDLED | typeof NO_ACK

/**
 * Handles one request. What it throws is the answer.
 * @throws NetlinkError
 */
export type RequestHandler = (ctx: RequestContext) => Handled | Promise<Handled>

/**
 * Walks the messages of `skb` and gives each request to `handle`. An error is answered and the
 * next message comes; a header that does not fit ends the walk without a word. Control messages
 * and those without NLM_F_REQUEST are only acknowledged.
 * @returns a promise when `handle` returned one: the rest of the datagram waits for it.
 */
export function netlinkRcvSkb(skb: Skb, handle: RequestHandler): void | Promise<void> {
  return walk(skb, 0, handle)
}

function walk(skb: Skb, from: number, handle: RequestHandler): void | Promise<void> {
  const { view, length: size } = skb
  for (let at = from; size - at >= NLMSG_HDRLEN; ) {
    const length = view.getUint32(at, HOST_LE)
    if (length < NLMSG_HDRLEN || length > size - at) return
    const next = Math.min(size, at + align4(length))
    const ctx = new RequestContext(skb, at, length)
    if ((ctx.flags & NLM_F_REQUEST) === 0 || ctx.type < NLMSG_MIN_TYPE) {
      finish(ctx, HANDLED)
    } else {
      const pending = handleOne(ctx, handle)
      if (pending !== undefined) return pending.then(() => walk(skb, next, handle))
    }
    at = next
  }
}

/** Calls the protocol and acknowledges; a promise if the protocol returned one. */
function handleOne(ctx: RequestContext, handle: RequestHandler): Promise<void> | undefined {
  try {
    const result = handle(ctx)
    if (typeof result !== 'number') {
      return result.then(
        (handled) => finish(ctx, handled),
        (error) => refuse(ctx, error),
      )
    }
    finish(ctx, result)
  } catch (error) {
    refuse(ctx, error)
  }
  return undefined
}

function finish(ctx: RequestContext, handled: Handled): void {
  if (handled === NO_ACK || (ctx.flags & NLM_F_ACK) === 0) return
  const { warning: message, cookie } = ctx
  netlinkAck(ctx, 0, message === undefined && !cookie ? undefined : { message, cookie })
}

function refuse(ctx: RequestContext, error: unknown): void {
  const { errno, extack } = refusalOf(ctx, error)
  netlinkAck(ctx, errno, extack)
}
