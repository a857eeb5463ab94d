/** Files below /proc/sys/net and /sys/class/net, behind `nlkit run`: those of nlkit's kernel. */
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { main } from './cli.ts'

const options = { encoding: 'utf8', timeout: 60_000 } as const

function run(script: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [main, 'run', '--', 'bash', '-c', script], options)
}
const has = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
const canUnshare =
  spawnSync('unshare', ['-nm', 'mount', '-t', 'sysfs', 'none', '/sys']).status === 0
const whyNot = ['ip', 'sysctl', 'python3', 'perl'].every(has)
  ? canUnshare
    ? false
    : 'needs root, for a namespace of its own'
  : 'needs ip, sysctl, python3 and perl'

/** Every way in which programs read and write such a file, in front of what it did. */
const SESSION = `cd /
ip link add va address 02:00:00:00:00:0a type veth peer name vb
F=/proc/sys/net/ipv4/conf/va/rp_filter
cat $F; echo 2 > $F; echo $?; cat $F; echo $(< $F); read x < $F; echo $x
sysctl -w net.ipv4.conf.va.rp_filter=1; sysctl -n net.ipv4.conf.va.rp_filter
echo 1 | tee $F; printf '%s\\n' 0 > $F; seq 2 2 > $F; cat $F
sh -c "echo 1 > $F; cat $F"
exec 5> $F; echo 0 >&5; exec 5>&-; cat $F
python3 -c "
import os
f = '$F'
print(open(f).read(), end='')
open(f, 'w').write('2')
fd = os.open(f, os.O_RDONLY); print(os.read(fd, 100)); os.close(fd)
print(os.path.isdir(os.path.dirname(f)), os.path.exists(f + 'x'), os.access(f, os.W_OK))
print(sorted(os.listdir('/proc/sys/net/ipv4/conf')), oct(os.stat(f).st_mode))
"
perl -e 'open(F, ">", "$ARGV[0]"); print F "1\\n"; close F; open(F, "<", "$ARGV[0]"); print <F>' $F
cd /proc/sys/net/ipv4/conf/all && cat rp_filter && echo 1 > rp_filter && cat rp_filter && cd /
echo nonsense > $F; echo $?
echo 5 > /proc/sys/net/ipv4/fib_multipath_use_neigh; echo $?
echo 1 > /proc/sys/net/ipv4/nosuch; echo $?
cat /proc/sys/net/ipv4/conf/nosuch/rp_filter; echo $?
echo 1 > /proc/sys/net/ipv4/conf/va/mc_forwarding; echo $?
cat /proc/sys/net/ipv4/route/flush; echo $?
echo 1 > /proc/sys/net/ipv4/route/flush; echo $?
cat /proc/sys/net/ipv4; echo $?
[ -d /proc/sys/net/ipv6/conf/vb ] && [ -w $F ] && ! [ -e /proc/sys/net/ipv6/conf/vc ]; echo $?
echo /proc/sys/net/ipv4/conf/*/forwarding
echo 1 > /proc/sys/net/ipv4/ip_forward; cat $(dirname $F)/forwarding; sysctl net.ipv4.conf.default.forwarding
sysctl -a -r '^net.ipv4.conf.va.(rp_filter|forwarding)'
cat /proc/sys/net/ipv4/neigh/va/gc_stale_time; echo 7 > /proc/sys/net/ipv4/neigh/va/gc_stale_time
ip ntable show dev va name arp_cache | grep -o 'gc_stale [0-9]*'
ls /sys/class/net | tr '\\n' ' '
cat /sys/class/net/va/address /sys/class/net/va/mtu /sys/class/net/va/operstate
echo 1400 > /sys/class/net/va/mtu; echo 12 > /sys/class/net/va/mtu; echo $?; ip -br link show va | cut -c1-10
ip link show va | grep -o 'mtu [0-9]*'
cat /sys/class/net/va/statistics/collisions /sys/class/net/va/carrier; echo $?
ip link del va; cat $F; echo $?
`

test('files of the network are written and read as on Linux', { skip: whyNot }, () => {
  const linux = spawnSync(
    'unshare',
    ['-nm', 'bash', '-c', `mount -t sysfs none /sys; ${SESSION}`],
    options,
  )
  const nlkit = run(SESSION)
  assert.equal(nlkit.stdout, linux.stdout)
  assert.equal(nlkit.stderr, linux.stderr)
  assert.ok(linux.stdout.length > 500, 'the session says something')
})

test('the machine`s own settings stay as they are', {
  skip: has('sysctl') ? false : 'needs sysctl',
}, () => {
  const file = '/proc/sys/net/ipv4/ip_forward'
  const before = readFileSync(file, 'utf8')
  const other = before.trim() === '1' ? 0 : 1
  const { stdout, stderr } = run(`sysctl -w net.ipv4.ip_forward=${other}; cat ${file}`)
  assert.equal(stdout, `net.ipv4.ip_forward = ${other}\n${other}\n`)
  assert.equal(stderr, '')
  assert.equal(readFileSync(file, 'utf8'), before)
})
