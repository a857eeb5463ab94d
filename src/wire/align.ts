/** NLMSG_ALIGN and NLA_ALIGN: both round up to 4 bytes; any length that a number can hold. */
export function align4(length: number): number {
  return length + (-length & 3)
}
