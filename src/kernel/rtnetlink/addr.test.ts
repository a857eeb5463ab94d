/** Addresses: what requests are refused with, what is told of changes, what dumps show. */
import {
  ACK,
  ADD,
  bytes,
  DUMP,
  ECHO,
  GET,
  ifaddr,
  ifinfo,
  ip,
  lifetime,
  linkDown,
  linkUp,
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

const NEW = 20
const DEL = 21
const LIST = 22

type Header = Parameters<typeof ifaddr>[0]
const four = (address: string, header: Header = {}, ...parts: Part[]): Part =>
  ifaddr(header, ip(2, address), ip(1, address), ...parts)
const six = (address: string, header: Header = {}, ...parts: Part[]): Part =>
  ifaddr({ family: 10, len: 64, ...header }, ip(1, address), ...parts)
const none = { len: 0, index: 0 }

const ipv4: readonly Step[] = [
  linkUp(1),
  step('there already', NEW, ADD, four('10.0.0.1')),
  step('there already, not exclusively', NEW, ACK, four('10.0.0.1')),
  step('replaced', NEW, REPLACE, four('10.0.0.1')),
  step('a second of the subnet', NEW, ADD, four('10.0.0.2')),
  step('another scope in the subnet', NEW, ADD, four('10.0.0.3', { scope: 254 })),
  step('another metric', NEW, REPLACE, four('10.0.0.1', {}, u32(9, 77))),
  step('no address of its own', NEW, ADD, ifaddr({}, ip(1, '10.0.0.9'))),
  step('33 bits', NEW, ADD, four('10.0.0.9', { len: 33 })),
  step('a link that is not there', NEW, ADD, four('10.0.0.9', { index: 99 })),
  step('no life', NEW, ADD, four('10.0.0.9', {}, lifetime(0, 0))),
  step('preferred for longer than valid', NEW, ADD, four('10.0.0.9', {}, lifetime(50, 20))),
  step('both wrong', NEW, ADD, four('10.0.0.9', { index: 99 }, lifetime(50, 20))),
  step('for a time', NEW, ADD, four('10.9.0.9', {}, lifetime(500, 1000))),
  step('0.0.0.0', NEW, ADD, four('0.0.0.0', { len: 0 })),
  step('a multicast address', NEW, ADD, four('224.1.1.1', { len: 32 })),
  step('a loopback address', NEW, ADD, four('127.5.5.5', { len: 8 })),
  step('a peer', NEW, ADD, ifaddr({ len: 32 }, ip(2, '10.7.0.1'), ip(1, '10.7.0.2'))),
  step('a label', NEW, ADD, four('10.8.0.1', { len: 32 }, str(3, 'v0:x'))),
  step('a label that is too long', NEW, ADD, four('10.8.0.2', {}, str(3, 'v0:xxxxxxxxxxxxx'))),
  step('a broadcast address', NEW, ADD, four('10.8.1.0', { len: 31 }, ip(4, '10.8.1.1'))),
  step('without a prefix route', NEW, ADD, four('10.11.0.1', {}, u32(8, 0x200))),
  step('a protocol', NEW, ADD, four('10.12.0.1', {}, u8(11, 42))),
  step('2 bytes of address', NEW, ADD, ifaddr({}, bytes(2, 1, 2))),
  step('half a header', NEW, ADD, raw(2, 0, 0, 0)),
  step('bytes behind', NEW, ADD, four('10.14.0.1', {}, raw(1, 0, 0, 0))),
  step('with an echo', NEW, ECHO, four('10.15.0.1')),
  step('all of IPv4', LIST, DUMP, ifaddr({ ...none, family: 2 })),
  step('all', LIST, DUMP, ifaddr({ ...none, family: 0 })),
  step('delete: not there', DEL, ACK, four('10.99.0.1')),
  step('delete: on a link that is not there', DEL, ACK, four('10.0.0.1', { index: 77 })),
  step('delete: of another length', DEL, ACK, four('10.0.0.1', { len: 25 })),
  step('delete: by label', DEL, ACK, ifaddr({ len: 0 }, str(3, 'v0:x'))),
  step('delete: the first of a subnet', DEL, ACK, four('10.0.0.1')),
  step('delete: any', DEL, ACK, ifaddr({ len: 0 })),
  step('get: IPv4 has none', LIST, GET, ifaddr()),
  linkDown(3),
  step('the link goes', 17, ACK, ifinfo({ index: 3 })),
  step('all that is left', LIST, DUMP, ifaddr({ ...none, family: 0 })),
]

const ipv6: readonly Step[] = [
  linkUp(1),
  step('there already', NEW, ADD, six('fd00::1', { flags: 2 })),
  step('there already, not exclusively', NEW, ACK, six('fd00::1', { flags: 2 })),
  step('replaced', NEW, REPLACE, six('fd00::1', { flags: 2 })),
  step(
    'a peer',
    NEW,
    ADD,
    ifaddr({ family: 10, len: 128, flags: 2 }, ip(2, 'fd02::1'), ip(1, 'fd02::2')),
  ),
  step('no address', NEW, ADD, ifaddr({ family: 10, len: 64 })),
  step('129 bits', NEW, ADD, six('fd00::9', { len: 129 })),
  step('a link that is not there', NEW, ADD, six('fd00::9', { index: 99 })),
  step('no life', NEW, ADD, six('fd00::9', { flags: 2 }, lifetime(0, 0))),
  step('preferred for longer than valid', NEW, ADD, six('fd00::9', { flags: 2 }, lifetime(50, 20))),
  step('for a time', NEW, ADD, six('fd09::9', { flags: 2 }, lifetime(500, 1000))),
  step('a multicast address', NEW, ADD, six('ff02::5')),
  step('::', NEW, ADD, six('::')),
  step('::1', NEW, ADD, six('::1')),
  step('4 bytes of address', NEW, ADD, ifaddr({ family: 10, len: 64 }, bytes(1, 1, 2, 3, 4))),
  step('temporary ones of 65 bits', NEW, ADD, six('fd10::1', { len: 65 }, u32(8, 0x100))),
  step('a metric', NEW, ADD, six('fd11::1', { flags: 2 }, u32(9, 5))),
  step('a protocol', NEW, ADD, six('fd12::1', { flags: 2 }, u8(11, 7))),
  step('without a prefix route', NEW, ADD, six('fd13::1', {}, u32(8, 0x202))),
  step('with an echo', NEW, ECHO, six('fd14::1', { flags: 2 })),
  step('get', LIST, GET, six('fd00::1', none)),
  step('get: on a link', LIST, GET, six('fd00::1', { len: 0 })),
  step('get: not there', LIST, GET, six('fd99::1', { len: 0 })),
  step('get: no address', LIST, GET, ifaddr({ family: 10, len: 0 })),
  step('get: half a header', LIST, GET, raw(10, 0, 0)),
  step('all of IPv6', LIST, DUMP, ifaddr({ ...none, family: 10 })),
  step('delete: not there', DEL, ACK, six('fd88::1')),
  step('delete: of another length', DEL, ACK, six('fd00::1', { len: 63 })),
  step('delete: 129 bits', DEL, ACK, six('fd00::1', { len: 129 })),
  step('delete: on a link that is not there', DEL, ACK, six('fd00::1', { index: 99 })),
  step('delete: no address', DEL, ACK, ifaddr({ family: 10 })),
  step('delete', DEL, ACK, six('fd00::1')),
  step('delete: one with a peer', DEL, ACK, ifaddr({ family: 10, len: 128 }, ip(2, 'fd02::1'))),
  step('an MTU that is too small for it', 16, ACK, ifinfo({ index: 3 }, u32(4, 1279))),
  step('not where there is no IPv6', NEW, ADD, six('fd00::1', { flags: 2 })),
  linkDown(3),
  step('all that is left', LIST, DUMP, ifaddr({ ...none, family: 10 })),
]

const dumps: readonly Step[] = [2, 10, 0].flatMap((family) => {
  const dump = (label: string, ...body: Part[]): Step =>
    step(`family ${family}: ${label}`, LIST, DUMP, ...body)
  const plain = { ...none, family }
  return [
    dump('all', ifaddr(plain)),
    dump('half a header', raw(family)),
    dump('a length in the header', ifaddr({ ...plain, len: 5 })),
    dump('a scope in the header', ifaddr({ ...plain, scope: 5 })),
    dump('of a link', ifaddr({ ...plain, index: 3 })),
    dump('of a link without any', ifaddr({ ...plain, index: 2 })),
    dump('of a link that is not there', ifaddr({ ...plain, index: 99 })),
    dump('another attribute', ifaddr(plain, u32(8, 1))),
    dump('an attribute of no meaning', ifaddr(plain, u32(99, 1))),
    dump('a namespace by an unknown id', ifaddr(plain, u32(10, 1))),
    dump('bytes behind', ifaddr(plain, raw(1, 0, 0, 0))),
  ]
})
const others: readonly Step[] = [
  step('a family without a table', LIST, DUMP, ifaddr({ ...none, family: 200 })),
  step('get: a length in the header', LIST, GET, six('fd00::1')),
  step('get: another attribute', LIST, GET, six('fd00::1', { len: 0 }, u32(8, 1))),
  step('get: a namespace by an unknown id', LIST, GET, six('fd00::1', { len: 0 }, u32(10, 1))),
  step('add: to a bridge', NEW, ADD, ifaddr({ family: 7 })),
  step('add: of no family', NEW, ADD, ifaddr({ family: 0 })),
]

const groups = [5, 9]
sessions(import.meta.url, [
  { name: 'IPv4 addresses', steps: [...network, ...ipv4], groups },
  { name: 'IPv6 addresses', steps: [...network, ...ipv6], groups },
  { name: 'dumps of addresses', steps: [...network, ...dumps, ...others] },
  { name: 'dumps of addresses, strictly', steps: [...network, ...dumps, ...others], strict: true },
])
