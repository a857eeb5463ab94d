/** Classes of htb. Kernel: net/sched/sch_htb.c htb_change_class(), htb_delete(), htb_dump_class() (Linux 6.12). */
import { HOST_LE } from '../../../wire/order.ts'
import type { Writer } from '../../../wire/writer.ts'
import { isClassInUse } from '../class-use.ts'
import { major, TC_H_ROOT, TCA_OPTIONS } from '../constants.ts'
import type { ClassOps, ClassRequest, Qdisc, TcClass } from '../qdisc.ts'
import { clamp, isLarge, putRate, RATESPEC_SIZE, type Rate, rateOf } from '../rate.ts'
import { refuse, type TcRequest } from '../request.ts'
import { pfifo } from './fifo.ts'
import { type HtbClass, htbOf, htbPolicy, OPT_SIZE } from './htb-state.ts'

const BUFFER = 2 * RATESPEC_SIZE
/** TC_HTB_NUMPRIO, TC_HTB_MAXDEPTH. */
const PRIOS = 8
const MAX_DEPTH = 8
const INT_MAX = 0x7fffffffn
const QUANTUM_MIN = 1000
const QUANTUM_MAX = 200_000

/** struct tc_htb_opt. @throws NetlinkError EINVAL */
function optionsOf(tc: TcRequest): { view: DataView; rate: Rate; ceil: Rate } {
  if (!tc.options) refuse('EINVAL')
  const asked = tc.nest(htbPolicy)
  if (!asked.parms) refuse('EINVAL')
  const view = new DataView(tc.bytes(asked.parms).slice().buffer)
  const isZero = (at: number): boolean => view.getUint32(at + 8, HOST_LE) === 0
  if (isZero(0) || isZero(RATESPEC_SIZE)) refuse('EINVAL')
  return {
    view,
    rate: rateOf(view, 0, asked.rate64),
    ceil: rateOf(view, RATESPEC_SIZE, asked.ceil64),
  }
}

/** A new class, below `parent`. @throws NetlinkError EINVAL */
function create(
  q: Qdisc,
  { classid, tc }: ClassRequest,
  parent: HtbClass | undefined,
  { view, rate, ceil }: { view: DataView; rate: Rate; ceil: Rate },
): HtbClass {
  const { classes } = htbOf(q)
  if (classid === 0 || major(classid) !== q.handle || classes.find(classid)) refuse('EINVAL')
  if (parent?.parent && parent.parent.level < 2) refuse('EINVAL', 'sch_htb: tree is too deep')
  const block = q.set.net.ownBlock(q)
  const leaf = q.set.addDefault(pfifo, classid)
  if (parent && parent.level === 0) {
    q.set.destroy(parent.leaf)
    parent.leaf = undefined
    parent.level = (parent.parent?.level ?? MAX_DEPTH) - 1
  }
  const cl: HtbClass = {
    ...{ classid, parent, block, leaf, children: 0, level: 0, rate, ceil },
    ...{ buffer: 0, cbuffer: 0, quantum: 0, prio: 0, hasEstimator: tc.rate !== undefined },
    tokens: view.getUint32(BUFFER, HOST_LE),
    ctokens: view.getUint32(BUFFER + 4, HOST_LE),
  }
  classes.insert(cl)
  if (parent) parent.children++
  return cl
}

/** What a leaf may send in its turn, and a warning where that is odd. */
function setQuantum(q: Qdisc, cl: HtbClass, view: DataView): string | undefined {
  const asked = view.getUint32(BUFFER + 8, HOST_LE)
  const own = cl.rate.bytes / BigInt(htbOf(q).rate2quantum)
  const quantum = Number(own < INT_MAX ? own : INT_MAX)
  cl.prio = Math.min(view.getUint32(BUFFER + 16, HOST_LE), PRIOS - 1)
  cl.quantum = asked || clamp(quantum, QUANTUM_MIN, QUANTUM_MAX)
  if (asked || cl.quantum === quantum) return undefined
  const size = quantum < QUANTUM_MIN ? 'small' : 'big'
  const name = cl.classid.toString(16).toUpperCase()
  return `sch_htb: quantum of class ${name} is ${size}. Consider r2q change.`
}

function change(q: Qdisc, request: ClassRequest, existing: TcClass | undefined): TcClass {
  const { parentid, tc } = request
  const { classes } = htbOf(q)
  const asked = optionsOf(tc)
  const parent = parentid === TC_H_ROOT ? undefined : classes.find(parentid)
  const cl = (existing as HtbClass | undefined) ?? create(q, request, parent, asked)
  cl.rate = asked.rate
  cl.ceil = asked.ceil
  const warning = cl.level === 0 ? setQuantum(q, cl, asked.view) : undefined
  cl.buffer = asked.view.getUint32(BUFFER, HOST_LE)
  cl.cbuffer = asked.view.getUint32(BUFFER + 4, HOST_LE)
  if (warning) tc.ctx.warn(warning)
  classes.grow()
  return cl
}

function put(w: Writer, _: Qdisc, each: TcClass): void {
  const cl = each as HtbClass
  const view = new DataView(new ArrayBuffer(OPT_SIZE))
  putRate(view, 0, cl.rate)
  putRate(view, RATESPEC_SIZE, cl.ceil)
  for (const [i, value] of [cl.buffer, cl.cbuffer, cl.quantum, cl.level, cl.prio].entries()) {
    view.setUint32(BUFFER + i * 4, value, HOST_LE)
  }
  const nest = w.attrStart(TCA_OPTIONS)
  w.attrBytes(1, new Uint8Array(view.buffer))
  for (const [type, rate] of [
    [6, cl.rate],
    [7, cl.ceil],
  ] as const) {
    if (!isLarge(rate)) continue
    const mark = w.attrStart(type)
    w.u64(rate.bytes)
    w.attrEnd(mark)
  }
  w.attrEnd(nest)
}

/** struct tc_htb_xstats: tokens are what the buffers held at first. */
function xstats(each: TcClass): Uint8Array {
  const { tokens, ctokens } = each as HtbClass
  const view = new DataView(new ArrayBuffer(20))
  view.setInt32(12, Math.min(tokens, 0x7fffffff), HOST_LE)
  view.setInt32(16, Math.min(ctokens, 0x7fffffff), HOST_LE)
  return new Uint8Array(view.buffer)
}

function remove(q: Qdisc, each: TcClass): void {
  const cl = each as HtbClass
  if (cl.children > 0 || isClassInUse(q, cl)) refuse('EBUSY', 'HTB class in use')
  const { parent } = cl
  htbOf(q).classes.remove(cl)
  if (parent) parent.children--
  if (parent && cl.level === 0 && parent.children === 0) {
    parent.level = 0
    parent.leaf = q.set.addDefault(pfifo, parent.classid)
  }
  cl.block.put()
  q.set.destroy(cl.leaf)
}

export const htbClasses: ClassOps = {
  find: (q, classid) => htbOf(q).classes.find(classid),
  leaf(_, each) {
    const cl = each as HtbClass
    return cl.level === 0 ? cl.leaf : undefined
  },
  graft(q, each, next) {
    const cl = each as HtbClass
    if (cl.level > 0) refuse('EINVAL')
    const old = cl.leaf
    cl.leaf = next ?? q.set.addDefault(pfifo, cl.classid)
    return old
  },
  change,
  delete: remove,
  walk: (q) => htbOf(q).classes.walk(),
  header(_, each, header) {
    const cl = each as HtbClass
    header.parent = cl.parent?.classid ?? TC_H_ROOT
    header.handle = cl.classid
    header.info = cl.level === 0 ? (cl.leaf?.handle ?? 0) : 0
  },
  put,
  xstats,
  block: (q, cl) => (cl ? (cl as HtbClass).block : htbOf(q).block),
}
