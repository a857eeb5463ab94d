/**
 * Families that only tell: VFS_DQUOT when somebody exceeds a quota, acpi_event when a button is
 * pressed or a battery changes.
 *
 * Kernel: fs/quota/netlink.c, include/uapi/linux/quota.h; drivers/acpi/event.c (Linux 6.18).
 */
import { attrs, binary, genlFamily, message, struct, u32, u64 } from '../schema/index.ts'

export const quotaAttrs = attrs('QUOTA_NL_A_', {
  /** 0 of a user, 1 of a group, 2 of a project: whose is `excessId`. */
  qtype: [1, u32],
  excessId: [2, u64],
  /** QUOTA_NL_*: which limit, and on which side of it. */
  warning: [3, u32],
  devMajor: [4, u32],
  devMinor: [5, u32],
  /** The user whose doing it was. */
  causedId: [6, u64],
})

export const vfsDquot = genlFamily({
  name: 'VFS_DQUOT',
  id: 17,
  version: 1,
  maxattr: 7,
  groups: ['events'],
  ops: {},
  notifications: { warning: { cmd: 1, group: 'events', body: message(quotaAttrs) } },
})

/** Names are padded with zeros. */
export const acpiGenlEvent = struct('acpi_genl_event', {
  deviceClass: binary.exact(20),
  busId: binary.exact(15),
  pad: 1,
  type: u32,
  data: u32,
})
export const acpiAttrs = attrs('ACPI_GENL_ATTR_', { event: [1, acpiGenlEvent] })

export const acpiEvent = genlFamily({
  name: 'acpi_event',
  version: 1,
  maxattr: 1,
  groups: ['acpi_mc_group'],
  ops: {},
  notifications: { event: { cmd: 1, group: 'acpi_mc_group', body: message(acpiAttrs) } },
})
