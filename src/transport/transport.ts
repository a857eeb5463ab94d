/** The seam: what moves datagrams, whoever the kernel behind it is. */

/** Socket options of SOL_NETLINK and SOL_SOCKET that a netlink client sets. */
export interface SocketOptions {
  /** NETLINK_EXT_ACK: explain refusals. */
  readonly extAck?: boolean
  /** NETLINK_CAP_ACK: do not copy the request into an error. */
  readonly capAck?: boolean
  /** NETLINK_GET_STRICT_CHK: check dump requests, filter in the kernel. */
  readonly strictCheck?: boolean
  /** NETLINK_PKTINFO: the full group number of what is received. */
  readonly pktinfo?: boolean
  /** NETLINK_BROADCAST_ERROR: the kernel's sender learns of our overrun. */
  readonly broadcastError?: boolean
  /** NETLINK_NO_ENOBUFS: drop without a word. */
  readonly noEnobufs?: boolean
  /** NETLINK_LISTEN_ALL_NSID: events of all namespaces that have an id here. */
  readonly listenAllNsid?: boolean
  /** SO_RCVBUF, bytes, as setsockopt takes it (Linux doubles it). */
  readonly receiveBuffer?: number
  /** SO_RCVBUFFORCE: the same beyond the system's limit; needs CAP_NET_ADMIN. */
  readonly receiveBufferForce?: number
  /** SO_SNDBUF, bytes. */
  readonly sendBuffer?: number
}

/** Whom a datagram goes to. The kernel is portid 0. */
export interface Address {
  readonly portid?: number
  /** A group's number, from 1; 0 is none. */
  readonly group?: number
}

/** What to open. */
export interface SocketInit {
  /** NETLINK_ROUTE and kin. */
  readonly protocol: number
  /** A port id of one's own choice; 0 or absent lets the kernel choose. */
  readonly portid?: number
  /** Groups to join, by number. */
  readonly groups?: readonly number[]
  readonly options?: SocketOptions
  /**
   * Only the kernel will send to this socket: the transport may refuse datagrams from other ports.
   * AF_NETLINK then answers them with ECONNREFUSED, and a round trip is a fiftieth shorter.
   */
  readonly kernelOnly?: boolean
  /** Live kernel: a name, a path, a pid or a descriptor. nlkit's kernel: a name or a `Net`. */
  readonly netns?: unknown
}

/** Opens sockets to one kernel. */
export interface Transport {
  /**
   * @throws NetlinkError with the errno of socket(2), bind(2) or setsockopt(2), or a client-side
   * fault: NETLINK_PLATFORM, NETLINK_NO_NATIVE, NETLINK_KERNEL.
   */
  open(init: SocketInit): Promise<Socket>
  /** Frees what the transport itself holds; sockets are closed one by one. Harmless when repeated. */
  close?(): void | Promise<void>
}

/**
 * One bound netlink socket. `send` and `receive` answer at once, `readable` waits; only a call to a
 * served kernel may hold its caller up, for 20 ms at most, while that kernel answers. In memory and
 * on AF_NETLINK the replies are queued when `send` returns; elsewhere they may come later, so
 * callers rely on `readable` alone.
 */
export interface Socket {
  readonly protocol: number
  /** Our address (nl_pid). */
  readonly portid: number

  /**
   * Sends `parts` as one datagram, to the kernel when `to` is absent. The bytes may be used again
   * as soon as it returns.
   * @returns bytes sent, or a negative errno (-EAGAIN: the peer's queue is full).
   */
  send(parts: readonly Uint8Array[], to?: Address): number

  /**
   * Takes the next datagram into `buffer`, which the caller owns. Its size reaches the kernel
   * side, which sizes dumps by it. What came with it is in `sender…` until the next call.
   * @returns the datagram's length, which is more than the buffer's when it was cut; or a negative
   * errno: -EAGAIN for an empty queue, -ENOBUFS once after an overrun.
   */
  receive(buffer: Uint8Array): number

  /**
   * Takes as many datagrams as there are, and as `buffer` has slots of `size` bytes: how many, or a
   * negative errno; 0 where it cannot be done. Every fourth word of `slots` is the length of one,
   * which may be more than fits. Only of sockets that hear the kernel alone.
   */
  receiveMany?(buffer: Uint8Array, size: number, slots: Uint32Array): number

  /** `send` to the kernel, then `receive` at once, in one call; the send's errno wins. */
  exchange?(parts: readonly Uint8Array[], buffer: Uint8Array): number

  /**
   * `exchange` of the first `length` of `bytes`, faster where the same arrays come again. Only while
   * no answer is expected.
   */
  exchangeFirst?(bytes: Uint8Array, length: number, buffer: Uint8Array): number

  /** Port id of the last datagram's sender; 0 is the kernel. */
  readonly senderPortid: number
  /** Group through which the last datagram came, 0 for unicast. */
  readonly senderGroup: number
  /** Namespace id of the last datagram, or -1 for our own namespace. */
  readonly senderNsid: number

  /**
   * Resolves when there is something to receive, an overrun included; rejects with the signal's
   * reason, or with NETLINK_CLOSED when the socket is closed meanwhile.
   */
  readable(signal?: AbortSignal): Promise<void>

  setOption<K extends keyof SocketOptions>(
    name: K,
    value: NonNullable<SocketOptions[K]>,
  ): Promise<void>
  /** SO_RCVBUF as the kernel accounts it, bytes. */
  readonly receiveBuffer: number
  /**
   * SO_ATTACH_FILTER: a classic BPF program, an array of struct sock_filter, decides how much of
   * each datagram is taken. Absent: SO_DETACH_FILTER.
   * @throws NetlinkError EINVAL for no program, ENOENT when there is no filter to detach.
   */
  attachFilter(program?: Uint8Array): Promise<void>
  join(group: number): Promise<void>
  leave(group: number): Promise<void>
  /** Releases the socket. Harmless when repeated. */
  close(): void
}
