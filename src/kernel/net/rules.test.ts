import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIpv4 as ip, parseIpv6 as ip6 } from './address.ts'
import { renameDevice } from './device-registry.ts'
import { deleteLinks } from './link-create.ts'
import { ME, Recorder, refusal, up } from './recorder.test.support.ts'
import type { RuleConfig } from './rule.ts'

const EXCL = 0x600
const TO_TABLE = 1
const GOTO = 2
const NOP = 3
const BLACKHOLE = 6
const UNREACHABLE = 7
const PROHIBIT = 8

const shown = ({ list }: { list(): readonly { priority: number; table: number }[] }) =>
  list().map(({ priority, table }) => `${priority}:${table}`)

test('the rules that are there from the start', () => {
  const { stack } = new Recorder()
  assert.deepEqual(shown({ list: () => stack.rules4.list() }), ['0:255', '32766:254', '32767:253'])
  assert.deepEqual(shown({ list: () => stack.rules6.list() }), ['0:255', '32766:254'])
})

test('a rule stands behind those of its priority; without one, below the second rule', () => {
  const t = new Recorder()
  const { rules4 } = t.stack
  for (const [table, priority] of [
    [100, 500],
    [101, 500],
    [102, undefined],
    [103, undefined],
    [104, 0],
  ] as const)
    rules4.add({ action: TO_TABLE, table, priority }, EXCL, ME)
  assert.deepEqual(shown({ list: () => rules4.list() }), [
    '0:255',
    '0:104',
    '498:103',
    '499:102',
    '500:100',
    '500:101',
    '32766:254',
    '32767:253',
  ])
  assert.deepEqual(t.taken().slice(0, 1), ['NEWRULE 500 table=100 by=me'])
})

test('refusals', () => {
  const { stack } = new Recorder()
  const { rules4, rules6 } = stack
  const src = ip('10.1.0.0')
  rules4.add({ action: TO_TABLE, table: 100, priority: 500, src, srcLen: 24 }, EXCL)
  const rows: [RuleConfig, string][] = [
    [{ action: TO_TABLE, srcLen: 24 }, 'EINVAL Invalid source address'],
    [{ action: TO_TABLE, src, srcLen: 33 }, 'EINVAL Invalid source address'],
    [{ action: TO_TABLE, dstLen: 24 }, 'EINVAL Invalid dst address'],
    [{ action: TO_TABLE, goto: 5 }, 'EINVAL Unexpected goto'],
    [{ action: GOTO, goto: 10, priority: 20 }, 'EINVAL Backward goto not supported'],
    [{ action: GOTO }, 'EINVAL Missing goto target for action goto'],
    [{ action: TO_TABLE, table: 5, l3mdev: 1 }, 'EINVAL l3mdev and table are mutually exclusive'],
    [{ action: TO_TABLE, uidRange: { start: 5, end: 4 } }, 'EINVAL Invalid uid range'],
    [{ action: TO_TABLE, sport: { start: 0, end: 4 } }, 'EINVAL Invalid sport range'],
    [{ action: TO_TABLE, dport: { start: 5, end: 4 } }, 'EINVAL Invalid dport range'],
    [{ action: TO_TABLE, table: 5, tos: 1 }, 'EINVAL Invalid dsfield (tos): ECN bits must be 0'],
    [{ action: TO_TABLE, table: 100, priority: 500, src, srcLen: 24 }, 'EEXIST'],
  ]
  for (const [config, expected] of rows)
    assert.equal(
      refusal(() => rules4.add(config, EXCL)),
      expected,
    )
  assert.equal(
    refusal(() => rules6.add({ action: TO_TABLE }, EXCL)),
    'EINVAL Invalid table',
  )
  rules4.add({ action: TO_TABLE, table: 5, flags: 1, priority: 9 })
  assert.equal(
    refusal(() => rules4.delete({ action: 0, priority: 9 })),
    'EPERM',
  )
  assert.equal(
    refusal(() => rules4.delete({ action: 0, priority: 10 })),
    'ENOENT',
  )
  assert.equal(
    refusal(() => rules4.delete({ action: TO_TABLE, table: 100, src, srcLen: 25 })),
    'ENOENT',
  )
})

test('a rule to no table in particular gets one that nobody has', () => {
  const { stack } = new Recorder()
  stack.fib4.newTable(1)
  stack.rules4.add({ action: TO_TABLE })
  assert.equal(stack.rules4.list().find(({ priority }) => priority === 32765)?.table, 2)
})

test('deletion takes the first rule that has all that is given', () => {
  const t = new Recorder()
  const { rules4 } = t.stack
  const src = ip('10.1.0.0')
  rules4.add({ action: TO_TABLE, table: 100, priority: 500, src, srcLen: 24 })
  rules4.add({ action: TO_TABLE, table: 100, priority: 501, mark: 5 })
  rules4.add({
    action: PROHIBIT,
    priority: 502,
    iifname: 'eth0',
    ipProto: 6,
    dport: { start: 80, end: 90 },
  })
  t.taken()
  const rows: [RuleConfig, number][] = [
    [{ action: 0, mark: 5 }, 501],
    [{ action: PROHIBIT, dport: { start: 80, end: 90 } }, 502],
    [{ action: TO_TABLE, table: 100 }, 500],
    [{ action: 0, priority: 32766 }, 32766],
    [{ action: 0 }, 0],
  ]
  for (const [config, priority] of rows) {
    rules4.delete(config, ME)
    assert.match(t.taken()[0] ?? '', new RegExp(`^DELRULE ${priority} .*by=me$`))
  }
})

/** Tables of made-up answers behind the rules. */
function asked(t: Recorder, flow: object, tables: Record<number, string>): string {
  const asked: number[] = []
  let answer: string | undefined
  try {
    answer = t.stack.rules4.lookup(
      { daddr: ip('9.9.9.9'), ...flow },
      {
        look: (table) => {
          asked.push(table)
          return tables[table]
        },
        prefixlen: (result) => Number(result),
        device: () => t.stack.loopback,
      },
    )
  } catch (error) {
    answer = (error as { code: string }).code
  }
  return `${asked.join(' ')} -> ${answer}`
}

test('rules are tried in order, by what they select', () => {
  const t = new Recorder()
  const { rules4 } = t.stack
  const all: [RuleConfig, object, boolean][] = [
    [{ action: TO_TABLE, src: ip('10.0.0.0'), srcLen: 8 }, { saddr: ip('10.9.9.9') }, true],
    [{ action: TO_TABLE, src: ip('10.0.0.0'), srcLen: 8 }, { saddr: ip('11.9.9.9') }, false],
    [{ action: TO_TABLE, src: ip('10.0.0.0'), srcLen: 8 }, {}, false],
    [{ action: TO_TABLE, dst: ip('9.0.0.0'), dstLen: 8 }, {}, true],
    [{ action: TO_TABLE, dst: ip('9.0.0.0'), dstLen: 8, flags: 2 }, {}, false],
    [{ action: TO_TABLE, mark: 5 }, { mark: 5 }, true],
    [{ action: TO_TABLE, mark: 5 }, { mark: 7 }, false],
    [{ action: TO_TABLE, mark: 5, mask: 1 }, { mark: 7 }, true],
    [{ action: TO_TABLE, iifname: 'lo' }, { iif: 1 }, true],
    [{ action: TO_TABLE, iifname: 'lo' }, { iif: 2 }, false],
    [{ action: TO_TABLE, oifname: 'nosuch' }, { oif: 1 }, false],
    [{ action: TO_TABLE, tos: 8 }, { dscp: 8 }, true],
    [{ action: TO_TABLE, tos: 8 }, {}, false],
    [{ action: TO_TABLE, uidRange: { start: 5, end: 9 } }, { uid: 9 }, true],
    [{ action: TO_TABLE, uidRange: { start: 5, end: 9 } }, { uid: 10 }, false],
    [{ action: TO_TABLE, uidRange: { start: 5, end: 9 } }, {}, false],
    [{ action: TO_TABLE, ipProto: 6 }, { ipProto: 6 }, true],
    [{ action: TO_TABLE, ipProto: 6 }, { ipProto: 17 }, false],
    [{ action: TO_TABLE, sport: { start: 5, end: 9 } }, { sport: 7 }, true],
    [{ action: TO_TABLE, dport: { start: 5, end: 9 } }, { dport: 10 }, false],
  ]
  for (const [config, flow, isMatch] of all) {
    rules4.add({ ...config, table: 77, priority: 10 })
    const answer = asked(t, flow, { 77: '8' })
    assert.equal(
      answer,
      isMatch ? '255 77 -> 8' : '255 77 254 253 -> undefined'.replace(' 77', ''),
      JSON.stringify(config),
    )
    rules4.delete({ action: 0, priority: 10 })
  }
})

test('actions: tables, jumps, suppression, refusals', () => {
  const rows: [RuleConfig[], string][] = [
    [[{ action: BLACKHOLE }], '255 -> EINVAL'],
    [[{ action: UNREACHABLE }], '255 -> ENETUNREACH'],
    [[{ action: PROHIBIT }], '255 -> EACCES'],
    [[{ action: NOP }], '255 254 -> 8'],
    [[{ action: GOTO, goto: 32767 }], '255 253 -> 0'],
    [[{ action: GOTO, goto: 200 }], '255 254 -> 8'],
    [[{ action: TO_TABLE, table: 254, suppressPrefixlen: 8 }], '255 254 254 -> 8'],
    [[{ action: TO_TABLE, table: 254, suppressPrefixlen: 7 }], '255 254 -> 8'],
    [[{ action: TO_TABLE, table: 254, suppressIfgroup: 0 }], '255 254 254 -> 8'],
  ]
  for (const [configs, expected] of rows) {
    const t = new Recorder()
    for (const config of configs) t.stack.rules4.add({ priority: 100, ...config })
    assert.equal(asked(t, {}, { 254: '8', 253: '0' }), expected, JSON.stringify(configs))
  }
})

test('a jump finds its target when it comes, and the next of its priority when it goes', () => {
  const t = new Recorder()
  const { rules4 } = t.stack
  rules4.add({ action: GOTO, goto: 200, priority: 100 })
  const jump = rules4.list().find(({ priority }) => priority === 100)
  const target = () => jump?.jump?.table
  assert.equal(target(), undefined)
  rules4.add({ action: TO_TABLE, table: 1, priority: 200 })
  rules4.add({ action: TO_TABLE, table: 2, priority: 200 })
  assert.equal(target(), 1)
  rules4.delete({ action: 0, priority: 200 })
  assert.equal(target(), 2)
  rules4.delete({ action: 0, priority: 200 })
  assert.equal(target(), undefined)
})

test('names of interfaces come and go', () => {
  const t = new Recorder()
  t.stack.rules6.add({ action: TO_TABLE, table: 9, iifname: 'd0', oifname: 'lo', priority: 7 })
  const rule = t.stack.rules6.list()[1]
  const indices = () => [rule?.iifindex, rule?.oifindex]
  assert.deepEqual(indices(), [-1, 1])
  const d0 = t.add('dummy', 'd0')
  assert.deepEqual(indices(), [d0.ifindex, 1])
  renameDevice(d0, 'd1')
  assert.deepEqual(indices(), [-1, 1])
  renameDevice(d0, 'd0')
  deleteLinks([d0])
  assert.deepEqual(indices(), [-1, 1])
})

test('routing goes by the rules once there is one of one’s own', () => {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  up(t.stack.loopback)
  const { fib4, fib6, rules4, rules6 } = t.stack
  const route = { dst: ip('9.0.0.0'), dstLen: 8, type: 1, scope: 253 }
  fib4.insert({ ...route, oif: v0.ifindex }, EXCL)
  fib4.insert({ ...route, oif: v1.ifindex, table: 50 }, EXCL)
  fib6.add({ dst: ip6('fd09::'), dstLen: 64, oif: v0.ifindex }, EXCL)
  fib6.add({ dst: ip6('fd09::'), dstLen: 64, oif: v1.ifindex, table: 50 }, EXCL)
  const way = () => [
    fib4.lookup({ daddr: ip('9.9.9.9') }).nexthop.dev?.name,
    fib6.lookup({ daddr: ip6('fd09::1') }).route.nexthop.dev.name,
  ]
  assert.deepEqual(way(), ['v0', 'v0'])
  for (const rules of [rules4, rules6]) rules.add({ action: TO_TABLE, table: 50, priority: 10 })
  assert.deepEqual(way(), ['v1', 'v1'])
  for (const rules of [rules4, rules6]) rules.delete({ action: 0, priority: 32766 })
  for (const rules of [rules4, rules6]) rules.delete({ action: 0, priority: 10 })
  assert.equal(refusal(way), 'ENETUNREACH')
})
