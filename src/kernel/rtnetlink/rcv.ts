/**
 * Dispatch: from a message of NETLINK_ROUTE to its handler.
 *
 * Kernel: net/core/rtnetlink.c rtnetlink_rcv_msg(), rtnl_msgtype_kind(), rtnl_dump_all()
 * (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { AF_PACKET, RTM_BASE, RTM_MAX } from '../../families/rtnetlink.ts'
import { NLM_F_BULK, NLM_F_DUMP } from '../../wire/constants.ts'
import type { RequestContext } from '../netlink/context.ts'
import { type DumpSource, startDump } from '../netlink/dump.ts'
import { HANDLED, type Handled } from '../netlink/rcv.ts'
import type { RtnlTable } from './table.ts'

/** What a message type does: the low two bits of its distance from RTM_BASE. */
const KIND_DEL = 1
const KIND_GET = 2

/**
 * Checks a request in Linux's order and calls its handler.
 * @throws NetlinkError EOPNOTSUPP, EPERM, and what the handler throws.
 */
export function rtnetlinkRcvMsg(ctx: RequestContext, table: RtnlTable): Handled {
  const { type, flags } = ctx
  if (type > RTM_MAX) throw new NetlinkError('EOPNOTSUPP')
  if (ctx.end - ctx.payload < 1) return HANDLED
  const family = ctx.view.getUint8(ctx.payload)
  const kind = (type - RTM_BASE) & 3
  if (kind !== KIND_GET && !ctx.capable('CAP_NET_ADMIN')) throw new NetlinkError('EPERM')
  if (kind === KIND_GET && flags & NLM_F_DUMP) {
    const source = table.dumper(family, type)
    if (!source) throw new NetlinkError('EOPNOTSUPP')
    return startDump(ctx, source)
  }
  const handlers = table.doer(family, type)
  if (!handlers?.doit) throw new NetlinkError('EOPNOTSUPP')
  if (kind === KIND_DEL && flags & NLM_F_BULK && !handlers.bulkDelete) {
    throw new NetlinkError('EOPNOTSUPP', 'Bulk delete is not supported')
  }
  handlers.doit(ctx)
  return HANDLED
}

/** An item of a dump over all families: whose it is, and what. */
interface OfFamily {
  readonly source: DumpSource
  readonly item: unknown
}

/**
 * rtnl_dump_all(): the dumps of `type` of all address families, one after the other. Its messages
 * have the type `replyType`.
 */
export function dumpAllFamilies(table: RtnlTable, type: number, replyType: number): DumpSource {
  return {
    name: `message type ${type} of all families`,
    type: replyType,
    doneAlone: true,
    *items(ctx): Iterable<OfFamily> {
      for (const family of table.families()) {
        if (family === 0 || family === AF_PACKET) continue
        const source = table.get(family, type)?.dumpit
        if (!source) continue
        ctx.dumpSeq = 0
        for (const item of source.items(ctx)) yield { source, item }
      }
    },
    put: (w, { source, item }: OfFamily, ctx) => source.put(w, item, ctx),
  }
}
