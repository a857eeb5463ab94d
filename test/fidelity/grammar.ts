/** One command at a time: what `ip` understands, with arguments that are right, odd, or wrong. */
import type { Random } from './random.ts'

/** ` text` once in `n` times. */
const maybe = (r: Random, n: number, text: string): string => (r.onceIn(n) ? ` ${text}` : '')

const device = (r: Random): string =>
  r.onceIn(25) ? 'nosuch' : r.pick(['v0', 'v0', 'v1', 'v2', 'v2', 'v3', 'br0', 'lo'])
/** Those that the setup gave addresses. */
const served = (r: Random): string => (r.onceIn(6) ? device(r) : r.pick(['v0', 'v2']))
const host4 = (r: Random): string => `10.0.${r.below(3)}.${1 + r.below(6)}`
const near4 = (r: Random): string => `10.0.${r.below(2)}.${2 + r.below(5)}`
const net4 = (r: Random): string =>
  r.pick([
    '10.7.0.0/16',
    '10.7.1.0/24',
    '10.7.1.128/25',
    '10.8.0.0/16',
    '192.0.2.0/24',
    '192.0.2.7',
    'default',
    '10.7.1.1/24',
    '0.0.0.0/1',
  ])
const host6 = (r: Random): string => `2001:db8:${r.below(3)}::${1 + r.below(6)}`
const near6 = (r: Random): string => `2001:db8:${r.below(2)}::${2 + r.below(5)}`
const net6 = (r: Random): string =>
  r.pick([
    '2001:db8:7::/48',
    '2001:db8:7:1::/64',
    '2001:db8:8::/48',
    '2001:db8:8::1',
    'default',
    '2001:db8:7::1/48',
  ])
const lladdr = (r: Random): string =>
  r.onceIn(20)
    ? r.pick(['01:00:5e:00:00:01', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'])
    : `02:00:00:00:00:0${1 + r.below(9)}`
const six = (yes: boolean): string => (yes ? '-6 ' : '')

const SETTINGS: readonly ((r: Random) => string)[] = [
  () => 'up',
  () => 'up',
  () => 'down',
  (r) => `mtu ${r.pick([1280, 1400, 1500, 9000, 68, 60, 65535, 70000])}`,
  (r) => `txqueuelen ${r.pick([0, 10, 1000])}`,
  (r) => `address ${lladdr(r)}`,
  (r) => `promisc ${r.pick(['on', 'off'])}`,
  (r) => `allmulticast ${r.pick(['on', 'off'])}`,
  (r) => `multicast ${r.pick(['on', 'off'])}`,
  (r) => `arp ${r.pick(['on', 'off'])}`,
  (r) => `dynamic ${r.pick(['on', 'off'])}`,
  (r) => `group ${r.pick([0, 1, 2, 'default', 4294967295])}`,
  (r) => `master ${r.pick(['br0', 'br0', 'br0', 'lo', 'v1', 'nosuch'])}`,
  () => 'nomaster',
  (r) => `alias ${r.pick(['word', 'another-word', '"two words"'])}`,
  (r) => `name ${r.pick(['w0', 'v1', 'a-name-of-15-cs', 'lo'])}`,
  (r) => `type bridge_slave ${bridgeSlave(r)}`,
  (r) => `protodown ${r.pick(['on', 'off'])}`,
  (r) => `gso_max_size ${r.pick([65536, 4000, 0, 1000000])}`,
  (r) => `gso_max_segs ${r.pick([1, 65535, 70000])}`,
  (r) => `addrgenmode ${r.pick(['none', 'none', 'stable_secret'])}`,
]

function bridgeSlave(r: Random): string {
  return r.pick([
    `cost ${r.pick([1, 7, 65535, 70000])}`,
    `priority ${r.pick([0, 8, 63, 64])}`,
    `hairpin ${r.pick(['on', 'off'])}`,
    `learning ${r.pick(['on', 'off'])}`,
    `flood ${r.pick(['on', 'off'])}`,
    `guard ${r.pick(['on', 'off'])}`,
    `isolated ${r.pick(['on', 'off'])}`,
    `state ${r.below(6)}`,
    'fastleave on',
    'mcast_router 2',
  ])
}

function bridge(r: Random): string {
  return r.pick([
    `ageing_time ${r.pick([0, 1000, 30000])}`,
    `forward_delay ${r.pick([200, 1500, 3000, 9999])}`,
    `hello_time ${r.pick([100, 200, 1001])}`,
    `max_age ${r.pick([600, 2000, 9999])}`,
    `priority ${r.pick([0, 100, 65535])}`,
    `group_fwd_mask ${r.pick([0, 8, 65528])}`,
    `mcast_snooping ${r.below(2)}`,
    `mcast_hash_max ${r.pick([512, 4096, 100])}`,
    `mcast_querier ${r.below(2)}`,
  ])
}

function newLink(r: Random): string {
  return r.pick([
    'ip link add n0 address 02:00:00:00:04:00 type bridge',
    `ip link add n0 address 02:00:00:00:04:00 type veth peer name ${r.pick(['n1', 'v0', 'n0'])} address 02:00:00:00:04:01`,
    'ip link add n2 address 02:00:00:00:04:02 type ifb',
    `ip link add n3 link ${device(r)} address 02:00:00:00:04:03 type macvlan mode ${r.pick(['bridge', 'private', 'vepa'])}`,
    'ip link add n4 type nosuch',
    `ip link add ${r.pick(['v0', 'br0'])} type bridge`,
    `ip link add n0 index ${r.pick([1, 77, 4000])} address 02:00:00:00:04:00 type bridge`,
    `ip link add n0 address 02:00:00:00:04:00 mtu ${r.pick([60, 1400, 9000])} type bridge`,
    'ip link add n0 address 02:00:00:00:04:00 numtxqueues 3 type bridge',
  ])
}

export function link(r: Random): string {
  const dev = device(r)
  if (r.onceIn(12)) return `ip link del ${dev}`
  if (r.onceIn(7)) return newLink(r)
  if (r.onceIn(12))
    return `ip link property ${r.pick(['add', 'add', 'del'])} dev ${dev} altname ${r.pick(['other', 'a-name-that-is-longer-than-sixteen', 'v1'])}`
  if (r.onceIn(15)) return `ip link set br0 type bridge ${bridge(r)}`
  if (r.onceIn(20))
    return `ip -d link show ${r.pick([dev, 'up', 'master br0', 'group 1', 'type veth'])}`
  const two = r.onceIn(6) ? ` ${r.pick(SETTINGS)(r)}` : ''
  return `ip link set dev ${dev} ${r.pick(SETTINGS)(r)}${two.includes('type') ? '' : two}`
}

export function addr(r: Random): string {
  const action = r.pick(['add', 'add', 'add', 'replace', 'change', 'del', 'del'])
  const dev = served(r)
  if (r.onceIn(15)) return `ip addr flush dev ${dev}${maybe(r, 3, 'scope link')}`
  if (r.onceIn(20))
    return `ip addr show ${r.pick([`dev ${dev}`, 'up', 'scope global', 'label v*', 'to 10.0.0.0/24', 'permanent'])}`
  const gone = action === 'del'
  const lifetime = gone
    ? ''
    : maybe(r, 8, `valid_lft ${r.pick([1000, 2000, 'forever'])} preferred_lft ${r.pick([900, 0])}`)
  if (r.onceIn(3)) {
    const flags = gone
      ? ''
      : ` nodad${maybe(r, 6, r.pick(['noprefixroute', 'home', 'mngtmpaddr']))}`
    return `ip addr ${action} ${host6(r)}/${r.pick([64, 64, 48, 128, 127])} dev ${dev}${flags}${lifetime}${maybe(r, 10, 'metric 77')}`
  }
  const peer = maybe(r, 10, `peer ${host4(r)}/${r.pick([32, 24])}`)
  const what = peer ? `${host4(r)}${peer}` : `${host4(r)}/${r.pick([24, 24, 16, 32, 25, 31, 30])}`
  return `ip addr ${action} ${what}${maybe(r, 4, r.pick(['brd +', 'brd 10.0.0.77', 'brd -']))} dev ${dev}${maybe(r, 6, `scope ${r.pick(['link', 'host', 'site', 99])}`)}${maybe(r, 8, `label ${dev}:x`)}${maybe(r, 8, 'noprefixroute')}${maybe(r, 10, 'metric 77')}${maybe(r, 12, 'proto 9')}${lifetime}`
}

function metrics(r: Random): string {
  return maybe(
    r,
    5,
    r.pick([
      'mtu 1400',
      'mtu lock 1300',
      'advmss 900',
      'window 5000',
      'rtt 300ms',
      'hoplimit 70',
      'initcwnd 12',
      'quickack 1',
      'rto_min 100ms',
      'congctl nosuch',
      'features ecn',
      'initrwnd 9',
    ]),
  )
}

function nexthops(r: Random, host: (r: Random) => string): string {
  const one = (): string =>
    ` nexthop via ${host(r)}${maybe(r, 3, `dev ${served(r)}`)}${maybe(r, 2, `weight ${r.pick([1, 2, 5, 256])}`)}${maybe(r, 12, 'onlink')}`
  return `${one()}${one()}${r.onceIn(4) ? one() : ''}`
}

/** What is asked of the table, not put in. */
function askRoute(r: Random, is6: boolean): string {
  const host = is6 ? host6(r) : r.pick([host4(r), host4(r), '127.0.0.1', '224.0.0.1', '10.0.0.255'])
  return r.pick([
    `ip ${six(is6)}route get ${host}${maybe(r, 3, `oif ${device(r)}`)}${maybe(r, 8, 'mark 2')}`,
    `ip ${six(is6)}route get ${host} from ${is6 ? host6(r) : host4(r)}${maybe(r, 2, `iif ${device(r)}`)}`,
    `ip ${six(is6)}route show ${r.pick(['table 100', `dev ${served(r)}`, 'proto static', 'scope link', 'type blackhole', `root ${is6 ? '2001:db8::/32' : '10.7.0.0/16'}`, `exact ${is6 ? net6(r) : net4(r)}`])}`,
  ])
}

export function route(r: Random): string {
  const is6 = r.onceIn(3)
  if (r.onceIn(8)) return askRoute(r, is6)
  if (r.onceIn(20))
    return `ip ${six(is6)}route flush ${r.pick(['table 100', `dev ${served(r)}`, 'proto static', `root ${is6 ? '2001:db8:7::/48' : '10.7.0.0/16'}`])}`
  const net = is6 ? net6(r) : net4(r)
  const host = (each: Random): string =>
    each.onceIn(8) ? (is6 ? host6 : host4)(each) : (is6 ? near6 : near4)(each)
  const verb = r.pick([
    'add',
    'add',
    'add',
    'add',
    'replace',
    'change',
    'append',
    'prepend',
    'del',
    'del',
  ])
  const tail = `${maybe(r, 4, `metric ${r.below(3)}00`)}${maybe(r, 5, `table ${r.pick([100, 'main', 'local', 4000])}`)}${maybe(r, 6, `proto ${r.pick(['static', 'boot', 77, 'bird'])}`)}${is6 ? maybe(r, 10, `pref ${r.pick(['low', 'high'])}`) : `${maybe(r, 12, `tos ${r.pick([4, 16, 3])}`)}${maybe(r, 12, `scope ${r.pick(['link', 'host', 'global'])}`)}`}`
  const head = `ip ${six(is6)}route ${verb}`
  if (r.onceIn(7))
    return `${head} ${r.pick(['blackhole', 'unreachable', 'prohibit', 'throw', 'local', 'unicast'])} ${net}${maybe(r, 5, `dev ${served(r)}`)}${tail}`
  if (r.onceIn(6)) return `${head} ${net}${tail}${metrics(r)}${nexthops(r, host)}`
  if (r.onceIn(9)) return `${head} ${net} nhid ${1 + r.below(6)}${tail}`
  const way = r.pick([
    `via ${host(r)}`,
    `via ${host(r)}`,
    `dev ${served(r)}`,
    `via ${host(r)} dev ${served(r)}`,
    is6 ? `via ${host(r)}` : `via inet6 ${near6(r)} dev ${served(r)}`,
  ])
  return `${head} ${net} ${way}${tail}${metrics(r)}${maybe(r, 10, 'onlink')}${maybe(r, 8, `src ${is6 ? host6(r) : host4(r)}`)}${is6 ? maybe(r, 12, 'expires 900') : maybe(r, 12, 'realm 3/4')}`
}

export function neigh(r: Random): string {
  const host = r.onceIn(3) ? host6(r) : host4(r)
  const dev = device(r)
  const action = r.pick([
    'add',
    'add',
    'add',
    'replace',
    'replace',
    'change',
    'change',
    'del',
    'del',
  ])
  if (r.onceIn(12))
    return `ip neigh ${r.pick(['add', 'add', 'del', 'replace'])} proxy ${host} dev ${dev}`
  if (r.onceIn(15))
    return `ip neigh flush ${r.pick([`dev ${dev}`, 'nud stale', 'all', `to 10.0.0.0/24`])}`
  if (r.onceIn(12)) return `ip neigh get ${r.pick([host, `proxy ${host}`])} dev ${dev}`
  if (r.onceIn(15))
    return `ip neigh show ${r.pick([`dev ${dev}`, 'nud permanent', `to ${host}`, 'proxy'])} | sort`
  if (r.onceIn(12))
    return `bridge fdb ${r.pick(['add', 'add', 'del', 'replace'])} ${lladdr(r)} dev ${dev}${maybe(r, 2, r.pick(['master', 'self', 'master static', 'self local']))}`
  if (action === 'del') return `ip neigh del ${host} dev ${dev}`
  const nud = maybe(r, 3, `nud ${r.pick(['permanent', 'noarp', 'stale', 'none'])}`)
  const address = r.onceIn(12) ? r.pick(['', ' lladdr 02:00']) : ` lladdr ${lladdr(r)}`
  return `ip neigh ${action} ${host}${address}${nud} dev ${dev}${maybe(r, 8, r.pick(['router', 'extern_learn', 'protocol 9', 'use']))}`
}

export function rule(r: Random): string {
  const is6 = r.onceIn(4)
  if (r.onceIn(20))
    return `ip ${six(is6)}rule ${r.pick(['flush', 'show', 'show table 100', 'show fwmark 1', 'del'])}`
  const selector = r.pick([
    `from ${is6 ? '2001:db8::/32' : '10.0.0.0/24'}`,
    `from ${is6 ? '2001:db8::1' : '10.0.0.1'}`,
    `to ${is6 ? '2001:db8:1::/48' : '10.7.0.0/16'}`,
    `fwmark ${r.below(4)}`,
    `fwmark 0x10/0x${r.pick(['f0', 'ff'])}`,
    `iif ${device(r)}`,
    `oif ${device(r)}`,
    `tos ${r.pick([4, 16, 3])}`,
    `ipproto ${r.pick(['tcp', 'udp', 'icmp'])}`,
    `sport ${r.pick(['80', '80-90', '90-80'])} ipproto tcp`,
    'dport 53',
    `uidrange ${r.below(9)}-${r.below(9)}`,
    `tun_id ${r.below(3)}`,
    'from all',
    'l3mdev',
  ])
  const action =
    selector === 'l3mdev'
      ? ''
      : ` ${r.pick(['table 100', 'table 100', 'table 101', 'table main', 'table 4000', 'blackhole', 'unreachable', 'prohibit', 'nop', `goto ${50 + r.below(8)}`])}`
  const more = `${maybe(r, 10, 'suppress_prefixlength 8')}${maybe(r, 12, 'suppress_ifgroup 1')}${maybe(r, 12, 'protocol 77')}${is6 ? '' : maybe(r, 15, 'realms 3/4')}`
  return `ip ${six(is6)}rule ${r.pick(['add', 'add', 'add', 'del'])}${maybe(r, 12, 'not')} ${selector}${action}${maybe(r, 2, `priority ${r.pick([50, 51, 52, 53, 0, 32766])}`)}${more}`
}

function nexthopWhat(r: Random): string {
  return r.pick([
    `via ${near4(r)} dev ${served(r)}`,
    `via ${near4(r)} dev ${served(r)}`,
    `via ${near6(r)} dev ${served(r)}`,
    `via ${host4(r)} dev ${device(r)}`,
    `via ${host4(r)} dev ${served(r)} onlink`,
    `dev ${device(r)}`,
    'blackhole',
    '-6 blackhole',
    `group ${1 + r.below(6)}/${1 + r.below(6)}`,
    `group ${1 + r.below(6)},${1 + r.below(9)}/${1 + r.below(6)},2`,
    `group ${1 + r.below(6)}/${1 + r.below(6)} type resilient buckets ${r.pick([4, 8])} idle_timer 100`,
    `via ${near4(r)} fdb`,
  ])
}

export function nexthop(r: Random): string {
  const id = 1 + r.below(6)
  if (r.onceIn(5)) return `ip nexthop del id ${id}`
  if (r.onceIn(12))
    return `ip nexthop ${r.pick([`get id ${id}`, 'flush', `show dev ${served(r)}`, 'show groups', 'show fdb', `bucket show id ${id}`])}`
  if (r.onceIn(5))
    return `ip route ${r.pick(['add', 'add', 'replace', 'del'])} ${net4(r)} nhid ${id}`
  const what = nexthopWhat(r)
  const verb = r.pick(['add', 'add', 'add', 'replace'])
  if (what.startsWith('-6')) return `ip -6 nexthop ${verb} id ${id} blackhole`
  return `ip nexthop ${verb} id ${id} ${what}${maybe(r, 8, 'protocol static')}`
}
