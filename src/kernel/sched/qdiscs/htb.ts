/** htb: buckets of tokens in a tree of classes. Kernel: net/sched/sch_htb.c htb_init(), htb_dump() (Linux 6.12). */
import { HOST_LE } from '../../../wire/order.ts'
import { ClassHash } from '../class-hash.ts'
import { TC_H_ROOT, TCA_OPTIONS } from '../constants.ts'
import type { QdiscOps } from '../qdisc.ts'
import { refuse } from '../request.ts'
import { htbClasses } from './htb-class.ts'
import { GLOB_SIZE, type Htb, type HtbClass, htbPolicy } from './htb-state.ts'

/** HTB_VER: of what is shown; its upper half of what is asked. */
const VERSION = 0x30011

export const htb: QdiscOps = {
  kind: 'htb',
  init(q, tc) {
    if (!tc?.options) refuse('EINVAL')
    const asked = tc.nest(htbPolicy, true)
    if (!asked.init) refuse('EINVAL')
    const bytes = tc.bytes(asked.init)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (view.getUint32(0, HOST_LE) !== VERSION >>> 16) refuse('EINVAL')
    if (asked.offload) {
      if (q.parent !== TC_H_ROOT) refuse('EOPNOTSUPP', 'HTB must be the root qdisc to use offload')
      refuse('EOPNOTSUPP', 'hw-tc-offload ethtool feature flag must be on')
    }
    q.state = {
      block: q.set.net.ownBlock(q),
      classes: new ClassHash<HtbClass>(),
      rate2quantum: Math.max(1, view.getUint32(4, HOST_LE)),
      defaultClass: view.getUint32(8, HOST_LE),
      directQlen: asked.directQlen ?? q.dev.txQueueLength,
    } satisfies Htb
  },
  destroy(q) {
    const { block, classes } = q.state as Htb
    block.put()
    for (const cl of classes.walk()) cl.block.put()
  },
  put(w, { state }) {
    const { rate2quantum, defaultClass, directQlen } = state as Htb
    const view = new DataView(new ArrayBuffer(GLOB_SIZE))
    view.setUint32(0, VERSION, HOST_LE)
    view.setUint32(4, rate2quantum, HOST_LE)
    view.setUint32(8, defaultClass, HOST_LE)
    const nest = w.attrStart(TCA_OPTIONS)
    w.attrBytes(2, new Uint8Array(view.buffer))
    w.attrU32(5, directQlen)
    w.attrEnd(nest)
  },
  classes: htbClasses,
}
