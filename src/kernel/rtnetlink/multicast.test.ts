/** Multicast groups: what devices join and leave by themselves, what can be asked for. */
import {
  ACK,
  ADD,
  DUMP,
  ifaddr,
  ifinfo,
  ip,
  linkDown,
  linkinfo,
  linkUp,
  network,
  raw,
  type Step,
  step,
  str,
  sysctl,
} from './requests.test.support.ts'
import { sessions } from './transcript.test.support.ts'

const LIST = 58
const MCADDR4 = 37
const MCADDR6 = 38
const ACADDR6 = 39
const IFADDR6 = 9
const TENTATIVE_TOO = { family: 10, len: 64 }
const NODAD = { ...TENTATIVE_TOO, flags: 2 }

/** IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_ADDR_GEN_MODE: none } }. */
const NO_LINK_LOCAL = Uint8Array.of(16, 0, 26, 0, 12, 0, 10, 0, 5, 0, 8, 0, 1, 0, 0, 0)

const changes: readonly Step[] = [
  ...network,
  linkUp(1),
  step('another IPv6 address', 20, ADD, ifaddr(NODAD, ip(1, 'fd00::2'))),
  step('one with the same end', 20, ADD, ifaddr(NODAD, ip(1, 'fd01::2'))),
  step('the first of them goes', 21, ACK, ifaddr(NODAD, ip(1, 'fd00::2'))),
  step('the second, too', 21, ACK, ifaddr(NODAD, ip(1, 'fd01::2'))),
  sysctl('net.ipv6.conf.v0.forwarding', '1'),
  sysctl('net.ipv6.conf.all.forwarding', '1'),
  sysctl('net.ipv6.conf.all.forwarding', '0'),
  linkDown(3),
  linkUp(3),
  step('a bridge', 16, ADD, ifinfo({}, str(3, 'br0'), linkinfo('bridge'))),
  step(
    'no link-local',
    16,
    ACK,
    ifinfo({ index: 4 }, (w) => w.put(NO_LINK_LOCAL)),
  ),
  linkUp(4),
  linkDown(4),
  linkDown(1),
  step('gone', 17, ACK, ifinfo({ index: 3 })),
]

const anycast: readonly Step[] = [
  ...network,
  sysctl('net.ipv6.conf.v0.forwarding', '1'),
  step('of the same subnet', 20, ADD, ifaddr(NODAD, ip(1, 'fd00::2'))),
  step('a subnet without', 20, ADD, ifaddr({ ...NODAD, len: 127 }, ip(1, 'fd01::2'))),
  step('another subnet', 20, ADD, ifaddr(NODAD, ip(1, 'fd02::1'))),
  ...[10, 2, 0].map((family) => step(`${family}: all`, 62, DUMP, raw(family, 0, 0, 0, 0, 0, 0, 0))),
  step('the first goes', 21, ACK, ifaddr(NODAD, ip(1, 'fd00::1'))),
  step('the second, too', 21, ACK, ifaddr(NODAD, ip(1, 'fd00::2'))),
  sysctl('net.ipv6.conf.v0.forwarding', '0'),
  sysctl('net.ipv6.conf.v0.forwarding', '1'),
  linkDown(3),
]

const header = (family: number, index = 0): number[] => [family, 0, 0, 0, index, 0, 0, 0]
const asked: readonly Step[] = [
  ...network,
  ...[2, 10, 0, 200].flatMap((family) => [
    step(`${family}: all`, LIST, DUMP, raw(...header(family))),
    step(`${family}: of one link`, LIST, DUMP, raw(...header(family, 3))),
    step(`${family}: of a link that is not there`, LIST, DUMP, raw(...header(family, 99))),
    step(`${family}: half a header`, LIST, DUMP, raw(family, 0, 0, 0)),
    step(`${family}: one`, LIST, ACK, raw(...header(family, 3))),
  ]),
]

sessions(import.meta.url, [
  {
    name: 'groups are joined and left',
    steps: changes,
    groups: [MCADDR4, MCADDR6, ACADDR6, IFADDR6],
  },
  {
    name: 'a router has anycast addresses',
    steps: anycast,
    groups: [11, MCADDR6, ACADDR6, IFADDR6],
  },
  { name: 'what is asked of groups', steps: asked },
  { name: 'what is asked of groups, strictly', steps: asked, strict: true },
])
