/**
 * Writes new scenarios from a seed: commands on links, addresses, routes, neighbours, rules and
 * nexthops, many of them sensible and some not.
 *
 * Never tunnel encapsulation: some kernels do not survive its options.
 */
import { addr, link, neigh, nexthop, route, rule } from './grammar.ts'
import { type Random, randomFrom } from './random.ts'
import type { Scenario } from './scenario.ts'

const COMMANDS = 16

const WRITERS: Readonly<Record<string, (r: Random) => string>> = {
  link,
  addr,
  route,
  neigh,
  rule,
  nexthop,
}
const OBJECTS = Object.keys(WRITERS)

const SETUP = [
  'for n in 0 2; do ip link add v$n address 02:00:00:00:01:0$n type veth peer name v$((n+1)) address 02:00:00:00:02:0$n; done',
  'ip link add br0 address 02:00:00:00:03:00 type bridge',
  'for d in v0 v1 v2 v3 br0; do ip link set $d addrgenmode none; done',
  'for d in v0 v1 v2 v3 lo; do ip link set $d up; done',
]

/** Addresses, without which most of what follows would be refused. */
const GROUND = [
  'ip addr add 10.0.0.1/24 dev v0; ip addr add 10.0.1.1/24 dev v2',
  'ip addr add 2001:db8:0::1/64 dev v0 nodad; ip addr add 2001:db8:1::1/64 dev v2 nodad',
]

/** What stands at the end. Neighbours and forwarding entries are in a hash's order. */
const SHOW = [
  'ip -d link',
  'ip -j link',
  'ip -d addr',
  'ip -d route show table all',
  'ip -6 -d route show table all',
  'ip neigh show nud all | sort; ip neigh show proxy | sort',
  'ip -d rule; ip -6 -d rule',
  'ip nexthop',
]

/** What only some read, and what is longer to say. */
const MORE = [
  'ip -j -p addr',
  'ip -j route show table all',
  'ip -j rule; ip -j -6 rule',
  'ip -j nexthop',
  'ip netconf',
  'bridge -d link',
  'bridge fdb show | sort',
  'ip -s -d link show v0 | head -4',
  'ip route show cached; ip -6 route show table 100',
  'ip -br addr; ip -br link',
  'ip -o -4 addr; ip -o -6 addr',
]

/** `count` scenarios; the same for the same seed, whatever the count. */
export function generate(seed: number, count: number): Scenario[] {
  return Array.from({ length: count }, (_, n) => {
    const r = randomFrom(seed * 1_000_003 + n)
    const object = OBJECTS[n % OBJECTS.length]!
    const commands = Array.from({ length: COMMANDS }, () =>
      WRITERS[r.onceIn(3) ? r.pick(OBJECTS) : object]!(r),
    )
    const ground = r.onceIn(4) ? [] : GROUND
    return {
      id: `generated/${object}/${seed}-${n}`,
      list: 'generated',
      object,
      steps: [...SETUP, ...ground, ...commands, ...SHOW, r.pick(MORE)],
      recorded: false,
    }
  })
}
