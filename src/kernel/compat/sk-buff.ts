/**
 * Socket buffers and messages in them, under the kernel's names.
 *
 * Kernel: include/linux/skbuff.h, include/net/netlink.h, lib/nlattr.c (Linux 6.12).
 */
import { align4 } from '../../wire/align.ts'
import { NLA_F_NESTED, NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Credentials } from '../credentials.ts'
import { EMSGSIZE } from '../errno.ts'
import { Skb } from '../netlink/skb.ts'
import type { NetlinkSock } from '../netlink/sock.ts'
import { nlmsghdr } from './nlmsghdr.ts'

export type sk_buff = Skb

/** Who calls may wait (GFP_KERNEL), or may not. Here an allocation never waits. */
export const GFP_ATOMIC = 0x20
export const GFP_KERNEL = 0xcc0
/** Bytes of nlattr. */
export const NLA_HDRLEN = 4

/** alloc_skb(): an empty buffer for `size` bytes. */
export function alloc_skb(size: number, _gfp_mask: number): sk_buff {
  const skb = new Skb(Math.max(1, size))
  skb.room = size
  return skb
}
/** netlink_alloc_skb(), gone since 4.6: memory-mapped sockets went with it; alloc_skb() follows it. */
export function netlink_alloc_skb(
  _ssk: unknown,
  size: number,
  _dst_portid: number,
  gfp_mask: number,
): sk_buff {
  return alloc_skb(size, gfp_mask)
}
/** skb_tailroom(): bytes that may still be put. */
export function skb_tailroom(skb: sk_buff): number {
  return skb.room - skb.length
}
/** skb_put(): `len` more bytes. @throws RangeError where Linux panics (skb_over_panic). */
export function skb_put(skb: sk_buff, len: number): Uint8Array {
  if (skb_tailroom(skb) < len) throw new RangeError(`skb_over_panic: no room for ${len} bytes`)
  const at = skb.reserve(len)
  return skb.bytes.subarray(at, at + len)
}
/** kfree_skb(). */
export function kfree_skb(skb: sk_buff): void {
  skb.free()
}
/** skb->data: the bytes that were put. */
export function skb_data(skb: sk_buff): Uint8Array {
  return skb.peek()
}

/** struct netlink_skb_parms, as a view of the buffer's own members. */
export interface netlink_skb_parms {
  portid: number
  dst_group: number
  creds: Credentials
  readonly sk: NetlinkSock | undefined
}
/** NETLINK_CB(). */
export function NETLINK_CB(skb: sk_buff): netlink_skb_parms {
  return {
    get portid() {
      return skb.portid
    },
    set portid(value) {
      skb.portid = value
    },
    get dst_group() {
      return skb.dstGroup
    },
    set dst_group(value) {
      skb.dstGroup = value
    },
    get creds() {
      return skb.credentials
    },
    set creds(value) {
      skb.credentials = value
    },
    get sk() {
      return skb.sender
    },
  }
}

/** nlmsg_new(): a buffer for one message with `payload` bytes. */
export function nlmsg_new(payload: number, flags: number): sk_buff {
  return alloc_skb(align4(NLMSG_HDRLEN + payload), flags)
}
/** nlmsg_hdr(): the first message of the buffer. */
export function nlmsg_hdr(skb: sk_buff): nlmsghdr {
  return new nlmsghdr(skb.bytes)
}
/** nlmsg_data(). */
export { NLMSG_DATA as nlmsg_data } from './nlmsghdr.ts'
/**
 * nlmsg_put(): a message's header, and room for `len` bytes behind it.
 * @returns null when the tail room is too small; the buffer is as it was, and still the caller's.
 */
export function nlmsg_put(
  skb: sk_buff,
  portid: number,
  seq: number,
  type: number,
  len: number,
  flags: number,
): nlmsghdr | null {
  const size = NLMSG_HDRLEN + len
  if (skb_tailroom(skb) < align4(size)) return null
  const at = skb.reserve(align4(size))
  const nlh = new nlmsghdr(skb.bytes, at)
  nlh.nlmsg_len = size
  nlh.nlmsg_type = type
  nlh.nlmsg_flags = flags
  nlh.nlmsg_seq = seq
  nlh.nlmsg_pid = portid
  return nlh
}
/** nlmsg_end(): the message is as long as what was put since. @returns the buffer's length. */
export function nlmsg_end(skb: sk_buff, nlh: nlmsghdr): number {
  nlh.nlmsg_len = skb.length - nlh.offset
  return skb.length
}
/** nlmsg_cancel(): the message was never there. */
export function nlmsg_cancel(skb: sk_buff, nlh: nlmsghdr): void {
  skb.trim(nlh.offset)
}

/** nla_attr_size(): an attribute with `payload` bytes. */
export const nla_attr_size = (payload: number): number => NLA_HDRLEN + payload
/** nla_total_size(): the same with its padding. */
export const nla_total_size = (payload: number): number => align4(nla_attr_size(payload))
/** nla_padlen(): the padding alone. */
export const nla_padlen = (payload: number): number =>
  nla_total_size(payload) - nla_attr_size(payload)
/** nlmsg_total_size(): a message with `payload` bytes, and its padding. */
export const nlmsg_total_size = (payload: number): number => align4(NLMSG_HDRLEN + payload)

/** nla_put(). @returns 0, or -EMSGSIZE: nothing is written then. */
export function nla_put(skb: sk_buff, attrtype: number, data: Uint8Array): number {
  const size = NLA_HDRLEN + data.length
  if (skb_tailroom(skb) < align4(size)) return -EMSGSIZE
  const at = skb.reserve(align4(size))
  skb.view.setUint16(at, size, HOST_LE)
  skb.view.setUint16(at + 2, attrtype, HOST_LE)
  skb.bytes.set(data, at + NLA_HDRLEN)
  return 0
}
/** nla_put_u8(). */
export function nla_put_u8(skb: sk_buff, attrtype: number, value: number): number {
  return nla_put(skb, attrtype, Uint8Array.of(value))
}
/** nla_put_flag(). */
export function nla_put_flag(skb: sk_buff, attrtype: number): number {
  return nla_put(skb, attrtype, new Uint8Array())
}
/** nla_put_u32(). */
export function nla_put_u32(skb: sk_buff, attrtype: number, value: number): number {
  const data = new Uint8Array(4)
  new DataView(data.buffer).setUint32(0, value, HOST_LE)
  return nla_put(skb, attrtype, data)
}
/** nla_put_string(): with its NUL. */
export function nla_put_string(skb: sk_buff, attrtype: number, text: string): number {
  return nla_put(skb, attrtype, new TextEncoder().encode(`${text}\0`))
}
/** nla_nest_start(). @returns where the nest starts, null when there is no room. */
export function nla_nest_start(skb: sk_buff, attrtype: number): number | null {
  const at = skb.length
  return nla_put(skb, attrtype | NLA_F_NESTED, new Uint8Array()) === 0 ? at : null
}
/** nla_nest_start_noflag(): as older families write nests. */
export function nla_nest_start_noflag(skb: sk_buff, attrtype: number): number | null {
  const at = skb.length
  return nla_put(skb, attrtype, new Uint8Array()) === 0 ? at : null
}
/** nla_nest_end(). @returns the buffer's length. */
export function nla_nest_end(skb: sk_buff, start: number): number {
  skb.view.setUint16(start, skb.length - start, HOST_LE)
  return skb.length
}
/** nla_nest_cancel(). */
export function nla_nest_cancel(skb: sk_buff, start: number): void {
  skb.trim(start)
}
/** nla_parse(): attributes by type, the last of each; what does not fit ends the walk. */
export function nla_parse(bytes: Uint8Array): (Uint8Array | undefined)[] {
  const tb: (Uint8Array | undefined)[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; bytes.length - at >= NLA_HDRLEN; ) {
    const size = view.getUint16(at, HOST_LE)
    if (size < NLA_HDRLEN || size > bytes.length - at) break
    tb[view.getUint16(at + 2, HOST_LE) & 0x3fff] = bytes.subarray(at + NLA_HDRLEN, at + size)
    at += align4(size)
  }
  return tb
}
