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

const LINKS =
  'ip link set lo up; ip link add v0 type veth peer name v1; ip link add br0 type bridge; ip link set v0 master br0; ip addr add 10.1.1.1/24 dev lo'

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
  ['tc', '--do', 'getqdisc', '--json', '{"ifindex": 1, "parent": 4294967295}'],
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
        const spec = join(folder as string, `${name}.yaml`)
        if (!existsSync(spec)) return question.skip(`no ${name}.yaml`)
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
        assert.deepEqual(plain(words[0] === '--dump' ? answers : answers[0]), plain(theirs))
      })
  } finally {
    netns.close()
  }
})
