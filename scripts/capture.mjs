/**
 * Records golden bytes from this machine's kernel: `node scripts/capture.mjs`.
 *
 * Makes a network namespace of its own (root, or user namespaces), builds a small network in it with
 * ip(8), asks for everything, and writes the messages to test/golden/*.hex, beside what `ip -j` said
 * of them at the same moment. It needs a build (`npm run build`), iproute2 and bridge(8); format the
 * JSON with `npx biome format --write test/golden` afterwards.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afNetlink } from 'nlkit/transport'
import { MessageWalker, viewOf, Writer } from 'nlkit/wire'

const golden = join(dirname(dirname(fileURLToPath(import.meta.url))), 'test/golden')
const INSIDE = 'NLKIT_CAPTURE_INSIDE'

if (process.env[INSIDE] === undefined) {
  const flags = process.getuid() === 0 ? ['-n'] : ['-Urn']
  const { status } = spawnSync('unshare', [...flags, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  })
  process.exit(status ?? 1)
}

/** The network: every kind that this kernel has, and routes of every form. */
const NETWORK = `
  sysctl -qw net.ipv6.conf.all.forwarding=1
  ip link set lo up
  ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
  ip link add br0 address 02:00:00:00:00:03 type bridge
  ip link set v1 master br0
  ip link property add dev v0 altname alternative altname another
  ip link set v0 alias uplink
  ip link set v0 up
  ip link set v1 up
  ip link set br0 up
  ip link add vx0 address 02:00:00:00:00:04 type vxlan id 5 dstport 4789 dev v0 local 10.0.0.1 group 239.0.0.1
  ip link add vx6 address 02:00:00:00:00:05 type vxlan id 6 dstport 4789 local 2001:db8::1 remote 2001:db8::2 ttl inherit gbp
  ip link add mv0 link v0 address 02:00:00:00:00:06 type macvlan mode source
  ip link set mv0 type macvlan macaddr add 02:00:00:00:00:66
  ip link add mt0 link br0 address 02:00:00:00:00:07 type macvtap mode bridge
  ip tuntap add t0 mode tap multi_queue
  ip link add ifb0 address 02:00:00:00:00:08 type ifb
  ip addr add 10.0.0.1/24 brd + dev v0
  ip addr add 10.0.0.5/24 dev v0 label v0:five valid_lft 3600 preferred_lft 1800
  ip addr add 10.0.1.1 peer 10.0.1.2/32 dev v0 noprefixroute metric 70
  ip -6 addr add 2001:db8::1/64 dev v0 nodad
  ip -6 addr add 2001:db8::1:1 peer 2001:db8::1:2/128 dev v0 nodad
  ip route add 10.9.0.0/16 nexthop via 10.0.0.2 dev v0 weight 2 nexthop via 10.0.0.3 dev v0
  ip route add 10.10.0.0/16 via 10.0.0.2 mtu 1400 advmss 1000 table 500 metric 7
  ip route add 10.10.1.0/24 dev v0 mtu lock 1300 congctl cubic proto static src 10.0.0.5
  ip route add blackhole 10.11.0.0/16
  ip route add unreachable 10.11.1.0/24 metric 4278198272
  ip nexthop add id 7 via 10.0.0.9 dev v0
  ip route add 10.12.0.0/16 nhid 7
  ip route add 10.13.0.0/16 encap ip id 5 dst 1.2.3.4 ttl 9 dev v0
  ip route add 10.14.0.0/16 via inet6 2001:db8::77 dev v0
  ip route add default via 10.0.0.2 onlink dev v0
  ip -6 route add 2001:db8:5::/48 nexthop via 2001:db8::5 nexthop via 2001:db8::6
  ip -6 route add 2001:db8:6::/48 via 2001:db8::5 expires 1000 pref high
  ip -6 route add prohibit 2001:db8:7::/48
  ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0
  ip neigh add 10.0.0.6 dev v0 nud failed router proto static
  ip -6 neigh add 2001:db8::7 lladdr 02:00:00:00:00:77 dev v0
  ip neigh add proxy 10.0.0.8 dev v0
  bridge fdb append 02:00:00:00:00:99 dev vx0 dst 10.0.0.9 port 4790 vni 9 via v0
  bridge fdb add 02:00:00:00:00:98 dev v1 master static
  ip rule add from 10.1.0.0/16 fwmark 5/0xff iif v0 table 500 pref 100
  ip rule add uidrange 1-5 ipproto tcp sport 100-200 pref 99 goto 100
  ip rule add to 10.2.0.0/16 oif v0 prohibit pref 98
  ip rule add not from all lookup main suppress_prefixlength 0 pref 97
  ip -6 rule add from 2001:db8::/32 tos 0x10 table 501 pref 96
`

const ip = (...args) => execFileSync('ip', args, { encoding: 'utf8' })
const json = (...args) => JSON.parse(ip('-j', ...args))

for (const line of NETWORK.trim().split('\n')) {
  const [program, ...args] = line.trim().split(/ +/)
  execFileSync(program, args)
}

const REQUEST = 1
const ACK = 4
const DUMP = 0x300

/** Messages of all datagrams up to the end of the answer to `seq`. */
async function answers(socket, isLast) {
  const buffer = new Uint8Array(1 << 20)
  const messages = []
  for (;;) {
    const length = socket.receive(buffer)
    if (length < 0) {
      await socket.readable(AbortSignal.timeout(5000))
      continue
    }
    const walker = new MessageWalker(viewOf(buffer.subarray(0, length)))
    while (walker.next()) {
      messages.push(Buffer.from(buffer.slice(walker.start, walker.end)).toString('hex'))
      if (isLast(walker)) return messages
    }
  }
}

/** Asks one thing on a socket of its own. */
async function ask(protocol, type, flags, body, options = {}) {
  const socket = await afNetlink().open({
    protocol,
    options: { extAck: true, strictCheck: true, ...options },
  })
  const w = new Writer()
  const mark = w.messageStart(type, REQUEST | flags, 7, 0)
  w.put(Uint8Array.from(Buffer.from(body.replaceAll(' ', ''), 'hex')))
  w.messageEnd(mark)
  socket.send([w.finish()])
  const messages = await answers(socket, (m) => m.type === 2 || m.type === 3)
  socket.close()
  return messages
}

/** What the kernel tells `groups` while `command` runs; ends with the message that `last` knows. */
async function listen(groups, commands, count) {
  const socket = await afNetlink().open({ protocol: 0, groups })
  for (const command of commands) {
    const [program, ...args] = command.split(' ')
    execFileSync(program, args)
  }
  let seen = 0
  const messages = await answers(socket, () => ++seen === count)
  socket.close()
  return messages
}

const file = (name) => join(golden, name)

function write(name, sections) {
  const lines = [`# Linux ${release()}, little-endian; scripts/capture.mjs made it`]
  for (const [title, messages] of Object.entries(sections)) {
    lines.push('', `## ${title}`)
    for (const message of messages) lines.push('', ...(message.match(/.{1,100}/g) ?? []))
  }
  writeFileSync(file(`${name}.hex`), `${lines.join('\n')}\n`)
}

mkdirSync(golden, { recursive: true })
const unspec16 = '00'.repeat(16)
const ROUTE = 0
const GENERIC = 16

write('links', {
  'RTM_GETLINK dump': await ask(ROUTE, 18, DUMP, `${unspec16} 0800 1d00 01000000`),
  'RTM_GETLINK dump of AF_BRIDGE with VLANs': await ask(
    ROUTE,
    18,
    DUMP,
    `07${'00'.repeat(15)} 0800 1d00 02000000`,
  ),
})
writeFileSync(file('links.json'), JSON.stringify(json('-d', 'link')))

write('addresses', {
  'RTM_GETADDR dump': await ask(ROUTE, 22, DUMP, '00'.repeat(8)),
  'RTM_GETMULTICAST dump of AF_INET': await ask(ROUTE, 58, DUMP, `02${'00'.repeat(7)}`),
  'RTM_GETMULTICAST dump of AF_INET6': await ask(ROUTE, 58, DUMP, `0a${'00'.repeat(7)}`),
  'RTM_GETANYCAST dump of AF_INET6': await ask(ROUTE, 62, DUMP, `0a${'00'.repeat(7)}`),
})
writeFileSync(file('addresses.json'), JSON.stringify(json('addr')))

write('routes', { 'RTM_GETROUTE dump': await ask(ROUTE, 26, DUMP, '00'.repeat(12)) })
const routes = [
  ...json('-d', '-4', 'route', 'show', 'table', 'all'),
  ...json('-d', '-6', 'route', 'show', 'table', 'all'),
]
writeFileSync(file('routes.json'), JSON.stringify(routes))

write('neighbours', {
  'RTM_GETNEIGH dump': await ask(ROUTE, 30, DUMP, '00'.repeat(12)),
  'RTM_GETNEIGH dump of proxies': await ask(ROUTE, 30, DUMP, `${'00'.repeat(10)} 08 00`),
  'RTM_GETNEIGH dump of AF_BRIDGE': await ask(ROUTE, 30, DUMP, `07${'00'.repeat(11)}`),
})
writeFileSync(file('neighbours.json'), JSON.stringify(json('-d', 'neigh', 'show', 'nud', 'all')))

write('rules', { 'RTM_GETRULE dump': await ask(ROUTE, 34, DUMP, '00'.repeat(12)) })
const rules = [...json('-d', '-4', 'rule'), ...json('-d', '-6', 'rule')]
writeFileSync(file('rules.json'), JSON.stringify(rules))

write('nlctrl', {
  'CTRL_CMD_GETFAMILY dump': await ask(GENERIC, 16, DUMP, '03 01 0000'),
  'CTRL_CMD_GETPOLICY dump of nlctrl': await ask(
    GENERIC,
    16,
    DUMP,
    '0a 01 0000 0b00 0200 6e6c6374726c00 00',
  ),
})

const badName = Buffer.from('a-name-that-is-too-long\0').toString('hex')
write('errors', {
  'RTM_NEWLINK with a name that is too long': await ask(
    ROUTE,
    16,
    ACK | 0x600,
    `${unspec16} 1c00 0300 ${badName}`,
  ),
  'the same with NETLINK_CAP_ACK': await ask(
    ROUTE,
    16,
    ACK | 0x600,
    `${unspec16} 1c00 0300 ${badName}`,
    { capAck: true },
  ),
  'RTM_GETADDR dump with a bad header: an error in NLMSG_DONE': await ask(
    ROUTE,
    22,
    DUMP,
    '02 18 0000 00000000',
  ),
  'CTRL_CMD_GETFAMILY by an id of one byte: with a policy': await ask(
    GENERIC,
    16,
    ACK,
    '03 01 0000 0500 0100 01 000000',
  ),
  'CTRL_CMD_GETPOLICY of an unknown attribute': await ask(
    GENERIC,
    16,
    DUMP,
    '0a 01 0000 0800 6300 01000000',
  ),
  'RTM_SETLINK acknowledged': await ask(
    ROUTE,
    19,
    ACK,
    '00000000 01000000 00000000 00000000 0800 0400 00000100',
  ),
})

const commands = [
  'ip addr add 10.5.0.1/24 dev v0',
  'ip neigh add 10.5.0.7 lladdr 02:00:00:00:00:57 dev v0',
  'ip rule add pref 50 table 9',
  'ip rule del pref 50',
  'bridge link set dev v1 cost 7',
  'ip link set v0 mtu 1400',
  'ip neigh del 10.5.0.7 dev v0',
  'ip addr del 10.5.0.1/24 dev v0',
  'ip link del v0',
]
write('notifications', {
  'links, neighbours, addresses, routes and rules': await listen(
    [1, 3, 5, 7, 8, 9, 11, 12, 19, 37, 38, 39],
    commands,
    72,
  ),
})
