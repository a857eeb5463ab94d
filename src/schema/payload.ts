/** Payloads that are not integers: flags, strings, bytes, addresses. */
import { DecodeError, EncodeError } from '../errors.ts'
import { align4 } from '../wire/align.ts'
import { NLA_HDRLEN } from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'
import type { Writer } from '../wire/writer.ts'
import { formatIpv4, formatIpv6, formatMac, parseIp, parseIpv4, parseMac } from './address.ts'
import { checkInteger } from './integer.ts'
import { type Shape, short, show, type Type } from './type.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** NLA_FLAG: there or not. `true` is written, `false` is left out by the attribute set. */
export const flag: Type<true, boolean> = {
  shape: { kind: 'flag' },
  size: 0,
  flags: 0,
  get: () => true,
  put(_w, value) {
    if (value !== true) throw new EncodeError(`true or false expected, got ${show(value)}`)
  },
}

/** Names come again and again: short ones are kept, each in the one place that its bytes give it. */
const KEPT_LENGTH = 16
const kept: string[] = new Array(512).fill('')

/** Whether `text` is the `length` ASCII bytes from `at`. */
function isText(text: string, view: DataView, at: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) !== view.getUint8(at + i)) return false
  }
  return true
}

/** Text up to the first NUL. */
function getString(view: DataView, at: number, end: number): string {
  let stop = at
  let hash = 0
  let all = 0
  for (; stop < end; stop++) {
    const byte = view.getUint8(stop)
    if (byte === 0) break
    all |= byte
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  const length = stop - at
  if (all > 0x7f || length > KEPT_LENGTH) {
    return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at, length))
  }
  const place = (hash ^ (hash >>> 9)) & 511
  const known = kept[place] as string
  if (isText(known, view, at, length)) return known
  let text = ''
  for (let i = at; i < stop; i++) text += String.fromCharCode(view.getUint8(i))
  kept[place] = text
  return text
}

/** Text as UTF-8; short ASCII, which names are, byte by byte. */
function putText(w: Writer, text: string): void {
  const { length } = text
  if (length <= KEPT_LENGTH) {
    const at = w.claim(length)
    const { bytes } = w
    let i = 0
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code === 0 || code > 0x7f) break
      bytes[at + i] = code
    }
    if (i === length) return
    w.trim(at)
  }
  if (text.includes('\0')) throw new EncodeError('a string with a NUL inside')
  w.string(text, false)
}

/**
 * Writes a whole attribute whose text is short ASCII of `most` characters at most, with `nuls` NULs.
 * @returns false, with nothing written, for anything else.
 */
function putShortText(
  w: Writer,
  nlaType: number,
  text: unknown,
  most: number,
  nuls: number,
): boolean {
  if (typeof text !== 'string' || text.length > most) return false
  const { length } = text
  const size = NLA_HDRLEN + length + nuls
  const mark = w.claim(align4(size))
  const { bytes, view } = w
  let at = mark + NLA_HDRLEN
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0 || code > 0x7f) {
      w.trim(mark)
      return false
    }
    bytes[at++] = code
  }
  while (at < w.length) bytes[at++] = 0
  view.setUint32(mark, HOST_LE ? size | (nlaType << 16) : (size << 16) | nlaType, HOST_LE)
  return true
}

/** A string; UTF-8 on the wire, with a NUL behind it. */
export interface StringType extends Type<string> {
  /** Bytes at most, the NUL not counted (the `len` of NLA_NUL_STRING). */
  max(bytes: number): StringType
  /** Received with or without its NUL, and sent with it (NLA_STRING). */
  unterminated(): StringType
  /** As `unterminated`, and sent without its NUL. */
  bare(): StringType
  /** `char name[bytes]`: NULs fill what the text leaves, so that it can be a struct's member. */
  fixed(bytes: number): Type<string> & { readonly size: number }
}

function stringType(max: number | undefined, nul: boolean, sent: boolean): StringType {
  const put = (w: Writer, value: string): void => {
    if (typeof value !== 'string') throw new EncodeError(`a string expected, got ${show(value)}`)
    const before = w.length
    putText(w, value)
    const bytes = w.length - before
    if (max !== undefined && bytes > max) {
      throw new EncodeError(`${show(value)} has ${bytes} bytes; ${max} are the most`)
    }
    if (sent) w.u8(0)
  }
  const most = Math.min(max ?? KEPT_LENGTH, KEPT_LENGTH)
  return {
    shape: max === undefined ? { kind: 'string', nul } : { kind: 'string', max, nul },
    size: undefined,
    flags: 0,
    get: getString,
    put,
    emitGet: (scope, at, end) => `${scope.ref(getString)}(view, ${at}, ${end})`,
    emitAttr(scope, value, nlaType) {
      const whole = `m = w.attrStart(${nlaType}); ${scope.ref(this)}.put(w, ${value}); w.attrEnd(m);`
      if (this.put !== put) return whole
      const short = `${scope.ref(putShortText)}(w, ${nlaType}, ${value}, ${most}, ${Number(sent)})`
      return `if (!${short}) { ${whole} }`
    },
    max: (bytes) => stringType(bytes, nul, sent),
    unterminated: () => stringType(max, false, true),
    bare: () => stringType(max, false, false),
    fixed: fixedString,
  }
}

function fixedString(bytes: number): Type<string> & { readonly size: number } {
  const text = stringType(bytes, false, false)
  return {
    shape: { kind: 'string', max: bytes, nul: false, fixed: bytes },
    size: bytes,
    flags: 0,
    get(view, at, end) {
      if (end - at < bytes) short(at, end, bytes)
      return getString(view, at, at + bytes)
    },
    put(w, value) {
      const from = w.length
      text.put(w, value)
      w.reserve(bytes - (w.length - from))
    },
  }
}
export const string: StringType = stringType(undefined, true, true)

/** A copy of the bytes: never a view of the receive buffer. */
export function copyBytes(view: DataView, at: number, end: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + at, end - at).slice()
}

/** Uninterpreted bytes. */
export interface BinaryType extends Type<Uint8Array> {
  /** Bytes, neither more nor fewer; such a type can be a struct's member. */
  exact(bytes: number): BinaryType
  /** Bytes at most. */
  max(bytes: number): BinaryType
  /** Bytes at least. */
  min(bytes: number): BinaryType
}

function binaryType(min: number | undefined, max: number | undefined): BinaryType {
  return {
    shape: {
      kind: 'binary',
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    },
    size: min !== undefined && min === max ? min : undefined,
    flags: 0,
    get(view, at, end) {
      if (min !== undefined && end - at < min) short(at, end, min)
      return copyBytes(view, at, end)
    },
    put(w, value) {
      if (!(value instanceof Uint8Array)) {
        throw new EncodeError(`a Uint8Array expected, got ${show(value)}`)
      }
      if (value.length < (min ?? 0) || value.length > (max ?? 65531)) {
        throw new EncodeError(`${value.length} bytes; ${min ?? 0}..${max ?? 65531} are allowed`)
      }
      w.put(value)
    },
    exact: (bytes) => binaryType(bytes, bytes),
    max: (bytes) => binaryType(min, bytes),
    min: (bytes) => binaryType(bytes, max),
  }
}
export const binary: BinaryType = binaryType(undefined, undefined)

function addressType(
  family: Extract<Shape, { kind: 'address' }>['family'],
  size: number | undefined,
  get: (view: DataView, at: number, end: number) => string,
  parse: (text: string) => Uint8Array | undefined,
  allowed: (bytes: number) => boolean,
): Type<string, string | Uint8Array> {
  const mayBeIpv4 = family === 'ip' || family === 'any' || family === 'ipv4'
  return {
    shape: { kind: 'address', family },
    size,
    flags: 0,
    get,
    put(w, value) {
      const bits = mayBeIpv4 && typeof value === 'string' ? parseIpv4(value) : -1
      if (bits >= 0) return w.u32(bits, false)
      const bytes = typeof value === 'string' ? parse(value) : value
      if (!(bytes instanceof Uint8Array) || !allowed(bytes.length)) {
        throw new EncodeError(
          `${family === 'mac' ? 'a link-layer' : `an ${family}`} address expected, got ${show(value)}`,
        )
      }
      w.put(bytes)
    },
    emitGet: (scope, at, end) => `${scope.ref(get)}(view, ${at}, ${end ?? `${at} + ${size}`})`,
  }
}

function getIpv4(view: DataView, at: number, end: number): string {
  if (end - at < 4) short(at, end, 4)
  return formatIpv4(view, at)
}
function getIpv6(view: DataView, at: number, end: number): string {
  if (end - at < 16) short(at, end, 16)
  return formatIpv6(view, at)
}
function getIp(view: DataView, at: number, end: number): string {
  const size = end - at
  if (size === 4) return formatIpv4(view, at)
  if (size === 16) return formatIpv6(view, at)
  throw new DecodeError(`an address of 4 or 16 bytes expected, got ${size}`, at)
}

/** An IPv4 address, `10.0.0.1`; encoders take its bytes too. */
export const ipv4: Type<string, string | Uint8Array> = addressType(
  'ipv4',
  4,
  getIpv4,
  parseIp,
  (n) => n === 4,
)
/** An IPv6 address in canonical form, `fe80::1`. */
export const ipv6: Type<string, string | Uint8Array> = addressType(
  'ipv6',
  16,
  getIpv6,
  parseIp,
  (n) => n === 16,
)
/** Either, told apart by the payload's length. */
export const ipAddress: Type<string, string | Uint8Array> = addressType(
  'ip',
  undefined,
  getIp,
  parseIp,
  (n) => n === 4 || n === 16,
)
function getHex(view: DataView, at: number, end: number): string {
  return `0x${formatMac(view, at, end).replaceAll(':', '')}`
}
function parseHex(text: string): Uint8Array | undefined {
  if (!/^0x([0-9a-f]{2})*$/i.test(text)) return undefined
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

/** An address of 4 or 16 bytes as usual, of another family's length as `0x0102`. */
function getAny(view: DataView, at: number, end: number): string {
  const size = end - at
  if (size === 4) return formatIpv4(view, at)
  if (size === 16) return formatIpv6(view, at)
  return getHex(view, at, end)
}
function parseAny(text: string): Uint8Array | undefined {
  if (!text.startsWith('0x')) return parseIp(text)
  const bytes = parseHex(text)
  return bytes?.length === 4 || bytes?.length === 16 ? undefined : bytes
}

/**
 * A network address where other families than IP may send theirs: IPv4 and IPv6 as `ipAddress`
 * has them, other lengths as `0x0102`, never an error.
 */
export const protocolAddress: Type<string, string | Uint8Array> = addressType(
  'any',
  undefined,
  getAny,
  parseAny,
  () => true,
)
/** Label stack entries as `100/200`; with bits that this spelling cannot say, as `0x…`. */
function getLabels(view: DataView, at: number, end: number): string {
  const labels: number[] = []
  for (let from = at; from + 4 <= end; from += 4) {
    const entry = view.getUint32(from)
    const plain = from + 4 === end ? 0x100 : 0
    if ((entry & 0xfff) !== plain) return getHex(view, at, end)
    labels.push(entry >>> 12)
  }
  return labels.length * 4 === end - at && labels.length > 0
    ? labels.join('/')
    : getHex(view, at, end)
}
function parseLabels(text: string): Uint8Array | undefined {
  if (text.startsWith('0x')) return parseHex(text)
  if (!/^\d{1,7}(\/\d{1,7})*$/.test(text)) return undefined
  const labels = text.split('/').map(Number)
  if (labels.some((label) => label > 0xfffff)) return undefined
  const view = new DataView(new ArrayBuffer(labels.length * 4))
  labels.forEach((label, i) => {
    view.setUint32(i * 4, ((label << 12) | (i === labels.length - 1 ? 0x100 : 0)) >>> 0)
  })
  return new Uint8Array(view.buffer)
}

/** MPLS labels, `100/200`, the last one marked as the bottom of the stack. */
export const mplsLabels: Type<string, string | Uint8Array> = addressType(
  'mpls',
  undefined,
  getLabels,
  parseLabels,
  () => true,
)
/** A link-layer address of any length, `02:00:00:00:00:01`. */
export const mac: Type<string, string | Uint8Array> = addressType(
  'mac',
  undefined,
  formatMac,
  parseMac,
  (n) => n <= 32,
)
/** An Ethernet address: 6 bytes, so that it can be a struct's member. */
export const etherAddress: Type<string, string | Uint8Array> = addressType(
  'ether',
  6,
  (view, at, end) => (end - at < 6 ? short(at, end, 6) : formatMac(view, at, at + 6)),
  parseMac,
  (n) => n === 6,
)

/** Sent as a flag and reported as a byte (IFLA_VXLAN_TTL_INHERIT): `true` when there is no byte. */
export const flagOrU8: Type<true | number> = {
  shape: { kind: 'binary', max: 1 },
  size: undefined,
  flags: 0,
  get: (view, at, end) => (at === end ? true : view.getUint8(at)),
  put(w, value) {
    if (value !== true) w.u8(checkInteger(value, 0, 255))
  },
}
