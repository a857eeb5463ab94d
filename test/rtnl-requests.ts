/**
 * Good requests of rtnetlink, to be spoilt: routes, rules, nexthops, addresses, neighbours, links, in
 * a network where 1 is lo, 2 and 3 are v1 and v0, a pair with 10.0.0.1/24 and fd00::1/64.
 */
import { NLM_F_DUMP, type Writer } from 'nlkit/wire'
import {
  APPEND,
  type Body,
  bytes,
  CREATE,
  DEV,
  EXCL,
  message,
  REPLACE,
  u8,
  u16,
} from './rtnl-request.ts'
import { forwarding, links, settings } from './rtnl-requests-links.ts'
import { trafficControl } from './rtnl-requests-tc.ts'

const ip4 = (text: string): Uint8Array => Uint8Array.from(text.split('.'), Number)
/** fd followed by one byte, zeros, and a last one. */
const ip6 = (second: number, last: number): Uint8Array => {
  const address = new Uint8Array(16)
  address.set([0xfd, second])
  address[15] = last
  return address
}
/** struct rtmsg. */
interface Route {
  readonly family?: number
  readonly dstLen?: number
  readonly tos?: number
  readonly table?: number
  readonly scope?: number
  readonly type?: number
  readonly flags?: number
}

function route(type: number, flags: number, header: Route, body: Body): Uint8Array {
  const { family = 2, dstLen = 24, tos = 0, table = 254, scope = 0, flags: of = 0 } = header
  return message(type, flags, (w) => {
    bytes(w, family, dstLen, 0, tos, table, type === 26 ? 0 : 3, scope, header.type ?? 1)
    w.u32(of)
    body(w)
  })
}

function routes(): Uint8Array[] {
  const all: Uint8Array[] = []
  const via = (w: Writer, to = '10.9.0.0', gateway = '10.0.0.2'): void => {
    w.attrBytes(1, ip4(to))
    w.attrBytes(5, ip4(gateway))
  }
  for (const flags of [CREATE | EXCL, CREATE | REPLACE, CREATE | APPEND, CREATE, REPLACE]) {
    all.push(route(24, flags, {}, (w) => via(w)))
    all.push(route(24, flags, {}, (w) => via(w, '10.9.0.0', '10.0.0.3')))
    all.push(
      route(24, flags, { family: 10, dstLen: 64 }, (w) => {
        w.attrBytes(1, ip6(9, 0))
        w.attrBytes(5, ip6(0, 2))
        w.attrU32(6, 100)
      }),
    )
  }
  const add = CREATE | EXCL
  all.push(
    route(24, add, { scope: 253, dstLen: 16 }, (w) => {
      w.attrBytes(1, ip4('10.8.0.0'))
      w.attrU32(4, DEV)
      w.attrBytes(7, ip4('10.0.0.1'))
      w.attrU32(15, 1000)
      w.attrU32(6, 5)
    }),
    route(24, add, { type: 6, dstLen: 32 }, (w) => w.attrBytes(1, ip4('10.7.0.1'))),
    route(24, add, { type: 2, scope: 254, dstLen: 32, table: 255 }, (w) => {
      w.attrBytes(1, ip4('10.7.0.2'))
      w.attrU32(4, DEV)
    }),
    route(24, add, { tos: 8 }, (w) => {
      via(w, '10.6.0.0')
      const nest = w.attrStart(8)
      w.attrU32(2, 1400)
      w.attrU32(8, 1300)
      w.attrString(16, 'cubic')
      w.attrEnd(nest)
    }),
    route(24, add, {}, (w) => {
      w.attrBytes(1, ip4('10.5.0.0'))
      const list = w.attrStart(9)
      for (const last of [2, 3]) {
        bytes(w, 16, 0, 0, last)
        w.u32(DEV)
        w.attrBytes(5, ip4(`10.0.0.${last}`))
      }
      w.attrEnd(list)
    }),
    route(24, add, { flags: 4 }, (w) => {
      via(w, '10.4.0.0', '172.16.0.1')
      w.attrU32(4, DEV)
    }),
    route(24, add, {}, (w) => {
      w.attrBytes(1, ip4('10.3.0.0'))
      w.attrBytes(18, Uint8Array.of(10, 0, ...ip6(0, 2)))
      w.attrU32(4, DEV)
    }),
    route(24, add, {}, (w) => {
      w.attrBytes(1, ip4('10.2.0.0'))
      w.attrU32(30, 1)
    }),
    route(24, add, { family: 10, dstLen: 64 }, (w) => {
      w.attrBytes(1, ip6(8, 0))
      w.attrU32(4, DEV)
      u8(w, 20, 1)
      w.attrU32(23, 1000)
    }),
    route(24, add, { family: 10, dstLen: 64 }, (w) => {
      w.attrBytes(1, ip6(7, 0))
      const list = w.attrStart(9)
      for (const last of [2, 3]) {
        bytes(w, 28, 0, 0, last)
        w.u32(DEV)
        w.attrBytes(5, ip6(0, last))
      }
      w.attrEnd(list)
    }),
    route(25, 0, { scope: 255, type: 0 }, (w) => via(w)),
    route(25, 0, { scope: 255, type: 0 }, (w) => w.attrBytes(1, ip4('10.9.0.0'))),
    route(25, 0, { family: 10, dstLen: 64 }, (w) => w.attrBytes(1, ip6(9, 0))),
    route(26, 0, { dstLen: 32, table: 0, type: 0 }, (w) => w.attrBytes(1, ip4('10.9.0.5'))),
    route(26, 0, { dstLen: 32, table: 0, type: 0, flags: 0x3000 }, (w) => {
      w.attrBytes(1, ip4('10.0.0.5'))
      w.attrU32(4, DEV)
      w.attrU32(16, 7)
      w.attrU32(25, 1000)
      u8(w, 27, 6)
      u16(w, 28, 80)
    }),
    route(26, 0, { family: 10, dstLen: 128, table: 0, type: 0 }, (w) => {
      w.attrBytes(1, ip6(0, 5))
    }),
    route(26, NLM_F_DUMP, { dstLen: 0, type: 0 }, (w) => w.attrU32(15, 254)),
    route(26, NLM_F_DUMP, { family: 10, dstLen: 0, table: 0, type: 0 }, (w) => w.attrU32(4, DEV)),
  )
  return all
}

function rule(type: number, flags: number, header: readonly number[], body: Body): Uint8Array {
  return message(type, flags, (w) => {
    bytes(w, ...header)
    w.u32(0)
    body(w)
  })
}

function rules(): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const type of [32, 33]) {
    const flags = type === 32 ? CREATE | EXCL : 0
    all.push(
      rule(type, flags, [2, 0, 16, 0, 100, 0, 0, 1], (w) => {
        w.attrBytes(2, ip4('10.1.0.0'))
        w.attrU32(6, 500)
      }),
      rule(type, flags, [2, 24, 0, 8, 0, 0, 0, 1], (w) => {
        w.attrBytes(1, ip4('10.2.3.0'))
        w.attrString(3, 'v0')
        w.attrString(17, 'v1')
        w.attrU32(10, 5)
        w.attrU32(16, 0xff)
        w.attrU32(15, 1000)
      }),
      rule(type, flags, [2, 0, 0, 0, 0, 0, 0, 2], (w) => {
        w.attrU32(4, 900)
        w.attrU32(6, 300)
      }),
      rule(type, flags, [10, 0, 64, 0, 101, 0, 0, 1], (w) => w.attrBytes(2, ip6(9, 0))),
      rule(type, flags, [2, 0, 0, 0, 254, 0, 0, 1], (w) => {
        w.attrU32(14, 8)
        w.attrU32(13, 5)
        w.attrBytes(20, Uint8Array.of(1, 0, 0, 0, 9, 0, 0, 0))
        u8(w, 21, 4)
        u8(w, 22, 6)
        w.attrBytes(23, Uint8Array.of(10, 0, 20, 0))
        w.attrBytes(24, Uint8Array.of(80, 0, 80, 0))
      }),
      rule(type, flags, [2, 0, 0, 0, 0, 0, 0, 1], (w) => u8(w, 19, 1)),
      rule(type, flags, [2, 0, 0, 0, 0, 0, 0, 8], (w) => w.attrU32(6, 600)),
    )
  }
  all.push(rule(34, NLM_F_DUMP, [2, 0, 0, 0, 0, 0, 0, 0], () => {}))
  return all
}

function nexthop(type: number, flags: number, family: number, body: Body): Uint8Array {
  return message(type, flags, (w) => {
    bytes(w, family, 0, type === 104 ? 3 : 0, 0)
    w.u32(0)
    body(w)
  })
}

function nexthops(): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const flags of [CREATE | EXCL, CREATE | REPLACE]) {
    for (const id of [1, 2, 3]) {
      all.push(
        nexthop(104, flags, 2, (w) => {
          w.attrU32(1, id)
          w.attrBytes(6, ip4(`10.0.0.${id + 1}`))
          w.attrU32(5, DEV)
        }),
      )
    }
    all.push(
      nexthop(104, flags, 10, (w) => {
        w.attrU32(1, 4)
        w.attrBytes(6, ip6(0, 2))
        w.attrU32(5, DEV)
      }),
      nexthop(104, flags, 2, (w) => {
        w.attrU32(1, 5)
        w.attrBytes(4, new Uint8Array())
      }),
      nexthop(104, flags, 2, (w) => {
        w.attrU32(1, 6)
        w.attrBytes(6, ip4('10.0.0.9'))
        w.attrBytes(11, new Uint8Array())
      }),
      nexthop(104, flags, 0, (w) => {
        w.attrU32(1, 10)
        w.attrBytes(2, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0))
      }),
      nexthop(104, flags, 0, (w) => {
        w.attrU32(1, 11)
        w.attrBytes(2, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0))
        u16(w, 3, 1)
        const nest = w.nestStart(12)
        u16(w, 1, 8)
        w.attrU32(2, 100)
        w.attrEnd(nest)
      }),
    )
  }
  for (const id of [1, 2, 10]) {
    all.push(nexthop(105, 0, 0, (w) => w.attrU32(1, id)))
    all.push(nexthop(106, 0, 0, (w) => w.attrU32(1, id)))
  }
  all.push(
    nexthop(106, NLM_F_DUMP, 0, (w) => w.attrU32(5, DEV)),
    nexthop(106, NLM_F_DUMP, 0, (w) => w.attrBytes(9, new Uint8Array())),
    nexthop(118, 0, 0, (w) => {
      w.attrU32(1, 11)
      const nest = w.nestStart(13)
      u16(w, 1, 3)
      w.attrEnd(nest)
    }),
    nexthop(118, NLM_F_DUMP, 0, (w) => w.attrU32(1, 11)),
  )
  return all
}

function addresses(): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const type of [20, 21]) {
    const flags = type === 20 ? CREATE | EXCL : 0
    for (const last of [1, 5]) {
      all.push(
        message(type, flags, (w) => {
          bytes(w, 2, 24, 0, 0)
          w.u32(DEV)
          w.attrBytes(2, ip4(`10.0.7.${last}`))
          w.attrBytes(1, ip4(`10.0.7.${last}`))
          w.attrString(3, 'v0:1')
          w.attrU32(9, 50)
        }),
        message(type, flags, (w) => {
          bytes(w, 10, 64, 2, 0)
          w.u32(DEV)
          w.attrBytes(2, ip6(7, last))
          w.attrU32(8, 2)
        }),
      )
    }
  }
  return all
}

function neighbours(): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const type of [28, 29, 30]) {
    const flags = type === 28 ? CREATE | EXCL : 0
    all.push(
      message(type, flags, (w) => {
        bytes(w, 2, 0, 0, 0)
        w.u32(DEV)
        bytes(w, type === 30 ? 0 : 0x80, 0, 0, 0)
        w.attrBytes(1, ip4('10.0.0.77'))
        if (type !== 30) w.attrBytes(2, Uint8Array.of(2, 0, 0, 0, 0, 7))
      }),
      message(type, flags, (w) => {
        bytes(w, 10, 0, 0, 0)
        w.u32(DEV)
        bytes(w, type === 30 ? 0 : 0x80, 0, 0, 0)
        w.attrBytes(1, ip6(0, 77))
        if (type !== 30) w.attrBytes(2, Uint8Array.of(2, 0, 0, 0, 0, 7))
      }),
    )
  }
  return all
}

const OBJECTS: Readonly<Record<string, () => Uint8Array[]>> = {
  route: routes,
  rule: rules,
  nexthop: nexthops,
  addr: addresses,
  neigh: neighbours,
  link: links,
  fdb: forwarding,
  settings,
  tc: trafficControl,
}

/** Requests of the objects that are named, or of all. @throws Error for one that is not known */
export function goodRequests(objects: readonly string[]): Uint8Array[] {
  const names = objects.length > 0 ? objects : Object.keys(OBJECTS)
  return names.flatMap((name) => {
    const make = OBJECTS[name]
    if (!make) throw new Error(`${name} is none of ${Object.keys(OBJECTS).join(', ')}`)
    return make()
  })
}
