/**
 * What becomes of a message that a peer sends.
 *
 * Order is the reference's (dbus-daemon, bus/dispatch.c bus_dispatch()): a monitor sees it first,
 * then whom it is addressed to, then whoever has a rule for it.
 */
import {
  ERROR,
  type Header,
  headerAt,
  METHOD_CALL,
  METHOD_RETURN,
  type MessageInit,
  NO_AUTO_START,
  SIGNAL,
  validateBody,
} from '../message/index.ts'
import type { Bus } from './bus.ts'
import { BUS_NAME, NOT_YET } from './bus-name.ts'
import { BusError, ERROR_PREFIX, noDescriptors, ProtocolViolation } from './errors.ts'
import { Outgoing } from './outgoing.ts'
import type { Peer, PeerStats } from './peer.ts'

const NOT_YET_BYTES = new TextEncoder().encode(NOT_YET)
const PEER = 'org.freedesktop.DBus.Peer'
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
  notePeaks(peer.stats, header)
  if (isForPeer(header)) answerAsPeer(bus, peer, header)
  else if (peer.isActive) route(bus, peer, stamped(peer, header, arrival))
  else hearStranger(bus, peer, header, arrival)
}

function notePeaks(stats: PeerStats, { length, unixFds }: Header): void {
  if (length > stats.peakIncomingBytes) stats.peakIncomingBytes = length
  if (unixFds > stats.peakIncomingFds) stats.peakIncomingFds = unixFds
}

/** A message to whoever is at the other end of the connection, not to the bus, nor to all. */
function isForPeer({ type, destination, interface: face }: Header): boolean {
  return destination === undefined && (type !== SIGNAL || face === PEER)
}

/** Answers as libdbus does for every connection: without a sender, before all else. */
function answerAsPeer(bus: Bus, peer: Peer, header: Header): void {
  const { serial, type, member, interface: face } = header
  const called = face === PEER && type === METHOD_CALL ? member : undefined
  let answer: Pick<MessageInit, 'type' | 'errorName' | 'signature' | 'body'>
  if (called === 'Ping') answer = { type: METHOD_RETURN }
  else if (called === 'GetMachineId')
    answer = { type: METHOD_RETURN, signature: 's', body: [bus.machineId()] }
  else {
    const text = unknownMethod(header)
    if (text === undefined) return
    const errorName = `${ERROR_PREFIX}UnknownMethod`
    answer = { type: ERROR, errorName, signature: 's', body: [text] }
  }
  bus.delivery.answerAsPeer(peer, { ...answer, replySerial: serial })
}

/** Undefined: nobody is told. */
function unknownMethod({ type, member, interface: face, signature }: Header): string | undefined {
  if (face === PEER) return `Unknown method invoked on ${PEER} interface`
  if (type !== METHOD_CALL) return undefined
  return `Method "${member}" with signature "${signature}" on interface "${face ?? '(null)'}" doesn't exist\n`
}

/** Before Hello nothing else is heard. */
function hearStranger(bus: Bus, peer: Peer, header: Header, arrival: Arrival): void {
  const { destination, type, member } = header
  const isHello = type === METHOD_CALL && destination === BUS_NAME && member === 'Hello'
  if (!isHello && bus.delivery.monitors.size > 0)
    bus.delivery.capture(unnamed(header, arrival), peer)
  if (destination !== BUS_NAME) throw new ProtocolViolation('a message to others before Hello')
  const refusal = 'Client tried to send a message other than Hello without being registered'
  if (isHello) {
    const { bytes, at } = arrival
    peer.admitted = () => bus.delivery.capture(stamped(peer, { ...header }, arrival), peer)
    drive(bus, peer, header, bytes.slice(at, at + header.length))
    peer.admitted = undefined
    if (peer.isActive) tellOfHello(bus, peer, header, arrival)
  } else bus.refuse(peer, header, new BusError('AccessDenied', refusal))
}

/** Those who listen to calls hear the first one too. */
function tellOfHello(bus: Bus, peer: Peer, header: Header, arrival: Arrival): void {
  if (bus.matchRules === 0) return
  bus.delivery.broadcast(stamped(peer, header, arrival), peer, undefined)
}

/** As a monitor sees a message of somebody who has no name. */
function unnamed(header: Header, { bytes, at, isLent, tokens }: Arrival): Outgoing {
  return Outgoing.from({ ...header }, bytes, at, isLent, NOT_YET, NOT_YET_BYTES, tokens)
}

function stamped(peer: Peer, header: Header, { bytes, at, isLent, tokens }: Arrival): Outgoing {
  const { uniqueName, nameBytes } = peer
  return Outgoing.from(header, bytes, at, isLent, uniqueName, nameBytes, tokens)
}

function route(bus: Bus, peer: Peer, outgoing: Outgoing): void {
  const isLate = bus.delivery.monitors.size > 0 && concernsActivation(bus, outgoing.header)
  if (!isLate) bus.delivery.capture(outgoing, peer)
  try {
    send(bus, peer, outgoing)
    if (isLate) bus.delivery.capture(outgoing, peer)
  } catch (error) {
    if (!(error instanceof BusError)) throw error
    if (isLate) bus.delivery.capture(outgoing, peer)
    bus.refuse(peer, outgoing.header, error)
  }
}

/**
 * A service has to be started for that message, or could not be started: what is said because of it
 * monitors hear before it, as the reference does that in a transaction of its own.
 */
function concernsActivation(bus: Bus, { type, destination, flags }: Header): boolean {
  if (destination === BUS_NAME) return type === SIGNAL
  if (destination === undefined || flags & NO_AUTO_START) return false
  return bus.activation.isActivatable(destination) && bus.lookup(destination) === undefined
}

/** @throws BusError */
function send(bus: Bus, peer: Peer, outgoing: Outgoing): void {
  const { destination } = outgoing.header
  if (destination === BUS_NAME) {
    allow(bus, outgoing, peer, undefined, false)
    const isDone = drive(bus, peer, outgoing.header, outgoing.original)
    if (isDone) bus.delivery.broadcast(outgoing, peer, undefined)
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
  if (header.type === SIGNAL) {
    bus.isStill = false
    bus.activation.hear?.(peer, header, message)
  }
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
  // Who has asked pays for the answer, and cannot go on without it.
  if (bus.delivery.deliver(recipient, outgoing, answered ? undefined : sender)) return
  if (answered) {
    const reason = 'does not have the resources to receive a reply it asked for'
    bus.expel(recipient, `Peer ${recipient.uniqueName} is being disconnected as it ${reason}.`)
    return
  }
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
  if (header.type > SIGNAL)
    throw new BusError('AccessDenied', 'Message bus will not accept messages of unknown type\n')
  const passage = { header, sender, recipient, addressed: recipient, isRequestedReply }
  const refusal = bus.policy.maySend(passage) ?? bus.policy.mayReceive(passage)
  if (refusal !== undefined) throw new BusError('AccessDenied', refusal)
}
