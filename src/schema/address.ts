/** Addresses as text: IPv4, IPv6 and link-layer, as inet_ntop(3) and iproute2 spell them. */
import ipaddr from 'ipaddr.js'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** `bytes` hold 4 bytes from `at`. */
export function formatIpv4(view: DataView, at: number): string {
  return `${view.getUint8(at)}.${view.getUint8(at + 1)}.${view.getUint8(at + 2)}.${view.getUint8(at + 3)}`
}

/** 16 bytes from `at`, in the canonical form of RFC 5952; embedded IPv4 as inet_ntop(3) shows it. */
export function formatIpv6(view: DataView, at: number): string {
  let bestAt = -1
  let best = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && view.getUint16(at + 2 * (i + run)) === 0) run++
    if (run > best) {
      best = run
      bestAt = i
    }
    if (run > 0) i += run
  }
  const embeds = bestAt === 0 && (best === 6 || (best === 5 && view.getUint16(at + 10) === 0xffff))
  const groups = embeds ? 6 : 8
  let text = ''
  for (let i = 0; i < groups; i++) {
    if (i === bestAt) {
      text += i === 0 ? '::' : ':'
      i += best - 1
      continue
    }
    text += view.getUint16(at + 2 * i).toString(16)
    if (i < 7) text += ':'
  }
  return embeds ? text + formatIpv4(view, at + 12) : text
}

/** 4 or 16 bytes, or undefined when `text` is neither an IPv4 nor an IPv6 address. */
export function parseIp(text: string): Uint8Array | undefined {
  if (!text.includes(':')) {
    return ipaddr.IPv4.isValidFourPartDecimal(text)
      ? Uint8Array.from(ipaddr.IPv4.parse(text).octets)
      : undefined
  }
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined
  return Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray())
}

/** Any number of bytes as `aa:bb:cc:dd:ee:ff`. */
export function formatMac(view: DataView, at: number, end: number): string {
  if (at >= end) return ''
  let text = HEX[view.getUint8(at)] as string
  for (let i = at + 1; i < end; i++) text += `:${HEX[view.getUint8(i)]}`
  return text
}

/** The bytes of `aa:bb:…`, or undefined when `text` is not of that form. */
export function parseMac(text: string): Uint8Array | undefined {
  if (text === '') return new Uint8Array(0)
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2})*$/i.test(text)) return undefined
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16))
}
