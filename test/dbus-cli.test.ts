/** `nlkit dbus` beside busctl, on the reference's bus: the same words give the same text. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const NLKIT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const BUS = 'org.freedesktop.DBus'
const OBJECT = '/org/freedesktop/DBus'
const DEADLINE = 20_000

function isThere(program: string): boolean {
  return spawnSync(program, ['--version'], { timeout: DEADLINE }).status === 0
}

const skip =
  !(isThere('dbus-daemon') && isThere('busctl')) && 'dbus-daemon and busctl are not both installed'

/** Resolves when what a stream of `child` has said satisfies `enough`. */
function said(
  child: ChildProcess,
  stream: 'stdout' | 'stderr',
  enough: (text: string) => boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new Error(`in vain; it said: ${text}`)), DEADLINE)
    const done = (): void => {
      clearTimeout(timer)
      resolve(text)
    }
    child[stream]!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (enough(text)) done()
    })
    child.once('close', done)
  })
}

/** The reference's session bus, for as long as `work` takes. */
async function withDaemon(work: (address: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-busctl-'))
  const address = `unix:path=${join(directory, 'bus')}`
  const daemon = spawn(
    'dbus-daemon',
    ['--session', '--nofork', '--nopidfile', `--address=${address}`, '--print-address=1'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  try {
    await said(daemon, 'stdout', (text) => text.includes('\n'))
    await work(address)
  } finally {
    daemon.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What differs from one run to the next. */
function normalised(text: string): string {
  return text
    .replace(/:1\.\d+/g, ':1.N')
    .replace(/\d+ (busctl|node)\b/g, 'PID PROGRAM')
    .replace(/"pid":\d+,"process":"(busctl|node)"/g, '"pid":0')
    .replace(/\d\.\d+e[-+]\d+/g, (number) => String(Number(number)))
    .replace(/ +/g, ' ')
    .replace(/ $/gm, '')
    .replace(/Timestamp="[^"]*"/g, 'Timestamp=""')
    .replace(/"timestamp-realtime":\d+/g, '"timestamp-realtime":0')
    .replace(/Cookie=\d+/g, 'Cookie=0')
    .replace(/"cookie":\d+/g, '"cookie":0')
}

interface Outcome {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

function run(program: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: DEADLINE,
  })
  return { status, out: normalised(stdout), err: stderr }
}

const call = (...words: string[]): string[] => ['call', BUS, OBJECT, BUS, ...words]

/** Words of nlkit, and busctl's where they are others. */
const SAME: readonly (readonly [ours: readonly string[], theirs?: readonly string[]])[] = [
  [['list']],
  [['list', '--acquired', '-j']],
  [call('ListNames')],
  [[...call('GetConnectionCredentials', 's', BUS), '-j']],
  [call('GetNameOwner', 's', 'a.b')],
  [call('Nonsense')],
  [call('AddMatch', 's', "type='signal'")],
  [['introspect', BUS, OBJECT]],
  [['introspect', '--xml-interface', BUS, OBJECT]],
  [['introspect', '--no-legend', BUS, OBJECT, BUS]],
  [['introspect', BUS, '/not/there']],
  [['list', '--no-legend', '--acquired']],
  [[...call('GetId'), '--timeout=5s', '--expect-reply=no']],
  [
    ['get', BUS, OBJECT, BUS, 'Nothing'],
    ['get-property', BUS, OBJECT, BUS, 'Nothing'],
  ],
  [
    ['get', '-j', BUS, OBJECT, BUS, 'Features', 'Interfaces'],
    ['get-property', '-j', BUS, OBJECT, BUS, 'Features', 'Interfaces'],
  ],
  [['emit', '/a', 'a.b', 'C', 'su', 'x', '5']],
  [['tree', BUS]],
  [['tree', '--list', BUS]],
  [['tree']],
  [
    ['get', BUS, OBJECT, BUS, 'Features', 'Interfaces'],
    ['get-property', BUS, OBJECT, BUS, 'Features', 'Interfaces'],
  ],
  [
    ['get', '-j', BUS, OBJECT, BUS, 'Features'],
    ['get-property', '-j', BUS, OBJECT, BUS, 'Features'],
  ],
  [
    ['set', BUS, OBJECT, BUS, 'Features', 'as', '1', 'x'],
    ['set-property', BUS, OBJECT, BUS, 'Features', 'as', '1', 'x'],
  ],
]

test('the same words give the same text as busctl', { skip }, async () => {
  await withDaemon((address) => {
    for (const [ours, theirs = ours] of SAME) {
      const expected = run('busctl', [`--address=${address}`, '--no-pager', ...theirs])
      const [verb, ...rest] = ours
      const actual = run(process.execPath, [NLKIT, 'dbus', verb!, `--address=${address}`, ...rest])
      assert.deepEqual(actual, expected, ours.join(' '))
    }
  })
})

const SIGNAL = 'sa{sv}ai(yb)vdxtogay'
const ARGUMENTS =
  'hello 1 k u 7 2 1 2 3 true s x 0.1 5 18446744073709551615 /a a{sv} 2 1 255'.split(' ')

/** What a monitor prints of one signal. */
async function monitored(
  program: string,
  words: readonly string[],
  address: string,
  end: string,
): Promise<string> {
  const rule = "--match=type='signal',interface='i.f'"
  const child = spawn(program, [...words, `--address=${address}`, rule], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const out = said(child, 'stdout', (text) => text.endsWith(end))
    await said(child, 'stderr', (text) => text.includes('\n'))
    const emit = ['dbus', 'emit', `--address=${address}`, '/a/b', 'i.f', 'Sig', SIGNAL]
    const { status, err } = run(process.execPath, [NLKIT, ...emit, ...ARGUMENTS])
    assert.deepEqual([status, err], [0, ''])
    return normalised(await out)
  } finally {
    child.kill()
  }
}

test('a monitor shows what busctl shows', { skip }, async () => {
  await withDaemon(async (address) => {
    for (const [json, end] of [
      [[], '\n\n'],
      [['-j'], '\n'],
    ] as const) {
      const theirs = await monitored('busctl', ['monitor', ...json], address, end)
      const words = [NLKIT, 'dbus', 'monitor', '--count=1', ...json]
      assert.equal(await monitored(process.execPath, words, address, end), theirs)
    }
  })
})

test('a capture has the messages, as pcapng of D-Bus', { skip }, async () => {
  await withDaemon(async (address) => {
    const words = [NLKIT, 'dbus', 'capture', '--count=1', `--address=${address}`]
    const child = spawn(process.execPath, [...words, "--match=interface='i.f'"], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const chunks: Buffer[] = []
      const begun = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no capture began')), DEADLINE)
        child.stdout.on('data', (chunk: Buffer) => {
          clearTimeout(timer)
          chunks.push(chunk)
          resolve()
        })
      })
      const ended = new Promise((resolve) => child.once('close', resolve))
      await begun
      run('busctl', [`--address=${address}`, 'emit', '/a', 'i.f', 'Seen'])
      await ended
      const bytes = Buffer.concat(chunks)
      assert.equal(bytes.readUInt32LE(0), 0x0a0d0d0a)
      assert.equal(bytes.readUInt16LE(28 + 8), 231)
      const packet = bytes.subarray(28 + 20)
      assert.equal(packet.readUInt32LE(0), 6)
      assert.equal(packet.readUInt32LE(4), packet.length)
      assert.equal(packet[28], 'l'.charCodeAt(0))
      assert.ok(packet.includes('Seen'))
    } finally {
      child.kill()
    }
  })
})

test('what cannot be is said: no bus, words that are missing, values that do not fit', () => {
  const none = `--address=unix:path=${join(tmpdir(), 'nlkit-no-such-bus')}`
  const fails = (...words: string[]): readonly unknown[] => {
    const { status, err } = run(process.execPath, [NLKIT, 'dbus', ...words])
    return [status, err.split('\n')[0]]
  }
  assert.equal(fails('list', none)[0], 4)
  assert.deepEqual(fails('call', none, 'a.b', '/'), [2, 'error: words are missing'])
  assert.deepEqual(fails(...call('M', 'y', '256')), [2, 'error: "256" is no value of type y'])
  assert.deepEqual(fails(...call('M', 's')), [2, 'error: too few parameters for signature'])
  assert.deepEqual(fails(...call('M', 's', 'a', 'b')), [
    2,
    'error: too many parameters for signature',
  ])
  assert.deepEqual(fails(...call('M', '(')), [2, 'error: "(" is no signature'])
})
