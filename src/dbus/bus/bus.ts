/**
 * A bus: its peers, their names and their rules. It knows neither sockets nor netlink.
 *
 * dispatch.ts takes in what a peer sends, delivery.ts sends out.
 */
import type { MatchRule } from '../match/rule.ts'
import { ERROR, type Header, METHOD_RETURN, SIGNAL } from '../message/index.ts'
import { encodeText } from '../message/utf8.ts'
import { type Activation, noActivation } from './activation.ts'
import { BUS_NAME, BUS_PATH } from './bus-name.ts'
import { Calls, type Timer } from './calls.ts'
import { Delivery } from './delivery.ts'
import { BusError } from './errors.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { NameRegistry } from './name-registry.ts'
import { Peer, type PeerCredentials, type PeerDoor } from './peer.ts'
import { openPolicy, type Policy } from './policy.ts'
import { TokenTable } from './tokens.ts'

/** Answers calls to the bus itself. */
export interface Driver {
  /**
   * What may leave work to JavaScript's own queues says so to the bus (`isStill`).
   * @throws BusError
   */
  handle(bus: Bus, peer: Peer, header: Header, message: Uint8Array): void
}

export interface BusOptions {
  /** 32 hexadecimal digits. */
  readonly guid: string
  readonly driver: Driver
  readonly limits?: Limits
  readonly policy?: Policy
  readonly activation?: Activation
  /** Of the bus itself: its process. */
  readonly credentials: PeerCredentials
  /** 32 hexadecimal digits. @throws BusError */
  readonly machineId: () => string
  /** Reads the configuration again. @throws BusError */
  readonly reload?: () => void
  /** What Features says beside what every bus can do. */
  readonly features?: readonly string[]
  readonly timer: Timer
  /** Descriptors that travel on this bus. */
  readonly tokens?: TokenTable
}

export class Bus {
  readonly guid: string
  readonly driver: Driver
  limits: Limits
  policy: Policy
  activation: Activation
  credentials: PeerCredentials
  readonly machineId: () => string
  readonly reload: () => void
  readonly features: readonly string[]
  readonly names: NameRegistry
  readonly delivery: Delivery
  readonly calls: Calls
  readonly tokens: TokenTable
  /** Peers by unique name. */
  readonly peers = new Map<string, Peer>()
  /** Those that have not said Hello. */
  readonly strangers = new Set<Peer>()
  /** Match rules of all peers, now and at most. */
  matchRules = 0
  peakMatchRules = 0
  peakNames = 0
  /** Nothing has happened that may have left work to JavaScript's own queues: promises, ticks. */
  isStill = false
  #lastId = -1n

  constructor(options: BusOptions) {
    this.guid = options.guid
    this.driver = options.driver
    this.limits = options.limits ?? DEFAULT_LIMITS
    this.policy = options.policy ?? openPolicy
    this.activation = options.activation ?? noActivation
    this.credentials = options.credentials
    this.machineId = options.machineId
    this.reload = options.reload ?? (() => undefined)
    this.features = options.features ?? []
    this.tokens = options.tokens ?? new TokenTable(() => undefined)
    this.delivery = new Delivery(this)
    this.calls = new Calls(this, options.timer)
    this.names = new NameRegistry((name, old, now) => this.#ownerChanged(name, old, now))
  }

  /** A new connection, which has not said Hello. */
  connect(door: PeerDoor, credentials: PeerCredentials, acceptsFds: boolean): Peer {
    const peer = new Peer(door, credentials, acceptsFds)
    this.strangers.add(peer)
    return peer
  }

  /**
   * Hello: gives the peer its unique name.
   * @throws BusError Failed when it has one, LimitsExceeded.
   */
  admit(peer: Peer): string {
    if (peer.isActive) throw new BusError('Failed', 'Already handled an Hello message')
    this.#checkConnections(peer)
    this.strangers.delete(peer)
    peer.id = ++this.#lastId
    peer.uniqueName = `:1.${peer.id}`
    peer.nameBytes = encodeText(peer.uniqueName)
    peer.stats.peakNames = 1
    this.peers.set(peer.uniqueName, peer)
    this.#notePeak()
    peer.admitted?.()
    return peer.uniqueName
  }

  /** Names of all kinds, at most (Debug.Stats). */
  #notePeak(): void {
    this.peakNames = Math.max(this.peakNames, this.names.size + this.peers.size)
  }

  #checkConnections(peer: Peer): void {
    const { uid } = peer.credentials
    if (this.peers.size >= this.limits.maxCompletedConnections)
      throw new BusError(
        'LimitsExceeded',
        'The maximum number of active connections has been reached',
      )
    if (uid === undefined) return
    let count = 0
    for (const other of this.peers.values()) if (other.credentials.uid === uid) count++
    if (count >= this.limits.maxConnectionsPerUser)
      throw new BusError(
        'LimitsExceeded',
        `The maximum number of active connections for UID ${uid} has been reached`,
      )
  }

  /** The peer that has `name`, unique or well-known. */
  lookup(name: string): Peer | undefined {
    return name.startsWith(':') ? this.peers.get(name) : this.names.owner(name)
  }

  /** Answers a call, also of who wants no answer, as the reference does. */
  reply(peer: Peer, header: Header, signature: string, body: readonly unknown[]): void {
    this.delivery.tell(peer, {
      type: METHOD_RETURN,
      replySerial: header.serial,
      signature,
      body,
    })
  }

  /** Tells the sender of a message why it was refused. */
  refuse(peer: Peer, header: Header, error: BusError): void {
    this.delivery.tell(peer, {
      type: ERROR,
      replySerial: header.serial,
      errorName: error.errorName,
      signature: 's',
      body: [error.message],
    })
  }

  /** NameLost to who had it, NameOwnerChanged to all, NameAcquired to who has it. */
  #ownerChanged(name: string, old: Peer | undefined, now: Peer | undefined): void {
    this.#notePeak()
    if (old) this.tell(old, 'NameLost', name)
    const [before, after] = [old?.uniqueName ?? '', now?.uniqueName ?? '']
    this.delivery.emit('NameOwnerChanged', 'sss', [name, before, after])
    if (now) this.tell(now, 'NameAcquired', name)
    if (now && !old) this.activation.appeared(name, now)
  }

  /** NameAcquired or NameLost. */
  tell(peer: Peer, member: 'NameAcquired' | 'NameLost', name: string): void {
    if (peer.uniqueName === '') return
    this.delivery.tell(peer, {
      type: SIGNAL,
      path: BUS_PATH,
      interface: BUS_NAME,
      member,
      signature: 's',
      body: [name],
    })
  }

  /** @throws BusError LimitsExceeded */
  addRule(peer: Peer, rule: MatchRule): void {
    const most = this.limits.maxMatchRulesPerConnection
    if (peer.rules.length >= most)
      throw new BusError(
        'LimitsExceeded',
        `Connection "${peer.uniqueName}" is not allowed to add more match rules (increase limits in configuration file if required; max_match_rules_per_connection=${most})`,
      )
    peer.rules.push(rule)
    this.delivery.rules.add(peer, rule)
    this.matchRules++
    this.peakMatchRules = Math.max(this.peakMatchRules, this.matchRules)
    peer.stats.peakMatchRules = Math.max(peer.stats.peakMatchRules, peer.rules.length)
  }

  /** False if the peer has no such rule. */
  removeRule(peer: Peer, rule: MatchRule): boolean {
    if (!this.delivery.rules.remove(peer, rule)) return false
    const at = peer.rules.findLastIndex(({ text }) => text === rule.text)
    peer.rules.splice(at, 1)
    this.matchRules--
    return true
  }

  /**
   * BecomeMonitor: the peer loses its names and rules, and from now on only listens. Whatever it is
   * told of that may be more than it has room for, and its end.
   */
  makeMonitor(peer: Peer, rules: readonly MatchRule[]): void {
    if (peer.alive) this.#forget(peer)
    if (!peer.alive) return
    peer.monitor = rules
    this.delivery.monitors.add(peer)
  }

  /** The bus has had enough of `peer`. */
  expel(peer: Peer, reason: string): void {
    if (!peer.alive) return
    this.disconnect(peer)
    peer.door.disconnect(reason)
  }

  /** The peer is gone. Harmless when repeated (bus_connection_disconnected()). */
  disconnect(peer: Peer): void {
    if (!peer.alive) return
    this.isStill = false
    peer.alive = false
    this.strangers.delete(peer)
    this.delivery.monitors.delete(peer)
    this.activation.forget(peer)
    if (peer.uniqueName !== '' && !peer.monitor) this.#forget(peer)
    this.calls.drop(peer)
  }

  /** Takes a peer's rules and names away, the unique one last. */
  #forget(peer: Peer): void {
    for (const rule of peer.rules) this.delivery.rules.remove(peer, rule)
    this.matchRules -= peer.rules.length
    peer.rules.length = 0
    const { uniqueName } = peer
    if (peer.alive) this.tell(peer, 'NameLost', uniqueName)
    this.names.releaseAll(peer)
    if (!peer.alive) this.tell(peer, 'NameLost', uniqueName)
    this.peers.delete(uniqueName)
    this.delivery.emit('NameOwnerChanged', 'sss', [uniqueName, uniqueName, ''])
  }
}
