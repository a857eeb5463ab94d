/** Whole messages: made from what they say, and given the sender that the bus knows. */
import { DecodeError, EncodeError } from '../../errors.ts'
import { align } from './align.ts'
import {
  BIG_ENDIAN,
  ERROR,
  FIELD_DESTINATION,
  FIELD_ERROR_NAME,
  FIELD_INTERFACE,
  FIELD_MEMBER,
  FIELD_PATH,
  FIELD_REPLY_SERIAL,
  FIELD_SENDER,
  FIELD_SIGNATURE,
  FIELD_UNIX_FDS,
  FIXED_BYTES,
  LITTLE_ENDIAN,
  MAX_MESSAGE_BYTES,
  METHOD_CALL,
  METHOD_RETURN,
  PROTOCOL_VERSION,
  SIGNAL,
} from './constants.ts'
import { type Header, parseHeader, read32 } from './header.ts'
import { isBusName, isErrorName, isInterfaceName, isMemberName, isObjectPath } from './names.ts'
import { readValues } from './reader.ts'
import { parseSignature } from './signature.ts'
import { skipValues, type Values } from './validate.ts'
import { ValueWriter } from './writer.ts'

/** What a message says. `body` has a value for each complete type of `signature`. */
export interface MessageInit {
  readonly type: number
  readonly flags?: number
  readonly serial: number
  readonly path?: string | undefined
  readonly interface?: string | undefined
  readonly member?: string | undefined
  readonly errorName?: string | undefined
  readonly replySerial?: number | undefined
  readonly destination?: string | undefined
  readonly sender?: string | undefined
  readonly signature?: string | undefined
  readonly body?: readonly unknown[] | undefined
  readonly unixFds?: number | undefined
}

/** A message that was read: its header, and its values. */
export interface DecodedMessage extends Header {
  readonly body: readonly unknown[]
}

/**
 * The bytes of a message.
 * @throws EncodeError when a value or a name is not what the format allows, or all is too long.
 */
export function encodeMessage(init: MessageInit, littleEndian = true): Uint8Array {
  checkNames(init)
  const writer = new ValueWriter(littleEndian)
  writer.byte(littleEndian ? LITTLE_ENDIAN : BIG_ENDIAN)
  writer.byte(init.type)
  writer.byte(init.flags ?? 0)
  writer.byte(PROTOCOL_VERSION)
  writer.uint32(0)
  writer.uint32(init.serial)
  writer.uint32(0)
  writeFields(writer, init)
  writer.view.setUint32(12, writer.at - FIXED_BYTES, littleEndian)
  writer.align(8)
  const bodyAt = writer.at
  if (init.signature) writer.values(init.signature, init.body ?? [])
  writer.view.setUint32(4, writer.at - bodyAt, littleEndian)
  if (writer.at > MAX_MESSAGE_BYTES) throw new EncodeError('the message is longer than 128 MiB')
  return writer.written
}

/** The header of the message that encodeMessage() has made of `init`. */
export function headerOf(init: MessageInit, message: Uint8Array): Header {
  const littleEndian = message[0] === LITTLE_ENDIAN
  const fieldsEnd = FIXED_BYTES + read32(message, 12, littleEndian)
  return {
    littleEndian,
    type: init.type,
    flags: init.flags ?? 0,
    serial: init.serial,
    path: init.path,
    interface: init.interface,
    member: init.member,
    errorName: init.errorName,
    replySerial: init.replySerial,
    destination: init.destination,
    sender: init.sender,
    signature: init.signature ?? '',
    unixFds: init.unixFds ?? 0,
    clean: init.sender === undefined,
    fieldsEnd,
    bodyAt: align(fieldsEnd, 8),
    length: message.length,
  }
}

function writeFields(writer: ValueWriter, init: MessageInit): void {
  text(writer, FIELD_PATH, 'o', init.path)
  text(writer, FIELD_INTERFACE, 's', init.interface)
  text(writer, FIELD_MEMBER, 's', init.member)
  text(writer, FIELD_ERROR_NAME, 's', init.errorName)
  number(writer, FIELD_REPLY_SERIAL, init.replySerial)
  text(writer, FIELD_DESTINATION, 's', init.destination)
  text(writer, FIELD_SIGNATURE, 'g', init.signature || undefined)
  number(writer, FIELD_UNIX_FDS, init.unixFds || undefined)
  text(writer, FIELD_SENDER, 's', init.sender)
}

function text(writer: ValueWriter, code: number, type: string, value: string | undefined): void {
  if (value === undefined) return
  writer.align(8)
  writer.byte(code)
  writer.signature(type)
  if (type === 'g') writer.signature(value)
  else writer.string(value)
}

function number(writer: ValueWriter, code: number, value: number | undefined): void {
  if (value === undefined) return
  writer.align(8)
  writer.byte(code)
  writer.signature('u')
  writer.uint32(value)
}

function checkNames(init: MessageInit): void {
  check(init.path, isObjectPath, 'path', 'an object path')
  check(init.interface, isInterfaceName, 'interface', 'an interface name')
  check(init.member, isMemberName, 'member', 'a member name')
  check(init.errorName, isErrorName, 'errorName', 'an error name')
  check(init.destination, isBusName, 'destination', 'a bus name')
  check(init.sender, isBusName, 'sender', 'a bus name')
}

function check(
  value: string | undefined,
  is: (value: string) => boolean,
  path: string,
  what: string,
): void {
  if (value !== undefined && !is(value)) throw new EncodeError(`"${value}" is not ${what}`, path)
}

/** The bytes that were looked at last, and a view of them: messages come from the same memory. */
let viewed: Uint8Array = new Uint8Array(0)
let view: DataView = new DataView(viewed.buffer)
/** Longer ones are one message, and not held on to. */
const MOST_VIEWED = 1 << 22

/** The values of the message that begins at `origin`, for those who read its body. */
export function valuesOf(bytes: Uint8Array, littleEndian: boolean, origin = 0): Values {
  if (bytes !== viewed) {
    const made = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length > MOST_VIEWED) return { bytes, view: made, origin, littleEndian }
    viewed = bytes
    view = made
  }
  return { bytes, view, origin, littleEndian }
}

/**
 * Judges the body of the message at `at` against its signature.
 * @throws DecodeError
 */
export function validateBody(bytes: Uint8Array, header: Header, at = 0): void {
  if (header.signature === '') return
  const values = valuesOf(bytes, header.littleEndian, at)
  const types = parseSignature(header.signature)
  const end = at + header.length
  const stop = skipValues(values, types, at + header.bodyAt, end)
  if (stop !== end) throw new DecodeError(`${end - stop} bytes are left behind the values`, stop)
}

/**
 * The values of a message's body.
 * @throws DecodeError
 */
export function readBody(message: Uint8Array, header: Header): unknown[] {
  return readValues(
    valuesOf(message, header.littleEndian),
    header.signature,
    header.bodyAt,
    message.length,
  )
}

/**
 * A whole message, header and body.
 * @throws DecodeError
 */
export function decodeMessage(message: Uint8Array): DecodedMessage {
  const header = parseHeader(message)
  return { ...header, body: readBody(message, header) }
}

/** What a message's kind is called: in match rules, policies and on the command line. */
export function typeName(type: number): string {
  switch (type) {
    case METHOD_CALL:
      return 'method_call'
    case METHOD_RETURN:
      return 'method_return'
    case ERROR:
      return 'error'
    case SIGNAL:
      return 'signal'
    default:
      return `unknown (${type})`
  }
}

/**
 * The header of `message` as a bus sends it on: with `sender`, without what it does not know. The
 * body follows it, unchanged.
 */
export function stampSender(message: Uint8Array, header: Header, sender: string): Uint8Array {
  const writer = new ValueWriter(header.littleEndian)
  writer.reserve(FIXED_BYTES)
  writer.bytes.set(message.subarray(0, FIXED_BYTES))
  writer.at = FIXED_BYTES
  writeFields(writer, { ...header, sender })
  writer.view.setUint32(12, writer.at - FIXED_BYTES, header.littleEndian)
  writer.align(8)
  return writer.written
}
