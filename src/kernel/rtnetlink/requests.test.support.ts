/** For tests: requests of NETLINK_ROUTE as bytes, right and wrong ones. */
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { parseIpv4, parseIpv6 } from '../net/address.ts'
import { in6Addr } from './policy-types.ts'

export const GET = 0x1
export const DUMP = 0x301
export const ACK = 0x5
export const CREATE = 0x405
export const ADD = 0x605
export const REPLACE = 0x505
export const APPEND = 0xc05
/** ADD, with NLM_F_ECHO. */
export const ECHO = 0x60d

/** Writes a part of a request. */
export type Part = (w: Writer) => void

/** A step of a session: what it is called, and the bytes of a request. */
export interface Step {
  readonly label: string
  readonly request: Uint8Array
  /** In place of a request: a setting below /proc/sys, and what to write there. */
  readonly sysctl?: readonly [name: string, text: string]
}

/** One request; `body` is what follows nlmsghdr. */
export function step(label: string, type: number, flags: number, ...body: Part[]): Step {
  const w = new Writer()
  const mark = w.messageStart(type, flags, 1, 0)
  for (const part of body) part(w)
  w.messageEnd(mark)
  return { label, request: w.finish() }
}

/** Writes a setting. */
export function sysctl(name: string, text: string): Step {
  return { label: `${name} = ${text}`, request: new Uint8Array(), sysctl: [name, text] }
}

export function raw(...bytes: number[]): Part {
  return (w) => w.put(Uint8Array.from(bytes))
}

/** An attribute of bytes. */
export function bytes(type: number, ...payload: number[]): Part {
  return (w) => w.attrBytes(type, Uint8Array.from(payload))
}

export function u8(type: number, value: number): Part {
  return bytes(type, value)
}

export function u16(type: number, value: number): Part {
  return (w) => {
    const mark = w.attrStart(type)
    w.u16(value)
    w.attrEnd(mark)
  }
}

export function u32(type: number, value: number): Part {
  return (w) => w.attrU32(type, value >>> 0)
}

/** Several numbers of 16 or 32 bits, as a struct has them. */
export function packed(type: number, bits: 16 | 32, ...values: number[]): Part {
  return (w) => {
    const mark = w.attrStart(type)
    for (const value of values) {
      if (bits === 16) w.u16(value)
      else w.u32(value)
    }
    w.attrEnd(mark)
  }
}

/** A string with its NUL. */
export function str(type: number, value: string): Part {
  return (w) => w.attrString(type, value)
}

/** A string without. */
export function text(type: number, value: string): Part {
  return bytes(type, ...new TextEncoder().encode(value))
}

export function nest(type: number, ...parts: Part[]): Part {
  return (w) => {
    const mark = w.attrStart(type)
    for (const part of parts) part(w)
    w.attrEnd(mark)
  }
}

function putIp(w: Writer, address: string): void {
  if (address.includes(':')) in6Addr.put(w, parseIpv6(address))
  else w.u32(parseIpv4(address), false)
}

/** An address of either family. */
export function ip(type: number, address: string): Part {
  return (w) => {
    const mark = w.attrStart(type)
    putIp(w, address)
    w.attrEnd(mark)
  }
}

/** RTA_VIA: a family and an address, or anything in its place. */
export function via(family: number, address: string | readonly number[]): Part {
  return (w) => {
    const mark = w.attrStart(18)
    w.u16(family)
    if (typeof address === 'string') putIp(w, address)
    else w.put(Uint8Array.from(address))
    w.attrEnd(mark)
  }
}

/** One next hop of RTA_MULTIPATH. */
export function nexthop(
  { flags = 0, hops = 0, oif = 0 }: { flags?: number; hops?: number; oif?: number },
  ...parts: Part[]
): Part {
  return (w) => {
    const at = w.length
    w.u16(0)
    w.u8(flags)
    w.u8(hops)
    w.u32(oif)
    for (const part of parts) part(w)
    w.view.setUint16(at, w.length - at, HOST_LE)
  }
}

/** IFA_CACHEINFO: seconds. */
export function lifetime(preferred: number, valid: number): Part {
  return packed(6, 32, preferred, valid, 0, 0)
}

interface Ifinfo {
  family?: number
  type?: number
  index?: number
  flags?: number
  change?: number
}
/** struct ifinfomsg. */
export function ifinfo(header: Ifinfo = {}, ...parts: Part[]): Part {
  const { family = 0, type = 0, index = 0, flags = 0, change = 0 } = header
  return (w) => {
    w.u8(family)
    w.u8(0)
    w.u16(type)
    for (const value of [index, flags, change]) w.u32(value >>> 0)
    for (const part of parts) part(w)
  }
}

interface Ifaddr {
  family?: number
  len?: number
  flags?: number
  scope?: number
  index?: number
}
/** struct ifaddrmsg. */
export function ifaddr(header: Ifaddr = {}, ...parts: Part[]): Part {
  const { family = 2, len = 24, flags = 0, scope = 0, index = 3 } = header
  return (w) => {
    for (const value of [family, len, flags, scope]) w.u8(value)
    w.u32(index)
    for (const part of parts) part(w)
  }
}

interface Rtm {
  family?: number
  dst?: number
  src?: number
  tos?: number
  table?: number
  protocol?: number
  scope?: number
  type?: number
  flags?: number
}
/** struct rtmsg, as a request for a new route has it. */
export function rtm(header: Rtm = {}, ...parts: Part[]): Part {
  const { family = 2, dst = 0, src = 0, tos = 0, table = 254, protocol = 3 } = header
  const { scope = 0, type = 1, flags = 0 } = header
  return (w) => {
    for (const value of [family, dst, src, tos, table, protocol, scope, type]) w.u8(value)
    w.u32(flags)
    for (const part of parts) part(w)
  }
}
/** The same as a look-up or a dump has it: nothing is said that was not asked for. */
export function ask(header: Rtm = {}, ...parts: Part[]): Part {
  return rtm({ table: 0, protocol: 0, type: 0, ...header }, ...parts)
}

interface Ndm {
  family?: number
  index?: number
  state?: number
  flags?: number
  type?: number
}
/** struct ndmsg. */
export function ndm(header: Ndm = {}, ...parts: Part[]): Part {
  const { family = 2, index = 0, state = 0, flags = 0, type = 0 } = header
  return (w) => {
    w.u8(family)
    w.u8(0)
    w.u16(0)
    w.u32(index)
    w.u16(state)
    w.u8(flags)
    w.u8(type)
    for (const part of parts) part(w)
  }
}

interface Frh {
  family?: number
  dst?: number
  src?: number
  tos?: number
  table?: number
  action?: number
  flags?: number
}
/** struct fib_rule_hdr. */
export function frh(header: Frh = {}, ...parts: Part[]): Part {
  const { family = 2, dst = 0, src = 0, tos = 0, table = 0, action = 1, flags = 0 } = header
  return (w) => {
    for (const value of [family, dst, src, tos, table, 0, 0, action]) w.u8(value)
    w.u32(flags)
    for (const part of parts) part(w)
  }
}

/** IFLA_LINKINFO with a kind, and what it is given. */
export function linkinfo(kind: string, ...data: Part[]): Part {
  return nest(18, text(1, kind), ...(data.length > 0 ? [nest(2, ...data)] : []))
}

/** A veth pair; the peer is made first and has the lower index. */
export function veth(name: string, peer: string): Part {
  return ifinfo({}, str(3, name), linkinfo('veth', nest(1, ifinfo({}, str(3, peer)))))
}

export function linkUp(index: number): Step {
  return step(`link ${index} up`, 16, ACK, ifinfo({ index, flags: 1, change: 1 }))
}
export function linkDown(index: number): Step {
  return step(`link ${index} down`, 16, ACK, ifinfo({ index, change: 1 }))
}

/** A pair v0 (3), v1 (2), both up, without link-local addresses; v0 has 10.0.0.1 and fd00::1. */
export const network: readonly Step[] = [
  step('a veth pair', 16, ADD, veth('v0', 'v1')),
  ...[2, 3].map((index) => {
    return step('no link-local', 16, ACK, ifinfo({ index }, nest(26, nest(10, u8(8, 1)))))
  }),
  linkUp(2),
  linkUp(3),
  step('an address', 20, ADD, ifaddr({}, ip(2, '10.0.0.1'), ip(1, '10.0.0.1'))),
  step('an IPv6 address', 20, ADD, ifaddr({ family: 10, len: 64, flags: 2 }, ip(1, 'fd00::1'))),
]
