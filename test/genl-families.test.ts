/**
 * The generic families of this machine's kernel: one real question to each, and where a program of
 * Linux's asks the same, its answer. What changes something does so in a namespace of its own.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { isNetlinkError, type Netlink, open } from 'nlkit'
import { ethtool } from 'nlkit/families/ethtool'
import { ioam6 } from 'nlkit/families/ioam6'
import { acpiEvent, vfsDquot } from 'nlkit/families/kernel-events'
import { mptcpPm } from 'nlkit/families/mptcp-pm'
import { netdev } from 'nlkit/families/netdev'
import { nlblCalipso, nlblCipso, nlblMgmt, nlblUnlabel } from 'nlkit/families/netlabel'
import { nlctrl } from 'nlkit/families/nlctrl'
import { familyNames } from 'nlkit/families/registry'
import { seg6 } from 'nlkit/families/seg6'
import { taskstats } from 'nlkit/families/taskstats'
import { tcpMetrics } from 'nlkit/families/tcp-metrics'
import { thermal } from 'nlkit/families/thermal'
import type { Family } from 'nlkit/schema'
import { type Netns, newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'
import { inside } from './inside.ts'

/** The family's client; skips the test where this kernel has no such family. */
async function familyOf<F extends Family>(t: TestContext, nl: Netlink, family: F) {
  try {
    return await nl.family(family)
  } catch (error) {
    if (!isNetlinkError(error, 'NETLINK_FAMILY')) throw error
    t.skip(`this kernel has no ${family.name}`)
    return undefined
  }
}

/** What a program prints in the namespace; skips the test where it cannot be run. */
async function printed(
  t: TestContext,
  netns: Netns,
  ...command: string[]
): Promise<string | undefined> {
  try {
    return await inside(netns, command)
  } catch (error) {
    t.skip(`${command.join(' ')}: ${(error as Error).message}`)
    return undefined
  }
}

/** Looks for `pattern` in what a program printed, if there is such a program. */
async function shows(
  t: TestContext,
  netns: Netns,
  command: string,
  ...patterns: RegExp[]
): Promise<void> {
  const text = await printed(t, netns, ...command.split(' '))
  if (text !== undefined) for (const pattern of patterns) assert.match(text, pattern)
}

function inNamespace(
  name: string,
  body: (t: TestContext, nl: Netlink, netns: Netns) => Promise<void>,
): void {
  test(name, refusal ? { skip: refusal } : {}, async (t) => {
    const netns = newNetns()
    const nl = await open({ netns })
    try {
      await body(t, nl, netns)
    } finally {
      await nl.close()
      netns.close()
    }
  })
}

function atHome(name: string, body: (t: TestContext, nl: Netlink) => Promise<void>): void {
  const skip = process.platform === 'linux' ? {} : { skip: 'only Linux has them' }
  test(name, skip, async (t) => {
    const nl = await open()
    try {
      await body(t, nl)
    } finally {
      await nl.close()
    }
  })
}

atHome('every family of this kernel is described, or said not to be', async (t, nl) => {
  const ctrl = await nl.family(nlctrl)
  const names = (await ctrl.dump('getFamily').toArray()).map(({ familyName }) => familyName)
  const strangers = names.filter((name) => !familyNames.includes(name))
  t.diagnostic(`${names.length} families; not described: ${strangers.join(', ') || 'none'}`)
  assert.ok(names.includes('nlctrl'))
})

inNamespace('netdev: its devices are the links', async (t, nl) => {
  const family = await familyOf(t, nl, netdev)
  if (!family) return
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  const links = await nl.links.list().toArray()
  const devices = await family.dump('devGet').toArray()
  assert.deepEqual(
    devices.map(({ ifindex }) => ifindex).sort(),
    links.map(({ ifindex }) => ifindex).sort(),
  )
  const one = await family.do('devGet', { ifindex: 1 })
  assert.equal(one.ifindex, 1)
  await assert.rejects(family.do('devGet', { ifindex: 0xffff }), { code: 'ENODEV' })
})

inNamespace('netdev: a device that comes is told to the group mgmt', async (t, nl) => {
  const family = await familyOf(t, nl, netdev)
  if (!family) return
  const events = family.listen(['mgmt'])
  await events.ready
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  const { value } = await events.next()
  assert.equal(value.name, 'devAddNtf')
  events.close()
})

inNamespace('ethtool: speed, link and features as ethtool(8) has them', async (t, nl, netns) => {
  const family = await familyOf(t, nl, ethtool)
  if (!family) return
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { up: true })
  const header = { devName: 'v0' }
  const { link } = await family.do('linkstateGet', { header })
  const { speed } = await family.do('linkmodesGet', { header })
  const detected = new RegExp(`Link detected: ${link ? 'yes' : 'no'}`)
  await shows(t, netns, 'ethtool v0', new RegExp(`Speed: ${speed}Mb/s`), detected)
  const { active } = await family.do('featuresGet', { header })
  const ours = (active?.bits?.bit ?? []).map(({ name }) => name)
  const features = await printed(t, netns, 'ethtool', '-k', 'v0')
  if (features === undefined) return
  const theirs = [...features.matchAll(/^\s*([\w-]+): on/gm)].map(([, name]) => name ?? '')
  /** Six summaries of ethtool(8)'s own. */
  const known = theirs.filter((name) => ours.includes(name))
  assert.ok(known.length > 10, features)
  assert.ok(ours.length >= known.length)
  const all = await family.dump('linkstateGet').toArray()
  assert.deepEqual(all.map((each) => each.header?.devName).sort(), ['lo', 'v0', 'v1'])
})

inNamespace('mptcp_pm: limits and endpoints as ip(8) shows them', async (t, nl, netns) => {
  const family = await familyOf(t, nl, mptcpPm)
  if (!family) return
  await family.do('setLimits', { subflows: 3, rcvAddAddrs: 2 })
  assert.deepEqual(await family.do('getLimits'), { rcvAddAddrs: 2, subflows: 3 })
  await shows(t, netns, 'ip mptcp limits show', /add_addr_accepted 2 subflows 3/)
  await family.do('addAddr', { addr: { family: 2, addr4: '192.0.2.1', flags: 1 } })
  const all = await family.dump('getAddr').toArray()
  assert.deepEqual(
    all.map(({ addr }) => [addr?.addr4, addr?.id, addr?.flags]),
    [['192.0.2.1', 1, 1]],
  )
  await shows(t, netns, 'ip mptcp endpoint show', /192\.0\.2\.1 id 1 signal/)
})

inNamespace('SEG6 and IOAM6: what is set is what ip(8) shows', async (t, nl, netns) => {
  const segments = await familyOf(t, nl, seg6)
  if (segments) {
    try {
      await segments.do('setTunsrc', { dst: '2001:db8::1' })
      assert.equal((await segments.do('getTunsrc')).dst, '2001:db8::1')
      await shows(t, netns, 'ip sr tunsrc show', /2001:db8::1/)
    } catch (error) {
      if (!isNetlinkError(error, 'EPERM')) throw error
      t.diagnostic('SEG6 is for the administrator of the machine alone')
    }
  }
  const telemetry = await familyOf(t, nl, ioam6)
  if (!telemetry) return
  try {
    await telemetry.do('addNamespace', { nsId: 5, nsData: 7 })
  } catch (error) {
    if (!isNetlinkError(error, 'EPERM')) throw error
    t.skip('IOAM6 is for the administrator of the machine alone')
    return
  }
  const [known] = await telemetry.dump('getNamespace').toArray()
  assert.deepEqual([known?.nsId, known?.nsData], [5, 7])
  await shows(t, netns, 'ip ioam namespace show', /namespace 5\b.*data 0x0*7/)
})

atHome('tcp_metrics: the hosts that ip(8) shows', async (t, nl) => {
  const family = await familyOf(t, nl, tcpMetrics)
  if (!family) return
  const all = await family.dump('get').toArray()
  for (const { addrIpv4, saddrIpv4 } of all.slice(0, 3)) {
    if (addrIpv4 === undefined) continue
    const one: { addrIpv4?: string } = await family.do('get', { addrIpv4, saddrIpv4 })
    assert.equal(one.addrIpv4, addrIpv4)
  }
  await assert.rejects(family.do('get', { addrIpv4: '192.0.2.200' }), { code: 'ESRCH' })
})

/** One connection over the loopback, opened and closed: TCP remembers its host. */
const ONE_CONNECTION = `
  const net = require('net')
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1', () => client.end('x'))
    client.resume().on('close', () => server.close())
  })`

inNamespace('tcp_metrics: what ip(8) prints of each host', async (t, nl, netns) => {
  const family = await familyOf(t, nl, tcpMetrics)
  if (!family) return
  await nl.links.set('lo', { up: true })
  await inside(netns, [process.execPath, '-e', ONE_CONNECTION])
  const text = await printed(t, netns, 'ip', 'tcp_metrics', 'show')
  if (text === undefined) return
  const all = await family.dump('get').toArray()
  const ours = all.map(({ addrIpv4, saddrIpv4, vals }) => {
    const rtt = vals?.rttUs === undefined ? '' : ` rtt ${Math.floor(vals.rttUs / 8)}us`
    return `${addrIpv4}${rtt} source ${saddrIpv4}`
  })
  const theirs = text
    .trim()
    .split('\n')
    .map((line) => {
      const [host] = line.split(' ')
      const rtt = / rtt (\d+us)/.exec(line)?.[1]
      const source = / source (\S+)/.exec(line)?.[1]
      return `${host}${rtt === undefined ? '' : ` rtt ${rtt}`} source ${source}`
    })
  assert.deepEqual(ours.sort(), theirs.sort())
  assert.ok(ours.length > 0)
})

atHome('TASKSTATS: this process, as /proc has it', async (t, nl) => {
  const family = await familyOf(t, nl, taskstats)
  if (!family) return
  let reply: Awaited<ReturnType<typeof family.do<'get'>>>
  try {
    reply = await family.do('get', { pid: process.pid })
  } catch (error) {
    if (!isNetlinkError(error, 'EPERM') && !isNetlinkError(error, 'ESRCH')) throw error
    t.skip('only for the administrator of the first user and pid namespace')
    return
  }
  const { pid, stats } = reply.aggrPid ?? {}
  assert.equal(pid, process.pid)
  assert.equal(stats?.pid, process.pid)
  assert.equal(stats?.ppid, process.ppid)
  assert.equal(stats?.uid, process.getuid?.())
  const comm = Buffer.from(stats?.comm ?? [])
    .toString()
    .replace(/\0.*$/s, '')
  assert.equal(comm, readFileSync('/proc/self/comm', 'utf8').trim())
  assert.ok((stats?.utime ?? 0n) > 0n)
})

atHome('NetLabel and thermal answer', async (t, nl) => {
  const management = await familyOf(t, nl, nlblMgmt)
  if (management) {
    assert.ok((await management.do('version')).version >= 1)
    assert.ok((await management.dump('protocols').toArray()).length > 0)
  }
  const unlabelled = await familyOf(t, nl, nlblUnlabel)
  if (unlabelled) assert.match(String((await unlabelled.do('list')).acptflg), /^[01]$/)
  for (const family of [nlblCipso, nlblCalipso]) {
    const client = await familyOf(t, nl, family)
    if (client) assert.ok(Array.isArray(await client.dump('listAll').toArray()))
  }
  const zones = await familyOf(t, nl, thermal)
  if (!zones) return
  assert.ok(Array.isArray(await zones.dump('tzGetId').toArray()))
  assert.ok(Array.isArray(await zones.dump('cdevGet').toArray()))
})

for (const family of [vfsDquot, acpiEvent, thermal, ioam6, ethtool] as const)
  atHome(`${family.name}: its groups are joined`, async (t, nl) => {
    const client = await familyOf(t, nl, family as Family)
    if (!client) return
    const events = client.listen()
    await events.ready
    events.close()
  })
