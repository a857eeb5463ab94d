/**
 * What the preload shim and a served kernel say to each other: native/preload/protocol.h says the
 * same. The socket and the version are wire-protocol.ts's.
 *
 * A program's netlink socket is a data connection, which carries a token to it as long as there is
 * something to receive. All requests about it come over control connections, each answered by one
 * packet, and name it by the inode that the data connection has at the program's end.
 *
 *   request   u8 op, u8 flags, u16 length of a name, u32 a, u32 b, s32 c, u64 inode, payload
 *   answer    u8 kind, u8 flags, u16 0, s32 result, u32 portid, u32 mask of groups, u32 group,
 *             s32 nsid, u32 pid, u32 uid, u32 gid, u32 token, payload
 *   token     u32 number
 *
 *   DATA         a MAGIC, b VERSION, c protocol, flags the type, its own inode; payload: a
 *                namespace's name                                 the first packet of a connection
 *   CONTROL      a MAGIC, b VERSION; payload: a namespace's name  the first packet of a connection
 *   BIND         payload: struct sockaddr; CONNECT likewise
 *   GETSOCKNAME  answers a struct sockaddr_nl as payload; GETPEERNAME likewise
 *   SETSOCKOPT   a level, b option, c length; payload: the value, of a filter its program
 *   GETSOCKOPT   a level, b option, c room; answers the length, and what fits as payload
 *   SEND         a MSG_* flags, b room for the datagram in front, 0 for none: with TAKEN it comes
 *                with the answer, as RECEIVE has it; payload: the name if HAS_NAME, struct ucred if
 *                HAS_CREDENTIALS, the datagram. WAIT: waits for room in the receiver's queue, c milliseconds, -1 for ever
 *   CANCEL       ends the wait of the SEND before it with EINTR; is not answered itself
 *   RECEIVE      a MSG_* flags, c room; answers the datagram's length, and what fits as payload
 *   RELEASE      a descriptor was closed: looks whether it was the last
 *   RETURN       a token was taken by mistake
 *   READY        what was taken with SEND is not received yet, and somebody waits for readiness:
 *                gives out a token; UNREADY: it is received
 *   COLLECT      a namespace of the machine may have lost its last name: looks which are gone
 *   OPEN         a what is wanted, 4 to read, 2 to write; payload: a path; answers st_mode, and as
 *                payload what the file says, or the names of a folder, each ended by a zero byte
 *   WRITE        payload: a path of the name's length, and what is written to the file there
 *   IOCTL        a request, b the socket's domain; payload: its argument, and what that points to;
 *                answers both as they are then
 *
 * A namespace's name is NAME, or NAME/BASE/INODE: the process is in the machine's network namespace
 * INODE, and BASE is the one that stands for NAME; the others become namespaces of the kernel.
 *
 * A token is given out when something comes, and retired when nothing is left: the answer that has
 * RETIRED says that one is to be taken off, `token` up to which number. All numbers are
 * little-endian.
 */

export const OP_DATA = 32
export const OP_CONTROL = 33

export const OP_BIND = 1
export const OP_CONNECT = 2
export const OP_GETSOCKNAME = 3
export const OP_GETPEERNAME = 4
export const OP_SETSOCKOPT = 5
export const OP_GETSOCKOPT = 6
export const OP_SEND = 7
export const OP_RECEIVE = 8
export const OP_RELEASE = 9
export const OP_RETURN = 10
export const OP_IOCTL = 11
export const OP_READY = 12
export const OP_UNREADY = 13
export const OP_CANCEL = 14
export const OP_COLLECT = 15
export const OP_OPEN = 16
export const OP_WRITE = 17

export const FLAG_NAME = 1
export const FLAG_CREDENTIALS = 2
export const FLAG_WAIT = 4

export const FLAG_RETIRED = 1
export const FLAG_PKTINFO = 2
export const FLAG_NSID = 4
export const FLAG_SENDER = 8
export const FLAG_TAKEN = 16

export const SHIM_REQUEST_SIZE = 24
export const SHIM_ANSWER_SIZE = 40

/** Where a field of a request is. */
export const AT_FLAGS = 1
export const AT_NAME_LENGTH = 2
export const AT_SOCKET = 16

/** Where a field of an answer is. */
export const AT_ANSWER_PORTID = 8
export const AT_ANSWER_GROUPS = 12
export const AT_ANSWER_GROUP = 16
export const AT_ANSWER_NSID = 20
export const AT_ANSWER_PID = 24
export const AT_ANSWER_UID = 28
export const AT_ANSWER_GID = 32
export const AT_ANSWER_TOKEN = 36

/** struct ucred. */
export const UCRED_SIZE = 12
