/** drr: classes in turn. Kernel: net/sched/sch_drr.c drr_change_class(), drr_dump_class() (Linux 6.12). */
import { attrs, message, u32 } from '../../../schema/index.ts'
import type { Block } from '../block.ts'
import { ClassHash } from '../class-hash.ts'
import { isClassInUse } from '../class-use.ts'
import { TC_H_ROOT, TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps, TcClass } from '../qdisc.ts'
import { clamp, mtuOf } from '../rate.ts'
import { refuse } from '../request.ts'
import { pfifo } from './fifo.ts'

const policy = message(attrs('TCA_DRR_', { quantum: [1, u32] }))
const LOWEST = 256
const HIGHEST = 1 << 20

interface DrrClass extends TcClass {
  quantum: number
  leaf: Qdisc | undefined
}

interface Drr {
  readonly block: Block
  readonly classes: ClassHash<DrrClass>
}

const drrOf = (q: Qdisc): Drr => q.state as Drr

export const drr: QdiscOps = {
  kind: 'drr',
  init(q) {
    q.state = { block: q.set.net.ownBlock(q), classes: new ClassHash<DrrClass>() } satisfies Drr
  },
  destroy: (q) => drrOf(q).block.put(),
  classes: {
    find: (q, classid) => drrOf(q).classes.find(classid),
    leaf: (_, cl) => (cl as DrrClass).leaf,
    graft(q, each, next) {
      const cl = each as DrrClass
      const old = cl.leaf
      cl.leaf = next ?? q.set.addDefault(pfifo, cl.classid)
      return old
    },
    change(q, { classid, tc }, existing) {
      if (!tc.options) refuse('EINVAL', 'DRR options are required for this operation')
      const { quantum: asked } = tc.nest(policy)
      if (asked === 0) refuse('EINVAL', 'Specified DRR quantum cannot be zero')
      const quantum = clamp(asked ?? mtuOf(q.dev), LOWEST, HIGHEST)
      if (existing) {
        if (asked !== undefined) (existing as DrrClass).quantum = quantum
        return existing
      }
      const cl: DrrClass = { classid, quantum, leaf: q.set.addDefault(pfifo, classid) }
      const { classes } = drrOf(q)
      classes.insert(cl)
      classes.grow()
      return cl
    },
    delete(q, each) {
      const cl = each as DrrClass
      if (isClassInUse(q, cl)) refuse('EBUSY', 'DRR class is in use')
      drrOf(q).classes.remove(cl)
      q.set.destroy(cl.leaf)
    },
    walk: (q) => drrOf(q).classes.walk(),
    header(_, each, header) {
      const cl = each as DrrClass
      header.parent = TC_H_ROOT
      header.handle = cl.classid
      header.info = cl.leaf?.handle ?? 0
    },
    put(w, _, cl) {
      const nest = w.attrStart(TCA_OPTIONS)
      w.attrU32(1, (cl as DrrClass).quantum)
      w.attrEnd(nest)
    },
    /** struct tc_drr_stats. */
    xstats: () => new Uint8Array(4),
    block(q, cl) {
      if (cl) refuse('EINVAL', 'DRR classid must be zero')
      return drrOf(q).block
    },
  },
}
