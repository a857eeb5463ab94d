/** Good requests of traffic control, to be spoilt: disciplines, classes, filters, chains, actions. */
import { NLM_F_DUMP, type Writer } from 'nlkit/wire'
import { type Body, bytes, CREATE, DEV, EXCL, message, REPLACE, u8 } from './rtnl-request.ts'

const ROOT = 0xffffffff
const INGRESS = 0xfffffff1
const ADD = CREATE | EXCL

/** struct tcmsg, the kind, and TCA_OPTIONS. */
function tc(
  type: number,
  flags: number,
  { handle = 0, parent = 0, info = 0, dev = DEV },
  kind?: string,
  options?: Body,
  more: Body = () => {},
): Uint8Array {
  return message(type, flags, (w) => {
    bytes(w, 0, 0, 0, 0)
    w.u32(dev)
    w.u32(handle >>> 0)
    w.u32(parent >>> 0)
    w.u32(info >>> 0)
    if (kind !== undefined) w.attrString(1, kind)
    more(w)
    if (options) nest(w, 2, options)
  })
}

function nest(w: Writer, type: number, body: Body): void {
  const mark = w.attrStart(type)
  body(w)
  w.attrEnd(mark)
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

/** struct tc_ratespec: cell log 8 of Ethernet. */
const rate = (value: number): Uint8Array =>
  Uint8Array.of(8, 1, 0, 0, 0xff, 0xff, 0, 0, ...words(value))

const tbf: Body = (w) => {
  w.attrBytes(
    1,
    Uint8Array.of(...rate(125_000), ...new Array(12).fill(0), ...words(9000, 156250, 0)),
  )
}
const htb: Body = (w) => w.attrBytes(2, words(3, 10, 0x10, 0, 0))
const htbClass: Body = (w) => {
  w.attrBytes(
    1,
    Uint8Array.of(...rate(125_000), ...rate(250_000), ...words(200_000, 100_000, 0, 0, 0)),
  )
}
const PRIOMAP = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]
const prio: Body = (w) => bytes(w, 3, 0, 0, 0, ...PRIOMAP)

function disciplines(): Uint8Array[] {
  const all: Uint8Array[] = []
  const add = (kind: string, options?: Body, flags = ADD, handle = 0x10000): void => {
    all.push(tc(36, flags, { handle, parent: ROOT }, kind, options))
  }
  for (const flags of [ADD, CREATE | REPLACE, 0]) {
    add('pfifo', (w) => w.u32(50), flags)
    add('tbf', tbf, flags)
    add('htb', htb, flags)
    add('prio', prio, flags)
  }
  add('bfifo', (w) => w.u32(5000))
  add('pfifo_fast')
  add('noqueue')
  add('drr')
  add('fq_codel', (w) => {
    w.attrU32(1, 5000)
    w.attrU32(2, 1000)
    w.attrU32(5, 512)
  })
  add('codel', (w) => w.attrU32(1, 5000))
  add('fq', (w) => {
    w.attrU32(1, 5000)
    w.attrU32(3, 3000)
  })
  add('sfq', (w) => bytes(w, ...words(1514, 10, 127, 0, 1024)))
  all.push(
    tc(36, ADD, { parent: INGRESS, handle: 0xffff0000 }, 'ingress'),
    tc(36, ADD, { parent: INGRESS, handle: 0xffff0000 }, 'clsact'),
    tc(36, ADD, { parent: INGRESS, handle: 0xffff0000 }, 'ingress', undefined, (w) =>
      w.attrU32(13, 5),
    ),
    tc(36, ADD, { parent: 0x10001, handle: 0x20000 }, 'pfifo', (w) => w.u32(7)),
    tc(37, 0, { parent: ROOT }),
    tc(37, 0, { parent: ROOT, handle: 0x10000 }),
    tc(37, 0, { parent: INGRESS }),
    tc(37, 0, { parent: 0x10001 }),
    tc(38, 0, { parent: ROOT }),
    tc(38, 0, { handle: 0x10000 }),
    tc(38, NLM_F_DUMP, {}),
  )
  return all
}

function classes(): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const flags of [ADD, CREATE | REPLACE, 0]) {
    for (const [parent, handle] of [
      [0x10000, 0x10001],
      [0x10001, 0x10010],
      [ROOT, 0x10002],
    ] as const) {
      all.push(tc(40, flags, { parent, handle }, 'htb', htbClass))
    }
    all.push(tc(40, flags, { parent: 0x10000, handle: 0x10003 }, 'drr', (w) => w.attrU32(1, 1500)))
  }
  for (const handle of [0x10001, 0x10002, 0x10010]) {
    all.push(tc(41, 0, { handle }), tc(42, 0, { handle }))
  }
  all.push(tc(42, NLM_F_DUMP, {}), tc(42, NLM_F_DUMP, { parent: 0x10000 }))
  return all
}

/** ETH_P_IP as tcm_info has it, with a priority. */
const info = (prio: number): number => (prio << 16) | 0x0008

/** One action in a list, under its number. */
function action(w: Writer, index: number, kind: string, options: Body): void {
  nest(w, index, (inner) => {
    inner.attrString(1, kind)
    nest(inner, 2, options)
  })
}

const drop: Body = (w) => w.attrBytes(2, words(0, 0, 2, 0, 0))
const toLoopback: Body = (w) => w.attrBytes(2, words(0, 0, 4, 0, 0, 1, 1))

const u32Filter: Body = (w) => {
  w.attrU32(1, 0x10010)
  // struct tc_u32_sel with one key: an address at offset 16.
  w.attrBytes(
    5,
    Uint8Array.of(
      ...[1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0xff, 0xff, 0xff, 0xff, 10, 0, 0, 1, 16, 0, 0, 0, 0, 0, 0, 0],
    ),
  )
}

function filters(): Uint8Array[] {
  const all: Uint8Array[] = []
  const parents = [0x10000, INGRESS + 1, ROOT]
  for (const flags of [ADD, CREATE | REPLACE, CREATE, 0]) {
    for (const parent of parents.slice(0, 2)) {
      all.push(
        tc(44, flags, { parent, info: info(1) }, 'u32', u32Filter),
        tc(44, flags, { parent, info: info(2), handle: 1 }, 'matchall', (w) => {
          nest(w, 2, (list) => action(list, 1, 'gact', drop))
        }),
        tc(
          44,
          flags,
          { parent, info: info(3) },
          'matchall',
          (w) => w.attrU32(1, 0x10010),
          (w) => w.attrU32(11, 7),
        ),
      )
    }
  }
  all.push(
    tc(44, ADD, { parent: 0x10000, info: info(4), handle: 5 }, 'fw', (w) => w.attrU32(1, 0x10010)),
    tc(44, ADD, { parent: 0x10000, info: info(5), handle: 1 }, 'basic', (w) =>
      w.attrU32(1, 0x10010),
    ),
    tc(44, ADD, { parent: INGRESS + 1, info: info(6), handle: 1 }, 'flower', (w) => {
      w.attrU32(1, 0x10010)
      w.attrBytes(8, Uint8Array.of(8, 0))
      w.attrBytes(12, Uint8Array.of(10, 0, 0, 1))
      u8(w, 9, 6)
      w.attrBytes(19, Uint8Array.of(0, 80))
    }),
    tc(44, ADD, { parent: INGRESS + 1, info: info(7) }, 'u32', (w) => w.attrU32(4, 16)),
  )
  for (const parent of parents) {
    all.push(
      tc(45, 0, { parent, info: info(1) }, 'u32'),
      tc(45, 0, { parent, info: info(2), handle: 1 }, 'matchall'),
      tc(45, 0, { parent }),
      tc(46, 0, { parent, info: info(2), handle: 1 }, 'matchall'),
      tc(46, NLM_F_DUMP, { parent }),
    )
  }
  const chain = (w: Writer): void => w.attrU32(11, 7)
  for (const type of [100, 101, 102]) {
    const flags = type === 100 ? ADD : 0
    all.push(tc(type, flags, { parent: INGRESS + 1 }, undefined, undefined, chain))
  }
  all.push(tc(102, NLM_F_DUMP, { parent: INGRESS + 1 }))
  return all
}

function actions(): Uint8Array[] {
  const all: Uint8Array[] = []
  const request = (type: number, flags: number, body: Body): void => {
    all.push(
      message(type, flags, (w) => {
        bytes(w, 0, 0, 0, 0)
        nest(w, 1, body)
      }),
    )
  }
  for (const flags of [ADD, CREATE | REPLACE]) {
    request(48, flags, (w) => action(w, 1, 'gact', drop))
    request(48, flags, (w) => action(w, 1, 'mirred', toLoopback))
    request(48, flags, (w) => {
      action(w, 1, 'gact', (inner) => inner.attrBytes(2, words(9, 0, 0, 0, 0)))
    })
  }
  for (const type of [49, 50]) {
    request(type, 0, (w) => {
      nest(w, 1, (inner) => {
        inner.attrString(1, 'gact')
        inner.attrU32(3, 9)
      })
    })
    request(type, type === 49 ? 0x100 : NLM_F_DUMP, (w) => {
      nest(w, 1, (inner) => inner.attrString(1, 'gact'))
    })
  }
  return all
}

export function trafficControl(): Uint8Array[] {
  return [...disciplines(), ...classes(), ...filters(), ...actions()]
}
