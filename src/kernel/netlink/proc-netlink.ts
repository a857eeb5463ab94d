/**
 * /proc/net/netlink: the bound sockets of a namespace, as Linux prints them.
 *
 * Kernel: net/netlink/af_netlink.c netlink_native_seq_show() (Linux 6.12).
 */
import type { Net } from '../net-namespace.ts'
import type { NetlinkSock } from './sock.ts'

const HEADER =
  'sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode'
/** References to a socket that nobody uses at the moment. */
const LOCKS = 2

/** %pK for who may not see addresses; sockets have none here. */
const ADDRESS = '0'.repeat(16)

function row(sock: NetlinkSock): string {
  const columns: readonly (readonly [value: string | number, width: number])[] = [
    [sock.protocol, 3],
    [sock.portid, 10],
    [(sock.groupMask >>> 0).toString(16).padStart(8, '0'), 8],
    [sock.queue.bytes, 8],
    [0, 8],
    [sock.dump ? 1 : 0, 5],
    [LOCKS, 8],
    [sock.queue.drops, 8],
    [sock.cookie, 8],
  ]
  return [ADDRESS, ...columns.map(([value, width]) => String(value).padEnd(width))].join(' ')
}

/**
 * The text of /proc/net/netlink in `net`: by protocol, the kernel's sockets included. Sockets that
 * never were bound are not in it. A socket's inode is its cookie.
 */
export function formatProcNetNetlink(net: Net): string {
  const lines = [HEADER]
  for (const sock of net.kernel.netlink.boundSockets(net)) lines.push(row(sock))
  return `${lines.join('\n')}\n`
}
