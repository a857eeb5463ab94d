/** The command line on Linux, in a namespace of its own: beside ip(8), and through a session. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Netns, newNetns } from 'nlkit/testing'
import { cannotDrop, main, nlkit, Running, spawnNlkit, UNPRIVILEGED } from './cli.ts'

function tryNamespace(): { netns?: Netns; why: string | undefined } {
  try {
    return { netns: newNetns(), why: undefined }
  } catch (error) {
    return { why: `no network namespace here: ${(error as Error).message}` }
  }
}

const { netns, why } = tryNamespace()
after(() => netns?.close())
const hasIp = spawnSync('ip', ['-V']).status === 0
const skipIp = why ?? (hasIp ? undefined : 'ip(8) is not installed')

/** Runs a program in the namespace. */
function inside(program: string, argv: readonly string[]): string {
  const done = spawnSync('nsenter', [`--net=${netns!.path}`, program, ...argv], {
    encoding: 'utf8',
  })
  assert.equal(done.status, 0, `${program} ${argv.join(' ')}: ${done.stderr}`)
  return done.stdout
}

/** Runs a command line in the namespace; it must succeed. */
async function ours(line: string, where = netns!): Promise<string> {
  const { code, stdout, stderr } = await nlkit('live', ['-n', where.path, ...line.split(' ')])
  assert.equal(code, 0, `${line}: ${stderr}`)
  return stdout
}

/** What ip(8) makes, so that there is something of everything. */
const SETUP = `
link set lo up
link add veth0 type veth peer name veth1
link add br0 type bridge
link add ifb5 type ifb
link set veth1 master br0
link set veth0 alias hello
link property add dev veth0 altname another-name-of-veth0
addr add 10.0.0.1/24 brd + dev veth0
addr add 10.0.0.2/24 dev veth0 label veth0:1
addr add 10.9.0.1 peer 10.9.0.2/32 dev veth0
addr add 2001:db8::1/64 dev veth0 nodad
addr add 2001:db8::2/64 dev veth0 nodad noprefixroute home
link set veth0 up
link set veth1 up
link set br0 up
link set veth1 group 7
route add 10.1.0.0/16 via 10.0.0.254 metric 5
route add 10.2.0.0/16 nexthop via 10.0.0.3 weight 2 nexthop via 10.0.0.4
route add blackhole 10.3.0.0/16
route add 10.4.0.0/16 dev veth0 mtu 1400 advmss 1000 table 100
route add 10.5.0.0/16 via 10.0.0.5 dev veth0 onlink mtu lock 1300 proto static realm 4 table 1000
route add 10.6.0.0/16 dev veth0 src 10.0.0.1 scope host
route add 10.7.0.0/16 via inet6 2001:db8::5 dev veth0
route add 2001:db8:1::/48 via 2001:db8::5
route add 2001:db8:2::/48 nexthop via 2001:db8::5 nexthop via 2001:db8::6 weight 3
route add default via 10.0.0.254
neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev veth0 nud permanent
neigh add 10.0.0.8 lladdr 02:00:00:00:00:08 dev veth0 nud noarp
neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev veth0 nud permanent router
neigh add 10.0.0.10 lladdr 02:00:00:00:00:0a dev veth0 extern_learn
neigh add proxy 10.0.0.11 dev veth0
rule add from 10.0.0.0/8 table 100 pref 1000
rule add fwmark 0x1/0xff lookup 100
rule add iif veth0 to 10.5.0.0/16 prohibit
rule add goto 32766 pref 2000
rule add goto 8000 pref 2001
rule add suppress_prefixlength 0 table main pref 3000
rule add not from 10.0.0.0/8 ipproto tcp sport 10-20 dport 80 uidrange 1-5 table 7
rule add oif v9 nop pref 7
rule add from 10.0.0.3 blackhole
rule add suppress_ifgroup 5 table 7 protocol static
rule add l3mdev
`

/** Options and words that mean the same to ip(8) and to us. */
const COMMANDS = [
  'link show',
  '-br link show',
  'link show veth0',
  'link show type veth',
  'link show master br0',
  'addr show',
  '-4 addr show',
  '-6 addr show',
  '-br addr show',
  '-4 -br addr show',
  '-6 -br addr show',
  'addr show veth0',
  'addr show dev veth1',
  '-4 -d addr show veth0',
  'route show',
  '-4 route show',
  '-6 route show',
  '-d route show',
  'route show table all',
  '-d route show table all',
  'route show table local',
  'route show table 100',
  'route show table 1000',
  'route show dev veth0',
  'route show proto kernel',
  'route show type blackhole',
  'route show 10.1.0.0/16',
  'route get 10.0.0.9',
  'route get 10.1.2.3',
  '-d route get 10.1.2.3',
  'route get 127.0.0.1',
  'route get 10.0.0.255',
  'route get ::1',
  '-d route get ::1',
  'route get fibmatch 10.1.2.3',
  'neigh show',
  '-4 neigh show',
  'neigh show nud all',
  'neigh show dev veth0',
  'neigh show nud permanent',
  'neigh show proxy',
  'rule show',
  '-6 rule show',
  '-d rule show',
]

/**
 * Runs a batch that ip(8) would run, line by line in one shell, and ip's answers to `COMMANDS`
 * before and after ours: what moves by itself between the two is not ours to match.
 */
test('-j is what ip -j prints', skipIp ? { skip: skipIp } : {}, async (t) => {
  for (const line of SETUP.trim().split('\n')) inside('ip', line.split(' '))
  for (const command of COMMANDS) {
    await t.test(command, async () => {
      const argv = ['-j', ...command.split(' ')]
      for (;;) {
        const before = inside('ip', argv)
        const actual = await ours(`-j ${command}`)
        if (before !== inside('ip', argv)) continue
        assert.deepEqual(JSON.parse(actual), JSON.parse(before))
        assert.equal(actual, `${JSON.stringify(JSON.parse(before))}\n`, 'the order of members')
        break
      }
    })
  }
})

/** Everything that the commands change, on Linux. */
const SESSION: readonly (readonly [line: string, expected?: RegExp])[] = [
  ['link add lab0 --kind veth --peer lab1'],
  ['link set lab1 --up'],
  ['link set lab0 mtu 1400 up alias lab address 02:00:00:00:00:01'],
  ['link get lab0', /^\d+: lab0@lab1: <.*> mtu 1400 .*\n {4}link\/ether 02:00:00:00:00:01 brd /m],
  ['link add bridge9 type bridge up'],
  ['link set lab0 master bridge9'],
  ['-br link list master bridge9', /^lab0@lab1 /],
  ['link set lab0 nomaster'],
  ['link replace bridge9 --kind bridge --mtu 1300'],
  ['link set bridge9 name bridge8'],
  ['link del bridge8'],
  ['addr add 10.77.0.1/24 dev lab0 broadcast +'],
  ['addr replace 10.77.0.1/24 dev lab0 valid 600 preferred 300'],
  ['addr add 2001:db8:77::1/64 dev lab0 nodad'],
  [
    '-4 addr list lab0',
    /^ {4}inet 10\.77\.0\.1\/24 brd 10\.77\.0\.255 scope global dynamic lab0\n {7}valid_lft \d+sec preferred_lft \d+sec$/m,
  ],
  ['addr get 10.77.0.1 -j', /"broadcast":"10\.77\.0\.255"/],
  ['route add 10.78.0.0/16 via 10.77.0.9 metric 7'],
  ['route append 10.78.0.0/16 via 10.77.0.10 metric 7'],
  ['route replace 10.79.0.0/16 via 10.77.0.9'],
  ['route add 10.80.0.0/16 nexthop via 10.77.0.3 weight 2 nexthop via 10.77.0.4'],
  ['route add unreachable 10.81.0.0/16 table 77'],
  ['route list table 77', /^unreachable 10\.81\.0\.0\/16 $/m],
  [
    'route get 10.78.1.1',
    /^10\.78\.1\.1 via 10\.77\.0\.9 dev lab0 src 10\.77\.0\.1 uid 0 \n {4}cache $/m,
  ],
  ['route del 10.80.0.0/16'],
  ['neigh add 10.77.0.5 lladdr 02:00:00:00:00:05 dev lab0'],
  ['neigh set 10.77.0.5 lladdr 02:00:00:00:00:06 dev lab0 nud stale'],
  ['neigh list dev lab0', /^10\.77\.0\.5 lladdr 02:00:00:00:00:06 STALE $/m],
  ['neigh get 10.77.0.5 dev lab0 -j', /"state":\["STALE"\]/],
  ['neigh del 10.77.0.5 dev lab0'],
  ['rule add from 10.77.0.0/16 table 77 priority 77'],
  ['rule replace from 10.77.0.0/16 table 77 priority 77'],
  ['rule list table 77', /^77:\tfrom 10\.77\.0\.0\/16 lookup 77$/m],
  ['rule del 77'],
  ['addr del 10.77.0.1/24 dev lab0'],
  ['link del lab0'],
]

test('every command on Linux', why ? { skip: why } : {}, async () => {
  for (const [line, expected] of SESSION) {
    const output = await ours(line)
    if (expected) assert.match(output, expected, line)
    else assert.equal(output, '', line)
  }
})

test('monitor tells what happens on Linux', why ? { skip: why } : {}, async (t) => {
  const alone = newNetns()
  t.after(() => alone.close())
  const argv = ['-n', alone.path, 'monitor', 'link', 'addr', '-j', '--count', '3']
  const monitor = new Running(argv)
  await monitor.wrote('stderr', /watching/)
  await ours('link add mon0 --kind ifb', alone)
  await ours('link set mon0 mtu 1400', alone)
  await ours('link del mon0', alone)
  const { code, stdout } = await monitor.ended
  assert.equal(code, 0)
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    events.map(({ type, op, link }) => [type, op, link.ifname, link.mtu]),
    [
      ['link', 'new', 'mon0', 1500],
      ['link', 'new', 'mon0', 1400],
      ['link', 'del', 'mon0', 1400],
    ],
  )
})

/** Adds and takes away an address, many times over. */
function change(times: number): void {
  const what = '10.66.0.1/32 dev lo'
  const input = `addr add ${what}\naddr del ${what}\n`.repeat(times)
  const argv = [`--net=${netns!.path}`, 'ip', '-batch', '-']
  assert.equal(spawnSync('nsenter', argv, { input }).status, 0)
}

test(
  'monitor that loses events says so and ends with 3',
  skipIp ? { skip: skipIp } : {},
  async () => {
    const argv = [
      '-n',
      netns!.path,
      '-br',
      'monitor',
      'addr',
      '--rcvbuf',
      '2304',
      '--duration',
      '1h',
    ]
    const monitor = new Running([...argv, '--count', '40'])
    await monitor.wrote('stderr', /watching/)
    monitor.child.kill('SIGSTOP')
    change(300)
    monitor.child.kill('SIGCONT')
    await monitor.wrote('stdout', /resync {2}the state now: .* addresses/)
    while (!monitor.isOver) {
      const heard = once(monitor.child.stdout!, 'data')
      change(1)
      await Promise.race([heard, monitor.ended])
    }
    const { code, stdout } = await monitor.ended
    assert.match(stdout, /overrun {2}the kernel dropped events/)
    assert.equal(code, 3)
  },
)

test('a reader that goes away ends a monitor, silently', why ? { skip: why } : {}, async () => {
  const script = `"$0" "$1" -q -br -n "$2" monitor link | head -1; echo "\${PIPESTATUS[0]}"`
  const shell = spawn('bash', ['-c', script, process.execPath, main, netns!.path])
  let output = ''
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const closed = once(shell, 'close')
  let isOver = false
  void closed.then(() => {
    isOver = true
  })
  while (!isOver) {
    await ours('link set lo mtu 60000')
    await ours('link set lo mtu 65536')
    await setImmediate()
  }
  await closed
  assert.match(output, /^\S+ {2}~ {2}link {3}1: lo {2}.*\n0\n$/)
})

test('without privilege: the errno, and where none is needed', async (t) => {
  if (cannotDrop) return t.skip(cannotDrop)
  const through = UNPRIVILEGED
  const list = await spawnNlkit(['link', 'list', '-j'], { through })
  assert.equal(list.code, 0, list.stderr)
  assert.equal(JSON.parse(list.stdout)[0].ifname, 'lo')
  const set = await spawnNlkit(['link', 'set', 'lo', '--mtu', '4000'], { through })
  assert.equal(set.code, 1)
  assert.equal(
    set.stderr,
    `error: RTM_NEWLINK: operation not permitted (EPERM)
  hint: needs CAP_NET_ADMIN. Try one of
        nlkit --kernel embedded link set lo --mtu 4000   (no root, this process only)
        unshare -rn nlkit link set lo --mtu 4000         (own user+network namespace)
`,
  )
  return undefined
})
