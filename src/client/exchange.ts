/**
 * One request and what answers it, as a state machine: messages in, verdicts out.
 *
 *   do      reply … then NLMSG_ERROR with 0 (the ack) or an errno; or, unacknowledged, one reply
 *   dump    reply … then NLMSG_DONE with 0 or an errno; or NLMSG_ERROR when it did not start
 *
 * It has no promise, no timer and no bytes of its own.
 * Kernel: net/netlink/af_netlink.c netlink_ack(), netlink_dump_done() (Linux 6.18).
 */
import { DecodeError } from '../errors.ts'
import {
  align4,
  HOST_LE,
  type MessageWalker,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
} from '../wire/index.ts'

/**
 * What a message means to its request: not for it; nothing to do; a payload to decode (`over` says
 * whether it was the last); the end without one; or that the kernel lost messages for us.
 */
export type Verdict = 'stray' | 'nothing' | 'reply' | 'end' | 'overrun'

/** The conversation that one request opens. */
export class Exchange {
  /** nlmsg_seq of the request and of all that answers it. */
  seq: number
  readonly dump: boolean
  /** Whether the request asked for an acknowledgement (NLM_F_ACK). */
  ack: boolean
  /** Whether it has ended; what comes later is stray. */
  over = false
  /** 0, or the negative errno with which it ended. */
  errno = 0
  /** Whether a dump was told to be inconsistent (NLM_F_DUMP_INTR). */
  interrupted = false
  /** Where the extack's attributes lie in the last message's view; equal when there are none. */
  extackAt = 0
  extackEnd = 0

  constructor(seq: number, dump: boolean, ack: boolean) {
    this.seq = seq
    this.dump = dump
    this.ack = ack
  }

  /** Begins again under another number, as a request that is repeated does. */
  restart(seq: number): void {
    this.seq = seq
    this.over = this.interrupted = false
    this.errno = this.extackAt = this.extackEnd = 0
  }

  /**
   * Takes the message at which `m` stands.
   * @throws DecodeError for an NLMSG_ERROR without errno; the conversation is over then.
   */
  push(m: MessageWalker): Verdict {
    if (this.over || m.seq !== this.seq) return 'stray'
    if ((m.flags & NLM_F_DUMP_INTR) !== 0) this.interrupted = true
    switch (m.type) {
      case NLMSG_NOOP:
        return 'nothing'
      case NLMSG_OVERRUN:
        return 'overrun'
      case NLMSG_ERROR:
        this.#error(m)
        return 'end'
      case NLMSG_DONE:
        return this.#done(m)
    }
    if (!this.dump && !this.ack && (m.flags & NLM_F_MULTI) === 0) this.over = true
    return 'reply'
  }

  #error(m: MessageWalker): void {
    this.over = true
    if (m.end - m.payload < 4) {
      throw new DecodeError(`NLMSG_ERROR with ${m.end - m.payload} bytes`, m.payload)
    }
    const errno = m.view.getInt32(m.payload, HOST_LE)
    this.errno = errno > 0 ? -errno : errno
    if ((m.flags & NLM_F_ACK_TLVS) === 0) return
    const copy = m.payload + 4
    const copied =
      (m.flags & NLM_F_CAPPED) !== 0 || m.end - copy < 4
        ? NLMSG_HDRLEN
        : Math.max(NLMSG_HDRLEN, m.view.getUint32(copy, HOST_LE))
    this.extackAt = Math.min(copy + align4(copied), m.end)
    this.extackEnd = m.end
  }

  #done(m: MessageWalker): Verdict {
    const value = m.end - m.payload < 4 ? 0 : m.view.getInt32(m.payload, HOST_LE)
    if (value < 0) {
      this.errno = value
      if ((m.flags & NLM_F_ACK_TLVS) !== 0) {
        this.extackAt = m.payload + 4
        this.extackEnd = m.end
      }
    }
    if (!this.dump && this.ack && value >= 0) return 'nothing'
    this.over = true
    return 'end'
  }
}
