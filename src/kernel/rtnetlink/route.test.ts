/** Routes: what requests are refused with, what is told of changes, look-ups, dumps. */
import {
  ACK,
  ADD,
  APPEND,
  ask,
  bytes,
  CREATE,
  DUMP,
  ECHO,
  GET,
  ip,
  linkDown,
  linkUp,
  nest,
  network,
  nexthop,
  type Part,
  REPLACE,
  raw,
  rtm,
  type Step,
  step,
  str,
  u8,
  u16,
  u32,
  via,
} from './requests.test.support.ts'
import { sessions } from './transcript.test.support.ts'

const NEW = 24
const DEL = 25
const LIST = 26

type Header = Parameters<typeof rtm>[0]
/** A destination of either family: `10.0.0.0/8`. */
function to(destination: string, header: Header = {}, ...parts: Part[]): Part {
  const [address = '', length] = destination.split('/')
  const family = address.includes(':') ? 10 : 2
  return rtm({ family, dst: Number(length), ...header }, ip(1, address), ...parts)
}
const add = (label: string, ...body: Part[]): Step => step(label, NEW, ADD, ...body)
const any = { scope: 255, protocol: 0, type: 0 }
const del = (label: string, destination: string, header: Header = {}, ...parts: Part[]): Step =>
  step(`delete: ${label}`, DEL, ACK, to(destination, { ...any, ...header }, ...parts))
const gw = (address = '10.0.0.2'): Part => ip(5, address)
const gw6 = gw('fd00::2')
const metrics = (...parts: Part[]): Part => nest(8, ...parts)
const multipath = (...hops: Part[]): Part => nest(9, ...hops)
const dump = (label: string, family: number, header: Header = {}, ...parts: Part[]): Step =>
  step(`dump of family ${family}: ${label}`, LIST, DUMP, ask({ family, ...header }, ...parts))
function get(address: string, header: Header = {}, ...parts: Part[]): Step {
  const family = address.includes(':') ? 10 : 2
  const dst = family === 2 ? 32 : 128
  const label = header.flags === 0x2000 ? `the route to ${address}` : `the way to ${address}`
  return step(label, LIST, GET, ask({ family, dst, ...header }, ip(1, address), ...parts))
}
const both = (address: string): Step[] => [get(address), get(address, { flags: 0x2000 })]

const changes4: readonly Step[] = [
  linkUp(1),
  add('a gateway', to('192.168.0.0/16', {}, gw('10.0.0.254'))),
  add('there already', to('192.168.0.0/16', {}, gw('10.0.0.253'))),
  step('there already, not exclusively', NEW, CREATE, to('192.168.0.0/16', {}, gw('10.0.0.254'))),
  step('in front', NEW, CREATE, to('192.168.0.0/16', {}, gw('10.0.0.252'))),
  step('behind', NEW, APPEND, to('192.168.0.0/16', {}, gw('10.0.0.251'))),
  add('another metric', to('192.168.0.0/16', {}, gw('10.0.0.252'), u32(6, 50))),
  step('replaced', NEW, REPLACE, to('192.168.0.0/16', {}, gw('10.0.0.250'))),
  step('replaced by itself', NEW, REPLACE, to('192.168.0.0/16', {}, gw('10.0.0.250'))),
  step('replaced, where there is none', NEW, 0x105, to('192.169.0.0/16', {}, gw())),
  step('changed, where there is none', NEW, ACK, to('192.170.0.0/16', {}, gw())),
  add('a default route', rtm({}, gw('10.0.0.253'))),
  add('a link', to('172.16.0.0/12', { scope: 253 }, u32(4, 3))),
  add('a gateway that is out of reach', to('11.0.0.0/8', {}, gw('12.0.0.1'))),
  add('a broadcast address as gateway', to('11.0.0.0/8', {}, gw('10.0.0.255'))),
  add('one`s own address as gateway', to('11.0.0.0/8', {}, gw('10.0.0.1'))),
  add('a link that is not there', to('11.0.0.0/8', { scope: 253 }, u32(4, 99))),
  add('no way', to('11.0.0.0/8')),
  add('host bits', to('11.0.0.1/8', {}, gw())),
  add('33 bits', to('11.0.0.0/33', {}, gw())),
  add('type 12', to('11.0.0.0/8', { type: 12 }, gw())),
  add('no type', to('11.0.0.0/8', { type: 0 }, gw())),
  add('ECN bits', to('11.0.0.0/8', { tos: 1 }, gw())),
  add('a DSCP', to('11.0.0.0/8', { tos: 4 }, gw())),
  add('blackhole', to('192.0.2.0/24', { type: 6 })),
  add('blackhole through a link', to('192.0.3.0/24', { type: 6 }, u32(4, 3))),
  add('unreachable', to('198.51.100.0/24', { type: 7 })),
  add('prohibit', to('203.0.113.0/24', { type: 8 })),
  add('throw', to('203.0.114.0/24', { type: 9 })),
  add('nat', to('203.0.115.0/24', { type: 10 })),
  add('a scope that is too wide', to('11.1.0.0/16', { type: 2 }, u32(4, 3))),
  add('dead', to('11.1.0.0/16', { flags: 1 }, gw())),
  add('a source', to('11.2.0.0/16', {}, gw(), ip(7, '10.0.0.1'))),
  add('a source that is not ours', to('11.3.0.0/16', {}, gw(), ip(7, '10.0.0.9'))),
  add('on the link', to('11.4.0.0/16', { flags: 4 }, gw('77.0.0.2'), u32(4, 3))),
  add('on no link', to('11.5.0.0/16', { flags: 4 }, gw('77.0.0.2'))),
  add(
    'metrics',
    to(
      '11.6.0.0/16',
      {},
      gw(),
      metrics(u32(2, 1400), u32(8, 70_000), u32(10, 300), str(16, 'cubic')),
    ),
  ),
  add('a metric that does not exist', to('11.7.0.0/16', {}, gw(), metrics(u32(18, 1400)))),
  add('a metric of one byte', to('11.7.0.0/16', {}, gw(), metrics(u8(2, 1)))),
  add('an unknown congestion control', to('11.7.0.0/16', {}, gw(), metrics(str(16, 'nope')))),
  add('an unknown feature', to('11.7.0.0/16', {}, gw(), metrics(u32(12, 0x80)))),
  add('table 70000', to('11.8.0.0/16', {}, gw(), u32(15, 70_000))),
  add('table 100', to('11.8.0.0/16', { table: 100 }, gw())),
  add('table 0', to('11.9.0.0/16', { table: 0 }, gw())),
  add('an IPv6 gateway', to('11.10.0.0/16', {}, u32(4, 3), via(10, 'fd00::99'))),
  add('an IPv4 gateway the other way', to('11.11.0.0/16', {}, via(2, '10.0.0.9'))),
  add('a gateway of AF_BRIDGE', to('11.12.0.0/16', {}, via(7, '10.0.0.9'))),
  add('a gateway of 3 bytes', to('11.12.0.0/16', {}, via(2, [10, 0, 0]))),
  add('half a family of a gateway', to('11.12.0.0/16', {}, bytes(18, 1))),
  add('two gateways', to('11.12.0.0/16', {}, gw(), via(2, '10.0.0.9'))),
  add('a nexthop that does not exist', to('11.13.0.0/16', {}, u32(30, 5))),
  add('a nexthop and a gateway', to('11.13.0.0/16', {}, u32(30, 5), gw())),
  add('a realm', to('11.14.0.0/16', {}, gw(), u32(11, 7))),
  add(
    'two next hops',
    to('11.20.0.0/16', {}, multipath(nexthop({}, gw()), nexthop({ hops: 2 }, gw('10.0.0.3')))),
  ),
  add('one next hop', to('11.21.0.0/16', {}, multipath(nexthop({}, gw())))),
  add('no next hop', to('11.22.0.0/16', {}, multipath())),
  add(
    'bytes behind next hops',
    to('11.22.0.0/16', {}, multipath(nexthop({}, gw()), raw(1, 0, 0, 0))),
  ),
  add('a dead next hop', to('11.22.0.0/16', {}, multipath(nexthop({ flags: 1 }, gw())))),
  add(
    'another link than the next hop`s',
    to('11.22.0.0/16', {}, u32(4, 2), multipath(nexthop({ oif: 3 }, gw()))),
  ),
  add(
    'links as next hops',
    to(
      '11.23.0.0/16',
      { scope: 253 },
      multipath(nexthop({ oif: 3 }), nexthop({ oif: 3, hops: 1 })),
    ),
  ),
  add(
    'a next hop that is out of reach',
    to('11.24.0.0/16', {}, multipath(nexthop({}, gw()), nexthop({}, gw('99.0.0.3')))),
  ),
  add(
    'a next hop longer than all',
    to('11.24.0.0/16', {}, multipath(raw(200, 0, 0, 0, 0, 0, 0, 0))),
  ),
  add('a tunnel', to('11.25.0.0/16', {}, gw(), u16(21, 10), nest(22, u32(1, 1)))),
  step('with an echo', NEW, ECHO, to('11.26.0.0/16', {}, gw())),
  add('2 bytes of gateway', to('11.27.0.0/16', {}, bytes(5, 1, 2))),
  add('half a header', raw(2, 0, 0, 0)),
  dump('all', 2),
  ...['10.0.0.7', '192.168.5.5', '8.8.8.8', '192.0.2.1', '198.51.100.1'].flatMap(both),
  ...['203.0.113.1', '203.0.114.1', '11.6.0.1', '11.4.0.1', '11.2.0.1'].flatMap(both),
  ...['127.0.0.1', '224.0.0.1', '255.255.255.255', '10.0.0.255'].flatMap(both),
  del('not there', '9.0.0.0/8'),
  del('no such table', '9.0.0.0/8', { table: 99 }),
  del('host bits', '9.0.0.1/8'),
  del('another gateway', '192.168.0.0/16', {}, gw('10.0.0.99')),
  del('by metric', '192.168.0.0/16', {}, u32(6, 50)),
  del('another protocol', '192.168.0.0/16', { protocol: 77 }),
  del('the first', '192.168.0.0/16'),
  del(
    'by next hops',
    '11.20.0.0/16',
    {},
    multipath(nexthop({}, gw()), nexthop({}, gw('10.0.0.3'))),
  ),
  del('a nexthop that does not exist', '11.20.0.0/16', {}, u32(30, 5)),
  del('in table 70000', '11.8.0.0/16', {}, u32(15, 70_000)),
  del('another scope', '172.16.0.0/12', { scope: 0 }),
  linkDown(3),
  dump('all that is left', 2),
  linkUp(3),
  dump('what comes back', 2),
]

const changes6: readonly Step[] = [
  linkUp(1),
  add('a gateway', to('fd01::/48', {}, gw6)),
  add('there already', to('fd01::/48', {}, gw6)),
  step('one more next hop', NEW, CREATE, to('fd01::/48', {}, gw('fd00::3'))),
  step('behind', NEW, APPEND, to('fd01::/48', {}, gw('fd00::4'))),
  add('another metric', to('fd01::/48', {}, gw6, u32(6, 50))),
  step('replaced', NEW, REPLACE, to('fd01::/48', {}, gw('fd00::5'))),
  step('replaced, where there is none', NEW, 0x105, to('fd02::/48', {}, gw('fd00::5'))),
  step('changed, where there is none', NEW, ACK, to('fd03::/48', {}, gw('fd00::5'))),
  add('a default route', rtm({ family: 10 }, gw('fd00::fe'))),
  add('a link', to('fd04::/48', {}, u32(4, 3))),
  add('a gateway that is out of reach', to('fd05::/48', {}, gw('fdff::1'))),
  add('one`s own address as gateway', to('fd05::/48', {}, gw('fd00::1'))),
  add('a multicast address as gateway', to('fd05::/48', {}, gw('ff02::1'))),
  add('a link-local gateway on no link', to('fd05::/48', {}, gw('fe80::1'))),
  add('a link-local gateway', to('fd05::/48', {}, gw('fe80::1'), u32(4, 3))),
  add('a link that is not there', to('fd06::/48', {}, u32(4, 99))),
  add('no way', to('fd06::/48')),
  add('host bits', to('fd06::1/48', {}, gw6)),
  add('129 bits', to('fd06::/129', {}, gw6)),
  add('type 12', to('fd06::/48', { type: 12 }, gw6)),
  add('blackhole', to('fd07::/48', { type: 6 })),
  add('unreachable', to('fd08::/48', { type: 7 })),
  add('prohibit', to('fd09::/48', { type: 8 })),
  add('throw', to('fd0a::/48', { type: 9 })),
  add('a source', to('fd0b::/48', {}, gw6, ip(7, 'fd00::1'))),
  add('a source that is not ours', to('fd0c::/48', {}, gw6, ip(7, 'fd00::9'))),
  add('on the link', to('fd0d::/48', { flags: 4 }, gw('fdee::2'), u32(4, 3))),
  add('on no link', to('fd0e::/48', { flags: 4 }, gw('fdee::2'))),
  add('metrics', to('fd0f::/48', {}, gw6, metrics(u32(2, 1400), u32(10, 64)))),
  add('a preference', to('fd10::/48', {}, gw6, u8(20, 1))),
  add('for a time', to('fd11::/48', {}, gw6, u32(23, 1000))),
  add('table 70000', to('fd12::/48', {}, gw6, u32(15, 70_000))),
  add('RTA_VIA', to('fd13::/48', {}, via(10, 'fd00::9'))),
  add('a destination that is too short', rtm({ family: 10, dst: 48 }, bytes(1, 0xfd, 1), gw6)),
  add('a nexthop that does not exist', to('fd14::/48', {}, u32(30, 5))),
  add(
    'two next hops',
    to('fd20::/48', {}, multipath(nexthop({}, gw6), nexthop({ hops: 2 }, gw('fd00::3')))),
  ),
  add('no next hop', to('fd21::/48', {}, multipath())),
  add(
    'links as next hops',
    to('fd21::/48', {}, multipath(nexthop({ oif: 3 }), nexthop({ oif: 3 }))),
  ),
  add(
    'a next hop that is out of reach',
    to('fd21::/48', {}, multipath(nexthop({}, gw6), nexthop({}, gw('fdff::3')))),
  ),
  add(
    'a next hop with 2 bytes of gateway',
    to('fd21::/48', {}, multipath(nexthop({}, bytes(5, 1, 2)))),
  ),
  add('one next hop', to('fd22::/48', {}, multipath(nexthop({}, gw6)))),
  dump('all', 10),
  ...['fd01::77', 'fd00::5', 'fd00::1', 'fd04::9', 'fd07::1', 'fd08::1'].flatMap(both),
  ...['fd09::1', 'fd0a::1', 'fd0b::1', 'fd0f::1', '2001:db8::1', '::1', 'ff02::1'].flatMap(both),
  get('fd01::8', {}, u32(4, 3)),
  get('fd01::9', {}, u32(4, 99)),
  get('fd00::1', {}, u32(3, 3)),
  del('not there', 'fd99::/48'),
  del('no such table', 'fd01::/48', { table: 99 }),
  del('by metric', 'fd01::/48', {}, u32(6, 50)),
  del('another gateway', 'fd01::/48', {}, gw('fd00::99')),
  del('the first', 'fd01::/48'),
  del('one of two next hops', 'fd20::/48', {}, gw6),
  del('the other', 'fd20::/48'),
  linkDown(3),
  dump('all that is left', 10),
]

const asked: readonly Step[] = [
  ...(
    [
      [2, 32, '10.0.0.7'],
      [10, 128, 'fd00::7'],
    ] as const
  ).flatMap(([family, whole, address]) => {
    const one = (label: string, header: Header, ...parts: Part[]): Step =>
      step(
        `family ${family}: ${label}`,
        LIST,
        GET,
        ask({ family, ...header }, ip(1, address), ...parts),
      )
    return [
      step(`family ${family}: half a header`, LIST, GET, raw(family, 0, 0, 0)),
      one('a prefix of 24 bits', { dst: 24 }),
      one('no length', { dst: 0 }),
      one('a table in the header', { dst: whole, table: 254 }),
      one('a flag that does not exist', { dst: whole, flags: 0x200 }),
      one('ECN bits', { dst: whole, tos: 1 }),
      one('a gateway', { dst: whole }, ip(5, address)),
      one('protocol 99', { dst: whole }, u8(27, 99)),
      one('a link that packets come from, which is not there', { dst: whole }, u32(3, 99)),
    ]
  }),
  get('10.0.0.7', { src: 32 }, ip(2, '10.0.0.1')),
  get('10.0.0.7', { src: 32 }, ip(2, '10.0.0.9')),
  get('8.8.8.8', {}, u32(4, 3)),
  get('8.8.8.8', {}, u32(4, 99)),
  get('10.0.0.1', { src: 32 }, ip(2, '10.0.0.5'), u32(3, 3)),
  get('10.0.0.77', { src: 32 }, ip(2, '10.0.0.5'), u32(3, 3)),
  get('10.0.0.8', {}, u32(16, 5), u32(25, 7)),
  get('10.0.0.1', { flags: 0x1000 }),
  get('10.0.0.7', {}, raw(1, 0, 0, 0)),
  ...[2, 10, 0].flatMap((family) => [
    step(`dump of family ${family}: half a header`, LIST, DUMP, raw(family)),
    dump('all', family),
    dump('a length in the header', family, { dst: 5 }),
    dump('a scope in the header', family, { scope: 3 }),
    dump('a flag that does not exist', family, { flags: 0x100 }),
    dump('learned prefixes', family, { flags: 0x800 }),
    dump('what is cached', family, { flags: 0x200 }),
    dump('a table', family, {}, u32(15, 254)),
    dump('a table that is not there', family, { table: 77 }),
    dump('a type', family, { type: 2 }),
    dump('a protocol', family, { protocol: 3 }),
    dump('a link', family, {}, u32(4, 3)),
    dump('a link that is not there', family, {}, u32(4, 99)),
    dump('another attribute', family, {}, u32(6, 1)),
    dump('an attribute of no meaning', family, {}, u32(88, 1)),
    dump('bytes behind', family, {}, raw(1, 0, 0, 0)),
  ]),
  dump('no such family', 200),
  get('10.0.0.55', { flags: 0x100 }),
]

const groups = [7, 11]
sessions(import.meta.url, [
  { name: 'IPv4 routes', steps: [...network, ...changes4], groups },
  { name: 'IPv6 routes', steps: [...network, ...changes6], groups },
  { name: 'what is asked of routes', steps: [...network, linkUp(1), ...asked] },
  {
    name: 'what is asked of routes, strictly',
    steps: [...network, linkUp(1), ...asked],
    strict: true,
  },
])
