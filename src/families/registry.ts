/** Every family that nlkit describes, by name. Each is loaded when it is asked for. */
import type { Family } from '../schema/index.ts'

const loaders: Readonly<Record<string, () => Promise<Family>>> = {
  IOAM6: async () => (await import('./ioam6.ts')).ioam6,
  NLBL_CALIPSO: async () => (await import('./netlabel.ts')).nlblCalipso,
  NLBL_CIPSOv4: async () => (await import('./netlabel.ts')).nlblCipso,
  NLBL_MGMT: async () => (await import('./netlabel.ts')).nlblMgmt,
  NLBL_UNLBL: async () => (await import('./netlabel.ts')).nlblUnlabel,
  SEG6: async () => (await import('./seg6.ts')).seg6,
  TASKSTATS: async () => (await import('./taskstats.ts')).taskstats,
  VFS_DQUOT: async () => (await import('./kernel-events.ts')).vfsDquot,
  acpi_event: async () => (await import('./kernel-events.ts')).acpiEvent,
  dbus: async () => (await import('./dbus.ts')).dbus,
  ethtool: async () => (await import('./ethtool.ts')).ethtool,
  mptcp_pm: async () => (await import('./mptcp-pm.ts')).mptcpPm,
  netdev: async () => (await import('./netdev.ts')).netdev,
  tcp_metrics: async () => (await import('./tcp-metrics.ts')).tcpMetrics,
  thermal: async () => (await import('./thermal.ts')).thermal,
  'rt-addr': async () => (await import('./rt-addr.ts')).rtAddr,
  'rt-link': async () => (await import('./rt-link.ts')).rtLink,
  'rt-neigh': async () => (await import('./rt-neigh.ts')).rtNeigh,
  'rt-route': async () => (await import('./rt-route.ts')).rtRoute,
  'rt-rule': async () => (await import('./rt-rule.ts')).rtRule,
  nlctrl: async () => (await import('./nlctrl.ts')).nlctrl,
  nlkit: async () => (await import('./nlkit.ts')).nlkit,
}

/** Names of the families that are described here. */
export const familyNames: readonly string[] = Object.keys(loaders)

/** The description of the family `name`; undefined where there is none. */
export async function loadFamily(name: string): Promise<Family | undefined> {
  return Object.hasOwn(loaders, name) ? loaders[name]?.() : undefined
}
