/**
 * Prompt requests: a program that asks one thing after another is answered in the call that asks.
 *
 * Requests of one turn share a datagram, for which the first has to wait until the turn is over. Where
 * the last few were alone in their turns that is for nothing. Every so often one waits all the same, to
 * see whether others have joined it.
 */
import type { Socket } from '../transport/transport.ts'
import {
  HOST_LE,
  type MessageWalker,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_MULTI,
  NLMSG_ERROR,
  NLMSG_MIN_TYPE,
  type Writer,
} from '../wire/index.ts'
import { type Call, readReply, writeRequest } from './call.ts'
import { ERROR_ROOM } from './limits.ts'
import { EAGAIN, type Receiver } from './receiver.ts'

/** Lone requests after which the next is prompt. */
const ENOUGH = 4
/** Prompt requests after which one waits. */
const MOST = 32

/** What `answerTo` says of a datagram that takes more than a look. */
export const MORE: unique symbol = Symbol('more')

export class Prompt {
  #lone = 0
  #left = MOST

  /** Whether the next request should be prompt. */
  isDue(): boolean {
    if (this.#lone < ENOUGH) return false
    if (this.#left-- > 0) return true
    this.#left = MOST
    return false
  }
  /** A turn was over, and had so many requests. */
  turned(requests: number): void {
    this.#lone = requests === 1 ? this.#lone + 1 : 0
  }
}

/** What was asked. */
export interface Asked {
  readonly call: Call
  readonly seq: number
  readonly ack: boolean
}

/** Sends a request, and takes the answer: its size, or a negative errno. @throws EncodeError */
export function sendNow(
  { call, seq, ack }: Asked,
  value: unknown,
  socket: Socket,
  writer: Writer,
  receiver: Receiver,
): number {
  writeRequest(writer, call, ack ? NLM_F_ACK : 0, seq, value)
  receiver.reserve(writer.length + ERROR_ROOM)
  return socket.exchangeFirst?.(writer.bytes, writer.length, receiver.buffer) ?? EAGAIN
}

/**
 * The value in a datagram of `size` bytes when it is the whole answer, and no refusal: the reply's, or
 * undefined of an acknowledgement. Else `MORE`, and nothing was taken.
 */
export function answerTo(asked: Asked, receiver: Receiver, portid: number, size: number): unknown {
  const { call, seq, ack } = asked
  if (size <= 0 || size > receiver.buffer.length) return MORE
  const m = receiver.look(size)
  if (!m.next() || m.leftover > 0 || m.seq !== seq) return MORE
  if (m.portid !== portid && m.portid !== 0) return MORE
  if (ack) return isPlainAck(m) ? undefined : MORE
  if (m.type < NLMSG_MIN_TYPE || (m.flags & NLM_F_MULTI) !== 0) return MORE
  try {
    const value = readReply(call, m)
    if (m.end - m.start > call.replySize) call.replySize = m.end - m.start
    return value
  } catch {
    return MORE
  }
}

/** NLMSG_ERROR with 0 and nothing to warn of. */
function isPlainAck({ type, flags, payload, end, view }: MessageWalker): boolean {
  if (type !== NLMSG_ERROR || (flags & NLM_F_ACK_TLVS) !== 0) return false
  return end - payload >= 4 && view.getInt32(payload, HOST_LE) === 0
}
