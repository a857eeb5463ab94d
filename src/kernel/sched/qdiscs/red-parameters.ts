/** What RED's parameters may be. Kernel: include/net/red.h red_check_params(), red_set_parms(). */
import { refuse } from '../request.ts'

/** fls(): how many bits a number needs. */
function bitsOf(value: number): number {
  return 32 - Math.clz32(value)
}

/** @throws NetlinkError EINVAL */
export function checkRed(
  min: number,
  max: number,
  wlog: number,
  cellLog: number,
  stab: Uint8Array | undefined,
): void {
  const isWrong = bitsOf(min) + wlog >= 32 || bitsOf(max) + wlog >= 32 || cellLog >= 32 || max < min
  if (isWrong || stab?.some((each) => each >= 32)) refuse('EINVAL')
}

/** The probability at the upper threshold: given, or as Plog has it. */
export function redMaxP(given: number, min: number, max: number, plog: number): number {
  if (given !== 0) return given
  const highest = plog < 32 ? 0xffffffff >>> plog : 0xffffffff
  return Math.imul(highest, Math.max(1, max - min)) >>> 0
}
