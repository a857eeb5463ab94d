/** What the behaviours compare: objects without what depends on a kernel's age, and refusals. */
import assert from 'node:assert/strict'
import { isNetlinkError, type Netlink } from 'nlkit'

/** The part of a link that does not depend on the kernel's age. */
export async function links(nl: Netlink): Promise<unknown[]> {
  const all = await nl.links.list().toArray()
  return all.map((l) => ({
    ifindex: l.ifindex,
    ifname: l.ifname,
    kind: l.kind,
    up: l.up,
    flags: l.flags,
    type: l.type,
    mtu: l.mtu,
    operstate: l.operstate,
    carrier: l.carrier,
    link: l.link,
    master: l.master,
    address: l.address,
    broadcast: l.broadcast,
    txqlen: l.txqlen,
    minMtu: l.minMtu,
    maxMtu: l.maxMtu,
    qdisc: l.qdisc,
    group: l.group,
    promiscuity: l.promiscuity,
  }))
}

/** `done`, or what the refusal says. */
export async function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    () => refusal(work),
  )
}

/** What a refusal says: code, the kernel's words, the attribute, what is missing. */
export async function refusal(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => assert.fail('it was not refused'),
    (e: unknown) => e,
  )
  if (!isNetlinkError(error)) throw error
  const { message, attribute, offset, policy, missing } = error.extack ?? {}
  return { code: error.code, errno: error.errno, message, attribute, offset, policy, missing }
}

export async function addresses(nl: Netlink): Promise<unknown[]> {
  const all = await nl.addresses.list().toArray()
  return all.map(
    ({ ifindex, family, address, local, prefixlen, broadcast, label, scope, flags }) => {
      return { ifindex, family, address, local, prefixlen, broadcast, label, scope, flags }
    },
  )
}

/** IPv4 routes of every table. */
export async function routes(
  nl: Netlink,
  filter: object = { family: 'inet', table: 'all' },
): Promise<unknown[]> {
  const all = await nl.routes.list(filter).toArray()
  return all.map((r) => ({
    destination: r.destination,
    table: r.table,
    type: r.type,
    protocol: r.protocol,
    scope: r.scope,
    gateway: r.gateway,
    oif: r.oif,
    prefsrc: r.prefsrc,
    priority: r.priority,
    flags: r.flags,
    multipath: r.multipath,
  }))
}
