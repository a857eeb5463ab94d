/** `nlkit monitor` on nlkit's kernel: what it says of changes, and of those that were lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from 'nlkit'
import { rtAddr } from 'nlkit/families/rt-addr'
import { RTM_NEWADDR } from 'nlkit/families/rtnetlink'
import { Kernel } from 'nlkit/kernel'
import { NETLINK_ROUTE, NLM_F_CREATE, NLM_F_REQUEST } from 'nlkit/wire'
import { type Ended, nlkit } from './cli.ts'
import { request } from './raw.ts'

const CLOCK = /^\d\d:\d\d:\d\d\.\d{3} {2}/gm

/** What monitor writes while `work` is done, which begins when it watches. */
async function monitor(
  kernel: Kernel,
  argv: readonly string[],
  work: () => Promise<unknown>,
  onEvent: () => void = () => undefined,
): Promise<Ended> {
  let worked: Promise<unknown> | undefined
  const ended = await nlkit(kernel, ['monitor', ...argv], {
    onWrite(text) {
      if (text.startsWith('watching')) worked = work()
      else onEvent()
    },
  })
  await worked
  return ended
}

test('changes in brief: new, changed, gone', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  const { code, stdout } = await monitor(
    kernel,
    ['-br', 'link', 'addr', 'neigh', 'rule', '--count', '10'],
    async () => {
      const address = '02:00:00:00:00:01'
      await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' }, address })
      await nl.links.set('v0', { mtu: 9000 })
      await nl.links.set('v0', { ifname: 'w0' })
      await nl.addresses.add({ link: 'w0', address: '10.0.0.1/24' })
      await nl.rules.add({ table: 100, priority: 5 })
      await nl.rules.delete({ table: 100, priority: 5 })
      await nl.addresses.delete({ link: 'w0', address: '10.0.0.1/24' })
      await nl.links.delete('w0')
    },
  )
  assert.equal(code, 0)
  assert.equal(
    stdout.replace(CLOCK, ''),
    `\
+  link   2: v1@none <BROADCAST,MULTICAST> mtu 1500 state down
+  link   3: v0@v1 <BROADCAST,MULTICAST,M-DOWN> mtu 1500 state down
~  link   3: v0@v1  mtu 1500 → 9000
~  link   3: v0@v1  name v0 → w0
+  addr  10.0.0.1/24 dev w0 scope global
+  rule  5: from all table 100
-  rule  5: from all table 100
-  addr  10.0.0.1/24 dev w0 scope global
-  link   3: w0@none <BROADCAST,MULTICAST> mtu 9000 state down
-  link   2: v1@none <BROADCAST,MULTICAST> mtu 1500 state down
`,
  )
})

test('changes as JSON, one to a line, those alone that were asked for', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  const { stdout } = await monitor(kernel, ['-j', 'route', '--count', '2', '-d'], async () => {
    await nl.links.set('lo', { up: true })
    await nl.routes.add({ destination: '192.0.2.0/24', type: 'blackhole' })
  })
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(events.length, 2)
  for (const { ts, type, op, route } of events) {
    assert.ok(Math.abs(Date.parse(ts) - Date.now()) < 60_000)
    assert.deepEqual([type, op, route.dev], ['route', 'new', 'lo'])
  }
})

/** Many changes in one go, so that nobody can keep up. */
function flood(send: (part: Uint8Array) => void): void {
  const { request: body } = rtAddr.ops.newAddr.do
  for (let i = 1; i <= 200; i++)
    send(
      request(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE, i, (w) =>
        body.encode(w, { family: 2, prefixlen: 32, ifindex: 1, local: `10.1.0.${i}` }),
      ),
    )
}

const MODES = { text: [], brief: ['-br'], json: ['-j'] } as const

for (const mode of ['text', 'brief', 'json'] as const) {
  test(`lost events are told, with the state anew, and end it with 3 (${mode})`, async () => {
    await using kernel = new Kernel()
    await using nl = await open({ kernel })
    const socket = await kernel.transport().open({ protocol: NETLINK_ROUTE })
    let isFlooded = false
    const argv = ['addr', '--rcvbuf', '4608', '--count', '3', ...MODES[mode]]
    const { code, stdout } = await monitor(
      kernel,
      argv,
      () => nl.addresses.add({ link: 'lo', address: '10.0.0.1/32' }),
      () => {
        if (!isFlooded) flood((part) => socket.send([part]))
        isFlooded = true
      },
    )
    socket.close()
    assert.equal(code, 3)
    const lines = stdout.trimEnd().split('\n')
    if (mode === 'text') {
      assert.deepEqual(lines.slice(2), [
        'overrun  the kernel dropped events',
        'resync  the state now: 1 links, 201 addresses',
      ])
      return
    }
    if (mode === 'brief') {
      assert.match(lines[1] ?? '', / {2}! {2}overrun {2}the kernel dropped events$/)
      assert.match(lines[2] ?? '', / {2}! {2}resync {2}the state now: 1 links, 201 addresses$/)
      return
    }
    const [, overrun, resync] = lines.map((line) => JSON.parse(line))
    assert.deepEqual([overrun.type, overrun.source], ['overrun', 'kernel'])
    assert.equal(resync.type, 'resync')
    assert.equal(resync.addresses.length, 201)
  })
}

test('Ctrl-C ends it with 130', async () => {
  await using kernel = new Kernel()
  const interrupt = new AbortController()
  const { code } = await nlkit(kernel, ['monitor'], {
    signal: interrupt.signal,
    onWrite: () => interrupt.abort(),
  })
  assert.equal(code, 130)
})

test('a link that is renamed is called by its new name from then on; times in both forms', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  const work = async () => {
    await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
    await nl.links.set('v0', { ifname: 'w0' })
    await nl.addresses.add({ link: 'w0', address: '10.0.0.1/24' })
  }
  const { stdout } = await monitor(kernel, ['-ts', 'addr', 'label', '--count', '1'], work)
  assert.match(
    stdout,
    /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\] \[ADDR\]3: w0 {4}inet 10\.0\.0\.1\/24 scope global w0\n/,
  )
  const again = () => nl.addresses.delete({ link: 'w0', address: '10.0.0.1/24' })
  const { stdout: long } = await monitor(kernel, ['-t', 'addr', '--count', '1'], again)
  assert.match(
    long,
    /^Timestamp: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} \d+ usec\nDeleted 3: w0 {4}inet 10\.0\.0\.1\/24/,
  )
})

test('dev leaves what is about other links out, -4 what is of other families', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  const { stdout } = await monitor(
    kernel,
    ['-4', 'address', 'dev', 'v0', '-o', '--count', '1'],
    async () => {
      await nl.addresses.add({ link: 'v1', address: '10.0.1.1/24' })
      await nl.addresses.add({ link: 'v0', address: '2001:db8::1/64' })
      await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
    },
  )
  assert.match(stdout, /^3: v0 {4}inet 10\.0\.0\.1\/24 [^\n]*\n$/)
})

test('what cannot be watched is told with what can', async () => {
  await using kernel = new Kernel()
  const { code, stderr } = await nlkit(kernel, ['monitor', 'neihg'])
  assert.equal(code, 2)
  assert.match(stderr, /"neihg" cannot be watched\n {2}did you mean neigh\?/)
  const { code: gone, stderr: why } = await nlkit(kernel, ['monitor', 'dev', 'nope'])
  assert.equal(gone, 1)
  assert.match(why, /there is no link named "nope"/)
})
