/** Prefixes that routers announce (RFC 4861): they are told as they come, and cannot be listed. */
import { IF_PREFIX_AUTOCONF, IF_PREFIX_ONLINK, type rtPrefix } from '../../families/rt-prefix.ts'
import type { Notification } from '../../schema/index.ts'

type Decoded = Notification<typeof rtPrefix>['value']

export interface AnnouncedPrefix {
  /** `2001:db8::/64`. */
  prefix: string
  /** The link that heard it. */
  ifindex: number
  /** Whether its addresses are reached without a router. */
  onlink: boolean
  /** Whether addresses may be made of it. */
  autoconf: boolean
  /** Seconds; 4,294,967,295 is forever. */
  valid?: number
  preferred?: number
}

export function toAnnouncedPrefix(decoded: Decoded): AnnouncedPrefix {
  const { ifindex, len, flags, address = '::', cacheinfo } = decoded
  return {
    prefix: `${address}/${len}`,
    ifindex,
    onlink: (flags & IF_PREFIX_ONLINK) !== 0,
    autoconf: (flags & IF_PREFIX_AUTOCONF) !== 0,
    ...(cacheinfo && { valid: cacheinfo.validTime, preferred: cacheinfo.preferredTime }),
  }
}
