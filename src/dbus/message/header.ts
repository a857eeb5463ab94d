/**
 * Headers of messages: read, judged, and given their sender.
 *
 *   +-------+------+-------+---------+--------+--------+----------------+-----+------+
 *   | order | type | flags | version | u32 len| u32 ser| a(yv) fields   | pad | body |
 *   +-------+------+-------+---------+--------+--------+----------------+-----+------+
 *                                     of body           16 + length      to 8
 */
import { DecodeError } from '../../errors.ts'
import { align } from './align.ts'
import {
  BIG_ENDIAN,
  ERROR,
  FIELD_DESTINATION,
  FIELD_ERROR_NAME,
  FIELD_INTERFACE,
  FIELD_MEMBER,
  FIELD_PATH,
  FIELD_UNIX_FDS,
  FIXED_BYTES,
  LITTLE_ENDIAN,
  MAX_ARRAY_BYTES,
  MAX_MESSAGE_BYTES,
  METHOD_CALL,
  METHOD_RETURN,
  PROTOCOL_VERSION,
  SIGNAL,
} from './constants.ts'
import { isBusName, isErrorName, isInterfaceName, isMemberName } from './names.ts'
import { parseSingleType } from './signature.ts'
import { readText } from './utf8.ts'
import { signatureAt, skipPadding, skipValues, type Values } from './validate.ts'

/** The fields of a header; what is absent is undefined. */
export interface Fields {
  path: string | undefined
  interface: string | undefined
  member: string | undefined
  errorName: string | undefined
  replySerial: number | undefined
  destination: string | undefined
  sender: string | undefined
  signature: string
  /** Descriptors that travel beside the message. */
  unixFds: number
  /** No sender is among them, and nothing that a bus has to take out. */
  clean: boolean
}

/** A message's header. Offsets count from the message's first byte. */
export interface Header extends Fields {
  readonly littleEndian: boolean
  readonly type: number
  readonly flags: number
  readonly serial: number
  /** Where the fields end, and where the body begins: the next multiple of 8. */
  readonly fieldsEnd: number
  bodyAt: number
  /** Bytes of the whole message. */
  readonly length: number
}

/** The object and the interface that are a connection's own; none may send them. */
export const LOCAL_PATH = '/org/freedesktop/DBus/Local'
export const LOCAL_INTERFACE = 'org.freedesktop.DBus.Local'

/**
 * Bytes of the message that begins at `at`, or 0 if fewer than 16 bytes are there.
 * @throws DecodeError when no message begins so.
 */
export function messageLength(bytes: Uint8Array, at: number, end: number, limit: number): number {
  if (end - at < FIXED_BYTES) return 0
  const order = bytes[at]
  if (order !== LITTLE_ENDIAN && order !== BIG_ENDIAN)
    throw new DecodeError(`byte order ${order}`, at)
  if (bytes[at + 3] !== PROTOCOL_VERSION)
    throw new DecodeError(`protocol version ${bytes[at + 3]}`, at + 3)
  const littleEndian = order === LITTLE_ENDIAN
  const body = read32(bytes, at + 4, littleEndian)
  const fields = read32(bytes, at + 12, littleEndian)
  if (fields > MAX_ARRAY_BYTES) throw new DecodeError('the header is too long', at + 12)
  const length = align(FIXED_BYTES + fields, 8) + body
  if (length > Math.min(limit, MAX_MESSAGE_BYTES))
    throw new DecodeError(`a message of ${length} bytes, where ${limit} are allowed`, at)
  return length
}

/**
 * The header of `message`, which is one whole message.
 * @throws DecodeError for all that the reference disconnects a sender for, the body apart.
 */
export function parseHeader(message: Uint8Array): Header {
  const littleEndian = message[0] === LITTLE_ENDIAN
  const type = message[1]!
  const serial = read32(message, 8, littleEndian)
  if (type === 0) throw new DecodeError('message type 0', 1)
  if (serial === 0) throw new DecodeError('serial 0', 8)
  const fieldsEnd = FIXED_BYTES + read32(message, 12, littleEndian)
  const bodyAt = align(fieldsEnd, 8)
  const values: Values = {
    bytes: message,
    view: new DataView(message.buffer, message.byteOffset, message.byteLength),
    origin: 0,
    littleEndian,
  }
  const fields = parseFields(values, fieldsEnd)
  skipPadding(values, fieldsEnd, 8, bodyAt)
  requireFields(type, fields)
  const body = message.length - bodyAt
  if (fields.signature === '' && body > 0)
    throw new DecodeError('a body without a signature', bodyAt)
  return {
    littleEndian,
    type,
    flags: message[2]!,
    serial,
    ...fields,
    fieldsEnd,
    bodyAt,
    length: message.length,
  }
}

function parseFields(values: Values, end: number): Fields {
  const fields: Fields = {
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
  }
  let seen = 0
  let at = FIXED_BYTES
  while (at < end) {
    at = skipPadding(values, at, 8, end)
    const code = values.bytes[at]!
    if (code === 0 || at >= end) throw new DecodeError('header field 0', at)
    if (code < 32) {
      if (seen & (1 << code)) throw new DecodeError(`header field ${code} twice`, at)
      seen |= 1 << code
    }
    at = parseField(values, code, at + 1, end, fields)
  }
  return fields
}

/** Types of the known fields, by code. */
const FIELD_TYPES = ['', 'o', 's', 's', 's', 'u', 's', 's', 'g', 'u']

function parseField(values: Values, code: number, at: number, end: number, fields: Fields): number {
  const signature = signatureAt(values, at, end)
  const start = at + signature.length + 2
  const next = skipValues(values, [parseSingleType(signature)], start, end)
  const type = FIELD_TYPES[code]
  if (type === undefined) {
    fields.clean = false
    return next
  }
  if (signature !== type)
    throw new DecodeError(`header field ${code} is "${signature}", not "${type}"`, at)
  if (type === 'u')
    setNumber(fields, code, values.view.getUint32(next - 4, values.littleEndian), at)
  else if (type === 'g') fields.signature = readText(values.bytes, start + 1, next - 1)
  else setText(fields, code, readText(values.bytes, align(start, 4) + 4, next - 1), at)
  return next
}

function setNumber(fields: Fields, code: number, value: number, at: number): void {
  if (code === FIELD_UNIX_FDS) {
    fields.unixFds = value
    return
  }
  if (value === 0) throw new DecodeError('reply serial 0', at)
  fields.replySerial = value
}

function setText(fields: Fields, code: number, text: string, at: number): void {
  switch (code) {
    case FIELD_PATH:
      if (text === LOCAL_PATH) throw new DecodeError(`path ${LOCAL_PATH}`, at)
      fields.path = text
      return
    case FIELD_INTERFACE:
      if (text === LOCAL_INTERFACE) throw new DecodeError(`interface ${LOCAL_INTERFACE}`, at)
      fields.interface = checked(text, isInterfaceName, 'an interface', at)
      return
    case FIELD_MEMBER:
      fields.member = checked(text, isMemberName, 'a member', at)
      return
    case FIELD_ERROR_NAME:
      fields.errorName = checked(text, isErrorName, 'an error', at)
      return
    case FIELD_DESTINATION:
      fields.destination = checked(text, isBusName, 'a bus', at)
      return
    default:
      fields.sender = checked(text, isBusName, 'a bus', at)
      fields.clean = false
  }
}

function checked(text: string, is: (text: string) => boolean, of: string, at: number): string {
  if (!is(text)) throw new DecodeError(`"${text}" is no name of ${of}`, at)
  return text
}

/** What a message of `type` has to have; others may have what they like. */
function requireFields(type: number, fields: Fields): void {
  if (type === METHOD_CALL) {
    need(fields.path, 'path')
    need(fields.member, 'member')
  } else if (type === SIGNAL) {
    need(fields.path, 'path')
    need(fields.interface, 'interface')
    need(fields.member, 'member')
  } else if (type === METHOD_RETURN) {
    need(fields.replySerial, 'reply serial')
  } else if (type === ERROR) {
    need(fields.errorName, 'error name')
    need(fields.replySerial, 'reply serial')
  }
}

function need(value: unknown, what: string): void {
  if (value === undefined) throw new DecodeError(`the message has no ${what}`, FIXED_BYTES)
}

/** The unsigned number of 32 bits at `at`. */
export function read32(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  const a = bytes[at]!
  const b = bytes[at + 1]!
  const c = bytes[at + 2]!
  const d = bytes[at + 3]!
  return littleEndian
    ? (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
    : (d | (c << 8) | (b << 16) | (a << 24)) >>> 0
}
