/**
 * A discipline comes, in another's place or in none.
 *
 * Kernel: net/sched/sch_api.c qdisc_create(), qdisc_graft(), qdisc_block_indexes_set() (Linux 6.12).
 */
import type { RequestContext } from '../netlink/context.ts'
import { major, TC_H_INGRESS } from './constants.ts'
import { Qdisc, type QdiscOps } from './qdisc.ts'
import { notifyQdisc } from './qdisc-fill.ts'
import type { QdiscSet } from './qdisc-set.ts'
import { qdiscKinds } from './qdiscs/index.ts'
import { refuse, type TcRequest } from './request.ts'
import { stabOf } from './stab.ts'

/** How deep disciplines may lie below each other. */
const MAX_DEPTH = 7
/** DEFAULT_TX_QUEUE_LEN. */
const QUEUE_LENGTH = 1000

function setBlocks(q: Qdisc, { ingressBlock, egressBlock }: TcRequest): void {
  if (ingressBlock !== undefined) {
    if (ingressBlock === 0) refuse('EINVAL', 'Ingress block index cannot be 0')
    if (!q.ops.sharesIngress) refuse('EOPNOTSUPP', 'Ingress block sharing is not supported')
    q.ingressBlock = ingressBlock
  }
  if (egressBlock !== undefined) {
    if (egressBlock === 0) refuse('EINVAL', 'Egress block index cannot be 0')
    if (!q.ops.sharesEgress) refuse('EOPNOTSUPP', 'Egress block sharing is not supported')
    q.egressBlock = egressBlock
  }
}

function handleFor(ops: QdiscOps, tc: TcRequest, allocate: () => number): number {
  if (tc.parent === TC_H_INGRESS) {
    if (!ops.isIngress) {
      refuse('EINVAL', 'Specified parent ID is reserved for ingress and clsact Qdiscs')
    }
    return major(TC_H_INGRESS)
  }
  const handle = tc.handle || allocate()
  if (handle === 0) refuse('ENOSPC', 'Maximum number of qdisc handles was exceeded')
  return handle
}

/** qdisc_create(). @throws NetlinkError */
export function createQdisc(set: QdiscSet, tc: TcRequest, allocate: () => number): Qdisc {
  const ops = qdiscKinds.get(tc.kind ?? '')
  if (!ops) refuse('ENOENT', 'Specified qdisc kind is unknown')
  const { dev } = set
  const q = new Qdisc(set, ops, handleFor(ops, tc, allocate), tc.parent)
  if (dev.defaultQdisc === 'noqueue' && dev.txQueueLength === 0) dev.txQueueLength = QUEUE_LENGTH
  setBlocks(q, tc)
  q.stab = stabOf(tc)
  ops.init?.(q, tc)
  set.add(q)
  return q
}

/**
 * qdisc_graft(): `next` takes the place of what is under `classid` of `parent`, or of the device.
 * @throws NetlinkError
 */
export function graftQdisc(
  set: QdiscSet,
  ctx: RequestContext,
  where: { readonly parent: Qdisc | undefined; readonly classid: number },
  next: Qdisc | undefined,
  old: Qdisc | undefined,
): void {
  const { parent, classid } = where
  if (parent) {
    graftClass(set, ctx, { parent, classid }, next)
    return
  }
  const { net } = set
  if (old?.ops.isIngress || next?.ops.isIngress) {
    const before = set.ingress
    set.ingress = undefined
    notifyQdisc(net, ctx, classid, before, next)
    set.destroy(before)
    set.ingress = next
    return
  }
  const before = set.root
  set.root = next
  notifyQdisc(net, ctx, classid, before, next)
  set.destroy(before)
  net.settle(set)
}

function graftClass(
  set: QdiscSet,
  ctx: RequestContext,
  { parent, classid }: { readonly parent: Qdisc; readonly classid: number },
  next: Qdisc | undefined,
): void {
  const { classes } = parent.ops
  if (!classes?.graft) refuse('EOPNOTSUPP')
  const cl = classes.find(parent, classid)
  if (!cl) refuse('ENOENT', 'Specified class not found')
  if (next?.ops.kind === 'noqueue') refuse('EINVAL', 'Cannot assign noqueue to a class')
  if (next?.stab && !parent.ops.isMq) refuse('EINVAL', 'STAB not supported on a non root')
  if (next && parent.depth >= MAX_DEPTH) refuse('E2BIG', 'Qdisc hierarchy is too deep')
  const old = classes.graft(parent, cl, next)
  if (next) next.depth = parent.depth + 1
  if (next || old) notifyQdisc(set.net, ctx, classid, old, next)
  set.destroy(old)
}
