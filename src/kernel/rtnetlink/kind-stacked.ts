/**
 * IFLA_INFO_DATA of the kinds that stand on another device: vlan, macvlan, ipvlan.
 *
 * Kernel: net/8021q/vlan_netlink.c vlan_policy, vlan_fill_info(); drivers/net/macvlan.c
 * macvlan_policy, macvlan_fill_info(); drivers/net/ipvlan/ipvlan_main.c (Linux 6.18).
 */
import {
  attrs,
  be16,
  binary,
  message,
  multi,
  nest,
  s32,
  struct,
  u16,
  u32,
} from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import type { IpvlanDevice } from '../net/kinds/ipvlan.ts'
import type { MacvlanDevice } from '../net/kinds/macvlan.ts'
import type { QosMapping, VlanDevice } from '../net/kinds/vlan.ts'
import type { LinkKindCodec } from './link-kinds.ts'

const mapping = struct('ifla_vlan_qos_mapping', { from: u32, to: u32 })
const qos = attrs('IFLA_VLAN_QOS_', { mapping: [1, multi(mapping)] })

function encodeQos(mapped: QosMapping[]): { mapping: QosMapping[] } | undefined {
  return mapped.length > 0 ? { mapping: mapped } : undefined
}

/** vlan_fill_info(). */
function fillVlan(dev: NetDevice): object {
  const { protocol, id, vlanFlags, ingress, egress } = dev as VlanDevice
  return {
    protocol,
    id,
    flags: vlanFlags ? { flags: vlanFlags, mask: 0xffffffff } : undefined,
    ingressQos: encodeQos(ingress.map((to, from) => ({ from, to })).filter(({ to }) => to !== 0)),
    egressQos: encodeQos(egress.flat().filter(({ to }) => to !== 0)),
  }
}

export const vlanCodec: LinkKindCodec = {
  data: message(
    attrs('IFLA_VLAN_', {
      id: [1, u16],
      flags: [2, struct('ifla_vlan_flags', { flags: u32, mask: u32 })],
      egressQos: [3, nest(qos)],
      ingressQos: [4, nest(qos)],
      protocol: [5, be16],
    }),
  ),
  fill: fillVlan,
}

/** macvlan_fill_info(). */
function fillMacvlan(dev: NetDevice): object {
  const { mode, macvlanFlags, sortedSources, bcQueueLen, bcQueueLenUsed, port } =
    dev as MacvlanDevice
  return {
    mode,
    flags: macvlanFlags,
    macaddrCount: sortedSources.length,
    macaddrData: sortedSources.length > 0 ? { macaddr: sortedSources } : undefined,
    bcQueueLen,
    bcQueueLenUsed,
    bcCutoff: port.bcCutoff === 1 ? undefined : port.bcCutoff,
  }
}

/** ETH_ALEN, or less: judged later. */
const address = binary.max(32)

export const macvlanCodec: LinkKindCodec = {
  data: message(
    attrs('IFLA_MACVLAN_', {
      mode: [1, u32],
      flags: [2, u16],
      macaddrMode: [3, u32],
      macaddr: [4, address],
      macaddrData: [5, nest(attrs('IFLA_MACVLAN_', { macaddr: [4, multi(address)] }))],
      macaddrCount: [6, u32],
      bcQueueLen: [7, u32],
      bcCutoff: [9, s32],
    }),
  ),
  fill: fillMacvlan,
}

export const ipvlanCodec: LinkKindCodec = {
  data: message(attrs('IFLA_IPVLAN_', { mode: [1, u16], flags: [2, u16] })),
  fill(dev) {
    const { mode, flags } = (dev as IpvlanDevice).port
    return { mode, flags }
  },
}
