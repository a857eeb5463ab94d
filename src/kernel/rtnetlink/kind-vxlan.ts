/**
 * IFLA_INFO_DATA of vxlan.
 *
 * Kernel: drivers/net/vxlan/vxlan_core.c vxlan_policy, vxlan_fill_info() (Linux 6.18).
 */
import { vxlanAttrs } from '../../families/rt-link-tunnels.ts'
import { attrs, binary, message, u8 } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import type { VxlanDevice } from '../net/kinds/vxlan.ts'
import { isAny } from '../net/kinds/vxlan-fdb.ts'
import type { LinkKindCodec } from './link-kinds.ts'

/** What no extension uses of a header: all but the bit of the id, and the id. */
const RESERVED = Uint8Array.of(0xf7, 0xff, 0xff, 0xff, 0, 0, 0, 0xff)

/** vxlan_fill_info(). */
function fill(dev: NetDevice): object {
  const { remote, local, link, gbp, gpe, remcsumNopartial, vnifilter, ...config } = (
    dev as VxlanDevice
  ).config
  const numbers = Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      typeof value === 'boolean' ? Number(value) : value,
    ]),
  )
  const isIpv6 = remote.length === 16
  return {
    ...numbers,
    [isIpv6 ? 'group6' : 'group']: isAny(remote) ? undefined : remote,
    [isIpv6 ? 'local6' : 'local']: isAny(local) ? undefined : local,
    link: link || undefined,
    gbp: gbp || undefined,
    gpe: gpe || undefined,
    remcsumNopartial: remcsumNopartial || undefined,
    vnifilter: vnifilter ? 1 : undefined,
    reservedBits: RESERVED,
  }
}

export const vxlanCodec: LinkKindCodec = {
  data: message(
    attrs('IFLA_VXLAN_', {
      ...vxlanAttrs.definitions,
      group: [2, binary.exact(4)],
      local: [4, binary.exact(4)],
      group6: [16, binary.exact(16)],
      local6: [17, binary.exact(16)],
      df: [29, u8],
    }),
  ),
  fill,
}
