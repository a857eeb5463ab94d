/**
 * `nlkit call --spec` beside Linux's own tool, tools/net/ynl/cli.py, which NLKIT_PYYNL names, with the
 * specs of the folder that NLKIT_SPECS names: the same questions, the same answers.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'
import { main } from './cli.ts'
import { inside } from './inside.ts'

const tool = process.env.NLKIT_PYYNL
const folder = process.env.NLKIT_SPECS
const why =
  refusal ?? (tool && folder ? false : 'NLKIT_PYYNL and NLKIT_SPECS name no cli.py and its specs')

/** Without tbf and u32: Linux's tool reads structs within their structs at wrong places. */
const LINKS =
  'ip link set lo up; ip link add v0 type veth peer name v1; ip link add br0 type bridge; ip link set v0 master br0; ip addr add 10.1.1.1/24 dev lo; ip link set v0 up; ip link set v1 up; ip addr add 10.0.0.1/24 dev v1; ip addr add 2001:db8::1/64 dev v1 nodad; ip route add 10.2.0.0/16 nexthop via 10.0.0.3 weight 2 nexthop via 10.0.0.4; ip route add 10.3.0.0/16 via 10.0.0.9 mtu 1400; ip route add blackhole 10.4.0.0/16; ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v1 nud permanent; ip rule add from 10.0.0.0/8 table 100; ip -6 rule add to 2001:db8::/32 table 200; tc qdisc add dev v0 root handle 1: htb default 0x10; tc class add dev v0 parent 1: classid 1:1 htb rate 10mbit; tc qdisc add dev v1 root pfifo limit 50'

const QUESTIONS: readonly (readonly [spec: string, ...words: string[]])[] = [
  ['nlctrl', '--dump', 'getfamily'],
  ['nlctrl', '--do', 'getfamily', '--json', '{"family-name": "netdev"}'],
  ['netdev', '--dump', 'dev-get'],
  ['netdev', '--do', 'dev-get', '--json', '{"ifindex": 1}'],
  ['ethtool', '--dump', 'channels-get'],
  ['ethtool', '--dump', 'rings-get'],
  ['ethtool', '--do', 'linkinfo-get', '--json', '{"header": {"dev-name": "v0"}}'],
  ['rt_link', '--dump', 'getlink'],
  ['rt_link', '--do', 'getlink', '--json', '{"ifi-index": 1}'],
  ['rt_addr', '--dump', 'getaddr'],
  ['rt_route', '--dump', 'getroute'],
  ['rt-neigh', '--dump', 'getneigh'],
  ['rt-rule', '--dump', 'getrule', '--json', '{"family": 2}'],
  ['rt-rule', '--dump', 'getrule', '--json', '{"family": 10}'],
  ['rt_route', '--dump', 'getroute', '--json', '{"rtm-family": 2}'],
  ['rt_route', '--dump', 'getroute', '--json', '{"rtm-family": 10}'],
  ['tc', '--do', 'getqdisc', '--json', '{"ifindex": 1, "parent": 4294967295}'],
  ['tc', '--dump', 'getqdisc'],
]

type Json = unknown

/** Order of names, of bits; arrays whose items Linux's tool numbers; a header's member of an attribute's name. */
function plain(value: Json): Json {
  if (Array.isArray(value)) {
    const items = value.map((item) => {
      const [[key, only] = [], ...more] = isObject(item) ? Object.entries(item) : []
      return key !== undefined && more.length === 0 && /^\d+$/.test(key) ? only : item
    })
    const all = items.map(plain)
    return all.every((item) => typeof item === 'string') ? [...all].sort() : all
  }
  if (!isObject(value)) return value
  // times since something happened go on
  if ('confirmed' in value) return Object.keys(value).sort()
  // bytes behind what the spec has of a struct are not shown by Linux's tool
  const entries = Object.entries(value).filter(
    ([key]) => !(`header-${key}` in value) && key !== 'tail',
  )
  const named = entries.map(([key, of]) => [key.replace(/^header-/, ''), plain(of)] as const)
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

test('what a spec describes, asked by both', { skip: why }, async (t) => {
  const netns = newNetns()
  try {
    await inside(netns, ['sh', '-c', LINKS])
    for (const [name, ...words] of QUESTIONS)
      await t.test(`${name} ${words.join(' ')}`, async (question) => {
        // older trees have `rt_link`, newer ones `rt-link`
        const spec = [name, name.replace('_', '-'), name.replace('-', '_')]
          .map((each) => join(folder as string, `${each}.yaml`))
          .find(existsSync)
        if (spec === undefined) return question.skip(`no ${name}.yaml`)
        const python = [
          'python3',
          tool as string,
          '--no-schema',
          '--process-unknown',
          '--output-json',
        ]
        const theirs = JSON.parse(
          await inside(netns, [...python, '--spec', spec, ...words]),
        ) as Json
        const ours = await inside(netns, [
          process.execPath,
          main,
          ...['call', '--kernel', 'live', '-j', '--spec', spec, ...words],
        ])
        const lines = ours
          .trim()
          .split('\n')
          .filter((line) => line !== '')
        const answers = lines.map((line) => JSON.parse(line) as Json)
        assert.deepEqual(
          plain(words[0] === '--dump' ? answers : (answers[0] ?? null)),
          plain(theirs),
        )
      })
  } finally {
    netns.close()
  }
})
