/** `nlkit dbus start` in dbus-daemon's place: what the configuration and the options say of its process. */
import { deepEqual, equal, match } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const DEADLINE = 20_000
const isRoot = process.getuid?.() === 0

/** Both daemons, where the reference is there. */
const DAEMONS: Readonly<Record<string, readonly string[]>> = {
  nlkit: [process.execPath, main, 'dbus', 'start'],
  ...(existsSync('/usr/bin/dbus-daemon') && { 'dbus-daemon': ['/usr/bin/dbus-daemon'] }),
}

interface Place {
  readonly folder: string
  readonly bus: string
  readonly pidfile: string
  readonly config: string
}

/** A folder that everybody may enter, with a configuration that has `elements`. */
function place(t: TestContext, elements: (pidfile: string) => string): Place {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-start-'))
  spawnSync('chmod', ['755', folder])
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [bus, pidfile, config] = ['bus', 'pid', 'bus.conf'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
      "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
     <busconfig><type>session</type><listen>unix:path=${bus}</listen>${elements(pidfile)}
     <policy context="default"><allow send_destination="*" eavesdrop="true"/>
     <allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  )
  return { folder, bus, pidfile, config }
}

function status(pid: number): Record<string, string> {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s*/) as [string, string]))
}

/** SIGTERM in a mask of signals. */
const CATCHES_SIGTERM = 1n << 14n

/** Ends a process that is nobody's child of ours; false when it does not go. */
async function end(pid: number): Promise<boolean> {
  process.kill(pid, 'SIGTERM')
  for (const until = Date.now() + DEADLINE; Date.now() < until; ) {
    try {
      if (status(pid).State?.startsWith('Z')) return true
    } catch {
      return true
    }
    await new Promise((next) => setTimeout(next, 10))
  }
  process.kill(pid, 'SIGKILL')
  return false
}

interface Daemon {
  readonly printed: string
  readonly pid: number
}

/** Starts one that goes into the background; nothing of it may hold our pipes. */
async function fork(
  command: readonly string[],
  options: readonly string[],
  umask: string,
): Promise<Daemon> {
  const line = `umask ${umask}; exec "$0" "$@"`
  const { stdout, stderr, status, error } = spawnSync(
    'sh',
    ['-c', line, ...command, ...options, '--print-address=1', '--print-pid=1'],
    { encoding: 'utf8', timeout: DEADLINE },
  )
  deepEqual([status, error], [0, undefined], stderr)
  const [address = '', pid = ''] = stdout.split('\n')
  await ready(Number(pid))
  return { printed: address, pid: Number(pid) }
}

/** dbus-daemon says its address, then becomes another user, and minds signals last of all. */
async function ready(pid: number): Promise<void> {
  for (const until = Date.now() + DEADLINE; Date.now() < until; ) {
    if (BigInt(`0x${status(pid).SigCgt}`) & CATCHES_SIGTERM) return
    await new Promise((next) => setTimeout(next, 10))
  }
  throw new Error(`process ${pid} does not mind SIGTERM`)
}

for (const [name, command] of Object.entries(DAEMONS)) {
  test(`${name}: <fork/>, <pidfile> and <keep_umask/>`, async (t) => {
    for (const [keep, umask] of [
      ['', '0022'],
      ['<keep_umask/>', '0077'],
    ]) {
      const { config, pidfile, bus } = place(
        t,
        (file) => `<fork/><pidfile>${file}</pidfile>${keep}`,
      )
      const { pid, printed } = await fork(command, [`--config-file=${config}`], '077')
      try {
        match(printed, new RegExp(`^unix:path=${bus},guid=[\\da-f]{32}$`))
        equal(readFileSync(pidfile, 'utf8'), `${pid}\n`)
        equal(status(pid).Umask, umask)
        equal(readlinkSync(`/proc/${pid}/cwd`), '/')
        const second = spawnSync(command[0]!, [...command.slice(1), `--config-file=${config}`], {
          encoding: 'utf8',
          timeout: DEADLINE,
        })
        equal(second.status === 0, false)
        match(
          second.stderr,
          /Failed to start message bus: The pid file ".*" exists, if the message bus is not running, remove this file/,
        )
      } finally {
        equal(await end(pid), true)
      }
      deepEqual([existsSync(pidfile), existsSync(bus)], [false, false], 'it leaves nothing')
    }
  })

  test(`${name}: --nopidfile, --fork and --address`, async (t) => {
    const { config, pidfile, folder } = place(t, (file) => `<pidfile>${file}</pidfile>`)
    const other = join(folder, 'other')
    const options = [
      `--config-file=${config}`,
      '--nopidfile',
      '--fork',
      `--address=unix:path=${other}`,
    ]
    const { pid, printed } = await fork(command, options, '022')
    try {
      match(printed, new RegExp(`^unix:path=${other},`))
      equal(existsSync(pidfile), false)
      equal(statSync(other).mode & 0o777, 0o777)
    } finally {
      equal(await end(pid), true)
    }
  })

  const skip = !isRoot && 'only root can become another user'
  test(`${name}: <user> takes that user's rights, once it listens`, { skip }, async (t) => {
    const { config, bus } = place(t, () => '<user>nobody</user><fork/>')
    const { pid } = await fork(command, [`--config-file=${config}`], '022')
    try {
      const { Uid, Gid, Groups } = status(pid)
      deepEqual([Uid, Groups?.trim()], [Array(4).fill('65534').join('\t'), ''])
      equal(new Set(Gid!.split('\t')).size, 1)
      equal(Gid!.startsWith('0'), false)
      // Who may come in is then judged by its new user: root is a stranger.
      const ask = (user: readonly string[]) =>
        spawnSync(
          user[0]!,
          [
            ...user.slice(1),
            process.execPath,
            main,
            'dbus',
            'call',
            `--address=unix:path=${bus}`,
            'org.freedesktop.DBus',
            '/',
            'org.freedesktop.DBus',
            'GetConnectionUnixUser',
            's',
            'org.freedesktop.DBus',
          ],
          { encoding: 'utf8', timeout: DEADLINE },
        )
      const nobody = ask(['setpriv', '--reuid=65534', '--clear-groups'])
      equal(nobody.stdout, 'u 65534\n', nobody.stderr)
      equal(ask(['env']).stdout, '')
    } finally {
      equal(await end(pid), true)
    }
  })

  test(`${name}: a user that nobody is, a pid file that cannot be`, (t) => {
    for (const [elements, complaint] of [
      ['<user>nobody-at-all</user>', 'Could not get UID and GID for username "nobody-at-all"'],
      [
        '<pidfile>/nowhere/at/all</pidfile>',
        'Failed to open "/nowhere/at/all": No such file or directory',
      ],
    ] as const) {
      const { config } = place(t, () => elements)
      const { status, stderr } = spawnSync(
        command[0]!,
        [...command.slice(1), `--config-file=${config}`, '--nofork'],
        { encoding: 'utf8', timeout: DEADLINE },
      )
      equal(status === 0, false)
      equal(stderr.includes(`Failed to start message bus: ${complaint}`), true, stderr)
    }
  })
}

const missing = !DAEMONS['dbus-daemon'] && 'dbus-daemon is not installed'
test('--introspect prints what dbus-daemon prints, in the same XML', { skip: missing }, () => {
  const [ours, theirs] = Object.values(DAEMONS).map(
    (command) =>
      spawnSync(command[0]!, [...command.slice(1), '--introspect'], {
        encoding: 'utf8',
        timeout: DEADLINE,
      }).stdout,
  )
  match(theirs!, /RequestName/)
  equal(ours!.trimEnd(), theirs!.trimEnd())
})
