/** Text and JSON beside ip(8) and tc(8) on Linux, in a namespace of its own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { type Netns, newNetns } from 'nlkit/testing'
import { nlkit } from './cli.ts'

function tryNamespace(): { netns?: Netns; why: string | undefined } {
  try {
    return { netns: newNetns(), why: undefined }
  } catch (error) {
    return { why: `no network namespace here: ${(error as Error).message}` }
  }
}

const { netns, why } = tryNamespace()
after(() => netns?.close())
const version = spawnSync('ip', ['-V'], { encoding: 'utf8' }).stdout ?? ''
const skip = why ?? (version.includes('iproute2-6.1.') ? undefined : 'no iproute2 6.1 here')

function inside(program: string, argv: readonly string[]): string {
  const own = program === 'ip' ? argv : argv.filter((word) => word !== 'bridge')
  const done = spawnSync('nsenter', [`--net=${netns!.path}`, program, ...own], {
    encoding: 'utf8',
  })
  assert.equal(done.status, 0, `${program} ${argv.join(' ')}: ${done.stderr}`)
  return done.stdout
}

const SETUP = `
ip link set lo up
ip link add v0 type veth peer name v1 numtxqueues 4
ip link add br0 type bridge
ip link add ifb0 type ifb
ip link set v0 up
ip link set v1 up
ip addr add 10.0.0.1/24 dev v0
ip addr add 2001:db8::1/64 dev v0 nodad
ip route add 10.1.0.0/16 via 10.0.0.254 metric 5
ip route add 10.2.0.0/16 nexthop via 10.0.0.3 weight 2 nexthop via 10.0.0.4
ip route add blackhole 10.3.0.0/16
ip nexthop add id 1 via 10.0.0.3 dev v0
ip nexthop add id 2 via 10.0.0.4 dev v0 protocol static
ip nexthop add id 3 group 1,2/2,5
ip nexthop add id 4 blackhole
ip nexthop add id 5 via 2001:db8::5 dev v0
ip route add 10.8.0.0/16 nhid 3
ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0 nud permanent
ip rule add from 10.0.0.0/8 table 100 pref 1000
ip addrlabel add prefix 2001:db8::/32 label 99
ip neigh add proxy 10.0.0.99 dev v0
ip neigh add 2001:db8::7 lladdr 02:00:00:00:00:08 dev v0 nud stale
ip route add 10.11.0.0/16 via 10.0.0.9 mtu lock 1400 advmss 1300 initcwnd 12 rto_min 300ms
ip route add unreachable 10.12.0.0/16
ip route add prohibit 10.13.0.0/16 metric 9
ip route add throw 10.14.0.0/16 table 100
ip route add 10.15.0.0/16 dev v0 src 10.0.0.1 scope link realm 7 proto static
ip route add 2001:db8:1::/48 via 2001:db8::9 metric 7
ip route add 2001:db8:2::/48 nexthop via 2001:db8::9 nexthop via 2001:db8::8 weight 3
ip -6 rule add to 2001:db8::/32 iif v0 table 200 pref 1001
ip link add v2 numtxqueues 4 type veth peer name v3 numtxqueues 2
ip link add vx0 type vxlan id 42 dstport 4789 local 10.0.0.1 dev v0
ip link property add dev v2 altname second
ip link set v3 master br0
ip link set v3 up
ip link set v2 up
ip link set br0 up
bridge link set dev v3 cost 7 priority 9 isolated on
bridge fdb add 02:00:00:00:00:99 dev v3 master static
bridge fdb add 02:00:00:00:00:97 dev vx0 dst 10.0.0.7 via v0 port 99 vni 7
tc qdisc add dev v2 root handle 5: mq
tc qdisc add dev v0 root handle 1: htb default 0x10
tc class add dev v0 parent 1: classid 1:1 htb rate 10mbit ceil 20mbit burst 15k
tc class add dev v0 parent 1:1 classid 1:10 htb rate 5mbit prio 3
tc qdisc add dev v0 parent 1:10 handle 20: pfifo limit 50
tc qdisc add dev v1 root tbf rate 1mbit burst 10k latency 50ms
tc qdisc add dev v1 ingress
tc qdisc add dev ifb0 root bfifo limit 12345
tc qdisc add dev br0 clsact
tc filter add dev v0 parent 1: protocol ip prio 2 u32 match ip dst 10.0.0.1/32 match ip sport 80 0xffff flowid 1:10
tc filter add dev v0 parent 1: prio 4 bpf bytecode 1,6~0~0~4294967295, flowid 1:10
tc filter add dev v1 ingress chain 5 protocol all prio 3 u32 match u32 0 0 action mirred egress mirror dev ifb0
tc filter add dev br0 egress protocol ipv6 prio 7 u32 match u32 0 0 flowid 1:1
tc filter add dev v1 ingress protocol ip prio 1 u32 match u32 0 0 action mirred egress redirect dev ifb0
`

/** As text, and as JSON where ip and tc 6.1 print JSON. */
const COMMANDS = `
ip link show
ip -d link show
ip -o link show
ip -s link show
ip -s -s link show
ip -br link show
ip addr show
ip -d addr show
ip -o -4 addr show
ip route show
ip -d route show table all
ip -6 route show
ip neigh show
ip rule show
ip -6 rule show
ip nexthop show
ip -d nexthop show
ip nexthop show groups
ip nexthop show id 3
ip nexthop get id 1
ip ntable show
ip -s ntable show
ip netconf show
ip -4 netconf show dev v0
ip addrlabel list
tc qdisc show
tc -d qdisc show
tc -s qdisc show
tc qdisc show dev v1
tc class show dev v0
tc -d class show dev v0
tc -s class show dev v0
tc filter show dev v0
tc -d filter show dev v0 parent 1:
tc filter show dev v1 ingress
tc -s filter show dev v1 ingress
tc -s -d filter show dev v1 ingress
tc filter show dev br0 egress
tc -d -s qdisc show
tc qdisc show dev v2
tc -s -d class show dev v0
tc class show dev v2
ip link show type veth
ip link show master br0
ip link show up
ip -d link show dev vx0
ip -s link show dev v0
ip -6 addr show
ip -4 addr show dev v0
ip addr show up
ip -s addr show dev v0
ip route show dev v0
ip route show table 100
ip route show type prohibit
ip route show root 10.0.0.0/8
ip route show proto static
ip -6 route show table all
ip -6 route show dev v0
ip -s neigh show
ip neigh show dev v0
ip neigh show proxy
ip neigh show nud all
ip -6 neigh show
ip rule show table 100
ip -d rule show
ip nexthop show dev v0
ip ntable show dev v0
ip -6 netconf show
ip stats show dev v0
ip netns list-id
bridge link show
bridge -d link show
bridge link show dev v3
bridge fdb show
bridge -s fdb show
bridge fdb show br br0
bridge fdb show dev vx0
bridge vlan show
bridge vlan tunnelshow
bridge mdb show
bridge -d mdb show
`

const lines = (text: string): string[] => text.trim().split('\n')

function compare(line: string): string[][] {
  const [program = '', ...words] = line.split(' ')
  const at = words.findIndex((word) => !word.startsWith('-'))
  const argv = program === 'bridge' ? [...words.slice(0, at), program, ...words.slice(at)] : words
  const text = [program, ...argv]
  return /class|netconf show dev/.test(line) ? [text] : [text, [program, '-j', ...argv]]
}

/** How often two answers of ip(8)'s own may differ. */
const ATTEMPTS = 20
/** What goes on all the time: seconds since something was used, timers, and moments told by an age. */
const CLOCKS =
  /\bused \d+(\/\d+)+|"(used|confirmed|updated)": ?\d+|\b(\w+_timer"?)[: ]+[\d.]+|\b(last_(?:flush|rand)": ?")[^"]+/g
const still = (output: string): string => output.replace(CLOCKS, '$2$3$4')

/** ip's answer before and after ours: what moves by itself between the two is not ours to match. */
test('text and JSON are those of ip and tc', skip ? { skip } : {}, async (t) => {
  for (const line of lines(SETUP)) {
    const [program = '', ...argv] = line.split(' ')
    inside(
      program,
      argv.map((word) => word.replaceAll('~', ' ')),
    )
  }
  for (const [program = '', ...argv] of lines(COMMANDS).flatMap(compare))
    await t.test([program, ...argv].join(' '), async () => {
      for (let left = ATTEMPTS; ; left--) {
        assert.ok(left > 0, 'two answers of its own were never alike')
        const before = still(inside(program, argv))
        const { code, stdout, stderr } = await nlkit('live', ['-n', netns!.path, ...argv])
        assert.equal(code, 0, stderr)
        if (before !== still(inside(program, argv))) continue
        assert.equal(still(stdout), argv[0] === '-j' ? compact(before) : before)
        break
      }
    })
})

/** Without blanks between tokens, and fractions as JavaScript writes them. */
function compact(json: string): string {
  const token = /"(?:[^"\\]|\\.)*"|\s+|\d+\.\d+/g
  const fix = (found: string) => (found.startsWith('"') ? found : found.trim() && `${+found}`)
  return `${json.replace(token, fix)}\n`
}
