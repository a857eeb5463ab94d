/**
 * Names and paths of headers, kept as text: the same come in message after message, and are made and
 * judged once. The table has a fixed size; what is displaced is made again.
 */
import {
  isBusName,
  isErrorName,
  isInterfaceName,
  isMemberName,
  isObjectPath,
  MAX_HEADER_TEXT,
} from './names.ts'
import { isSignature } from './signature.ts'

/** What a text may be, a bit each. */
export const IS_PATH = 1
export const IS_INTERFACE = 2
export const IS_MEMBER = 4
export const IS_ERROR = 8
export const IS_BUS = 16
export const IS_SIGNATURE = 32

interface Known {
  readonly text: string
  readonly bytes: Uint8Array
  /** What it is, of what was asked. */
  is: number
  asked: number
}

/** Places; each text has two that it may be in. */
const PLACES = 4096
/** Last bytes that say where a text is: names differ at their end. */
const TELLING = 16

const table: (Known | undefined)[] = new Array(PLACES).fill(undefined)

/**
 * The text from `start` to `end`, if it is what `kind` says; undefined if it is not, or too long to
 * be kept.
 */
export function knownText(
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
): string | undefined {
  const length = end - start
  if (length > MAX_HEADER_TEXT) return undefined
  let hash = length
  for (let i = length > TELLING ? end - TELLING : start; i < end; i++)
    hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  hash ^= hash >>> 15
  const first = hash & (PLACES - 1)
  let known = table[first]
  if (known === undefined || !isSame(known.bytes, bytes, start, length)) {
    const second = (hash >>> 12) & (PLACES - 1)
    known = table[second]
    if (known === undefined || !isSame(known.bytes, bytes, start, length)) {
      known = learn(bytes, start, end)
      if (known === undefined) return undefined
      table[second] = table[first]
      table[first] = known
    }
  }
  if ((known.asked & kind) === 0) {
    known.asked |= kind
    if (judge(known.text, kind)) known.is |= kind
  }
  return (known.is & kind) === 0 ? undefined : known.text
}

function isSame(kept: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (kept.length !== length) return false
  for (let i = 0; i < length; i++) if (kept[i] !== bytes[start + i]) return false
  return true
}

/** Undefined for what is not ASCII: that is no name. */
function learn(bytes: Uint8Array, start: number, end: number): Known | undefined {
  let text = ''
  for (let i = start; i < end; i++) {
    if (bytes[i]! >= 0x80) return undefined
    text += String.fromCharCode(bytes[i]!)
  }
  return { text, bytes: bytes.slice(start, end), is: 0, asked: 0 }
}

function judge(text: string, kind: number): boolean {
  switch (kind) {
    case IS_PATH:
      return isObjectPath(text)
    case IS_INTERFACE:
      return isInterfaceName(text)
    case IS_MEMBER:
      return isMemberName(text)
    case IS_ERROR:
      return isErrorName(text)
    case IS_BUS:
      return isBusName(text)
    default:
      return isSignature(text)
  }
}
