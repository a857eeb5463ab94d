/** A connection to the bus, as the bus knows it; how it is reached is its door's business. */
import type { MatchRule } from '../match/rule.ts'
import type { OwnedName } from './name-registry.ts'
import type { Outgoing } from './outgoing.ts'
import type { ReplySlot } from './reply-slots.ts'

/** Who a peer is, as the operating system says; what is not known is undefined. */
export interface PeerCredentials {
  readonly uid: number | undefined
  readonly pid: number | undefined
  readonly gids: readonly number[] | undefined
  /** LinuxSecurityLabel, with its NUL. */
  readonly label: Uint8Array | undefined
}

/** How the bus reaches a peer. */
export interface PeerDoor {
  /** What it is given leaves nothing to do to JavaScript's own queues, no promise and no tick. */
  readonly isStill?: boolean
  /**
   * Queues `message` for the peer, in order. The message's bytes may be lent until it returns. What
   * waits is of `payer`'s share; without one it is the peer's own.
   * @returns false when the peer's quota does not allow it; nothing is queued then.
   */
  deliver(message: Outgoing, payer: Peer | undefined): boolean
  /** The bus is done with the peer: what is queued still goes out, then the connection ends. */
  disconnect(reason: string): void
  /** What waits for the peer. */
  queued?(): { readonly messages: number; readonly bytes: number; readonly fds: number }
}

/** Counters of a peer, as Debug.Stats shows them. */
export interface PeerStats {
  peakMatchRules: number
  peakNames: number
  incomingMessages: number
  incomingBytes: number
  outgoingMessages: number
  outgoingBytes: number
  peakIncomingBytes: number
  peakIncomingFds: number
  peakOutgoingBytes: number
  peakOutgoingFds: number
}

const NO_BYTES = new Uint8Array(0)

/**
 * Whose share of `peer`'s queue a message of `payer`'s is: a user's number, and -1 for nobody's;
 * undefined where it is the peer's own user, or the bus.
 */
export function foreignUser(peer: Peer, payer: Peer | undefined): number | undefined {
  if (payer === undefined || payer.credentials.uid === peer.credentials.uid) return undefined
  return payer.credentials.uid ?? -1
}

export class Peer {
  /** Place in the order of connecting; its unique name is made of it once it says Hello. */
  id: bigint | undefined
  /** `:1.N`, or empty before Hello; and its bytes. */
  uniqueName = ''
  nameBytes: Uint8Array = NO_BYTES
  readonly credentials: PeerCredentials
  readonly door: PeerDoor
  /** It may send and receive descriptors. */
  readonly acceptsFds: boolean
  /** Names that it owns or waits for, oldest first. */
  readonly names: OwnedName[] = []
  /** Its match rules, oldest first. */
  readonly rules: MatchRule[] = []
  /** Calls that it waits for, by their serials, and calls that wait for it, by their numbers. */
  readonly awaited = new Map<number, ReplySlot>()
  readonly owed = new Map<number, ReplySlot>()
  /** Rules of a monitor; undefined for everybody else. */
  monitor: readonly MatchRule[] | undefined
  /** Called when it has got its unique name, before it is told so. */
  admitted: (() => void) | undefined
  alive = true
  /** Serial of the last message that the bus itself sent to it. */
  serial = 0
  /** RuleIndex leaves it there. */
  mark = 0
  readonly stats: PeerStats = {
    peakMatchRules: 0,
    peakNames: 0,
    incomingMessages: 0,
    incomingBytes: 0,
    outgoingMessages: 0,
    outgoingBytes: 0,
    peakIncomingBytes: 0,
    peakIncomingFds: 0,
    peakOutgoingBytes: 0,
    peakOutgoingFds: 0,
  }

  constructor(door: PeerDoor, credentials: PeerCredentials, acceptsFds: boolean) {
    this.door = door
    this.credentials = credentials
    this.acceptsFds = acceptsFds
  }

  /** It said Hello, and has not left. */
  get isActive(): boolean {
    return this.alive && this.uniqueName !== ''
  }

  /** The next serial for a message of the bus to it; never 0. */
  nextSerial(): number {
    this.serial = this.serial >= 0xffffffff ? 1 : this.serial + 1
    return this.serial
  }
}
