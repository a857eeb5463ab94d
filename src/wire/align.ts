/** NLMSG_ALIGN and NLA_ALIGN: both round up to 4 bytes. */
export function align4(length: number): number {
  return (length + 3) & ~3
}
