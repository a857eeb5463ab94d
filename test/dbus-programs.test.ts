/** D-Bus programs as they are installed, on nlkit's bus. */
import { equal, match, ok } from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const TIMEOUT = 30_000

/** Why a program's test is skipped; false where it is installed. */
function missing(program: string): string | false {
  const found = (process.env.PATH ?? '')
    .split(':')
    .some((folder) => existsSync(`${folder}/${program}`))
  return found ? false : `${program} is not installed`
}

function missingPython(module: string): string | false {
  const { status } = spawnSync('python3', ['-c', `import ${module}`], { timeout: TIMEOUT })
  return status === 0 ? false : `python3 has no module ${module}`
}

/** Runs a shell's line on a bus of its own. */
function onBus(
  line: string,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const words = [main, 'dbus', 'run', '--', '/bin/sh', '-c', line, 'sh', ...args]
  return new Promise((done) => {
    execFile(
      process.execPath,
      words,
      { timeout: TIMEOUT, killSignal: 'SIGKILL' },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        done({ code, out, err })
      },
    )
  })
}

test('a program has a bus of its own, and its exit code is passed on', async () => {
  const { code, out } = await onBus('echo "$DBUS_SESSION_BUS_ADDRESS"; exit 7')
  equal(code, 7)
  match(out, /^unix:path=\/.*\/bus,guid=[\da-f]{32}\n$/)
})

test('busctl lists, introspects and calls', { skip: missing('busctl') }, async () => {
  const { code, out, err } = await onBus(`
    set -e
    busctl --user --no-pager list
    busctl --user --no-pager introspect org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus
    busctl --user call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s org.freedesktop.DBus`)
  equal(code, 0, err)
  match(out, /org\.freedesktop\.DBus +\d+ node/)
  match(out, /\.RequestName +method +su +u/)
  match(out, /^b true$/m)
})

test('gdbus calls, and is answered', { skip: missing('gdbus') }, async () => {
  const { code, out, err } = await onBus(`
    set -e
    gdbus call --session -d org.freedesktop.DBus -o /org/freedesktop/DBus -m org.freedesktop.DBus.ListNames
    gdbus introspect --session -d org.freedesktop.DBus -o /org/freedesktop/DBus`)
  equal(code, 0, err)
  match(out, /\['org\.freedesktop\.DBus', ':1\.0'\]/)
  match(out, /BecomeMonitor/)
})

test('dbus-monitor sees what dbus-send does', {
  skip: missing('dbus-monitor') || missing('dbus-send'),
}, async () => {
  const { code, out, err } = await onBus(`
    log=$(mktemp)
    dbus-monitor --session > "$log" & monitor=$!
    tries=0
    until grep -q NameLost "$log" || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetId
    dbus-send --session --type=signal /a com.example.I.Seen string:tour
    tries=0
    until grep -q tour "$log" || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
    kill $monitor; cat "$log"; rm "$log"`)
  equal(code, 0, err)
  match(out, /method return time=.*\n +string "[\da-f]{32}"/)
  match(out, /member=GetId/)
  match(out, /interface=com\.example\.I; member=Seen\n +string "tour"/)
})

const SERVICE = `
import sys, gi
from gi.repository import Gio, GLib
node = Gio.DBusNodeInfo.new_for_xml('<node><interface name="com.example.I"><method name="Twice"><arg type="s" direction="in"/><arg type="s" direction="out"/></method></interface></node>')
def call(conn, sender, path, iface, method, args, invocation):
    invocation.return_value(GLib.Variant('(s)', (args[0] * 2,)))
def acquired(conn, name):
    conn.register_object('/o', node.interfaces[0], call, None, None)
Gio.bus_own_name(Gio.BusType.SESSION, 'com.example.Service', 0, acquired, None, None)
GLib.timeout_add_seconds(20, sys.exit, 1)
GLib.MainLoop().run()
`

test('a GLib service answers GLib, sd-bus and libdbus', {
  skip:
    missingPython('gi.repository.Gio') ||
    missing('gdbus') ||
    missing('busctl') ||
    missing('dbus-send'),
}, async () => {
  const { code, out, err } = await onBus(
    `
    python3 -c "$1" & service=$!
    gdbus wait --session --timeout 15 com.example.Service || exit 1
    gdbus call --session -d com.example.Service -o /o -m com.example.I.Twice ab
    busctl --user call com.example.Service /o com.example.I Twice s cd
    dbus-send --session --print-reply --dest=com.example.Service /o com.example.I.Twice string:ef
    kill $service; wait $service 2>/dev/null; exit 0`,
    SERVICE,
  )
  equal(code, 0, err)
  match(out, /\('abab',\)/)
  match(out, /^s "cdcd"$/m)
  match(out, /string "efef"/)
})

const DESCRIPTORS = `
import os, sys, dbus, dbus.service, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
class Service(dbus.service.Object):
    @dbus.service.method('com.example.I', in_signature='h', out_signature='s')
    def Read(self, fd):
        return os.read(fd.take(), 100).decode()
loop = GLib.MainLoop()
server = dbus.bus.BusConnection(os.environ['DBUS_SESSION_BUS_ADDRESS'])
Service(server, '/o')
client = dbus.bus.BusConnection(os.environ['DBUS_SESSION_BUS_ADDRESS'])
r, w = os.pipe(); os.write(w, b'through a pipe'); os.close(w)
proxy = client.get_object(server.get_unique_name(), '/o', introspect=False)
def done(text): print(text); loop.quit()
def failed(error): print(error); loop.quit()
proxy.Read(dbus.types.UnixFd(r), dbus_interface='com.example.I', reply_handler=done, error_handler=failed)
GLib.timeout_add_seconds(15, loop.quit)
loop.run()
`

test('python3-dbus passes a descriptor', { skip: missingPython('dbus, gi') }, async () => {
  const { code, out, err } = await onBus('python3 -c "$1"', DESCRIPTORS)
  equal(code, 0, err)
  equal(out, 'through a pipe\n', err)
})

test('nlkit dbus start: address and process id to descriptors; SIGTERM ends it', async () => {
  const options = [
    '--session',
    '--print-address=3',
    '--print-pid=3',
    '--nofork',
    '--systemd-activation',
  ]
  const child = spawn(
    process.execPath,
    [main, 'dbus', 'start', ...options, '--address=unix:tmpdir=/tmp'],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      timeout: TIMEOUT,
      killSignal: 'SIGKILL',
    },
  )
  try {
    let said = ''
    for await (const part of child.stdio[3] as Readable) {
      said += part
      if (said.split('\n').length > 2) break
    }
    const [, path, pid] =
      /^unix:path=(\/tmp\/dbus-\w{10}),guid=[\da-f]{32}\n(\d+)\n$/.exec(said) ?? []
    equal(Number(pid), child.pid, said)
    ok(existsSync(path!))
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    equal((await ended)[0], 0)
    equal(existsSync(path!), false)
  } finally {
    child.kill('SIGKILL')
  }
})
