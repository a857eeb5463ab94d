/** Dumps written as C writes them: a function fills a buffer until it returns 0. */
import { align4 } from '../../wire/align.ts'
import { NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { NLMSG_GOODSIZE } from '../netlink/truesize.ts'
import { refuse } from './netlink.ts'
import { nlmsghdr } from './nlmsghdr.ts'
import { alloc_skb, GFP_KERNEL, type sk_buff } from './sk-buff.ts'

/** struct netlink_callback: what is kept between the steps of a dump. */
export interface netlink_callback {
  readonly nlh: nlmsghdr
  /** Six numbers of the dump's own. */
  readonly args: number[]
  readonly portid: number
  readonly seq: number
}
/** Puts messages into `skb`. @returns more than 0 while there may be more; 0; a negative errno. */
export type dumpit_func = (skb: sk_buff, cb: netlink_callback) => number

/** Payloads of the messages in a buffer. */
function payloadsOf(skb: sk_buff): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; skb.length - at >= NLMSG_HDRLEN; ) {
    const size = skb.view.getUint32(at, HOST_LE)
    if (size < NLMSG_HDRLEN || size > skb.length - at) break
    found.push(skb.bytes.slice(at + NLMSG_HDRLEN, at + size))
    at += align4(size)
  }
  return found
}

/** What `dumpit` puts, message by message. */
export function* dumpedPayloads(dumpit: dumpit_func, ctx: RequestContext): Iterable<Uint8Array> {
  const cb: netlink_callback = {
    nlh: new nlmsghdr(ctx.skb.bytes.subarray(0, ctx.end), ctx.start),
    args: [0, 0, 0, 0, 0, 0],
    portid: ctx.portid,
    seq: ctx.seq,
  }
  for (;;) {
    const skb = alloc_skb(NLMSG_GOODSIZE, GFP_KERNEL)
    const err = dumpit(skb, cb)
    if (err < 0 && skb.length === 0) throw refuse(err)
    yield* payloadsOf(skb)
    if (skb.length === 0 || err === 0) return
  }
}

/** A dump whose messages have `type`. */
export function rawDump(name: string, type: number, dumpit: dumpit_func): DumpSource {
  return {
    name,
    type,
    items: (ctx) => dumpedPayloads(dumpit, ctx),
    put: (w, payload) => w.put(payload as Uint8Array),
  }
}
