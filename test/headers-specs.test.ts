/**
 * The families' attributes against Linux's YAML specs, when NLKIT_SPECS names a folder of them
 * (Documentation/netlink/specs of Linux's source): numbers, and sizes and byte orders of integers.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ctrlAttrs } from 'nlkit/families/nlctrl'
import { policyTypeAttrs } from 'nlkit/families/nlmsgerr'
import { addrAttrs } from 'nlkit/families/rt-addr'
import { linkAttrs, linkinfoAttrs } from 'nlkit/families/rt-link'
import { bondAttrs, bondSlaveAttrs } from 'nlkit/families/rt-link-bond'
import { bridgeAttrs, brportAttrs } from 'nlkit/families/rt-link-bridge'
import { netkitAttrs, tunAttrs, vlanAttrs } from 'nlkit/families/rt-link-kinds'
import { geneveAttrs, greAttrs, iptunAttrs } from 'nlkit/families/rt-link-tunnels'
import { neighAttrs } from 'nlkit/families/rt-neigh'
import { metricsAttrs, routeAttrs } from 'nlkit/families/rt-route'
import { ruleAttrs } from 'nlkit/families/rt-rule'
import type { AnyType, AttrTable, Shape } from 'nlkit/schema'

const folder = process.env.NLKIT_SPECS

/** A spec's file (both spellings are in use), its attribute set, and ours. */
const SETS: [file: string, set: string, ours: { shape: { table: AttrTable } }][] = [
  ['nlctrl', 'ctrl-attrs', ctrlAttrs],
  ['nlctrl', 'policy-attrs', policyTypeAttrs],
  ['rt-addr', 'addr-attrs', addrAttrs],
  ['rt-link', 'link-attrs', linkAttrs],
  ['rt-link', 'linkinfo-attrs', linkinfoAttrs],
  ['rt-link', 'linkinfo-bond-attrs', bondAttrs],
  ['rt-link', 'bond-slave-attrs', bondSlaveAttrs],
  ['rt-link', 'linkinfo-bridge-attrs', bridgeAttrs],
  ['rt-link', 'linkinfo-brport-attrs', brportAttrs],
  ['rt-link', 'linkinfo-gre-attrs', greAttrs],
  ['rt-link', 'linkinfo-geneve-attrs', geneveAttrs],
  ['rt-link', 'linkinfo-iptun-attrs', iptunAttrs],
  ['rt-link', 'linkinfo-netkit-attrs', netkitAttrs],
  ['rt-link', 'linkinfo-tun-attrs', tunAttrs],
  ['rt-link', 'linkinfo-vlan-attrs', vlanAttrs],
  ['rt-neigh', 'neighbour-attrs', neighAttrs],
  ['rt-route', 'route-attrs', routeAttrs],
  ['rt-route', 'rta-metrics', metricsAttrs],
  ['rt-rule', 'fib-rule-attrs', ruleAttrs],
]

const ORDER = 'network order, which the spec does not say'
/** Where we know better than a spec: set and attribute, and why. */
const DISAGREEMENTS: Readonly<Record<string, string>> = {
  'policy-attrs mask': 'numbered as in the uapi header; the spec has the two the other way round',
  'policy-attrs pad': 'as above',
  'addr-attrs ifa-target-netnsid': 'nla_get_s32() in rtm_getaddr',
  'bond-slave-attrs prio': 'nla_put_s32()',
  'linkinfo-bridge-attrs fdb-flush': 'carries nothing',
  'linkinfo-gre-attrs encap-limit': 'nla_put_u8()',
  'linkinfo-vlan-attrs flag': 'IFLA_VLAN_FLAGS',
  'linkinfo-bridge-attrs vlan-protocol': ORDER,
  'linkinfo-gre-attrs iflags': ORDER,
  'linkinfo-gre-attrs oflags': ORDER,
  'linkinfo-gre-attrs ikey': ORDER,
  'linkinfo-gre-attrs okey': ORDER,
  'linkinfo-gre-attrs flowinfo': ORDER,
  'linkinfo-gre-attrs encap-sport': ORDER,
  'linkinfo-gre-attrs encap-dport': ORDER,
  'linkinfo-geneve-attrs port': ORDER,
  'linkinfo-geneve-attrs label': ORDER,
  'linkinfo-iptun-attrs flowinfo': ORDER,
  'linkinfo-iptun-attrs encap-sport': ORDER,
  'linkinfo-iptun-attrs encap-dport': ORDER,
  'neighbour-attrs port': ORDER,
  'route-attrs rta-sport': ORDER,
  'route-attrs rta-dport': ORDER,
  'fib-rule-attrs tun-id': ORDER,
}

interface SpecAttr {
  readonly name: string
  readonly value: number
  readonly fields: Readonly<Record<string, string>>
}

/** The attributes of one set, read line by line: the specs keep to one indentation. */
function readSet(text: string, set: string): SpecAttr[] {
  const lines = text.slice(text.indexOf('\nattribute-sets:')).split('\n')
  const start = lines.indexOf(`    name: ${set}`)
  assert.ok(start > 0, `no ${set}`)
  const attributes: { name: string; value: number; fields: Record<string, string> }[] = []
  let next = 1
  for (const line of lines.slice(start + 1)) {
    if (/^ {2}-|^\S/.test(line)) break
    const [, key, value] = /^ {8}([a-z-]+): *"?([^"]*)"?$/.exec(line) ?? []
    const [, first] = /^ {6}- *name: *"?([^"]*)"?$/.exec(line) ?? []
    if (first !== undefined || key === 'name') {
      attributes.push({ name: (first ?? value) as string, value: next++, fields: {} })
    } else if (key === 'value') {
      const last = attributes.at(-1) as (typeof attributes)[number]
      last.value = Number(value)
      next = last.value + 1
    } else if (key !== undefined && attributes.length > 0) {
      ;(attributes.at(-1) as (typeof attributes)[number]).fields[key] = value as string
    }
  }
  return attributes
}

function specFile(name: string): string {
  const paths = [name, name.replaceAll('-', '_')].map((base) => join(folder ?? '', `${base}.yaml`))
  return readFileSync(paths.find((path) => existsSync(path)) as string, 'utf8')
}

/** What a spec would call a type, or undefined where the spec may call it many things. */
function specType({ shape }: AnyType): string | undefined {
  if (shape.kind === 'flag') return 'flag'
  if (shape.kind === 'string') return 'string'
  if (shape.kind !== 'integer') return undefined
  return shape.bytes === 'variable' ? undefined : integerName(shape, shape.bytes)
}

function integerName(shape: Extract<Shape, { kind: 'integer' }>, bytes: number): string {
  return `${shape.signed ? 's' : 'u'}${bytes * 8}${shape.bigEndian ? ' big-endian' : ''}`
}

test('specs', { skip: folder ? false : 'NLKIT_SPECS names no folder of specs' }, async (t) => {
  for (const [file, set, ours] of SETS) {
    await t.test(`${file} ${set}`, () => {
      const { table } = ours.shape
      const differences: string[] = []
      for (const { name, value, fields } of readSet(specFile(file), set)) {
        const entry = table.byId.get(value)
        if (!entry) continue
        const say = (what: string): void => {
          if (!DISAGREEMENTS[`${set} ${name}`]) differences.push(`${name}: ${what}`)
        }
        const constant = entry.constant.toLowerCase().replaceAll('_', '')
        if (!constant.endsWith(name.replaceAll('-', ''))) say(`${value} is ${entry.constant}`)
        const type = specType(entry.type)
        const order = fields['byte-order'] ? ` ${fields['byte-order']}` : ''
        if (type !== undefined && `${fields.type}${order}` !== type) {
          say(`${fields.type}${order}, ours is ${type}`)
        }
      }
      assert.deepEqual(differences, [])
    })
  }
})
