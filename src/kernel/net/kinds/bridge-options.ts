/**
 * What can be set on a bridge and on its ports, and what is refused.
 *
 * Kernel: net/bridge/br_netlink.c br_changelink(), br_setport(); br_stp.c, br_multicast.c
 * (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import { BR_STATE_BLOCKING, BR_STATE_DISABLED, ETH_ALEN } from '../constants.ts'
import type { BridgeDevice } from './bridge.ts'
import type { BridgeOptions, BridgePortOptions } from './bridge-defaults.ts'
import { type BridgePort, selectPortStates } from './bridge-port.ts'
import { followSnooping } from './bridge-snoopers.ts'
import { setDefaultPvid } from './bridge-vlan.ts'

/** What a request may ask for beside the values. */
export interface BridgeRequest extends Partial<BridgeOptions> {
  readonly fdbFlush?: unknown
  readonly multiBoolopt?: { readonly optval: number; readonly optmask: number }
}

/** Those that are on or off. */
const BOOLEANS: ReadonlySet<keyof BridgeOptions> = new Set<keyof BridgeOptions>([
  'vlanFiltering',
  'vlanStatsEnabled',
  'vlanStatsPerPort',
  'mcastSnooping',
  'mcastQueryUseIfaddr',
  'mcastQuerier',
  'mcastStatsEnabled',
  'nfCallIptables',
  'nfCallIp6tables',
  'nfCallArptables',
])

type Check = readonly [code: 'ERANGE' | 'EINVAL' | 'EPROTONOSUPPORT', min: number, max: number]

/** What is refused outside of its limits. */
const RANGES: Partial<Record<keyof BridgeOptions, Check>> = {
  helloTime: ['ERANGE', 100, 1000],
  maxAge: ['ERANGE', 600, 4000],
  mcastRouter: ['EINVAL', 0, 2],
  mcastIgmpVersion: ['EINVAL', 2, 3],
  mcastMldVersion: ['EINVAL', 1, 2],
  vlanStatsEnabled: ['EINVAL', 0, 1],
  vlanStatsPerPort: ['EINVAL', 0, 1],
}
/** Of the forward delay, while the spanning tree protocol is on. */
const FORWARD_DELAY: readonly [number, number] = [200, 3000]
/** BR_GROUPFWD_RESTRICTED: what a bridge never forwards. */
const RESTRICTED_GROUPS = 0x7
/** Last byte of the groups that are no bridge's own. */
const FOREIGN_GROUPS: readonly number[] = [1, 2, 3]
/** Hundredths of a second between queries, at least. */
const MIN_QUERY_INTERVAL = 100n
const BOOLOPT_MCAST_VLAN_SNOOPING = 0x2
const BOOLOPT_MST = 0x4

/** br_changelink(): one after the other. @throws NetlinkError ERANGE, EINVAL, EPERM, EBUSY */
export function changeBridge(bridge: BridgeDevice, request: BridgeRequest): void {
  const { options } = bridge
  for (const name of Object.keys(options) as (keyof BridgeOptions)[]) {
    if (name === 'fdbMaxLearned' && request.fdbFlush !== undefined) {
      bridge.fdb.flush({ isStatic: false })
    }
    const value = request[name]
    if (value !== undefined) changeOption(bridge, name, value)
  }
  if (request.multiBoolopt) changeBoolopts(bridge, request.multiBoolopt)
}

function changeOption(
  bridge: BridgeDevice,
  name: keyof BridgeOptions,
  value: number | bigint | Uint8Array,
): void {
  const { options } = bridge
  if (!bridge.stack.hasBridgeVlans && name.startsWith('vlan')) {
    if (name === 'vlanFiltering' && value !== 0) throw new NetlinkError('EOPNOTSUPP')
    return
  }
  checkOption(bridge, name, value)
  if (name === 'vlanDefaultPvid') {
    setDefaultPvid(bridge, value as number)
    return
  }
  if (name === 'stpState') {
    setStp(bridge, value as number)
    return
  }
  const isInterval = name === 'mcastQueryIntvl' || name === 'mcastStartupQueryIntvl'
  const kept = isInterval && (value as bigint) < MIN_QUERY_INTERVAL ? MIN_QUERY_INTERVAL : value
  const { mcastSnooping } = options
  Object.assign(options, { [name]: BOOLEANS.has(name) ? Number(value !== 0) : kept })
  if (name === 'vlanFiltering') bridge.managePromiscuity()
  if (name === 'mcastSnooping') followSnooping(bridge, mcastSnooping, options.mcastSnooping)
  if (name === 'priority') selectPortStates(bridge)
}

function checkOption(
  { options }: BridgeDevice,
  name: keyof BridgeOptions,
  value: number | bigint | Uint8Array,
): void {
  const isDelay = name === 'forwardDelay' && options.stpState !== 0
  const [code, min, max] = isDelay
    ? (['ERANGE', ...FORWARD_DELAY] as const)
    : (RANGES[name] ?? (['ERANGE', 0, Infinity] as const))
  if (typeof value === 'number' && (value < min || value > max)) throw new NetlinkError(code)
  if (name === 'groupFwdMask' && (value as number) & RESTRICTED_GROUPS) {
    throw new NetlinkError('EINVAL')
  }
  if (name === 'vlanProtocol' && value !== 0x8100 && value !== 0x88a8) {
    throw new NetlinkError('EPROTONOSUPPORT')
  }
  if (name === 'groupAddr' && !isGroupAddress(value as Uint8Array)) throw new NetlinkError('EINVAL')
}

/** is_link_local_ether_addr(), and free for a bridge. */
function isGroupAddress(address: Uint8Array): boolean {
  const head = [0x01, 0x80, 0xc2, 0, 0]
  const last = address[ETH_ALEN - 1] as number
  return (
    address.length === ETH_ALEN &&
    head.every((byte, i) => address[i] === byte) &&
    last < 16 &&
    !FOREIGN_GROUPS.includes(last)
  )
}

/** br_stp_set_enabled(), br_stp_start(). */
function setStp(bridge: BridgeDevice, value: number): void {
  const { options } = bridge
  if (value !== 0 && options.stpState === 0) {
    const [min, max] = FORWARD_DELAY
    options.forwardDelay = Math.min(Math.max(options.forwardDelay, min), max)
    selectPortStates(bridge)
  }
  options.stpState = value === 0 ? 0 : 1
}

/** br_boolopt_multi_toggle(). */
function changeBoolopts(
  bridge: BridgeDevice,
  { optval, optmask }: { readonly optval: number; readonly optmask: number },
): void {
  const { options, vlans, ports } = bridge
  const next = (options.boolopts & ~optmask) | (optval & optmask)
  const changed = next ^ options.boolopts
  if (changed & next & BOOLOPT_MCAST_VLAN_SNOOPING && !options.vlanFiltering) {
    const text = 'Cannot enable multicast VLAN snooping with VLAN filtering disabled'
    throw new NetlinkError('EINVAL', text)
  }
  const hasVlans = vlans.usable.length > 0 || ports.some((port) => port.vlans.usable.length > 0)
  if (changed & BOOLOPT_MST && hasVlans) {
    throw new NetlinkError('EBUSY', "MST mode can't be changed while VLANs exist")
  }
  options.boolopts = next
}

/** What a request may ask for beside the values. */
export interface BridgePortRequest extends Partial<BridgePortOptions> {
  readonly state?: number
  readonly flush?: unknown
  /** An index; 0: none. */
  readonly backupPort?: number
}

/** The flags of a port (BR_*). */
const PORT_FLAGS = [
  'mode',
  'guard',
  'fastLeave',
  'protect',
  'learning',
  'unicastFlood',
  'mcastFlood',
  'mcastToUcast',
  'bcastFlood',
  'proxyarp',
  'proxyarpWifi',
  'vlanTunnel',
  'neighSuppress',
  'isolated',
  'locked',
  'mab',
  'neighVlanSuppress',
] as const
const MAX_COST = 65_535
const MAX_PRIORITY = 63
/** BR_GROUPFWD_MACPAUSE. */
const MACPAUSE = 0x2
/** MDB_RTR_TYPE_TEMP. */
const MAX_ROUTER = 3

/** br_setport(): the flags first. @throws NetlinkError */
export function changePort(port: BridgePort, request: BridgePortRequest): void {
  const { options } = port
  const flags: Partial<Record<(typeof PORT_FLAGS)[number], number>> = {}
  for (const name of PORT_FLAGS) {
    const value = request[name]
    if (value !== undefined) flags[name] = Number(value !== 0)
  }
  const next = { ...options, ...flags }
  if (next.mab && !(next.locked && next.learning)) {
    const text = 'Bridge port must be locked and have learning enabled when MAB is enabled'
    throw new NetlinkError('EINVAL', text)
  }
  Object.assign(options, flags)
  port.bridge.managePromiscuity()
  const { cost, priority, state, multicastRouter, groupFwdMask } = request
  if (cost !== undefined) {
    if (cost < 1 || cost > MAX_COST) throw new NetlinkError('ERANGE')
    options.cost = cost
  }
  if (priority !== undefined) {
    if (priority > MAX_PRIORITY) throw new NetlinkError('ERANGE')
    options.priority = priority
  }
  if (state !== undefined) setPortState(port, state)
  if (request.flush !== undefined) port.bridge.fdb.deletePort(port.dev)
  if (multicastRouter !== undefined) {
    if (multicastRouter > MAX_ROUTER) throw new NetlinkError('EINVAL')
    options.multicastRouter = multicastRouter
  }
  if (request.mcastEhtHostsLimit !== undefined) {
    if (request.mcastEhtHostsLimit === 0) throw new NetlinkError('EINVAL')
    options.mcastEhtHostsLimit = request.mcastEhtHostsLimit
  }
  if (request.mcastMaxGroups !== undefined) options.mcastMaxGroups = request.mcastMaxGroups
  if (groupFwdMask !== undefined) {
    if (groupFwdMask & MACPAUSE) throw new NetlinkError('EINVAL')
    options.groupFwdMask = groupFwdMask
  }
  if (request.backupPort !== undefined) setBackup(port, request.backupPort)
  if (request.backupNhid !== undefined) options.backupNhid = request.backupNhid
}

/** br_set_port_state(). @throws NetlinkError EINVAL, EBUSY, ENETDOWN */
export function setPortState(port: BridgePort, state: number): void {
  if (state > BR_STATE_BLOCKING) throw new NetlinkError('EINVAL')
  if (port.bridge.options.stpState === 1) throw new NetlinkError('EBUSY')
  const { dev } = port
  if (!dev.isUp || (!dev.isOperUp && state !== BR_STATE_DISABLED)) {
    throw new NetlinkError('ENETDOWN')
  }
  port.state = state
  selectPortStates(port.bridge)
}

/** nbp_backup_change(). @throws NetlinkError ENOENT, EINVAL */
function setBackup(port: BridgePort, ifindex: number): void {
  const dev = ifindex === 0 ? undefined : port.dev.stack.devices.byIndex(ifindex)
  if (ifindex !== 0 && !dev?.bridgePort) throw new NetlinkError('ENOENT')
  const other = dev?.bridgePort
  if (other && (other === port || other.bridge !== port.bridge)) throw new NetlinkError('EINVAL')
  port.backup = other
}
