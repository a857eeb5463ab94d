/** Models of loss, and slots of netem. Kernel: net/sched/sch_netem.c get_loss_clg(), validate_slot(), get_slot(). */
import { NetlinkError } from '../../../errors.ts'
import { align4 } from '../../../wire/align.ts'
import { HOST_LE } from '../../../wire/order.ts'
import type { RequestContext } from '../../netlink/context.ts'
import type { Span } from '../../rtnetlink/policy-types.ts'
import { refuse } from '../request.ts'

/** NETEM_LOSS_GI with its five probabilities, or NETEM_LOSS_GE with its four. */
export interface NetemLoss {
  readonly type: number
  readonly bytes: Uint8Array
}

const SIZES: ReadonlyMap<number, number> = new Map([
  [1, 20],
  [2, 16],
])

/** The last model in a nest. @throws NetlinkError EINVAL */
export function lossOf(nest: Uint8Array): NetemLoss | undefined {
  const view = new DataView(nest.buffer, nest.byteOffset, nest.length)
  let found: NetemLoss | undefined
  for (let at = 0; at + 4 <= nest.length; ) {
    const length = view.getUint16(at, HOST_LE)
    if (length < 4 || length > nest.length - at) break
    const type = view.getUint16(at + 2, HOST_LE) & 0x3fff
    const size = SIZES.get(type)
    if (size === undefined || length - 4 < size) refuse('EINVAL')
    found = { type, bytes: nest.slice(at + 4, at + 4 + size) }
    at += align4(length)
  }
  return found
}

/** struct tc_netem_slot: four times, two limits. @throws NetlinkError EINVAL */
export function checkSlot(ctx: RequestContext, { at }: Span): void {
  const { view, start } = ctx
  const time = (index: number): bigint => view.getBigInt64(at + [0, 8, 24, 32][index]!, HOST_LE)
  const limit = (offset: number): number => view.getInt32(at + offset, HOST_LE)
  const fail = (message: string): never => {
    throw new NetlinkError('EINVAL', { extack: { message, offset: at - 4 - start } })
  }
  if (time(0) < 0n || time(1) < 0n) fail('negative slot delay')
  if (time(0) > time(1)) fail('slot min delay greater than max delay')
  if (time(2) < 0n || time(3) < 0n) fail('negative dist delay')
  if (limit(16) < 0 || limit(20) < 0) fail('negative slot limit')
}

/** A slot as it is shown, if there is one. */
export function slotOf(bytes: Uint8Array): Uint8Array | undefined {
  const slot = bytes.slice(0, 40)
  const isNone = [...slot.subarray(0, 16), ...slot.subarray(32, 40)].every((each) => each === 0)
  return isNone ? undefined : slot
}
