/** What may be done on a bus: the questions that it asks; who answers reads the configuration. */
import type { Header } from '../message/index.ts'
import type { Peer, PeerCredentials } from './peer.ts'

/** A message between two, as a policy judges it. */
export interface Passage {
  readonly header: Header
  /** Undefined: the bus itself. */
  readonly sender: Peer | undefined
  /** Undefined: the bus itself, or for a broadcast nobody in particular. */
  readonly recipient: Peer | undefined
  /** Whom it is addressed to, where `recipient` only listens. */
  readonly addressed: Peer | undefined
  /** It answers a call that is open. */
  readonly isRequestedReply: boolean
}

/** A policy's answers. A text is the refusal that the sender reads; undefined allows. */
export interface Policy {
  mayConnect(credentials: PeerCredentials): boolean
  mayOwn(peer: Peer, name: string): string | undefined
  maySend(passage: Passage): string | undefined
  mayReceive(passage: Passage): string | undefined
}

/** As a session bus is configured: all is allowed but answers that nobody asked for. */
export const openPolicy: Policy = {
  mayConnect: () => true,
  mayOwn: () => undefined,
  maySend: ({ header, isRequestedReply }) =>
    header.replySerial === undefined || isRequestedReply
      ? undefined
      : 'the reply was not requested',
  mayReceive: () => undefined,
}
