import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Identities } from '../policy/rule.ts'
import { ConfigError } from './config.ts'
import { loadBusConfig } from './load.ts'

/** The reference's own samples. */
const DATA = process.env.NLKIT_DBUS_TEST_DATA ?? '/usr/lib/dbus-1.0/installed-tests/dbus/data'

const identities: Identities = {
  uidOf: (user) => ({ root: 0, ann: 1000 })[user],
  gidOf: (group) => ({ root: 0, staff: 50 })[group],
  groupsOf: () => [],
  isAtConsole: () => false,
  commandOf: () => undefined,
}

/** Writes files into a directory of their own, and calls `use` with it. */
function withFiles<T>(files: Readonly<Record<string, string>>, use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-config-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    return use(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function load(body: string, others: Readonly<Record<string, string>> = {}) {
  return withFiles({ 'bus.conf': `<busconfig>\n${body}\n</busconfig>`, ...others }, (directory) => {
    const config = loadBusConfig(join(directory, 'bus.conf'), identities)
    return { ...config, files: config.files.map((file) => file.slice(directory.length + 1)) }
  })
}

/** Why a configuration is refused, without the directory. */
function refusal(body: string, others: Readonly<Record<string, string>> = {}): string {
  try {
    load(body, others)
  } catch (error) {
    ok(error instanceof ConfigError, String(error))
    return error.message.replaceAll(/\/[^ ']*\/nlkit-config-[^/]*\//g, '')
  }
  return 'taken'
}

test('each element says what it says', () => {
  const config = load(`
    <type>session</type> <user>ann</user> <fork/> <keep_umask/> <syslog/> <allow_anonymous/>
    <listen>unix:path=/foo/&lt;bar&gt;</listen> <listen>tcp:port=1</listen>
    <auth>EXTERNAL</auth> <pidfile>/run/p</pidfile> <servicehelper>/bin/h</servicehelper>
    <servicedir>/one</servicedir> <servicedir>/two</servicedir> <servicedir>/one</servicedir>
    <limit name="max_names_per_connection">7</limit> <limit name="max_containers">1</limit>
    <limit name="reply_timeout">-1</limit> <limit name="max_incoming_bytes">5000000000</limit>
    <selinux><associate own="a.b" context="c"/></selinux> <apparmor mode="required"/>`)
  deepEqual(
    [config.type, config.user, config.pidfile, config.serviceHelper],
    ['session', 'ann', '/run/p', '/bin/h'],
  )
  ok(config.fork && config.keepUmask && config.syslog && config.allowAnonymous)
  deepEqual(config.listen, ['unix:path=/foo/<bar>', 'tcp:port=1'])
  deepEqual(config.auth, ['EXTERNAL'])
  deepEqual(
    config.serviceDirectories.map(({ path }) => path),
    ['/one', '/two'],
  )
  equal(config.limits.maxNamesPerConnection, 7)
  equal(config.limits.maxIncomingBytes, 5e9)
  equal(config.limits.maxRepliesPerConnection, 128)
})

test('sections and their rules, in order; a user that nobody is leaves a warning', () => {
  const { policies, warnings } = load(`
    <policy context="default"><allow user="*"/><deny user="nobody-at-all"/><deny own_prefix="a.b"/></policy>
    <policy user="ann"><allow send_destination="a.b" send_type="signal" max_fds="2"/></policy>
    <policy group="staff"><deny eavesdrop="true"/></policy>
    <policy user="nobody-at-all"><allow own="*"/></policy>
    <policy at_console="true"/><policy context="mandatory"/>`)
  deepEqual(
    policies.map(({ context }) => context),
    [
      { kind: 'default' },
      { kind: 'user', uid: 1000 },
      { kind: 'group', gid: 50 },
      { kind: 'console', atConsole: true },
      { kind: 'mandatory' },
    ],
  )
  deepEqual(policies[0]!.rules, [
    { kind: 'user', allow: true, id: undefined },
    { kind: 'own', allow: false, name: 'a.b', isPrefix: true },
  ])
  equal(policies[2]!.rules[0]!.kind, 'receive')
  deepEqual(policies[1]!.rules[0], {
    kind: 'send',
    allow: true,
    type: 4,
    path: undefined,
    interface: undefined,
    member: undefined,
    errorName: undefined,
    eavesdrop: false,
    requestedReply: true,
    minFds: 0,
    maxFds: 2,
    destination: 'a.b',
    isPrefix: false,
    broadcast: undefined,
  })
  equal(warnings.length, 2)
})

test('included files count where they are named; a broken one of a directory is passed over', () => {
  const others = {
    'more.conf': '<busconfig><type>more</type><listen>unix:path=/m</listen></busconfig>',
    'broken.txt': '<busconfig>',
  }
  const config = load(
    `<listen>unix:path=/a</listen><type>first</type><include>more.conf</include>
     <include ignore_missing="yes">none.conf</include><includedir>none.d</includedir>
     <include if_selinux_enabled="yes" selinux_root_relative="yes">contexts</include>
     <listen>unix:path=/z</listen>`,
    others,
  )
  deepEqual(config.listen, ['unix:path=/a', 'unix:path=/m', 'unix:path=/z'])
  equal(config.type, 'more')
  deepEqual(config.files, ['bus.conf', 'more.conf'])
  const directory = load('<includedir>.</includedir>', {
    ...others,
    'also.conf': '<busconfig><bees/></busconfig>',
  })
  deepEqual(directory.files, ['bus.conf', 'more.conf'])
  equal(directory.warnings.length, 1)
})

const REFUSED: readonly [body: string, message: string][] = [
  ['<bees/>', 'bus.conf:2: Element <bees> not allowed inside <busconfig>'],
  [
    '\n<listen a="b">x</listen>',
    'bus.conf:3: Attribute "a" is invalid on <listen> element in this context',
  ],
  ['<listen/>', 'bus.conf:2: XML element <listen> was expected to have content inside it'],
  ['<fork>yes</fork>', 'bus.conf:2: No text content expected inside XML element fork'],
  ['text', 'bus.conf:1: No text content expected inside XML element busconfig'],
  ['<limit name="bees">1</limit>', 'bus.conf:2: There is no limit called "bees"'],
  [
    '<limit name="max_message_size">-1</limit>',
    'bus.conf:2: <limit name="max_message_size"> must be a positive number',
  ],
  ['<include>none.conf</include>', 'none.conf: cannot be read: ENOENT'],
  ['<include>bus.conf</include>', "bus.conf:2: Circular inclusion of file 'bus.conf'"],
  ['<include>bad.conf</include>', 'bad.conf:2: Unknown element <x> at root of configuration file'],
  [
    '<policy context="default"><deny send_member="M"/></policy>',
    'bus.conf:2: On element <deny>, send_member requires a send_interface or send_path',
  ],
  [
    '<policy user="ann"><allow user="*"/></policy>',
    'bus.conf:2: <allow> rule cannot be per-user because it has bus-global semantics',
  ],
]

test('what is wrong is said with file and line', () => {
  for (const [body, message] of REFUSED) equal(refusal(body, { 'bad.conf': '\n<x/>' }), message)
  throws(() => load('<user>a</foo>'), { code: 'CONFIG_INVALID', line: 2 })
  throws(() => loadBusConfig('/does/not/exist'), { code: 'CONFIG_UNREADABLE', line: 0 })
})

const skip = !existsSync(DATA) && 'the package dbus-tests is not installed'

test("the reference's valid samples are taken", { skip }, () => {
  let count = 0
  for (const directory of ['valid-config-files', 'valid-config-files-system'])
    for (const name of readdirSync(join(DATA, directory)).filter((n) => n.endsWith('.conf'))) {
      loadBusConfig(join(DATA, directory, name), identities)
      count++
    }
  ok(count >= 25)
})

test("the reference's invalid samples are refused", { skip }, () => {
  const names = readdirSync(join(DATA, 'invalid-config-files'))
  const taken = names.filter((name) => {
    try {
      loadBusConfig(join(DATA, 'invalid-config-files', name), identities)
      return true
    } catch (error) {
      if (error instanceof ConfigError) return false
      throw error
    }
  })
  deepEqual(taken, [])
  ok(names.length >= 25)
})
