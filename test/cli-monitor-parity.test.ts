/** `nlkit monitor` beside `ip monitor` on Linux, in a namespace of its own: the same lines. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { open } from 'nlkit'
import { type Netns, newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'
import { nlkit } from './cli.ts'

const version = spawnSync('ip', ['-V'], { encoding: 'utf8' }).stdout ?? ''
const skip = refusal ?? (version.includes('iproute2-6.1.') ? false : 'no iproute2 6.1 here')
/** Milliseconds until a monitor that says nothing has failed. */
const PATIENCE = 30_000

const MAKE = `
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip addr add 10.0.0.1/24 dev v0
ip addr add 10.0.0.2/24 dev v0 label v0:x
ip addr add 2001:db8::1/64 dev v0 nodad
ip addr add 10.9.0.1 peer 10.9.0.2/32 dev v1
ip addr change 10.0.0.1/24 dev v0 valid_lft 600 preferred_lft 300
ip route add 192.0.2.0/24 via 10.0.0.9
ip route add 192.0.3.0/24 nexthop via 10.0.0.9 weight 2 nexthop via 10.0.0.8
ip route replace 192.0.2.0/24 via 10.0.0.8 metric 7
ip route add blackhole 198.51.100.0/24 table 100
ip route add 2001:db8:1::/48 via 2001:db8::9 metric 5
ip -6 route add 2001:db8:2::/48 nexthop via 2001:db8::9 nexthop via 2001:db8::8
ip route change 192.0.2.0/24 via 10.0.0.8 metric 7 mtu 1400
ip route del 192.0.2.0/24
ip neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev v0
ip neigh change 10.0.0.77 lladdr 02:00:00:00:00:78 dev v0 nud stale
ip neigh del 10.0.0.77 dev v0
ip rule add from 10.0.0.0/8 table 100 priority 50
ip -6 rule add to 2001:db8::/32 table 200 priority 51
ip rule del priority 50
ip nexthop add id 1 via 10.0.0.5 dev v0
ip nexthop add id 2 via 10.0.0.6 dev v0
ip nexthop add id 10 group 1/2
ip nexthop add id 11 group 1/2 type resilient buckets 4 idle_timer 1
ip route add 203.0.113.0/24 nhid 10
ip nexthop del id 1
sysctl -qw net.ipv4.conf.v0.forwarding=1
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.ipv4.conf.v0.rp_filter=2
sysctl -qw net.ipv6.conf.v0.forwarding=1
ip link add br0 type bridge
ip link set v1 master br0
ip link set br0 up
bridge fdb add 02:00:00:00:00:99 dev v1 master static
bridge fdb del 02:00:00:00:00:99 dev v1 master
bridge link set dev v1 cost 7
ip link set v1 nomaster
ip link set v0 alias hello
ip link property add dev v0 altname alternative
ip link add ifb0 type ifb
ip link set ifb0 mtu 1400 up
`
/** Behind a mark, so that both have asked for the names before they are gone. */
const UNMAKE = `
ip link set v0 down
ip link set v0 up
ip addr del 10.0.0.2/24 dev v0
ip link del br0
ip link del ifb0
ip link del v0
`

/** A pair of monitors with the same words. */
class Pair {
  readonly words: readonly string[]
  readonly ip: ChildProcess
  readonly written = { ip: '', nlkit: '', errors: '' }
  readonly #stop = new AbortController()
  readonly #over: Promise<unknown>
  #wake: () => void = () => undefined

  constructor(netns: Netns, words: readonly string[]) {
    this.words = words
    const at = words.findIndex((word) => !word.startsWith('-'))
    const argv = [...words.slice(0, at), 'monitor', ...words.slice(at)]
    this.ip = spawn('nsenter', [`--net=${netns.path}`, 'ip', ...argv])
    this.ip.stdout?.setEncoding('utf8').on('data', (text) => this.#take('ip', text))
    this.ip.stderr?.setEncoding('utf8').on('data', (text) => this.#take('errors', text))
    const over = nlkit('live', ['-n', netns.path, ...argv], {
      signal: this.#stop.signal,
      onWrite: (text) => this.#take(text.startsWith('watching') ? 'errors' : 'nlkit', text),
    })
    this.#over = Promise.all([over, once(this.ip, 'close')])
  }

  /** Until both have written something that `isIt` knows. */
  async both(isIt: (text: string) => boolean): Promise<void> {
    const until = performance.now() + PATIENCE
    while (!isIt(this.written.ip) || !isIt(this.written.nlkit)) {
      if (performance.now() > until)
        throw new Error(`nothing came: ${this.words.join(' ')} ${JSON.stringify(this.written)}`)
      const { promise, resolve } = withResolvers()
      this.#wake = resolve
      const timer = setTimeout(resolve, until - performance.now())
      await promise
      clearTimeout(timer)
    }
  }

  /** What each wrote between the two marks. */
  between(first: string, last: string): { ip: string; nlkit: string } {
    const cut = (text: string) => text.split(first).at(-1)!.split(last)[0]!.replace(/^.*\n/, '')
    return { ip: cut(this.written.ip), nlkit: cut(this.written.nlkit) }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.ip.kill()
    await this.#over
  }

  #take(from: keyof Pair['written'], text: string): void {
    this.written[from] += text
    this.#wake()
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

function inside(netns: Netns, script: string): void {
  for (const line of script.trim().split('\n')) {
    const done = spawnSync('nsenter', [`--net=${netns.path}`, ...line.split(' ')], {
      encoding: 'utf8',
    })
    assert.equal(done.status, 0, `${line}: ${done.stderr}`)
  }
}

/** Pairs that listen, and marks that all of them have heard. */
async function listening(
  t: TestContext,
  netns: Netns,
  all: readonly (readonly string[])[],
): Promise<{ pairs: readonly Pair[]; mark(address: string): Promise<void> }> {
  const pairs = all.map((words) => new Pair(netns, words))
  t.after(async () => {
    await Promise.all(pairs.map((pair) => pair.close()))
  })
  const mark = async (address: string): Promise<void> => {
    inside(
      netns,
      `ip addr add ${address}/32 dev lo\nip -6 addr add ${six(address)}/128 dev lo nodad`,
    )
    await Promise.all(
      pairs.map((pair) =>
        pair.both((text) => text.includes(address) || text.includes(six(address))),
      ),
    )
  }
  // ip(8) does not say when it listens.
  const until = performance.now() + PATIENCE
  for (let i = 1; pairs.some(({ written }) => written.ip === '' || written.nlkit === ''); i++) {
    const heard = JSON.stringify(pairs.map(({ words, written }) => [words, written]))
    assert.ok(performance.now() < until, `somebody does not listen: ${heard}`)
    inside(
      netns,
      `ip addr add 127.1.${i >> 8}.${i & 255}/32 dev lo
ip -6 addr add 2001:db8:f::${i.toString(16)}/128 dev lo nodad`,
    )
    await setImmediate()
  }
  return { pairs, mark }
}

const six = (address: string): string => `2001:db8:ff::${address.split('.').at(-1)}`

/**
 * Who does not listen to links asks for their names, and a link that is going has one only until it
 * is gone: which of the two is said of it depends on the moment.
 */
function named({ words }: Pair, text: string): string {
  const hearsLinks = words.some((word) => ['all', 'link', 'label'].includes(word))
  return hearsLinks && !words.includes('nsid') ? text : text.replace(/(Deleted \d+: )\S+/g, '$1')
}

const WORDS = [
  ['all'],
  ['-d', 'all'],
  ['-s', '-o', 'label'],
  ['-4', 'all'],
  ['-6', 'link', 'address', 'route', 'neigh', 'rule', 'netconf'],
  ['address', 'nexthop', 'rule', 'nsid', 'label', 'all-nsid'],
]

test('the same lines as ip monitor, for every kind of event', { skip }, async (t) => {
  const [netns, other] = [newNetns(), newNetns()]
  t.after(() => {
    netns.close()
    other.close()
  })
  inside(netns, 'ip link set lo up')
  const { pairs, mark } = await listening(t, netns, WORDS)
  await using nl = await open({ netns })
  await mark('127.2.2.1')
  inside(netns, MAKE)
  await nl.namespaces.add({ fd: other.fd, nsid: 77 })
  await mark('127.2.2.2')
  inside(netns, UNMAKE)
  await mark('127.2.2.3')
  for (const pair of pairs) {
    for (const [first, last] of [
      ['127.2.2.1', '127.2.2.2'],
      ['127.2.2.2', '127.2.2.3'],
    ] as const) {
      const isSix = pair.words.includes('-6')
      const [from, to] = isSix ? [six(first), six(last)] : [first, last]
      const { ip, nlkit } = pair.between(from, to)
      assert.equal(named(pair, nlkit), named(pair, ip), `${pair.words.join(' ')}, ${first}`)
      if (pair.words[0] === 'all' && last === '127.2.2.2')
        for (const label of [
          'LINK',
          'ADDR',
          'ROUTE',
          'NEIGH',
          'RULE',
          'NEXTHOP',
          'NETCONF',
          'NSID',
        ])
          assert.match(ip, new RegExp(`\\[${label}\\]`), label)
    }
  }
})
