/**
 * Writes new scenarios from a seed: commands on links, addresses, routes, neighbours, rules and
 * nexthops, many of them sensible and some not.
 *
 * Never tunnel encapsulation: some kernels do not survive its options.
 */
import { type Random, randomFrom } from './random.ts'
import type { Scenario } from './scenario.ts'

const COMMANDS = 14

const device = (r: Random): string =>
  r.onceIn(25) ? 'nosuch' : r.pick(['v0', 'v1', 'v2', 'v3', 'br0', 'lo', 'v0', 'v1', 'v2'])
const host4 = (r: Random): string => `10.0.${r.below(3)}.${1 + r.below(6)}`
const net4 = (r: Random): string =>
  r.pick(['10.7.0.0/16', '10.7.1.0/24', '10.8.0.0/16', '192.0.2.0/24', '192.0.2.128/25', 'default'])
const host6 = (r: Random): string => `2001:db8:${r.below(3)}::${1 + r.below(6)}`
const net6 = (r: Random): string =>
  r.pick(['2001:db8:7::/48', '2001:db8:7:1::/64', '2001:db8:8::/48', 'default'])
const verb = (r: Random): string =>
  r.pick(['add', 'add', 'add', 'add', 'replace', 'change', 'append', 'prepend', 'del', 'del'])
const maybe = (r: Random, n: number, text: string): string => (r.onceIn(n) ? ` ${text}` : '')
const lladdr = (r: Random): string => `02:00:00:00:00:0${1 + r.below(9)}`

function link(r: Random): string {
  const dev = device(r)
  const change = r.pick([
    'up',
    'up',
    'down',
    `mtu ${r.pick([1280, 1400, 1500, 9000, 68, 60])}`,
    `txqueuelen ${r.pick([0, 10, 1000])}`,
    `address ${lladdr(r)}`,
    'promisc on',
    'promisc off',
    'multicast off',
    'arp off',
    'arp on',
    `group ${r.below(4)}`,
    'master br0',
    'nomaster',
    `alias word${r.below(5)}`,
    'type bridge_slave cost 7',
  ])
  return r.onceIn(12) ? `ip link del ${dev}` : `ip link set ${dev} ${change}`
}

function addr(r: Random): string {
  const action = r.pick(['add', 'add', 'add', 'replace', 'change', 'del'])
  const dev = device(r)
  if (r.onceIn(3)) {
    const nodad = action === 'del' ? '' : ' nodad'
    return `ip addr ${action} ${host6(r)}/${r.pick([64, 64, 48, 128])} dev ${dev}${nodad}`
  }
  return `ip addr ${action} ${host4(r)}/${r.pick([24, 24, 16, 32, 25])}${maybe(r, 4, 'brd +')} dev ${dev}${maybe(r, 6, `scope ${r.pick(['link', 'host'])}`)}${maybe(r, 8, `label ${dev}:x`)}${maybe(r, 8, 'noprefixroute')}`
}

function route(r: Random): string {
  const six = r.onceIn(3)
  const net = six ? net6(r) : net4(r)
  const host = six ? host6 : host4
  if (r.onceIn(8))
    return `ip ${six ? '-6 ' : ''}route get ${host(r)}${maybe(r, 3, `oif ${device(r)}`)}`
  const tail = `${maybe(r, 4, `metric ${r.below(3)}00`)}${maybe(r, 5, `table ${r.pick([100, 'main', 'local'])}`)}${maybe(r, 6, `proto ${r.pick(['static', 'boot', 77])}`)}`
  if (r.onceIn(6))
    return `ip ${six ? '-6 ' : ''}route ${verb(r)} ${r.pick(['blackhole', 'unreachable', 'prohibit', 'throw'])} ${net}${tail}`
  if (r.onceIn(6))
    return `ip ${six ? '-6 ' : ''}route ${verb(r)} ${net}${tail} nexthop via ${host(r)} nexthop via ${host(r)} weight ${1 + r.below(4)}`
  const way = r.pick([
    `via ${host(r)}`,
    `via ${host(r)}`,
    `dev ${device(r)}`,
    `via ${host(r)} dev ${device(r)}`,
  ])
  return `ip ${six ? '-6 ' : ''}route ${verb(r)} ${net} ${way}${tail}${maybe(r, 6, `mtu ${r.pick([1280, 1400])}`)}${maybe(r, 10, 'onlink')}`
}

function neigh(r: Random): string {
  const host = r.onceIn(3) ? host6(r) : host4(r)
  const action = r.pick(['add', 'add', 'replace', 'change', 'del'])
  if (action === 'del') return `ip neigh del ${host} dev ${device(r)}`
  const nud = maybe(r, 3, `nud ${r.pick(['permanent', 'noarp', 'stale'])}`)
  return `ip neigh ${action} ${host} lladdr ${lladdr(r)}${nud} dev ${device(r)}`
}

function rule(r: Random): string {
  const six = r.onceIn(4)
  const selector = r.pick([
    `from ${six ? '2001:db8::/32' : '10.0.0.0/24'}`,
    `to ${six ? '2001:db8:1::/48' : '10.7.0.0/16'}`,
    `fwmark ${r.below(4)}`,
    `iif ${device(r)}`,
    `oif ${device(r)}`,
    `ipproto ${r.pick(['tcp', 'udp'])}`,
    `uidrange ${r.below(9)}-${r.below(9)}`,
  ])
  const action = r.pick([
    'table 100',
    'table 101',
    'blackhole',
    'unreachable',
    `goto ${50 + r.below(5)}`,
  ])
  return `ip ${six ? '-6 ' : ''}rule ${r.pick(['add', 'add', 'add', 'del'])} ${selector} ${action}${maybe(r, 2, `priority ${50 + r.below(5)}`)}`
}

function nexthop(r: Random): string {
  const id = 1 + r.below(4)
  const what = r.pick([
    `via ${host4(r)} dev ${device(r)}`,
    `dev ${device(r)}`,
    'blackhole',
    `group ${1 + r.below(4)}/${1 + r.below(4)}`,
  ])
  return r.onceIn(4)
    ? `ip nexthop del id ${id}`
    : `ip nexthop ${r.pick(['add', 'replace'])} id ${id} ${what}`
}

const WRITERS = { link, addr, route, neigh, rule, nexthop }

const SETUP = [
  'for n in 0 2; do ip link add v$n address 02:00:00:00:01:0$n type veth peer name v$((n+1)) address 02:00:00:00:02:0$n; done',
  'ip link add br0 address 02:00:00:00:03:00 type bridge',
  'for d in v0 v1 v2 v3 br0; do ip link set $d addrgenmode none; done',
  'for d in v0 v1 v2 v3 lo; do ip link set $d up; done',
]
const SHOW = [
  'ip -d link',
  'ip addr',
  'ip route show table all',
  'ip neigh show nud all',
  'ip rule; ip -6 rule',
]

/** `count` scenarios; the same for the same seed, whatever the count. */
export function generate(seed: number, count: number): Scenario[] {
  const objects = Object.keys(WRITERS) as (keyof typeof WRITERS)[]
  return Array.from({ length: count }, (_, n) => {
    const r = randomFrom(seed * 1_000_003 + n)
    const object = objects[n % objects.length]!
    const commands = Array.from({ length: COMMANDS }, () => {
      const writer = r.onceIn(3) ? r.pick(objects.filter((name) => name !== 'nexthop')) : object
      return WRITERS[writer](r)
    })
    return {
      id: `generated/${object}/${seed}-${n}`,
      list: 'generated',
      object,
      steps: [...SETUP, ...commands, ...SHOW, ...(object === 'nexthop' ? ['ip nexthop'] : [])],
      recorded: false,
    }
  })
}
