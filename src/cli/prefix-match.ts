/** Whether a prefix lies within another. */
import { parseIp } from '../schema/index.ts'
import type { Prefix } from './parameter.ts'

export type { Prefix }

/** @returns whether all of `inner` is within `outer`. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false
  const [a, b] = [parseIp(outer.address), parseIp(inner.address)]
  if (!a || !b) return false
  const whole = outer.length >> 3
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false
  const rest = outer.length & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return (a[whole]! & mask) === (b[whole]! & mask)
}
