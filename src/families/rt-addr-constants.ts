/**
 * Values in addresses' messages.
 *
 * Kernel: include/uapi/linux/if_addr.h (Linux 6.18).
 */

/** IFA_FLAGS; ifa_flags has the lowest eight. SECONDARY (IPv4) and TEMPORARY (IPv6) are one bit. */
export const IFA_F_SECONDARY = 0x1
export const IFA_F_TEMPORARY = 0x1
export const IFA_F_NODAD = 0x2
export const IFA_F_OPTIMISTIC = 0x4
export const IFA_F_DADFAILED = 0x8
export const IFA_F_HOMEADDRESS = 0x10
export const IFA_F_DEPRECATED = 0x20
export const IFA_F_TENTATIVE = 0x40
export const IFA_F_PERMANENT = 0x80
export const IFA_F_MANAGETEMPADDR = 0x100
export const IFA_F_NOPREFIXROUTE = 0x200
export const IFA_F_MCAUTOJOIN = 0x400
export const IFA_F_STABLE_PRIVACY = 0x800

/** IFA_PROTO: where an address came from. */
export const IFAPROT_UNSPEC = 0
export const IFAPROT_KERNEL_LO = 1
export const IFAPROT_KERNEL_RA = 2
export const IFAPROT_KERNEL_LL = 3

/** A lifetime without end. */
export const INFINITY_LIFE_TIME = 0xffffffff
