/**
 * What becomes of a message that a peer sends.
 *
 * Order is the reference's (dbus-daemon, bus/dispatch.c bus_dispatch()): a monitor sees it first,
 * then whom it is addressed to, then whoever has a rule for it.
 */
import {
  type Header,
  headerAt,
  METHOD_CALL,
  NO_AUTO_START,
  SIGNAL,
  validateBody,
} from '../message/index.ts'
import type { Bus } from './bus.ts'
import { BUS_NAME } from './bus-name.ts'
import { BusError, noDescriptors, ProtocolViolation } from './errors.ts'
import { Outgoing } from './outgoing.ts'
import type { Peer } from './peer.ts'

const NO_TOKENS: readonly bigint[] = []

/** Bytes of one message, and who has sent it. */
interface Arrival {
  readonly bytes: Uint8Array
  readonly at: number
  readonly isLent: boolean
  readonly tokens: readonly bigint[]
}

/**
 * `peer` has sent the message that `bytes` are, with the descriptors of `tokens`.
 * @throws DecodeError, ProtocolViolation: the peer has to be disconnected.
 */
export function dispatch(
  bus: Bus,
  peer: Peer,
  bytes: Uint8Array,
  tokens: readonly bigint[] = NO_TOKENS,
): void {
  take(bus, peer, headerAt(bytes, 0, bytes.length), { bytes, at: 0, isLent: false, tokens })
}

/**
 * As dispatch(), of the message of `length` bytes at `at`; the bytes are lent until it returns.
 * @throws DecodeError, ProtocolViolation
 */
export function dispatchLent(
  bus: Bus,
  peer: Peer,
  bytes: Uint8Array,
  at: number,
  length: number,
  tokens: readonly bigint[] = NO_TOKENS,
): void {
  take(bus, peer, headerAt(bytes, at, length), { bytes, at, isLent: true, tokens })
}

function take(bus: Bus, peer: Peer, header: Header, arrival: Arrival): void {
  const { tokens } = arrival
  validateBody(arrival.bytes, header, arrival.at)
  if (header.unixFds !== tokens.length)
    throw new ProtocolViolation(`${tokens.length} descriptors, and ${header.unixFds} are announced`)
  if (peer.monitor) throw new ProtocolViolation('a monitor may not send')
  peer.stats.incomingMessages++
  peer.stats.incomingBytes += header.length
  if (peer.isActive) route(bus, peer, stamped(peer, header, arrival))
  else hearStranger(bus, peer, header, arrival)
}

/** Before Hello nothing else is heard. */
function hearStranger(bus: Bus, peer: Peer, header: Header, arrival: Arrival): void {
  const { destination, type, member } = header
  if (destination !== BUS_NAME && destination !== undefined)
    throw new ProtocolViolation('a message to a peer before Hello')
  if (destination === undefined && type !== METHOD_CALL) return
  const refusal = 'Client tried to send a message other than Hello without being registered'
  if (type === METHOD_CALL && member === 'Hello') {
    const { bytes, at } = arrival
    drive(bus, peer, header, bytes.slice(at, at + header.length))
    if (peer.isActive) tellOfHello(bus, peer, header, arrival)
  } else bus.refuse(peer, header, new BusError('AccessDenied', refusal))
}

/** Those who listen to calls hear the first one too. */
function tellOfHello(bus: Bus, peer: Peer, header: Header, arrival: Arrival): void {
  if (bus.matchRules === 0) return
  bus.delivery.broadcast(stamped(peer, header, arrival), peer, undefined)
}

function stamped(peer: Peer, header: Header, { bytes, at, isLent, tokens }: Arrival): Outgoing {
  const { uniqueName, nameBytes } = peer
  return Outgoing.from(header, bytes, at, isLent, uniqueName, nameBytes, tokens)
}

function route(bus: Bus, peer: Peer, outgoing: Outgoing): void {
  bus.delivery.capture(outgoing, peer)
  try {
    send(bus, peer, outgoing)
  } catch (error) {
    if (!(error instanceof BusError)) throw error
    bus.refuse(peer, outgoing.header, error)
  }
}

/** @throws BusError */
function send(bus: Bus, peer: Peer, outgoing: Outgoing): void {
  const { destination, type } = outgoing.header
  if (type > SIGNAL) throw new BusError('AccessDenied', `Message type ${type} is not known`)
  if (destination === BUS_NAME || (destination === undefined && type === METHOD_CALL)) {
    allow(bus, outgoing, peer, undefined, false)
    const isDone = drive(bus, peer, outgoing.header, outgoing.original)
    if (destination === BUS_NAME && isDone) bus.delivery.broadcast(outgoing, peer, undefined)
  } else if (destination === undefined) {
    bus.delivery.broadcast(outgoing, peer, undefined)
  } else {
    const recipient = bus.lookup(destination)
    if (recipient === undefined) {
      sendToNobody(bus, peer, outgoing)
      return
    }
    sendTo(bus, peer, recipient, outgoing)
    bus.delivery.broadcast(outgoing, peer, recipient)
  }
}

/** False when the bus refuses the call: then nobody else hears of it either. */
function drive(bus: Bus, peer: Peer, header: Header, message: Uint8Array): boolean {
  bus.isStill = false
  if (header.type === SIGNAL) bus.activation.hear?.(peer, header, message)
  if (header.type !== METHOD_CALL) return true
  try {
    bus.driver.handle(bus, peer, header, message)
    return true
  } catch (error) {
    if (!(error instanceof BusError)) throw error
    bus.refuse(peer, header, error)
    return false
  }
}

/** The name has no owner: something is started, or the sender hears so. @throws BusError */
function sendToNobody(bus: Bus, peer: Peer, outgoing: Outgoing): void {
  const { destination = '', flags } = outgoing.header
  bus.isStill = false
  outgoing.keep()
  if (flags & NO_AUTO_START)
    throw new BusError('NameHasNoOwner', `Name "${destination}" does not exist`)
  if (bus.activation.isActivatable(destination)) bus.activation.queue(destination, peer, outgoing)
  else
    throw new BusError(
      'ServiceUnknown',
      `The name ${destination} was not provided by any .service files`,
    )
}

/**
 * Sends a message to the peer that it is addressed to.
 * @throws BusError when a policy, a limit or the peer's own abilities refuse it.
 */
export function sendTo(bus: Bus, sender: Peer, recipient: Peer, outgoing: Outgoing): void {
  const { header, tokens } = outgoing
  const answered = bus.calls.answeredBy(header, sender, recipient)
  allow(bus, outgoing, sender, recipient, answered !== undefined)
  if (tokens.length > 0 && !recipient.acceptsFds) throw noDescriptors()
  if (answered) bus.calls.close(answered)
  const opened = bus.calls.open(sender, recipient, header)
  if (bus.delivery.deliver(recipient, outgoing, sender)) return
  if (opened) bus.calls.close(opened)
  throw new BusError('LimitsExceeded', 'The destination service has a full message queue')
}

/** @throws BusError AccessDenied */
function allow(
  bus: Bus,
  outgoing: Outgoing,
  sender: Peer,
  recipient: Peer | undefined,
  isRequestedReply: boolean,
): void {
  const { header } = outgoing
  const passage = { header, sender, recipient, addressed: recipient, isRequestedReply }
  const refusal = bus.policy.maySend(passage) ?? bus.policy.mayReceive(passage)
  if (refusal !== undefined) throw new BusError('AccessDenied', refusal)
}
