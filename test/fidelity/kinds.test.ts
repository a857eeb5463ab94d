/** Links and disciplines of every kind: what unmodified programs say of them on nlkit, and said on a full Linux. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readGolden } from './golden.ts'
import { judge } from './judge.ts'
import { whyNot } from './pinned.ts'
import { readLists } from './scenario.ts'

const here = new URL('../../../test/fidelity/', import.meta.url)

/** Scenarios that a change must not make unequal: what they print, without what a monitor hears. */
const HELD: readonly string[] = [
  'own/kind-bond/add',
  'own/kind-bond/ad',
  'own/kind-bond/errors',
  'own/kind-bond/options',
  'own/kind-bridge-vlan/default-pvid',
  'own/kind-bridge-vlan/errors',
  'own/kind-bridge-vlan/fdb',
  'own/kind-bridge-vlan/show',
  'own/kind-ipvlan/add',
  'own/kind-ipvlan/errors',
  'own/kind-small/nlmon',
  'own/kind-tunnel/geneve-errors',
  'own/kind-tunnel/gre-errors',
  'own/kind-tunnel/gretap-errors',
  'own/kind-tunnel/ip6gre-errors',
  'own/kind-tunnel/ip6tnl-errors',
  'own/kind-tunnel/sit',
  'own/kind-tunnel/sit-errors',
  'own/kind-tunnel/xfrm-errors',
  'own/kind-vlan/errors',
  'own/kind-vlan/nested',
  'own/kind-vlan/options',
  'own/kind-vrf/add',
  'own/kind-vrf/errors',
  'own/kind-vrf/members',
  'own/tunnel/gre',
  'own/tunnel/ip6tnl',
  'own/tunnel/namespaces',
  'own/tunnel/sit',
  'own/tunnel/vti',
]

test('links and disciplines of each kind are what they are on a full Linux', {
  skip: whyNot,
}, async () => {
  const chosen = readLists(new URL('lists/', here), 'own').filter(({ id }) => HELD.includes(id))
  assert.equal(chosen.length, HELD.length, 'every scenario that is held is in the lists')
  const verdicts = await judge(chosen, {
    golden: readGolden(new URL('golden/', here)),
    reasons: [],
    atOnce: 2,
  })
  for (const { scenario, differences } of verdicts) {
    const printed = differences.filter(({ stream }) => stream !== 'monitor')
    assert.deepEqual(printed, [], scenario.id)
  }
})
