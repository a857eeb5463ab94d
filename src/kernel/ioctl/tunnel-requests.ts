/**
 * Requests that a tunnel's driver is asked, of IPv4 and of IPv6.
 *
 * Source: include/uapi/linux/if_tunnel.h.
 */
import { NetlinkError } from '../../errors.ts'
import { unregisterDevices } from '../net/device-registry.ts'
import type { TunnelDevice } from '../net/kinds/tunnel.ts'

export const SIOCGETTUNNEL = 0x89f0
export const SIOCADDTUNNEL = 0x89f1
export const SIOCDELTUNNEL = 0x89f2
export const SIOCCHGTUNNEL = 0x89f3

/** SIOCDELTUNNEL: the device itself, or the one that is described to the one that came first. */
export function deleteTunnelBy(dev: TunnelDevice, find: () => TunnelDevice | undefined): void {
  const found = dev.isFallback ? find() : dev
  if (!found) throw new NetlinkError('ENOENT')
  if (found.isFallback) throw new NetlinkError('EPERM')
  unregisterDevices([found])
}
