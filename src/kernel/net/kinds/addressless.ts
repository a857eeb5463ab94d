/**
 * Links without a link-layer address of their own: nlmon, which shows what passes over netlink, and
 * wireguard, as far as a link is concerned.
 *
 * Kernel: drivers/net/nlmon.c, drivers/net/wireguard/device.c.
 */
import { NetlinkError } from '../../../errors.ts'
import { ARPHRD_NETLINK, ARPHRD_NONE, IFF_NOARP, IFF_POINTOPOINT } from '../constants.ts'
import { NetDevice } from '../device.ts'
import type { LinkKind } from '../link-kind.ts'

/** NLMSG_GOODSIZE: what a datagram of netlink usually has at most. */
const NLMSG_GOODSIZE = 3776
const NLMSG_HDRLEN = 16

const NONE = new Uint8Array(0)

/** A device whose addresses have no bytes. */
class AddresslessDevice extends NetDevice {
  override address: Uint8Array = NONE
  override broadcast: Uint8Array = NONE
  override permanentAddress: Uint8Array = NONE

  override changeAddress(): void {
    throw new NetlinkError('EOPNOTSUPP')
  }
}

class NlmonDevice extends AddresslessDevice {
  override type = ARPHRD_NETLINK
  override flags = IFF_NOARP
  override mtu = NLMSG_GOODSIZE
  override minMtu = NLMSG_HDRLEN
  override maxMtu = 0
}

export const nlmon: LinkKind = {
  kind: 'nlmon',
  validate({ address }) {
    if (address) throw new NetlinkError('EINVAL')
  },
  setup: (stack, name) => new NlmonDevice(stack, name, nlmon),
}

class WireguardDevice extends AddresslessDevice {
  override type = ARPHRD_NONE
  override flags = IFF_POINTOPOINT | IFF_NOARP
  override mtu = 1420
  override minMtu = 0
  override maxMtu = 0x7fffffff - 95
}

export const wireguard: LinkKind = {
  kind: 'wireguard',
  setup: (stack, name) => new WireguardDevice(stack, name, wireguard),
}
