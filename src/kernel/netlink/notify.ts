/**
 * What the netlink chain tells: a port that somebody had is free.
 *
 * Kernel: include/linux/notifier.h NETLINK_URELEASE, include/linux/netlink.h struct netlink_notify.
 */
import type { Net } from '../net-namespace.ts'

/** A bound socket of a process was closed. */
export const NETLINK_URELEASE = 1

/** Whose port it was (struct netlink_notify). */
export interface NetlinkNotify {
  readonly net: Net
  readonly protocol: number
  readonly portid: number
  /**
   * The closed socket's cookie. The port may have a new holder already: what was remembered with
   * the same cookie is the old one's.
   */
  readonly cookie: number
}
