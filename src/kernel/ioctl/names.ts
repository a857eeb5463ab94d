/** Names of interfaces as structs of ioctl(2) have them: sixteen bytes, the last one a NUL. */
import { IFNAMSIZ } from '../net/constants.ts'

export function readName(bytes: Uint8Array): string {
  const field = bytes.subarray(0, IFNAMSIZ - 1)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}

export function writeName(bytes: Uint8Array, name: string): void {
  bytes.fill(0, 0, IFNAMSIZ)
  bytes.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1))
}
