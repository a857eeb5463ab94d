/** hfsc: service curves in a tree of classes. Kernel: net/sched/sch_hfsc.c hfsc_change_class(), hfsc_dump_class() (Linux 6.12). */
import { attrs, message } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { type Span, spanOf } from '../../rtnetlink/policy-types.ts'
import type { Block } from '../block.ts'
import { ClassHash } from '../class-hash.ts'
import { isClassInUse } from '../class-use.ts'
import { major, TC_H_ROOT, TCA_OPTIONS } from '../constants.ts'
import type { ClassRequest, Qdisc, QdiscOps, TcClass } from '../qdisc.ts'
import { refuse, type TcRequest } from '../request.ts'
import { pfifo } from './fifo.ts'

/** struct tc_hfsc_qopt: u16; struct tc_service_curve: m1, d, m2. */
const QOPT_SIZE = 2
const CURVE_SIZE = 12
/** PSCHED_TICKS_PER_SEC; SM_SHIFT. */
const TICKS = 15_625_000n
const SHIFT = 24n
const U32 = 0xffff_ffffn

const policy = message(
  attrs('TCA_HFSC_', {
    rsc: [1, spanOf(CURVE_SIZE)],
    fsc: [2, spanOf(CURVE_SIZE)],
    usc: [3, spanOf(CURVE_SIZE)],
  }),
)

type Curve = readonly [m1: number, d: number, m2: number]

interface HfscClass extends TcClass {
  readonly parent: HfscClass | undefined
  readonly block: Block
  leaf: Qdisc | undefined
  level: number
  readonly children: Set<HfscClass>
  rsc: Curve | undefined
  fsc: Curve | undefined
  usc: Curve | undefined
}

interface Hfsc {
  defaultClass: number
  readonly root: HfscClass
  readonly classes: ClassHash<HfscClass>
}

const hfscOf = (q: Qdisc): Hfsc => q.state as Hfsc

/** A rate as the scheduler's clock has it: what is shown is no more than it keeps. */
function kept(rate: number): number {
  const sm = ((BigInt(rate) << SHIFT) + TICKS - 1n) / TICKS
  return Number(((sm * TICKS) >> SHIFT) & U32)
}

function keptTime(us: number): number {
  const ticks = (BigInt(us) * TICKS + 999_999n) / 1_000_000n
  return Number(((ticks * 1_000_000n) / TICKS) & U32)
}

function curveOf(tc: TcRequest, span: Span | undefined): Curve | undefined {
  if (!span) return undefined
  const bytes = tc.bytes(span)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const [m1, d, m2] = [0, 4, 8].map((at) => view.getUint32(at, HOST_LE)) as [number, number, number]
  return m1 === 0 && m2 === 0 ? undefined : [kept(m1), keptTime(d), kept(m2)]
}

/** hfsc_adjust_levels(). */
function adjustLevels(from: HfscClass | undefined): void {
  for (let cl = from; cl; cl = cl.parent) {
    cl.level = Math.max(0, ...[...cl.children].map(({ level }) => level + 1))
  }
}

function create(q: Qdisc, { classid, parentid, tc }: ClassRequest, curves: Curves): HfscClass {
  const { classes, root } = hfscOf(q)
  if (parentid === TC_H_ROOT) refuse('EEXIST')
  const parent = parentid === 0 ? root : classes.find(parentid)
  if (!parent) refuse('ENOENT')
  if (classid === 0 || major(classid) !== q.handle) refuse('EINVAL')
  if (!curves.rsc && !curves.fsc) refuse('EINVAL')
  const block = q.set.net.ownBlock(q)
  const leaf = q.set.addDefault(pfifo, classid)
  const cl: HfscClass = { classid, parent, block, leaf, level: 0, children: new Set(), ...curves }
  if (!parent.fsc && parent !== root) {
    tc.ctx.warn("Forced curve change on parent 'rt' to 'sc'")
    parent.fsc = parent.rsc
  }
  classes.insert(cl)
  parent.children.add(cl)
  adjustLevels(parent)
  classes.grow()
  return cl
}

type Curves = Pick<HfscClass, 'rsc' | 'fsc' | 'usc'>

function change(q: Qdisc, request: ClassRequest, existing: TcClass | undefined): TcClass {
  const { parentid, tc } = request
  if (!tc.options) refuse('EINVAL')
  const asked = tc.nest(policy, true)
  const [rsc, fsc, usc] = [asked.rsc, asked.fsc, asked.usc].map((span) => curveOf(tc, span))
  const cl = existing as HfscClass | undefined
  if (!cl) return create(q, request, { rsc, fsc, usc })
  if (parentid !== 0) {
    if (cl.parent && cl.parent.classid !== parentid) refuse('EINVAL')
    if (!cl.parent && parentid !== TC_H_ROOT) refuse('EINVAL')
  }
  cl.rsc = rsc ?? cl.rsc
  cl.fsc = fsc ?? cl.fsc
  cl.usc = usc ?? cl.usc
  return cl
}

export const hfsc: QdiscOps = {
  kind: 'hfsc',
  init(q, tc) {
    if (!tc) refuse('EINVAL')
    const defaultClass = tc.struct(QOPT_SIZE).getUint16(0, HOST_LE)
    const root: HfscClass = {
      ...{ classid: q.handle, parent: undefined, block: q.set.net.ownBlock(q), level: 0 },
      ...{ leaf: q.set.addDefault(pfifo, q.handle), children: new Set() },
      ...{ rsc: undefined, fsc: undefined, usc: undefined },
    }
    const classes = new ClassHash<HfscClass>()
    classes.insert(root)
    q.state = { defaultClass, root, classes } satisfies Hfsc
  },
  change(q, tc) {
    hfscOf(q).defaultClass = tc.struct(QOPT_SIZE).getUint16(0, HOST_LE)
  },
  destroy(q) {
    for (const { block } of hfscOf(q).classes.walk()) block.put()
  },
  put(w, q) {
    const mark = w.attrStart(TCA_OPTIONS)
    w.u16(hfscOf(q).defaultClass)
    w.attrEnd(mark)
  },
  classes: {
    find: (q, classid) => hfscOf(q).classes.find(classid),
    leaf(_, each) {
      const cl = each as HfscClass
      return cl.level === 0 ? cl.leaf : undefined
    },
    graft(q, each, next) {
      const cl = each as HfscClass
      if (cl.level > 0) refuse('EINVAL')
      const old = cl.leaf
      cl.leaf = next ?? q.set.addDefault(pfifo, cl.classid)
      return old
    },
    change,
    delete(q, each) {
      const cl = each as HfscClass
      const { root, classes } = hfscOf(q)
      if (cl.level > 0 || cl === root || isClassInUse(q, cl)) refuse('EBUSY', 'HFSC class in use')
      cl.parent?.children.delete(cl)
      adjustLevels(cl.parent)
      classes.remove(cl)
      cl.block.put()
      q.set.destroy(cl.leaf)
    },
    walk: (q) => hfscOf(q).classes.walk(),
    header(_, each, header) {
      const cl = each as HfscClass
      header.parent = cl.parent?.classid ?? TC_H_ROOT
      header.handle = cl.classid
      header.info = cl.level === 0 ? (cl.leaf?.handle ?? 0) : 0
    },
    put(w, _, each) {
      const { rsc, fsc, usc } = each as HfscClass
      const nest = w.attrStart(TCA_OPTIONS)
      for (const [i, curve] of [rsc, fsc, usc].entries()) {
        if (!curve) continue
        const mark = w.attrStart(i + 1)
        for (const value of curve) w.u32(value)
        w.attrEnd(mark)
      }
      w.attrEnd(nest)
    },
    /** struct tc_hfsc_stats: work, rtwork, period, level. */
    xstats(each) {
      const view = new DataView(new ArrayBuffer(24))
      view.setUint32(20, (each as HfscClass).level, HOST_LE)
      return new Uint8Array(view.buffer)
    },
    block: (q, cl) => ((cl as HfscClass | undefined) ?? hfscOf(q).root).block,
  },
}
