/** The life of an address: deprecated after a time, gone after another. */
import { IFA_F_DEPRECATED, IFA_F_PERMANENT, INFINITY_LIFE_TIME } from './constants.ts'
import type { NetStack } from './stack.ts'

/** Longest delay that a timer takes at once, in milliseconds. */
const MAX_DELAY = 0x7fffffff

/** What addresses of both families have of a life. */
export interface Mortal {
  flags: number
  /** Seconds from `updated`. */
  validLft: number
  preferredLft: number
  /** Milliseconds since boot. */
  updated: number
  cancelTimer: (() => void) | undefined
}

/** Waits for the next turn in the life of `ifa`, in place of what was waited for before. */
export function watchLifetime(
  stack: NetStack,
  ifa: Mortal,
  turns: { deprecated(): void; expired(): void },
): void {
  ifa.cancelTimer?.()
  ifa.cancelTimer = undefined
  if (ifa.flags & IFA_F_PERMANENT) return
  const age = (stack.now() - ifa.updated) / 1000
  if (ifa.validLft !== INFINITY_LIFE_TIME && age >= ifa.validLft) {
    turns.expired()
    return
  }
  const isPreferred = !(ifa.flags & IFA_F_DEPRECATED) && ifa.preferredLft !== INFINITY_LIFE_TIME
  if (isPreferred && age >= ifa.preferredLft) {
    ifa.flags |= IFA_F_DEPRECATED
    turns.deprecated()
  }
  const next = isPreferred && age < ifa.preferredLft ? ifa.preferredLft : ifa.validLft
  if (next === INFINITY_LIFE_TIME) return
  const delay = Math.min(Math.ceil((next - age) * 1000), MAX_DELAY)
  ifa.cancelTimer = stack.setTimer(() => watchLifetime(stack, ifa, turns), delay)
}

/** Seconds that are left of valid and preferred life, as a message reports them. */
export function remainingLifetime(
  stack: NetStack,
  ifa: Mortal,
): { readonly valid: number; readonly preferred: number } {
  if (ifa.flags & IFA_F_PERMANENT) {
    return { valid: INFINITY_LIFE_TIME, preferred: INFINITY_LIFE_TIME }
  }
  const age = Math.floor((stack.now() - ifa.updated) / 1000)
  const left = (life: number): number =>
    life === INFINITY_LIFE_TIME ? life : Math.max(0, life - age)
  return { valid: left(ifa.validLft), preferred: left(ifa.preferredLft) }
}
