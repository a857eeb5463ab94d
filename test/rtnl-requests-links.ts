/**
 * Good requests about links, forwarding entries, settings and statistics, to be spoilt, in the
 * network of `rtnl-requests.ts`.
 */
import { NLM_F_DUMP, type Writer } from 'nlkit/wire'
import { type Body, bytes, CREATE, DEV, EXCL, message, REPLACE, u8, u16 } from './rtnl-request.ts'

const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_GETLINK = 18
const RTM_SETLINK = 19

/** struct ifinfomsg, then attributes. */
function link(
  type: number,
  flags: number,
  { index = 0, family = 0, set = 0, change = 0 },
  body: Body = () => {},
): Uint8Array {
  return message(type, flags, (w) => {
    bytes(w, family, 0, 0, 0)
    w.u32(index)
    w.u32(set)
    w.u32(change)
    body(w)
  })
}

/** IFLA_LINKINFO. */
function kind(w: Writer, name: string, data?: Body): void {
  const info = w.attrStart(18)
  w.attrString(1, name)
  if (data) {
    const nest = w.attrStart(2)
    data(w)
    w.attrEnd(nest)
  }
  w.attrEnd(info)
}

const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 1, last)

function creations(): Uint8Array[] {
  const add = CREATE | EXCL
  const create = (name: string, of: string, data?: Body, more: Body = () => {}): Uint8Array =>
    link(RTM_NEWLINK, add, {}, (w) => {
      w.attrString(3, name)
      more(w)
      kind(w, of, data)
    })
  return [
    create('d0', 'dummy', undefined, (w) => {
      w.attrU32(4, 1400)
      w.attrBytes(1, mac(1))
    }),
    create('d1', 'dummy', undefined, (w) => {
      w.attrU32(13, 500)
      w.attrU32(27, 3)
      w.attrString(20, 'an alias')
    }),
    create('b0', 'bridge', (w) => {
      w.attrU32(1, 1500)
      u16(w, 6, 100)
      u8(w, 7, 1)
    }),
    create('i0', 'ifb'),
    create('w0', 'veth', (w) => {
      const peer = w.attrStart(1)
      bytes(w, 0, 0, 0, 0)
      w.u32(0)
      w.u32(0)
      w.u32(0)
      w.attrString(3, 'w1')
      w.attrU32(4, 1300)
      w.attrEnd(peer)
    }),
    create(
      'v0.5',
      'vlan',
      (w) => {
        u16(w, 1, 5)
        w.attrBytes(5, Uint8Array.of(0x81, 0))
      },
      (w) => w.attrU32(5, DEV),
    ),
    create(
      'm0',
      'macvlan',
      (w) => w.attrU32(1, 4),
      (w) => w.attrU32(5, DEV),
    ),
    create('nl0', 'nlmon'),
    create('r0', 'vrf', (w) => w.attrU32(1, 100)),
  ]
}

function changes(): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const type of [RTM_NEWLINK, RTM_SETLINK]) {
    const set = (body: Body, header = {}): Uint8Array =>
      link(type, 0, { index: DEV, ...header }, body)
    all.push(
      set((w) => w.attrU32(4, 1400)),
      set((w) => w.attrU32(13, 100)),
      set((w) => w.attrU32(27, 7)),
      set((w) => w.attrString(20, 'one')),
      set((w) => w.attrBytes(1, mac(9))),
      set(() => {}, { set: 0, change: 1 }),
      set(() => {}, { set: 1, change: 1 }),
      set(() => {}, { set: 0x100, change: 0x100 }),
      set((w) => u8(w, 17, 1)),
      set((w) => u8(w, 16, 5)),
      set((w) => u8(w, 39, 1)),
      set((w) => u8(w, 33, 0)),
      set((w) => w.attrU32(41, 30_000)),
      link(type, 0, {}, (w) => {
        w.attrString(3, 'v0')
        w.attrU32(4, 1450)
      }),
      set((w) => {
        const spec = w.nestStart(26)
        const inet = w.nestStart(2)
        const conf = w.nestStart(1)
        w.attrU32(1, 1)
        w.attrEnd(conf)
        w.attrEnd(inet)
        const inet6 = w.nestStart(10)
        u8(w, 8, 1)
        w.attrEnd(inet6)
        w.attrEnd(spec)
      }),
    )
  }
  all.push(
    link(RTM_DELLINK, 0, {}, (w) => w.attrString(3, 'd0')),
    link(RTM_DELLINK, 0, { index: 4 }),
    link(RTM_DELLINK, 0, {}, (w) => w.attrU32(27, 9)),
    link(RTM_GETLINK, 0, { index: DEV }),
    link(RTM_GETLINK, 0, {}, (w) => {
      w.attrString(3, 'v0')
      w.attrU32(29, 1)
    }),
    link(RTM_GETLINK, 0, {}, (w) => w.attrString(53, 'alternative')),
    link(RTM_GETLINK, NLM_F_DUMP, {}, (w) => w.attrU32(29, 9)),
    link(RTM_GETLINK, NLM_F_DUMP, { family: 7 }, (w) => w.attrU32(29, 3)),
    link(RTM_GETLINK, NLM_F_DUMP, {}, (w) => {
      w.attrU32(10, 4)
      const info = w.attrStart(18)
      w.attrString(1, 'dummy')
      w.attrEnd(info)
    }),
  )
  for (const type of [108, 109]) {
    all.push(
      link(type, type === 108 ? CREATE | EXCL : 0, { index: DEV }, (w) => {
        const list = w.attrStart(52)
        w.attrString(53, 'alternative')
        w.attrEnd(list)
      }),
    )
  }
  return all
}

/** Ports of a bridge that a request may have made, as number 4. */
function ports(): Uint8Array[] {
  const set = (body: Body): Uint8Array => link(RTM_SETLINK, 0, { index: DEV, family: 7 }, body)
  return [
    link(RTM_NEWLINK, 0, { index: DEV }, (w) => w.attrU32(10, 4)),
    link(RTM_NEWLINK, 0, { index: DEV }, (w) => w.attrU32(10, 0)),
    link(RTM_NEWLINK, 0, { index: 4 }, (w) => kind(w, 'bridge', (inner) => u8(inner, 7, 0))),
    set((w) => {
      const port = w.nestStart(12)
      u16(w, 2, 16)
      w.attrU32(3, 50)
      u8(w, 4, 1)
      u8(w, 8, 0)
      w.attrEnd(port)
    }),
    set((w) => {
      const spec = w.attrStart(26)
      w.attrBytes(2, Uint8Array.of(0, 0, 10, 0))
      w.attrEnd(spec)
    }),
    link(RTM_DELLINK, 0, { index: DEV, family: 7 }, (w) => {
      const spec = w.attrStart(26)
      w.attrBytes(2, Uint8Array.of(0, 0, 10, 0))
      w.attrEnd(spec)
    }),
  ]
}

export function links(): Uint8Array[] {
  return [...creations(), ...changes(), ...ports()]
}

/** Forwarding entries of a bridge, and of links themselves. */
export function forwarding(): Uint8Array[] {
  const all: Uint8Array[] = [
    link(RTM_NEWLINK, CREATE | EXCL, {}, (w) => {
      w.attrString(3, 'b0')
      kind(w, 'bridge', (inner) => u8(inner, 7, 1))
    }),
    link(RTM_NEWLINK, 0, { index: DEV }, (w) => w.attrU32(10, 4)),
  ]
  const entry = (type: number, flags: number, dev: number, of: number, body: Body): Uint8Array =>
    message(type, flags, (w) => {
      bytes(w, 7, 0, 0, 0)
      w.u32(dev)
      bytes(w, 0xc0, 0, of, 0)
      body(w)
    })
  for (const [dev, of] of [
    [DEV, 4],
    [DEV, 2],
    [4, 2],
  ] as const) {
    for (const flags of [CREATE | EXCL, CREATE | REPLACE]) {
      all.push(
        entry(28, flags, dev, of, (w) => w.attrBytes(2, mac(5))),
        entry(28, flags, dev, of, (w) => {
          w.attrBytes(2, mac(6))
          u16(w, 5, 1)
        }),
      )
    }
    all.push(
      entry(29, 0, dev, of, (w) => w.attrBytes(2, mac(5))),
      entry(29, 0x100, dev, of, (w) => u16(w, 5, 1)),
      entry(30, 0, dev, of, (w) => w.attrBytes(2, mac(5))),
    )
  }
  all.push(
    message(30, NLM_F_DUMP, (w) => {
      bytes(w, 7, 0, 0, 0)
      w.u32(0)
      bytes(w, 0, 0, 0, 0)
      w.attrU32(8, DEV)
    }),
  )
  return all
}

/** Settings, tables of neighbours, statistics, address labels, namespaces' numbers. */
export function settings(): Uint8Array[] {
  const all: Uint8Array[] = []
  for (const family of [2, 10, 28]) {
    all.push(
      message(82, 0, (w) => {
        bytes(w, family, 0, 0, 0)
        w.attrU32(1, DEV)
      }),
      message(82, NLM_F_DUMP, (w) => bytes(w, family, 0, 0, 0)),
    )
  }
  all.push(
    message(66, NLM_F_DUMP, (w) => bytes(w, 2, 0, 0, 0)),
    message(67, REPLACE, (w) => {
      bytes(w, 2, 0, 0, 0)
      w.attrString(1, 'arp_cache')
      w.attrU32(3, 200)
      const parms = w.attrStart(6)
      w.attrU32(1, DEV)
      w.attrU32(10, 4)
      w.attrEnd(parms)
    }),
    message(94, 0, (w) => {
      bytes(w, 0, 0, 0, 0)
      w.u32(DEV)
      w.u32(1)
    }),
    message(94, NLM_F_DUMP, (w) => {
      bytes(w, 0, 0, 0, 0)
      w.u32(0)
      w.u32(1)
    }),
    message(90, 0, (w) => {
      bytes(w, 0, 0, 0, 0)
      w.attrU32(1, 7)
    }),
    message(58, NLM_F_DUMP, (w) => bytes(w, 7, 0, 0, 0, 0, 0, 0, 0)),
  )
  for (const type of [72, 73, 74]) {
    all.push(
      message(type, type === 72 ? CREATE | EXCL : 0, (w) => {
        bytes(w, 10, 0, 64, 0)
        w.u32(0)
        w.u32(0)
        w.attrBytes(1, Uint8Array.of(0xfd, 9, ...new Array(14).fill(0)))
        if (type !== 74) w.attrU32(2, 55)
      }),
    )
  }
  return all
}
