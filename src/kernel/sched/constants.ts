/** Numbers of traffic control that its parts share. Kernel: include/uapi/linux/pkt_sched.h, rtnetlink.h. */
export const TC_H_ROOT = 0xffffffff
export const TC_H_INGRESS = 0xfffffff1
/** Minor numbers of the two sides of ingress and clsact. */
export const TC_H_MIN_INGRESS = 0xfff2
export const TC_H_MIN_EGRESS = 0xfff3
/** tcm_ifindex of requests about a shared block, whose number is in tcm_parent. */
export const TCM_IFINDEX_MAGIC_BLOCK = 0xffffffff

export const TCA_KIND = 1
export const TCA_OPTIONS = 2
export const TCA_STATS = 3
export const TCA_XSTATS = 4
export const TCA_STATS2 = 7
export const TCA_STAB = 8
export const TCA_CHAIN = 11
export const TCA_HW_OFFLOAD = 12
export const TCA_INGRESS_BLOCK = 13
export const TCA_EGRESS_BLOCK = 14

/** NLMSG_GOODSIZE: what Linux allocates for a notification. */
export const GOODSIZE = 3776

/** The major number of a handle. */
export function major(handle: number): number {
  return (handle & 0xffff0000) >>> 0
}

export function minor(handle: number): number {
  return handle & 0xffff
}
