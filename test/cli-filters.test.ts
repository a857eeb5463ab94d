/** What the words of a list leave, beside ip(8) on Linux, in a namespace of its own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import { type Netns, newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'
import { nlkit } from './cli.ts'

const version = spawnSync('ip', ['-V'], { encoding: 'utf8' }).stdout ?? ''
const skip = refusal ?? (version.includes('iproute2-6.1.') ? false : 'no iproute2 6.1 here')
const netns: Netns | undefined = skip === false ? newNetns() : undefined
after(() => netns?.close())

function inside(program: string, argv: readonly string[], input?: string): string {
  const done = spawnSync('nsenter', [`--net=${netns!.path}`, program, ...argv], {
    encoding: 'utf8',
    input,
  })
  assert.equal(done.status, 0, `${program} ${argv.join(' ')}: ${done.stderr}`)
  return done.stdout
}

/** What ip(8) says to each of these: one shell asks them all, for starting programs takes time. */
function answers(commands: readonly (readonly string[])[]): string[] {
  const quoted = commands.map((argv) => argv.map((word) => `'${word}'`).join(' '))
  const script = quoted.map((words) => `ip ${words} || exit 1; printf '\\0'`).join('\n')
  return inside('sh', ['-s'], script).split('\0').slice(0, -1)
}

const SETUP = `
ip link set lo up
ip link add v0 type veth peer name v1
ip link add br0 type bridge mcast_snooping 1
ip link set v0 up
ip link set v1 master br0 up
ip addr add 10.0.0.1/24 dev v0
ip addr add 10.0.0.2/24 dev v0 label v0:x
ip addr add 10.9.0.1 peer 10.9.0.2/32 dev v1
ip addr add 10.0.5.1/24 dev v1 valid_lft 6000 preferred_lft 3000
ip addr add 2001:db8::1/64 dev v0 nodad
ip addr add 2001:db8::2/64 dev v0 nodad home mngtmpaddr noprefixroute
ip addr add 2001:db8::3/64 dev v0 nodad valid_lft 5000 preferred_lft 0
ip route add 192.0.2.0/24 via 10.0.0.9
ip route add 192.0.6.0/24 via inet6 2001:db8::77 dev v0
ip route add 192.0.7.0/24 dev v1 realm 5/6
ip route add 192.0.8.0/24 via 10.0.0.9 tos 0x10 metric 77
ip route add blackhole 198.51.100.0/24 table 100
ip route add prohibit 198.51.101.0/24 metric 5
ip -6 route add 2001:db8:1::/48 via 2001:db8::9 metric 5 pref high
ip -6 route add 2001:db8:5::/48 from 2001:db8:6::/48 via 2001:db8::9
ip neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev v0
ip neigh add 10.0.0.79 lladdr 02:00:00:00:00:79 dev v0 nud noarp
ip neigh add 10.0.0.80 lladdr 02:00:00:00:00:80 dev v0 nud permanent router extern_learn
ip neigh add 10.0.0.81 lladdr 02:00:00:00:00:81 dev v1 protocol static
ip neigh add proxy 10.0.0.99 dev v0
ip neigh add proxy 2001:db8::99 dev v1
ip nexthop add id 1 via 10.0.0.5 dev v0
ip nexthop add id 2 via 10.0.0.6 dev v0
ip nexthop add id 11 group 1/2 type resilient buckets 4 idle_timer 1 unbalanced_timer 50
ip rule add from 10.0.0.0/8 table 100 priority 50
ip rule add to 192.0.2.1 iif v0 oif v1 table 200 priority 51
ip rule add fwmark 0x5/0xff table 201 priority 52
ip rule add fwmark 7 tos 0x10 prohibit priority 53
ip rule add not from 10.1.0.0/16 blackhole priority 54
ip rule add ipproto tcp sport 80 dport 1000-2000 uidrange 100-200 table 300 priority 61
ip rule add l3mdev priority 62
ip rule add table main suppress_prefixlength 0 priority 63
ip -6 rule add to 2001:db8::/32 table 200 priority 51
`

const LISTS = `
-0 addr show dev v0
-0 -br addr show
addr show up
addr show permanent
addr show dynamic
addr show primary
addr show secondary
addr show deprecated
addr show home
addr show mngtmpaddr
addr show noprefixroute
addr show scope link
addr show scope global
addr show label v0:x
addr show label v0*
addr show to 10.0.0.0/24
addr show to 2001:db8::/32
addr show master br0
addr show type veth
-o addr show
-6 -br addr show
route show via 10.0.0.9
route show via inet6 2001:db8::77
route show realm 5/6
route show realm 6
route show tos 0x10
route show type prohibit
route show table 100
route show scope link
route show to root 192.0.2.0/24
route show to match 192.0.2.7
route show exact 192.0.2.0/24
route show cached
-6 route show cached
-6 route show from 2001:db8:6::/48
-6 route show root 2001:db8::/32
-d -s route show table all
neigh show nud permanent
neigh show nud noarp
neigh show nud all
neigh show to 10.0.0.64/28
neigh show unused
neigh show nomaster
neigh show protocol static
neigh show proxy
-6 neigh show proxy
rule show from 10.0.0.0/8
rule show from all
rule show to 192.0.2.1
rule show 192.0.2.1
rule show iif v0
rule show oif v1
rule show fwmark 7
rule show fwmark 0x5/0xff
rule show not
rule show tos 0x10
rule show ipproto tcp
rule show sport 80
rule show dport 1000-2000
rule show uidrange 100-200
rule show uidrange 100-150
rule show l3mdev
rule show table 100
-6 rule show to 2001:db8::/32
nexthop bucket show
nexthop bucket show id 11
nexthop bucket show nhid 1
nexthop bucket get id 11 index 1
stats show dev v1 group xstats_slave
stats show dev br0 group xstats subgroup bridge
stats show group offload subgroup l3_stats
-s stats show dev lo group link
`

const lines = (text: string): string[] => text.trim().split('\n')

/** Without blanks between tokens, and fractions as JavaScript writes them. */
function compact(json: string): string {
  const token = /"(?:[^"\\]|\\.)*"|\s+|\d+\.\d+/g
  const fix = (found: string) => (found.startsWith('"') ? found : found.trim() && `${+found}`)
  return `${json.replace(token, fix)}\n`
}

/** How long ago something was moves by itself. */
const still = (text: string): string => text.replace(/(idle_time"?[: ])[\d.]+/g, '$1…')

test('words leave what those of ip leave, as text and as JSON', { skip }, async (t) => {
  inside('sh', ['-se'], SETUP)
  const commands = lines(LISTS).flatMap((line) => [line.split(' '), ['-j', ...line.split(' ')]])
  const asked = answers(commands)
  for (const [i, argv] of commands.entries())
    await t.test(argv.join(' '), async () => {
      const want = (text: string) => still(argv[0] === '-j' ? compact(text) : text)
      for (let before = asked[i]!, turn = 0; ; turn++) {
        const { code, stdout, stderr } = await nlkit('live', ['-n', netns!.path, ...argv])
        assert.equal(code, 0, stderr)
        if (still(stdout) === want(before)) break
        // What moved by itself in between is not ours to match.
        const [after = ''] = answers([argv])
        if (before === after || turn > 20) assert.equal(still(stdout), want(before))
        before = after
      }
    })
})

/** What /proc/net alone tells is of the process's own namespace. */
test('multicast groups as ip tells them, where the process is', { skip }, () => {
  const main = new URL('../../dist/cli/main.js', import.meta.url).pathname
  for (const words of ['maddr show', '-o -6 maddr', '-0 maddr show dev v0']) {
    const argv = words.split(' ')
    const ours = (more: readonly string[]) =>
      inside(process.execPath, [main, '--kernel', 'live', ...more, ...argv])
    assert.equal(ours([]), inside('ip', argv), words)
    assert.equal(ours(['-j']), compact(inside('ip', ['-j', ...argv])), words)
  }
})

test('vrf names the table of a VRF, and the links that are in it', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  await nl.links.add({ ifname: 'vrf0', kind: 'vrf', data: { table: 77 } })
  await nl.links.add({ ifname: 'd0', kind: 'dummy', master: 'vrf0' })
  await nl.routes.add({ destination: '10.6.0.0/16', type: 'blackhole', table: 77 })
  const routes = await nlkit(kernel, ['route', 'list', 'vrf', 'vrf0'])
  assert.deepEqual([routes.code, routes.stdout], [0, 'blackhole 10.6.0.0/16 \n'])
  const links = await nlkit(kernel, ['-br', 'link', 'list', 'vrf', 'vrf0'])
  assert.match(links.stdout, /^d0 [^\n]*\n$/)
  const none = await nlkit(kernel, ['route', 'list', 'vrf', 'd0'])
  assert.deepEqual([none.code, none.stderr], [2, 'error: d0 is no VRF\n'])
})
