/** For tests of IPv6 routes: a stack with two devices and their prefixes. */
import { parseIpv6 as ip } from './address.ts'
import type { Fib6Config } from './fib6.ts'
import { ME, Recorder, up } from './recorder.test.support.ts'

export const ADD = 0x600
export const APPEND = 0xc00
export const REPLACE = 0x500
export const CHANGE = 0x100

/** v0 with fd00::1/64 and v1 with fd01::1/64, up, and a door to their routes. */
export function host6() {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const { loopback: lo } = t.stack
  up(lo)
  for (const [dev, address] of [
    [v0, 'fd00::1'],
    [v1, 'fd01::1'],
  ] as const)
    t.stack.inet6.add({ ifindex: dev.ifindex, address: ip(address), prefixlen: 64, flags: 2 })
  t.settled()
  const config = (text: string, more: Partial<Fib6Config> = {}): Fib6Config => {
    const [address = '', length = '128'] = text.split('/')
    return { dst: ip(address), dstLen: Number(length), protocol: 3, origin: ME, ...more }
  }
  const insert = (text: string, more: Partial<Fib6Config> = {}, flags = ADD): string[] => {
    t.stack.fib6.add(config(text, more), flags)
    return t.taken()
  }
  const remove = (text: string, more: Partial<Fib6Config> = {}): string[] => {
    t.stack.fib6.delete({ ...config(text), protocol: 0, ...more })
    return t.taken()
  }
  const via = (text: string) => ({ gateway: ip(text) })
  const dev = (each: { ifindex: number }) => ({ oif: each.ifindex })
  return { t, v0, v1, lo, config, insert, remove, via, dev }
}
