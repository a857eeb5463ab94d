/** Rules: refusals, what is told of changes, dumps. */
import {
  ACK,
  ADD,
  bytes,
  CREATE,
  DUMP,
  ECHO,
  frh,
  ip,
  type Part,
  packed,
  raw,
  type Step,
  step,
  str,
  u8,
  u32,
} from './requests.test.support.ts'
import { sessions } from './transcript.test.support.ts'

const NEW = 32
const DEL = 33
const LIST = 34

type Header = Parameters<typeof frh>[0]
const add = (label: string, header: Header, ...parts: Part[]): Step =>
  step(label, NEW, ADD, frh(header, ...parts))
const del = (label: string, header: Header, ...parts: Part[]): Step =>
  step(`delete: ${label}`, DEL, ACK, frh(header, ...parts))
const dump = (label: string, ...body: Part[]): Step => step(`dump: ${label}`, LIST, DUMP, ...body)
const from = (address: string): Part => ip(2, address)

const changes: readonly Step[] = [
  add('a source and a priority', { src: 8, table: 100 }, from('10.0.0.0'), u32(6, 500)),
  add('there already', { src: 8, table: 100 }, from('10.0.0.0'), u32(6, 500)),
  step('twice', NEW, CREATE, frh({ src: 8, table: 100 }, from('10.0.0.0'), u32(6, 500))),
  add('a mark', { table: 200 }, u32(10, 7)),
  add('a link that is not there', { table: 44 }, str(3, 'v0')),
  add('table 300', {}, u32(15, 300)),
  add('a mask', { table: 5 }, u32(10, 7), u32(16, 0xf)),
  add('a destination', { dst: 24, table: 5 }, ip(1, '10.1.2.0')),
  add('a length without a source', { src: 8, table: 5 }),
  add('a source of 33 bits', { src: 33, table: 5 }, from('10.0.0.0')),
  add('2 bytes of source', { src: 8, table: 5 }, bytes(2, 1, 2)),
  add('a length without a destination', { dst: 8, table: 5 }),
  add('a DSCP', { tos: 0x10, table: 5 }),
  add('ECN bits', { tos: 1, table: 5 }),
  add('goto', { action: 2 }, u32(6, 20), u32(4, 1000)),
  add('goto backwards', { action: 2 }, u32(6, 20), u32(4, 10)),
  add('goto nowhere', { action: 2 }, u32(6, 20)),
  add('a target without goto', { table: 5 }, u32(6, 20), u32(4, 1000)),
  add('the target', { table: 5 }, u32(6, 1000)),
  add('blackhole', { action: 6 }),
  add('unreachable', { action: 7 }),
  add('prohibit', { action: 8 }),
  add('nothing to do', { action: 3 }),
  add('no action', { action: 0 }),
  add('a VRF and a table', { table: 5 }, u8(19, 1)),
  add('a VRF of 2', {}, u8(19, 2)),
  add('users', { table: 5 }, packed(20, 32, 1000, 2000)),
  add('users, the last first', { table: 5 }, packed(20, 32, 2000, 1000)),
  add('ports', { table: 5 }, packed(23, 16, 80, 90), u8(22, 6)),
  add('source ports, the last first', { table: 5 }, packed(23, 16, 90, 80)),
  add('destination ports, the last first', { table: 5 }, packed(24, 16, 90, 80)),
  add('a port', { table: 5 }, packed(24, 16, 90, 90)),
  add('no default route', { table: 5 }, u32(14, 0)),
  add('no link of a group', { table: 5 }, u32(13, 3)),
  add('inverted', { table: 5, src: 8, flags: 2 }, from('11.0.0.0')),
  add('a protocol', { table: 5, src: 8 }, from('12.0.0.0'), u8(21, 99)),
  add('a realm', { table: 5, src: 8 }, from('13.0.0.0'), u32(11, 9)),
  add('a link', { table: 5 }, str(17, 'lo')),
  add('a name that is too long', { table: 5 }, str(3, 'x'.repeat(16))),
  add('one byte of priority', { table: 5 }, bytes(6, 1)),
  add('any table', { table: 0, src: 8 }, from('14.0.0.0')),
  add('of a bridge', { family: 7, table: 5 }),
  step('half a header', NEW, ADD, raw(2, 0, 0, 0)),
  add('IPv6', { family: 10, src: 64, table: 100 }, from('fd00::')),
  add('IPv6, any table', { family: 10, src: 64 }, from('fd00::')),
  step('with an echo', NEW, ECHO, frh({ table: 9, src: 8 }, from('15.0.0.0'))),
  add('priority 0', { table: 9, src: 8 }, from('16.0.0.0'), u32(6, 0)),
  dump('all of IPv4', frh({ action: 0 })),
  dump('all of IPv6', frh({ family: 10, action: 0 })),
  del('one', { src: 8, table: 100 }, from('10.0.0.0'), u32(6, 500)),
  del('not there', { table: 99 }, u32(6, 501)),
  del('by table', { table: 200, action: 0 }),
  del('by priority', { action: 0 }, u32(6, 1000)),
  del('the first', { action: 0 }),
  del('of a bridge', { family: 7 }),
  step('delete: half a header', DEL, ACK, raw(2, 0, 0, 0)),
  del('by link', { action: 0 }, str(3, 'v0')),
  del('IPv6', { family: 10, src: 64, action: 0 }, from('fd00::')),
  dump('what is left', frh({ action: 0 })),
]

const asked: readonly Step[] = [
  dump('IPv4', frh({ action: 0 })),
  dump('IPv6', frh({ family: 10, action: 0 })),
  dump('all', frh({ family: 0, action: 0 })),
  dump('half a header', raw(2)),
  dump('an action in the header', frh({ action: 1 })),
  dump('an attribute', frh({ action: 0 }, u32(15, 1))),
  dump('of a bridge', frh({ family: 7, action: 0 })),
  step('one', LIST, ACK, frh()),
]

sessions(import.meta.url, [
  { name: 'rules', steps: changes, groups: [8, 19] },
  { name: 'what is asked of rules', steps: asked },
  { name: 'what is asked of rules, strictly', steps: asked, strict: true },
])
