/**
 * Link-local addresses: of what a device makes one by itself.
 *
 * Kernel: net/ipv6/addrconf.c ipv6_generate_eui64(), addrconf_ifid_ip6tnl(), __ipv6_isatap_ifid(),
 * addrconf_addr_gen(); ipv6_generate_stable_address() (Linux 6.18).
 */
import { type Ipv4, type Ipv6, isMulticast4, linkLocalEui64, samePrefix4 } from './address.ts'
import {
  ARPHRD_ETHER,
  ARPHRD_IP6GRE,
  ARPHRD_IPGRE,
  ARPHRD_NONE,
  ARPHRD_SIT,
  ARPHRD_TUNNEL,
  ARPHRD_TUNNEL6,
  ETH_ALEN,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { IN6_ADDR_GEN_MODE_EUI64, IN6_ADDR_GEN_MODE_RANDOM, type Inet6Device } from './ifaddr6.ts'

/** fe80::/64. */
export const LINK_LOCAL: Ipv6 = 0xfe80n << 112n

/** The types of devices that get addresses of their own (addrconf_dev_config()). */
const AUTOCONF_TYPES: ReadonlySet<number> = new Set([
  ARPHRD_ETHER,
  ARPHRD_NONE,
  ARPHRD_TUNNEL,
  ARPHRD_TUNNEL6,
])

export function isAutoconfigured({ type }: NetDevice): boolean {
  return AUTOCONF_TYPES.has(type)
}

/** addrconf_addr_gen(): the link-local address that a device gets, if any. */
export function linkLocalOf(idev: Inet6Device): Ipv6 | undefined {
  const { dev, addrGenMode } = idev
  if (addrGenMode === IN6_ADDR_GEN_MODE_EUI64) return fromHardware(dev)
  if (addrGenMode !== IN6_ADDR_GEN_MODE_RANDOM) return undefined
  idev.drawnId ??= idOf(dev.stack.random(8))
  return LINK_LOCAL | idev.drawnId
}

function idOf(bytes: Uint8Array): bigint {
  return bytes.reduce((id, byte) => (id << 8n) | BigInt(byte), 0n)
}

/** ipv6_generate_eui64(). */
function fromHardware(dev: NetDevice): Ipv6 | undefined {
  switch (dev.type) {
    case ARPHRD_ETHER:
      return dev.address.length === ETH_ALEN ? linkLocalEui64(dev.address, dev.devId) : undefined
    case ARPHRD_TUNNEL6:
    case ARPHRD_IP6GRE:
      return linkLocalEui64(dev.permanentAddress)
    case ARPHRD_TUNNEL:
    case ARPHRD_IPGRE:
      return isatap(dev)
    case ARPHRD_SIT:
      return dev.isIsatap ? isatap(dev) : undefined
  }
  return undefined
}

/** __ipv6_isatap_ifid(): of an IPv4 address, and whether that is known everywhere. */
function isatap({ address }: NetDevice): Ipv6 | undefined {
  const ipv4 = ipv4Of(address)
  if (ipv4 === 0) return undefined
  const head = isPrivate(ipv4) ? 0x0000_5efen : 0x0200_5efen
  return LINK_LOCAL | (head << 32n) | BigInt(ipv4)
}

/** The IPv4 address that a link-layer address is. */
export function ipv4Of(address: Uint8Array): Ipv4 {
  return new DataView(address.buffer, address.byteOffset).getUint32(0)
}

/** Networks whose addresses are not those of one host in the world, as far as ISATAP knows them. */
const PRIVATE: readonly (readonly [Ipv4, number])[] = [
  [0x0a000000, 8],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000200, 24],
  [0xc0586300, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
]

function isPrivate(ipv4: Ipv4): boolean {
  if (isMulticast4(ipv4) || ipv4 === 0xffffffff) return true
  return PRIVATE.some(([network, length]) => samePrefix4(ipv4, network, length))
}
