/** Neighbours and policy rules. */
import type { Netlink } from 'nlkit'
import { both } from '../both.ts'
import { outcome, refusal } from './transcripts.ts'

async function neighbours(nl: Netlink): Promise<unknown[]> {
  const all = await nl.neighbours.list({ family: 'inet' }).toArray()
  return all.map(({ destination, lladdr, state, ifindex, flags }) => ({
    destination,
    lladdr,
    state,
    ifindex,
    flags,
  }))
}
async function rules(nl: Netlink, family: 'inet' | 'inet6' = 'inet'): Promise<unknown[]> {
  const all = await nl.rules.list({ family }).toArray()
  return all.map((r) => ({
    priority: r.priority ?? 0,
    table: r.table,
    action: r.action,
    source: r.source,
    destination: r.destination,
    iif: r.iif,
    oif: r.oif,
    fwmark: r.fwmark,
  }))
}
async function pair(nl: Netlink): Promise<void> {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { up: true })
  await nl.links.set('v1', { up: true })
}

both('a permanent neighbour: added, replaced, deleted', async ({ nl }) => {
  await pair(nl)
  await nl.neighbours.add({
    link: 'v0',
    destination: '10.0.0.2',
    lladdr: '02:00:00:00:00:02',
    state: 'permanent',
  })
  const one = await neighbours(nl)
  await nl.neighbours.replace({
    link: 'v0',
    destination: '10.0.0.2',
    lladdr: '02:00:00:00:00:03',
    state: 'permanent',
  })
  const lladdr =
    (await nl.neighbours.list({ family: 'inet' }).toArray())[0]?.lladdr === '02:00:00:00:00:03'
  await nl.neighbours.delete({ link: 'v0', destination: '10.0.0.2' })
  return [one, lladdr, await neighbours(nl)]
})

both('neighbours: already there, not there, without an address, without a link', async ({ nl }) => {
  await pair(nl)
  const neighbour = {
    link: 'v0',
    destination: '10.0.0.2',
    lladdr: '02:00:00:00:00:02',
    state: 'permanent',
  } as const
  await nl.neighbours.add(neighbour)
  return [
    await refusal(nl.neighbours.add(neighbour)),
    await refusal(nl.neighbours.delete({ link: 'v0', destination: '10.0.0.3' })),
    await outcome(nl.neighbours.add({ link: 'v0', destination: '10.0.0.4', state: 'permanent' })),
    await refusal(nl.neighbours.add({ ...neighbour, link: 4711 })),
  ]
})

both('neighbours go with their link`s going down', async ({ nl }) => {
  await pair(nl)
  await nl.neighbours.add({
    link: 'v0',
    destination: '10.0.0.2',
    lladdr: '02:00:00:00:00:02',
    state: 'permanent',
  })
  await nl.neighbours.add({
    link: 'v0',
    destination: '10.0.0.3',
    lladdr: '02:00:00:00:00:03',
    state: 'noarp',
  })
  await nl.links.set('v0', { up: false })
  return neighbours(nl)
})

both('the rules that are there from the start', async ({ nl }) => [
  await rules(nl),
  await rules(nl, 'inet6'),
])

both('a rule with a priority, and one whose priority the kernel chooses', async ({ nl }) => {
  await nl.rules.add({ family: 'inet', source: '10.0.0.0/8', table: 100, priority: 500 })
  await nl.rules.add({ family: 'inet', fwmark: 7, table: 200 })
  await nl.rules.add({ family: 'inet', iif: 'v0', table: 300 })
  return rules(nl)
})

both('a rule that is there already, and one that is not there', async ({ nl }) => {
  const rule = { family: 'inet', source: '10.0.0.0/8', table: 100, priority: 500 } as const
  await nl.rules.add(rule)
  const refused = [
    await refusal(nl.rules.add(rule)),
    await refusal(nl.rules.delete({ family: 'inet', priority: 501, table: 100 })),
  ]
  await nl.rules.delete(rule)
  return [refused, await rules(nl)]
})

both('a rule is replaced, and changed', async ({ nl }) => {
  const rule = { family: 'inet', source: '10.0.0.0/8', table: 100, priority: 500 } as const
  await nl.rules.replace(rule)
  await nl.rules.replace(rule)
  const once = await rules(nl)
  await nl.rules.set({ priority: 500 }, { table: 200 })
  await nl.rules.set({ priority: 500 }, { table: 200 })
  const changed = await rules(nl)
  await nl.rules.set({ priority: 500 }, { priority: 600, oif: 'v0' })
  return [
    once,
    changed,
    await rules(nl),
    await refusal(nl.rules.set({ priority: 7 }, { table: 1 })),
  ]
})

both('rules decide the table of a look-up', async ({ nl }) => {
  await pair(nl)
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  await nl.routes.add({ destination: 'default', gateway: '10.0.0.254', table: 100 })
  const before = await refusal(nl.routes.get('8.8.8.8'))
  await nl.rules.add({ family: 'inet', destination: '8.0.0.0/8', table: 100, priority: 500 })
  const way = await nl.routes.get('8.8.8.8')
  return [before, way.gateway, way.table]
})
