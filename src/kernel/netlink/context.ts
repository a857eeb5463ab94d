/** The request that a handler gets: the message, who sent it, and what the core is to answer. */
import type { Message, ValidationLevel } from '../../schema/index.ts'
import { NLM_F_ECHO, NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import { type Capability, type Credentials, nsCapable, type UserNamespace } from '../credentials.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import { decodeRequest } from './extack.ts'
import type { KernelSocket } from './kernel-socket.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'

/**
 * One message of a request. `view` is borrowed as its datagram is: it holds until the handler
 * returns, or its promise is settled, or its dump has ended.
 */
export class RequestContext {
  /** The kernel socket that it came to. */
  readonly sock: KernelSocket
  /** The datagram. */
  skb: Skb
  view: DataView
  /** Where in `view` its nlmsghdr starts. */
  start: number
  /** Where the message itself starts: behind nlmsghdr, and behind a family's own header. */
  payload: number
  /** Where its payload ends. */
  end: number
  /** nlmsg_type, nlmsg_flags, nlmsg_seq. */
  readonly type: number
  readonly flags: number
  readonly seq: number

  /** The schema that it was decoded with: attribute names in an extack are looked up there. */
  message: Message<unknown, unknown> | undefined
  /** What a successful acknowledgement says (NL_SET_ERR_MSG and return 0). */
  warning: string | undefined
  /** Bytes that a successful acknowledgement carries, at most 20. */
  cookie: Uint8Array | undefined

  /** Set by a dump that left something out at the client's wish: NLM_F_DUMP_FILTERED. */
  filtered = false
  /** Flags of a dump's messages, its NLMSG_DONE excepted. */
  messageFlags = 0
  /** cb->prev_seq: what `dumpSeq` was at the message before; for the core. */
  previousDumpSeq = 0
  #dumpSeq = 0

  constructor(skb: Skb, start: number, length: number) {
    const { view } = skb
    this.sock = skb.owner as KernelSocket
    this.skb = skb
    this.view = view
    this.start = start
    this.payload = start + NLMSG_HDRLEN
    this.end = start + length
    this.type = view.getUint16(start + 4, HOST_LE)
    this.flags = view.getUint16(start + 6, HOST_LE)
    this.seq = view.getUint32(start + 8, HOST_LE)
  }
  get kernel(): Kernel {
    return this.sock.netlink.kernel
  }
  get net(): Net {
    return this.sock.net
  }
  /** NETLINK_CB(skb).portid: the sender's address, whatever nlmsg_pid says. */
  get portid(): number {
    return this.skb.portid
  }
  /** The sender's socket: its options decide how it is answered. */
  get sender(): NetlinkSock {
    return this.skb.sender as NetlinkSock
  }
  get credentials(): Credentials {
    return this.skb.credentials
  }
  /** NETLINK_GET_STRICT_CHK of the sender's socket. */
  get strict(): boolean {
    return this.sender.strictCheck
  }
  /**
   * cb->seq: a number, not 0, that changes when what is dumped does. The next message, and only
   * that one, carries NLM_F_DUMP_INTR then. 0: the dump does not care, or begins anew with
   * something else.
   */
  get dumpSeq(): number {
    return this.#dumpSeq
  }
  set dumpSeq(value: number) {
    this.#dumpSeq = value
    if (value === 0) this.previousDumpSeq = 0
  }
  /** Whether the sender wants a copy of the notification (NLM_F_ECHO). */
  get echo(): boolean {
    return (this.flags & NLM_F_ECHO) !== 0
  }
  /**
   * netlink_ns_capable(): whether the sender has `capability`, and so has who opened its socket,
   * unless it named the destination itself. `userNs` is the network namespace's owner.
   */
  capable(capability: Capability, userNs: UserNamespace = this.net.userNs): boolean {
    const { skb } = this
    return (
      (skb.hasDestination || nsCapable(this.sender.credentials, userNs, capability)) &&
      nsCapable(skb.credentials, userNs, capability)
    )
  }
  /** Says something to a client whose request succeeds. */
  warn(text: string): void {
    this.warning = text
  }
  /**
   * The request by its schema: judged first where a level is given (NL_VALIDATE_…), then decoded.
   * @throws NetlinkError EINVAL or ERANGE, with extack.
   */
  decode<Out>(message: Message<Out, unknown>, level?: ValidationLevel): Out {
    this.message = message
    return decodeRequest(this, message, level)
  }
  /**
   * Sends the requester one message of its own making: `put` writes what follows nlmsghdr.
   * @returns bytes sent or a negative errno: what it could not take is lost, as an overrun.
   */
  reply(type: number, put: (w: Writer) => void, flags = 0): number {
    const skb = this.sock.alloc()
    const mark = skb.messageStart(type, flags, this.seq, this.portid)
    put(skb)
    skb.messageEnd(mark)
    return this.sock.unicast(skb, this.portid)
  }
  /** Takes a copy of the request, so that it outlives the call it came in. */
  keep(): void {
    const { skb, start } = this
    const copy = skb.copy()
    copy.trim(this.end)
    this.skb = copy
    this.view = copy.view
    this.start = start
  }
}
