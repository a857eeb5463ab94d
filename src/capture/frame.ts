/**
 * A netlink datagram as capture files hold it: behind the "cooked" header of LINKTYPE_NETLINK,
 * which says the protocol.
 *
 * https://www.tcpdump.org/linktypes/LINKTYPE_NETLINK.html; drivers/net/nlmon.c.
 */
import { DecodeError } from '../errors.ts'
import { NLM_F_REQUEST, NLMSG_HDRLEN } from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'
import { LINKTYPE_NETLINK, type Packet, pcapngPacket, readPackets } from './packets.ts'

const COOKED_HEADER = 16
const ARPHRD_NETLINK = 824
/** sll_pkttype: to us, and from us. */
const PACKET_HOST = 0
const PACKET_OUTGOING = 4

/** A datagram on its way between a process and the kernel, or between two processes. */
export interface Frame {
  /** Nanoseconds since 1970. */
  readonly time: bigint
  /** NETLINK_ROUTE and kin. */
  readonly protocol: number
  /** Whether the kernel receives it. */
  readonly toKernel: boolean
  readonly bytes: Uint8Array
}

/** The block of a pcapng file that holds `frame`. */
export function encodeFrame({ time, protocol, toKernel, bytes }: Frame): Uint8Array {
  const data = new Uint8Array(COOKED_HEADER + bytes.length)
  const view = new DataView(data.buffer)
  view.setUint16(0, toKernel ? PACKET_OUTGOING : PACKET_HOST)
  view.setUint16(2, ARPHRD_NETLINK)
  view.setUint16(14, protocol)
  data.set(bytes, COOKED_HEADER)
  return pcapngPacket({ time, data, direction: toKernel ? 'out' : 'in' })
}

/**
 * Where a datagram goes in a capture of somebody else's: nlmon says that all of them go out. Only
 * processes make requests.
 */
function looksLikeRequest(bytes: Uint8Array): boolean {
  if (bytes.length < NLMSG_HDRLEN) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return (view.getUint16(6, HOST_LE) & NLM_F_REQUEST) !== 0
}

function decodeFrame({ time, data, direction }: Packet): Frame {
  if (data.length < COOKED_HEADER) throw new DecodeError('a packet without its header', 0)
  const view = new DataView(data.buffer, data.byteOffset)
  const bytes = data.subarray(COOKED_HEADER)
  const toKernel = direction === undefined ? looksLikeRequest(bytes) : direction === 'out'
  return { time, protocol: view.getUint16(14), toKernel, bytes }
}

/**
 * The datagrams of a capture file, in its order; what is not netlink is skipped.
 * @throws DecodeError as `readPackets` does.
 */
export function* readFrames(file: Uint8Array): Generator<Frame> {
  for (const packet of readPackets(file))
    if (packet.linktype === LINKTYPE_NETLINK) yield decodeFrame(packet)
}
