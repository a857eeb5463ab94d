/**
 * IFLA_INFO_DATA of geneve.
 *
 * Kernel: drivers/net/geneve.c geneve_policy, geneve_fill_info() (Linux 6.18).
 */
import { genevePortRange } from '../../families/rt-link-tunnels.ts'
import { attrs, be16, be32, flag, message, u8, u32 } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import type { GeneveDevice } from '../net/kinds/geneve.ts'
import type { LinkKindCodec } from './link-kinds.ts'
import { in4Addr, in6Addr } from './policy-types.ts'

/** geneve_fill_info(). */
function fill(dev: NetDevice): object {
  const { config } = dev as GeneveDevice
  const { remote6, isExternal, hasChecksum, checks6, ...rest } = config
  const isOf6 = remote6 !== undefined
  return {
    ...rest,
    remote: isExternal || isOf6 ? undefined : config.remote,
    udpCsum: isExternal || isOf6 ? undefined : Number(hasChecksum),
    remote6: isExternal ? undefined : remote6,
    udpZeroCsum6Tx: isExternal || !isOf6 ? undefined : Number(!hasChecksum),
    collectMetadata: isExternal,
    udpZeroCsum6Rx: Number(!checks6),
    ttlInherit: Number(config.ttlInherit),
  }
}

export const geneveCodec: LinkKindCodec = {
  isOwnReply: true,
  data: message(
    attrs('IFLA_GENEVE_', {
      id: [1, u32],
      remote: [2, in4Addr],
      udpCsum: [8, u8],
      remote6: [7, in6Addr],
      udpZeroCsum6Tx: [9, u8],
      ttl: [3, u8],
      tos: [4, u8],
      label: [11, be32],
      df: [13, u8],
      port: [5, be16],
      collectMetadata: [6, flag],
      udpZeroCsum6Rx: [10, u8],
      ttlInherit: [12, u8],
      innerProtoInherit: [14, flag],
      portRange: [15, genevePortRange],
    }),
  ),
  fill,
}
