/** The smaller tables of a live kernel: listed, changed, and kept. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isNetlinkError, type Netlink, open } from 'nlkit'
import { type Netns, newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'
import { nlkit } from './cli.ts'

const skip = refusal ?? false
const python = spawnSync('python3', ['--version']).error ? 'needs python3' : skip
/** Milliseconds until a table that is not true has failed. */
const PATIENCE = 20_000

async function inNamespace(t: TestContext): Promise<{ nl: Netlink; netns: Netns }> {
  const netns = newNetns()
  const nl = await open({ netns })
  t.after(async () => {
    await nl.close()
    netns.close()
  })
  return { nl, netns }
}

/** Until what is kept is so. */
async function until(isSo: () => boolean, what: () => unknown): Promise<void> {
  const end = performance.now() + PATIENCE
  while (!isSo()) {
    assert.ok(
      performance.now() < end,
      JSON.stringify(what(), (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
    )
    await sleep(10)
  }
}

test('forwarding entries: set, listed by port and bridge, kept, taken away', {
  skip,
}, async (t) => {
  const { nl } = await inNamespace(t)
  await nl.links.add({ ifname: 'br0', kind: 'bridge', up: true })
  await nl.links.add({
    ifname: 'v0',
    kind: 'veth',
    peer: { ifname: 'v1' },
    master: 'br0',
    up: true,
  })
  const lladdr = '02:00:00:00:00:99'
  const live = nl.forwarding.live()
  await live.ready
  await nl.forwarding.add({ link: 'v0', lladdr })
  const [entry] = (await nl.forwarding.list({ link: 'v0' }).toArray()).filter(
    (each) => each.lladdr === lladdr,
  )
  assert.equal(entry?.state, 'noarp')
  const { ifindex } = await nl.links.get('br0')
  assert.equal(entry.master, ifindex)
  const ofBridge = await nl.forwarding.list({ bridge: 'br0' }).toArray()
  assert.ok(ofBridge.some((each) => each.lladdr === lladdr))
  await until(
    () => live.find({ lladdr }) !== undefined,
    () => live.values(),
  )
  await assert.rejects(nl.forwarding.add({ link: 'v0', lladdr }), (error) =>
    isNetlinkError(error, 'EEXIST'),
  )
  await nl.forwarding.replace({ link: 'v0', lladdr, state: 'permanent' })
  await until(
    () => live.find({ lladdr })?.state === 'permanent',
    () => live.values(),
  )
  await nl.forwarding.delete(live.find({ lladdr })! as never)
  await until(
    () => live.find({ lladdr }) === undefined,
    () => live.values(),
  )
  await assert.rejects(nl.forwarding.delete({ link: 'v0', lladdr }), (error) =>
    isNetlinkError(error, 'ENOENT'),
  )
  live.close()
})

test('netconf is kept whole, though Linux tells of a change what changed alone', {
  skip,
}, async (t) => {
  const { nl, netns } = await inNamespace(t)
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  const live = nl.netconf.live()
  await live.ready
  const { ifindex } = await nl.links.get('v0')
  const sysctl = spawnSync(
    'nsenter',
    [`--net=${netns.path}`, 'sysctl', '-qw', 'net.ipv4.conf.v0.forwarding=1'],
    { encoding: 'utf8' },
  )
  assert.equal(sysctl.status, 0, sysctl.stderr)
  const own = { family: 'inet', ifindex } as const
  await until(
    () => live.find(own)?.forwarding === 1,
    () => live.values(),
  )
  const truth = await nl.netconf.list({ family: 'inet', link: 'v0' }).toArray()
  assert.deepEqual(live.find(own), truth[0])
  await nl.links.delete('v0')
  await until(
    () => live.find(own) === undefined,
    () => live.values(),
  )
  live.close()
})

test('namespaces with a number are kept', { skip }, async (t) => {
  const { nl } = await inNamespace(t)
  const other = newNetns()
  const live = nl.namespaces.live()
  await live.ready
  await nl.namespaces.add({ fd: other.fd, nsid: 9 })
  await until(
    () => live.find({ nsid: 9 }) !== undefined,
    () => live.values(),
  )
  other.close()
  await until(
    () => live.find({ nsid: 9 }) === undefined,
    () => live.values(),
  )
  live.close()
})

/** Routes packets of a group, as a multicast routing daemon does, until its input ends. */
const ROUTER = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
s.setsockopt(0, 200, struct.pack('i', 1))
for i, name in enumerate(('v0', 'v1')):
    s.setsockopt(0, 202, struct.pack('HBBIi4s', i, 8, 1, 0, socket.if_nametoindex(name), bytes(4)))
ttls = bytearray(32); ttls[1] = 2
s.setsockopt(0, 204, socket.inet_aton('10.0.0.5') + socket.inet_aton('239.1.2.3')
             + struct.pack('H', 0) + bytes(ttls) + struct.pack('=2xIIIi', 0, 0, 0, 0))
print('ready', flush=True)
sys.stdin.read()
`

test('multicast routes are listed, watched and kept', { skip: python }, async (t) => {
  const { nl, netns } = await inNamespace(t)
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  for (const name of ['v0', 'v1']) await nl.links.set(name, { up: true })
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  const live = nl.multicastRoutes.live()
  const watch = nl.watch(['mroute'])
  await Promise.all([live.ready, watch.ready])
  const router = spawn('nsenter', [`--net=${netns.path}`, 'python3', '-c', ROUTER])
  t.after(() => router.kill())
  const [first] = await Promise.race([once(router.stdout, 'data'), once(router, 'close')])
  if (!String(first).startsWith('ready')) return t.skip('no multicast routing here')
  const [route] = await nl.multicastRoutes.list().toArray()
  const [v0, v1] = await Promise.all(['v0', 'v1'].map((name) => nl.links.get(name)))
  const { family, source, group, table, iif, oifs } = route!
  assert.deepEqual(
    { family, source, group, table, iif, oifs },
    {
      family: 'inet',
      source: '10.0.0.5',
      group: '239.1.2.3',
      table: 'default',
      iif: v0!.ifindex,
      oifs: [{ oif: v1!.ifindex, ttl: 2 }],
    },
  )
  for (const words of ['mroute show table all', '-j mroute show', '-s mroute show iif v1']) {
    const argv = words.split(' ')
    const ip = spawnSync('nsenter', [`--net=${netns.path}`, 'ip', ...argv], { encoding: 'utf8' })
    const ours = await nlkit('live', ['-n', netns.path, ...argv])
    assert.deepEqual([ours.code, ours.stdout], [0, ip.stdout], words)
  }
  const { value: event } = await watch.next()
  assert.equal(event?.type, 'mroute')
  await until(
    () => live.find({ group: '239.1.2.3' }) !== undefined,
    () => live.values(),
  )
  router.stdin.end()
  await until(
    () => live.find({ group: '239.1.2.3' }) === undefined,
    () => live.values(),
  )
  watch.close()
  live.close()
})
