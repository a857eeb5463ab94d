/**
 * IFLA_INFO_DATA of vrf, and IFLA_INFO_SLAVE_DATA of what is in one.
 *
 * Kernel: drivers/net/vrf.c vrf_nl_policy, vrf_fillinfo(), vrf_fill_slave_info().
 */
import { attrs, message, u32 } from '../../schema/index.ts'
import type { LinkKindCodec } from './link-kinds.ts'

export const vrfCodec: LinkKindCodec = {
  data: message(attrs('IFLA_VRF_', { table: [1, u32] })),
  fill: ({ vrfTable }) => ({ table: vrfTable }),
  fillSlave: ({ master }) => ({ table: master?.vrfTable }),
}
