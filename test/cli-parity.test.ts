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
  const done = spawnSync('nsenter', [`--net=${netns!.path}`, program, ...argv], {
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
tc qdisc add dev v0 root handle 1: htb default 0x10
tc class add dev v0 parent 1: classid 1:1 htb rate 10mbit ceil 20mbit burst 15k
tc class add dev v0 parent 1:1 classid 1:10 htb rate 5mbit prio 3
tc qdisc add dev v0 parent 1:10 handle 20: pfifo limit 50
tc qdisc add dev v1 root tbf rate 1mbit burst 10k latency 50ms
tc qdisc add dev v1 ingress
tc qdisc add dev ifb0 root bfifo limit 12345
tc qdisc add dev br0 clsact
tc filter add dev v0 parent 1: protocol ip prio 2 u32 match ip dst 10.0.0.1/32 match ip sport 80 0xffff flowid 1:10
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
`

const lines = (text: string): string[] => text.trim().split('\n')

function compare(line: string): string[][] {
  const [program = '', ...argv] = line.split(' ')
  const text = [program, ...argv]
  return /class|netconf show dev/.test(line) ? [text] : [text, [program, '-j', ...argv]]
}

/** ip's answer before and after ours: what moves by itself between the two is not ours to match. */
test('text and JSON are those of ip and tc', skip ? { skip } : {}, async (t) => {
  for (const line of lines(SETUP)) {
    const [program = '', ...argv] = line.split(' ')
    inside(program, argv)
  }
  for (const [program = '', ...argv] of lines(COMMANDS).flatMap(compare))
    await t.test([program, ...argv].join(' '), async () => {
      for (;;) {
        const before = inside(program, argv)
        const { code, stdout, stderr } = await nlkit('live', ['-n', netns!.path, ...argv])
        assert.equal(code, 0, stderr)
        if (before !== inside(program, argv)) continue
        assert.equal(stdout, argv[0] === '-j' ? compact(before) : before)
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
