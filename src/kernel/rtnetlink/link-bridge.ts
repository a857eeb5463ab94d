/**
 * Bridges and their ports in IFLA_LINKINFO.
 *
 * Kernel: net/bridge/br_netlink.c br_policy, br_port_policy, br_fill_info(),
 * br_port_fill_attrs() (Linux 6.18, with CONFIG_BRIDGE_VLAN_FILTERING).
 */
import { bridgeAttrs, brportAttrs } from '../../families/rt-link-bridge.ts'
import { attrs, binary, flag, type Input, message, rejected, u8 } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import type { BridgeDevice } from '../net/kinds/bridge.ts'
import type { BridgePort } from '../net/kinds/bridge-port.ts'
import type { LinkKindCodec } from './link-kinds.ts'

/** Bits of a port's id that are its number; the rest is its priority. */
const BR_PORT_BITS = 10
/** BR_BOOLOPT_*: every option that there is. */
const BOOLOPTS = 0x1f

/** br_policy. */
const data = message(
  attrs('IFLA_BR_', {
    ...bridgeAttrs.definitions,
    groupAddr: [20, binary.max(32)],
    fdbNLearned: [48, rejected()],
    fdbFlush: [21, flag],
  }),
)

/** br_port_policy. */
const policy = attrs('IFLA_BRPORT_', {
  ...brportAttrs.definitions,
  state: [1, u8],
  mcastNGroups: [41, rejected()],
  mcastEhtHostsCnt: [38, rejected()],
  neighVlanSuppress: [43, u8.max(1)],
  flush: [24, flag],
})
/** IFLA_PROTINFO of a bridge's port as requests have it. */
export const portRequest = message(policy)

/** What a kernel does not tell that is built without VLANs of bridges. */
const WITHOUT_VLANS = {
  vlanProtocol: undefined,
  vlanDefaultPvid: undefined,
  vlanStatsEnabled: undefined,
  vlanStatsPerPort: undefined,
}

/** br_fill_info(). */
function fillBridge(dev: NetDevice): Input<typeof bridgeAttrs> {
  const { id: addr, options, isUp, fdb } = dev as BridgeDevice
  const { boolopts, ...values } = options
  const id = { prio: options.priority, addr }
  return {
    ...values,
    ...(dev.stack.hasBridgeVlans ? {} : WITHOUT_VLANS),
    helloTimer: 0,
    tcnTimer: 0,
    topologyChangeTimer: 0,
    gcTimer: isUp ? options.ageingTime : 0,
    bridgeId: id,
    rootId: id,
    rootPort: 0,
    rootPathCost: 0,
    topologyChange: 0,
    topologyChangeDetected: 0,
    multiBoolopt: { optval: boolopts, optmask: BOOLOPTS },
    fdbNLearned: fdb.list().filter(({ isByUser, isStatic }) => !isByUser && !isStatic).length,
    mcastHashElasticity: 16,
  }
}

/** br_port_fill_attrs(). */
export function fillBridgePort(port: BridgePort): Input<typeof brportAttrs> {
  const { options, backup } = port
  const bridgeId = { prio: port.bridge.options.priority, addr: port.bridge.id }
  const id = (options.priority << BR_PORT_BITS) | port.number
  return {
    ...options,
    state: port.state,
    rootId: bridgeId,
    bridgeId,
    designatedPort: id,
    designatedCost: 0,
    id,
    no: port.number,
    topologyChangeAck: 0,
    configPending: 0,
    mrpRingOpen: 0,
    mrpInOpen: 0,
    messageAgeTimer: 0,
    forwardDelayTimer: 0,
    holdTimer: 0,
    mcastEhtHostsCnt: 0,
    mcastNGroups: 0,
    backupPort: backup?.dev.ifindex,
    backupNhid: options.backupNhid || undefined,
  }
}

export const bridgeCodec: LinkKindCodec = {
  data,
  fill: fillBridge,
  slaveData: portRequest,
  fillSlave: ({ bridgePort }) => bridgePort && fillBridgePort(bridgePort),
}
