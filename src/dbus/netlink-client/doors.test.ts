/** Both doors of one bus, from other processes: a client on netlink and one on a Unix socket. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from '../../index.ts'
import { type DecodedMessage, NetlinkBus, type Received } from '../index.ts'
import { SocketClient } from './socket-client.test.support.ts'

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
const DEADLINE = 30_000
const MIB = 1 << 20

/** Rejects when what is waited for does not come. */
function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not come`)), DEADLINE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

interface Served {
  readonly pid: number
  readonly path: string
  readonly kernel: string
  readonly folder: string
}

async function firstLine(child: ChildProcess): Promise<string> {
  let said = ''
  for await (const part of child.stdout!.setEncoding('utf8')) {
    said += part
    if (said.includes('\n')) break
  }
  return said
}

/** A bus in a process of its own, with both doors. */
async function serve(t: TestContext): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-doors-'))
  const [path, kernel] = [join(folder, 'bus'), join(folder, 'kernel.sock')]
  const options = ['--session', `--address=unix:path=${path}`, `--serve-kernel=${kernel}`]
  const child = spawn(process.execPath, [main, 'dbus', 'start', ...options, '--print-address'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 4 * DEADLINE,
    killSignal: 'SIGKILL',
  })
  t.after(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    equal((await soon(ended, 'its end'))[0], 0)
    deepEqual([existsSync(path), existsSync(kernel)], [false, false], 'it leaves nothing')
    rmSync(folder, { recursive: true })
  })
  match(await soon(firstLine(child), 'the address'), /^unix:path=/)
  return { pid: child.pid!, path, kernel: `unix:${kernel}`, folder }
}

/** A netlink client, and what it hears that answers no call. */
async function netlinkClient(t: TestContext, kernel: string) {
  const bus = await soon(NetlinkBus.open({ kernel, timeout: DEADLINE }), 'the greeting')
  t.after(() => bus.close())
  const heard: Received[] = []
  let wake: (() => void) | undefined
  bus.listener = (received) => {
    heard.push(received)
    wake?.()
  }
  const next = async (is: (message: DecodedMessage) => boolean): Promise<Received> => {
    for (;;) {
      const at = heard.findIndex(({ message }) => is(message))
      if (at >= 0) return heard.splice(at, 1)[0]!
      await new Promise<void>((more) => {
        wake = more
      })
    }
  }
  return {
    bus,
    next: (member: string) =>
      soon(
        next((m) => m.member === member),
        member,
      ),
  }
}

async function socketClient(t: TestContext, path: string): Promise<SocketClient> {
  const client = await soon(SocketClient.open(path), 'the greeting')
  t.after(() => client.close())
  return client
}

const FACE = 'com.example.I'
const call = (destination: string, member: string) =>
  ({ type: 1, destination, path: '/o', interface: FACE, member }) as const

function reply({ serial, sender }: DecodedMessage) {
  return { type: 2, replySerial: serial, destination: sender! } as const
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

test('calls go through both doors, either way, and the driver knows both', async (t) => {
  const { path, kernel } = await serve(t)
  const { bus, next } = await netlinkClient(t, kernel)
  const socket = await socketClient(t, path)
  equal(await bus.requestName('com.example.Netlink'), 1)

  const asked = socket.call({
    ...call('com.example.Netlink', 'Twice'),
    signature: 's',
    body: ['ab'],
  })
  const { message } = await next('Twice')
  deepEqual([message.sender, message.body], [socket.name, ['ab']])
  await bus.send({ ...reply(message), signature: 's', body: ['abab'] })
  deepEqual((await soon(asked, 'the answer')).message.body, ['abab'])

  const answer = bus.call({ ...call(socket.name, 'Back'), signature: 'u', body: [7] })
  const back = await soon(
    socket.next(({ member }) => member === 'Back'),
    'the call',
  )
  equal(back.message.sender, bus.uniqueName)
  await socket.send({ ...reply(back.message), signature: 'u', body: [14] })
  deepEqual((await soon(answer, 'the answer')).message.body, [14])

  const driver = {
    path: '/',
    interface: 'org.freedesktop.DBus',
    destination: 'org.freedesktop.DBus',
  }
  const names = (await bus.call({ ...driver, member: 'ListNames' })).message.body[0] as string[]
  deepEqual(
    [bus.uniqueName, socket.name, 'com.example.Netlink'].filter((name) => !names.includes(name)),
    [],
  )
  const unknown = bus.call({ ...driver, destination: 'com.example.Nobody', member: 'X' })
  await unknown.then(
    () => ok(false),
    ({ errorName }) => equal(errorName, 'org.freedesktop.DBus.Error.ServiceUnknown'),
  )
})

test('signals go through both doors, and the end of a socket is told at the other', async (t) => {
  const { path, kernel } = await serve(t)
  const { bus, next } = await netlinkClient(t, kernel)
  const socket = await socketClient(t, path)
  const rule = await bus.addMatch(`interface='${FACE}',member='Said'`)
  await socket.addMatch(`interface='${FACE}'`)
  await socket.addMatch("member='NameOwnerChanged',arg0='com.example.Netlink'")
  const said = { type: 4, path: '/o', interface: FACE, member: 'Said', signature: 's' } as const

  await socket.send({ ...said, body: ['from the socket'] })
  const first = await next('Said')
  deepEqual([first.message.body, first.message.sender], [['from the socket'], socket.name])
  await bus.send({ ...said, body: ['from netlink'] })
  const isFromNetlink = ({ sender }: DecodedMessage): boolean => sender === bus.uniqueName
  const second = await soon(socket.next(isFromNetlink), 'the signal')
  deepEqual(second.message.body, ['from netlink'])
  await bus.removeMatch(rule)

  equal(await bus.requestName('com.example.Netlink'), 1)
  const isGone = ({ member, body }: DecodedMessage): boolean =>
    member === 'NameOwnerChanged' && body[2] === ''
  const gone = soon(socket.next(isGone), 'NameOwnerChanged')
  bus.close()
  deepEqual((await gone).message.body, ['com.example.Netlink', bus.uniqueName, ''])
})

test('a message of 32 MiB goes through both doors, either way, whole', async (t) => {
  const { path, kernel } = await serve(t)
  const { bus } = await netlinkClient(t, kernel)
  const socket = await socketClient(t, path)
  const body = new Uint8Array(32 * MIB).map((_, i) => (i * 2654435761) >>> 13)
  const whole = { signature: 'ay', body: [body] }

  const answer = bus.call({ ...call(socket.name, 'Long'), ...whole })
  const there = await soon(
    socket.next(({ member }) => member === 'Long'),
    'the long call',
  )
  equal(digest(there.message.body[0] as Uint8Array), digest(body))
  await socket.send({ ...reply(there.message), ...whole })
  const back = await soon(answer, 'the long answer')
  equal(digest(back.message.body[0] as Uint8Array), digest(body))
})

/** What a descriptor reads from its beginning. */
function contents(fd: number): string {
  const bytes = Buffer.alloc(100)
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, 100, 0))
}

function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

test('descriptors go through both doors, either way, and the bus keeps none', async (t) => {
  const { path, kernel, folder, pid } = await serve(t)
  const { bus, next } = await netlinkClient(t, kernel)
  const socket = await socketClient(t, path)
  const file = join(folder, 'file')
  writeFileSync(file, 'in a file')
  const fd = openSync(file, 'r')
  const given = { signature: 'hs', body: [0, 'x'] }
  // The first descriptor opens the connection that exchanges them.
  const rounds: number[] = []
  for (let round = 0; round < 3; round++) {
    const asked = soon(bus.call({ ...call(socket.name, 'Take'), ...given }, [fd]), 'the answer')
    const taken = await soon(
      socket.next(({ member }) => member === 'Take'),
      'the descriptor',
    )
    equal(taken.descriptors.length, 1)
    equal(fstatSync(taken.descriptors[0]!).ino, fstatSync(fd).ino)
    await socket.send({ ...reply(taken.message), ...given }, taken.descriptors)
    closeSync(taken.descriptors[0]!)
    const { descriptors } = await asked
    equal(contents(descriptors[0]!), 'in a file')
    closeSync(descriptors[0]!)

    await socket.send({ ...call(bus.uniqueName, 'Have'), ...given }, [fd])
    const had = await next('Have')
    equal(contents(had.descriptors[0]!), 'in a file')
    closeSync(had.descriptors[0]!)
    // What is asked after the release is answered after it.
    equal(await bus.releaseName('com.example.None'), 2)
    await bus.call({ ...call('org.freedesktop.DBus', 'GetId'), interface: 'org.freedesktop.DBus' })
    rounds.push(openDescriptors(pid))
  }
  closeSync(fd)
  equal(rounds[2], rounds[1], 'descriptors of the bus after each round')
})

test('nobody redeems or sends what he was not given', async (t) => {
  const { kernel } = await serve(t)
  const nl = await open({ kernel })
  t.after(() => nl.close())
  const { dbus } = await import('../../families/dbus.ts')
  const family = await nl.family(dbus)
  const { fdDoor } = await family.do('hello', { peerFlags: 1 })
  const { DescriptorExchange } = await import('./descriptor-exchange.ts')
  const exchange = new DescriptorExchange(fdDoor!)
  t.after(() => exchange.close())
  const isBad = (error: { code: string }): boolean => error.code === 'EBADF'
  await exchange.redeem(1n).then(
    () => ok(false),
    (error) => ok(isBad(error)),
  )
  await exchange.withdraw(1n).then(
    () => ok(false),
    (error) => ok(isBad(error)),
  )
  const sent = family.do('send', { msg: new Uint8Array(16), fds: [1n] })
  await sent.then(
    () => ok(false),
    (error) => ok(isBad(error)),
  )
  const released = family.do('releaseFds', { fds: [1n] })
  await released.then(
    () => ok(false),
    (error) => ok(isBad(error)),
  )
})
