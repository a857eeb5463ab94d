/**
 * Where a request finds its filters.
 *
 * Kernel: net/sched/cls_api.c __tcf_qdisc_find(), __tcf_qdisc_cl_find(), __tcf_block_find(),
 * tc_dump_tfilter() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import type { Block } from './block.ts'
import { major, minor, TCM_IFINDEX_MAGIC_BLOCK } from './constants.ts'
import type { Qdisc, TcClass } from './qdisc.ts'
import { refuse, type TcRequest } from './request.ts'
import type { SchedNet } from './sched-net.ts'

/** TC_ACT_EXT_VAL_MASK: the largest number of a chain. */
const CHAIN_MAX = 0x0fffffff

export interface FilterPlace {
  readonly block: Block
  /** Undefined for a shared block. */
  readonly q: Qdisc | undefined
  readonly parent: number
}

/** The discipline of a request, and its parent made whole. @throws NetlinkError */
export function disciplineOf(
  net: SchedNet,
  tc: TcRequest,
): { q: Qdisc | undefined; parent: number } {
  if (tc.ifindex === TCM_IFINDEX_MAGIC_BLOCK) return { q: undefined, parent: tc.parent }
  const dev = tc.stack.devices.byIndex(tc.ifindex)
  if (!dev) throw new NetlinkError('ENODEV')
  const set = net.setOf(dev)
  const q = tc.parent === 0 ? set.root : set.byHandle(major(tc.parent))
  if (!q && tc.parent !== 0) refuse('EINVAL', "Parent Qdisc doesn't exists")
  if (!q?.ops.classes) refuse('EINVAL', 'Qdisc not classful')
  if (!q.ops.classes.block) refuse('EOPNOTSUPP', "Class doesn't support blocks")
  return { q, parent: tc.parent || q.handle }
}

/** @throws NetlinkError ENOENT, EINVAL, EOPNOTSUPP */
export function placeOf(
  net: SchedNet,
  tc: TcRequest,
  { q, parent }: { q: Qdisc | undefined; parent: number },
): FilterPlace {
  if (!q) {
    const block = net.blocks.get(tc.parent)
    if (!block) refuse('EINVAL', 'Block of given index was not found')
    return { block, q: undefined, parent }
  }
  const { classes } = q.ops
  let cl: TcClass | undefined
  if (minor(parent)) {
    cl = classes?.find(q, parent)
    if (!cl) refuse('ENOENT', "Specified class doesn't exist")
  }
  const block = classes?.block?.(q, cl)
  if (!block) refuse('EINVAL')
  if (block.index !== 0) {
    refuse(
      'EOPNOTSUPP',
      'This filter block is shared. Please use the block index to manipulate the filters',
    )
  }
  return { block, q, parent }
}

/** @throws NetlinkError EINVAL */
export function chainIndexOf({ chain = 0 }: TcRequest): number {
  if (chain > CHAIN_MAX) refuse('EINVAL', 'Specified chain index exceeds upper limit')
  return chain
}

/** What a dump is of; undefined where it is of nothing. */
export function dumpedBlock(net: SchedNet, tc: TcRequest): FilterPlace | undefined {
  if (tc.ifindex === TCM_IFINDEX_MAGIC_BLOCK) {
    const block = net.blocks.get(tc.parent)
    return block && { block, q: undefined, parent: 0 }
  }
  const dev = tc.stack.devices.byIndex(tc.ifindex)
  if (!dev) return undefined
  const set = net.setOf(dev)
  const q = tc.parent === 0 ? set.root : set.byHandle(major(tc.parent))
  const { classes } = q?.ops ?? {}
  if (!q || !classes?.block) return undefined
  const cl = minor(tc.parent) ? classes.find(q, tc.parent) : undefined
  if (minor(tc.parent) && !cl) return undefined
  const block = quietBlock(() => classes.block?.(q, cl))
  return block && { block, q: block.index === 0 ? q : undefined, parent: block.classid }
}

/** A dump says nothing of what is wrong with its class. */
function quietBlock(find: () => Block | undefined): Block | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
