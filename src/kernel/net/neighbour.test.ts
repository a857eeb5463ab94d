import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ipv4, parseIpv4 as ip, parseIpv6 as ip6 } from './address.ts'
import { changeFlags, combineFlags } from './device-flags.ts'
import type { NeighbourRequest } from './neighbour.ts'
import { down, ME, macOf, Recorder, refusal } from './recorder.test.support.ts'

const ADD = 0x600
const REPLACE = 0x500
const CHANGE = 0x100
const [INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, PERMANENT] = [
  1, 2, 4, 8, 16, 32, 64, 128,
] as const
const ONE = '02:00:00:00:00:01'
const TWO = '02:00:00:00:00:02'

/** v0 with 10.1.0.1/24 and fd00::1/64, up, and a door to its neighbours. */
function host() {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const { ifindex } = v0
  t.stack.inet.add({ ifindex, local: ip('10.1.0.1'), prefixlen: 24 })
  t.settled()
  const add = (last: number, lladdr: string | undefined, state: number, how = ADD): string[] => {
    const request: NeighbourRequest = {
      ifindex,
      dst: ip(`10.1.0.${last}`),
      state,
      lladdr: (lladdr && macOf(lladdr)) || undefined,
    }
    t.stack.arp.add(request, how, ME)
    return t.taken()
  }
  const del = (last: number): string[] => {
    t.stack.arp.delete({ ifindex, dst: ip(`10.1.0.${last}`) }, ME)
    return t.taken()
  }
  return { t, v0, v1, add, del }
}

const line = (event: string, last: number, state: number, lladdr?: string, by = ' by=me') =>
  `${event} 10.1.0.${last} dev=v0 state=0x${state.toString(16)}${lladdr ? ` lladdr=${lladdr}` : ''}${by}`

test('what is added is announced to its requester', () => {
  const { add } = host()
  assert.deepEqual(add(50, ONE, PERMANENT), [line('NEWNEIGH', 50, PERMANENT, ONE)])
  assert.equal(
    refusal(() => add(50, ONE, PERMANENT)),
    'EEXIST',
  )
  assert.deepEqual(add(50, TWO, REACHABLE, REPLACE), [line('NEWNEIGH', 50, REACHABLE, TWO)])
  assert.deepEqual(add(50, TWO, REACHABLE, REPLACE), [])
  assert.deepEqual(add(50, undefined, STALE, CHANGE), [line('NEWNEIGH', 50, STALE, TWO)])
})

test('without leave to replace, another address is passed over', () => {
  const { add } = host()
  add(50, ONE, STALE)
  assert.deepEqual(add(50, TWO, STALE, 0x400), [])
  assert.deepEqual(add(50, ONE, PERMANENT, 0x400), [line('NEWNEIGH', 50, PERMANENT, ONE)])
})

test('what is deleted has failed first, if it was good for anything', () => {
  const { add, del } = host()
  add(50, ONE, PERMANENT)
  assert.deepEqual(del(50), [
    line('NEWNEIGH', 50, FAILED),
    line('DELNEIGH', 50, FAILED, undefined, ''),
  ])
  add(53, undefined, FAILED)
  assert.deepEqual(del(53), [line('DELNEIGH', 53, FAILED, undefined, '')])
})

test('refusals, in Linux’s order', () => {
  const { t, v0, add, del } = host()
  const { arp, ndisc } = t.stack
  const off = t.add('dummy', 'd0')
  if (off.inet6) off.inet6.conf.set('disableIpv6', 1)
  const dst: Ipv4 = ip('10.1.0.9')
  const { ifindex } = v0
  const short = macOf('02:00')
  const rows: [NeighbourRequest, number, string][] = [
    [{ ifindex: 99 }, ADD, 'EINVAL Network address not specified'],
    [{ ifindex: 99, dst }, ADD, 'ENODEV'],
    [{ ifindex, dst, lladdr: short }, ADD, 'EINVAL Invalid link address'],
    [{ ifindex: 0, dst, lladdr: short }, ADD, 'EINVAL Device not specified'],
    [{ ifindex, dst, flags: 0x108 }, ADD, 'EINVAL Invalid NTF_* flag combination'],
    [
      { ifindex, dst, flags: 0x100, state: PERMANENT },
      ADD,
      'EINVAL Invalid NTF_* flag for permanent entry',
    ],
    [{ ifindex, dst }, CHANGE, 'ENOENT'],
  ]
  for (const [request, how, expected] of rows)
    assert.equal(
      refusal(() => arp.add(request, how)),
      expected,
    )
  assert.equal(
    refusal(() => ndisc.add({ ifindex: off.ifindex, dst: ip6('fd00::5') }, ADD)),
    'EINVAL IPv6 is disabled on this device',
  )
  assert.equal(
    refusal(() => add(77, undefined, PERMANENT)),
    'EINVAL No link layer address given',
  )
  assert.equal(
    refusal(() => add(77, ONE, PERMANENT)),
    'EEXIST',
  )
  assert.equal(
    refusal(() => del(99)),
    'ENOENT',
  )
  const gone: [NeighbourRequest, string][] = [
    [{ ifindex }, 'EINVAL Network address not specified'],
    [{ ifindex: 99, dst }, 'ENODEV'],
    [{ ifindex: 0, dst }, 'EINVAL'],
    [{ ifindex, dst, flags: 8 }, 'ENOENT'],
  ]
  for (const [request, expected] of gone)
    assert.equal(
      refusal(() => arp.delete(request)),
      expected,
    )
})

test('proxy entries are kept apart, and nobody is told', () => {
  const { t, v0 } = host()
  const { arp } = t.stack
  const proxy = { ifindex: v0.ifindex, dst: ip('10.1.0.78'), flags: 8 }
  arp.add(proxy, ADD)
  arp.add({ ...proxy, protocol: 5 }, ADD)
  assert.deepEqual(t.taken(), [])
  assert.deepEqual([[...arp.proxies()].length, [...arp.list()].length], [1, 0])
  assert.deepEqual(
    [arp.findProxy(proxy.dst, v0)?.protocol, arp.findProxy(proxy.dst, v0)?.isProxy],
    [5, true],
  )
  arp.delete(proxy)
  arp.add({ ...proxy, ifindex: 0 }, ADD)
  assert.equal(arp.findProxy(proxy.dst, undefined)?.dev, undefined)
})

test('kinds of neighbours: multicast, broadcast, and links without ARP', () => {
  const { t, v0 } = host()
  const { arp, ndisc } = t.stack
  const d0 = t.add('dummy', 'd0')
  const rows: [typeof arp, NeighbourRequest, number, number][] = [
    [arp, { ifindex: v0.ifindex, dst: ip('10.1.0.255'), state: NOARP }, 3, NOARP],
    [arp, { ifindex: v0.ifindex, dst: ip('224.0.0.5'), state: NOARP }, 5, NOARP],
    [ndisc, { ifindex: v0.ifindex, dst: ip6('ff02::5'), state: NOARP }, 5, NOARP],
    [arp, { ifindex: d0.ifindex, dst: ip('10.1.0.9'), state: PERMANENT }, 1, PERMANENT],
  ]
  for (const [table, request, type, state] of rows) {
    table.add(request, ADD)
    const neigh = table.find(request.dst as Ipv4, request.ifindex === v0.ifindex ? v0 : d0)
    assert.deepEqual([neigh?.type, neigh?.state], [type, state])
  }
  const shown = (neigh: { lladdr: Uint8Array } | undefined) => [...(neigh?.lladdr ?? [])]
  assert.deepEqual(shown(arp.find(ip('224.0.0.5'), v0)), [1, 0, 0x5e, 0, 0, 5])
  assert.deepEqual(shown(ndisc.find(ip6('ff02::5'), v0)), [0x33, 0x33, 0, 0, 0, 5])
  assert.deepEqual(shown(arp.find(ip('10.1.0.255'), v0)), [255, 255, 255, 255, 255, 255])
})

test('entries age: reachable to stale, delayed and probed to failed', () => {
  const { t, add } = host()
  const rows: [number, string | undefined, [number, number][]][] = [
    [REACHABLE, ONE, [[30_000, STALE]]],
    [
      DELAY,
      ONE,
      [
        [5000, PROBE],
        [3000, FAILED],
      ],
    ],
    [INCOMPLETE, undefined, [[3000, FAILED]]],
  ]
  for (const [i, [state, lladdr, steps]] of rows.entries()) {
    add(100 + i, lladdr, state)
    for (const [ms, next] of steps) {
      assert.deepEqual(t.settled(ms - 1), [])
      const isValid = next !== FAILED
      assert.deepEqual(t.settled(1), [
        line('NEWNEIGH', 100 + i, next, isValid ? ONE : undefined, ''),
      ])
    }
  }
  assert.equal(t.clock.pending, 0)
})

test('a device that is down loses its neighbours, one without a carrier only the learned ones', () => {
  const { t, v0, v1, add } = host()
  add(1, ONE, STALE)
  add(2, TWO, PERMANENT)
  t.stack.arp.add({ ifindex: v0.ifindex, dst: ip('10.1.0.78'), flags: 8 }, ADD)
  down(v1)
  const gone = (lines: string[]) => lines.filter((each) => each.startsWith('DELNEIGH'))
  assert.deepEqual(gone(t.settled()), [line('DELNEIGH', 1, STALE, ONE, '')])
  down(v0)
  assert.deepEqual(gone(t.settled()), [line('DELNEIGH', 2, PERMANENT, TWO, '')])
  assert.deepEqual([...t.stack.arp.proxies()], [])
})

test('ARP switched off or on forgets all neighbours', () => {
  const { t, v0, add } = host()
  add(2, TWO, PERMANENT)
  t.stack.ndisc.add(
    { ifindex: v0.ifindex, dst: ip6('fd00::5'), lladdr: macOf(ONE), state: PERMANENT },
    ADD,
  )
  t.taken()
  changeFlags(v0, combineFlags(v0, 0x80, 0x80))
  assert.deepEqual(t.settled(), [
    'NEWLINK v0 flags=0x110c3 change=0x80 oper=6 carrier=1',
    line('DELNEIGH', 2, PERMANENT, TWO, ''),
    `DELNEIGH fd00::5 dev=v0 state=0x80 lladdr=${ONE}`,
  ])
})

test('who holds an entry is counted: the request, a timer', () => {
  const { t, v0, add, del } = host()
  const seen: number[] = []
  t.stack.chains.neigh.register({
    call(_, { neigh }) {
      seen.push('references' in neigh ? neigh.references : -1)
      return 0
    },
  })
  add(50, ONE, PERMANENT)
  add(50, TWO, REACHABLE, REPLACE)
  assert.equal(t.stack.arp.find(ip('10.1.0.50'), v0)?.references, 1)
  del(50)
  assert.deepEqual(seen, [1, 2, 1, 0])
})

test('flags: used entries are tried, learned ones are marked', () => {
  const { t, v0 } = host()
  const { arp } = t.stack
  const { ifindex } = v0
  arp.add({ ifindex, dst: ip('10.1.0.5'), flags: 1 }, ADD)
  assert.equal(arp.find(ip('10.1.0.5'), v0)?.state, INCOMPLETE)
  arp.add(
    { ifindex, dst: ip('10.1.0.6'), flags: 0x90, lladdr: macOf(ONE), state: STALE, protocol: 9 },
    ADD,
  )
  const learned = arp.find(ip('10.1.0.6'), v0)
  assert.deepEqual([learned?.flags, learned?.protocol], [0x90, 9])
})
