/** ethtool(8), unmodified, about the same links of Linux and of nlkit's kernel. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { main } from './cli.ts'

const MODES = ['', '-g', '-l', '-c', '-a', '-k', '--show-eee', '-T', '-i', '-P', '-S']
const SCRIPT = [
  'ip link add ve0 type veth peer name ve1',
  'ip link add br0 type bridge',
  'ip link set lo up; ip link set ve0 up; ip link set ve1 up; ip link set br0 up',
  'for port in "" ve1; do',
  '  [ -z "$port" ] || ip link set $port master br0',
  '  for dev in lo ve0 br0 nosuch; do',
  `    for mode in ${MODES.map((mode) => `'${mode}'`).join(' ')}; do`,
  '      echo "== $dev $mode $port"; ethtool $mode $dev 2>&1; echo "exit $?"',
  '    done',
  '  done',
  'done',
  'ethtool --json -k ve0',
].join('\n')

const unshare = [['-n'], ['-Urn']].find(
  (flags) => spawnSync('unshare', [...flags, 'true']).status === 0,
)
const hasPrograms = ['ethtool', 'ip'].every(
  (each) => spawnSync('sh', ['-c', `command -v ${each}`]).status === 0,
)
const skip = unshare && hasPrograms ? false : 'needs ethtool(8), ip(8) and a network namespace'

test('what ethtool shows of a link is what it shows on Linux', { skip }, () => {
  const limits = { encoding: 'utf8', timeout: 60_000 } as const
  const linux = spawnSync('unshare', [...(unshare ?? []), 'sh', '-c', SCRIPT], limits)
  const ours = spawnSync(process.execPath, [main, 'run', '--', 'sh', '-c', SCRIPT], limits)
  assert.ok(linux.stdout.includes('Speed: 10000Mb/s'))
  assert.deepEqual(ours.stdout.split('\n'), linux.stdout.split('\n'))
  assert.equal(ours.stderr, linux.stderr)
})
