/** Limits of segmentation, XDP, virtual functions, and other settings of links that are rarely set. */
import {
  ACK,
  ADD,
  bytes,
  GET,
  ifinfo,
  linkinfo,
  linkUp,
  nest,
  type Part,
  type Step,
  step,
  str,
  u8,
  u32,
  veth,
} from './requests.test.support.ts'
import { sessions } from './transcript.test.support.ts'

const NEW = 16
const LIST = 18
const GSO_SEGS = 40
const GSO_SIZE = 41
const GRO_SIZE = 58
const GSO_IPV4 = 63
const GRO_IPV4 = 64
const TSO_SIZE = 59

const change = (label: string, index: number, ...parts: Part[]): Step[] => [
  step(label, NEW, ACK, ifinfo({ index }, ...parts)),
  step(`${label}: as it is now`, LIST, GET, ifinfo({ index }, u32(29, 8))),
]
const created = (label: string, name: string, ...parts: Part[]): Step =>
  step(label, NEW, ADD, ifinfo({}, str(3, name), ...parts, linkinfo('veth')))

const steps: readonly Step[] = [
  step('a veth pair', NEW, ADD, veth('v0', 'v1')),
  linkUp(1),
  ...[GSO_SIZE, GRO_SIZE, GSO_IPV4, GRO_IPV4].flatMap((type) =>
    [524_281, 524_280, 100_000, 4000, 4000, 0].flatMap((size) =>
      change(`${type} of ${size}`, 3, u32(type, size)),
    ),
  ),
  ...[65_536, 65_535, 7].flatMap((segs) => change(`${segs} segments`, 3, u32(GSO_SEGS, segs))),
  ...change('what the device itself can', 3, u32(TSO_SIZE, 1000)),
  ...[54, 60, 61, 66, 67, 68, 69, 6, 7, 8, 9, 11, 12, 21, 23, 38, 45, 57, 62, 65].map((type) =>
    step(`attribute ${type}`, NEW, ACK, ifinfo({ index: 3 }, u8(type, 1))),
  ),
  step('a long queue', NEW, ACK, ifinfo({ index: 3 }, u32(13, 0x8000))),
  ...change('several', 1, u32(GSO_SIZE, 5000), u32(GSO_SEGS, 5), u32(GRO_SIZE, 5000)),
  ...change('with a queue', 1, u32(GSO_SIZE, 6000), u32(13, 10)),
  ...change('one that is too large, and a queue', 1, u32(GSO_SIZE, 600_000), u32(13, 20)),
  ...change('of lo', 1, u32(GSO_SIZE, 6000)),
  created('with a size', 'v2', u32(GSO_SIZE, 7000), u32(GSO_SEGS, 3)),
  created('with a size that is too large', 'v3', u32(GSO_SIZE, 700_000)),
  step('all', LIST, GET, ifinfo({ index: 5 }, u32(29, 8))),
  ...change('no program', 1, nest(43, u32(1, -1))),
  ...change('no program, of the kind', 1, nest(43, u32(1, -1), u32(3, 2))),
  ...change('no such program', 1, nest(43, u32(1, 4711))),
  ...change('a program in place of one', 1, nest(43, u32(1, -1), u32(3, 16))),
  ...change('two modes', 1, nest(43, u32(1, -1), u32(3, 6))),
  ...change('a flag without a meaning', 1, nest(43, u32(1, -1), u32(3, 64))),
  ...change('flags alone', 1, nest(43, u32(3, 2))),
  ...change('what is only told', 1, nest(43, u8(2, 1))),
  ...change('virtual functions: none', 3, nest(22)),
  ...change('virtual functions', 3, nest(22, nest(1))),
  ...change('a virtual function', 3, nest(22, nest(1, bytes(1, ...new Array<number>(36).fill(0))))),
  ...change('virtual functions: something else', 3, nest(22, nest(2))),
  ...change('ports of virtual functions', 3, nest(24)),
  ...change('its own port', 3, nest(25)),
]

const shown = new Map([
  [GSO_SEGS, 'segs'],
  [GSO_SIZE, 'gso'],
  [GRO_SIZE, 'gro'],
  [GSO_IPV4, 'gso4'],
  [GRO_IPV4, 'gro4'],
])
sessions(import.meta.url, [{ name: 'rare settings of links', steps, groups: [1], shown }])
