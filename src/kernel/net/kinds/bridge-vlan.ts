/**
 * The VLANs of bridges and their ports.
 *
 * Kernel: net/bridge/br_vlan.c (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import type { BrvlanNotice } from '../chains.ts'
import { BR_STATE_FORWARDING } from '../constants.ts'
import type { NetDevice } from '../device.ts'
import type { BridgeDevice } from './bridge.ts'
import type { BridgePort } from './bridge-port.ts'

/** Numbers of VLANs are below, and above 0. */
const VLAN_VID_MASK = 4095
export const BRIDGE_VLAN_INFO_MASTER = 0x1
export const BRIDGE_VLAN_INFO_PVID = 0x2
export const BRIDGE_VLAN_INFO_UNTAGGED = 0x4
export const BRIDGE_VLAN_INFO_BRENTRY = 0x20
const DEFAULT_FLAGS = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED

/** What a VLAN has for all ports: its multicast settings, as a bridge has them. Times in 1/100 s. */
export interface VlanGlobals {
  mcastSnooping: number
  mcastQuerier: number
  mcastIgmpVersion: number
  mcastMldVersion: number
  mcastLastMemberCnt: number
  mcastStartupQueryCnt: number
  mcastLastMemberIntvl: bigint
  mcastMembershipIntvl: bigint
  mcastQuerierIntvl: bigint
  mcastQueryIntvl: bigint
  mcastQueryResponseIntvl: bigint
  mcastStartupQueryIntvl: bigint
  msti: number
}

function defaultGlobals(): VlanGlobals {
  return {
    mcastSnooping: 1,
    mcastQuerier: 0,
    mcastIgmpVersion: 2,
    mcastMldVersion: 1,
    mcastLastMemberCnt: 2,
    mcastStartupQueryCnt: 2,
    mcastLastMemberIntvl: 100n,
    mcastMembershipIntvl: 26_000n,
    mcastQuerierIntvl: 25_500n,
    mcastQueryIntvl: 12_500n,
    mcastQueryResponseIntvl: 1000n,
    mcastStartupQueryIntvl: 3124n,
    msti: 0,
  }
}

/** struct net_bridge_vlan. */
export class BridgeVlan {
  readonly vid: number
  isUntagged = false
  /** Whether packets pass; the bridge may know one only because a port has it. */
  isUsable: boolean
  /** BR_STATE_*. */
  state = BR_STATE_FORWARDING
  /** MDB_RTR_TYPE_*. */
  mcastRouter = 1
  neighSuppress = false
  /** Of a bridge's VLAN. */
  readonly globals = defaultGlobals()
  /** The VXLAN network that it is carried in; 0: none. */
  tunnelId = 0

  constructor(vid: number, isUsable: boolean) {
    this.vid = vid
    this.isUsable = isUsable
  }
}

/** The VLANs of a bridge, or of a port, by their numbers (struct net_bridge_vlan_group). */
export class VlanGroup {
  readonly list: BridgeVlan[] = []
  /** The VLAN of packets without a tag; 0: none. */
  pvid = 0

  find(vid: number): BridgeVlan | undefined {
    return this.list.find((vlan) => vlan.vid === vid)
  }

  get usable(): BridgeVlan[] {
    return this.list.filter(({ isUsable }) => isUsable)
  }

  insert(vlan: BridgeVlan): void {
    const at = this.list.findIndex(({ vid }) => vid > vlan.vid)
    this.list.splice(at < 0 ? this.list.length : at, 0, vlan)
  }

  remove(vlan: BridgeVlan): void {
    if (this.pvid === vlan.vid) this.pvid = 0
    this.list.splice(this.list.indexOf(vlan), 1)
  }

  /** __vlan_flags_update(): whether one changed. */
  update(vlan: BridgeVlan, flags: number): boolean {
    const { pvid } = this
    if (flags & BRIDGE_VLAN_INFO_PVID) this.pvid = vlan.vid
    else if (pvid === vlan.vid) this.pvid = 0
    const isUntagged = (flags & BRIDGE_VLAN_INFO_UNTAGGED) !== 0
    const isChanged = this.pvid !== pvid || vlan.isUntagged !== isUntagged
    vlan.isUntagged = isUntagged
    return isChanged
  }

  /** vlan_default_pvid(): whether `vid` is still what nobody changed. */
  hasDefault(vid: number): boolean {
    const vlan = this.find(vid)
    return vid === this.pvid && vlan?.isUsable === true && vlan.isUntagged
  }
}

/** br_vlan_valid_id(). @throws NetlinkError EINVAL */
export function checkVid(vid: number): void {
  if (vid === 0 || vid >= VLAN_VID_MASK)
    throw new NetlinkError('EINVAL', 'bridge: Vlan id is invalid')
}

/** nbp_vlan_add(): whether something changed. */
export function addPortVlan(port: BridgePort, vid: number, flags: number): boolean {
  const { bridge, vlans, dev } = port
  const known = vlans.find(vid)
  if (known) return vlans.update(known, flags)
  if (flags & BRIDGE_VLAN_INFO_MASTER) {
    const own = addBridgeVlan(bridge, vid, flags | BRIDGE_VLAN_INFO_BRENTRY)
    if (own) announceVlan('NEWVLAN', bridge, vid)
  }
  if (!bridge.vlans.find(vid)) bridge.vlans.insert(new BridgeVlan(vid, false))
  const vlan = new BridgeVlan(vid, true)
  bridge.fdb.addLocal(dev, dev.address, vid)
  vlans.insert(vlan)
  vlans.update(vlan, flags)
  return true
}

/** br_vlan_add(): whether something changed. @throws NetlinkError EINVAL */
export function addBridgeVlan(bridge: BridgeDevice, vid: number, flags: number): boolean {
  const { vlans } = bridge
  const known = vlans.find(vid)
  const isEntry = (flags & BRIDGE_VLAN_INFO_BRENTRY) !== 0
  if (known && !known.isUsable && !isEntry) throw new NetlinkError('EINVAL')
  const vlan = known ?? new BridgeVlan(vid, isEntry)
  const isNew = !known?.isUsable
  vlan.isUsable = true
  if (isNew) bridge.fdb.addLocal(undefined, bridge.address, vid)
  if (!known) vlans.insert(vlan)
  return vlans.update(vlan, flags) || isNew
}

/** nbp_vlan_delete(): whether there was one. */
export function deletePortVlan(port: BridgePort, vid: number): boolean {
  const { bridge, vlans, dev } = port
  const vlan = vlans.find(vid)
  if (!vlan) return false
  bridge.fdb.deleteLocal(dev, dev.address, vid)
  bridge.fdb.deletePort(dev, vid)
  vlans.remove(vlan)
  forgetUnused(bridge, vid)
  return true
}

/** br_vlan_delete(): whether there was one. */
export function deleteBridgeVlan(bridge: BridgeDevice, vid: number): boolean {
  const vlan = bridge.vlans.find(vid)
  if (!vlan?.isUsable) return false
  bridge.fdb.deleteLocal(undefined, bridge.address, vid)
  bridge.fdb.deletePort(undefined, vid)
  if (bridge.vlans.pvid === vid) bridge.vlans.pvid = 0
  vlan.isUsable = false
  forgetUnused(bridge, vid)
  return true
}

/** br_vlan_put_master(). */
function forgetUnused({ vlans, ports }: BridgeDevice, vid: number): void {
  const vlan = vlans.find(vid)
  if (vlan && !vlan.isUsable && !ports.some((port) => port.vlans.find(vid))) vlans.remove(vlan)
}

/** nbp_vlan_init(). */
export function initPortVlans(port: BridgePort): void {
  const vid = port.bridge.options.vlanDefaultPvid
  if (vid === 0 || !port.dev.stack.hasBridgeVlans) return
  addPortVlan(port, vid, DEFAULT_FLAGS)
  announceVlan('NEWVLAN', port, vid)
}

/** nbp_vlan_flush(): the last first. */
export function flushPortVlans(port: BridgePort): void {
  for (const { vid } of [...port.vlans.list]) {
    port.vlans.remove(port.vlans.find(vid) as BridgeVlan)
    forgetUnused(port.bridge, vid)
  }
}

/** br_vlan_bridge_event(): what a bridge begins with. */
export function initBridgeVlans(bridge: BridgeDevice): void {
  const { vlanDefaultPvid } = bridge.options
  if (vlanDefaultPvid === 0 || !bridge.stack.hasBridgeVlans) return
  addBridgeVlan(bridge, vlanDefaultPvid, DEFAULT_FLAGS | BRIDGE_VLAN_INFO_BRENTRY)
  announceVlan('NEWVLAN', bridge, vlanDefaultPvid)
}

/**
 * br_vlan_set_default_pvid(): where the old one is still what nobody changed, the new one takes its
 * place.
 * @throws NetlinkError EINVAL
 */
export function setDefaultPvid(bridge: BridgeDevice, vid: number): void {
  const { options, vlans, ports } = bridge
  const old = options.vlanDefaultPvid
  if (vid >= VLAN_VID_MASK) throw new NetlinkError('EINVAL')
  if (vid === old) return
  const isDefault = (group: VlanGroup): boolean => old === 0 || group.hasDefault(old)
  if (vid === 0 ? vlans.hasDefault(old) : isDefault(vlans) && !vlans.find(vid)?.isUsable) {
    if (vid) addBridgeVlan(bridge, vid, DEFAULT_FLAGS | BRIDGE_VLAN_INFO_BRENTRY)
    if (deleteBridgeVlan(bridge, old)) announceVlan('DELVLAN', bridge, old)
    if (vid) announceVlan('NEWVLAN', bridge, vid)
  }
  for (const port of ports) {
    const group = port.vlans
    if (vid === 0 ? !group.hasDefault(old) : !isDefault(group) || group.find(vid)) continue
    if (vid) addPortVlan(port, vid, DEFAULT_FLAGS)
    if (deletePortVlan(port, old)) announceVlan('DELVLAN', port, old)
    if (vid) announceVlan('NEWVLAN', port, vid)
  }
  options.vlanDefaultPvid = vid
}

/** br_vlan_notify(): `vid` of a bridge or a port, up to `last`, is different. */
export function announceVlan(
  event: 'NEWVLAN' | 'DELVLAN',
  of: BridgeDevice | BridgePort,
  vid: number,
  last = vid,
): void {
  const dev: NetDevice = 'bridge' in of ? of.dev : of
  const notice: BrvlanNotice = { dev, group: of.vlans, vid, last }
  dev.stack.chains.brvlan.call(event, notice)
}
