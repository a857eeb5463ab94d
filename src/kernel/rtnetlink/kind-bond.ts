/**
 * IFLA_INFO_DATA of bond, and IFLA_INFO_SLAVE_DATA of its members.
 *
 * Kernel: drivers/net/bonding/bond_netlink.c bond_policy, bond_fill_info(), bond_fill_slave_info()
 * (Linux 6.12).
 */
import { bondAttrs } from '../../families/rt-link-bond.ts'
import { attrs, binary, message, s32, u8, u16 } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import { BondDevice } from '../net/kinds/bond.ts'
import type { LinkKindCodec } from './link-kinds.ts'

/** BOND_STATE_*, BOND_LINK_*. */
const ACTIVE = 0
const BACKUP = 1
const LINK_UP = 0
const LINK_DOWN = 2

/** bond_fill_info(). */
function fill(dev: NetDevice): object {
  const { options, active, primary, arpTargets, isAggregating, actorSystem } = dev as BondDevice
  const { miimon, updelay, downdelay, peerNotifDelay } = options
  return {
    ...options,
    updelay: updelay * miimon,
    downdelay: downdelay * miimon,
    peerNotifDelay: peerNotifDelay * miimon,
    arpIpTarget: arpTargets.length > 0 ? arpTargets : undefined,
    activeSlave: active?.dev.ifindex,
    primary: primary?.ifindex,
    ...(isAggregating
      ? { adActorSystem: actorSystem }
      : { adActorSysPrio: undefined, adUserPortKey: undefined }),
  }
}

/** bond_fill_slave_info(). */
function fillSlave(dev: NetDevice): object | undefined {
  const bond = dev.master
  const member = bond instanceof BondDevice ? bond.memberOf(dev) : undefined
  if (!member || !(bond instanceof BondDevice)) return undefined
  return {
    state: (bond.hasActive && bond.active !== member) || !member.isUsable ? BACKUP : ACTIVE,
    miiStatus: member.isUsable ? LINK_UP : LINK_DOWN,
    linkFailureCount: member.failures,
    permHwaddr: member.permanent,
    queueId: member.queueId,
    prio: member.prio,
  }
}

export const bondCodec: LinkKindCodec = {
  data: message(
    attrs('IFLA_BOND_', {
      ...bondAttrs.definitions,
      mode: [1, u8],
      primaryReselect: [12, u8],
      failOverMac: [13, u8],
      xmitHashPolicy: [14, u8],
      adLacpRate: [21, u8],
      adSelect: [22, u8],
      adActorSystem: [26, binary.exact(6)],
    }),
  ),
  fill,
  slaveData: message(attrs('IFLA_BOND_SLAVE_', { queueId: [5, u16], prio: [9, s32] })),
  fillSlave,
}
