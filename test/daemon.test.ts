/** A kernel that another process serves: who may do what, and what clients do to each other. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Netlink, open } from 'nlkit'
import { nlkit } from 'nlkit/families/nlkit'
import type { Transport } from 'nlkit/transport'
import { NETLINK_ROUTE, NETLINK_USERSOCK, NLM_F_DUMP, NLM_F_REQUEST } from 'nlkit/wire'
import { cannotDrop, spawnNlkit, UNPRIVILEGED } from './cli.ts'
import { serveKernel } from './daemon.ts'
import { program, RET_K } from './filters.ts'
import { next, request } from './raw.ts'

const { unixTransport } = (await import(
  new URL('../../dist/transport/unix.js', import.meta.url).href
)) as { unixTransport(path: string): Transport }
const { loadAddon } = (await import(
  new URL('../../dist/transport/addon.js', import.meta.url).href
)) as { loadAddon(): Addon }
const { unixAddress } = (await import(
  new URL('../../dist/transport/unix-address.js', import.meta.url).href
)) as { unixAddress(path: string): Uint8Array }

interface Addon {
  socket(domain: number, type: number, protocol: number): number
  connect(fd: number, address: Uint8Array): number
  bind(fd: number, address: Uint8Array): number
  send(fd: number, bytes: Uint8Array): number
  receive(fd: number, bytes: Uint8Array): number
  wait(fd: number, events: number, microseconds: number): number
  close(fd: number): number
}

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const POLLIN = 1
const ECONNREFUSED = -111
const EAGAIN = -11
const self = fileURLToPath(import.meta.url)

/** What other processes do: `node daemon.test.js ROLE PATH`. */
const roles: Record<string, (path: string) => Promise<void>> = {
  /** Sends what it receives back to whom it came from. */
  async echo(path) {
    const socket = await unixTransport(path).open({ protocol: NETLINK_USERSOCK, portid: 2 })
    console.log('ready')
    for (;;) {
      const { bytes, from } = await next(socket)
      socket.send([bytes], { portid: from })
    }
  },
  /** Begins a dump of many addresses, as a member of a group, and reads no more of it. */
  async dump(path) {
    const socket = await unixTransport(path).open({
      protocol: NETLINK_ROUTE,
      portid: 4711,
      groups: [1],
    })
    socket.send([request(22, NLM_F_REQUEST | NLM_F_DUMP, 1, (w) => w.reserve(8))])
    console.log('ready')
    await new Promise(() => setInterval(() => {}, 1 << 30))
  },
  /** Asks one thing after another; is ready when it has done so for a while. */
  async ask(path) {
    const socket = await unixTransport(path).open({ protocol: NETLINK_ROUTE })
    const many = request(18, NLM_F_REQUEST, 1, (w) => w.reserve(16))
    const buffer = new Uint8Array(8192)
    const start = performance.now()
    for (let isReady = false; ; ) {
      for (let i = 0; i < 100; i++) {
        if (socket.exchange!([many], buffer) !== EAGAIN) continue
        await socket.readable()
        socket.receive(buffer)
      }
      if (!isReady && performance.now() - start > 200) {
        console.log('ready')
        isReady = true
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  },
  /** Sends as fast as it can, and never reads. */
  async flood(path) {
    const socket = await unixTransport(path).open({ protocol: NETLINK_ROUTE })
    console.log('ready')
    const many = request(18, NLM_F_REQUEST, 1, (w) => w.reserve(16))
    for (let turn = 0; ; turn++) {
      socket.send([many])
      if (turn % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  },
}

const [, , role = '', place = ''] = process.argv
if (roles[role]) await roles[role](place)
else tests()

/** Another process, when it says that it is ready. */
async function run(role: string, path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [self, role, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'close')
}

async function fill(nl: Netlink, count: number): Promise<void> {
  const all = [...Array(count).keys()]
  await Promise.all(
    all.map((i) => nl.addresses.add({ link: 'lo', address: `10.1.${i >> 8}.${i & 255}/32` })),
  )
}

/** The sockets that the kernel has. */
async function sockets(nl: Netlink) {
  const control = await nl.family(nlkit)
  try {
    return await control.dump('getSocket').toArray()
  } finally {
    control.close()
  }
}

/** Resolves when `holds` does; asks the kernel again and again, for there is no event for it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(10_000)
  while (!(await holds())) signal.throwIfAborted()
}

/** Bytes sent to a kernel in place of a handshake, and what comes back. */
function converse(path: string, ...packets: Uint8Array[]): number {
  const native = loadAddon()
  const fd = native.socket(AF_UNIX, SOCK_SEQPACKET, 0)
  assert.equal(native.connect(fd, unixAddress(path)), 0)
  for (const packet of packets) native.send(fd, packet)
  native.wait(fd, POLLIN, 900_000)
  const length = native.receive(fd, new Uint8Array(64))
  native.close(fd)
  return length
}

function tests(): void {
  test('two processes talk through a served kernel', async () => {
    await using served = await serveKernel()
    const echo = await run('echo', served.path)
    const socket = await unixTransport(served.path).open({ protocol: NETLINK_USERSOCK })
    for (let i = 0; i < 100; i++) {
      assert.equal(socket.send([Uint8Array.of(i, 1, 2)], { portid: 2 }), 3)
      const { bytes, from } = await next(socket)
      assert.deepEqual([...bytes, from], [i, 1, 2, 2])
    }
    await kill(echo)
    await until(async () => socket.send([Uint8Array.of(1)], { portid: 2 }) === ECONNREFUSED)
    socket.close()
  })

  test('a filter is attached, refused and taken away over the socket', async () => {
    await using served = await serveKernel()
    const peer = unixTransport(served.path)
    const one = await peer.open({ protocol: NETLINK_USERSOCK, portid: 601 })
    const two = await peer.open({ protocol: NETLINK_USERSOCK, portid: 602 })
    await two.attachFilter(program([RET_K, 0, 0, 3]))
    await assert.rejects(two.attachFilter(new Uint8Array(8).fill(0xff)), { code: 'EINVAL' })
    one.send([new Uint8Array(5)], { portid: 602 })
    assert.equal((await next(two)).bytes.length, 3)
    await two.attachFilter()
    await assert.rejects(two.attachFilter(), { code: 'ENOENT' })
    one.send([new Uint8Array(5)], { portid: 602 })
    assert.equal((await next(two)).bytes.length, 5)
    one.close()
    two.close()
  })

  test('kill -9 in the middle of a dump frees port, groups, dump and connection', async () => {
    await using served = await serveKernel()
    await using nl = await open(served)
    await fill(nl, 1000)
    const client = await run('dump', served.path)
    const before = (await sockets(nl)).find(({ portid }) => portid === 4711)
    assert.deepEqual([before?.dump, before?.groups], [true, 1])
    assert.ok((before?.rmem ?? 0) > 0)
    await kill(client)
    await until(async () => !(await sockets(nl)).some(({ portid }) => portid === 4711))
    const control = await nl.family(nlkit)
    const { clients } = await control.do('getStatus')
    assert.equal(clients, (await sockets(nl)).length)
    const again = await unixTransport(served.path).open({ protocol: NETLINK_ROUTE, portid: 4711 })
    again.close()
  })

  test('a client that floods, or is stopped, delays nobody', async () => {
    await using served = await serveKernel()
    await using nl = await open(served)
    const flood = await run('flood', served.path)
    const stopped = await run('dump', served.path)
    stopped.kill('SIGSTOP')
    for (let i = 0; i < 200; i++) await nl.links.get('lo')
    await nl.links.add({ ifname: 'v0', kind: 'veth' })
    for (let i = 0; i < 200; i++) await nl.links.set('v0', { mtu: 1000 + i })
    assert.equal((await nl.links.get('v0')).mtu, 1199)
    await kill(flood)
    await kill(stopped)
  })

  test('who sends and never reads its answers stops itself alone', async () => {
    await using served = await serveKernel()
    await using nl = await open(served)
    const native = loadAddon()
    const fd = native.socket(AF_UNIX, SOCK_SEQPACKET, 0)
    assert.equal(native.connect(fd, unixAddress(served.path)), 0)
    const packet = (
      op: number,
      a: number,
      b: number,
      c: number,
      payload: Uint8Array = new Uint8Array(),
    ) => {
      const bytes = new Uint8Array(16 + payload.length)
      const view = new DataView(bytes.buffer)
      bytes[0] = op
      for (const [at, word] of [a, b, c].entries()) view.setUint32(4 + 4 * at, word, true)
      bytes.set(payload, 16)
      return bytes
    }
    const [OPEN, SEND] = [1, 7]
    native.send(fd, packet(OPEN, 0x544b4c4e, 1, NETLINK_ROUTE))
    const asking = packet(
      SEND,
      0,
      0,
      8192,
      request(18, NLM_F_REQUEST, 1, (w) => w.reserve(16)),
    )
    let sent = 0
    for (let refused = 0; refused < 100; ) {
      if (native.send(fd, asking) > 0) sent++
      else refused++
      if (refused > 0) await nl.links.get('lo')
    }
    assert.ok(sent > 100, `${sent} requests under way`)
    await nl.links.set('lo', { up: true })
    const buffer = new Uint8Array(32768)
    for (let answers = -1; answers < sent; answers++) {
      native.wait(fd, POLLIN, 900_000)
      assert.ok(native.receive(fd, buffer) > 0, `answer ${answers + 1} of ${sent}`)
    }
    assert.equal(native.receive(fd, buffer), EAGAIN)
    native.close(fd)
  })

  test('a client that has had the kernel for itself, and is stopped, delays nobody', async () => {
    await using served = await serveKernel()
    await using nl = await open(served)
    const quick = await run('ask', served.path)
    quick.kill('SIGSTOP')
    for (let i = 0; i < 50; i++) await nl.links.get('lo')
    await kill(quick)
    assert.equal((await nl.links.get('lo')).ifname, 'lo')
  })

  test('a kernel that is slow: calls return, answers come later, refusals too', async () => {
    await using served = await serveKernel()
    await using nl = await open(served)
    const socket = await unixTransport(served.path).open({ protocol: NETLINK_USERSOCK })
    const route = await unixTransport(served.path).open({ protocol: NETLINK_ROUTE })
    const buffer = new Uint8Array(4096)
    served.child.kill('SIGSTOP')
    const work = Promise.all([
      nl.links.list().toArray(),
      nl.links.get('lo'),
      nl.links.set('lo', { up: true }),
      assert.rejects(nl.links.get('absent'), { code: 'ENODEV' }),
      socket.join(1),
    ])
    assert.equal(socket.send([Uint8Array.of(1)], { portid: 77 }), 1)
    assert.equal(socket.receive(buffer), EAGAIN)
    const asked = [request(18, NLM_F_REQUEST, 5, (w) => w.reserve(16))]
    assert.equal(route.exchange!(asked, buffer), EAGAIN)
    assert.equal(route.send(asked), 32)
    assert.equal(route.receive(buffer), EAGAIN)
    await assert.rejects(nl.links.get('lo', { timeout: 30 }), { code: 'NETLINK_TIMEOUT' })
    served.child.kill('SIGCONT')
    const [links, lo] = await work
    assert.deepEqual([links.length, lo.ifname], [1, 'lo'])
    assert.equal((await nl.links.get('lo')).up, true)
    await socket.readable()
    assert.equal(socket.receive(buffer), ECONNREFUSED)
    assert.equal(socket.receive(buffer), EAGAIN)
    for (let i = 0; i < 2; i++) {
      const { messages } = await next(route)
      assert.deepEqual(
        messages.map(({ seq }) => seq),
        [5],
      )
    }
    assert.equal(route.receive(buffer), EAGAIN)
    const waiting = route.readable()
    const aborted = route.readable(AbortSignal.timeout(1))
    await assert.rejects(aborted, { name: 'TimeoutError' })
    route.close()
    await assert.rejects(waiting, { code: 'NETLINK_CLOSED' })
    socket.close()
    socket.close()
    assert.equal(socket.send([Uint8Array.of(1)]), -9)
  })

  test('a hundred clients at once', async () => {
    await using served = await serveKernel()
    const clients = await Promise.all([...Array(100).keys()].map(() => open(served)))
    const listeners = clients.map((nl) => nl.watch(['link']))
    await Promise.all(listeners.map((events) => events.ready))
    await clients[0]!.links.add({ ifname: 'br0', kind: 'bridge' })
    const heard = await Promise.all(
      listeners.map(async (events) => {
        for await (const event of events) if (event.type === 'link') return event.link.ifname
        return undefined
      }),
    )
    assert.deepEqual(new Set(heard), new Set(['br0']))
    const counts = await Promise.all(clients.map(async (nl) => (await nl.links.list()).toArray()))
    assert.ok(counts.every(({ length }) => length === 2))
    await Promise.all(clients.map((nl) => nl.close()))
  })

  test('garbage in place of the handshake ends that connection, and no other', async () => {
    await using served = await serveKernel()
    await using nl = await open(served)
    const noise = new Uint8Array(100_000).fill(0x5a)
    const opening = Uint8Array.of(1, 0, 0, 0, 0x4e, 0x4c, 0x4b, 0x54, 1, 0, 0, 0, 0, 0, 0, 0)
    const newer = opening.with(8, 9)
    assert.equal(converse(served.path, noise.subarray(0, 5)), 0)
    assert.equal(converse(served.path, noise.subarray(0, 16)), 0)
    assert.equal(converse(served.path, noise), 0)
    assert.equal(converse(served.path, Uint8Array.of(7, ...opening.subarray(1))), 0)
    assert.equal(converse(served.path, newer), 36)
    assert.equal(converse(served.path, opening), 36)
    assert.equal(converse(served.path, opening, opening), 36)
    assert.equal((await nl.links.list().toArray()).length, 1)
  })

  test('the kernel goes: what waits is told, what comes later too', async () => {
    const served = await serveKernel()
    await using nl = await open({ kernel: served.kernel })
    const events = nl.watch(['link'])
    await events.ready
    const ended = (async () => {
      for await (const _ of events);
    })()
    const control = await nl.family(nlkit)
    await control.do('stop')
    await assert.rejects(ended, { code: 'NETLINK_CLOSED', message: /has gone/ })
    await once(served.child, 'close')
    await assert.rejects(nl.links.list().toArray())
    await assert.rejects(open({ kernel: served.kernel }), {
      code: 'NETLINK_KERNEL',
      message: `no kernel is served at ${served.path} (NETLINK_KERNEL)`,
    })
    await served[Symbol.asyncDispose]()
  })

  const skip = cannotDrop ?? false
  test('a served kernel is its owner`s; others that are let in may look', { skip }, async () => {
    await using served = await serveKernel()
    assert.equal(statSync(served.path).mode & 0o777, 0o600)
    const asNobody = (...args: string[]) =>
      spawnNlkit(['--kernel', served.kernel, ...args], { through: UNPRIVILEGED })
    chmodSync(served.folder, 0o755)
    const shut = await asNobody('link', 'list')
    assert.deepEqual([shut.code, /EACCES/.test(shut.stderr)], [4, true], shut.stderr)
    chmodSync(served.path, 0o666)
    assert.equal((await asNobody('link', 'list')).code, 0)
    const refused = await asNobody('link', 'set', 'lo', 'up')
    assert.deepEqual([refused.code, /EPERM/.test(refused.stderr)], [1, true], refused.stderr)
    assert.match((await asNobody('sockets')).stderr, /EPERM/)
    assert.match((await asNobody('dmesg', '--follow')).stderr, /EPERM/)
  })

  test('paths: taken, stale, no socket, somebody else`s, too long', async () => {
    await using served = await serveKernel()
    const start = (path: string) => spawnNlkit(['kernel', 'start', '--listen', path])
    const taken = await start(served.path)
    assert.deepEqual([taken.code, /EADDRINUSE/.test(taken.stderr)], [1, true], taken.stderr)
    const file = join(served.folder, 'file')
    writeFileSync(file, 'precious')
    assert.match((await start(file)).stderr, /is there, and is no socket \(EEXIST\)/)
    assert.match(
      (await start(join(served.folder, 'a', 'b'))).stderr,
      /there is no folder .*\(ENOENT\)/,
    )
    assert.match((await start(join(served.folder, 'x'.repeat(120)))).stderr, /ENAMETOOLONG/)
    const stream = join(served.folder, 'stream')
    const native = loadAddon()
    const fd = native.socket(AF_UNIX, 1, 0)
    native.bind(fd, unixAddress(stream))
    assert.match((await start(stream)).stderr, /somebody else's \(EADDRINUSE\)/)
    await assert.rejects(open({ kernel: `unix:${stream}` }), { code: 'NETLINK_KERNEL' })
    native.close(fd)

    const stale = join(served.folder, 'stale')
    const left = native.socket(AF_UNIX, SOCK_SEQPACKET, 0)
    native.bind(left, unixAddress(stale))
    native.close(left)
    await assert.rejects(open({ kernel: `unix:${stale}` }), { message: /nobody serves/ })
    const repaired = await spawnNlkit(['kernel', 'start', '--detach', '--listen', stale])
    assert.equal(repaired.code, 0, repaired.stderr)
    const stop = await spawnNlkit(['--kernel', `unix:${stale}`, 'kernel', 'stop'])
    assert.equal(stop.code, 0, stop.stderr)
    assert.throws(() => statSync(stale), { code: 'ENOENT' })
  })

  test('modules, log, chains, namespaces: from files, through the command line', async () => {
    await using served = await serveKernel()
    const door = join(served.folder, 'door.mjs')
    const bad = join(served.folder, 'bad.mjs')
    const kernelDoor = import.meta.resolve('nlkit/kernel')
    writeFileSync(
      door,
      `import { defineModule, param } from '${kernelDoor}'
       export default defineModule({
         name: 'door', license: 'GPL', description: 'a door', params: { size: param.int(3) },
         init(kernel, { params }) {
           kernel.printk(6, 'door: of size ' + params.size)
           return () => kernel.printk(6, 'door: shut')
         },
       })`,
    )
    writeFileSync(bad, 'export default defineModule({')
    const cli = async (...args: string[]) => {
      const { code, stdout, stderr } = await spawnNlkit(['--kernel', served.kernel, ...args])
      return { code, stdout, stderr }
    }
    const follower = cli('dmesg', '--follow', '--count', '2', '-j')
    assert.match((await cli('module', 'insmod', bad)).stderr, /SyntaxError.*\(ENOEXEC\)/s)
    assert.equal((await cli('module', 'insmod', door, '--params', 'size=5')).code, 0)
    assert.match((await cli('module', 'insmod', door)).stderr, /EEXIST/)
    const rows = JSON.parse((await cli('module', 'list', '-j')).stdout)
    assert.deepEqual(
      rows.map(({ name, state }: { name: string; state: string }) => [name, state]),
      [['door', 'Live']],
    )
    assert.match((await cli('module', 'info', 'door')).stdout, /parm: +size:\(int\)/)
    assert.match((await cli('module', 'info', door)).stdout, /description: +a door/)
    assert.equal((await cli('module', 'rmmod', 'door')).code, 0)
    assert.match((await cli('module', 'rmmod', 'door')).stderr, /ENOENT/)
    const lines = (await follower).stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).text),
      ['door: of size 5', 'door: shut'],
    )
    assert.match((await cli('chains', 'netdev_chain')).stdout, /netdev_chain +raw/)
    assert.equal((await cli('netns', 'add', 'blue')).code, 0)
    assert.equal((await cli('netns', 'list')).stdout, 'blue\n')
    assert.equal((await cli('-n', 'blue', 'link', 'list')).code, 0)
    assert.match((await cli('-n', 'red', 'link', 'list')).stderr, /ENOENT/)
    assert.equal((await cli('netns', 'delete', 'blue')).code, 0)
    assert.equal((await cli('kernel', 'status')).code, 0)
  })
}
