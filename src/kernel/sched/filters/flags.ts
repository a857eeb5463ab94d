/** TCA_CLS_FLAGS_*. Kernel: include/net/pkt_cls.h tc_flags_valid(). */
import { refuse } from '../request.ts'

const SKIP_HW = 1
const SKIP_SW = 2
const NOT_IN_HW = 8
const VERBOSE = 16

export function areFlagsValid(flags: number): boolean {
  if (flags & ~(SKIP_HW | SKIP_SW | VERBOSE)) return false
  return (flags & (SKIP_HW | SKIP_SW)) !== (SKIP_HW | SKIP_SW)
}

/** As a filter shows them: no hardware has it. @throws NetlinkError EOPNOTSUPP where it has to */
export function settleFlags(flags: number): number {
  if (flags & SKIP_SW) refuse('EOPNOTSUPP')
  return flags | NOT_IN_HW
}
