/** Capture files of a bus: pcapng with LINKTYPE_DBUS, whose packets are messages (pcapng, draft-ietf-opsawg-pcapng). */
import { MAX_MESSAGE_BYTES } from '../message/index.ts'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
/** From tcpdump.org's list of link-layer types. */
const LINKTYPE_DBUS = 231

/** A block: type, length, contents padded to four bytes, length again. */
function block(type: number, contents: Uint8Array): Uint8Array {
  const length = 12 + ((contents.length + 3) & ~3)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  bytes.set(contents, 8)
  view.setUint32(length - 4, length, true)
  return bytes
}

/** What a file begins with. */
export function pcapngHeader(): Uint8Array {
  const section = new DataView(new ArrayBuffer(16))
  section.setUint32(0, BYTE_ORDER_MAGIC, true)
  section.setUint16(4, 1, true)
  section.setBigInt64(8, -1n, true)
  const link = new DataView(new ArrayBuffer(8))
  link.setUint16(0, LINKTYPE_DBUS, true)
  link.setUint32(4, MAX_MESSAGE_BYTES, true)
  const first = block(SECTION_HEADER, new Uint8Array(section.buffer))
  const second = block(INTERFACE, new Uint8Array(link.buffer))
  return Uint8Array.of(...first, ...second)
}

/** A message that passed `at` microseconds after 1970. */
export function pcapngPacket(message: Uint8Array, at: number): Uint8Array {
  const contents = new Uint8Array(20 + message.length)
  const view = new DataView(contents.buffer)
  view.setUint32(4, Math.floor(at / 2 ** 32), true)
  view.setUint32(8, at % 2 ** 32, true)
  view.setUint32(12, message.length, true)
  view.setUint32(16, message.length, true)
  contents.set(message, 20)
  return block(ENHANCED_PACKET, contents)
}
