/** Which items of a table are wanted. */
import { NetlinkError } from '../errors.ts'
import { isEqual } from './equal.ts'

/** Those whose members have these values, or of which it says so. */
export type Match<T> = Partial<T> | ((item: T) => boolean)

/** A match as a function. */
export function matcher<T>(match: Match<T>): (item: T) => boolean {
  if (typeof match === 'function') return match
  const wanted = Object.keys(match) as (keyof T)[]
  return (item) =>
    wanted.every((name) => match[name] === undefined || isEqual(item[name], match[name]))
}

/** @throws NetlinkError NETLINK_INVALID for what is neither members nor a function. */
export function checkMatch<T>(match: Match<T>): Match<T> {
  if (typeof match === 'function' || (typeof match === 'object' && match !== null)) return match
  throw new NetlinkError('NETLINK_INVALID', {
    message: `${String(match)} says not what is wanted: members with their values, or a function, expected`,
  })
}
