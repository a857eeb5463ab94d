/** Address labels, numbers of namespaces, tables of neighbours, counters: what is refused, what is told, what dumps show. */
import {
  ACK,
  ADD,
  DUMP,
  GET,
  ifinfo,
  ip,
  linkinfo,
  nest,
  type Part,
  REPLACE,
  raw,
  type Step,
  step,
  str,
  u8,
  u32,
  veth,
} from './requests.test.support.ts'
import { sessions } from './transcript.test.support.ts'

const NEW_LABEL = 72
const DEL_LABEL = 73
const LIST_LABELS = 74
const NEW_NSID = 88
const LIST_NSIDS = 90

const label = (prefixlen: number, index = 0, family = 10, rest = 0): Part =>
  raw(family, rest, prefixlen, 0, index, 0, 0, 0, 0, 0, 0, 0)
const all = (label10: string): Step => step(`all: ${label10}`, LIST_LABELS, DUMP, label(0))

const labels: readonly Step[] = [
  step('a veth pair', 16, ADD, veth('v0', 'v1')),
  all('as they are at first'),
  ...(
    [
      ['one more', 32, 0, '2001:db8::', 99],
      ['the same', 32, 0, '2001:db8::', 98],
      ['on a link', 32, 2, '2001:db8::', 97],
      ['on another link', 32, 3, '2001:db8::', 96],
      ['bits behind the prefix', 48, 0, '2001:db8:1::ffff', 95],
      ['on a link that is not there', 48, 99, '2001:db8:2::', 94],
      ['129 bits', 129, 0, '2001:db8::', 93],
      ['no label', 32, 0, '2001:db9::', -1],
      ['IPv4 inside', 96, 0, '::ffff:10.0.0.1', 92],
      ['more of IPv4 inside', 120, 0, '::ffff:10.0.0.1', 91],
      ['less of IPv4 inside', 80, 0, '::ffff:10.0.0.1', 90],
      ['IPv4 in the old way', 104, 0, '::10.0.0.1', 89],
    ] as const
  ).map(([name, length, index, address, value]) =>
    step(name, NEW_LABEL, ADD, label(length, index), ip(1, address), u32(2, value)),
  ),
  step('in its place', NEW_LABEL, REPLACE, label(32), ip(1, '2001:db8::'), u32(2, 88)),
  step('IPv4', NEW_LABEL, ADD, label(32, 0, 2), ip(1, '2001:db8::'), u32(2, 88)),
  step('no address', NEW_LABEL, ADD, label(32), u32(2, 88)),
  step('nothing to call it', NEW_LABEL, ADD, label(33), ip(1, '2001:db8::')),
  step('a short address', NEW_LABEL, ADD, label(33), u32(1, 1), u32(2, 88)),
  step('a short label', NEW_LABEL, ADD, label(33), ip(1, '2001:db8::'), u8(2, 88)),
  step('half a header', NEW_LABEL, ADD, raw(10, 0, 0, 0)),
  all('with all that was added'),
  ...(
    [
      ['2001:db8::1', 128, 0],
      ['2001:db8::1', 128, 3],
      ['2001:db8::1', 64, 0],
      ['2001:db8::1', 128, 99],
      ['::1', 128, 0],
      ['::ffff:1.2.3.4', 128, 0],
      ['::1.2.3.4', 128, 0],
      ['::10.0.0.2', 128, 0],
      ['::', 128, 0],
      ['fc00::1', 128, 0],
    ] as const
  ).map(([address, length, index]) =>
    step(
      `of ${address}/${length} on ${index}`,
      LIST_LABELS,
      GET,
      label(length, index),
      ip(1, address),
    ),
  ),
  step('of nothing', LIST_LABELS, GET, label(128)),
  step('of nothing, IPv4', LIST_LABELS, GET, label(128, 0, 2)),
  step('with a label', LIST_LABELS, GET, label(128), ip(1, '::1'), u32(2, 1)),
  step('a value in the header', LIST_LABELS, GET, label(128, 0, 10, 1), ip(1, '::1')),
  step('of half a header', LIST_LABELS, GET, raw(10, 0, 0, 0)),
  step('all, half a header', LIST_LABELS, DUMP, raw(10, 0, 0, 0)),
  step('all, a prefix in the header', LIST_LABELS, DUMP, label(1)),
  step('all, something behind', LIST_LABELS, DUMP, label(0), u32(2, 1)),
  step('all, of no family', LIST_LABELS, DUMP, label(0, 0, 0)),
  ...(
    [
      ['one', 32, 0, '2001:db8::'],
      ['one that is gone', 32, 0, '2001:db8::'],
      ['on a link', 32, 2, '2001:db8::'],
      ['one of the first', 128, 0, '::1'],
    ] as const
  ).map(([name, length, index, address]) =>
    step(`delete ${name}`, DEL_LABEL, ACK, label(length, index), ip(1, address), u32(2, 1)),
  ),
  step('delete without a label', DEL_LABEL, ACK, label(48), ip(1, '2001:db8:1::')),
  all('without what was deleted'),
]

const header = raw(0, 0, 0, 0)
const nsids: readonly Step[] = [
  step('nothing', NEW_NSID, ACK, header),
  step('nobody', NEW_NSID, ACK, header, u32(1, 5)),
  step('no such process', NEW_NSID, ACK, header, u32(1, 5), u32(2, 0x7fffffff)),
  step('no such descriptor', NEW_NSID, ACK, header, u32(1, 5), u32(3, 0x7fffffff)),
  step('a short number', NEW_NSID, ACK, header, u8(1, 5)),
  step('get: nothing', LIST_NSIDS, GET, header),
  step('get: no such process', LIST_NSIDS, GET, header, u32(2, 0x7fffffff)),
  step('get: no such descriptor', LIST_NSIDS, GET, header, u32(3, 0x7fffffff)),
  step('get: no such number', LIST_NSIDS, GET, header, u32(1, 5)),
  step('get: no such number, from elsewhere', LIST_NSIDS, GET, header, u32(1, 5), u32(4, 6)),
  step('get: what is only told', LIST_NSIDS, GET, header, u32(1, 5), u32(5, 6)),
  step('all', LIST_NSIDS, DUMP, header),
  step('all from elsewhere', LIST_NSIDS, DUMP, header, u32(4, 6)),
  step('all, with a number', LIST_NSIDS, DUMP, header, u32(1, 6)),
]

const NEW_TABLE = 64
const SET_TABLE = 67
const LIST_TABLES = 66
const arp = str(1, 'arp_cache')
const neighbourTables: readonly Step[] = [
  step('a veth pair', 16, ADD, veth('v0', 'v1')),
  step('no name', SET_TABLE, ACK, raw(2, 0, 0, 0)),
  step('another name', SET_TABLE, ACK, raw(2, 0, 0, 0), str(1, 'nosuch')),
  step('another family', SET_TABLE, ACK, raw(10, 0, 0, 0), arp),
  step('a link', SET_TABLE, ACK, raw(2, 0, 0, 0), arp, nest(6, u32(1, 3), u32(8, 50), u32(10, 7))),
  step('any family', SET_TABLE, ACK, raw(0, 0, 0, 0), arp, nest(6, u32(1, 3), u32(9, 5))),
  step('a link that is not there', SET_TABLE, ACK, raw(2, 0, 0, 0), arp, nest(6, u32(1, 99))),
  step('a short number', SET_TABLE, ACK, raw(2, 0, 0, 0), arp, nest(6, u32(1, 3), u8(8, 1))),
  step('half a header', SET_TABLE, ACK, raw(2)),
  step('one', LIST_TABLES, GET, raw(2, 0, 0, 0)),
  step('what is only told', NEW_TABLE, ACK, raw(2, 0, 0, 0), arp),
  ...[2, 10, 0, 200].map((family) =>
    step(`all of ${family}`, LIST_TABLES, DUMP, raw(family, 0, 0, 0)),
  ),
  step('all, something in the header', LIST_TABLES, DUMP, raw(2, 1, 0, 0)),
  step('all, something behind', LIST_TABLES, DUMP, raw(2, 0, 0, 0), arp),
  step('all, half a header', LIST_TABLES, DUMP, raw(2)),
]

const LIST_STATS = 94
const SET_STATS = 95
const of = (index: number, mask: number, rest = 0): Part =>
  raw(0, rest, 0, 0, index, 0, 0, 0, mask, 0, 0, 0)
const counters: readonly Step[] = [
  step('a bridge', 16, ADD, ifinfo({}, str(3, 'br0'), linkinfo('bridge'))),
  step('a veth pair', 16, ADD, veth('v0', 'v1')),
  step('a port', 16, ACK, ifinfo({ index: 3 }, u32(10, 2))),
  ...[1, 2, 3].flatMap((index) =>
    [1, 2, 4, 8, 16, 31, 32, 0].map((mask) =>
      step(`groups ${mask} of ${index}`, LIST_STATS, GET, of(index, mask)),
    ),
  ),
  step('no link', LIST_STATS, GET, of(0, 1)),
  step('a link that is not there', LIST_STATS, GET, of(99, 1)),
  step('half a header', LIST_STATS, GET, raw(0, 0, 0, 0)),
  step('something in the header', LIST_STATS, GET, of(1, 1, 1)),
  step('some hardware counters', LIST_STATS, GET, of(1, 8), nest(0x8001, u32(4, 2))),
  step('others', LIST_STATS, GET, of(1, 8), nest(0x8001, u32(4, 4))),
  step('of a group that is not wanted', LIST_STATS, GET, of(1, 1), nest(0x8001, u32(4, 2))),
  step('that do not exist', LIST_STATS, GET, of(1, 8), nest(0x8001, u32(4, 32))),
  step('an attribute of no meaning', LIST_STATS, GET, of(1, 8), u32(9, 1)),
  step('all', LIST_STATS, DUMP, of(0, 31)),
  step('all, without groups', LIST_STATS, DUMP, of(0, 0)),
  step('all, of a link', LIST_STATS, DUMP, of(1, 1)),
  step('all, half a header', LIST_STATS, DUMP, raw(0, 0, 0, 0)),
  step('no hardware counters', SET_STATS, ACK, of(3, 0), u8(2, 0)),
  step('set nothing', SET_STATS, ACK, of(3, 0)),
  step('set a group', SET_STATS, ACK, of(3, 1)),
  step('set no link', SET_STATS, ACK, of(0, 0)),
  step('set for a link that is not there', SET_STATS, ACK, of(99, 0)),
]

sessions(import.meta.url, [
  { name: 'tables of neighbours', steps: neighbourTables },
  { name: 'tables of neighbours, strictly', steps: neighbourTables, strict: true },
  { name: 'counters', steps: counters },
  { name: 'counters, strictly', steps: counters, strict: true },
  { name: 'address labels', steps: labels },
  { name: 'address labels, strictly', steps: labels, strict: true },
  { name: 'numbers of namespaces', steps: nsids, groups: [28] },
  { name: 'numbers of namespaces, strictly', steps: nsids, strict: true },
])
