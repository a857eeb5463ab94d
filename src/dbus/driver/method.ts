/** How a method of the bus itself is written: what it takes, what it gives, what it does. */
import type { Bus } from '../bus/bus.ts'
import type { Peer } from '../bus/peer.ts'
import type { Header } from '../message/index.ts'

/** One call of a method. */
export interface Call {
  readonly bus: Bus
  readonly peer: Peer
  readonly header: Header
  readonly args: readonly unknown[]
}

/** A method: its signatures, and what answers it. */
export interface Method {
  readonly takes: readonly string[]
  readonly gives: readonly string[]
  /** Only root, and whose bus it is, may call it. */
  readonly privileged?: boolean
  /** It only looks or notes: it leaves nothing to do to JavaScript's own queues. */
  readonly isStill?: boolean
  /**
   * The values of the answer; undefined when it answers by itself.
   * @throws BusError
   */
  handle(call: Call): readonly unknown[] | undefined
}

/** An interface of the bus itself. */
export interface Interface {
  readonly name: string
  readonly methods: Readonly<Record<string, Method>>
  /** Its signals: types of their arguments, or names and types. */
  readonly signals?: Readonly<Record<string, readonly (string | readonly [string, string])[]>>
  readonly properties?: Readonly<Record<string, string>>
  /** It answers at any path, not only at the bus's own. */
  readonly anyPath: boolean
  /** Not shown by Introspect at other paths than the bus's own. */
  readonly hidden?: boolean
}
