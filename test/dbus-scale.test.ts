/**
 * Many clients of one bus, and such as do it harm: what they had is gone when they are, and the others
 * do not notice. `NLKIT_LONG=1` has 1,000 clients where there are 120 otherwise.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { type DecodedMessage, METHOD_CALL, SIGNAL } from 'nlkit/dbus'
import { askBus, enter, KEEPER, nameOf, startCrowd } from './dbus/crowd.ts'
import { type Daemon, missingDaemon, OPEN_POLICY, type Side, startDaemon } from './dbus/daemons.ts'
import { holdings, settled } from './dbus/holdings.ts'
import { Talker } from './dbus/talker.ts'

const isLong = process.env.NLKIT_LONG === '1'
const CLIENTS = isLong ? 1000 : 120
const PROCESSES = 4
const ROUNDS = isLong ? 5 : 2
const TIMEOUT = isLong ? 600_000 : 110_000
const QUOTA = 1_000_000

const configuration = (limits: Readonly<Record<string, number>>): string =>
  OPEN_POLICY +
  Object.entries(limits)
    .map(([name, most]) => `<limit name="${name}">${most}</limit>`)
    .join('')

async function start(
  t: TestContext,
  limits: Readonly<Record<string, number>>,
  side: Side = 'nlkit',
): Promise<Daemon> {
  const daemon = await startDaemon(side, { configuration: configuration(limits) })
  t.after(() => daemon.stop())
  return daemon
}

/** A client that has said Hello; it leaves with the test. */
async function client(t: TestContext, { path }: Daemon, rule?: string) {
  const talker = new Talker(path)
  t.after(() => talker.close())
  const name = await enter(talker)
  if (rule !== undefined) await askBus(talker, 'AddMatch', 's', rule)
  return { talker, name }
}

/** Bytes that a process has in memory. */
function residentBytes({ pid }: Daemon): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Number(kilobytes) * 1024
}

/** Names whose owner is gone, as a client has been told. */
function goneNames({ heard }: Talker): string[] {
  return heard
    .filter(({ member, body }) => member === 'NameOwnerChanged' && body[2] === '')
    .map(({ body }) => body[0] as string)
}

/** Names of a client of the crowd's that are gone, in their order. */
function ownNames({ heard }: Talker, number: number): string[] {
  const changes = heard.filter(
    ({ member, body }) => member === 'NameOwnerChanged' && body[2] === '',
  )
  const own = changes.find(({ body }) => body[0] === nameOf(number))
  if (!own) return []
  return changes.filter(({ body }) => body[1] === own.body[1]).map(({ body }) => body[0] as string)
}

test(`of ${CLIENTS} clients half are killed: nothing is left of them, and the others go on`, {
  timeout: TIMEOUT,
}, async (t) => {
  const daemon = await start(t, {
    max_completed_connections: 2 * CLIENTS,
    max_connections_per_user: 2 * CLIENTS,
    max_incomplete_connections: 2 * CLIENTS,
  })
  const before = await holdings(daemon)
  const sizes: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const watcher = await client(t, daemon, "type='signal',member='NameOwnerChanged'")
    const keeper = await client(t, daemon)
    equal(await askBus(keeper.talker, 'RequestName', 'su', KEEPER, 0), 1)
    const each = CLIENTS / PROCESSES
    const crowds = await Promise.all(
      Array.from({ length: PROCESSES }, (_, i) => startCrowd(daemon.path, i * each, each)),
    )
    try {
      const full = await holdings(daemon)
      equal(full.stats.MatchRules, 3 * CLIENTS + 1)
      watcher.talker.heard.length = 0
      const [dead, living] = [crowds.slice(0, PROCESSES / 2), crowds.slice(PROCESSES / 2)]
      await Promise.all(dead.map((crowd) => crowd.kill()))
      const numbers = Array.from({ length: CLIENTS / 2 }, (_, number) => number)
      await watcher.talker.until(
        () => numbers.every((number) => ownNames(watcher.talker, number).length >= 2) || undefined,
        `the news of ${CLIENTS} names`,
      )
      for (const number of numbers) {
        const [name, unique, ...more] = ownNames(watcher.talker, number)
        deepEqual([name, unique?.startsWith(':1.'), more], [nameOf(number), true, []])
      }
      const half = await holdings(daemon)
      equal(half.stats.MatchRules, (3 * CLIENTS) / 2 + 1)
      equal(half.descriptors, full.descriptors - CLIENTS / 2)
      // Nobody answers the living; when who should have is gone, each of them hears so, once.
      keeper.talker.close()
      await watcher.talker.until(
        () => (goneNames(watcher.talker).includes(KEEPER) ? true : undefined),
        'the end of the keeper',
      )
      await Promise.all(living.map((crowd) => allErrors(crowd.errors, each)))
      for (const { errors } of living)
        deepEqual(new Set(errors), new Set(['org.freedesktop.DBus.Error.NoReply']))
    } finally {
      await Promise.all(crowds.map((crowd) => crowd.kill()))
    }
    watcher.talker.close()
    deepEqual(await settled(daemon, before), before)
    sizes.push(residentBytes(daemon))
  }
  const growth = sizes.at(-1)! - sizes[0]!
  ok(growth < 32 << 20, `it has grown by ${growth} bytes: ${sizes.join(', ')}`)
})

/** Waits until a crowd has told of so many errors. */
async function allErrors(errors: readonly string[], count: number): Promise<void> {
  for (let tries = 2000; errors.length < count; tries--) {
    if (tries === 0) throw new Error(`${errors.length} of ${count} have heard that nobody answers`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  equal(errors.length, count)
}

test('who does not read is dropped at its quota, and told of; who reads gets all, in order', {
  timeout: 110_000,
}, async (t) => {
  const daemon = await start(t, { max_outgoing_bytes: QUOTA })
  const watcher = await client(t, daemon, "type='signal',member='NameOwnerChanged'")
  const rule = "type='signal',interface='com.example.I'"
  const deaf = await client(t, daemon, rule)
  const readers = await Promise.all(Array.from({ length: 4 }, () => client(t, daemon, rule)))
  const talker = await client(t, daemon)
  deaf.talker.socket.pause()
  const body = ['x'.repeat(50_000)]
  const signal = { type: SIGNAL, path: '/p', interface: 'com.example.I', signature: 's', body }
  const COUNT = 60
  for (let i = 0; i < COUNT; i++) {
    talker.talker.send({ ...signal, member: `S${i}` })
    // Who reads keeps up: its quota is that of one who does not.
    for (const { talker: reader } of readers)
      await reader.until(() => reader.heard.at(-1)?.member === `S${i}` || undefined, `S${i}`)
  }
  for (const { talker: reader } of readers)
    deepEqual(
      reader.heard
        .filter(({ type }) => type === SIGNAL)
        .slice(-COUNT)
        .map(({ member }) => member),
      Array.from({ length: COUNT }, (_, i) => `S${i}`),
    )
  await watcher.talker.until(
    () => goneNames(watcher.talker).includes(deaf.name) || undefined,
    'the end of who does not read',
  )
  equal(await askBus(talker.talker, 'NameHasOwner', 's', deaf.name), false)
})

test('a call to who does not read is refused when there is no room, and is not lost', {
  timeout: 110_000,
}, async (t) => {
  const daemon = await start(t, { max_outgoing_bytes: QUOTA, max_replies_per_connection: 1000 })
  const deaf = await client(t, daemon)
  const { talker } = await client(t, daemon)
  deaf.talker.socket.pause()
  const call = { type: METHOD_CALL, path: '/p', destination: deaf.name, member: 'M' }
  const body = ['x'.repeat(50_000)]
  const serials = Array.from({ length: 100 }, () => talker.send({ ...call, signature: 's', body }))
  await askBus(talker, 'GetId')
  const refused = refusals(talker, serials)
  ok(refused.length > 0)
  deepEqual(new Set(refused.map(({ errorName }) => errorName)), new Set([limit('LimitsExceeded')]))
  deaf.talker.socket.resume()
  const taken = serials.length - refused.length
  const calls = (): DecodedMessage[] => deaf.talker.heard.filter(({ member }) => member === 'M')
  await deaf.talker.until(() => calls().length >= taken || undefined, 'what was not refused')
  equal(calls().length, taken)
})

const limit = (name: string): string => `org.freedesktop.DBus.Error.${name}`

/** Errors among the answers to `serials`. */
function refusals({ heard }: Talker, serials: readonly number[]): DecodedMessage[] {
  const asked = new Set(serials)
  return heard.filter(({ errorName, replySerial }) => errorName && asked.has(replySerial ?? 0))
}

const LIMITS = {
  max_match_rules_per_connection: 20,
  max_names_per_connection: 10,
  max_replies_per_connection: 15,
  max_incomplete_connections: 8,
}
const FLOOD = 40

/** How many of so many rules, names and calls a bus refuses, and by which error. */
async function flood(t: TestContext, side: Side): Promise<string[]> {
  const daemon = await start(t, LIMITS, side)
  const callee = await client(t, daemon)
  const { talker } = await client(t, daemon)
  const told: string[] = []
  const count = async (what: string, serials: readonly number[]): Promise<void> => {
    await askBus(talker, 'GetId')
    const refused = refusals(talker, serials)
    told.push(`${what}: ${refused.length} ${[...new Set(refused.map((each) => each.errorName))]}`)
  }
  const bus = { type: METHOD_CALL, path: '/', destination: 'org.freedesktop.DBus' }
  const numbers = Array.from({ length: FLOOD }, (_, i) => i)
  const send = (member: string, signature: string, bodyOf: (i: number) => unknown[]): number[] =>
    numbers.map((i) => talker.send({ ...bus, member, signature, body: bodyOf(i) }))
  await count(
    'rules',
    send('AddMatch', 's', (i) => [`member='M${i}'`]),
  )
  await count(
    'names',
    send('RequestName', 'su', (i) => [`com.example.N${i}`, 0]),
  )
  const call = { type: METHOD_CALL, path: '/', destination: callee.name, member: 'M' }
  await count(
    'calls',
    numbers.map(() => talker.send(call)),
  )
  return told
}

test('floods of rules, names and calls are refused where dbus-daemon refuses them', {
  skip: missingDaemon,
  timeout: 110_000,
}, async (t) => {
  const told = await flood(t, 'nlkit')
  deepEqual(told, await flood(t, 'dbus-daemon'))
  equal(told.length, 3)
})

test('a crowd of strangers, and announcements of long messages, leave room for who is there', {
  timeout: 110_000,
}, async (t) => {
  const daemon = await start(t, { max_incomplete_connections: 16, max_message_size: 128 << 20 })
  const { talker } = await client(t, daemon)
  const before = await holdings(daemon)
  const size = residentBytes(daemon)
  const strangers = Array.from({ length: 200 }, () => new Talker(daemon.path))
  const big = Buffer.alloc(24)
  big.write('l\x04\x00\x01', 'latin1')
  big.writeUInt32LE(127 << 20, 4)
  big.writeUInt32LE(1, 8)
  const announcers = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      for (const stranger of strangers.slice(16 * i, 16 * i + 16)) stranger.close()
      const announcer = new Talker(daemon.path)
      t.after(() => announcer.close())
      return announcer
    }),
  )
  for (const stranger of strangers) stranger.close()
  for (const announcer of announcers) {
    await enter(announcer)
    announcer.socket.write(big)
  }
  equal(typeof (await askBus(talker, 'GetId')), 'string')
  const growth = residentBytes(daemon) - size
  ok(growth < 64 << 20, `it has grown by ${growth} bytes`)
  for (const announcer of announcers) announcer.close()
  deepEqual(await settled(daemon, before), before)
})
