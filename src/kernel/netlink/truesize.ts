/**
 * What a datagram costs its receiver: skb->truesize, in bytes, as an x86-64 kernel counts it.
 *
 * Kernel: net/core/skbuff.c __alloc_skb(), pskb_expand_head(); net/netlink/af_netlink.c
 * netlink_alloc_large_skb(), netlink_trim() (Linux 6.12; figures measured on 6.18).
 */

/** struct skb_shared_info behind the data, aligned. */
const SHARED_INFO = 320
/** struct sk_buff itself, aligned. */
const SK_BUFF = 256
/** Heads up to this size come from a cache of their own. */
const SMALL_HEAD = 576
const PAGE_SIZE = 4096

/** Payload that fits one page with its overhead (NLMSG_GOODSIZE): the least size of a dump. */
export const NLMSG_GOODSIZE = PAGE_SIZE - SHARED_INFO
/** Payload that fits 32 KiB with its overhead: the most that a dump takes at once. */
export const MAX_DUMP_SIZE = 32768 - SHARED_INFO

/** SKB_HEAD_ALIGN(): payload, rounded up to a cache line, and what stands behind it. */
function head(size: number): number {
  return ((size + 63) & ~63) + SHARED_INFO
}

/** kmalloc_size_roundup(): the bucket that holds `size` bytes. */
function bucket(size: number): number {
  if (size <= SMALL_HEAD) return SMALL_HEAD
  let room = 1024
  while (room < size) room *= 2
  return room
}

/** Of a datagram that a process sends to a port: large ones are not rounded up. */
export function userTruesize(length: number): number {
  const size = head(length)
  return (size <= PAGE_SIZE ? bucket(size) : size) + SK_BUFF
}

/** Of a skb that was allocated for `size` bytes and is not trimmed: multicasts and dumps. */
export function allocatedTruesize(size: number): number {
  return bucket(head(size)) + SK_BUFF
}

/** Of a skb allocated for `size` bytes that holds `length`: trimmed when half of it is unused. */
export function trimmedTruesize(length: number, size: number): number {
  const room = bucket(head(size))
  const truesize = room + SK_BUFF
  const unused = room - SHARED_INFO - length
  return unused * 2 < truesize ? truesize : allocatedTruesize(length)
}
