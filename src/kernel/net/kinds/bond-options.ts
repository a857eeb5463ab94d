/**
 * The options of a bond: what they are before anybody sets them, and which values they take.
 *
 * Kernel: drivers/net/bonding/bond_options.c bond_opts, bond_main.c bond_check_params() (Linux 6.12).
 */
const MODE_ROUND_ROBIN = 0
export const MODE_ACTIVE_BACKUP = 1
export const MODE_8023AD = 4
const MODE_TLB = 5
const MODE_ALB = 6
const INT_MAX = 0x7fffffff

/** IFLA_BOND_*; intervals in milliseconds, delays in intervals of `miimon`. */
export interface BondOptions {
  mode: number
  miimon: number
  updelay: number
  downdelay: number
  peerNotifDelay: number
  useCarrier: number
  arpInterval: number
  arpValidate: number
  arpAllTargets: number
  primaryReselect: number
  failOverMac: number
  xmitHashPolicy: number
  resendIgmp: number
  numPeerNotif: number
  allSlavesActive: number
  minLinks: number
  lpInterval: number
  packetsPerSlave: number
  adLacpActive: number
  adLacpRate: number
  adSelect: number
  tlbDynamicLb: number
  missedMax: number
  adActorSysPrio: number
  adUserPortKey: number
}

export interface BondData extends Partial<BondOptions> {
  /** Indices; 0: none. */
  readonly activeSlave?: number
  readonly primary?: number
  readonly arpIpTarget?: readonly string[]
  readonly adActorSystem?: Uint8Array
}

export const DEFAULTS: BondOptions = {
  mode: MODE_ROUND_ROBIN,
  miimon: 0,
  updelay: 0,
  downdelay: 0,
  peerNotifDelay: 0,
  useCarrier: 1,
  arpInterval: 0,
  arpValidate: 0,
  arpAllTargets: 0,
  primaryReselect: 0,
  failOverMac: 0,
  xmitHashPolicy: 0,
  resendIgmp: 1,
  numPeerNotif: 1,
  allSlavesActive: 0,
  minLinks: 0,
  lpInterval: 1,
  packetsPerSlave: 1,
  adLacpActive: 1,
  adLacpRate: 0,
  adSelect: 0,
  tlbDynamicLb: 1,
  missedMax: 2,
  adActorSysPrio: 65_535,
  adUserPortKey: 0,
}

/** bond_opts: the largest value, the modes that know the option, and when it may be set. */
interface Rule {
  readonly max: number
  readonly min?: number
  readonly modes?: readonly number[]
  readonly isWithoutMembers?: boolean
  readonly isDown?: boolean
}
export const WITHOUT_ARP = [0, 1, 2, 3]
export const WITH_PRIMARY = [MODE_ACTIVE_BACKUP, MODE_TLB, MODE_ALB]
export const RULES: Readonly<Record<keyof BondOptions, Rule>> = {
  mode: { max: 6, isWithoutMembers: true, isDown: true },
  miimon: { max: INT_MAX },
  updelay: { max: INT_MAX },
  downdelay: { max: INT_MAX },
  peerNotifDelay: { max: 300_000 },
  useCarrier: { max: 1 },
  arpInterval: { max: INT_MAX, modes: WITHOUT_ARP },
  arpValidate: { max: 6, modes: WITHOUT_ARP },
  arpAllTargets: { max: 1 },
  primaryReselect: { max: 2 },
  failOverMac: { max: 2, isWithoutMembers: true },
  xmitHashPolicy: { max: 5 },
  resendIgmp: { max: 255 },
  numPeerNotif: { max: 255 },
  allSlavesActive: { max: 1 },
  minLinks: { max: INT_MAX },
  lpInterval: { min: 1, max: INT_MAX },
  packetsPerSlave: { max: 65_535, modes: [MODE_ROUND_ROBIN] },
  adLacpActive: { max: 1, modes: [MODE_8023AD], isDown: true },
  adLacpRate: { max: 1, modes: [MODE_8023AD], isDown: true },
  adSelect: { max: 2, isDown: true },
  tlbDynamicLb: { max: 1, modes: [MODE_TLB, MODE_ALB], isDown: true },
  missedMax: { min: 1, max: 255, modes: WITHOUT_ARP },
  adActorSysPrio: { min: 1, max: 65_535, modes: [MODE_8023AD] },
  adUserPortKey: { max: 1023, modes: [MODE_8023AD], isDown: true },
}
