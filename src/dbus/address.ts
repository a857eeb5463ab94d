/** Addresses of buses, as the specification writes them: `unix:path=/run/bus,guid=…;unix:abstract=x`. */
import { NetlinkError } from '../errors.ts'

export interface BusAddress {
  /** What stands before the colon. */
  readonly transport: string
  readonly keys: ReadonlyMap<string, string>
}

/** Bytes that stand for themselves; all others are `%xx`. */
const PLAIN = /[^-0-9A-Za-z_/.\\*]/gu

function invalid(text: string, what: string): NetlinkError {
  return new NetlinkError('NETLINK_INVALID', {
    message: `"${text}" is no address of a bus: ${what}`,
    hint: 'such as unix:path=/run/user/1000/bus or unix:tmpdir=/tmp',
  })
}

function unescapeValue(value: string, text: string): string {
  if (/%(?![\da-fA-F]{2})/.test(value))
    throw invalid(text, '% is followed by two hexadecimal digits')
  try {
    return decodeURIComponent(value)
  } catch {
    throw invalid(text, 'a value is not UTF-8')
  }
}

/** A value as it stands in an address. */
export function escapeValue(value: string): string {
  return value.replace(PLAIN, (letter) =>
    [...new TextEncoder().encode(letter)]
      .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
      .join(''),
  )
}

function parseOne(one: string, text: string): BusAddress {
  const colon = one.indexOf(':')
  if (colon <= 0) throw invalid(text, 'it has no transport')
  const keys = new Map<string, string>()
  const pairs = one.slice(colon + 1)
  for (const pair of pairs === '' ? [] : pairs.split(',')) {
    const equals = pair.indexOf('=')
    if (equals <= 0) throw invalid(text, `"${pair}" is no key=value`)
    const key = pair.slice(0, equals)
    if (keys.has(key)) throw invalid(text, `"${key}" is given twice`)
    keys.set(key, unescapeValue(pair.slice(equals + 1), text))
  }
  return { transport: one.slice(0, colon), keys }
}

/** @throws NetlinkError NETLINK_INVALID */
export function parseAddresses(text: string): BusAddress[] {
  const parts = text.split(';').filter((part) => part !== '')
  if (parts.length === 0) throw invalid(text, 'it is empty')
  return parts.map((part) => parseOne(part, text))
}
