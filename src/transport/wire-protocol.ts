/**
 * What a client and a served kernel say to each other: one AF_UNIX seqpacket connection for each
 * netlink socket, closed with it.
 *
 * The client asks, each request in a packet, and each but POLL is answered by one packet, in order.
 * What happens to the netlink socket happens in the kernel's process: its receive queue stays
 * there, and nothing leaves it before the client pulls. A pull is a buffer's size, which dumps are
 * sized by, given with SEND or RECEIVE. It is answered at once if something is queued; otherwise it
 * stands until the next SEND or RECEIVE, and the next datagram comes as DATA. When a request is
 * answered, its replies are queued.
 *
 *   request   u8 op, u8 flags, u16 0, u32 a, u32 b, s32 c, payload
 *   answer    u8 kind, u24 0, s32 result, s32 received, u32 portid, u32 group, s32 nsid,
 *             u32 pid, u32 uid, u32 gid, payload
 *
 *   OPEN        a MAGIC, b VERSION, c protocol; payload: a namespace's name    must come first
 *   BIND        a portid, b mask of groups
 *   CONNECT     a portid, b mask of groups; DISCONNECT
 *   SETSOCKOPT  a level, b option, c value; SO_ATTACH_FILTER: payload, an array of sock_filter
 *   GETSOCKOPT  a level, b option; NETLINK_LIST_MEMBERSHIPS answers words as payload
 *   SOCKNAME    answers portid and group, a mask; PEER: the other end's
 *   SEND        a portid, b group, c pull, 0 for none; TO: the destination is given
 *   RECEIVE     c pull; PEEK: the datagram stays in the queue, and the pull does not stand
 *   POLL        READY comes once, as soon as there is something to receive
 *
 * All numbers are little-endian. `result` is what the system call returns. `received` is the
 * datagram's length, and the payload is all of it, or with PEEK what fits the pull; or a negative
 * errno: -EAGAIN for nothing.
 */

/** "NLKT". */
export const MAGIC = 0x544b4c4e
export const VERSION = 1

export const REQUEST_SIZE = 16
export const ANSWER_SIZE = 36
/** Bytes of one datagram at most, behind a request's or an answer's head. */
export const PAYLOAD_MAX = 1 << 20

export const OP_OPEN = 1
export const OP_BIND = 2
export const OP_CONNECT = 3
export const OP_SETSOCKOPT = 4
export const OP_GETSOCKOPT = 5
export const OP_SOCKNAME = 6
export const OP_SEND = 7
export const OP_RECEIVE = 8
export const OP_POLL = 9

export const FLAG_DISCONNECT = 1
export const FLAG_PEER = 1
export const FLAG_TO = 1
export const FLAG_PEEK = 1

/** The answer to a request. */
export const KIND_ANSWER = 1
/** A datagram for the pull that stands. */
export const KIND_DATA = 2
/** There is something to receive. */
export const KIND_READY = 3

/** Where a field is. */
export const AT_A = 4
export const AT_B = 8
export const AT_C = 12
export const AT_RESULT = 4
export const AT_RECEIVED = 8
export const AT_PORTID = 12
export const AT_GROUP = 16
export const AT_NSID = 20
export const AT_PID = 24
export const AT_UID = 28
export const AT_GID = 32

/** Errnos that both ends speak of, negative. */
export const EAGAIN = -11
export const EINVAL = -22
export const EPROTO = -71
export const EOPNOTSUPP = -95
export const EMSGSIZE = -90
