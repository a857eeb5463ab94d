/**
 * Bridges and their ports in IFLA_LINKINFO.
 *
 * Kernel: net/bridge/br_netlink.c br_policy, br_port_policy, br_fill_info(),
 * br_port_fill_attrs() (Linux 6.18, without CONFIG_BRIDGE_VLAN_FILTERING).
 */
import { bridgeAttrs, brportAttrs } from '../../families/rt-link-bridge.ts'
import { type Input, message } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import type { BridgeDevice } from '../net/kinds/bridge.ts'
import type { BridgePort } from '../net/kinds/bridge-port.ts'
import type { LinkKindCodec } from './link-kinds.ts'

/** Bits of a port's id that are its number; the rest is its priority. */
const BR_PORT_BITS = 10
/** BR_BOOLOPT_*: every option that there is. */
const BOOLOPTS = 0x1f
/** MAC address of the spanning tree protocol. */
const GROUP_ADDR = '01:80:c2:00:00:00'

const data = message(
  bridgeAttrs.only(
    'forwardDelay',
    'helloTime',
    'maxAge',
    'ageingTime',
    'stpState',
    'priority',
    'vlanFiltering',
    'vlanDefaultPvid',
    'groupFwdMask',
    'mcastSnooping',
    'mcastRouter',
    'mcastQuerier',
    'nfCallIptables',
    'nfCallIp6tables',
    'nfCallArptables',
  ),
)

const slaveData = message(
  brportAttrs.only(
    'priority',
    'cost',
    'mode',
    'guard',
    'protect',
    'fastLeave',
    'learning',
    'unicastFlood',
    'mcastFlood',
    'bcastFlood',
    'proxyarp',
    'neighSuppress',
    'isolated',
    'locked',
  ),
)

/** br_fill_info(). */
function fillBridge(dev: NetDevice): Input<typeof bridgeAttrs> {
  const { id: addr, options, isUp } = dev as BridgeDevice
  const id = { prio: options.priority, addr }
  return {
    helloTimer: 0,
    tcnTimer: 0,
    topologyChangeTimer: 0,
    gcTimer: isUp ? options.ageingTime : 0,
    forwardDelay: options.forwardDelay,
    helloTime: options.helloTime,
    maxAge: options.maxAge,
    ageingTime: options.ageingTime,
    stpState: options.stpState,
    priority: options.priority,
    vlanFiltering: options.vlanFiltering,
    groupFwdMask: options.groupFwdMask,
    bridgeId: id,
    rootId: id,
    rootPort: 0,
    rootPathCost: 0,
    topologyChange: 0,
    topologyChangeDetected: 0,
    groupAddr: GROUP_ADDR,
    multiBoolopt: { optval: 0, optmask: BOOLOPTS },
    fdbNLearned: 0,
    fdbMaxLearned: 0,
    mcastRouter: options.mcastRouter,
    mcastSnooping: options.mcastSnooping,
    mcastQueryUseIfaddr: 0,
    mcastQuerier: options.mcastQuerier,
    mcastStatsEnabled: 0,
    mcastHashElasticity: 16,
    mcastHashMax: 4096,
    mcastLastMemberCnt: 2,
    mcastStartupQueryCnt: 2,
    mcastIgmpVersion: 2,
    mcastMldVersion: 1,
    mcastLastMemberIntvl: 100,
    mcastMembershipIntvl: 26_000,
    mcastQuerierIntvl: 25_500,
    mcastQueryIntvl: 12_500,
    mcastQueryResponseIntvl: 1000,
    mcastStartupQueryIntvl: 3124,
    nfCallIptables: options.nfCallIptables,
    nfCallIp6tables: options.nfCallIp6tables,
    nfCallArptables: options.nfCallArptables,
  }
}

/** br_port_fill_attrs(). */
export function fillBridgePort(port: BridgePort): Input<typeof brportAttrs> {
  const { options } = port
  const bridgeId = { prio: port.bridge.options.priority, addr: port.bridge.id }
  const id = (options.priority << BR_PORT_BITS) | port.number
  return {
    state: port.state,
    priority: options.priority,
    cost: options.cost,
    mode: options.mode ?? 0,
    guard: options.guard ?? 0,
    protect: options.protect ?? 0,
    fastLeave: options.fastLeave ?? 0,
    mcastToUcast: 0,
    learning: options.learning ?? 1,
    unicastFlood: options.unicastFlood ?? 1,
    mcastFlood: options.mcastFlood ?? 1,
    bcastFlood: options.bcastFlood ?? 1,
    proxyarp: options.proxyarp ?? 0,
    proxyarpWifi: 0,
    rootId: bridgeId,
    bridgeId,
    designatedPort: id,
    designatedCost: 0,
    id,
    no: port.number,
    topologyChangeAck: 0,
    configPending: 0,
    vlanTunnel: 0,
    groupFwdMask: 0,
    neighSuppress: options.neighSuppress ?? 0,
    mrpRingOpen: 0,
    mrpInOpen: 0,
    isolated: options.isolated ?? 0,
    locked: options.locked ?? 0,
    mab: 0,
    neighVlanSuppress: 0,
    messageAgeTimer: 0,
    forwardDelayTimer: 0,
    holdTimer: 0,
    multicastRouter: 1,
    mcastEhtHostsLimit: 512,
    mcastEhtHostsCnt: 0,
    mcastNGroups: 0,
    mcastMaxGroups: 0,
  }
}

export const bridgeCodec: LinkKindCodec = {
  data,
  fill: fillBridge,
  slaveData,
  fillSlave: ({ bridgePort }) => bridgePort && fillBridgePort(bridgePort),
}
