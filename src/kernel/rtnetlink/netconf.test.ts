/** How devices forward: what is told of changes, what can be asked for. */
import {
  ACK,
  ADD,
  DUMP,
  GET,
  ifinfo,
  type Part,
  raw,
  type Step,
  step,
  str,
  sysctl,
  u32,
  veth,
} from './requests.test.support.ts'
import { sessions } from './transcript.test.support.ts'

const LIST = 82
const ALL = -1
const DEFAULT = -2
const NETCONF4 = 24
const NETCONF6 = 25

const pair = step('a veth pair', 16, ADD, veth('v0', 'v1'))
const change = (label: string, ...parts: Part[]): Step =>
  step(label, 16, ACK, ifinfo({ index: 2 }, ...parts))

const lives: readonly Step[] = [
  pair,
  change('a name', str(3, 'w1')),
  change('too small for IPv6', u32(4, 1000)),
  change('large enough again', u32(4, 1500)),
  step('gone', 17, ACK, ifinfo({ index: 3 })),
]

const written = (family: 'ipv4' | 'ipv6', lines: string): Step[] =>
  lines
    .trim()
    .split(/\s*\n\s*/)
    .map((line) => line.split('='))
    .map(([name = '', text = '']) => sysctl(`net.${family}.conf.${name}`, text))

const ipv4: readonly Step[] = [
  pair,
  ...written(
    'ipv4',
    `v0.forwarding=1
     v0.forwarding=1
     v0.forwarding=7
     v0.rp_filter=1
     v0.rp_filter=0x10
     v0.rp_filter=-5
     v0.bc_forwarding=1
     v0.proxy_arp=1
     v0.ignore_routes_with_linkdown=1
     v0.promote_secondaries=1
     default.rp_filter=2
     default.proxy_arp=1
     default.forwarding=1
     all.rp_filter=2
     all.forwarding=2
     all.forwarding=0
     v0.forwarding=x
     v0.rp_filter=99999999999
     v0.mc_forwarding=1
     v0.nosuch=1
     nosuch.forwarding=1`,
  ),
  sysctl('net.ipv4.ip_forward', '1'),
  step('a bridge that begins with it', 16, ADD, veth('v2', 'v3')),
  step('all of it', LIST, DUMP, raw(2, 0, 0, 0)),
]

const ipv6: readonly Step[] = [
  pair,
  ...written(
    'ipv6',
    `v0.forwarding=1
     v0.forwarding=2
     v0.proxy_ndp=1
     v0.ignore_routes_with_linkdown=1
     default.forwarding=1
     default.proxy_ndp=1
     default.ignore_routes_with_linkdown=1
     default.force_forwarding=1
     all.forwarding=1
     all.forwarding=2
     all.forwarding=0
     all.proxy_ndp=1
     all.ignore_routes_with_linkdown=1
     all.ignore_routes_with_linkdown=0
     v0.force_forwarding=1
     v0.force_forwarding=2
     all.force_forwarding=1
     all.force_forwarding=0
     v0.hop_limit=256
     v0.hop_limit=10
     v0.mtu=1279
     v0.mtu=1501
     v0.mtu=1400
     default.mtu=100000
     v0.addr_gen_mode=2
     v0.addr_gen_mode=5
     v0.addr_gen_mode=1
     all.stable_secret=fe80::1
     v0.stable_secret=nothing
     v0.stable_secret=fe80::1
     v0.addr_gen_mode=2
     v1.router_solicitations=-2
     v1.ra_defrtr_metric=0
     v1.ndisc_tclass=256
     v1.ndisc_evict_nocarrier=2
     v1.accept_untracked_na=3
     v1.ioam6_id=65536
     v1.seg6_enabled=9
     v1.router_solicitation_interval=7`,
  ),
  step('all of it', LIST, DUMP, raw(10, 0, 0, 0)),
]

const request = (family: number, ...parts: Part[]): Part[] => [raw(family, 0, 0, 0), ...parts]
const asked: readonly Step[] = [
  pair,
  ...[2, 10, 0, 200].flatMap((family) => [
    ...(
      [
        ['nothing', []],
        ['lo', [u32(1, 1)]],
        ['all', [u32(1, ALL)]],
        ['default', [u32(1, DEFAULT)]],
        ['a link that is not there', [u32(1, 99)]],
        ['index 0', [u32(1, 0)]],
        ['a short index', [raw(6, 0, 1, 0, 1, 0, 0, 0)]],
        ['forwarding, too', [u32(1, 1), u32(2, 1)]],
        ['multicast, too', [u32(1, 1), u32(4, 1)]],
        ['an attribute of no meaning', [u32(1, 1), u32(99, 1)]],
      ] as const
    ).map(([label, parts]) => step(`${family}: ${label}`, LIST, GET, ...request(family, ...parts))),
    step(`${family}: all of them`, LIST, DUMP, raw(family)),
    step(`${family}: all of them, padded`, LIST, DUMP, ...request(family)),
    step(`${family}: all of them, with an index`, LIST, DUMP, ...request(family, u32(1, 1))),
  ]),
]

sessions(import.meta.url, [
  { name: 'settings come and go with their device', steps: lives, groups: [1, NETCONF4, NETCONF6] },
  { name: 'settings of IPv4', steps: ipv4, groups: [NETCONF4] },
  { name: 'settings of IPv6', steps: ipv6, groups: [NETCONF6] },
  { name: 'what is asked of settings', steps: asked },
  { name: 'what is asked of settings, strictly', steps: asked, strict: true },
])
