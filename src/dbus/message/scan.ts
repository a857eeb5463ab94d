/**
 * Headers as they nearly always are, read without a detour: known fields, each once, no sender.
 *
 * Whatever is out of the ordinary, and all that is wrong, is left to parseHeader(), which says what.
 */
import {
  ERROR,
  FIELD_DESTINATION,
  FIELD_ERROR_NAME,
  FIELD_INTERFACE,
  FIELD_MEMBER,
  FIELD_PATH,
  FIELD_REPLY_SERIAL,
  FIELD_SIGNATURE,
  FIELD_UNIX_FDS,
  FIXED_BYTES,
  LITTLE_ENDIAN,
  METHOD_CALL,
  METHOD_RETURN,
  SIGNAL,
} from './constants.ts'
import { type Header, LOCAL_INTERFACE, LOCAL_PATH, parseHeader, read32 } from './header.ts'
import {
  IS_BUS,
  IS_ERROR,
  IS_INTERFACE,
  IS_MEMBER,
  IS_PATH,
  IS_SIGNATURE,
  knownText,
} from './name-table.ts'

const CHAR_G = 0x67
const CHAR_O = 0x6f
const CHAR_S = 0x73
const CHAR_U = 0x75
/** Code, a signature of one character, and the shortest value. */
const LEAST_FIELD = 6

/**
 * The header of the message of `length` bytes at `at`, whose first 16 bytes are judged.
 * @throws DecodeError as parseHeader() does.
 */
export function headerAt(bytes: Uint8Array, at: number, length: number): Header {
  return scan(bytes, at, length) ?? parseHeader(bytes.subarray(at, at + length))
}

function scan(bytes: Uint8Array, at: number, length: number): Header | undefined {
  const littleEndian = bytes[at] === LITTLE_ENDIAN
  const header: Header = {
    littleEndian,
    type: bytes[at + 1]!,
    flags: bytes[at + 2]!,
    serial: read32(bytes, at + 8, littleEndian),
    path: undefined,
    interface: undefined,
    member: undefined,
    errorName: undefined,
    replySerial: undefined,
    destination: undefined,
    sender: undefined,
    signature: '',
    unixFds: 0,
    clean: true,
    fieldsEnd: FIXED_BYTES + read32(bytes, at + 12, littleEndian),
    bodyAt: 0,
    length,
  }
  const end = at + header.fieldsEnd
  header.bodyAt = (header.fieldsEnd + 7) & -8
  let seen = 0
  let next = at + FIXED_BYTES
  while (next < end) {
    for (; (next - at) & 7; next++) if (bytes[next] !== 0) return undefined
    if (next + LEAST_FIELD > end) return undefined
    const code = bytes[next]!
    if (code > FIELD_UNIX_FDS || bytes[next + 1] !== 1 || bytes[next + 3] !== 0) return undefined
    const bit = 1 << code
    if (seen & bit) return undefined
    seen |= bit
    next = field(header, bytes, code, next + 2, end)
    if (next < 0) return undefined
  }
  for (; next < at + header.bodyAt; next++) if (bytes[next] !== 0) return undefined
  return isWhole(header) ? header : undefined
}

/** Takes in the field whose type is at `at`; where it ends, -1 if it is not as it should be. */
function field(header: Header, bytes: Uint8Array, code: number, at: number, end: number): number {
  const type = bytes[at]!
  if (type === CHAR_S || type === CHAR_O) {
    if (at + 7 > end) return -1
    const start = at + 6
    const stop = start + read32(bytes, at + 2, header.littleEndian)
    if (stop >= end || bytes[stop] !== 0) return -1
    return setText(header, code, type, bytes, start, stop) ? stop + 1 : -1
  }
  if (type === CHAR_U) {
    if (at + 6 > end) return -1
    const value = read32(bytes, at + 2, header.littleEndian)
    if (code === FIELD_UNIX_FDS) header.unixFds = value
    else if (code === FIELD_REPLY_SERIAL && value !== 0) header.replySerial = value
    else return -1
    return at + 6
  }
  if (type !== CHAR_G || code !== FIELD_SIGNATURE) return -1
  const stop = at + 3 + bytes[at + 2]!
  if (stop >= end || bytes[stop] !== 0) return -1
  const signature = knownText(bytes, at + 3, stop, IS_SIGNATURE)
  if (signature === undefined) return -1
  header.signature = signature
  return stop + 1
}

function setText(
  header: Header,
  code: number,
  type: number,
  bytes: Uint8Array,
  start: number,
  stop: number,
): boolean {
  if ((code === FIELD_PATH) !== (type === CHAR_O)) return false
  switch (code) {
    case FIELD_PATH:
      header.path = knownText(bytes, start, stop, IS_PATH)
      return header.path !== undefined && header.path !== LOCAL_PATH
    case FIELD_INTERFACE:
      header.interface = knownText(bytes, start, stop, IS_INTERFACE)
      return header.interface !== undefined && header.interface !== LOCAL_INTERFACE
    case FIELD_MEMBER:
      header.member = knownText(bytes, start, stop, IS_MEMBER)
      return header.member !== undefined
    case FIELD_ERROR_NAME:
      header.errorName = knownText(bytes, start, stop, IS_ERROR)
      return header.errorName !== undefined
    case FIELD_DESTINATION:
      header.destination = knownText(bytes, start, stop, IS_BUS)
      return header.destination !== undefined
    default:
      return false
  }
}

/** Whether it has all that a message of its type has to have. */
function isWhole(header: Header): boolean {
  const { type, path, member, replySerial } = header
  if (header.serial === 0) return false
  if (header.signature === '' && header.length > header.bodyAt) return false
  switch (type) {
    case METHOD_CALL:
      return path !== undefined && member !== undefined
    case METHOD_RETURN:
      return replySerial !== undefined
    case ERROR:
      return replySerial !== undefined && header.errorName !== undefined
    case SIGNAL:
      return path !== undefined && member !== undefined && header.interface !== undefined
    default:
      return false
  }
}
