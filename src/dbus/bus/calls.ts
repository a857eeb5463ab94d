/** Calls that wait for an answer: opened when they go out, closed by the answer, the timeout or the end. */
import { ERROR, type Header, METHOD_CALL, NO_REPLY_EXPECTED } from '../message/index.ts'
import type { Bus } from './bus.ts'
import { BusError, ERROR_PREFIX } from './errors.ts'
import type { Peer } from './peer.ts'
import { closeSlot, openSlot, type ReplySlot } from './reply-slots.ts'

/** Arms a timer; what it returns cancels it. */
export type Timer = (milliseconds: number, expired: () => void) => () => void

export class Calls {
  readonly #bus: Bus
  readonly #timer: Timer
  #lastNumber = 0

  constructor(bus: Bus, timer: Timer) {
    this.#bus = bus
    this.#timer = timer
  }

  /** The open call that `header`, on its way from `sender` to `recipient`, answers. */
  answeredBy(header: Header, sender: Peer, recipient: Peer): ReplySlot | undefined {
    if (header.replySerial === undefined) return undefined
    const slot = recipient.awaited.get(header.replySerial)
    return slot?.callee === sender ? slot : undefined
  }

  /**
   * A call is about to go out; undefined for what wants no answer.
   * @throws BusError when its serial is open already, or too many are.
   */
  open(caller: Peer, callee: Peer, header: Header): ReplySlot | undefined {
    if (header.type !== METHOD_CALL || header.flags & NO_REPLY_EXPECTED) return undefined
    const { serial } = header
    const { maxRepliesPerConnection, replyTimeout } = this.#bus.limits
    if (caller.awaited.has(serial))
      throw new BusError(
        'AccessDenied',
        'Message has the same reply serial as a currently-outstanding existing method call',
      )
    if (caller.awaited.size >= maxRepliesPerConnection)
      throw new BusError(
        'LimitsExceeded',
        'The maximum number of pending replies per connection has been reached',
      )
    const slot: ReplySlot = {
      caller,
      callee,
      serial,
      number: this.#nextNumber(),
      timer:
        replyTimeout < 0
          ? undefined
          : this.#timer(replyTimeout, () => this.#expire(caller, serial)),
    }
    openSlot(slot)
    return slot
  }

  /** Small, for that is quicker to find; none is open for as long as it takes to come again. */
  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber + 1) & 0x3fffffff
    return this.#lastNumber
  }

  close(slot: ReplySlot): void {
    slot.timer?.()
    closeSlot(slot)
  }

  /** The peer is gone: what it waits for is forgotten, and who waits for it hears so. */
  drop(peer: Peer): void {
    for (const slot of [...peer.awaited.values()]) this.close(slot)
    for (const slot of [...peer.owed.values()]) {
      this.close(slot)
      this.#tellNoReply(slot, 'Message recipient disconnected from message bus without replying')
    }
  }

  #expire(caller: Peer, serial: number): void {
    const slot = caller.awaited.get(serial)
    if (!slot) return
    this.close(slot)
    this.#tellNoReply(slot, 'Message did not receive a reply (timeout by message bus)')
  }

  #tellNoReply({ caller, serial }: ReplySlot, text: string): void {
    this.#bus.delivery.tell(caller, {
      type: ERROR,
      replySerial: serial,
      errorName: `${ERROR_PREFIX}NoReply`,
      signature: 's',
      body: [text],
    })
  }
}
