/** The client against Linux, in network namespaces made for these tests. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { EncodeError, isNetlinkError, type NetlinkError } from '../errors.ts'
import { nlctrl } from '../families/nlctrl.ts'
import { rtLink } from '../families/rt-link.ts'
import { attrs, genlFamily, message, u32 } from '../schema/index.ts'
import { newNetns } from '../transport/netns.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../wire/index.ts'
import type { Netlink } from './netlink.ts'
import { type OpenOptions, open } from './open.ts'

/** Why there is no namespace to be had here. */
const skip = (() => {
  try {
    newNetns().close()
    return false
  } catch (error) {
    return `no network namespace here: ${(error as Error).message}`
  }
})()

/** A client in a fresh namespace, closed after the test. */
async function fresh(t: TestContext, options: OpenOptions = {}): Promise<Netlink> {
  const netns = newNetns()
  t.after(() => netns.close())
  const nl = await open({ netns, ...options })
  t.after(() => nl.close())
  return nl
}
async function pair(nl: Netlink): Promise<void> {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1', mtu: 1400 }, up: true })
  await nl.links.set('v1', { up: true })
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
}
/** What a call is refused with. */
async function refusal(work: Promise<unknown>): Promise<NetlinkError> {
  const error = await work.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!isNetlinkError(error)) throw error
  return error
}

test('links: listed, added, changed, renamed, deleted', { skip }, async (t) => {
  const nl = await fresh(t)
  const [lo, ...others] = await nl.links.list().toArray()
  assert.deepEqual(others, [])
  assert.ok(lo)
  assert.equal(lo.ifindex, 1)
  assert.equal(lo.ifname, 'lo')
  assert.equal(lo.type, 'loopback')
  assert.equal(lo.up, false)
  assert.equal(lo.kind, undefined)
  assert.equal(lo.stats64?.rxBytes, 0n)
  await pair(nl)
  const v0 = await nl.links.get('v0')
  const v1 = await nl.links.get(v0.link ?? 0)
  assert.equal(v1.ifname, 'v1')
  assert.equal(v1.mtu, 1400)
  assert.equal(v0.kind, 'veth')
  assert.equal(v0.operstate, 'up')
  assert.equal(v0.carrier, true)
  await nl.links.set('v0', { ifname: 'w0', mtu: 9000, up: false, ifalias: 'renamed' })
  const w0 = await nl.links.get('w0')
  assert.deepEqual([w0.ifindex, w0.mtu, w0.up, w0.ifalias], [v0.ifindex, 9000, false, 'renamed'])
  await nl.links.delete('w0')
  assert.deepEqual(
    (await nl.links.list().toArray()).map((l) => l.ifname),
    ['lo'],
  )
})

test('links: masters and data of a kind', { skip }, async (t) => {
  const nl = await fresh(t)
  await nl.links.add({ ifname: 'br0', kind: 'bridge', data: { forwardDelay: 400 } })
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' }, master: 'br0' })
  const br0 = await nl.links.get('br0')
  assert.equal(br0.data?.forwardDelay, 400)
  await nl.links.set('br0', { data: { forwardDelay: 500 } })
  assert.equal((await nl.links.get('br0')).data?.forwardDelay, 500)
  const v0 = await nl.links.get('v0')
  assert.equal(v0.master, br0.ifindex)
  assert.equal(v0.slaveKind, 'bridge')
  await nl.links.set('v0', { slaveData: { cost: 7 } })
  assert.equal((await nl.links.get('v0')).slaveData?.cost, 7)
  const names = async (filter: object): Promise<string[]> =>
    (await nl.links.list(filter).toArray()).map((l) => l.ifname)
  assert.deepEqual(await names({ master: 'br0' }), ['v0'])
  assert.deepEqual((await names({ kind: 'veth' })).sort(), ['v0', 'v1'])
  assert.deepEqual(await names({ kind: 'nosuchkind' }), [])
  await nl.links.set('v0', { master: null })
  assert.deepEqual(await names({ master: 'br0' }), [])
  await assert.rejects(nl.links.list({ master: 'br1' }).toArray(), {
    code: 'ENODEV',
    hint: 'did you mean br0?',
  })
  await assert.rejects(nl.links.set('lo', { data: { id: 1 } }), EncodeError)
})

test('links: an alternative name longer than 15 characters finds its link', { skip }, async (t) => {
  const nl = await fresh(t)
  const long = 'a-name-that-is-longer-than-fifteen'
  const family = await nl.family(rtLink)
  await family.do('newLinkProp', { ifindex: 1, propList: { altIfname: [long] } })
  assert.equal((await nl.links.get(long)).ifindex, 1)
  await nl.links.set(long, { up: true })
  assert.equal((await nl.links.get('lo')).up, true)
})

test('refusals: code, the kernel’s words, the place, what to do', { skip }, async (t) => {
  const nl = await fresh(t)
  await pair(nl)
  const gone = await refusal(nl.links.get('veht0'))
  assert.equal(gone.code, 'ENODEV')
  assert.match(gone.message, /RTM_GETLINK: there is no link named "veht0"/)
  const near = await refusal(nl.links.delete('vv0'))
  assert.equal(near.hint, 'did you mean v0?')
  const mtu = await refusal(nl.links.set('v0', { mtu: 67 }))
  assert.equal(mtu.message, 'RTM_NEWLINK: mtu less than device minimum (EINVAL)')
  const kind = await refusal(nl.links.add({ ifname: 'x', kind: 'nosuchkind' }))
  assert.equal(kind.code, 'EOPNOTSUPP')
  assert.match(kind.hint ?? '', /modprobe/)
  const id = await refusal(nl.links.add({ ifname: 'x', kind: 'vxlan', data: { id: 2 ** 24 } }))
  assert.equal(id.extack?.attribute, 'linkinfo.data.id')
  const there = await refusal(nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' }))
  assert.equal(there.code, 'EEXIST')
  assert.equal(there.extack?.message, 'ipv4: Address already assigned')
  assert.ok(there.hint)
  const far = await refusal(nl.routes.add({ destination: '1.0.0.0/8', gateway: '11.0.0.1' }))
  assert.equal(far.extack?.message, 'Nexthop has invalid gateway')
  const list = await refusal(nl.addresses.list({ link: 4711 }).toArray())
  assert.equal(list.code, 'ENODEV')
})

test('values that cannot be sent: EncodeError with a path, and nothing is done', {
  skip,
}, async (t) => {
  const nl = await fresh(t)
  const bad: [Promise<unknown>, string][] = [
    [nl.links.set('lo', { mtu: 2 ** 32 }), 'mtu'],
    [nl.links.add({ ifname: 'a-name-that-is-too-long', kind: 'bridge' }), 'ifname'],
    [nl.links.get({} as never), 'link'],
    [nl.addresses.add({ link: 'lo', address: 'nonsense' }), 'address'],
    [nl.addresses.add({ link: 'lo', address: '10.0.0.1/999' }), 'address'],
    [nl.addresses.add({ address: '10.0.0.1/24' }), 'link'],
    [nl.addresses.add({ link: 'lo', address: '10.0.0.1/8', scope: 'galaxy' as never }), 'scope'],
    [nl.addresses.add({ link: 'lo', address: '10.0.0.1/8', flags: ['x' as never] }), 'flags'],
    [nl.routes.add({ gateway: '10.0.0.1' }), 'destination'],
    [nl.routes.add({ destination: '10.0.0.0/8/8' }), 'destination'],
    [nl.routes.add({ destination: 'default', type: 'black' as never }), 'type'],
    [nl.routes.list({ table: 'mine' as never }).toArray(), 'table'],
    [nl.routes.get('10.0.0.0/8'), 'destination'],
    [nl.neighbours.add({ link: 'lo', destination: 'x' }), 'destination'],
    [nl.rules.add({ source: '10.0.0.0/8', family: 'ipx' as never }), 'family'],
    [
      nl.routes.add({ destination: 'default', multipath: [{ gateway: '10.0.0.1', weight: 0 }] }),
      'multipath[0].weight',
    ],
  ]
  for (const [work, path] of bad) {
    await assert.rejects(work, (error: unknown) => {
      assert.ok(error instanceof EncodeError, String(error))
      assert.equal(error.path, path)
      return true
    })
  }
  assert.equal((await nl.links.get('lo')).mtu, 65536)
})

test('addresses: what is listed can be found, changed and deleted as it is', {
  skip,
}, async (t) => {
  const nl = await fresh(t)
  await pair(nl)
  await nl.addresses.add({
    link: 'v0',
    address: '10.1.0.1/16',
    broadcast: '10.1.255.255',
    label: 'v0:x',
  })
  await nl.addresses.add({ link: 'v0', local: '10.2.0.1', address: '10.9.9.9/32' })
  await nl.addresses.add({
    link: 'v0',
    address: 'fd00::1/64',
    flags: ['nodad'],
    valid: 1000,
    preferred: 500,
  })
  const all = await nl.addresses.list({ link: 'v0' }).toArray()
  const peer = all.find((a) => a.local === '10.2.0.1')
  assert.deepEqual([peer?.address, peer?.prefixlen, peer?.scope], ['10.9.9.9', 32, 'universe'])
  const labelled = await nl.addresses.get({ link: 'v0', address: '10.1.0.1/16' })
  assert.equal(labelled.label, 'v0:x')
  const six = await nl.addresses.get({ link: 'v0', address: 'fd00::1' })
  assert.equal(six.cacheinfo?.valid, 1000)
  await nl.addresses.set({ ...six, valid: 2000, preferred: 1000 })
  assert.equal((await nl.addresses.get(six)).cacheinfo?.valid, 2000)
  await nl.addresses.replace({ link: 'v0', address: '10.0.0.1/24' })
  assert.equal((await refusal(nl.addresses.get({ address: '10.77.0.1' }))).code, 'EADDRNOTAVAIL')
  for (const address of all) await nl.addresses.delete(address)
  assert.deepEqual(await nl.addresses.list({ link: 'v0' }).toArray(), [])
  await nl.addresses.add({ link: 'lo', address: '127.0.0.7/8' })
  assert.equal((await nl.addresses.get({ address: '127.0.0.7' })).scope, 'host')
})

test('routes: what is listed can be replaced and deleted as it is', { skip }, async (t) => {
  const nl = await fresh(t)
  await pair(nl)
  await nl.addresses.add({ link: 'v0', address: 'fd00::1/64', flags: ['nodad'] })
  await nl.routes.add({
    destination: 'default',
    gateway: '10.0.0.254',
    priority: 7,
    metrics: { mtu: 1300 },
  })
  await nl.routes.add({ destination: '10.7.0.0/16', oif: 'v0', table: 70_000, protocol: 'static' })
  await nl.routes.add({ destination: '10.8.0.0/16', type: 'blackhole', table: 70_000 })
  await nl.routes.add({
    destination: '10.9.0.0/16',
    table: 70_000,
    multipath: [
      { gateway: '10.0.0.2', weight: 3 },
      { gateway: '10.0.0.3', oif: 'v0', onlink: true },
    ],
  })
  await nl.routes.add({ destination: '10.6.0.0/16', gateway: 'fd00::2', oif: 'v0', table: 70_000 })
  await nl.routes.add({ destination: 'fd01::/48', gateway: 'fd00::2', table: 70_000 })
  const best = await nl.routes.get('8.8.8.8')
  assert.deepEqual(
    [best.gateway, best.table, best.destination],
    ['10.0.0.254', 'main', '8.8.8.8/32'],
  )
  const entry = await nl.routes.get({ destination: '8.8.8.8', fibMatch: true })
  assert.deepEqual([entry.destination, entry.metrics?.mtu], ['default', 1300])
  const all = await nl.routes.list({ table: 70_000 }).toArray()
  assert.deepEqual(
    all.map((r) => [r.destination, r.type, r.gateway, r.protocol, r.scope]),
    [
      ['10.6.0.0/16', 'unicast', 'fd00::2', 'boot', 'universe'],
      ['10.7.0.0/16', 'unicast', undefined, 'static', 'link'],
      ['10.8.0.0/16', 'blackhole', undefined, 'boot', 'universe'],
      ['10.9.0.0/16', 'unicast', undefined, 'boot', 'universe'],
      ['fd01::/48', 'unicast', 'fd00::2', 'boot', 'universe'],
    ],
  )
  const { ifindex } = await nl.links.get('v0')
  assert.deepEqual(
    all[3]?.multipath?.map((hop) => [hop.gateway, hop.oif, hop.weight]),
    [
      ['10.0.0.2', ifindex, 3],
      ['10.0.0.3', ifindex, 1],
    ],
  )
  for (const route of all) await nl.routes.replace(route)
  assert.deepEqual(
    (await nl.routes.list({ table: 70_000 }).toArray()).map((r) => r.destination),
    all.map((r) => r.destination),
  )
  const through = await nl.routes.list({ table: 70_000, oif: 'v0', family: 'inet' }).toArray()
  assert.deepEqual(
    through.map((r) => r.destination),
    ['10.6.0.0/16', '10.7.0.0/16', '10.9.0.0/16'],
  )
  const holes = await nl.routes.list({ type: 'blackhole' }).toArray()
  assert.deepEqual(
    holes.map((r) => r.destination),
    ['10.8.0.0/16'],
  )
  const one = await nl.routes
    .list({ destination: 'default', family: 'inet', table: 'main' })
    .toArray()
  assert.deepEqual(
    one.map((r) => [r.priority, r.gateway]),
    [[7, '10.0.0.254']],
  )
  await nl.routes.set({ destination: 'default', gateway: '10.0.0.253', priority: 7 })
  assert.equal((await nl.routes.get('8.8.8.8')).gateway, '10.0.0.253')
  await nl.routes.append({ destination: 'default', gateway: '10.0.0.252', priority: 7 })
  for (const route of all) await nl.routes.delete(route)
  assert.deepEqual(await nl.routes.list({ table: 70_000 }).toArray(), [])
  assert.deepEqual(
    await nl.routes.list({ table: 71_000, family: 'inet' }).toArray(),
    [],
    'no such table',
  )
})

test('neighbours and rules: what is listed can be deleted as it is', { skip }, async (t) => {
  const nl = await fresh(t)
  await pair(nl)
  const lladdr = '02:00:00:00:00:09'
  await nl.neighbours.add({ link: 'v0', destination: '10.0.0.9', lladdr })
  const one = await nl.neighbours.get({ link: 'v0', destination: '10.0.0.9' })
  assert.deepEqual([one.lladdr, one.state, one.family], [lladdr, 'permanent', 'inet'])
  await nl.neighbours.replace({ link: 'v0', destination: '10.0.0.9', lladdr: '02:00:00:00:00:08' })
  await nl.neighbours.set({ ...one, state: 'stale' })
  assert.equal((await nl.neighbours.get(one)).state, 'stale')
  await nl.neighbours.add({ link: 'v0', destination: '10.0.0.77', flags: ['proxy'] })
  const proxies = await nl.neighbours.list({ proxy: true }).toArray()
  assert.deepEqual(
    proxies.map((n) => n.destination),
    ['10.0.0.77'],
  )
  const listed = await nl.neighbours.list({ family: 'inet', link: 'v0', state: 'stale' }).toArray()
  assert.equal(listed.length, 1)
  for (const neighbour of [...listed, ...proxies]) await nl.neighbours.delete(neighbour)
  assert.deepEqual(await nl.neighbours.list({ family: 'inet' }).toArray(), [])
  assert.equal((await refusal(nl.neighbours.get(one))).code, 'ENOENT')

  await nl.rules.add({
    source: '10.0.0.0/8',
    table: 70_000,
    priority: 500,
    iif: 'v0',
    invert: true,
  })
  await nl.rules.add({
    family: 'inet6',
    destination: 'fd00::/8',
    action: 'prohibit',
    priority: 501,
  })
  const mine = (await nl.rules.list().toArray()).filter((r) => [500, 501].includes(r.priority))
  assert.deepEqual(
    mine.map((r) => [r.family, r.source, r.destination, r.table, r.action, r.iif]),
    [
      ['inet', '10.0.0.0/8', undefined, 70_000, 'to_tbl', 'v0'],
      ['inet6', undefined, 'fd00::/8', 0, 'prohibit', undefined],
    ],
  )
  assert.equal((await nl.rules.get({ priority: 500 })).source, '10.0.0.0/8')
  for (const rule of mine) await nl.rules.delete(rule)
  assert.equal((await refusal(nl.rules.get({ priority: 500 }))).code, 'ENOENT')
})

test('a family by its description: do, dump, supports, listen', { skip }, async (t) => {
  const nl = await fresh(t)
  const ctrl = await nl.family(nlctrl)
  const { familyId, ops } = await ctrl.do('getFamily', { familyName: 'nlctrl' })
  assert.equal(familyId, 16)
  assert.ok(ops?.some(({ id }) => id === 3))
  const names = (await ctrl.dump('getFamily').toArray()).map((f) => f.familyName)
  assert.ok(names.includes('nlctrl'))
  assert.equal(ctrl.supports('getFamily'), true)
  assert.equal(ctrl.supports('getPolicy'), true)
  const policies = await ctrl.dump('getPolicy', { familyName: 'nlctrl' }).toArray()
  assert.ok(policies.length > 0)
  assert.equal((await refusal(ctrl.do('getFamily', { familyName: 'nosuch' }))).code, 'ENOENT')
  const bad = await refusal(ctrl.do('getFamily', {}))
  assert.equal(bad.code, 'EINVAL')
  assert.equal((await refusal(ctrl.do('getPolicy' as never))).code, 'NETLINK_INVALID')
  const never = await refusal(ctrl.dump('getFamly' as never).toArray())
  assert.equal(never.hint, 'did you mean getFamily?')
  const events = ctrl.listen(['notify'])
  await events.ready
  events.close()
  assert.equal((await refusal(ctrl.listen(['nothing' as never]).next())).code, 'NETLINK_FAMILY')

  const link = await nl.family(rtLink)
  const heard = link.listen(['link'])
  await heard.ready
  await link.do('newLink', { ifname: 'br7', linkinfo: { kind: 'bridge' } } as never, {
    flags: NLM_F_CREATE | NLM_F_EXCL,
  })
  for await (const event of heard) {
    assert.equal(event.name, 'newLink')
    if (event.name === 'newLink') assert.equal(event.value.ifname, 'br7')
    break
  }
  link.close()
  assert.equal((await refusal(link.do('getLink', { ifindex: 1 }))).code, 'NETLINK_CLOSED')
  assert.equal((await nl.links.get('br7')).ifname, 'br7')
})

test('a family that the kernel does not have', { skip }, async (t) => {
  const nl = await fresh(t)
  const reply = message(attrs('X_', { id: [1, u32] }))
  const make = (name: string) =>
    genlFamily({ name, version: 1, ops: { get: { cmd: 1, do: { reply } } } })
  const near = await refusal(nl.family(make('nlctlr')))
  assert.equal(near.code, 'NETLINK_FAMILY')
  assert.equal(near.hint, 'did you mean nlctrl?')
  const both = [nl.family(make('nowhere')), nl.family(make('nowhere'))]
  for (const each of both) assert.equal((await refusal(each)).code, 'NETLINK_FAMILY')
  const stop = AbortSignal.abort('mine')
  await assert.rejects(nl.family(make('nlctrl'), { signal: stop }), (error) => error === 'mine')
})

test('watch: links and addresses as they change; closing ends it', { skip }, async (t) => {
  const nl = await fresh(t)
  const events = nl.watch(['link', 'addr', 'route', 'neigh', 'rule'])
  await events.ready
  await pair(nl)
  await nl.rules.add({ table: 100, priority: 9 })
  await nl.links.delete('v0')
  const seen: string[] = []
  for await (const event of events) {
    if (event.type === 'link') seen.push(`${event.op} ${event.link.ifname}`)
    if (event.type === 'addr') seen.push(`${event.op} ${event.address.address}`)
    if (event.type === 'rule') seen.push(`${event.op} rule ${event.rule.priority}`)
    if (event.type === 'link' && event.op === 'del' && event.link.ifname === 'v1') break
  }
  for (const line of ['new v0', 'new v1', 'new 10.0.0.1', 'new rule 9', 'del v1', 'del v0'])
    assert.ok(seen.includes(line), `${line} is not in ${seen.join(', ')}`)
  const left = nl.watch(['link'])
  await left.ready
  const waiting = left.next()
  await nl.close()
  await assert.rejects(waiting, { code: 'NETLINK_CLOSED' })
  assert.throws(() => nl.watch(['link']), { code: 'NETLINK_CLOSED' })
})

test('watch: what a bridge says of its ports is no news of links', { skip }, async (t) => {
  const nl = await fresh(t)
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  const events = nl.watch(['link'])
  await events.ready
  await nl.links.set('v0', { master: 'br0' })
  await nl.links.set('v0', { master: null })
  await nl.links.delete('br0')
  for await (const event of events) {
    if (event.type !== 'link') continue
    if (event.op === 'del') {
      assert.equal(event.link.ifname, 'br0')
      break
    }
  }
})

test('watch: topics are checked', { skip }, async (t) => {
  const nl = await fresh(t)
  assert.throws(() => nl.watch(['links' as never]), {
    code: 'NETLINK_INVALID',
    hint: 'did you mean link?',
  })
  assert.throws(() => nl.watch([]), { code: 'NETLINK_INVALID' })
})

test('open: kernels that are none, signals, a namespace that is not there', { skip }, async () => {
  for (const kernel of ['nats://x', 'embedded', {} as never, 7 as never]) {
    const error = await refusal(open({ kernel }))
    assert.equal(error.code, 'NETLINK_KERNEL')
    assert.ok(error.hint)
  }
  assert.match((await refusal(open({ kernel: 'nats://x' }))).message, /later version/)
  await assert.rejects(open({ signal: AbortSignal.abort('mine') }), (error) => error === 'mine')
  await assert.rejects(open({ netns: 'there-is-none-of-that-name' }), { code: 'ENOENT' })
  assert.equal((await refusal(open({ timeout: 0 }))).code, 'NETLINK_INVALID')
  const stop = new AbortController()
  const nl = await open({ signal: stop.signal })
  stop.abort('enough')
  await assert.rejects(nl.links.get('lo'), (error) => error === 'enough')
})

test('close: twice, and nothing works afterwards', { skip }, async (t) => {
  const nl = await fresh(t)
  const family = await nl.family(nlctrl)
  await nl.close()
  await nl.close()
  for (const work of [
    nl.links.get('lo'),
    nl.links.list().toArray(),
    nl.family(nlctrl),
    family.do('getFamily', { familyId: 16 }),
  ])
    assert.equal((await refusal(work)).code, 'NETLINK_CLOSED')
})

test('await using closes', { skip }, async () => {
  const netns = newNetns()
  let escaped: Netlink
  {
    await using nl = await open({ netns })
    escaped = nl
    assert.equal((await nl.links.get('lo')).ifindex, 1)
  }
  assert.equal((await refusal(escaped.links.get('lo'))).code, 'NETLINK_CLOSED')
  netns.close()
})

test('a thousand routes: read in pieces, read whole, left early', { skip }, async (t) => {
  const nl = await fresh(t)
  await nl.links.set('lo', { up: true })
  const made = Array.from({ length: 1000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`)
  await Promise.all(made.map((destination) => nl.routes.add({ destination, oif: 1, table: 100 })))
  const whole = await nl.routes.list({ table: 100 }).toArray()
  assert.deepEqual(
    whole.map((r) => r.destination),
    made,
  )
  let batches = 0
  let items = 0
  for await (const batch of nl.routes.list({ table: 100 }).batches()) {
    batches++
    items += batch.length
  }
  assert.equal(items, 1000)
  assert.ok(batches > 1)
  assert.equal((await nl.routes.list({ table: 100 }).first())?.destination, made[0])
  for await (const outer of nl.routes.list({ table: 100 })) {
    const inner = await nl.routes.list({ table: 100, destination: outer.destination }).toArray()
    assert.equal(inner.length, 1)
    if (outer.destination === made[50]) break
  }
})
