/** Address labels and numbers of namespaces: what is refused, what is told, what dumps show. */
import {
  ACK,
  ADD,
  DUMP,
  GET,
  ip,
  type Part,
  REPLACE,
  raw,
  type Step,
  step,
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

sessions(import.meta.url, [
  { name: 'address labels', steps: labels },
  { name: 'address labels, strictly', steps: labels, strict: true },
  { name: 'numbers of namespaces', steps: nsids, groups: [28] },
  { name: 'numbers of namespaces, strictly', steps: nsids, strict: true },
])
