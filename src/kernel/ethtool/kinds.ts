/**
 * What the drivers of simulated links answer to ethtool.
 *
 * Kernel: drivers/net/{loopback,veth,ifb,dummy}.c, net/bridge/br_device.c; numbers of Linux 6.18.
 */
import type { NetDevice } from '../net/device.ts'
import { FEATURES } from './strings.ts'

/** netdev_features_t: what can be changed, is wanted, is on. */
export interface Features {
  readonly hw: bigint
  readonly wanted: bigint
  readonly active: bigint
}

/** What a driver's ethtool_ops answer; absent: EOPNOTSUPP, or nothing is said. */
export interface EthtoolOps {
  readonly features: Features
  /** What is off as long as it has ports, which cannot do it. */
  readonly lostToPorts?: bigint
  /** SOF_TIMESTAMPING_*. */
  readonly timestamping: bigint
  /** get_link. */
  readonly hasLink?: boolean
  /** get_link_ksettings: port, Mbit/s, duplex. */
  link?(dev: NetDevice): { port: number; speed: number; duplex: number }
  /** get_channels. */
  readonly hasChannels?: boolean
}

function bitsOf(...names: readonly string[]): bigint {
  return names.reduce((bits, name) => bits | (1n << BigInt(FEATURES.indexOf(name))), 0n)
}

const PORT_TP = 0
const PORT_OTHER = 255
const DUPLEX_FULL = 1
const UNKNOWN = 255
const SPEED_UNKNOWN = 0xffffffff

/** Features of software devices, with those of the sender's time stamps. */
const SOFTWARE: EthtoolOps = {
  features: { hw: 0x0a00220e4fdd48e9n, wanted: 0x200e4fdd48e9n, active: 0x200e4fdd48e9n },
  timestamping: 0x18n,
}

const KINDS: Readonly<Record<string, EthtoolOps>> = {
  lo: {
    features: { hw: 0x0a00000e401d4800n, wanted: 0x0e401d4800n, active: 0x052e401d4c69n },
    timestamping: 0x1an,
    hasLink: true,
  },
  veth: {
    features: { hw: 0x0a00632e4fdd49e9n, wanted: 0x612e4fdd09e9n, active: 0x612e4fdd09e9n },
    timestamping: 0x1an,
    hasLink: true,
    link: () => ({ port: PORT_TP, speed: 10_000, duplex: DUPLEX_FULL }),
    hasChannels: true,
  },
  bridge: {
    features: { hw: 0x0a00220fffff48e9n, wanted: 0x200fffff48e9n, active: 0x200fffff48e9n },
    lostToPorts: bitsOf('tx-gso-robust', 'tx-fcoe-segmentation'),
    timestamping: 0x18n,
    hasLink: true,
    link: (dev) => ({ port: PORT_OTHER, speed: speedOfPorts(dev), duplex: UNKNOWN }),
  },
}

export function hasPorts(dev: NetDevice): boolean {
  return dev.canEnslave && dev.stack.devices.list().some(({ master }) => master === dev)
}

/** br_get_link_ksettings(): that of the fastest port that is up. */
function speedOfPorts(bridge: NetDevice): number {
  const speeds = bridge.stack.devices
    .list()
    .filter((dev) => dev.master === bridge && dev.isUp && dev.isOperUp && dev.speed > 0)
    .map(({ speed }) => speed)
  return speeds.length === 0 ? SPEED_UNKNOWN : Math.max(...speeds)
}

export function opsOf(dev: NetDevice): EthtoolOps {
  return KINDS[dev.kind?.kind ?? 'lo'] ?? SOFTWARE
}
