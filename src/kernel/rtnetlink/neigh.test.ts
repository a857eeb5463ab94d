/** Neighbours and forwarding entries: refusals, what is told of changes, dumps. */
import {
  ACK,
  ADD,
  bytes,
  CREATE,
  DUMP,
  ECHO,
  GET,
  ifinfo,
  ip,
  linkinfo,
  ndm,
  network,
  type Part,
  REPLACE,
  raw,
  type Step,
  step,
  str,
  u8,
  u32,
} from './requests.test.support.ts'
import { sessions } from './transcript.test.support.ts'

const NEW = 28
const DEL = 29
const LIST = 30
const PERMANENT = 0x80

type Header = Parameters<typeof ndm>[0]
const entry = (address: string, header: Header = {}, ...parts: Part[]): Part =>
  ndm({ index: 3, ...header }, ip(1, address), ...parts)
const mac = (last: number): Part => bytes(2, 2, 0, 0, 0, 0, last)
const add = (label: string, ...body: Part[]): Step => step(label, NEW, ADD, ...body)
const permanent = { state: PERMANENT }

const changes: readonly Step[] = [
  add('a permanent one', entry('10.0.0.2', permanent, mac(2))),
  add('there already', entry('10.0.0.2', permanent, mac(2))),
  step('the same again', NEW, CREATE, entry('10.0.0.2', permanent, mac(2))),
  step('another address, not replaced', NEW, CREATE, entry('10.0.0.2', permanent, mac(9))),
  step('another address', NEW, REPLACE, entry('10.0.0.2', permanent, mac(3))),
  step('another state', NEW, ACK, entry('10.0.0.2', { state: 0x40 }, mac(3))),
  step('not there', NEW, ACK, entry('10.0.0.3', permanent, mac(3))),
  add('no address', ndm({ index: 3, state: PERMANENT })),
  add('no link', entry('10.0.0.3', { ...permanent, index: 0 }, mac(3))),
  add('a link that is not there', entry('10.0.0.3', { ...permanent, index: 99 }, mac(3))),
  add('no family', entry('10.0.0.3', { ...permanent, family: 0 }, mac(3))),
  add('2 bytes of address', ndm({ index: 3, state: PERMANENT }, bytes(1, 1, 2), mac(3))),
  add('2 bytes of link-layer address', entry('10.0.0.3', permanent, bytes(2, 1, 2))),
  add('no link-layer address', entry('10.0.0.4', permanent)),
  add('what that left behind', entry('10.0.0.4', permanent)),
  add('no state', entry('10.0.0.5')),
  add('stale', entry('10.0.0.6', { state: 4 }, mac(6))),
  add('without ARP', entry('10.0.0.8', { state: 0x40 }, mac(8))),
  add('failed', entry('10.0.0.9', { state: 0x20 })),
  add('a protocol', entry('10.0.0.10', permanent, mac(10), u8(12, 42))),
  add('a router', entry('10.0.0.11', { ...permanent, flags: 0x80 }, mac(11))),
  add('learned elsewhere', entry('10.0.0.12', { ...permanent, flags: 0x10 }, mac(12))),
  add('permanent and managed', entry('10.0.0.13', permanent, mac(13), u32(15, 1))),
  add('a flag that does not exist', entry('10.0.0.13', permanent, mac(13), u32(15, 0x80))),
  add('one`s own address', entry('10.0.0.1', permanent, mac(14))),
  add('a broadcast address', entry('10.0.0.255', permanent, mac(14))),
  add('a multicast address', entry('224.1.1.1', permanent, mac(14))),
  add('a proxy', entry('10.0.0.20', { flags: 8 })),
  add('a proxy, again', entry('10.0.0.20', { flags: 8 })),
  add('a proxy for all links', entry('10.0.0.21', { index: 0, flags: 8 })),
  add('a managed proxy', entry('10.0.0.22', { flags: 8 }, u32(15, 1))),
  add('IPv6', entry('fd00::5', { ...permanent, family: 10 }, mac(5))),
  step('with an echo', NEW, ECHO, entry('10.0.0.30', permanent, mac(30))),
  step('delete', DEL, ACK, entry('10.0.0.2')),
  step('delete: not there', DEL, ACK, entry('10.0.0.2')),
  step('delete: no address', DEL, ACK, ndm({ index: 3 })),
  step('delete: no link', DEL, ACK, entry('10.0.0.2', { index: 0 })),
  step('delete: a link that is not there', DEL, ACK, entry('10.0.0.2', { index: 99 })),
  step('delete: 2 bytes of address', DEL, ACK, ndm({ index: 3 }, bytes(1, 1, 2))),
  step('delete: no family', DEL, ACK, entry('10.0.0.2', { family: 0 })),
  step('delete: half a header', DEL, ACK, raw(2, 0, 0, 0)),
  step('delete: a stale one', DEL, ACK, entry('10.0.0.6')),
  step('delete: one without a state', DEL, ACK, entry('10.0.0.4')),
  step('delete: a proxy', DEL, ACK, entry('10.0.0.20', { flags: 8 })),
  step('delete: a proxy that is not there', DEL, ACK, entry('10.0.0.20', { flags: 8 })),
  step('a bridge', 16, ADD, ifinfo({}, str(3, 'br0'), linkinfo('bridge'))),
  step('a port', 16, ACK, ifinfo({ index: 2 }, u32(10, 4))),
  step('no port any more', 16, ACK, ifinfo({ index: 2 }, u32(10, 0))),
]

const asked: readonly Step[] = [
  add('a neighbour', entry('10.0.0.2', permanent, mac(2))),
  add('a proxy', entry('10.0.0.9', { flags: 8 })),
  ...(
    [
      ['half a header', raw(2, 0, 0, 0)],
      ['one', entry('10.0.0.2')],
      ['not there', entry('10.0.0.3')],
      ['no link', entry('10.0.0.3', { index: 0 })],
      ['a link that is not there', entry('10.0.0.3', { index: 99 })],
      ['a state', entry('10.0.0.2', { state: 1 })],
      ['flags', entry('10.0.0.2', { flags: 1 })],
      ['no address', ndm({ index: 3 })],
      ['2 bytes of address', ndm({ index: 3 }, bytes(1, 1, 2))],
      ['2 bytes of address, no such link', ndm({ index: 99 }, bytes(1, 1, 2))],
      ['no family', entry('10.0.0.2', { family: 0 })],
      ['another attribute', entry('10.0.0.2', {}, u32(9, 5))],
      ['an attribute of no meaning', entry('10.0.0.2', {}, u32(99, 5))],
      ['bytes behind', entry('10.0.0.2', {}, raw(1, 0, 0, 0))],
      ['a proxy', entry('10.0.0.9', { flags: 8 })],
      ['a proxy that is not there', entry('10.0.0.8', { flags: 8 })],
      ['a proxy on no link', entry('10.0.0.9', { index: 0, flags: 8 })],
    ] as const
  ).map(([label, body]) => step(`get: ${label}`, LIST, GET, body)),
  ...(
    [
      ['all', ndm()],
      ['half a header', raw(2)],
      ['an index in the header', ndm({ index: 3 })],
      ['a state in the header', ndm({ state: 1 })],
      ['flags in the header', ndm({ flags: 1 })],
      ['proxies', ndm({ flags: 8 })],
      ['a family without a table', ndm({ family: 200 })],
      ['a link', ndm({}, u32(8, 3))],
      ['a link without any', ndm({}, u32(8, 2))],
      ['a master', ndm({}, u32(9, 1))],
      ['another attribute', ndm({}, u32(12, 1))],
      ['an attribute of no meaning', ndm({}, u32(99, 1))],
      ['a link of one byte', ndm({}, bytes(8, 1))],
      ['bytes behind', ndm({}, raw(1, 0, 0, 0))],
    ] as const
  ).map(([label, body]) => step(`dump: ${label}`, LIST, DUMP, body)),
]

sessions(import.meta.url, [
  { name: 'neighbours', steps: [...network, ...changes], groups: [3] },
  { name: 'what is asked of neighbours', steps: [...network, ...asked] },
  { name: 'what is asked of neighbours, strictly', steps: [...network, ...asked], strict: true },
])
