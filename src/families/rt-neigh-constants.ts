/**
 * Values in neighbours' messages.
 *
 * Kernel: include/uapi/linux/neighbour.h (Linux 6.18).
 */

/** ndm_state. */
export const NUD_NONE = 0x0
export const NUD_INCOMPLETE = 0x1
export const NUD_REACHABLE = 0x2
export const NUD_STALE = 0x4
export const NUD_DELAY = 0x8
export const NUD_PROBE = 0x10
export const NUD_FAILED = 0x20
export const NUD_NOARP = 0x40
export const NUD_PERMANENT = 0x80

/** ndm_flags. */
export const NTF_USE = 0x1
export const NTF_SELF = 0x2
export const NTF_MASTER = 0x4
export const NTF_PROXY = 0x8
export const NTF_EXT_LEARNED = 0x10
export const NTF_OFFLOADED = 0x20
export const NTF_STICKY = 0x40
export const NTF_ROUTER = 0x80

/** NDA_FLAGS_EXT. */
export const NTF_EXT_MANAGED = 0x1
export const NTF_EXT_LOCKED = 0x2
export const NTF_EXT_EXT_VALIDATED = 0x4
