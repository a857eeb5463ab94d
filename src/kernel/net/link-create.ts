/**
 * Making and unmaking links of a kind.
 *
 * Kernel: net/core/rtnetlink.c rtnl_create_link(), rtnl_newlink_create(), rtnl_configure_link(),
 * rtnl_delete_link().
 */
import { NetlinkError } from '../../errors.ts'
import type { Origin } from './chains.ts'
import { type NetDevice, setRandomAddress } from './device.ts'
import { combineFlags, notifyFlags, setFlags } from './device-flags.ts'
import { registerDevice, unregisterDevices } from './device-registry.ts'
import { checkMtu } from './device-settings.ts'
import type { LinkKind, LinkRequest } from './link-kind.ts'
import { requestOperstate } from './link-watch.ts'
import { setMaster } from './master.ts'
import type { NetStack } from './stack.ts'

/** Queues that a device has at most. */
const MAX_QUEUES = 4096

/**
 * A link of `kind` as `request` describes it, registered, configured and announced last.
 * `master` is an index to put it under; when that fails, the link is gone again.
 * @throws NetlinkError with what the kind, a name, an index or a value is refused with.
 */
export function createLink(
  stack: NetStack,
  kind: LinkKind,
  request: LinkRequest,
  origin?: Origin,
  master = 0,
): NetDevice {
  kind.validate?.(request)
  const dev = allocateLink(stack, kind, request.name ?? `${kind.kind}%d`, request)
  dev.ifindex = request.ifindex ?? 0
  if (kind.newlink) kind.newlink(dev, request)
  else registerDevice(dev)
  try {
    configureLink(dev, request, origin)
    if (master !== 0) setMaster(dev, master)
  } catch (error) {
    deleteLinks([dev])
    throw error
  }
  return dev
}

/** rtnl_create_link(): a device that nobody sees yet. `name` may be a pattern. */
export function allocateLink(
  stack: NetStack,
  kind: LinkKind,
  name: string,
  request: LinkRequest,
): NetDevice {
  const txQueues = request.txQueues ?? kind.queues ?? 1
  const rxQueues = request.rxQueues ?? kind.queues ?? 1
  if (txQueues < 1 || txQueues > MAX_QUEUES) {
    throw new NetlinkError('EINVAL', 'Invalid number of transmit queues')
  }
  if (rxQueues < 1 || rxQueues > MAX_QUEUES) {
    throw new NetlinkError('EINVAL', 'Invalid number of receive queues')
  }
  const dev = kind.setup(stack, name)
  dev.txQueues = txQueues
  dev.rxQueues = rxQueues
  dev.isAnnounced = false
  const { address, broadcast, mtu, offload = {} } = request
  dev.offload.check(offload)
  if (mtu !== undefined) {
    checkMtu(dev, mtu)
    dev.mtu = mtu
  }
  if (address) {
    dev.address = address.slice(0, dev.address.length)
    dev.addressSource = 'set'
  }
  if (broadcast) dev.broadcast = broadcast.slice(0, dev.broadcast.length)
  if (request.txQueueLength !== undefined) dev.txQueueLength = request.txQueueLength
  if (request.operstate !== undefined) requestOperstate(dev, request.operstate)
  if (request.linkMode !== undefined) dev.linkMode = request.linkMode
  if (request.group !== undefined) dev.group = request.group
  dev.offload.apply(offload)
  return dev
}

/** rtnl_configure_link(): applies flags and announces the link, with all bits as changed. */
export function configureLink(dev: NetDevice, request: LinkRequest, origin?: Origin): void {
  const { flags: old } = dev
  const { flags = 0, change = 0 } = request
  if (flags || change) setFlags(dev, combineFlags(dev, flags, change))
  const announced = dev.isAnnounced ? old ^ dev.flags : 0xffffffff
  dev.isAnnounced = true
  notifyFlags(dev, old, announced, origin)
}

/**
 * rtnl_delete_link() of several: all or none.
 * @throws NetlinkError EOPNOTSUPP when one of them has no kind, as lo.
 */
export function deleteLinks(devs: readonly NetDevice[], origin?: Origin): void {
  if (devs.some((dev) => !dev.kind)) throw new NetlinkError('EOPNOTSUPP')
  const all = new Set<NetDevice>()
  for (const dev of devs) {
    if (all.has(dev)) continue
    for (const each of dev.kind?.dellink?.(dev) ?? [dev]) all.add(each)
  }
  unregisterDevices([...all], origin)
}

/** A random MAC address where `request` brings none. */
export function ensureAddress(dev: NetDevice, request: LinkRequest): void {
  if (!request.address) setRandomAddress(dev)
}
