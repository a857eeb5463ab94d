/** Starting what a message is for: the questions that a bus asks; who answers knows the .service files. */
import type { Header } from '../message/index.ts'
import type { Outgoing } from './outgoing.ts'
import type { Peer } from './peer.ts'

export interface Activation {
  /** Names that can be started, without the bus's own. */
  names(): readonly string[]
  isActivatable(name: string): boolean
  /**
   * Keeps `message`, whose bytes are its own, until `name` has an owner, and starts what owns it.
   * @throws BusError when that cannot be.
   */
  queue(name: string, sender: Peer, message: Outgoing): void
  /** StartServiceByName: `started` is called when `name` has an owner. @throws BusError */
  start(name: string, caller: Peer, call: Header, started: () => void): void
  /** UpdateActivationEnvironment. @throws BusError */
  setEnvironment(variables: ReadonlyMap<string, string>): void
  /** A name has its first owner. */
  appeared(name: string, owner: Peer): void
  /** A signal to the bus itself, from the peer. */
  hear?(peer: Peer, header: Header, message: Uint8Array): void
  /** The peer is gone: nothing is kept for it. */
  forget(peer: Peer): void
}

/** Nothing can be started. */
export const noActivation: Activation = {
  names: () => [],
  isActivatable: () => false,
  queue: () => undefined,
  start: () => undefined,
  setEnvironment: () => undefined,
  appeared: () => undefined,
  forget: () => undefined,
}
