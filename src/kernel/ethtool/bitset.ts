/** Bit sets of ethtool's messages: compact, or bit by bit with their names. */

import type { bitsetAttrs } from '../../families/ethtool-attrs.ts'
import type { Input } from '../../schema/index.ts'

export type Bitset = Input<typeof bitsetAttrs>

/** Which bits are set, of `size`; with a mask also which of them mean something. */
export interface Bits {
  readonly size: number
  readonly value: bigint
  readonly mask?: bigint
}

function toBytes(bits: bigint, size: number): Uint8Array {
  const words = Math.ceil(size / 32)
  return Uint8Array.from({ length: words * 4 }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn))
}

/** ethnl_put_bitset(). */
export function putBitset(
  { size, value, mask }: Bits,
  names: readonly string[],
  isCompact: boolean,
): Bitset {
  const head = mask === undefined ? { nomask: true as const, size } : { size }
  if (isCompact) {
    const bytes = { ...head, value: toBytes(value, size) }
    return mask === undefined ? bytes : { ...bytes, mask: toBytes(mask, size) }
  }
  const bit = []
  for (let index = 0; index < size; index++) {
    const isSet = ((value >> BigInt(index)) & 1n) !== 0n
    const isShown = mask === undefined ? isSet : ((mask >> BigInt(index)) & 1n) !== 0n
    const name = names[index] || undefined
    if (isShown && name !== undefined)
      bit.push({ index, name, ...(mask !== undefined && isSet ? { value: true as const } : {}) })
  }
  return { ...head, bits: { bit } }
}
