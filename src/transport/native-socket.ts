/** What native/socket exports: one system call a function, results as numbers. */

/** A Uint8Array, or the number that it is pinned under. */
export type Bytes = Uint8Array | number

/**
 * Who sent a datagram: portid, group and, with a third word, namespace id (-1: our own). The more
 * is asked for, the longer the system call takes.
 */
export type From = Uint32Array | number

/** What `converse` answers when it has not waited because other descriptors are ready. */
export const OTHERS_READY = 0x40000000
/** What `converse` takes off the errno of its send. */
export const NOT_SENT = 0x10000

/**
 * Words of `roundTrip`: the descriptor, the number of the pinned request and how much of it is sent,
 * the number of the pinned buffer, whether io_uring is to be left alone; then the result.
 */
export const TRIP_FD = 0
export const TRIP_REQUEST = 1
export const TRIP_LENGTH = 2
export const TRIP_BUFFER = 3
export const TRIP_IS_PLAIN = 4
export const TRIP_RESULT = 5
export const TRIP_WORDS = 6

/** Bit of `turnStreams`: leave. */
export const STREAMS_LEAVE = 0x10000

/**
 * The addon. Every function answers with what its system call does, or with a negative errno; a
 * wrong argument is a TypeError. No call blocks but `wait`, `converse` and `turnStreams`: sockets are
 * non-blocking and close-on-exec.
 *
 * Descriptors that come from here belong to the environment: `close` closes no others, and what is
 * still open when the environment ends is closed with it.
 */
export interface NativeSocket {
  readonly version: number

  /** socket(2), in the namespace of `netns` if given; the calling thread stays where it is. */
  socket(domain: number, type: number, protocol: number, netns?: number): number
  /** A descriptor of a new network namespace, which lives as long as something refers to it. */
  newNetns(): number
  /** close(2); -EBADF for a descriptor that is not the environment's. */
  close(fd: number): number
  /** Gives a descriptor away: somebody else will close it. Returns it. */
  release(fd: number): number

  /** bind(2). `address` is a struct sockaddr. */
  bind(fd: number, address: Bytes): number
  /** connect(2). */
  connect(fd: number, address: Bytes): number
  /** listen(2). */
  listen(fd: number, backlog: number): number
  /** accept4(2): the new descriptor. */
  accept(fd: number): number
  /** getsockname(2): the address's length, which may be more than there was room for. */
  getsockname(fd: number, address: Bytes): number

  /** setsockopt(2) with an int or with bytes. */
  setsockopt(fd: number, level: number, name: number, value: number | Uint8Array): number
  /** getsockopt(2): the value's length. */
  getsockopt(fd: number, level: number, name: number, value: Bytes): number
  /** SO_ATTACH_FILTER with an array of struct sock_filter; SO_DETACH_FILTER is a plain option. */
  attachFilter(fd: number, program: Bytes): number
  /**
   * Lets `converse` wait that many milliseconds, at most 999 (SO_RCVTIMEO, and O_NONBLOCK taken
   * off). The scheduler's clock rounds them up; a finer timer would cost more than a round trip.
   */
  bePatient(fd: number, milliseconds: number): number
  /** SIOCOUTQ: bytes that the peer has not yet taken. */
  unsent(fd: number): number

  /**
   * sendmsg(2) of one datagram, to where the socket is connected or, on AF_NETLINK, to a port and
   * a mask of groups. At most 1,024 parts.
   */
  send(fd: number, parts: Bytes | readonly Uint8Array[], portid?: number, groups?: number): number
  /** send(2) of the first `length` bytes. */
  sendFirst(fd: number, bytes: Bytes, length: number): number
  /** sendmmsg(2), a datagram an element, the first 64 at most: how many were sent. */
  sendMany(
    fd: number,
    datagrams: Bytes | readonly Uint8Array[],
    portid?: number,
    groups?: number,
  ): number
  /** recvmsg(2): the datagram's real length, also when the buffer is shorter. */
  receive(fd: number, buffer: Bytes, from?: From): number
  /**
   * send(2) of the first `length` bytes unless that is 0, then a recv(2) that waits as long as
   * `bePatient` said; with `others` only while no armed descriptor is reported as ready.
   * @returns what was received; `OTHERS_READY`; -EAGAIN when the time is over, -EINTR when a signal
   * came. What a failed send comes to is `NOT_SENT` less.
   */
  converse(fd: number, bytes: Bytes, length: number, buffer: Bytes, others?: 0 | 1): number
  /**
   * recvmmsg(2) into slots of `size` bytes of `buffer`: how many. Four words of `slots` describe
   * each: real length, portid, group, namespace id; with `isBare` the length alone, which costs the
   * kernel less. At most 64.
   */
  receiveMany(fd: number, buffer: Bytes, size: number, slots: Uint32Array, isBare?: 0 | 1): number
  /** `send` without destination, then `receive`; the send's errno wins. */
  exchange(fd: number, parts: Bytes | readonly Uint8Array[], buffer: Bytes, from?: From): number
  /**
   * `exchange` of pinned memory, as the words that are pinned under 20 say, and where they want the
   * answer: see `TRIP_FD` and those behind it. From the 64th on it is one call of io_uring where
   * the kernel has that, and a send that fails takes no answer, or throws it away: nothing else may be
   * expected on the socket.
   */
  roundTrip(): void

  /** sendmsg(2) with SCM_RIGHTS and SCM_CREDENTIALS (pid, uid, gid). At most 253 descriptors. */
  sendControl(
    fd: number,
    parts: Bytes | readonly Uint8Array[],
    descriptors?: Int32Array,
    credentials?: Int32Array,
  ): number
  /**
   * recvmsg(2) with what came beside the bytes: `control` is msg_flags, pid, uid, gid (-1 where
   * SO_PASSCRED is off), how many descriptors, and these. Descriptors without room are closed and
   * MSG_CTRUNC says so.
   */
  receiveControl(fd: number, buffer: Bytes, control: Int32Array): number

  /**
   * Remembers an array and where its memory is, under a number below 21; without an array forgets.
   * Precondition: while the number is used the array is neither detached nor resized.
   */
  pin(slot: number, array?: Uint8Array | Uint32Array | Int32Array): number

  /**
   * Starts the thread that waits for all descriptors of the environment, once. `onReady` is
   * called with a number of reports, each an id and its EPOLL* events, in `batch`.
   */
  startReadiness(batch: Int32Array, onReady: (count: number) => void): number
  /** Reports `id` once, when one of `events`, an error or a hang-up is there. Replaces an earlier. */
  arm(fd: number, id: number, events: number): number
  /** Takes back `arm`; a report may be under way all the same. Precedes `close`. */
  disarm(fd: number): number
  /** Whether readiness keeps the process alive. */
  hold(isHeld: boolean): number
  /**
   * ppoll(2): waits until one of `events` is there on `fd`, an error or a hang-up, at most that
   * many microseconds (a second). With `others` also until an armed descriptor is ready, which is
   * bit 16 of the answer and is reported as ever.
   * @returns what is there; 0 when the time is over, or a signal came.
   */
  wait(fd: number, events: number, microseconds: number, others?: 0 | 1): number

  /**
   * Begins to serve stream sockets, once: many of them are read by one call, and written by another.
   * What is read comes into the first half of `memory`; what is sent is anywhere in it. `events`
   * has six words for each socket: descriptor, EPOLL* events, what was read (-EAGAIN: nothing was),
   * where it is, and which of `descriptors` came with it: the first, and how many. `onReady` is
   * called when a socket is ready. -ENOSYS where libuv is not to be had.
   */
  startStreams(
    memory: Uint8Array,
    events: Int32Array,
    descriptors: Int32Array,
    plan: Int32Array,
    onReady: () => void,
  ): number
  /**
   * Serves a socket, or serves it in another way: kind 0 tells that it is ready, 1 reads it, 2 reads
   * it with descriptors. It stays served.
   */
  watchStream(fd: number, kind: 0 | 1 | 2, events: number): number
  /** Takes back `watchStream`; harmless when there was none. Precedes `close`. */
  unwatchStream(fd: number): number
  /**
   * Reads what is ready; with `waits` waits for it, as long as libuv has nothing to do.
   * @returns how many words of `events` by six are filled; with `STREAMS_LEAVE` libuv is to have its
   * turn, and calls `onReady` again. Without waiting `onReady` stays as it was.
   */
  turnStreams(waits: 0 | 1): number
  /** libuv is to call `onReady` again, though the last turn had not to leave. */
  leaveStreams(): number
  /**
   * Sends as the first `length` words of `plan` say: a descriptor, a number of parts, and for each
   * where in `memory` it is and its bytes. The descriptor becomes what was sent, or an errno.
   */
  sendStreams(length: number): number
}
