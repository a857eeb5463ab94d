/**
 * Socket buffers: one datagram, its bytes and where it comes from.
 *
 * Kernel: struct sk_buff and struct netlink_skb_parms (NETLINK_CB), net/core/skbuff.c.
 */
import { Writer } from '../../wire/writer.ts'
import { type Credentials, KERNEL_CREDENTIALS } from '../credentials.ts'
import { NSID_NONE } from '../net-namespace.ts'
import type { NetlinkSock } from './sock.ts'

/**
 * A datagram. Whoever gets one to fill owns it until it is sent; sending consumes it, also when
 * it fails. A skb that `input` is given is borrowed: it is the core's again when `input` returns.
 */
export class Skb extends Writer {
  /** NETLINK_CB(skb).portid: the sender's address, 0 for the kernel. */
  portid = 0
  /** The port that it is sent to, 0 for the kernel. */
  dstPortid = 0
  /** NETLINK_CB(skb).dst_group: the group's number, 0 for unicast. */
  dstGroup = 0
  /** NETLINK_CB(skb).nsid: id of the sender's namespace at the receiver, -1 for its own. */
  nsid = NSID_NONE
  /** NETLINK_CB(skb).creds: who sends. */
  credentials: Credentials = KERNEL_CREDENTIALS
  /** NETLINK_SKB_DST: the sender named the destination in this very call. */
  hasDestination = false
  /** NETLINK_CB(skb).sk: the socket that it was sent from, for what a kernel socket receives. */
  sender: NetlinkSock | undefined
  /** skb->sk: the kernel socket that receives it. */
  owner: NetlinkSock | undefined
  /** Bytes that it was allocated for; what is written may be less. */
  room = 0
  /** Bytes that it counts in a receive queue; 0: not counted yet. */
  truesize = 0
  /** References: a multicast sits in many queues and is written once. */
  users = 1
  #pool: SkbPool | undefined

  constructor(capacity?: number, pool?: SkbPool) {
    super(capacity)
    this.#pool = pool
  }
  /** skb_get(): one more reference, for who keeps it beyond the call that it came in. */
  get(): this {
    this.users++
    return this
  }
  /** kfree_skb(): gives up one reference. */
  free(): void {
    if (--this.users === 0) this.#pool?.put(this)
  }
  /** skb_copy(): a skb of one's own with the same bytes, or the first ones, and the same sender. */
  copy(length: number = this.length): Skb {
    const copy = new Skb(Math.max(1, length))
    copy.put(this.bytes.subarray(0, length))
    copy.portid = this.portid
    copy.dstPortid = this.dstPortid
    copy.dstGroup = this.dstGroup
    copy.nsid = this.nsid
    copy.credentials = this.credentials
    copy.hasDestination = this.hasDestination
    copy.sender = this.sender
    copy.owner = this.owner
    copy.truesize = this.truesize
    return copy
  }
  /** Forgets what it held: as new. */
  reset(): void {
    this.length = 0
    this.portid = 0
    this.dstPortid = 0
    this.dstGroup = 0
    this.nsid = NSID_NONE
    this.credentials = KERNEL_CREDENTIALS
    this.hasDestination = false
    this.sender = undefined
    this.owner = undefined
    this.room = 0
    this.truesize = 0
    this.users = 1
  }
}

const SMALL = 1024
const SMALL_MOST = 4096
const LARGE = 33 * 1024
const LARGE_MOST = 66 * 1024

/** Skbs to be used again, so that a request and its answer allocate nothing. */
export class SkbPool {
  readonly #small: Skb[] = []
  readonly #large: Skb[] = []

  /** alloc_skb(): an empty skb; it grows beyond `size` when it must. */
  alloc(size = 0): Skb {
    if (size <= SMALL) return this.#small.pop() ?? new Skb(SMALL, this)
    if (size <= LARGE) return this.#large.pop() ?? new Skb(LARGE, this)
    return new Skb(size)
  }
  /** Takes one back that nobody refers to. */
  put(skb: Skb): void {
    const capacity = skb.bytes.length
    skb.reset()
    if (capacity <= SMALL_MOST) {
      if (this.#small.length < 128) this.#small.push(skb)
    } else if (capacity >= LARGE && capacity <= LARGE_MOST && this.#large.length < 8) {
      this.#large.push(skb)
    }
  }
}
