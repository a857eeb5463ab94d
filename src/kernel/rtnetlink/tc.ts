/**
 * Traffic control: the message types of queueing disciplines, and the group that hears of changes.
 * Classes and filters there are none.
 *
 * Kernel: net/sched/sch_api.c tc_modify_qdisc(), tc_get_qdisc(), tc_dump_qdisc(), tc_fill_qdisc(),
 * qdisc_notify() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { tcmsg } from '../../families/rt-tc.ts'
import {
  AF_UNSPEC,
  RTM_DELQDISC,
  RTM_GETQDISC,
  RTM_GETTCLASS,
  RTM_GETTFILTER,
  RTM_NEWQDISC,
  RTM_NEWTCLASS,
  RTM_NEWTFILTER,
  RTNLGRP_TC,
} from '../../families/rtnetlink.ts'
import { attrs, flag, message, NL_VALIDATE_LIBERAL, u8, u32 } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import type { Qdisc, QdiscRequest } from '../net/qdisc.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { notify } from './notify.ts'
import { payloadSize } from './parse.ts'
import { nested, nlaString } from './policy-types.ts'
import type { RtnlTable } from './table.ts'
import { qdiscKinds } from './tc-kinds.ts'

/** sizeof(struct tcmsg). */
const HEADER_SIZE = 20
const TCA_KIND = 1
const TCA_STATS = 3
const TCA_STATS2 = 7
const TCA_HW_OFFLOAD = 12
/** TCA_STATS_BASIC, TCA_STATS_QUEUE, and what they and struct tc_stats take. */
const STATS_BASIC = 1
const STATS_QUEUE = 3
const BASIC_SIZE = 16
const QUEUE_SIZE = 20
const STATS_SIZE = 40
/** NLMSG_GOODSIZE. */
const SIZE = 3776

/** rtm_tca_policy. */
const request = message(
  tcmsg,
  attrs('TCA_', {
    kind: [1, nlaString(15)],
    options: [2, nested],
    rate: [5, nested],
    stab: [8, nested],
    dumpInvisible: [10, flag],
    chain: [11, u32],
    hwOffload: [12, u8],
    ingressBlock: [13, u32],
    egressBlock: [14, u32],
  }),
)

export function registerTc(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_NEWQDISC, { doit: newQdisc })
  table.register(AF_UNSPEC, RTM_DELQDISC, { doit: deleteQdisc })
  table.register(AF_UNSPEC, RTM_GETQDISC, { doit: getQdisc, dumpit: qdiscDump })
  table.register(AF_UNSPEC, RTM_GETTCLASS, { dumpit: noneOf(RTM_NEWTCLASS, 'classes') })
  table.register(AF_UNSPEC, RTM_GETTFILTER, { dumpit: noneOf(RTM_NEWTFILTER, 'filters') })
}

/** Announces what happens to the disciplines of `stack` through `sock`. */
export function notifyTc(stack: NetStack, sock: KernelSocket): void {
  stack.chains.qdisc.register({
    name: 'qdisc_notify',
    call(event, { qdisc, flags, origin }) {
      const type = event === 'NEWQDISC' ? RTM_NEWQDISC : RTM_DELQDISC
      const what = { type, flags, group: RTNLGRP_TC, origin, size: SIZE }
      notify(sock, what, (w) => putQdisc(w, qdisc))
      return NOTIFY_DONE
    },
  })
}

function stackOf(ctx: RequestContext): NetStack {
  return ctx.kernel.rtnl.stackOf(ctx.net)
}

/** What a request is about. @throws NetlinkError EINVAL, ENODEV */
function parse(ctx: RequestContext): {
  request: ReturnType<typeof request.decode>
  dev: NetDevice
} {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
  const asked = ctx.decode(request, NL_VALIDATE_LIBERAL)
  const dev = stackOf(ctx).devices.byIndex(asked.ifindex)
  if (!dev) throw new NetlinkError('ENODEV')
  return { request: asked, dev }
}

/** tc_modify_qdisc(). @throws NetlinkError ENOENT, EEXIST, EINVAL, ENODEV */
function newQdisc(ctx: RequestContext): void {
  const { request: asked, dev } = parse(ctx)
  const { handle, parent, kind, options } = asked
  const wanted: QdiscRequest = {
    dev,
    handle,
    parent,
    kind,
    origin: ctx,
    make(name) {
      const codec = qdiscKinds.get(name)
      if (!codec) throw new NetlinkError('ENOENT', 'Specified qdisc kind is unknown')
      return {
        options: codec.parse(ctx, options, dev, undefined),
        isIngress: codec.isIngress ?? false,
      }
    },
    change(qdisc) {
      const codec = qdiscKinds.get(qdisc.kind)
      return options && codec ? codec.parse(ctx, options, dev, qdisc.options) : qdisc.options
    },
  }
  stackOf(ctx).qdiscs.modify(wanted, ctx.flags)
}

/** RTM_DELQDISC. @throws NetlinkError ENOENT, EINVAL, ENODEV */
function deleteQdisc(ctx: RequestContext): void {
  const { request: asked, dev } = parse(ctx)
  const { handle, parent, kind } = asked
  stackOf(ctx).qdiscs.delete({ dev, handle, parent, kind }, ctx)
}

/** RTM_GETQDISC. @throws NetlinkError ENOENT, EINVAL, ENODEV */
function getQdisc(ctx: RequestContext): void {
  const { request: asked, dev } = parse(ctx)
  const { handle, parent, kind } = asked
  const qdisc = stackOf(ctx).qdiscs.find({ dev, handle, parent, kind })
  ctx.reply(RTM_NEWQDISC, (w) => putQdisc(w, qdisc))
}

const qdiscDump: DumpSource<Qdisc> = {
  name: 'RTM_GETQDISC',
  type: RTM_NEWQDISC,
  *items(ctx) {
    const { devices, qdiscs } = stackOf(ctx)
    ctx.decode(request, NL_VALIDATE_LIBERAL)
    for (const dev of devices.list()) yield* qdiscs.of(dev)
  },
  put: (w, qdisc) => putQdisc(w, qdisc),
}

/** tc_dump_tclass(), tc_dump_tfilter(): of what there is none. */
function noneOf(type: number, name: string): DumpSource<never> {
  return { name, type, items: () => [], put() {} }
}

/** tc_fill_qdisc(). */
function putQdisc(w: Writer, { dev, kind, handle, parent, isIngress, options }: Qdisc): void {
  // Each queue of the device holds its root.
  const references = isIngress ? 1 : handle === 0 ? 2 : 1 + dev.txQueues
  w.u32(0)
  w.u32(dev.ifindex)
  w.u32(handle)
  w.u32(parent)
  w.u32(references)
  w.attrString(TCA_KIND, kind)
  qdiscKinds.get(kind)?.put?.(w, options)
  const offload = w.attrStart(TCA_HW_OFFLOAD)
  w.u8(0)
  w.attrEnd(offload)
  const stats = w.attrStart(TCA_STATS2)
  w.attrBytes(STATS_BASIC, new Uint8Array(BASIC_SIZE))
  w.attrBytes(STATS_QUEUE, new Uint8Array(QUEUE_SIZE))
  w.attrEnd(stats)
  w.attrBytes(TCA_STATS, new Uint8Array(STATS_SIZE))
}
