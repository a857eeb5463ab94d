/**
 * A netlink socket as a connection of a bus: what is for it waits here until the socket has room, so
 * that its receive queue never overruns; what comes in fragments is put together.
 */
import { NetlinkError } from '../../errors.ts'
import type { dbus } from '../../families/dbus.ts'
import type { RegisteredFamily, RequestContext } from '../../kernel/index.ts'
import type { Outgoing } from '../bus/outgoing.ts'
import { foreignUser, type Peer, type PeerDoor } from '../bus/peer.ts'
import { Quota } from '../bus/quota.ts'
import type { DbusBus } from './router.ts'

/** Bytes of a message that go into one datagram; an attribute takes 65,531. */
const FRAGMENT_BYTES = 48 * 1024
/** What a datagram takes in a receive queue beside its payload, at most. */
const OVERHEAD_BYTES = 2048

/** Who sends a request. */
type Sender = RequestContext['sender']

/** A message that waits, and how much of it is sent. */
interface Waiting {
  readonly outgoing: Outgoing
  readonly bytes: number
  offset: number
}

/** A message that comes in fragments. */
interface Assembly {
  readonly id: number
  readonly bytes: Uint8Array
  readonly tokens: bigint[]
  filled: number
}

/** A message that is there as a whole; who takes it over holds its descriptors. */
export interface Whole {
  readonly bytes: Uint8Array
  readonly tokens: readonly bigint[]
}

/** One fragment, as a request has it. */
export interface Fragment {
  readonly id: number
  readonly offset: number
  readonly total: number
}

export class Connection implements PeerDoor {
  readonly sock: Sender
  readonly portid: number
  readonly bus: DbusBus
  /** Set right after it is made. */
  peer!: Peer
  #assembly: Assembly | undefined
  readonly #family: RegisteredFamily<typeof dbus>
  readonly #queue: Waiting[] = []
  readonly #quota = new Quota()
  #queuedBytes = 0
  /** Tokens that came with messages for it, until it has the descriptors; how often each. */
  readonly #held = new Map<bigint, number>()
  #heldCount = 0
  #lastFragment = 0
  #leave: (() => void) | undefined
  /** Called when it is over, once. */
  readonly #ended: (connection: Connection, reason: string) => void

  constructor(
    family: RegisteredFamily<typeof dbus>,
    sock: Sender,
    bus: DbusBus,
    ended: (connection: Connection, reason: string) => void,
  ) {
    this.#family = family
    this.sock = sock
    this.portid = sock.portid
    this.bus = bus
    this.#ended = ended
  }

  deliver(outgoing: Outgoing, payer: Peer | undefined): boolean {
    const bytes = outgoing.length
    const { maxOutgoingBytes, maxOutgoingUnixFds } = this.bus.bus.limits
    const uid = foreignUser(this.peer, payer)
    const more = { bytes, fds: outgoing.tokens.length }
    const queued = this.queued()
    const most = { bytes: maxOutgoingBytes, fds: maxOutgoingUnixFds }
    if (!this.#quota.allows(uid, more, queued, most)) return false
    this.#quota.add(uid, more, queued)
    outgoing.keep()
    this.#hold(outgoing.tokens)
    this.#queuedBytes += bytes
    this.#queue.push({ outgoing, bytes, offset: 0 })
    this.#pump()
    return true
  }

  disconnect(reason: string): void {
    this.close()
    this.#ended(this, reason)
  }

  queued(): { messages: number; bytes: number; fds: number } {
    return { messages: this.#queue.length, bytes: this.#queuedBytes, fds: this.#heldCount }
  }

  #hold(tokens: readonly bigint[]): void {
    this.bus.bus.tokens.hold(tokens)
    this.#heldCount += tokens.length
    for (const token of tokens) this.#held.set(token, (this.#held.get(token) ?? 0) + 1)
  }

  /** It has the descriptors of these tokens, or does not want them. @throws NetlinkError EBADF */
  release(tokens: readonly bigint[]): void {
    for (const token of tokens) {
      const count = this.#held.get(token)
      if (count === undefined) throw new NetlinkError('EBADF', 'that token was not received')
      if (count === 1) this.#held.delete(token)
      else this.#held.set(token, count - 1)
      this.#heldCount--
      this.bus.bus.tokens.release([token])
    }
  }

  /** Nothing goes out any more. Harmless when repeated. */
  close(): void {
    this.#leave?.()
    this.#leave = undefined
    this.#queue.length = 0
    this.#queuedBytes = 0
    if (this.#assembly) this.bus.bus.tokens.release(this.#assembly.tokens)
    this.#quota.clear()
    this.#assembly = undefined
    for (const [token, count] of this.#held)
      this.release(Array.from({ length: count }, () => token))
  }

  /** Sends what the socket has room for; the rest when its reader has made some. */
  #pump(): void {
    if (this.#leave) return
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      const size = Math.min(FRAGMENT_BYTES, first.bytes - first.offset)
      const { queue } = this.sock
      if (queue.bytes > 0 && queue.bytes + 2 * size + OVERHEAD_BYTES > queue.limit) {
        this.#leave = this.sock.senders.add(() => {
          this.#leave = undefined
          this.#pump()
        })
        return
      }
      this.#sendFragment(first, size)
      if (first.offset < first.bytes) continue
      this.#queue.shift()
      this.#queuedBytes -= first.bytes
      this.#quota.take(first.bytes)
    }
  }

  #sendFragment(waiting: Waiting, size: number): void {
    const { outgoing, bytes, offset } = waiting
    const isFirst = offset === 0
    if (isFirst) this.#lastFragment = (this.#lastFragment + 1) >>> 0
    const frag = size < bytes ? { id: this.#lastFragment, offset, total: bytes } : undefined
    const msg = slice(outgoing, offset, offset + size)
    waiting.offset += size
    this.#family.unicast(
      'message',
      {
        msg,
        frag,
        fds: isFirst && outgoing.tokens.length > 0 ? [...outgoing.tokens] : undefined,
      },
      { portid: this.portid, net: this.sock.net },
    )
  }

  /**
   * Takes in a fragment and the tokens that came with it, which are held from then on; the whole
   * message when it is the last one.
   * @throws NetlinkError EPROTO when it does not follow the one before, EMSGSIZE.
   */
  assemble(
    bytes: Uint8Array,
    fragment: Fragment | undefined,
    tokens: readonly bigint[],
  ): Whole | undefined {
    const table = this.bus.bus.tokens
    if (fragment === undefined) {
      if (this.#assembly) throw broken('a message inside another one')
      table.hold(tokens)
      return { bytes: bytes.slice(), tokens }
    }
    const { id, offset, total } = fragment
    const { maxMessageSize } = this.bus.bus.limits
    if (total > maxMessageSize) throw new NetlinkError('EMSGSIZE')
    if (offset === 0 && !this.#assembly)
      this.#assembly = { id, bytes: new Uint8Array(total), tokens: [], filled: 0 }
    const assembly = this.#assembly
    if (!assembly || assembly.id !== id || assembly.bytes.length !== total)
      throw broken('a fragment of another message')
    if (assembly.filled !== offset || offset + bytes.length > total)
      throw broken(`a fragment at ${offset}, where ${assembly.filled} was next`)
    table.hold(tokens)
    assembly.tokens.push(...tokens)
    assembly.bytes.set(bytes, offset)
    assembly.filled += bytes.length
    if (assembly.filled < total) return undefined
    this.#assembly = undefined
    return assembly
  }
}

function broken(what: string): NetlinkError {
  return new NetlinkError('EPROTO', what)
}

/** Bytes `start` to `end` of a message, which are in its header, its body or both. */
function slice({ head, body }: Outgoing, start: number, end: number): Uint8Array {
  if (end <= head.length) return head.subarray(start, end)
  if (start >= head.length) return body.subarray(start - head.length, end - head.length)
  const joined = new Uint8Array(end - start)
  joined.set(head.subarray(start))
  joined.set(body.subarray(0, end - head.length), head.length - start)
  return joined
}
