/**
 * Capture files: packets with their times, as pcapng holds them; the older pcap is read as well.
 *
 * draft-ietf-opsawg-pcapng, draft-ietf-opsawg-pcap.
 */
import { DecodeError } from '../errors.ts'
import { HOST_LE } from '../wire/order.ts'

/** LINKTYPE_NETLINK. */
export const LINKTYPE_NETLINK = 253

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const ENHANCED_PACKET = 6
const MAGIC = 0x1a2b3c4d
const PCAP_MICROSECONDS = 0xa1b2c3d4
const PCAP_NANOSECONDS = 0xa1b23c4d
/** Bytes of the parts of a file that stand before and behind a block's body. */
const BLOCK_HEAD = 8
const BLOCK_TAIL = 4
const PCAP_HEAD = 24
const PCAP_PACKET_HEAD = 16

const OPTION_END = 0
const OPTION_USER_APPLICATION = 4
const OPTION_INTERFACE_NAME = 2
const OPTION_RESOLUTION = 9
const OPTION_PACKET_FLAGS = 2
/** Decimal digits behind the second: 10^-9. */
const NANOSECONDS = 9

/** Whether a packet came in or went out, as the interface sees it. */
export type Direction = 'in' | 'out'

export interface Packet {
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly linktype: number
  readonly data: Uint8Array
  readonly direction?: Direction | undefined
}

const pad4 = (size: number): number => (size + 3) & ~3

function block(type: number, body: readonly Uint8Array[]): Uint8Array {
  const size = body.reduce((sum, part) => sum + pad4(part.length), 0)
  const total = BLOCK_HEAD + size + BLOCK_TAIL
  const bytes = new Uint8Array(total)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, HOST_LE)
  view.setUint32(4, total, HOST_LE)
  let at = BLOCK_HEAD
  for (const part of body) {
    bytes.set(part, at)
    at += pad4(part.length)
  }
  view.setUint32(at, total, HOST_LE)
  return bytes
}

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + pad4(value.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, code, HOST_LE)
  view.setUint16(2, value.length, HOST_LE)
  bytes.set(value, 4)
  return bytes
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words)
const endOfOptions = option(OPTION_END, new Uint8Array())

/** What a file begins with: one section with one netlink interface, times in nanoseconds. */
export function pcapngHeader(application = 'nlkit', name = 'nlkit0'): Uint8Array {
  const section = new Uint8Array(16)
  const head = new DataView(section.buffer)
  head.setUint32(0, MAGIC, HOST_LE)
  head.setUint16(4, 1, HOST_LE)
  head.setBigInt64(8, -1n, HOST_LE)
  const description = new Uint8Array(8)
  new DataView(description.buffer).setUint16(0, LINKTYPE_NETLINK, HOST_LE)
  const blocks = [
    block(SECTION_HEADER, [
      section,
      option(OPTION_USER_APPLICATION, text(application)),
      endOfOptions,
    ]),
    block(INTERFACE, [
      description,
      option(OPTION_INTERFACE_NAME, text(name)),
      option(OPTION_RESOLUTION, Uint8Array.of(NANOSECONDS)),
      endOfOptions,
    ]),
  ]
  return join(blocks)
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** A packet of the interface that `pcapngHeader` describes. */
export function pcapngPacket({ time, data, direction }: Omit<Packet, 'linktype'>): Uint8Array {
  const head = new Uint8Array(20)
  const view = new DataView(head.buffer)
  view.setUint32(4, Number(BigInt.asUintN(32, time >> 32n)), HOST_LE)
  view.setUint32(8, Number(BigInt.asUintN(32, time)), HOST_LE)
  view.setUint32(12, data.length, HOST_LE)
  view.setUint32(16, data.length, HOST_LE)
  if (direction === undefined) return block(ENHANCED_PACKET, [head, data])
  const flags = new Uint8Array(4)
  new DataView(flags.buffer).setUint32(0, direction === 'in' ? 1 : 2, HOST_LE)
  return block(ENHANCED_PACKET, [head, data, option(OPTION_PACKET_FLAGS, flags), endOfOptions])
}

/** An interface of the section that is being read. */
interface Interface {
  readonly linktype: number
  /** Units of time in a second. */
  readonly resolution: bigint
}

/**
 * The packets of a pcapng or pcap file, in its order. Blocks of other kinds are skipped.
 * @throws DecodeError where the file is none, or is cut off: what stands before has come by then.
 */
export function* readPackets(file: Uint8Array): Generator<Packet> {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  if (file.length < 4) throw new DecodeError('too short for a capture file', 0)
  if (view.getUint32(0, true) === SECTION_HEADER) yield* readPcapng(file, view)
  else yield* readPcap(file, view)
}

function* readPcap(file: Uint8Array, view: DataView): Generator<Packet> {
  const orders = [true, false] as const
  const isOf = (magic: number) => orders.find((little) => view.getUint32(0, little) === magic)
  const little = isOf(PCAP_MICROSECONDS) ?? isOf(PCAP_NANOSECONDS)
  if (little === undefined) throw new DecodeError('neither pcapng nor pcap', 0)
  if (file.length < PCAP_HEAD) throw new DecodeError('the file is cut off', file.length)
  const unit = view.getUint32(0, little) === PCAP_NANOSECONDS ? 1n : 1000n
  const linktype = view.getUint32(20, little) & 0xffff
  for (let at = PCAP_HEAD; at < file.length; ) {
    const rest = file.length - at - PCAP_PACKET_HEAD
    const size = rest < 0 ? 0 : view.getUint32(at + 8, little)
    if (rest < 0 || size > rest) throw new DecodeError('the file is cut off', at)
    const seconds = BigInt(view.getUint32(at, little))
    const time = seconds * 1_000_000_000n + BigInt(view.getUint32(at + 4, little)) * unit
    const from = at + PCAP_PACKET_HEAD
    yield { time, linktype, data: file.subarray(from, from + size) }
    at = from + size
  }
}

function* readPcapng(file: Uint8Array, view: DataView): Generator<Packet> {
  let little = true
  let interfaces: Interface[] = []
  for (let at = 0; at < file.length; ) {
    if (file.length - at < BLOCK_HEAD + BLOCK_TAIL) throw new DecodeError('the file is cut off', at)
    const type = view.getUint32(at, little)
    if (type === SECTION_HEADER) {
      little = orderOf(view, at)
      interfaces = []
    }
    const size = view.getUint32(at + 4, little)
    if (size < BLOCK_HEAD + BLOCK_TAIL || size % 4 !== 0)
      throw new DecodeError('a block of an impossible length', at)
    if (size > file.length - at) throw new DecodeError('the file is cut off', at)
    const body = { file, view, little, from: at + BLOCK_HEAD, to: at + size - BLOCK_TAIL }
    if (type === INTERFACE) interfaces.push(readInterface(body))
    else if (type === ENHANCED_PACKET) yield readPacket(body, interfaces)
    at += size
  }
}

function orderOf(view: DataView, at: number): boolean {
  for (const little of [true, false]) if (view.getUint32(at + 8, little) === MAGIC) return little
  throw new DecodeError('a section without a byte order', at)
}

/** A block's body: a part of a file. */
interface Body {
  readonly file: Uint8Array
  readonly view: DataView
  readonly little: boolean
  readonly from: number
  readonly to: number
}

function* readOptions(
  { file, view, little, to }: Body,
  from: number,
): Generator<[number, Uint8Array]> {
  for (let at = from; to - at >= 4; ) {
    const code = view.getUint16(at, little)
    const size = view.getUint16(at + 2, little)
    if (code === OPTION_END) return
    if (size > to - at - 4) throw new DecodeError('an option that is longer than its block', at)
    yield [code, file.subarray(at + 4, at + 4 + size)]
    at += 4 + pad4(size)
  }
}

function readInterface(body: Body): Interface {
  const { view, little, from, to } = body
  if (to - from < 8) throw new DecodeError('an interface that is cut off', from)
  let resolution = 1_000_000n
  for (const [code, value] of readOptions(body, from + 8)) {
    const [digits = 6] = value
    if (code === OPTION_RESOLUTION)
      resolution = digits & 0x80 ? 2n ** BigInt(digits & 0x7f) : 10n ** BigInt(digits)
  }
  return { linktype: view.getUint16(from, little), resolution }
}

function readPacket(body: Body, interfaces: readonly Interface[]): Packet {
  const { file, view, little, from, to } = body
  if (to - from < 20) throw new DecodeError('a packet that is cut off', from)
  const known = interfaces[view.getUint32(from, little)]
  if (!known) throw new DecodeError('a packet of an interface that is not described', from)
  const units =
    (BigInt(view.getUint32(from + 4, little)) << 32n) | BigInt(view.getUint32(from + 8, little))
  const size = view.getUint32(from + 12, little)
  if (size > to - from - 20) throw new DecodeError('a packet that is longer than its block', from)
  const data = file.subarray(from + 20, from + 20 + size)
  const time = (units * 1_000_000_000n) / known.resolution
  let direction: Direction | undefined
  for (const [code, value] of readOptions(body, from + 20 + pad4(size))) {
    if (code !== OPTION_PACKET_FLAGS || value.length < 4) continue
    const flags = new DataView(value.buffer, value.byteOffset, 4).getUint32(0, little) & 3
    if (flags !== 0) direction = flags === 1 ? 'in' : 'out'
  }
  return { time, linktype: known.linktype, data, direction }
}
