/**
 * Labels of IPv6 prefixes, by which source addresses are chosen (RFC 6724).
 *
 * Kernel: net/ipv6/addrlabel.c ip6addrlbl_init_table, ip6addrlbl_alloc(), __ip6addrlbl_add(),
 * __ipv6_addr_label() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { type Ipv6, parseIpv6, prefix6, samePrefix6 } from './address.ts'

export interface AddressLabel {
  readonly prefix: Ipv6
  readonly prefixlen: number
  /** The device that it is for; 0: any. */
  readonly ifindex: number
  readonly label: number
  /** The kind of addresses that it is for; undefined: any. */
  readonly kind: SpecialKind | undefined
}

/** Addresses that stand apart: IPv4 in IPv6 in two forms, and ::1. */
type SpecialKind = 'mapped' | 'compatible' | 'loopback'

const DEFAULTS: readonly (readonly [prefix: string, length: number, label: number])[] = [
  ['::', 0, 1],
  ['fc00::', 7, 5],
  ['fec0::', 10, 11],
  ['2002::', 16, 2],
  ['3ffe::', 16, 12],
  ['2001::', 32, 6],
  ['2001:10::', 28, 7],
  ['::ffff:0:0', 96, 4],
  ['::', 96, 3],
  ['::1', 128, 0],
]

/** ipv6_addr_type(), of what labels look at. */
function kindOf(address: Ipv6): SpecialKind | undefined {
  const high = address >> 32n
  if (high === 0xffffn) return 'mapped'
  if (high !== 0n || address === 0n) return undefined
  return address === 1n ? 'loopback' : 'compatible'
}

/** The table of one namespace, the longest prefix first. */
export class AddressLabels {
  readonly #labels: AddressLabel[] = []
  /** Grows with each change (ifal_seq). */
  sequence = 0

  constructor() {
    for (const [prefix, length, label] of DEFAULTS) this.add(parseIpv6(prefix), length, 0, label)
  }

  list(): readonly AddressLabel[] {
    return this.#labels
  }

  /**
   * __ipv6_addr_label() as RTM_GETADDRLABEL calls it: the first one that `address` on a device has.
   * Those of ::1 and of IPv4 in the old form are passed over, as Linux compares their kind with
   * more than a kind.
   */
  find(address: Ipv6, ifindex: number): AddressLabel | undefined {
    const isMapped = kindOf(address) === 'mapped'
    return this.#labels.find(
      (each) =>
        (each.ifindex === 0 || each.ifindex === ifindex) &&
        (each.kind === undefined || (each.kind === 'mapped' && isMapped)) &&
        samePrefix6(address, each.prefix, each.prefixlen),
    )
  }

  /** @throws NetlinkError EINVAL for more than 96 bits of an IPv4 address, EEXIST */
  add(address: Ipv6, prefixlen: number, ifindex: number, label: number, replace = false): void {
    const kind = kindOfPrefix(address, prefixlen)
    const added = { prefix: prefix6(address, prefixlen), prefixlen, ifindex, label, kind }
    const at = this.#labels.findIndex(
      (each) =>
        isSame(each, added) ||
        each.prefixlen < prefixlen ||
        (each.prefixlen === prefixlen && each.ifindex === 0),
    )
    const known = this.#labels[at]
    if (known && isSame(known, added)) {
      if (!replace) throw new NetlinkError('EEXIST')
      this.#labels.splice(at, 1, added)
    } else {
      this.#labels.splice(at < 0 ? this.#labels.length : at, 0, added)
    }
    this.sequence++
  }

  /** @throws NetlinkError ESRCH */
  delete(address: Ipv6, prefixlen: number, ifindex: number): void {
    const wanted = { prefix: prefix6(address, prefixlen), prefixlen, ifindex }
    const at = this.#labels.findIndex((each) => isSame(each, wanted))
    if (at < 0) throw new NetlinkError('ESRCH')
    this.#labels.splice(at, 1)
  }
}

type LabelKey = Pick<AddressLabel, 'prefix' | 'prefixlen' | 'ifindex'>

function isSame(a: LabelKey, b: LabelKey): boolean {
  return a.prefixlen === b.prefixlen && a.ifindex === b.ifindex && a.prefix === b.prefix
}

/** A prefix that is not exactly such addresses is for all. @throws NetlinkError EINVAL */
function kindOfPrefix(address: Ipv6, prefixlen: number): SpecialKind | undefined {
  const kind = kindOf(address)
  if (kind === 'mapped' && prefixlen > 96) throw new NetlinkError('EINVAL')
  const exact = kind === 'loopback' ? 128 : 96
  return prefixlen === exact ? kind : undefined
}
