/** Recordings of real programs: what independent decoders make of them, replays, full disks. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readFrames } from 'nlkit/capture'
import { main } from './cli.ts'
import { serveKernel } from './daemon.ts'

const folder = mkdtempSync(join(tmpdir(), 'nlkit-test-capture-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function has(...programs: string[]): false | string {
  const missing = programs.filter((each) => spawnSync('sh', ['-c', `command -v ${each}`]).status)
  return missing.length === 0 ? false : `needs ${missing.join(', ')}`
}

function nlkit(...words: string[]) {
  return spawnSync(process.execPath, [main, ...words], { encoding: 'utf8', timeout: 60_000 })
}

const TALK = [
  'ip link add br0 type bridge',
  'ip link add ve0 type veth peer name ve1',
  'ip link set ve0 master br0 up',
  'ip addr add 10.0.0.1/24 dev br0',
  'ip link set br0 up',
  'ip route add 10.9.0.0/16 via 10.0.0.2',
  'ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev br0',
  'ip rule add from 10.0.0.0/8 table 100',
  'ip -d link; ip addr; ip route show table all; ip neigh; ip rule',
  'genl ctrl list',
  'ip link del nosuch; true',
].join('; ')

test('tshark reads every frame of a recording, and calls none of them malformed', {
  skip: has('ip', 'genl', 'tshark'),
}, () => {
  const file = join(folder, 'talk.pcapng')
  assert.equal(nlkit('run', '--record', file, '--', 'sh', '-c', TALK).status, 0)
  const frames = [...readFrames(readFileSync(file))]
  assert.ok(frames.length > 40)
  const { stdout } = spawnSync('tshark', ['-r', file, '-V'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  assert.equal(stdout.match(/^Frame \d+:/gm)?.length, frames.length)
  assert.doesNotMatch(stdout, /malformed/i)
  assert.match(stdout, /Interface name: br0|Device name: br0/i)
})

test('a recording decodes in words, and replays to the same words', { skip: has('ip') }, () => {
  const file = join(folder, 'again.pcapng')
  const script =
    'ip link add br0 address 02:00:00:00:00:01 type bridge; ip -d link; ip link set nosuch up'
  const first = nlkit('run', '--record', file, '--', 'sh', '-c', script)
  const decoded = nlkit('decode', '-br', file)
  assert.equal(decoded.status, 0)
  assert.match(decoded.stdout, /route > RTM_NEWLINK .*IFLA_IFNAME="br0"/)
  assert.match(decoded.stdout, /route < NLMSG_ERROR error=0/)
  const again = nlkit('replay', file, '--', 'sh', '-c', script)
  assert.equal(again.stdout, first.stdout)
  assert.equal(again.stderr, first.stderr)
})

test('bytes in hex are decoded from the command line and from standard input', () => {
  const hex = '1400000012000103000000000000000000000000'
  assert.match(nlkit('decode', hex).stdout, /type=RTM_GETLINK flags=REQUEST\|DUMP/)
  const { stdout } = spawnSync(process.execPath, [main, 'decode', '-'], {
    encoding: 'utf8',
    input: `${hex}\n${hex.replace(/(..)/g, '$1 ')}\n`,
  })
  assert.equal(stdout.match(/RTM_GETLINK/g)?.length, 2)
  const bad = nlkit('decode', join(folder, 'none'))
  assert.equal(bad.status, 2)
  assert.match(bad.stderr, /cannot be read: ENOENT/)
})

test('what is no capture file is said to be none', () => {
  const { status, stderr } = nlkit('decode', process.execPath)
  assert.equal(status, 1)
  assert.match(stderr, /neither pcapng nor pcap/)
})

test('a served kernel records for as long as it is asked to', { skip: has('ip') }, async () => {
  await using served = await serveKernel()
  const file = join(folder, 'served.pcapng')
  const there = ['--kernel', served.kernel]
  assert.equal(nlkit(...there, 'run', '--record', file, '--', 'ip', 'link').status, 0)
  const { size } = statSync(file)
  assert.ok([...readFrames(readFileSync(file))].some(({ protocol }) => protocol === 0))
  assert.equal(nlkit(...there, 'run', '--', 'ip', 'link').status, 0)
  assert.equal(statSync(file).size, size)
})

test('a file that cannot be written is said to be so, and the program is not run', () => {
  const { status, stdout, stderr } = nlkit('run', '--record', '/no/such/x', '--', 'echo', 'ran')
  assert.notEqual(status, 0)
  assert.equal(stdout, '')
  assert.match(stderr, /ENOENT/)
})

const cannotMount =
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
    ? has('ip')
    : 'needs root, to mount a small file system'
test('on a full disk the recording ends with a whole block and a warning; the program goes on', {
  skip: cannotMount,
}, () => {
  const copy = join(folder, 'full.pcapng')
  const work =
    'for i in 1 2 3 4 5 6 7 8; do ip link add d$i type dummy || exit 9; ip -d link >/dev/null; done; ip -br link | wc -l'
  const script = `mount -t tmpfs -o size=32k none /mnt && "$0" "$1" run --record /mnt/f.pcapng -- sh -c '${work}'; code=$?; cp /mnt/f.pcapng "$2"; exit $code`
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', script, process.execPath, main, copy],
    { encoding: 'utf8', timeout: 60_000 },
  )
  assert.equal(status, 0, stderr)
  assert.equal(stdout.trim(), '9')
  assert.match(stderr, /warning: the recording into \/mnt\/f\.pcapng ended: ENOSPC/)
  const frames = [...readFrames(readFileSync(copy))]
  assert.ok(frames.length > 5)
})
