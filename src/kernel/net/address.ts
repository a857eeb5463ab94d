/**
 * Internet addresses as the stack holds them: IPv4 a number of 32 bits, IPv6 a bigint of 128,
 * both in the order in which they are written.
 */
import { NetlinkError } from '../../errors.ts'

/** An IPv4 address, 0 to 2^32 - 1. */
export type Ipv4 = number
/** An IPv6 address, 0 to 2^128 - 1. */
export type Ipv6 = bigint

/** 127.0.0.1. */
export const INADDR_LOOPBACK: Ipv4 = 0x7f000001
/** 255.255.255.255. */
export const INADDR_BROADCAST: Ipv4 = 0xffffffff
/** ::1. */
export const IN6ADDR_LOOPBACK: Ipv6 = 1n

/** The netmask of `length` bits, 0 to 32. */
export function mask4(length: number): Ipv4 {
  return length === 0 ? 0 : (-1 << (32 - length)) >>> 0
}

/** The first `length` bits of `address`, the others 0. */
export function prefix4(address: Ipv4, length: number): Ipv4 {
  return (address & mask4(length)) >>> 0
}

/** Whether two addresses agree in their first `length` bits. */
export function samePrefix4(a: Ipv4, b: Ipv4, length: number): boolean {
  return ((a ^ b) & mask4(length)) === 0
}

/** Linux means 0.0.0.0 alone, since it lets 0.0.0.0/8 be used. */
export function isZeronet4(address: Ipv4): boolean {
  return address === 0
}
export function isLoopback4(address: Ipv4): boolean {
  return address >>> 24 === 127
}
export function isMulticast4(address: Ipv4): boolean {
  return address >>> 28 === 0xe
}

const masks6 = Array.from(
  { length: 129 },
  (_, length) => ((1n << BigInt(length)) - 1n) << BigInt(128 - length),
)

/** The first `length` bits of `address`, the others 0; `length` is 0 to 128. */
export function prefix6(address: Ipv6, length: number): Ipv6 {
  return address & (masks6[length] as bigint)
}

/** Whether two addresses agree in their first `length` bits. */
export function samePrefix6(a: Ipv6, b: Ipv6, length: number): boolean {
  return prefix6(a ^ b, length) === 0n
}

export function isLinkLocal6(address: Ipv6): boolean {
  return address >> 118n === 0x3fan
}
export function isMulticast6(address: Ipv6): boolean {
  return address >> 120n === 0xffn
}
export function isLoopback6(address: Ipv6): boolean {
  return address === IN6ADDR_LOOPBACK
}

/** @throws NetlinkError EINVAL when `text` is not an IPv4 address in four decimal parts. */
export function parseIpv4(text: string): Ipv4 {
  const parts = text.split('.')
  if (parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
    return parts.reduce((address, part) => address * 256 + Number(part), 0)
  }
  throw new NetlinkError('EINVAL', { message: `${text} is not an IPv4 address` })
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** @throws NetlinkError EINVAL when `text` is not an IPv6 address. */
export function parseIpv6(text: string): Ipv6 {
  const halves = text.split('::')
  const groups = halves.map((half) => (half === '' ? [] : half.split(':').flatMap(parseGroup)))
  const [head = [], tail] = groups
  const given = head.length + (tail?.length ?? 0)
  const isWhole = tail ? given < 8 && halves.length === 2 : given === 8
  if (!isWhole || head.includes(-1) || tail?.includes(-1)) {
    throw new NetlinkError('EINVAL', { message: `${text} is not an IPv6 address` })
  }
  const all = tail ? [...head, ...new Array<number>(8 - given).fill(0), ...tail] : head
  return all.reduce((address, group) => (address << 16n) | BigInt(group), 0n)
}

/** One group of four digits, two for an IPv4 address at the end, or -1. */
function parseGroup(text: string, at: number, all: readonly string[]): number[] {
  if (at === all.length - 1 && text.includes('.')) {
    const address = parseIpv4(text)
    return [address >>> 16, address & 0xffff]
  }
  return [/^[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : -1]
}

/** In the form of RFC 5952; IPv4 inside as inet_ntop(3) shows it. */
export function formatIpv6(address: Ipv6): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((address >> BigInt(112 - 16 * i)) & 0xffffn),
  )
  let at = -1
  let zeros = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && groups[i + run] === 0) run++
    if (run > zeros) {
      at = i
      zeros = run
    }
    i += run
  }
  const embeds = at === 0 && (zeros === 6 || (zeros === 5 && groups[5] === 0xffff))
  const words = groups.map((group) => group.toString(16))
  if (embeds) words.splice(6, 2, formatIpv4(Number(address & 0xffffffffn)))
  if (at < 0) return words.join(':')
  return `${words.slice(0, at).join(':')}::${words.slice(at + zeros).join(':')}`
}

/** The link-local address that belongs to an Ethernet address (RFC 4291, appendix A). */
export function linkLocalEui64(mac: Uint8Array, devId = 0): Ipv6 {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac
  const id = devId
    ? [a, b, c, devId >> 8, devId & 0xff, d, e, f]
    : [a ^ 2, b, c, 0xff, 0xfe, d, e, f]
  return id.reduce((address, byte) => (address << 8n) | BigInt(byte), 0xfe80000000000000n)
}
