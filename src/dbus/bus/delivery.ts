/** How messages reach peers: one peer, all that have a rule for it, the monitors. */
import { nextMark, RuleIndex } from '../match/index-of-rules.ts'
import { type Matchable, matchesRule, type TextArgument } from '../match/match.ts'
import type { MatchRule } from '../match/rule.ts'
import { TextArguments } from '../match/text-arguments.ts'
import {
  ERROR,
  encodeMessage,
  type Header,
  headerOf,
  type MessageInit,
  NO_REPLY_EXPECTED,
  SIGNAL,
} from '../message/index.ts'
import type { Bus } from './bus.ts'
import { BUS_NAME, BUS_PATH, NOT_YET } from './bus-name.ts'
import { BusError, noDescriptors } from './errors.ts'
import { Outgoing } from './outgoing.ts'
import type { Peer } from './peer.ts'

/**
 * What the bus itself says, without what every such message has; it is addressed to the peer's
 * unique name, unless it says otherwise.
 */
export type DriverMessage = Omit<MessageInit, 'serial' | 'sender'>

export class Delivery {
  readonly rules = new RuleIndex<Peer>()
  readonly monitors = new Set<Peer>()
  readonly #bus: Bus
  #serial = 0

  constructor(bus: Bus) {
    this.#bus = bus
  }

  /** Gives `outgoing` to `peer`, at the expense of `payer`; false if its quota does not allow it. */
  deliver(peer: Peer, outgoing: Outgoing, payer: Peer | undefined): boolean {
    if (!peer.alive) return true
    if (peer.door.isStill !== true) this.#bus.isStill = false
    if (!peer.door.deliver(outgoing, payer)) return false
    peer.stats.outgoingMessages++
    peer.stats.outgoingBytes += outgoing.length
    return true
  }

  /** Sends to all who have a rule for the message and are not `addressed`, whom it has reached. */
  broadcast(outgoing: Outgoing, sender: Peer | undefined, addressed: Peer | undefined): void {
    if (this.#bus.matchRules === 0) return
    if (outgoing.header.destination !== undefined && !this.rules.hasEavesdroppers) return
    const found: Peer[] = []
    const mark = nextMark()
    if (addressed) addressed.mark = mark
    const matchable = this.#matchable(outgoing, sender, addressed)
    this.rules.collect(matchable, ownedNames(sender), mark, found)
    for (const peer of found) this.#listen(peer, outgoing, sender, addressed)
  }

  #listen(peer: Peer, outgoing: Outgoing, sender: Peer | undefined, addressed?: Peer): void {
    const passage = {
      header: outgoing.header,
      sender,
      recipient: peer,
      addressed,
      isRequestedReply: outgoing.header.replySerial !== undefined,
    }
    const { policy } = this.#bus
    const refusal = (sender && policy.maySend(passage)) ?? policy.mayReceive(passage)
    if (refusal !== undefined) {
      this.#captureRefusal(outgoing.header, sender, new BusError('AccessDenied', refusal))
      return
    }
    if (outgoing.tokens.length > 0 && !peer.acceptsFds) {
      this.#captureRefusal(outgoing.header, sender, noDescriptors())
      return
    }
    if (this.deliver(peer, outgoing, sender)) return
    const reason = 'does not have the resources to receive a signal it subscribed to'
    this.#bus.expel(peer, `Peer ${peer.uniqueName} is being disconnected as it ${reason}.`)
  }

  /** Copies a message to the monitors whose rules want it. */
  capture(outgoing: Outgoing, sender: Peer | undefined): void {
    if (this.monitors.size === 0) return
    const { destination } = outgoing.header
    const addressed = destination === undefined ? undefined : this.#bus.lookup(destination)
    const matchable = this.#matchable(outgoing, sender, addressed)
    for (const monitor of [...this.monitors]) {
      if (!monitor.monitor!.some((rule) => matchesMonitor(rule, matchable))) continue
      if (!this.deliver(monitor, outgoing, undefined))
        this.#bus.expel(monitor, `Monitor ${monitor.uniqueName} does not read what it asked for`)
    }
  }

  /** Monitors hear why somebody does not get what `header` begins (bus_transaction_capture_error_reply()). */
  #captureRefusal(
    header: Header,
    sender: Peer | undefined,
    { errorName, message }: BusError,
  ): void {
    if (this.monitors.size === 0) return
    const outgoing = compose({
      type: ERROR,
      serial: 1,
      flags: NO_REPLY_EXPECTED,
      replySerial: header.serial,
      sender: BUS_NAME,
      destination: sender?.uniqueName ?? BUS_NAME,
      errorName,
      signature: 's',
      body: [message],
    })
    this.capture(outgoing, undefined)
  }

  /**
   * Sends a message of the bus's own to `peer`; its serial, sender and destination are filled in.
   * What a policy does not let the peer receive is lost (bus_transaction_send_from_driver()).
   */
  tell(peer: Peer, init: DriverMessage): void {
    if (!peer.alive && this.monitors.size === 0) return
    const destination = peer.uniqueName === '' ? NOT_YET : peer.uniqueName
    const outgoing = composeOwn({ destination, ...init }, peer.nextSerial())
    this.capture(outgoing, undefined)
    const refusal = peer.isActive ? this.#refusal(peer, outgoing.header) : undefined
    if (refusal !== undefined) {
      this.#captureRefusal(outgoing.header, undefined, new BusError('AccessDenied', refusal))
      return
    }
    this.#give(peer, outgoing)
  }

  /** Sends what is not the bus's word but the connection's, so that nobody else hears of it. */
  answerAsPeer(peer: Peer, init: DriverMessage): void {
    this.#give(peer, compose({ ...init, flags: NO_REPLY_EXPECTED, serial: peer.nextSerial() }))
  }

  /** Monitors hear what the bus says to somebody who is not there yet, and who is given it later. */
  announce(init: DriverMessage): (peer: Peer) => void {
    this.capture(composeOwn(init, 1), undefined)
    return (peer) => this.#give(peer, composeOwn(init, peer.nextSerial()))
  }

  #give(peer: Peer, outgoing: Outgoing): void {
    if (!this.deliver(peer, outgoing, undefined))
      this.#bus.expel(peer, `Peer ${peer.uniqueName} does not read what the bus tells it`)
  }

  /** Why `peer` may not have what the bus itself says; whatever answers was asked for. */
  #refusal(peer: Peer, header: Header): string | undefined {
    const isRequestedReply = header.replySerial !== undefined
    const passage = {
      header,
      sender: undefined,
      recipient: peer,
      addressed: peer,
      isRequestedReply,
    }
    return this.#bus.policy.mayReceive(passage)
  }

  /** A signal of the bus's own to all who have a rule for it. */
  emit(member: string, signature: string, body: readonly unknown[]): void {
    this.#serial = this.#serial >= 0xffffffff ? 1 : this.#serial + 1
    if (this.#bus.matchRules === 0 && this.monitors.size === 0) return
    const outgoing = compose({
      type: SIGNAL,
      flags: NO_REPLY_EXPECTED,
      serial: this.#serial,
      path: BUS_PATH,
      interface: BUS_NAME,
      member,
      sender: BUS_NAME,
      signature,
      body,
    })
    this.capture(outgoing, undefined)
    this.broadcast(outgoing, undefined, undefined)
  }

  /** A message as rules look at it. */
  #matchable(outgoing: Outgoing, sender: Peer | undefined, addressed: Peer | undefined): Matchable {
    const bus = this.#bus
    const { header } = outgoing
    let texts: TextArguments | undefined
    const argument = (index: number): TextArgument | undefined => {
      texts ??= new TextArguments(outgoing.source, header, outgoing.at)
      return texts.get(index)
    }
    return {
      type: header.type,
      path: header.path,
      interface: header.interface,
      member: header.member,
      destination: header.destination,
      sender: sender ? sender.uniqueName : BUS_NAME,
      isFrom: (name) => (sender ? bus.lookup(name) === sender : name === BUS_NAME),
      isTo: (name) => (addressed ? bus.lookup(name) === addressed : name === header.destination),
      argument,
    }
  }
}

function composeOwn(init: DriverMessage, serial: number): Outgoing {
  const flags = (init.flags ?? 0) | NO_REPLY_EXPECTED
  return compose({ ...init, serial, flags, sender: BUS_NAME })
}

/** A message of the bus's own, ready to go out. */
function compose(init: MessageInit): Outgoing {
  const message = encodeMessage(init)
  return Outgoing.own(headerOf(init, message), message)
}

function ownedNames(sender: Peer | undefined): readonly string[] {
  if (!sender || sender.names.length === 0) return []
  return sender.names.filter(({ queue }) => queue[0]!.peer === sender).map(({ name }) => name)
}

/** A monitor's rules see also what is addressed to others. */
function matchesMonitor(rule: MatchRule, message: Matchable): boolean {
  return matchesRule(rule.eavesdrop ? rule : { ...rule, eavesdrop: true }, message)
}
