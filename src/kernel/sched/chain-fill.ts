/** RTM_NEWCHAIN, RTM_DELCHAIN. Kernel: net/sched/cls_api.c tc_chain_fill_node() (Linux 6.12). */
import type { Writer } from '../../wire/writer.ts'
import type { Chain } from './block.ts'
import { TCA_CHAIN, TCA_KIND, TCM_IFINDEX_MAGIC_BLOCK } from './constants.ts'

export function putChain(w: Writer, { block, index, template }: Chain): void {
  const { q } = block
  w.u32(0)
  w.u32(q ? q.dev.ifindex : TCM_IFINDEX_MAGIC_BLOCK)
  w.u32(0)
  w.u32(q ? q.handle : block.index)
  w.u32(0)
  w.attrU32(TCA_CHAIN, index)
  if (!template) return
  w.attrString(TCA_KIND, template.ops.kind)
  template.put(w)
}
