/** D-Bus programs as they are installed, on nlkit's bus. */
import { equal, match, ok } from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const TIMEOUT = 60_000

/** Why a program's test is skipped; false where it is installed. */
function missing(program: string): string | false {
  const found = (process.env.PATH ?? '')
    .split(':')
    .some((folder) => existsSync(`${folder}/${program}`))
  return found ? false : `${program} is not installed`
}

/** The one that Debian's packages are for. */
const PYTHON = '/usr/bin/python3'

function missingPython(module: string): string | false {
  const { status } = spawnSync(PYTHON, ['-c', `import ${module}`], { timeout: TIMEOUT })
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
    ${PYTHON} -c "$1" & service=$!
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
  const { code, out, err } = await onBus(`${PYTHON} -c "$1"`, DESCRIPTORS)
  equal(code, 0, err)
  equal(out, 'through a pipe\n', err)
})

/** sd-bus, by its library's symbols: a service that reads descriptors, and a client of any such one. */
const SD_BUS = String.raw`
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef struct sd_bus sd_bus;
typedef struct sd_bus_message sd_bus_message;
typedef struct { const char *name, *message; int _need_free; } sd_bus_error;
typedef int (*handler)(sd_bus_message *, void *, sd_bus_error *);
int sd_bus_open_user(sd_bus **);
int sd_bus_request_name(sd_bus *, const char *, unsigned long);
int sd_bus_add_object(sd_bus *, void *, const char *, handler, void *);
int sd_bus_process(sd_bus *, sd_bus_message **);
int sd_bus_wait(sd_bus *, unsigned long);
int sd_bus_flush(sd_bus *);
int sd_bus_call_method(sd_bus *, const char *, const char *, const char *, const char *,
                       sd_bus_error *, sd_bus_message **, const char *, ...);
int sd_bus_emit_signal(sd_bus *, const char *, const char *, const char *, const char *, ...);
int sd_bus_reply_method_return(sd_bus_message *, const char *, ...);
int sd_bus_message_read(sd_bus_message *, const char *, ...);
int sd_bus_message_is_method_call(sd_bus_message *, const char *, const char *);
static sd_bus *bus;
static int called(sd_bus_message *m, void *u, sd_bus_error *e) {
  int fd; char text[100] = ""; ssize_t n;
  if (!sd_bus_message_is_method_call(m, "com.example.I", "Read")) return 0;
  if (sd_bus_message_read(m, "h", &fd) < 0) return -22;
  if ((n = read(fd, text, sizeof text - 1)) < 0) return -5;
  text[n] = 0;
  sd_bus_emit_signal(bus, "/o", "com.example.I", "WasRead", "s", text);
  return sd_bus_reply_method_return(m, "s", text);
}
int main(int argc, char **argv) {
  alarm(25);
  if (sd_bus_open_user(&bus) < 0) return 1;
  if (!strcmp(argv[1], "serve")) {
    if (sd_bus_add_object(bus, NULL, "/o", called, NULL) < 0) return 2;
    if (sd_bus_request_name(bus, argv[2], 0) < 0) return 3;
    for (;;) if (sd_bus_process(bus, NULL) == 0) sd_bus_wait(bus, (unsigned long)-1);
  }
  sd_bus_error error = {0}; sd_bus_message *reply; const char *text; int ends[2];
  if (pipe(ends) || write(ends[1], argv[3], strlen(argv[3])) < 0) return 4;
  close(ends[1]);
  if (sd_bus_call_method(bus, argv[2], "/o", "com.example.I", "Read", &error, &reply, "h", ends[0]) < 0)
    return printf("%s: %s\n", error.name, error.message), 5;
  sd_bus_message_read(reply, "s", &text);
  printf("sd-bus heard %s\n", text);
  return 0;
}
`

/** The same service and client with python3-dbus. */
const PYTHON_DBUS = `
import os, sys, dbus, dbus.service, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(os.environ['DBUS_SESSION_BUS_ADDRESS'])
class Service(dbus.service.Object):
    @dbus.service.method('com.example.I', in_signature='h', out_signature='s')
    def Read(self, fd):
        text = os.read(fd.take(), 100).decode()
        self.WasRead(text)
        return text
    @dbus.service.signal('com.example.I', signature='s')
    def WasRead(self, text): pass
if sys.argv[1] == 'serve':
    Service(bus, '/o')
    name = dbus.service.BusName(sys.argv[2], bus)
    GLib.timeout_add_seconds(25, sys.exit, 1)
    GLib.MainLoop().run()
r, w = os.pipe(); os.write(w, sys.argv[3].encode()); os.close(w)
proxy = bus.get_object(sys.argv[2], '/o', introspect=False)
print('python heard', proxy.Read(dbus.types.UnixFd(r), dbus_interface='com.example.I'))
`

/** And with GLib. */
const GLIB = `
import os, sys, gi
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
node = Gio.DBusNodeInfo.new_for_xml('<node><interface name="com.example.I"><method name="Read"><arg type="h" direction="in"/><arg type="s" direction="out"/></method></interface></node>')
def call(conn, sender, path, iface, method, args, invocation):
    text = os.read(invocation.get_message().get_unix_fd_list().get(args[0]), 100).decode()
    conn.emit_signal(None, '/o', 'com.example.I', 'WasRead', GLib.Variant('(s)', (text,)))
    invocation.return_value(GLib.Variant('(s)', (text,)))
if sys.argv[1] == 'serve':
    bus.register_object('/o', node.interfaces[0], call, None, None)
    Gio.bus_own_name_on_connection(bus, sys.argv[2], 0, None, None)
    GLib.timeout_add_seconds(25, sys.exit, 1)
    GLib.MainLoop().run()
r, w = os.pipe(); os.write(w, sys.argv[3].encode()); os.close(w)
fds = Gio.UnixFDList.new(); fds.append(r)
reply, _ = bus.call_with_unix_fd_list_sync(sys.argv[2], '/o', 'com.example.I', 'Read', GLib.Variant('(h)', (0,)), None, 0, 20000, fds, None)
print('GLib heard', reply[0])
`

/** Whether a C program finds libsystemd. */
function missingSdBus(): string | false {
  const { status } = spawnSync('cc', ['-x', 'c', '-', '-o', '/dev/null', '-l:libsystemd.so.0'], {
    input: 'int main(void) { return 0; }',
    timeout: TIMEOUT,
  })
  return status === 0 ? false : 'no C compiler, or no libsystemd'
}

test('GLib, python3-dbus and sd-bus call each other with descriptors, and dbus-monitor sees it', {
  skip: missingPython('dbus, gi.repository.Gio') || missingSdBus() || missing('dbus-monitor'),
}, async () => {
  const { code, out, err } = await onBus(
    `
    folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
    printf %s "$1" > "$folder/sd.c"; printf %s "$2" > "$folder/pd.py"; printf %s "$3" > "$folder/gl.py"
    cc -o "$folder/sd" "$folder/sd.c" -l:libsystemd.so.0 || exit 2
    run() { case $1 in
      sd) shift; exec "$folder/sd" "$@";;
      *) program=$1; shift; exec ${PYTHON} "$folder/$program.py" "$@";;
    esac; }
    dbus-monitor --session "interface='com.example.I'" > "$folder/log" & all=$!
    for one in sd pd gl; do (run $one serve com.example.$one) & all="$all $!"; done
    for one in sd pd gl; do gdbus wait --session --timeout 20 com.example.$one || exit 3; done
    tries=0
    until grep -q NameLost "$folder/log" || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
    for client in sd pd gl; do for service in sd pd gl; do
      (run $client ask com.example.$service "$client to $service") || exit 4
    done; done
    tries=0
    until [ $(grep -c member=WasRead "$folder/log") -ge 9 ] || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
    kill $all; cat "$folder/log"`,
    SD_BUS,
    PYTHON_DBUS,
    GLIB,
  )
  equal(code, 0, `${out}${err}`)
  const heard = { 'sd-bus': 'sd', python: 'pd', GLib: 'gl' }
  for (const [said, client] of Object.entries(heard))
    for (const service of Object.values(heard)) {
      match(out, new RegExp(`^${said} heard ${client} to ${service}$`, 'm'))
      match(out, new RegExp(`member=WasRead\\n +string "${client} to ${service}"`))
    }
  match(out, /destination=com\.example\.sd.*member=Read\n +file descriptor/)
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
