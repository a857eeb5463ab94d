/** Who waits for whose answer: a reply goes through only where a call of that serial is open. */
import type { Peer } from './peer.ts'

/** A call that has no answer yet. */
export interface ReplySlot {
  readonly caller: Peer
  readonly callee: Peer
  /** The call's. */
  readonly serial: number
  /** Its place in the order of opening. */
  readonly number: number
  /** Cancels its timeout. */
  readonly timer: (() => void) | undefined
}

/** Both peers know of it. */
export function openSlot(slot: ReplySlot): void {
  slot.caller.awaited.set(slot.serial, slot)
  slot.callee.owed.set(slot.number, slot)
}

export function closeSlot(slot: ReplySlot): void {
  slot.caller.awaited.delete(slot.serial)
  slot.callee.owed.delete(slot.number)
}
