/**
 * One netlink socket, of a process or of the kernel: its state (struct netlink_sock).
 *
 * What is done with it is in the files beside this one, named after what they do.
 */
import { type Capability, type Credentials, nsCapable } from '../credentials.ts'
import type { ModuleOwner } from '../module/module.ts'
import type { Net } from '../net-namespace.ts'
import { WaitQueue } from '../wait-queue.ts'
import type { RunningDump } from './dump.ts'
import type { SocketFilter } from './filter.ts'
import type { PendingInput } from './input.ts'
import type { Netlink } from './netlink.ts'
import { ReceiveQueue } from './queue.ts'
import type { Skb } from './skb.ts'
import type { PortMap, ProtocolHooks, ProtocolTable } from './table.ts'

/** SO_SNDBUF of a new socket, as accounted (net.core.wmem_default). */
const DEFAULT_SEND_BUFFER = 212992

/** SO_TYPE: which of the two makes no difference. */
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3

/** What a kernel socket does with a datagram; a promise holds up the sender's next one. */
export type Input = (skb: Skb) => void | Promise<void>

export class NetlinkSock {
  readonly netlink: Netlink
  readonly net: Net
  readonly protocol: number
  readonly table: ProtocolTable
  /** Ports of the same protocol in the same namespace. */
  readonly ports: PortMap
  /** bind, unbind and release of whoever registered the protocol, as they were at creation. */
  readonly hooks: ProtocolHooks
  /** Who opened it. */
  readonly credentials: Credentials
  /** Unique in its kernel and never used again (SO_COOKIE): tells a port's holders apart. */
  readonly cookie: number
  readonly queue = new ReceiveQueue()

  /** nl_pid; 0 as long as it is not bound. */
  portid = 0
  isBound = false
  isClosed = false
  /** Where datagrams go that name no destination; connect() sets it. */
  dstPortid = 0
  dstGroup = 0
  /** NETLINK_CONNECTED: unicasts come from `dstPortid` alone. */
  isConnected = false
  /** sk_sndbuf, bytes. */
  sendBuffer = DEFAULT_SEND_BUFFER
  /** SO_SNDTIMEO and SO_RCVTIMEO: milliseconds that a call may wait. */
  sendTimeout = Number.POSITIVE_INFINITY
  receiveTimeout = Number.POSITIVE_INFINITY
  /** SO_TYPE: SOCK_RAW or SOCK_DGRAM, which make no difference. */
  type: number = SOCK_RAW
  /** SO_PASSCRED: a reader is told who sent what it reads. */
  passCredentials = false
  /** SO_ATTACH_FILTER: how much of what comes is taken. */
  filter: SocketFilter | undefined
  /** SO_LOCK_FILTER: the filter stays. */
  isFilterLocked = false
  /** nlk->wait: those who wait to send to it. */
  readonly senders = new WaitQueue()
  /** Longest buffer that was read into: what a dump's datagrams are sized by. */
  maxReceiveLength = 0
  /** The buffer that was read into last, its length then, and a view of it. */
  readBuffer: Uint8Array | undefined
  readLength = 0
  readView: DataView | undefined

  /** Membership, a bit for each group from 1 on; nothing before the first group operation. */
  groups: Uint32Array | undefined

  extAck = false
  capAck = false
  strictCheck = false
  pktinfo = false
  broadcastError = false
  listenAllNsid = false

  /** The dump that runs on it (nlk->cb, cb_running). */
  dump: RunningDump | undefined
  /** A datagram of its own that a kernel socket has not finished with, and those behind it. */
  pendingInput: PendingInput | undefined

  /** What a kernel socket does with datagrams; nothing: nobody may write to it. */
  input: Input | undefined
  readonly isKernel: boolean
  /** The module that it holds as long as it is open. */
  module: ModuleOwner | undefined
  /** sk_data_ready(), sk_error_report(): there is something to read. */
  dataReady: (() => void) | undefined

  constructor(
    netlink: Netlink,
    net: Net,
    table: ProtocolTable,
    credentials: Credentials,
    isKernel = false,
  ) {
    this.netlink = netlink
    this.net = net
    this.table = table
    this.protocol = table.protocol
    this.ports = table.portsOf(net)
    this.hooks = table.hooks
    this.credentials = credentials
    this.cookie = netlink.nextCookie()
    this.isKernel = isKernel
  }
  /** ns_capable(): whether who makes a call has `capability` over its network namespace. */
  capable(capability: Capability, current: Credentials): boolean {
    return nsCapable(current, this.net.userNs, capability)
  }
  /** Whether it is a member of `group`. */
  isMember(group: number): boolean {
    const word = this.groups?.[(group - 1) >>> 5]
    return word !== undefined && (word & (1 << ((group - 1) & 31))) !== 0
  }
  /** Groups 1 to 32 as a mask. */
  get groupMask(): number {
    return this.groups?.[0] ?? 0
  }
  /** Reports an errno to the reader: its next call fails with it. */
  setError(errno: number): void {
    this.queue.error = errno
    this.dataReady?.()
  }
  /** A datagram for it was lost. */
  overrun(): void {
    this.queue.overrun()
    if (this.queue.error) this.dataReady?.()
  }
  /** netlink_rcv_wake(): after each read; who waits for room tries again. */
  rcvWake(): void {
    this.queue.wake()
    if (this.senders.isActive && !this.queue.isCongested) this.senders.wakeUp()
  }
  /**
   * sk_filter(): how many of the datagram's bytes the socket takes.
   * @returns 0 when it takes none of it, the datagram being lost to it without a word.
   */
  accepts(skb: Skb): number {
    const { filter } = this
    return filter ? Math.min(skb.length, filter.run(skb.view, skb.length)) : skb.length
  }
}
