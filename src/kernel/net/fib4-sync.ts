/**
 * What becomes of the ways of IPv4 routes when their device goes or comes.
 *
 * Kernel: net/ipv4/fib_semantics.c fib_sync_down_dev(), fib_sync_up().
 */
import {
  IFF_LOWER_UP,
  IFF_RUNNING,
  RT_SCOPE_NOWHERE,
  RTNH_F_DEAD,
  RTNH_F_LINKDOWN,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import type { FibInfo } from './fib4-info.ts'

/** fib_sync_down_dev(): whether a route has no way left. `force`: local routes too. */
export function syncDown(
  infos: ReadonlySet<FibInfo>,
  dev: NetDevice,
  lost: 'carrier' | 'down' | 'unregister',
  force: boolean,
): boolean {
  const mark = lost === 'carrier' ? RTNH_F_LINKDOWN : RTNH_F_DEAD | RTNH_F_LINKDOWN
  let isAnyDead = false
  for (const info of infos) {
    let dead = 0
    for (const nh of info.nexthops) {
      if (nh.flags & RTNH_F_DEAD) {
        dead++
      } else if (nh.dev === dev && (force || nh.scope !== RT_SCOPE_NOWHERE)) {
        nh.flags |= mark
        dead++
      }
      if (lost === 'unregister' && nh.dev === dev) dead = info.nexthops.length
    }
    if (dead < info.nexthops.length) continue
    info.flags |= mark
    isAnyDead = true
  }
  return isAnyDead
}

/** fib_sync_up(): nexthops that live again. */
export function syncUp(infos: ReadonlySet<FibInfo>, dev: NetDevice, lost: number): void {
  if (!dev.isUp) return
  const isLinked = (dev.reportedFlags & (IFF_RUNNING | IFF_LOWER_UP)) !== 0
  const mark = lost & RTNH_F_DEAD && isLinked ? lost | RTNH_F_LINKDOWN : lost
  for (const info of infos) {
    let isAlive = false
    for (const nh of info.nexthops) {
      if (nh.flags & mark) {
        if (nh.dev !== dev) continue
        nh.flags &= ~mark
      }
      isAlive = true
    }
    if (isAlive) info.flags &= ~mark
  }
}
