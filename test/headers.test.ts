/**
 * Every number of the families, against the C headers that are installed here: attributes, commands,
 * groups, constants, sizes and members of structs become one C file of static assertions.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as nlctrl from 'nlkit/families/nlctrl'
import * as addr from 'nlkit/families/rt-addr-constants'
import * as link from 'nlkit/families/rt-link-constants'
import * as neigh from 'nlkit/families/rt-neigh-constants'
import * as route from 'nlkit/families/rt-route-constants'
import * as rule from 'nlkit/families/rt-rule-constants'
import * as rtnetlink from 'nlkit/families/rtnetlink'
import type { Shape } from 'nlkit/schema'
import * as wire from 'nlkit/wire'
import { enumerators, structs } from './headers-names.ts'
import { allMessages, allTypes, families } from './reach.ts'

const HEADERS = [
  'sys/socket.h',
  'linux/types.h',
  'linux/netlink.h',
  'linux/genetlink.h',
  'linux/rtnetlink.h',
  'linux/neighbour.h',
  'linux/fib_rules.h',
  'linux/if.h',
  'linux/if_addr.h',
  'linux/if_arp.h',
  'linux/if_bonding.h',
  'linux/if_bridge.h',
  'linux/if_link.h',
  'linux/can/netlink.h',
  'linux/ila.h',
  'linux/ioam6_iptunnel.h',
  'linux/mpls.h',
  'linux/net_namespace.h',
  'linux/netconf.h',
  'linux/nexthop.h',
  'linux/rpl_iptunnel.h',
  'linux/seg6_local.h',
  'linux/if_addrlabel.h',
  'linux/gen_stats.h',
  'linux/pkt_cls.h',
  'linux/pkt_sched.h',
  'linux/tc_act/tc_gact.h',
  'linux/tc_act/tc_mirred.h',
  'linux/can/vxcan.h',
  'linux/wwan.h',
  'linux/batman_adv.h',
  'linux/amt.h',
  'linux/if_tun.h',
  'linux/if_tunnel.h',
  'linux/if_vlan.h',
  'linux/icmpv6.h',
  'linux/ip.h',
  'linux/ipv6.h',
  'linux/lwtunnel.h',
  'linux/mpls_iptunnel.h',
  'linux/seg6_iptunnel.h',
  'linux/veth.h',
  'linux/ethtool_netlink.h',
  'linux/ioam6_genl.h',
  'linux/mptcp.h',
  'linux/quota.h',
  'linux/seg6_genl.h',
  'linux/taskstats.h',
  'linux/tcp_metrics.h',
  'linux/thermal.h',
]
/** Newer than some that are in use; without them their names count as lacking. */
const OPTIONAL_HEADERS = ['linux/dpll.h', 'linux/devlink.h', 'linux/if_macsec.h', 'linux/netdev.h']

/** What is asserted: a C expression and its value. */
interface Assertion {
  /** By which name a header that lacks it is excused. */
  readonly name: string
  readonly expression: string
  readonly value: number
}

const constant = (name: string, value: number): Assertion => ({ name, expression: name, value })

/** nlkit's own; an expression of another type in C; what grows with each Linux. */
const OWN = new Set(['NLA_MAX_PAYLOAD', 'NLA_TYPE_MASK', 'RTNLGRP_MAX'])

function ofConstants(module: Readonly<Record<string, unknown>>): Assertion[] {
  return Object.entries(module).flatMap(([name, value]) =>
    typeof value === 'number' && !OWN.has(name) ? [constant(name, value)] : [],
  )
}

function ofTypes(): Assertion[] {
  const found: Assertion[] = []
  for (const type of allTypes(allMessages())) {
    const { shape } = type
    if (shape.kind === 'nest') {
      for (const entry of shape.table.entries) found.push(constant(entry.constant, entry.id))
    } else if (shape.kind === 'struct') {
      found.push(...ofStruct(shape, type.size as number))
    } else if (shape.kind === 'integer' && shape.namesAre === 'values') {
      found.push(...ofEnumeration(shape))
    }
  }
  return found
}

function ofStruct(shape: Extract<Shape, { kind: 'struct' }>, size: number): Assertion[] {
  const known = structs[shape.name]
  if (known === undefined) throw new Error(`struct ${shape.name} is not in headers-names.ts`)
  if (known === 'array') return []
  const tag = `struct ${shape.name}`
  const members = shape.fields.map(({ name, offset }) => {
    const snake = name.replace(/[A-Z]/g, (upper) => `_${upper.toLowerCase()}`)
    const member = known.members?.[name] ?? (known.prefix ?? '') + snake
    return {
      name: tag,
      expression: `__builtin_offsetof(${tag}, ${member})`,
      value: offset,
    }
  })
  if (known.isBeginning) return members
  return [{ name: tag, expression: `sizeof(${tag})`, value: size }, ...members]
}

/** Enumerations have names of their own: `headers-names.ts` says which constants they stand for. */
function ofEnumeration({ names = {} }: Extract<Shape, { kind: 'integer' }>): Assertion[] {
  const key = Object.keys(names).join(' ')
  if (!(key in enumerators)) throw new Error(`enumeration ${key} is not in headers-names.ts`)
  const spelt = enumerators[key]?.split(' ') ?? []
  return spelt.map((name, i) => constant(name, Object.values(names)[i] as number))
}

function ofFamilies(): Assertion[] {
  return families.flatMap((family) => [
    ...Object.values(family.ops).map((op) => constant(op.constant as string, op.cmd)),
    ...(family.kind === 'raw' ? Object.entries(family.groups ?? {}) : []).map(([name, number]) =>
      constant(`RTNLGRP_${name.replace(/([A-Z])/g, '_$1').toUpperCase()}`, number),
    ),
  ])
}

/** What the families `nlkit` and `dbus` call their numbers: Linux has no header for them. */
const OUR_OWN = ['NLKIT_', 'DBUS_']

function allAssertions(): Assertion[] {
  const modules = [nlctrl, addr, link, neigh, route, rule, rtnetlink, wire]
  const all = [...modules.flatMap(ofConstants), ...ofTypes(), ...ofFamilies()]
  const linux = all.filter(({ name }) => !OUR_OWN.some((prefix) => name.startsWith(prefix)))
  return [...new Map(linux.map((one) => [`${one.expression} ${one.value}`, one])).values()]
}

/** What the compiler says of each assertion: wrong, or that its name is not there. */
function compile(assertions: readonly Assertion[]): { wrong: Assertion[]; lacking: Assertion[] } {
  const includes = [
    ...HEADERS.map((header) => `#include <${header}>`),
    ...OPTIONAL_HEADERS.flatMap((header) => [
      `#if __has_include(<${header}>)`,
      `#include <${header}>`,
      '#endif',
    ]),
  ]
  const lines = assertions.map(
    ({ expression, value }) => `_Static_assert((${expression}) == ${value}LL, "differs");`,
  )
  const { stderr } = spawnSync(
    'cc',
    ['-std=gnu11', '-fsyntax-only', '-fno-diagnostics-show-caret', '-xc', '-'],
    { input: [...includes, ...lines, ''].join('\n'), encoding: 'utf8', maxBuffer: 1 << 26 },
  )
  const wrong = new Set<Assertion>()
  const lacking = new Set<Assertion>()
  for (const [, line, text] of stderr.matchAll(/^<stdin>:(\d+):\d+: (?:fatal )?error: (.*)$/gm)) {
    const assertion = assertions[Number(line) - 1 - includes.length]
    assert.ok(assertion, `the headers themselves: ${text}`)
    if (/^static.assert(ion)? failed/.test(text as string)) wrong.add(assertion)
    else lacking.add(assertion)
  }
  return { wrong: [...wrong], lacking: [...lacking] }
}

/** Why C cannot be asked here, or undefined. */
function cannotAsk(): string | undefined {
  if (spawnSync('cc', ['--version']).status !== 0) return 'no C compiler'
  const probe = spawnSync('cc', ['-fsyntax-only', '-xc', '-'], {
    input: '#include <linux/rtnetlink.h>\n',
  })
  return probe.status === 0 ? undefined : "Linux's headers are not installed"
}

/** Names that headers older than the version lack, from the list beside this file. */
function newerNames(): Map<string, string> {
  const file = new URL('../../test/headers-newer.txt', import.meta.url)
  const lines = readFileSync(file, 'utf8').split('\n')
  return new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), line.slice(at + 1)]
      }),
  )
}

const why = cannotAsk()

test('every number is that of the installed headers', { skip: why ?? false }, () => {
  const assertions = allAssertions()
  assert.ok(assertions.length > 1000, `${assertions.length} assertions`)
  const { wrong, lacking } = compile(assertions)
  assert.deepEqual(
    wrong.map(({ expression, value }) => `${expression} is not ${value}`),
    [],
  )
  const newer = newerNames()
  const missing = new Set(lacking.map(({ name }) => name).filter((name) => !newer.has(name)))
  assert.deepEqual([...missing], [], 'neither in the headers nor in headers-newer.txt')
})

test('the list of newer names has none that no family uses', () => {
  const used = new Set(allAssertions().map(({ name }) => name))
  assert.deepEqual(
    [...newerNames().keys()].filter((name) => !used.has(name)),
    [],
  )
})
