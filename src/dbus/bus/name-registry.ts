/**
 * Who owns which name, and who waits for it (dbus-daemon, bus/services.c).
 *
 * The registry changes and tells in which order it changed; it sends nothing.
 */
import type { Peer } from './peer.ts'

/** Flags of RequestName. */
export const NAME_FLAG_ALLOW_REPLACEMENT = 0x1
export const NAME_FLAG_REPLACE_EXISTING = 0x2
export const NAME_FLAG_DO_NOT_QUEUE = 0x4

/** Answers of RequestName. */
export const NAME_PRIMARY_OWNER = 1
export const NAME_IN_QUEUE = 2
export const NAME_EXISTS = 3
export const NAME_ALREADY_OWNER = 4
/** Answers of ReleaseName. */
export const NAME_RELEASED = 1
export const NAME_NON_EXISTENT = 2
export const NAME_NOT_OWNER = 3

/** One peer's claim to a name. */
interface Claim {
  readonly peer: Peer
  allowReplacement: boolean
  doNotQueue: boolean
}

/** A name with its queue; the first in it is the primary owner. */
export interface OwnedName {
  readonly name: string
  readonly queue: Claim[]
}

/** Hears that the primary owner of a name is another, before anybody is told anything else. */
export type OwnerChange = (name: string, old: Peer | undefined, now: Peer | undefined) => void

export class NameRegistry {
  /** Well-known names, in the order of their first being owned. */
  readonly #names = new Map<string, OwnedName>()
  readonly #changed: OwnerChange

  constructor(changed: OwnerChange) {
    this.#changed = changed
  }

  get size(): number {
    return this.#names.size
  }

  keys(): IterableIterator<string> {
    return this.#names.keys()
  }

  owner(name: string): Peer | undefined {
    return this.#names.get(name)?.queue[0]?.peer
  }

  /** Unique names of the owner and of those behind it. */
  queue(name: string): readonly string[] | undefined {
    return this.#names.get(name)?.queue.map(({ peer }) => peer.uniqueName)
  }

  /** RequestName; one of its answers. */
  request(peer: Peer, name: string, flags: number): number {
    const known = this.#names.get(name)
    if (known === undefined) return this.#create(peer, name, flags)
    const primary = known.queue[0]!
    if (primary.peer === peer) {
      setFlags(primary, flags)
      return NAME_ALREADY_OWNER
    }
    const replaces = (flags & NAME_FLAG_REPLACE_EXISTING) !== 0 && primary.allowReplacement
    if (replaces) {
      this.#replace(known, peer, flags)
      return NAME_PRIMARY_OWNER
    }
    if (flags & NAME_FLAG_DO_NOT_QUEUE) {
      this.#leaveQueue(known, peer)
      return NAME_EXISTS
    }
    this.#enqueue(known, peer, flags)
    return NAME_IN_QUEUE
  }

  /** ReleaseName; one of its answers. */
  release(peer: Peer, name: string): number {
    const known = this.#names.get(name)
    if (known === undefined) return NAME_NON_EXISTENT
    if (!known.queue.some((claim) => claim.peer === peer)) return NAME_NOT_OWNER
    this.#drop(known, peer)
    return NAME_RELEASED
  }

  /** All that `peer` owns or waits for is given up, what it took last first. */
  releaseAll(peer: Peer): void {
    for (let last = peer.names.at(-1); last; last = peer.names.at(-1)) this.#drop(last, peer)
  }

  #create(peer: Peer, name: string, flags: number): number {
    const owned: OwnedName = { name, queue: [claimOf(peer, flags)] }
    this.#names.set(name, owned)
    this.#own(peer, owned)
    this.#changed(name, undefined, peer)
    return NAME_PRIMARY_OWNER
  }

  /** The owner so far stands behind the new one, or leaves if it does not queue. */
  #replace(known: OwnedName, peer: Peer, flags: number): void {
    const old = known.queue.shift()!
    const waiting = known.queue.findIndex((claim) => claim.peer === peer)
    if (waiting >= 0) known.queue.splice(waiting, 1)
    else this.#own(peer, known)
    if (old.doNotQueue) disown(old.peer, known)
    else known.queue.unshift(old)
    known.queue.unshift(claimOf(peer, flags))
    this.#changed(known.name, old.peer, peer)
  }

  #enqueue(known: OwnedName, peer: Peer, flags: number): void {
    const waiting = known.queue.find((claim) => claim.peer === peer)
    if (waiting) {
      setFlags(waiting, flags)
      return
    }
    known.queue.push(claimOf(peer, flags))
    this.#own(peer, known)
  }

  #leaveQueue(known: OwnedName, peer: Peer): void {
    const at = known.queue.findIndex((claim) => claim.peer === peer)
    if (at < 0) return
    known.queue.splice(at, 1)
    disown(peer, known)
  }

  #drop(known: OwnedName, peer: Peer): void {
    const wasPrimary = known.queue[0]!.peer === peer
    this.#leaveQueue(known, peer)
    if (!wasPrimary) return
    const next = known.queue[0]?.peer
    if (next === undefined) this.#names.delete(known.name)
    this.#changed(known.name, peer, next)
  }

  #own(peer: Peer, owned: OwnedName): void {
    peer.names.push(owned)
    peer.stats.peakNames = Math.max(peer.stats.peakNames, peer.names.length + 1)
  }
}

function claimOf(peer: Peer, flags: number): Claim {
  const claim: Claim = { peer, allowReplacement: false, doNotQueue: false }
  setFlags(claim, flags)
  return claim
}

function setFlags(claim: Claim, flags: number): void {
  claim.allowReplacement = (flags & NAME_FLAG_ALLOW_REPLACEMENT) !== 0
  claim.doNotQueue = (flags & NAME_FLAG_DO_NOT_QUEUE) !== 0
}

function disown(peer: Peer, owned: OwnedName): void {
  const at = peer.names.indexOf(owned)
  if (at >= 0) peer.names.splice(at, 1)
}
