/**
 * RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC.
 *
 * Kernel: net/sched/sch_api.c tc_modify_qdisc(), tc_get_qdisc(), tc_dump_qdisc() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { RTM_DELQDISC, RTM_NEWQDISC } from '../../families/rtnetlink.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/constants.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { major, minor, TC_H_INGRESS, TC_H_ROOT } from './constants.ts'
import type { Qdisc } from './qdisc.ts'
import { isShown, notifyQdisc, putQdisc } from './qdisc-fill.ts'
import { createQdisc, graftQdisc } from './qdisc-graft.ts'
import type { QdiscSet } from './qdisc-set.ts'
import { refuse, TcRequest } from './request.ts'
import type { Sched } from './sched.ts'
import { stabOf } from './stab.ts'

/** The device of a request. @throws NetlinkError ENODEV */
export function setOf(sched: Sched, { ctx, ifindex, stack }: TcRequest): QdiscSet {
  const dev = stack.devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV')
  return sched.netOf(ctx.net).setOf(dev)
}

/** qdisc_leaf(). @throws NetlinkError EOPNOTSUPP, ENOENT */
function leafOf(p: Qdisc, classid: number): Qdisc | 'noop' | undefined {
  const { classes } = p.ops
  if (!classes) refuse('EOPNOTSUPP', 'Parent qdisc is not classful')
  const cl = classes.find(p, classid)
  if (!cl) refuse('ENOENT', 'Specified class not found')
  return classes.leaf?.(p, cl)
}

/** check_loop(): whether `p` is somewhere below `q`. */
function isBelow(q: Qdisc, p: Qdisc, depth = 0): boolean {
  const { classes } = q.ops
  for (const cl of classes?.walk(q) ?? []) {
    const leaf = classes?.leaf?.(q, cl)
    if (leaf && leaf !== 'noop' && (leaf === p || depth > 7 || isBelow(leaf, p, depth + 1)))
      return true
  }
  return false
}

/** qdisc_change(). @throws NetlinkError */
function change(q: Qdisc, tc: TcRequest): void {
  if (tc.options) {
    if (!q.ops.change) refuse('EINVAL', 'Change operation not supported by specified qdisc')
    if (tc.ingressBlock !== undefined || tc.egressBlock !== undefined) {
      refuse('EOPNOTSUPP', 'Change of blocks is not supported')
    }
    q.ops.change(q, tc)
  }
  q.stab = stabOf(tc)
}

/** What a request with a parent is about. */
interface Place {
  readonly parent: Qdisc | undefined
  /** What is there, the default left aside. */
  readonly there: Qdisc | undefined
}

function placeOf(set: QdiscSet, { parent: classid }: TcRequest): Place {
  const given = (q: Qdisc | 'noop' | undefined): Qdisc | undefined =>
    q !== 'noop' && q?.handle ? q : undefined
  if (classid === TC_H_ROOT) return { parent: undefined, there: given(set.root) }
  if (classid === TC_H_INGRESS) {
    set.hasIngressQueue = true
    return { parent: undefined, there: given(set.ingress) }
  }
  const parent = set.byHandle(major(classid))
  if (!parent) refuse('ENOENT', 'Failed to find specified qdisc')
  return { parent, there: given(leafOf(parent, classid)) }
}

/** Whether a request without a handle makes a new one in place of `there`, of another kind. */
function isReplacing({ kind, flags }: TcRequest, there: Qdisc): 'create' | 'force' | undefined {
  if (kind === undefined || kind === there.ops.kind) return undefined
  const [create, excl, replace] = [NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE].map(
    (flag) => (flags & flag) !== 0,
  )
  if (create && (replace || excl)) return 'create'
  return create || replace || excl ? undefined : 'force'
}

/** One that has the wanted handle is put where it is wanted. @throws NetlinkError */
function regraft(found: Qdisc, tc: TcRequest, { parent }: Place): void {
  if (found.parent !== tc.parent) {
    refuse('EINVAL', 'Cannot move an existing qdisc to a different parent')
  }
  if (tc.flags & NLM_F_EXCL) refuse('EEXIST', 'Exclusivity flag on, cannot override')
  if (tc.kind !== undefined && tc.kind !== found.ops.kind) refuse('EINVAL', 'Invalid qdisc name')
  if (found.ops.isIngress) refuse('EINVAL', 'Cannot regraft ingress or clsact Qdiscs')
  if (found === parent || (parent && isBelow(found, parent))) {
    refuse('ELOOP', 'Qdisc parent/child loop detected')
  }
  if (tc.parent === TC_H_INGRESS) refuse('EINVAL', 'Ingress cannot graft directly')
}

/** tc_modify_qdisc(). @throws NetlinkError */
export function newQdisc(sched: Sched, ctx: RequestContext): void {
  const tc = new TcRequest(ctx)
  const set = setOf(sched, tc)
  if (tc.parent === 0) {
    if (tc.handle === 0) refuse('EINVAL', 'Handle cannot be zero')
    changeFound(set, tc, set.byHandle(tc.handle))
    return
  }
  const place = placeOf(set, tc)
  const { there } = place
  const where = { parent: place.parent, classid: tc.parent }
  const create = (isForced: boolean): void => {
    if (!isForced && !(tc.flags & NLM_F_CREATE)) {
      refuse('ENOENT', 'Qdisc not found. To create specify NLM_F_CREATE flag')
    }
    const q = createQdisc(set, tc, () => sched.allocateHandle(set))
    try {
      graftQdisc(set, ctx, where, q, undefined)
    } catch (error) {
      set.destroy(q)
      throw error
    }
  }
  if (there && (tc.handle === 0 || there.handle === tc.handle)) {
    const how = tc.handle === 0 ? isReplacing(tc, there) : undefined
    if (how) create(how === 'force')
    else changeFound(set, tc, there)
    return
  }
  if (tc.handle === 0) {
    create(false)
    return
  }
  if (there && !(tc.flags & NLM_F_REPLACE)) refuse('EEXIST', 'NLM_F_REPLACE needed to override')
  if (minor(tc.handle)) refuse('EINVAL', 'Invalid minor handle')
  const found = set.byHandle(tc.handle)
  if (!found) {
    create(false)
    return
  }
  regraft(found, tc, place)
  graftQdisc(set, ctx, where, found, undefined)
}

function changeFound(set: QdiscSet, tc: TcRequest, q: Qdisc | undefined): void {
  if (!q) refuse('ENOENT', 'Specified qdisc not found')
  if (tc.flags & NLM_F_EXCL) refuse('EEXIST', 'Exclusivity flag on, cannot modify')
  if (tc.kind !== undefined && tc.kind !== q.ops.kind) refuse('EINVAL', 'Invalid qdisc name')
  change(q, tc)
  notifyQdisc(set.net, tc.ctx, tc.parent, undefined, q)
}

/** tc_get_qdisc(): RTM_GETQDISC, and RTM_DELQDISC. @throws NetlinkError */
export function getQdisc(sched: Sched, ctx: RequestContext): void {
  const tc = new TcRequest(ctx)
  const set = setOf(sched, tc)
  const { parent: classid, handle, kind } = tc
  let q: Qdisc | undefined
  let parent: Qdisc | undefined
  let isNoop = false
  if (classid !== 0) {
    if (classid === TC_H_ROOT) {
      q = set.root
      isNoop = !q
    } else if (major(classid) === major(TC_H_INGRESS)) {
      q = set.ingress
      isNoop = !q && set.hasIngressQueue
    } else {
      parent = set.byHandle(major(classid))
      if (!parent) refuse('ENOENT', 'Failed to find qdisc with specified classid')
      const leaf = leafOf(parent, classid)
      isNoop = leaf === 'noop'
      q = leaf === 'noop' ? undefined : leaf
    }
    if (!(q || isNoop)) refuse('ENOENT', 'Cannot find specified qdisc on specified device')
    if (handle && (q?.handle ?? 0) !== handle) refuse('EINVAL', 'Invalid handle')
  } else {
    q = set.byHandle(handle)
    if (!q) refuse('ENOENT', 'Failed to find qdisc with specified handle')
  }
  if (kind !== undefined && kind !== (q?.ops.kind ?? 'noop')) refuse('EINVAL', 'Invalid qdisc name')
  if (ctx.type !== RTM_DELQDISC) {
    // Who asks hears it with NLM_F_ECHO, and everybody else does.
    if (!q || !isShown(q)) refuse('EINVAL')
    notifyQdisc(set.net, ctx, classid, undefined, q)
    return
  }
  if (classid === 0) refuse('EINVAL', 'Classid cannot be zero')
  if (!q?.handle) refuse('ENOENT', 'Cannot delete qdisc with handle of zero')
  graftQdisc(set, ctx, { parent, classid }, undefined, q)
}

export function qdiscDump(sched: Sched): DumpSource<Qdisc> {
  return {
    name: 'RTM_GETQDISC',
    type: RTM_NEWQDISC,
    *items(ctx) {
      const tc = new TcRequest(ctx)
      for (const dev of tc.stack.devices.list()) {
        for (const q of sched.netOf(ctx.net).setOf(dev).all()) {
          if (isShown(q, tc.isInvisibleToo)) yield q
        }
      }
    },
    put: (w, q) => putQdisc(w, q, q.parent),
  }
}
