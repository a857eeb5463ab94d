/** Addresses as text: IPv4, IPv6 and link-layer, as inet_ntop(3) and iproute2 spell them. */
const ZERO = 0x30
const DOT = 0x2e
const COLON = 0x3a
const LETTER_A = 0x61

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const DECIMAL = Array.from({ length: 256 }, (_, byte) => `${byte}`)
const DECIMAL_DOT = Array.from({ length: 256 }, (_, byte) => `${byte}.`)

/** The 4 bytes from `at`. */
export function formatIpv4(view: DataView, at: number): string {
  return formatIpv4Bits(view.getInt32(at))
}

/**
 * Texts of addresses that were met, each in the one place where it can be: a large table names few
 * gateways, many times.
 */
const PLACES = 256
const metBits = new Int32Array(PLACES)
const metTexts = new Array<string>(PLACES).fill('0.0.0.0')

/** 32 bits, the first number of the address in the highest ones. */
export function formatIpv4Bits(bits: number): string {
  const place = Math.imul(bits, 0x9e3779b1) >>> 24
  if (metBits[place] === (bits | 0)) return metTexts[place] as string
  const text =
    (DECIMAL_DOT[bits >>> 24] as string) +
    DECIMAL_DOT[(bits >>> 16) & 0xff] +
    DECIMAL_DOT[(bits >>> 8) & 0xff] +
    DECIMAL[bits & 0xff]
  metBits[place] = bits
  metTexts[place] = text
  return text
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
  if (text.includes(':')) return parseIpv6(text)
  const bits = parseIpv4(text)
  return bits < 0 ? undefined : Uint8Array.of(bits >>> 24, bits >>> 16, bits >>> 8, bits)
}

/** An IPv6 address as inet_pton(3) reads it: one `::` at most, an IPv4 address at the end perhaps. */
function parseIpv6(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16)
  let at = 0
  let gap = -1
  let i = 0
  if (text.startsWith('::')) {
    gap = 0
    i = 2
  } else if (text.startsWith(':')) return undefined
  while (i < text.length) {
    let stop = text.indexOf(':', i)
    if (stop < 0) stop = text.length
    const group = parseGroup(text, i, stop)
    if (group >= 0) {
      if (at > 14) return undefined
      bytes[at++] = group >>> 8
      bytes[at++] = group
    } else {
      const bits = stop === text.length && at <= 12 ? parseIpv4(text.slice(i)) : -1
      if (bits < 0) return undefined
      new DataView(bytes.buffer).setUint32(at, bits)
      at += 4
    }
    if (stop === text.length) break
    i = stop + 1
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return undefined
      gap = at
      i++
    } else if (i === text.length) return undefined
  }
  if (gap < 0) return at === 16 ? bytes : undefined
  if (at > 14) return undefined
  bytes.copyWithin(16 - (at - gap), gap, at)
  bytes.fill(0, gap, 16 - (at - gap))
  return bytes
}

/** One to four hexadecimal digits, or -1. */
function parseGroup(text: string, from: number, to: number): number {
  if (to === from || to - from > 4) return -1
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = hexDigit(text.charCodeAt(i))
    if (digit < 0) return -1
    value = (value << 4) | digit
  }
  return value
}

/**
 * An IPv4 address as 32 bits: four decimal numbers below 256, without leading zeros, which some
 * programs read as octal; -1 for any other text.
 */
export function parseIpv4(text: string): number {
  let bits = 0
  let part = 0
  let digits = 0
  let value = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT
    if (code === DOT) {
      if (digits === 0 || ++part > 4) return -1
      bits = (bits << 8) | value
      digits = value = 0
      continue
    }
    if (code < ZERO || code > ZERO + 9 || (digits > 0 && value === 0)) return -1
    value = value * 10 + code - ZERO
    if (++digits > 3 || value > 255) return -1
  }
  return part === 4 ? bits >>> 0 : -1
}

const HEX_COLON = HEX.map((byte) => `${byte}:`)

/** Any number of bytes as `aa:bb:cc:dd:ee:ff`. */
export function formatMac(view: DataView, at: number, end: number): string {
  if (at >= end) return ''
  let text = ''
  for (let i = at; i < end - 1; i++) text += HEX_COLON[view.getUint8(i)]
  return text + HEX[view.getUint8(end - 1)]
}

/** A hexadecimal digit's value, or -1. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO
  const letter = code | 0x20
  return letter >= LETTER_A && letter <= LETTER_A + 5 ? letter - LETTER_A + 10 : -1
}

/** The bytes of `aa:bb:…`, or undefined when `text` is not of that form. */
export function parseMac(text: string): Uint8Array | undefined {
  if (text === '') return new Uint8Array(0)
  let size = 1
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === COLON) size++
  const bytes = new Uint8Array(size)
  let count = 0
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === COLON) {
      if (digits === 0) return undefined
      count++
      digits = 0
      continue
    }
    const digit = hexDigit(code)
    if (digit < 0 || ++digits > 2) return undefined
    bytes[count] = ((bytes[count] as number) << 4) | digit
  }
  return digits === 0 ? undefined : bytes
}
