/**
 * What flower looks at: which attributes count beside which, and in what order they are shown.
 *
 * Kernel: net/sched/cls_flower.c fl_set_key(), fl_dump_key() (Linux 6.12). Of tunnels and
 * conntrack nothing is kept.
 */
import { attrs, message, type Type, u8, u16, u32 } from '../../../schema/index.ts'
import { NLA_F_NESTED } from '../../../wire/constants.ts'
import { nlaString, type Span, spanOf } from '../../rtnetlink/policy-types.ts'

/** One attribute and its mask's. */
interface Field {
  readonly key: number
  readonly mask: number
  readonly size: number
}

const field = (key: number, mask: number, size: number): Field => ({ key, mask, size })

const INDEV_TYPE = 2
const ETH_TYPE = 8
const IP_PROTO = 9
const VLAN_ID = 23
const VLAN_PRIO = 24
const VLAN_ETH_TYPE = 25
const CVLAN_ID = 77
const CVLAN_PRIO = 78
const CVLAN_ETH_TYPE = 79
const NUM_OF_VLANS = 102

const ETH = [field(4, 5, 6), field(6, 7, 6)]
const MPLS = [field(67, 0, 1), field(69, 0, 1), field(70, 0, 4), field(68, 0, 1)]
/** A nest of labels, kept as it was given. */
const MPLS_OPTS = 99
const IP = [field(73, 74, 1), field(75, 76, 1)]
const IPV4 = [field(10, 11, 4), field(12, 13, 4)]
const IPV6 = [field(14, 15, 16), field(16, 17, 16)]
const TCP = [field(18, 35, 2), field(19, 36, 2), field(71, 72, 2)]
const UDP = [field(20, 37, 2), field(21, 38, 2)]
const SCTP = [field(41, 39, 2), field(42, 40, 2)]
const ICMP4 = [field(51, 52, 1), field(49, 50, 1)]
const ICMP6 = [field(55, 56, 1), field(53, 54, 1)]
const ARP = [
  ...[field(57, 58, 4), field(59, 60, 4), field(61, 62, 1)],
  ...[field(63, 64, 6), field(65, 66, 6)],
]
const RANGES = [87, 88, 89, 90].map((type) => field(type, 0, 2))
const FLAGS = [field(47, 48, 4)]

const sizes = new Map<number, Type<unknown>>()
const all = [ETH, MPLS, IP, IPV4, IPV6, TCP, UDP, SCTP, ICMP4, ICMP6, ARP, RANGES, FLAGS].flat()
const NUMBERS: Readonly<Record<number, Type<unknown>>> = { 1: u8, 2: u16, 4: u32 }
for (const { key, mask, size } of all) {
  for (const type of [key, mask]) {
    if (type) sizes.set(type, spanLike(size))
  }
}
for (const type of [ETH_TYPE, VLAN_ID, VLAN_ETH_TYPE, CVLAN_ID, CVLAN_ETH_TYPE]) {
  sizes.set(type, spanLike(2))
}
sizes.set(MPLS_OPTS, spanOf(0))
for (const type of [IP_PROTO, VLAN_PRIO, CVLAN_PRIO, NUM_OF_VLANS]) sizes.set(type, spanLike(1))

/** Judged as a number of that size, or as so many bytes, and kept as bytes. */
function spanLike(size: number): Type<unknown> {
  const number = NUMBERS[size]
  return number ? { ...spanOf(size), shape: number.shape } : spanOf(size)
}

const keyed = Object.fromEntries([...sizes].map(([type, of]) => [`key${type}`, [type, of]]))

export const flowerPolicy = message(
  attrs('TCA_FLOWER_', {
    classid: [1, u32],
    indev: [INDEV_TYPE, nlaString(16)],
    act: [3, spanOf(0)],
    flags: [22, u32],
    ...(keyed as Record<string, [number, Type<Span, never>]>),
  }),
)

/** Attributes as they are shown, in their order: types and bytes. */
export type FlowerKey = readonly (readonly [type: number, bytes: Uint8Array])[]

const TPIDS: ReadonlySet<number> = new Set([0x8100, 0x88a8])
const IPV4_TYPE = 0x0800
const IPV6_TYPE = 0x86dd
const ARP_TYPES: ReadonlySet<number> = new Set([0x0806, 0x8035])
const MPLS_TYPES: ReadonlySet<number> = new Set([0x8847, 0x8848])
const PORTS: ReadonlyMap<number, readonly Field[]> = new Map([
  [6, TCP],
  [17, UDP],
  [132, SCTP],
])

/** What counts of the given attributes; `given` gives an attribute's bytes. */
export function flowerKeyOf(given: (type: number) => Uint8Array | undefined): FlowerKey {
  const key: (readonly [number, Uint8Array])[] = []
  const type16 = (type: number): number | undefined => {
    const bytes = given(type)
    return bytes && ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  }
  const take = (fields: readonly Field[]): void => {
    for (const { key: type, mask, size } of fields) {
      const bytes = given(type)?.slice(0, size)
      if (!bytes) continue
      const masked =
        (mask ? given(mask)?.slice(0, size) : undefined) ?? new Uint8Array(size).fill(255)
      if (masked.every((each) => each === 0)) continue
      key.push([type, bytes])
      if (mask) key.push([mask, masked])
    }
  }
  const plain = (type: number, mask = 0xff): void => {
    const bytes = given(type)
    if (bytes)
      key.push([type, mask === 0xff ? bytes.slice() : Uint8Array.of((bytes[0] ?? 0) & mask)])
  }
  take(ETH)
  const proto = takeTypes(type16, plain, given(NUM_OF_VLANS)?.[0] ?? 0)
  if (proto !== undefined && MPLS_TYPES.has(proto)) {
    const labels = given(MPLS_OPTS)
    if (labels) key.push([MPLS_OPTS | NLA_F_NESTED, labels.slice()])
    take(MPLS)
  }
  const isIp = proto === IPV4_TYPE || proto === IPV6_TYPE
  const ipProto = isIp ? given(IP_PROTO)?.[0] : undefined
  if (isIp) {
    plain(IP_PROTO)
    take(IP)
  }
  take(given(10) || given(12) ? IPV4 : IPV6)
  const ports = ipProto === undefined ? undefined : PORTS.get(ipProto)
  if (ports) take(ports)
  else if (proto === IPV4_TYPE && ipProto === 1) take(ICMP4)
  else if (proto === IPV6_TYPE && ipProto === 58) take(ICMP6)
  else if (proto !== undefined && ARP_TYPES.has(proto)) take(ARP)
  if (ports) take(RANGES)
  take(FLAGS)
  return key
}

/** Ethernet's type, and those of tags; the result is what the packet is in the end. */
function takeTypes(
  type16: (type: number) => number | undefined,
  plain: (type: number, mask?: number) => void,
  vlans: number,
): number | undefined {
  const first = type16(ETH_TYPE)
  const isTag = first !== undefined && (TPIDS.has(first) || vlans > 0)
  if (!isTag) {
    plain(ETH_TYPE)
    if (vlans) plain(NUM_OF_VLANS)
    return first
  }
  const second = type16(VLAN_ETH_TYPE)
  const isSecondTag = second !== undefined && (TPIDS.has(second) || vlans > 1)
  const last = isSecondTag ? type16(CVLAN_ETH_TYPE) : second
  if (last !== undefined) plain(isSecondTag ? CVLAN_ETH_TYPE : VLAN_ETH_TYPE)
  if (vlans) plain(NUM_OF_VLANS)
  plain(VLAN_ID)
  plain(VLAN_PRIO, 7)
  if (isSecondTag) {
    plain(CVLAN_ID)
    plain(CVLAN_PRIO, 7)
    plain(VLAN_ETH_TYPE)
  }
  return last
}
