/**
 * vrf: a routing domain. What is put under it has its routes in the domain's table.
 *
 * Kernel: drivers/net/vrf.c (Linux 6.12).
 */
import { NetlinkError } from '../../../errors.ts'
import { NOTIFY_DONE } from '../../notifier/constants.ts'
import {
  ETH_ALEN,
  FR_ACT_TO_TBL,
  IF_OPER_UP,
  IFF_LOOPBACK,
  IFF_MASTER,
  IFF_NOARP,
  IFF_UP,
  IPV6_MIN_MTU,
  RTPROT_KERNEL,
} from '../constants.ts'
import { isValidEtherAddress, NetDevice, setRandomAddress } from '../device.ts'
import { changeFlags, combineFlags } from '../device-flags.ts'
import { registerDevice } from '../device-registry.ts'
import type { LinkKind } from '../link-kind.ts'
import { linkMaster, unlinkMaster } from '../master.ts'
import type { NetStack } from '../stack.ts'
import { attempt } from './stacked.ts'

/** IP6_MAX_MTU. */
const MAX_MTU = 65_575
/** FRA_PRIORITY of the rule that asks the domains' tables. */
const RULE_PRIORITY = 1000

/** IFLA_VRF_*. */
export interface VrfData {
  readonly table?: number
}

class VrfDevice extends NetDevice {
  override flags = IFF_MASTER | IFF_NOARP
  override mtu = MAX_MTU
  override minMtu = IPV6_MIN_MTU
  override maxMtu = MAX_MTU
  override isNetnsLocal = true
  override hasNoRxHandler = true
  override isVlanChallenged = true
  /** Of no interest to a domain: always up. */
  override operstate = IF_OPER_UP

  override get canEnslave(): boolean {
    return true
  }

  /** vrf_add_slave(). @throws NetlinkError EINVAL, EOPNOTSUPP, EBUSY */
  override addSlave(dev: NetDevice): void {
    if (dev.vrfTable !== undefined) {
      throw new NetlinkError('EINVAL', 'Can not enslave an L3 master device to a VRF')
    }
    if (dev.master instanceof VrfDevice) throw new NetlinkError('EINVAL')
    if (dev.flags & IFF_LOOPBACK) {
      throw new NetlinkError('EOPNOTSUPP', 'Can not enslave loopback device to a VRF')
    }
    linkMaster(dev, this)
    cycle(dev)
  }

  /** vrf_del_slave(). */
  override deleteSlave(dev: NetDevice): void {
    unlinkMaster(dev)
    cycle(dev)
  }

  get members(): NetDevice[] {
    return this.stack.devices.list().filter(({ master }) => master === this)
  }
}

/** cycle_netdev(): what it has of routes is made again. */
function cycle(dev: NetDevice): void {
  if (!dev.isUp) return
  attempt(() => {
    changeFlags(dev, combineFlags(dev, 0, IFF_UP))
    changeFlags(dev, combineFlags(dev, IFF_UP, IFF_UP))
  })
}

/** vrf_add_fib_rules(): once in a namespace, and for good. */
const hasRules = new WeakSet<NetStack>()
function ensureRules(stack: NetStack): void {
  if (hasRules.has(stack)) return
  hasRules.add(stack)
  const rule = {
    action: FR_ACT_TO_TBL,
    l3mdev: 1,
    priority: RULE_PRIORITY,
    protocol: RTPROT_KERNEL,
  }
  const { rules4, rules6, multicastRules4, multicastRules6 } = stack
  for (const table of [rules4, rules6, multicastRules4, multicastRules6]) table.add(rule, 0)
}

export const vrf: LinkKind = {
  kind: 'vrf',
  validate({ address }) {
    const text = 'Invalid hardware address'
    if (address && address.length !== ETH_ALEN) throw new NetlinkError('EINVAL', text)
    if (address && !isValidEtherAddress(address)) throw new NetlinkError('EADDRNOTAVAIL', text)
  },
  setup(stack, name) {
    const dev = new VrfDevice(stack, name, vrf)
    setRandomAddress(dev)
    return dev
  },
  newlink(dev, request) {
    const { table } = (request.data ?? {}) as VrfData
    if (table === undefined) throw new NetlinkError('EINVAL', 'VRF table id is missing')
    if (table === 0) throw new NetlinkError('EINVAL', 'Invalid VRF table id')
    dev.vrfTable = table
    dev.stack.fib4.newTable(table)
    dev.stack.fib6.newTable(table)
    registerDevice(dev)
    ensureRules(dev.stack)
  },
  dellink(dev) {
    const domain = dev as VrfDevice
    for (const member of domain.members) domain.deleteSlave(member)
    return [dev]
  },
}

/** vrf_device_event(). */
export function watchVrfs(stack: NetStack): void {
  stack.chains.netdev.register({
    name: 'vrf_notifier_block',
    call(event, { dev }) {
      if (event === 'NETDEV_UNREGISTER' && dev.master instanceof VrfDevice) {
        dev.master.deleteSlave(dev)
      }
      return NOTIFY_DONE
    },
  })
}
