/**
 * Messages that Linux sent: they decode to what `ip -j` said at the same moment, leave nothing
 * unknown, and encode to the same bytes again, padding included.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nlctrl } from 'nlkit/families/nlctrl'
import { doneMessage, errorMessage, nlmsgerrAttrs } from 'nlkit/families/nlmsgerr'
import { rtAddr } from 'nlkit/families/rt-addr'
import { IFF_RUNNING, rtLink } from 'nlkit/families/rt-link'
import * as linkConstants from 'nlkit/families/rt-link-constants'
import { NTF_PROXY, rtNeigh } from 'nlkit/families/rt-neigh'
import * as neighConstants from 'nlkit/families/rt-neigh-constants'
import { RTNH_F_ONLINK, rtRoute } from 'nlkit/families/rt-route'
import * as routeConstants from 'nlkit/families/rt-route-constants'
import { FIB_RULE_INVERT, rtRule } from 'nlkit/families/rt-rule'
import type { AnyMessage, Notification, Op, Reply } from 'nlkit/schema'
import { HOST_LE, MessageWalker, NLMSG_DONE, NLMSG_ERROR, viewOf, Writer } from 'nlkit/wire'
import { readGolden, readTold, type Told } from './golden.ts'

const skip = HOST_LE ? false : 'the bytes were recorded on a little-endian machine'
const RAW = [rtLink, rtAddr, rtRoute, rtNeigh, rtRule]
const GENL_HDRLEN = 4

/** The body of a message, and how many bytes of other headers are before it. */
function bodyOf(bytes: Uint8Array, generic: boolean): { body: AnyMessage; skip: number } {
  const walker = new MessageWalker(viewOf(bytes))
  assert.ok(walker.next())
  if (walker.type === NLMSG_DONE) return { body: doneMessage, skip: 0 }
  if (generic) {
    const cmd = bytes[walker.payload]
    const body = cmd === 10 ? nlctrl.ops.getPolicy.dump.reply : nlctrl.ops.getFamily.do.reply
    return { body, skip: GENL_HDRLEN }
  }
  for (const { notifications, ops } of RAW) {
    const found = Object.values(notifications).find(({ cmd }) => cmd === walker.type)
    if (found) return { body: found.body, skip: 0 }
    const answered = Object.values<Op>(ops).find(({ cmd }) => cmd === walker.type)
    if (answered?.dump?.reply) return { body: answered.dump.reply, skip: 0 }
  }
  throw new Error(`message type ${walker.type}`)
}

function decode<T>(bytes: Uint8Array, generic = false): T {
  const { body, skip } = bodyOf(bytes, generic)
  return body.decode(viewOf(bytes), 16 + skip, bytes.length) as T
}

/** All messages of a file's first section but the DONE behind them. */
function dump<T>(name: string, section = 0): T[] {
  const messages = readGolden(name)[section]?.messages ?? []
  assert.ok(messages.length > 1, name)
  return messages.slice(0, -1).map((bytes) => decode<T>(bytes, name === 'nlctrl'))
}

/** Paths of attributes that the schema did not know. */
function unknownIn(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'unknown' ? [`${path}: ${JSON.stringify(inner)}`] : unknownIn(inner, `${path}.${key}`),
  )
}

for (const name of [
  'links',
  'addresses',
  'routes',
  'neighbours',
  'rules',
  'nlctrl',
  'notifications',
]) {
  test(`${name}: nothing is unknown, and encoding gives the same bytes`, { skip }, () => {
    let count = 0
    for (const { title, messages } of readGolden(name)) {
      for (const bytes of messages) {
        const { body, skip: headers } = bodyOf(bytes, name === 'nlctrl')
        const value: unknown = body.decode(viewOf(bytes), 16 + headers, bytes.length)
        assert.deepEqual(unknownIn(value), [], title)
        const w = new Writer()
        body.encode(w, value)
        assert.deepEqual(w.finish(), bytes.slice(16 + headers), title)
        count++
      }
    }
    assert.ok(count > 5, `${count} messages`)
  })
}

type Link = Reply<typeof rtLink, 'getLink', 'dump'>

/** Names of the bits that are set, without the constants' prefix. */
function bitNames(constants: Record<string, number>, prefix: string, value: number): string[] {
  return Object.entries(constants)
    .filter(([name, bit]) => name.startsWith(prefix) && bit !== 0 && (value & bit) === bit)
    .map(([name]) => name.slice(prefix.length))
    .sort()
}

/** The name of a number, as ip spells it. */
function spell(constants: Record<string, number>, prefix: string, value: number): string {
  const found = Object.entries(constants).find(
    ([name, number]) => name.startsWith(prefix) && number === value,
  )
  return found ? found[0].slice(prefix.length).toLowerCase() : String(value)
}

/** `wanted` with only the keys that `got` has: what ip tells beyond is not looked at. */
function tellsTheSame(got: Told, wanted: Told, what: string): void {
  const present = Object.entries(got).filter(([, value]) => value !== undefined)
  const picked = present.map(([key]) => [key, wanted[key]])
  assert.deepEqual(Object.fromEntries(present), Object.fromEntries(picked), what)
}

test('links are what ip says', { skip }, () => {
  const links = dump<Link>('links')
  const told = new Map(readTold('links').map((one) => [one.ifindex, one]))
  const nameOf = (ifindex: number | undefined): string | undefined =>
    links.find((link) => link.ifindex === ifindex)?.ifname
  assert.equal(links.length, told.size)
  for (const link of links) {
    const wanted = told.get(link.ifindex) as Told
    const got = {
      ifname: link.ifname,
      flags: bitNames(linkConstants, 'IFF_', link.flags & ~IFF_RUNNING),
      mtu: link.mtu,
      qdisc: link.qdisc,
      operstate: String(link.operstate).toUpperCase(),
      linkmode: String(link.linkmode).toUpperCase(),
      txqlen: link.txqlen,
      link_type: spell(linkConstants, 'ARPHRD_', link.type),
      address: link.address,
      broadcast: link.broadcast,
      promiscuity: link.promiscuity,
      allmulti: link.allmulti,
      min_mtu: link.minMtu,
      max_mtu: link.maxMtu,
      num_tx_queues: link.numTxQueues,
      num_rx_queues: link.numRxQueues,
      gso_max_size: link.gsoMaxSize,
      gso_max_segs: link.gsoMaxSegs,
      tso_max_size: link.tsoMaxSize,
      tso_max_segs: link.tsoMaxSegs,
      gro_max_size: link.groMaxSize,
      ifalias: link.ifalias,
      altnames: link.propList?.altIfname,
      master: nameOf(link.master),
      link: nameOf(link.link),
      inet6_addr_gen_mode: wanted.inet6_addr_gen_mode && link.afSpec?.inet6?.addrGenMode,
    }
    const flags = (wanted.flags as string[]).toSorted()
    tellsTheSame(got, { ...wanted, flags }, String(link.ifname))
    assert.equal(link.linkinfo?.kind, (wanted.linkinfo as Told | undefined)?.info_kind)
    assert.equal(BigInt(link.stats?.rxBytes ?? 0), link.stats64?.rxBytes)
  }
})

test('what only one kind of link has is what ip says', { skip }, () => {
  const links = new Map(dump<Link>('links').map((link) => [link.ifname, link.linkinfo]))
  const told = new Map(readTold('links').map((one) => [one.ifname, one.linkinfo as Told]))
  const data = (name: string): Told => told.get(name)?.info_data as Told

  const vx0 = links.get('vx0')
  assert.ok(vx0?.kind === 'vxlan' && vx0.data)
  const { low, high } = vx0.data.portRange ?? {}
  tellsTheSame(
    {
      id: vx0.data.id,
      group: vx0.data.group,
      local: vx0.data.local,
      port: vx0.data.port,
      port_range: { low, high },
      ttl: vx0.data.ttl,
      df: vx0.data.df,
      ageing: vx0.data.ageing,
      learning: vx0.data.learning === 1,
    },
    data('vx0'),
    'vx0',
  )
  const vx6 = links.get('vx6')
  assert.ok(vx6?.kind === 'vxlan' && vx6.data)
  tellsTheSame(
    { remote6: vx6.data.group6, local6: vx6.data.local6, gbp: vx6.data.gbp },
    data('vx6'),
    'vx6',
  )
  assert.equal(vx6.data.ttlInherit, 1)

  const br0 = links.get('br0')
  assert.ok(br0?.kind === 'bridge' && br0.data)
  tellsTheSame(
    {
      forward_delay: br0.data.forwardDelay,
      hello_time: br0.data.helloTime,
      max_age: br0.data.maxAge,
      ageing_time: br0.data.ageingTime,
      priority: br0.data.priority,
      group_addr: br0.data.groupAddr,
      mcast_snooping: br0.data.mcastSnooping,
      mcast_hash_max: br0.data.mcastHashMax,
      mcast_query_intvl: Number(br0.data.mcastQueryIntvl),
      mcast_igmp_version: br0.data.mcastIgmpVersion,
    },
    data('br0'),
    'br0',
  )
  assert.deepEqual(br0.data.bridgeId, { prio: 0x8000, addr: '02:00:00:00:00:03' })

  const v1 = links.get('v1')
  assert.ok(v1?.slaveKind === 'bridge' && v1.slaveData)
  const { state, priority, cost, designatedPort } = v1.slaveData
  tellsTheSame(
    { state, priority, cost, designated_port: designatedPort },
    told.get('v1')?.info_slave_data as Told,
    'v1',
  )

  const mv0 = links.get('mv0')
  assert.ok(mv0?.kind === 'macvlan' && mv0.data)
  tellsTheSame(
    {
      mode: mv0.data.mode,
      bcqueuelen: mv0.data.bcQueueLen,
      macaddr_count: mv0.data.macaddrCount,
      macaddr_data: mv0.data.macaddrData?.macaddr,
    },
    data('mv0'),
    'mv0',
  )
  const mt0 = links.get('mt0')
  assert.ok(mt0?.kind === 'macvtap')
  assert.equal(mt0.data?.mode, data('mt0').mode)

  const t0 = links.get('t0')
  assert.ok(t0?.kind === 'tun' && t0.data)
  const { type, numQueues } = t0.data
  const flag = (value: number | undefined): boolean => value === 1
  tellsTheSame(
    {
      type,
      pi: flag(t0.data.pi),
      multi_queue: flag(t0.data.multiQueue),
      persist: flag(t0.data.persist),
      numqueues: numQueues,
    },
    data('t0'),
    't0',
  )
})

test('of AF_BRIDGE, the same numbers mean other things', { skip }, () => {
  const [v1] = dump<Link>('links', 1)
  assert.equal(v1?.family, 7)
  assert.equal(v1?.ifname, 'v1')
  assert.equal(v1?.protinfo?.state, 'forwarding')
  assert.equal(v1?.protinfo?.cost, 2)
})

test('addresses are what ip says', { skip }, () => {
  const told = readTold('addresses').flatMap((link) =>
    (link.addr_info as Told[]).map((one) => ({ ...one, ifindex: link.ifindex }) as Told),
  )
  const addresses = dump<Reply<typeof rtAddr, 'getAddr', 'dump'>>('addresses')
  assert.equal(addresses.length, told.length)
  for (const address of addresses) {
    const local = address.local ?? address.address
    const wanted = told.find((one) => one.local === local && one.ifindex === address.ifindex)
    assert.ok(wanted, local)
    const scope = spell(routeConstants, 'RT_SCOPE_', address.scope)
    tellsTheSame(
      {
        family: address.family === 2 ? 'inet' : 'inet6',
        prefixlen: address.prefixlen,
        scope: scope === 'universe' ? 'global' : scope,
        broadcast: address.broadcast,
        label: address.label,
        metric: address.rtPriority,
        address: address.local === address.address ? undefined : address.local && address.address,
        valid_life_time: address.cacheinfo?.valid,
        preferred_life_time: address.cacheinfo?.prefered,
      },
      wanted,
      String(local),
    )
  }
})

test('multicast and anycast addresses', { skip }, () => {
  const lists = [1, 2, 3].map((section) => dump<Record<string, unknown>>('addresses', section))
  const [inet, inet6, anycast] = lists as [Told[], Told[], Told[]]
  assert.ok(inet.some((one) => one.multicast === '224.0.0.1' && one.family === 2))
  assert.ok(inet6.some((one) => one.multicast === 'ff02::1'))
  assert.ok(anycast.some((one) => one.anycast === '2001:db8::'))
})

test('routes are what ip says', { skip }, () => {
  const links = dump<Link>('links')
  const dev = (ifindex: number | undefined): string | undefined =>
    links.find((link) => link.ifindex === ifindex)?.ifname
  const routes = dump<Reply<typeof rtRoute, 'getRoute', 'dump'>>('routes')
  const told = readTold('routes')
  assert.equal(routes.length, told.length)
  const names: Record<number, string> = { 253: 'default', 254: 'main', 255: 'local' }
  for (const [i, route] of routes.entries()) {
    const wanted = told[i] as Told
    const scope = spell(routeConstants, 'RT_SCOPE_', route.scope)
    const whole = route.dstLen === (route.family === 2 ? 32 : 128)
    const dst =
      route.dst === undefined ? 'default' : `${route.dst}${whole ? '' : `/${route.dstLen}`}`
    const metrics = route.metrics && {
      mtu: route.metrics.mtu,
      advmss: route.metrics.advmss,
      congestion: route.metrics.ccAlgo,
    }
    tellsTheSame(
      {
        type: spell(routeConstants, 'RTN_', route.type),
        dst: route.encap ? undefined : dst,
        gateway: route.gateway,
        dev: dev(route.oif),
        table: names[route.table ?? 0] ?? String(route.table),
        protocol: spell(routeConstants, 'RTPROT_', route.protocol),
        scope: scope === 'universe' ? 'global' : scope,
        prefsrc: route.prefsrc,
        metric: route.priority || undefined,
        nhid: route.nhId,
        pref: route.family === 10 ? route.pref : undefined,
        via: route.via && { family: 'inet6', host: route.via.address },
        nexthops: route.multipath?.map((hop) => ({
          gateway: hop.gateway,
          dev: dev(hop.ifindex),
          weight: hop.hops + 1,
          flags: [],
        })),
        metrics: metrics && [JSON.parse(JSON.stringify(metrics))],
      },
      wanted,
      dst,
    )
    assert.equal((route.flags & RTNH_F_ONLINK) !== 0, (wanted.flags as string[]).includes('onlink'))
  }
  const tunnel = routes.find((route) => route.encap)
  assert.equal(tunnel?.encapType, 'ip')
  assert.deepEqual(tunnel?.encap, {
    id: 5n,
    dst: '1.2.3.4',
    src: '0.0.0.0',
    tos: 0,
    ttl: 9,
    flags: 0,
  })
})

test('neighbours are what ip says', { skip }, () => {
  const links = dump<Link>('links')
  const neighbours = dump<Reply<typeof rtNeigh, 'getNeigh', 'dump'>>('neighbours')
  const told = readTold('neighbours')
  assert.equal(neighbours.length, told.length)
  for (const one of neighbours) {
    const dev = links.find((link) => link.ifindex === one.ifindex)?.ifname
    const wanted = told.find((each) => each.dst === one.dst && each.dev === dev)
    assert.ok(wanted, one.dst)
    tellsTheSame(
      {
        lladdr: one.lladdr,
        state: bitNames(neighConstants, 'NUD_', one.state),
        protocol: one.protocol && spell(routeConstants, 'RTPROT_', one.protocol),
      },
      wanted,
      String(one.dst),
    )
  }
  const [proxy] = dump<Reply<typeof rtNeigh, 'getNeigh', 'dump'>>('neighbours', 1)
  assert.equal(proxy?.dst, '10.0.0.8')
  assert.equal(proxy?.flags, NTF_PROXY)
  const fdb = dump<Reply<typeof rtNeigh, 'getNeigh', 'dump'>>('neighbours', 2)
  const entry = fdb.find((each) => each.lladdr === '02:00:00:00:00:99')
  const { dst, port, vni, viaIfindex } = entry ?? {}
  assert.deepEqual(
    { dst, port, vni, viaIfindex },
    { dst: '10.0.0.9', port: 4790, vni: 9, viaIfindex: 3 },
  )
})

test('rules are what ip says', { skip }, () => {
  // ip does not ask for the rules of multicast routing
  const rules = dump<Reply<typeof rtRule, 'getRule', 'dump'>>('rules').filter(
    (rule) => rule.family < 128,
  )
  const told = readTold('rules')
  assert.equal(rules.length, told.length)
  const names: Record<number, string> = { 253: 'default', 254: 'main', 255: 'local' }
  for (const [i, rule] of rules.entries()) {
    tellsTheSame(
      {
        priority: rule.priority ?? 0,
        src: rule.src ?? 'all',
        srclen: rule.srcLen || undefined,
        dst: rule.dst,
        dstlen: rule.dstLen || undefined,
        iif: rule.iifname,
        oif: rule.oifname,
        table: rule.table ? (names[rule.table] ?? String(rule.table)) : undefined,
        goto: rule.goto,
        fwmark: rule.fwmark && `0x${rule.fwmark.toString(16)}`,
        fwmask: rule.fwmark && rule.fwmask && `0x${rule.fwmask.toString(16)}`,
        uid_start: rule.uidRange?.start,
        uid_end: rule.uidRange?.end,
        sport_start: rule.sportRange?.start,
        sport_end: rule.sportRange?.end,
        tos: rule.tos ? `0x${rule.tos.toString(16)}` : undefined,
        suppress_prefixlen: rule.suppressPrefixlen === 0 ? 0 : undefined,
        not: (rule.flags & FIB_RULE_INVERT) !== 0 ? null : undefined,
        protocol: spell(routeConstants, 'RTPROT_', rule.protocol ?? 0),
      },
      told[i] as Told,
      `rule ${i}`,
    )
  }
})

test('generic families, their operations and groups, and the policy of nlctrl', { skip }, () => {
  const families = dump<Reply<typeof nlctrl, 'getFamily', 'dump'>>('nlctrl')
  const ctrl = families.find((family) => family.familyName === 'nlctrl')
  assert.deepEqual(ctrl, {
    familyName: 'nlctrl',
    familyId: 16,
    version: 2,
    hdrsize: 0,
    maxattr: 0,
    ops: [
      { id: 3, flags: 0xe },
      { id: 10, flags: 0xc },
    ],
    mcastGroups: [{ id: 16, name: 'notify' }],
  })
  const policies = dump<Reply<typeof nlctrl, 'getPolicy', 'dump'>>('nlctrl', 1)
  assert.deepEqual(
    policies.flatMap((message) => message.opPolicy ?? []),
    [
      { key: 3, value: { do: 0, dump: 0 } },
      // Linux 6.18 names an operation that has a dump alone by the command 0
      { key: 0, value: { dump: 1 } },
    ],
  )
  const name = policies
    .flatMap((message) => message.policy ?? [])
    .find((policy) => policy.key === 0 && policy.value[0]?.key === 2)
  assert.deepEqual(name?.value[0]?.value, { maxLength: 15, type: 'nul-string' })
})

test('notifications arrive as bodies of their families', { skip }, () => {
  const messages = readGolden('notifications')[0]?.messages ?? []
  const types = new Set(messages.map((bytes) => bytes[4]))
  assert.deepEqual(
    [...types].sort((a = 0, b = 0) => a - b),
    [16, 17, 20, 21, 24, 25, 28, 29, 32, 33, 57, 61],
  )
  const gone = messages
    .filter((bytes) => bytes[4] === 17)
    .map((bytes) =>
      decode<Extract<Notification<typeof rtLink>, { name: 'delLink' }>['value']>(bytes),
    )
  assert.ok(gone.some((link) => link.ifname === 'v0' && link.change === 0xffffffff))
})

/** An acknowledgement whole: the errno and the extack behind the copied request. */
function readAck(bytes: Uint8Array): { error: number; value: Record<string, unknown> } {
  const view = viewOf(bytes)
  const walker = new MessageWalker(view)
  assert.ok(walker.next())
  if (walker.type === NLMSG_DONE || walker.flags & 0x100) {
    const body: AnyMessage = walker.type === NLMSG_DONE ? doneMessage : errorMessage
    const {
      error,
      len: _,
      type: __,
      flags: ___,
      seq: ____,
      portid: _____,
      ...value
    } = body.decode(view, 16, bytes.length)
    return { error, value }
  }
  const request = view.getUint32(20, true)
  const at = 20 + ((request + 3) & ~3)
  return {
    error: view.getInt32(16, true),
    value: nlmsgerrAttrs.get(view, at, bytes.length) as never,
  }
}

test('refusals with their extended acknowledgement', { skip }, () => {
  const acks = readGolden('errors').map(({ messages }) => readAck(messages[0] as Uint8Array))
  const policyFailed = 'Attribute failed policy validation'
  assert.deepEqual(acks, [
    {
      error: -34,
      value: { msg: policyFailed, offs: 32, policy: { maxLength: 15, type: 'string' } },
    },
    {
      error: -34,
      value: { msg: policyFailed, offs: 32, policy: { maxLength: 15, type: 'string' } },
    },
    {
      error: -22,
      value: { msg: 'ipv4: Invalid values in header for address dump request' },
    },
    {
      error: -34,
      value: {
        msg: policyFailed,
        offs: 20,
        policy: { minValueU: 0n, maxValueU: 65535n, type: 'u16' },
      },
    },
    { error: -22, value: { msg: 'Unknown attribute type', offs: 20 } },
    { error: 0, value: {} },
  ])
  assert.equal(readGolden('errors')[0]?.messages[0]?.[4], NLMSG_ERROR)
})
