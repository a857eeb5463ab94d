/**
 * What bridges and their ports begin with.
 *
 * Kernel: net/bridge/br_device.c br_dev_setup(), br_multicast.c, br_if.c new_nbp() (Linux 6.18).
 */

/** Of a bridge (IFLA_BR_*); times in hundredths of a second. */
export interface BridgeOptions {
  forwardDelay: number
  helloTime: number
  maxAge: number
  ageingTime: number
  stpState: number
  priority: number
  vlanFiltering: number
  /** ETH_P_*. */
  vlanProtocol: number
  vlanDefaultPvid: number
  vlanStatsEnabled: number
  vlanStatsPerPort: number
  groupFwdMask: number
  groupAddr: Uint8Array
  fdbMaxLearned: number
  mcastRouter: number
  mcastSnooping: number
  mcastQueryUseIfaddr: number
  mcastQuerier: number
  mcastHashMax: number
  mcastLastMemberCnt: number
  mcastStartupQueryCnt: number
  mcastLastMemberIntvl: bigint
  mcastMembershipIntvl: bigint
  mcastQuerierIntvl: bigint
  mcastQueryIntvl: bigint
  mcastQueryResponseIntvl: bigint
  mcastStartupQueryIntvl: bigint
  mcastStatsEnabled: number
  mcastIgmpVersion: number
  mcastMldVersion: number
  nfCallIptables: number
  nfCallIp6tables: number
  nfCallArptables: number
  /** BR_BOOLOPT_* bits. */
  boolopts: number
}

/** In the order in which br_changelink() takes them. */
export function defaultBridgeOptions(): BridgeOptions {
  return {
    forwardDelay: 1500,
    helloTime: 200,
    maxAge: 2000,
    ageingTime: 30_000,
    stpState: 0,
    priority: 0x8000,
    vlanFiltering: 0,
    vlanProtocol: 0x8100,
    vlanDefaultPvid: 1,
    vlanStatsEnabled: 0,
    vlanStatsPerPort: 0,
    groupFwdMask: 0,
    groupAddr: Uint8Array.of(0x01, 0x80, 0xc2, 0, 0, 0),
    fdbMaxLearned: 0,
    mcastRouter: 1,
    mcastSnooping: 1,
    mcastQueryUseIfaddr: 0,
    mcastQuerier: 0,
    mcastHashMax: 4096,
    mcastLastMemberCnt: 2,
    mcastStartupQueryCnt: 2,
    mcastLastMemberIntvl: 100n,
    mcastMembershipIntvl: 26_000n,
    mcastQuerierIntvl: 25_500n,
    mcastQueryIntvl: 12_500n,
    mcastQueryResponseIntvl: 1000n,
    mcastStartupQueryIntvl: 3124n,
    mcastStatsEnabled: 0,
    mcastIgmpVersion: 2,
    mcastMldVersion: 1,
    nfCallIptables: 0,
    nfCallIp6tables: 0,
    nfCallArptables: 0,
    boolopts: 0,
  }
}

/** Of a port (IFLA_BRPORT_*). */
export interface BridgePortOptions {
  priority: number
  cost: number
  mode: number
  guard: number
  protect: number
  fastLeave: number
  mcastToUcast: number
  learning: number
  unicastFlood: number
  mcastFlood: number
  bcastFlood: number
  proxyarp: number
  proxyarpWifi: number
  vlanTunnel: number
  groupFwdMask: number
  neighSuppress: number
  isolated: number
  locked: number
  mab: number
  neighVlanSuppress: number
  multicastRouter: number
  mcastEhtHostsLimit: number
  mcastMaxGroups: number
  backupNhid: number
}

export function defaultPortOptions(cost: number): BridgePortOptions {
  return {
    priority: 32,
    cost,
    mode: 0,
    guard: 0,
    protect: 0,
    fastLeave: 0,
    mcastToUcast: 0,
    learning: 1,
    unicastFlood: 1,
    mcastFlood: 1,
    bcastFlood: 1,
    proxyarp: 0,
    proxyarpWifi: 0,
    vlanTunnel: 0,
    groupFwdMask: 0,
    neighSuppress: 0,
    isolated: 0,
    locked: 0,
    mab: 0,
    neighVlanSuppress: 0,
    multicastRouter: 1,
    mcastEhtHostsLimit: 512,
    mcastMaxGroups: 0,
    backupNhid: 0,
  }
}
