/**
 * Many messages of one kind, as a dump's datagrams hold them: read in one loop, up to the first that
 * is something else.
 */
import { NLM_F_DUMP_INTR, NLMSG_HDRLEN } from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'

/** What is expected, and how far it was found. */
export interface Scan {
  /** nlmsg_type and nlmsg_seq. */
  readonly type: number
  readonly seq: number
  /** genlmsghdr's cmd; -1 where there is no genlmsghdr. */
  readonly cmd: number
  /** Bytes from nlmsghdr to what the schema describes. */
  readonly skip: number
  /** Where to begin in the datagram; afterwards the first message that was not read. */
  at: number
}

/** nlmsg_type and NLM_F_DUMP_INTR, in a word of type and flags. */
const MASK = HOST_LE ? 0xffff | (NLM_F_DUMP_INTR << 16) : (0xffff << 16) | NLM_F_DUMP_INTR

/**
 * Statements that run `body` for each message from `scan.at` to `size` of `view`: it finds the
 * message at `at`, its payload at `from` and its end at `to`. They stop at a message of another
 * kind, one that says that the dump was interrupted, and what is no message.
 */
export function emitScan(body: string): string {
  return `
    const type = ${HOST_LE ? 'scan.type' : 'scan.type << 16'}, seq = scan.seq, cmd = scan.cmd, skip = scan.skip;
    let at = scan.at;
    try {
      while (size - at >= ${NLMSG_HDRLEN}) {
        const length = view.getUint32(at, ${HOST_LE});
        if (length < skip || length > size - at) break;
        if ((view.getUint32(at + 4, ${HOST_LE}) & ${MASK}) !== type || view.getUint32(at + 8, ${HOST_LE}) !== seq) break;
        if (cmd >= 0 && view.getUint8(at + ${NLMSG_HDRLEN}) !== cmd) break;
        const from = at + skip, to = at + length;
        ${body}
        at += (length + 3) & ~3;
      }
    } finally {
      scan.at = at > size ? size : at;
    }`
}
