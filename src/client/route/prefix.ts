/** Addresses with the length of their prefix, `10.0.0.0/24`, and the families that they belong to. */
import { EncodeError } from '../../errors.ts'
import { AF_INET, AF_INET6 } from '../../families/rtnetlink.ts'
import { parseIp } from '../../schema/index.ts'

/** The address families of these doors. */
export type IpFamily = 'inet' | 'inet6'

/** Bits of an address. */
const BITS: Readonly<Record<IpFamily, number>> = { inet: 32, inet6: 128 }

export interface Prefix {
  readonly family: IpFamily
  readonly address: string
  /** Bits. Which lengths a family allows is the kernel's to say. */
  readonly length: number
}

/** @throws EncodeError at `path` unless `text` is an IP address. */
export function familyOf(text: string, path: string): IpFamily {
  const bytes = typeof text === 'string' ? parseIp(text) : undefined
  if (bytes) return bytes.length === 4 ? 'inet' : 'inet6'
  throw new EncodeError(`an IP address expected, got ${JSON.stringify(text)}`, path)
}

/** `10.0.0.0/24`; an address alone is all of its bits. @throws EncodeError at `path` */
export function parsePrefix(text: string, path: string): Prefix {
  const [, address, digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(String(text)) ?? []
  if (address === undefined || Number(digits) > 255) {
    const shown = JSON.stringify(text)
    throw new EncodeError(`an address and a prefix length expected, got ${shown}`, path)
  }
  const family = familyOf(address, path)
  return { family, address, length: digits === undefined ? BITS[family] : Number(digits) }
}

/** `default` is all addresses of `family`. */
export function parseDestination(text: string, family: IpFamily, path: string): Prefix {
  if (text !== 'default' && text !== 'any') return parsePrefix(text, path)
  return { family, address: family === 'inet' ? '0.0.0.0' : '::', length: 0 }
}

/** `/0` to `/255`. */
const SUFFIXES: readonly string[] = Array.from({ length: 256 }, (_, length) => `/${length}`)

/** What `parseDestination` reads. */
export function formatDestination(address: string | undefined, length: number): string {
  return address === undefined || length === 0 ? 'default' : address + SUFFIXES[length]
}

/** AF_INET or AF_INET6. @throws EncodeError at `path` for another word. */
export function familyNumber(family: IpFamily, path = 'family'): number {
  if (family === 'inet') return AF_INET
  if (family === 'inet6') return AF_INET6
  throw new EncodeError(`${JSON.stringify(family)} is neither inet nor inet6`, path)
}
/** The family of AF_INET and AF_INET6; undefined for others, which these doors leave out. */
export function ipFamily(number: number): IpFamily | undefined {
  return number === AF_INET ? 'inet' : number === AF_INET6 ? 'inet6' : undefined
}
