/**
 * The netlink sockets of a namespace, those of processes and the kernel's own.
 *
 * Kernel: include/uapi/linux/netlink_diag.h; net/netlink/diag.c netlink_diag_dump(), sk_diag_fill()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { MAX_LINKS } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { NetlinkSock } from '../netlink/sock.ts'

const SOCK_DIAG_BY_FAMILY = 20
const AF_NETLINK = 16
/** NDIAG_PROTO_ALL. */
const ALL = 255
/** NDIAG_SHOW_*. */
const SHOW_MEMINFO = 1
const SHOW_GROUPS = 2
const SHOW_FLAGS = 8
/** NETLINK_DIAG_*. */
const DIAG_MEMINFO = 0
const DIAG_GROUPS = 1
const DIAG_FLAGS = 4
/** NDIAG_FLAG_*. */
const FLAG_CB_RUNNING = 1
const FLAG_PKTINFO = 2
const FLAG_BROADCAST_ERROR = 4
const FLAG_LISTEN_ALL_NSID = 16
const FLAG_CAP_ACK = 32
/** sk_state of a socket with a destination of its own. */
const NETLINK_CONNECTED = 1
/** SK_MEMINFO_VARS: how many numbers there are. */
const MEMINFO_VARS = 9

/** struct netlink_diag_req, as far as it is looked at. */
function requestOf({ view, payload }: RequestContext): { protocol: number; show: number } {
  return { protocol: view.getUint8(payload + 1), show: view.getUint32(payload + 8, HOST_LE) }
}

export const netlinkDump: DumpSource<NetlinkSock> = {
  name: 'sockets of AF_NETLINK',
  type: SOCK_DIAG_BY_FAMILY,
  *items(ctx) {
    const { protocol } = requestOf(ctx)
    if (protocol !== ALL && protocol >= MAX_LINKS) throw new NetlinkError('ENOENT')
    for (const sock of ctx.kernel.netlink.boundSockets(ctx.net)) {
      if (!sock.isClosed && (protocol === ALL || sock.protocol === protocol)) yield sock
    }
  },
  put: (w, sock, ctx) => putSock(w, sock, requestOf(ctx).show),
}

/** sk_diag_fill(): struct netlink_diag_msg, and what was asked for. */
function putSock(w: Writer, sock: NetlinkSock, show: number): void {
  w.u8(AF_NETLINK)
  w.u8(sock.type)
  w.u8(sock.protocol)
  w.u8(sock.isConnected ? NETLINK_CONNECTED : 0)
  w.u32(sock.portid)
  w.u32(sock.dstPortid)
  w.u32(sock.dstGroup)
  // There are no inodes here: the cookie tells sockets apart.
  w.u32(sock.isKernel ? 0 : sock.cookie)
  w.u32(sock.cookie)
  w.u32(0)
  if (show & SHOW_GROUPS && sock.groups) putGroups(w, sock.groups)
  if (show & SHOW_MEMINFO) putMeminfo(w, sock)
  if (show & SHOW_FLAGS) w.attrU32(DIAG_FLAGS, flagsOf(sock))
}

function putGroups(w: Writer, groups: Uint32Array): void {
  const mark = w.attrStart(DIAG_GROUPS)
  for (const word of groups) w.u32(word)
  // NLGRPSZ(): whole longs.
  if (groups.length % 2) w.u32(0)
  w.attrEnd(mark)
}

/** sock_diag_put_meminfo(): SK_MEMINFO_*. */
function putMeminfo(w: Writer, { queue, sendBuffer }: NetlinkSock): void {
  const mark = w.attrStart(DIAG_MEMINFO)
  const at = w.reserve(4 * MEMINFO_VARS)
  w.view.setUint32(at, queue.bytes, HOST_LE)
  w.view.setUint32(at + 4, queue.limit, HOST_LE)
  w.view.setUint32(at + 12, sendBuffer, HOST_LE)
  w.attrEnd(mark)
}

function flagsOf(sock: NetlinkSock): number {
  let flags = sock.dump ? FLAG_CB_RUNNING : 0
  if (sock.pktinfo) flags |= FLAG_PKTINFO
  if (sock.broadcastError) flags |= FLAG_BROADCAST_ERROR
  if (sock.listenAllNsid) flags |= FLAG_LISTEN_ALL_NSID
  if (sock.capAck) flags |= FLAG_CAP_ACK
  return flags
}
