/**
 * Dumps: a source of values is pulled datagram by datagram, as fast as the reader reads.
 *
 * The first step runs in the request's send, the others in the reader's receive while its queue
 * is at most half full. A datagram is as long as the reader's longest buffer, within bounds.
 *
 * Kernel: net/netlink/af_netlink.c __netlink_dump_start(), netlink_dump(), netlink_dump_done();
 * include/net/netlink.h nl_dump_check_consistent() (Linux 6.12).
 */

import { NetlinkError } from '../../errors.ts'
import {
  NLM_F_ACK_TLVS,
  NLM_F_DUMP_FILTERED,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_HDRLEN,
} from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import { EMSGSIZE, ENOBUFS } from '../errno.ts'
import type { ModuleOwner } from '../module/module.ts'
import { KERN_ERR } from '../printk/log.ts'
import { hasTlvs, putExtack, type WireExtack } from './ack.ts'
import type { RequestContext } from './context.ts'
import { refusalOf } from './extack.ts'
import { type Handled, NO_ACK } from './rcv.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'
import { allocatedTruesize, NLMSG_GOODSIZE } from './truesize.ts'

/** NLMSG_DONE with its errno, bytes. */
const DONE_SIZE = NLMSG_HDRLEN + 4

/** What a dump consists of (struct netlink_dump_control). */
export interface DumpSource<Item = unknown> {
  /** What the log calls it. */
  readonly name: string
  /** nlmsg_type of its messages. */
  readonly type: number
  /** Comes first, with the request already safe. @throws NetlinkError: NLMSG_ERROR, no dump. */
  start?(ctx: RequestContext): void
  /** The values, one a message. @throws NetlinkError: it goes out in NLMSG_DONE. */
  items(ctx: RequestContext): Iterable<Item>
  /** Writes what follows the nlmsghdr. */
  put(w: Writer, item: Item, ctx: RequestContext): void
  /** Comes last, exactly once, also when the reader leaves. */
  done?(ctx: RequestContext): void
  /** NLMSG_DONE comes in a datagram of its own; else behind the last message if it fits. */
  readonly doneAlone?: boolean | undefined
  /** Bytes that the largest message needs (cb->min_dump_alloc). */
  readonly minDumpAlloc?: ((ctx: RequestContext) => number) | undefined
  /** What `ctx.dumpSeq` is at the beginning of each step. */
  readonly dumpSeq?: ((ctx: RequestContext) => number) | undefined
  /** Whose code it is: the dump holds it (cb->module). */
  readonly module?: ModuleOwner | undefined
}

/** A dump in progress (struct netlink_callback). */
export interface RunningDump {
  readonly source: DumpSource
  readonly ctx: RequestContext
  readonly minSize: number
  /** The values, from the first step on. */
  iterator: Iterator<unknown> | undefined
  /** A step is being made: the source's own code runs. */
  isStepping: boolean
  /** The value that did not fit in the datagram before. */
  held: { readonly value: unknown } | undefined
  /** nlk->dump_done_errno: undefined while there is more to come, then 0 or negative. */
  errno: number | undefined
  extack: WireExtack | undefined
}

/**
 * netlink_dump_start(): begins a dump to the requester and makes its first step.
 * @throws NetlinkError EBUSY when one runs on its socket, ECONNREFUSED when that is gone,
 * EPROTONOSUPPORT when the source's module is going, ENOBUFS when its queue is full (the dump then
 * goes on as it is read); what `source.start` throws.
 */
export function startDump(ctx: RequestContext, source: DumpSource): Handled {
  const sk = ctx.sock.ports.get(ctx.portid)
  if (!sk) throw new NetlinkError('ECONNREFUSED')
  if (sk.dump) throw new NetlinkError('EBUSY')
  if (source.module?.tryGet() === false) throw new NetlinkError('EPROTONOSUPPORT')
  ctx.keep()
  try {
    source.start?.(ctx)
  } catch (error) {
    source.module?.put()
    throw error
  }
  ctx.warning = undefined
  sk.dump = {
    source,
    ctx,
    minSize: Math.max(NLMSG_GOODSIZE, source.minDumpAlloc?.(ctx) ?? 0),
    iterator: undefined,
    isStepping: false,
    held: undefined,
    errno: undefined,
    extack: undefined,
  }
  if (netlinkDump(sk) !== 0) throw new NetlinkError('ENOBUFS')
  return NO_ACK
}

/**
 * netlink_dump(): one more datagram to the reader `sk`, on which a dump runs.
 * @returns 0; or -ENOBUFS, when there is no room: the dump waits.
 */
export function netlinkDump(sk: NetlinkSock): number {
  const dump = sk.dump as RunningDump
  const { queue } = sk
  const size = Math.max(dump.minSize, sk.maxReceiveLength)
  const truesize = allocatedTruesize(size)
  if (queue.bytes > 0 && queue.bytes + truesize >= queue.limit) return -ENOBUFS
  const skb = sk.netlink.pool.alloc(size)
  skb.truesize = truesize
  const isOver = dump.errno !== undefined
  if (!isOver) fill(dump, skb, size)
  if (sk.dump !== dump) {
    skb.free()
    finish(dump)
    return 0
  }
  const waits = !isOver && dump.source.doneAlone === true && skb.length > 0
  const ends = dump.errno !== undefined && !waits && size - skb.length >= DONE_SIZE
  if (ends) {
    putDone(dump, skb, sk.extAck, size)
    sk.dump = undefined
  }
  const taken = sk.filter ? sk.accepts(skb) : skb.length
  if (taken === 0) skb.free()
  else {
    skb.trim(taken)
    sk.netlink.deliverTap(skb, sk)
    queue.push(skb)
    sk.dataReady?.()
  }
  if (ends) finish(dump)
  return 0
}

/** Writes messages until the values or the `size` bytes end. */
function fill(dump: RunningDump, skb: Skb, size: number): void {
  const { source, ctx } = dump
  dump.isStepping = true
  ctx.warning = undefined
  try {
    if (source.dumpSeq) ctx.dumpSeq = source.dumpSeq(ctx)
    for (;;) {
      const next = dump.held ?? pull(dump)
      if (!next) {
        dump.errno = 0
        return
      }
      const mark = skb.length
      putMessage(dump, skb, next.value)
      if (skb.length > size) {
        skb.trim(mark)
        dump.held = next
        if (mark === 0) dump.errno = -EMSGSIZE
        return
      }
      dump.held = undefined
      ctx.previousDumpSeq = ctx.dumpSeq
    }
  } catch (error) {
    const refusal = refusalOf(ctx, error)
    dump.errno = refusal.errno
    dump.extack = refusal.extack
  } finally {
    dump.isStepping = false
  }
}

function pull(dump: RunningDump): { readonly value: unknown } | undefined {
  dump.iterator ??= dump.source.items(dump.ctx)[Symbol.iterator]()
  const result = dump.iterator.next()
  return result.done ? undefined : result
}

/** One message; nothing of it is left when its value cannot be encoded. */
function putMessage(dump: RunningDump, skb: Skb, value: unknown): void {
  const { source, ctx } = dump
  const mark = skb.messageStart(source.type, dumpFlags(ctx) | ctx.messageFlags, ctx.seq, ctx.portid)
  try {
    source.put(skb, value, ctx)
  } catch (error) {
    skb.trim(mark)
    throw error
  }
  skb.messageEnd(mark)
}

/** Flags of every message, NLMSG_DONE included; nl_dump_check_consistent(). */
function dumpFlags(ctx: RequestContext): number {
  const { dumpSeq, previousDumpSeq } = ctx
  let flags = NLM_F_MULTI
  if (ctx.filtered) flags |= NLM_F_DUMP_FILTERED
  if (previousDumpSeq !== 0 && dumpSeq !== previousDumpSeq) flags |= NLM_F_DUMP_INTR
  return flags
}

/** netlink_dump_done(). */
function putDone(dump: RunningDump, skb: Skb, extAck: boolean, size: number): void {
  const { ctx, extack } = dump
  const errno = dump.errno ?? 0
  const mark = skb.messageStart(NLMSG_DONE, dumpFlags(ctx), ctx.seq, ctx.portid)
  skb.u32(errno)
  skb.messageEnd(mark)
  const warned = ctx.warning === undefined ? undefined : { message: ctx.warning }
  const told = extack ?? warned
  if (!extAck || !hasTlvs(told, errno)) return
  const flags = skb.view.getUint16(mark + 6, HOST_LE)
  skb.view.setUint16(mark + 6, flags | NLM_F_ACK_TLVS, HOST_LE)
  const behind = skb.length
  putExtack(skb, told, errno, ctx.end - ctx.start)
  if (skb.length > size) skb.trim(behind)
  else skb.messageEnd(mark)
}

/** The reader is closed: ends its dump without a word to it, at once or behind the step it makes. */
export function endDump(sk: NetlinkSock): void {
  const { dump } = sk
  if (!dump) return
  sk.dump = undefined
  if (!dump.isStepping) finish(dump)
}

function finish({ ctx, source, iterator }: RunningDump): void {
  for (const end of [() => iterator?.return?.(), () => source.done?.(ctx)]) {
    try {
      end()
    } catch (error) {
      ctx.kernel.printk(KERN_ERR, `netlink: the end of a dump of ${source.name} failed: ${error}`)
    }
  }
  source.module?.put()
}
