/** Who waits for whose answer: a reply goes through only where a call of that serial is open. */
import type { Peer } from './peer.ts'

/** A call that has no answer yet. */
export interface ReplySlot {
  readonly caller: Peer
  readonly callee: Peer
  /** The call's. */
  readonly serial: number
  /** Cancels its timeout. */
  readonly timer: (() => void) | undefined
}

export class ReplySlots {
  /** By caller, then by serial. */
  readonly #byCaller = new Map<Peer, Map<number, ReplySlot>>()
  readonly #byCallee = new Map<Peer, Set<ReplySlot>>()

  /** Open calls of `caller`. */
  count(caller: Peer): number {
    return this.#byCaller.get(caller)?.size ?? 0
  }

  find(caller: Peer, serial: number): ReplySlot | undefined {
    return this.#byCaller.get(caller)?.get(serial)
  }

  open(slot: ReplySlot): void {
    const calls = this.#byCaller.get(slot.caller) ?? new Map<number, ReplySlot>()
    this.#byCaller.set(slot.caller, calls.set(slot.serial, slot))
    const owed = this.#byCallee.get(slot.callee) ?? new Set<ReplySlot>()
    this.#byCallee.set(slot.callee, owed.add(slot))
  }

  close(slot: ReplySlot): void {
    const calls = this.#byCaller.get(slot.caller)
    calls?.delete(slot.serial)
    if (calls?.size === 0) this.#byCaller.delete(slot.caller)
    const owed = this.#byCallee.get(slot.callee)
    owed?.delete(slot)
    if (owed?.size === 0) this.#byCallee.delete(slot.callee)
  }

  /** The calls that `callee` has not answered, oldest first. */
  owedBy(callee: Peer): ReplySlot[] {
    return [...(this.#byCallee.get(callee) ?? [])]
  }

  /** The calls whose answer `caller` waits for. */
  awaitedBy(caller: Peer): ReplySlot[] {
    return [...(this.#byCaller.get(caller)?.values() ?? [])]
  }
}
