/** `nlkit run`: unmodified programs on a kernel of nlkit's. */
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { main } from './cli.ts'
import { serveKernel } from './daemon.ts'

const folder = mkdtempSync(join(tmpdir(), 'nlkit-test-run-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Whether a program is there. */
function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}
const noIp = has('ip') ? false : 'needs ip(8)'
const noCompiler = has('cc') ? false : 'needs a C compiler'

/** Runs `nlkit run`, with words before and behind the dashes. */
function run(words: readonly string[], ...command: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [main, 'run', ...words, '--', ...command], {
    encoding: 'utf8',
    timeout: 30_000,
  })
}

test('ip(8) sees the network of the kernel that was started for it', { skip: noIp }, () => {
  const { stdout, stderr, status } = run([], 'ip', '-br', 'link')
  assert.equal(stderr, '')
  assert.match(stdout, /^lo +DOWN +00:00:00:00:00:00 <LOOPBACK> *\n$/)
  assert.equal(status, 0)
})

/** What ip(8) makes, shows, flushes, deletes, and is refused. */
const IP_SESSION = `set -e
ip link add va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b
ip link set va addrgenmode none; ip link set vb addrgenmode none
ip link set lo up; ip link set va up; ip link set vb up
ip addr add 10.1.2.3/24 brd + dev va
ip addr add 10.1.2.4/24 dev va
ip -6 addr add 2001:db8::1/64 dev va nodad
ip route add 10.9.0.0/16 via 10.1.2.1
ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:09 dev va
ip rule add from 10.9.0.0/16 table 100 priority 77
ip -br link | sort
ip -br addr | sort
ip route show; ip route show table local; ip route get 10.9.1.1 | head -1 | sed 's/ uid.*//'
ip neigh show dev va 10.1.2.9; ip rule show
ip link show type veth | grep -c mtu
ip link set dev va mtu 1300 name lo || echo $?
ip -o link show va | grep -o "mtu [0-9]*"
ip addr flush dev va; ip addr show dev va | grep -c inet || true; ip route show
ip link del va; ip -br link
ip link show dev nosuch || echo $?
ip addr add 10.0.0.1/24 dev nosuch || echo $?
ip route add 10.0.0.0/8 via 10.99.99.1 || echo $?
`

test('what ip(8) makes, shows and flushes is what it is on Linux', { skip: noIp }, (t) => {
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) {
    t.skip('needs root, for a namespace of its own')
    return
  }
  const options = { encoding: 'utf8', timeout: 30_000 } as const
  const onLinux = spawnSync('unshare', ['-n', 'sh', '-c', IP_SESSION], options)
  const onNlkit = run([], 'sh', '-c', IP_SESSION)
  assert.equal(onNlkit.stdout, onLinux.stdout)
  assert.equal(onNlkit.stderr, onLinux.stderr)
  assert.match(onNlkit.stdout, /^10\.9\.0\.0\/16 via 10\.1\.2\.1 dev va *$/m)
})

test('a shell has a network of its own, and all that it starts share it', { skip: noIp }, () => {
  const script = 'ip link add br0 type bridge && ip addr add 10.0.0.1/24 dev br0 && ip -o addr'
  const { stdout, stderr } = run([], 'sh', '-c', script)
  assert.equal(stderr, '')
  assert.match(stdout, /br0 +inet 10\.0\.0\.1\/24 scope global br0/)
})

test('a served kernel is found by its path, and outlives the program', { skip: noIp }, async () => {
  await using served = await serveKernel()
  const there = ['--kernel', served.kernel]
  assert.equal(run(there, 'ip', 'link', 'add', 'br7', 'type', 'bridge').status, 0)
  assert.match(run(there, 'ip', '-br', 'link').stdout, /^br7 /m)
})

test("the program's exit code is ours, and so is the signal that ends it", () => {
  assert.equal(run([], 'sh', '-c', 'exit 7').status, 7)
  assert.equal(run([], 'sh', '-c', 'kill -TERM $$').status, 128 + 15)
})

test('a program that is not there, or is none, is said to be so', () => {
  const none = run([], 'nlkit-has-no-such-program')
  assert.equal(none.status, 127)
  assert.match(none.stderr, /^error: nlkit-has-no-such-program is not found$/m)
  const text = join(folder, 'text')
  writeFileSync(text, 'words\n')
  const unexecutable = run([], text)
  assert.equal(unexecutable.status, 126)
  assert.match(unexecutable.stderr, /may not be executed/)
  assert.equal(run([], folder).status, 126)
})

test('without a program the command line is wrong', () => {
  const { status, stderr } = run([])
  assert.equal(status, 2)
  assert.match(stderr, /no program is given/)
})

test('a static program is refused before it starts', { skip: noCompiler }, () => {
  const source = join(folder, 'static.c')
  const program = join(folder, 'static')
  writeFileSync(source, '#include <stdio.h>\nint main(void) { puts("ran"); return 0; }\n')
  assert.equal(spawnSync('cc', ['-static', '-o', program, source]).status, 0)
  const { status, stdout, stderr } = run([], program)
  assert.equal(status, 126)
  assert.equal(stdout, '')
  assert.match(stderr, /is linked statically/)
})

/** A program whose only sign of Go is the note that Go's linker leaves. */
const GO = `#include <stdio.h>
__attribute__((section(".note.go.buildid"), used, aligned(4)))
static const struct { unsigned name, body, type; char go[4], id[4]; } note = {4, 4, 4, "Go", "abc"};
int main(void) { puts("ran"); return 0; }
`

test('what a program starts is refused, too, if it would get by the shim', {
  skip: noCompiler,
}, () => {
  const build = (name: string, text: string, ...flags: string[]): string => {
    const program = join(folder, name)
    writeFileSync(`${program}.c`, text)
    assert.equal(spawnSync('cc', [...flags, '-o', program, `${program}.c`]).status, 0)
    return program
  }
  const fixed = build('fixed', '#include <stdio.h>\nint main(void) { puts("ran"); }\n', '-static')
  const go = build('go', GO)
  const script = join(folder, 'script')
  writeFileSync(script, `#! ${fixed}\n`, { mode: 0o755 })
  for (const [program, says] of [
    [fixed, /fixed is linked statically/],
    [go, /go is a Go program/],
    [script, /script is linked statically/],
  ] as const) {
    const { status, stdout, stderr } = run([], 'sh', '-c', `"${program}"; echo $?`)
    assert.equal(stdout, '126\n', program)
    assert.match(stderr, says)
    assert.equal(status, 0)
    const cmd = run([], program)
    assert.equal(cmd.status, 126, program)
  }
  const every = build('every', EVERY)
  const { stdout } = run([], every, fixed)
  assert.equal(stdout, 'Permission denied\n'.repeat(8))
})

/** All forms of starting a program that libc has. */
const EVERY = `#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char *none[] = {NULL}, *list[] = {argv[1], NULL};
  pid_t pid;
  execve(argv[1], list, none); puts(strerror(errno));
  execv(argv[1], list); puts(strerror(errno));
  execvp(argv[1], list); puts(strerror(errno));
  execvpe(argv[1], list, none); puts(strerror(errno));
  execl(argv[1], argv[1], (char *)NULL); puts(strerror(errno));
  execle(argv[1], argv[1], (char *)NULL, none); puts(strerror(errno));
  fexecve(open(argv[1], O_RDONLY), list, none); puts(strerror(errno));
  puts(strerror(posix_spawn(&pid, argv[1], NULL, NULL, list, none)));
}
`

test('an environment that is emptied is no way out', { skip: noIp }, () => {
  const ip = spawnSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).stdout.trim()
  const made = `ip link add d0 type dummy; exec env -i ${ip} -o link show d0`
  assert.match(run([], 'sh', '-c', made).stdout, /^2: d0: /)
})

const NAMESPACES = `mkdir -p /run/netns; mount -t tmpfs none /run/netns
ip netns add a; ip netns add b; ip netns
ip -n a -br link; ip -n a link set lo up; ip -br link
ip link add v0 type veth peer name v1 netns a
ip link set v0 netns b
ip -n a addr add 10.0.0.1/24 dev v1; ip -n a -br addr
ip netns exec b sh -c 'ip -br link | cut -c-20; exec python3 -c "import socket; print(socket.if_nameindex())"'
ip link add v2 type veth peer name v3; ip link set v2 netns $$; ip -br link | cut -c-20
unshare -n sh -c 'ip link add v4 type veth peer name v5; ip -br link | cut -c-20'
exec 5< <(exec unshare -n sh -c 'echo; exec sleep 30'); P=$!; read -u 5
ip link set v3 netns $P; ip -br link | cut -c-20; kill $P
ip netns del a
# Linux takes a namespace apart behind the caller's back
n=0; while ip -n b link show v0 >/dev/null 2>&1 && [ $n -lt 500 ]; do n=$((n+1)); sleep 0.02; done
ip -n b -br link | cut -c-20
ip netns del b; ip netns; ip -n b link 2>&1; echo $?
`

test('programs move between namespaces, and their sockets with them, as on Linux', {
  skip: noIp || (process.getuid?.() === 0 ? false : 'needs root, for namespaces with names'),
}, () => {
  const options = { encoding: 'utf8', timeout: 60_000 } as const
  const linux = spawnSync('unshare', ['-n', '-m', 'bash', '-c', NAMESPACES], options)
  const words = ['-m', process.execPath, main, 'run', '--', 'bash', '-c', NAMESPACES]
  const ours = spawnSync('unshare', words, options)
  assert.ok(linux.stdout.split('\n').length > 20, linux.stderr)
  assert.deepEqual(ours.stdout.split('\n'), linux.stdout.split('\n'))
})

const notRoot = process.getuid?.() === 0 ? false : 'needs root, to make a program setuid to another'
test('a setuid program is refused before it starts', { skip: notRoot }, () => {
  const program = join(folder, 'setuid')
  copyFileSync('/bin/true', program)
  spawnSync('chown', ['65534', program])
  chmodSync(program, 0o4755)
  const { status, stderr } = run([], program)
  assert.equal(status, 126)
  assert.match(stderr, /is setuid/)
})

const noIw = has('iw') ? false : 'needs iw(8)'
test('a family that a module serves is found by its program', { skip: noIw }, () => {
  const module = fileURLToPath(new URL('../examples/wireless/wiphy.js', import.meta.url))
  const { stdout, stderr } = run(['--module', module], 'sh', '-c', 'iw dev; iw list')
  assert.equal(stderr, '')
  assert.match(stdout, /^phy#0\n\tInterface wlan0\n\t\tifindex 100\n\t\twdev 0x1\n/)
  assert.match(stdout, /^Wiphy phy0\n[\s\S]*\* 2412 MHz \[1\] \(20\.0 dBm\)\n[\s\S]*\* managed\n/m)
})

test('families that nobody serves are refused as on Linux', { skip: noIw }, () => {
  const { stderr, status } = run([], 'iw', 'dev')
  assert.match(stderr, /nl80211 not found/)
  assert.notEqual(status, 0)
})

test('a kernel that is not there is said to be so', () => {
  const { status, stderr } = run(['--kernel', `unix:${folder}/none.sock`], 'true')
  assert.equal(status, 4)
  assert.match(stderr, /no kernel is served at/)
})
