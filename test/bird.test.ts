/** A routing daemon on a kernel of nlkit's: unmodified BIRD exports 10,000 routes and withdraws them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { main } from './cli.ts'

const ROUTES = 10_000
const LIMIT = 90_000
const isThere = spawnSync('sh', ['-c', 'command -v bird birdc ip']).status === 0

function config(): string {
  const routes = Array.from({ length: ROUTES }, (_, i) => {
    return `  route 20.${i >> 8}.${i & 255}.0/24 via 10.0.0.2;`
  })
  return `log stderr { fatal };
router id 10.0.0.1;
protocol device { scan time 60; }
protocol kernel { scan time 60; persist no; ipv4 { export all; import none; }; }
protocol static statics { ipv4;
${routes.join('\n')}
}
`
}

/** Waits, 30 s at most, for the number of BIRD's routes. */
const WAIT = `wait_for() { n=-1; i=0
  while [ "$n" != "$1" ] && [ $i -lt 300 ]; do n=$(ip route show proto bird | wc -l); i=$((i+1)); sleep 0.1; done
  echo "routes $n"; }`

const session = (folder: string): string => `
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip addr add 10.0.0.1/24 dev v0
${WAIT}
bird -f -c ${folder}/conf -s ${folder}/ctl -P ${folder}/pid & B=$!
wait_for ${ROUTES}
ip route show 20.19.136.0/24
birdc -s ${folder}/ctl disable statics | tail -1
wait_for 0
birdc -s ${folder}/ctl enable statics | tail -1
wait_for ${ROUTES}
kill $B; wait $B; echo "ended $?"
ip route show proto bird | wc -l
`

test('BIRD exports 10,000 routes and withdraws them', {
  ...(isThere ? {} : { skip: 'needs bird(8) and ip(8)' }),
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-bird-'))
  try {
    writeFileSync(join(folder, 'conf'), config())
    writeFileSync(join(folder, 'session'), session(folder))
    const words = [main, 'run', '--', 'sh', join(folder, 'session')]
    const { stdout, stderr, error } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      timeout: LIMIT,
    })
    assert.equal(error, undefined, `${error?.message}: ${stderr}`)
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      `routes ${ROUTES}`,
      '20.19.136.0/24 via 10.0.0.2 dev v0 proto bird metric 32 ',
      'statics: disabled',
      'routes 0',
      'statics: enabled',
      `routes ${ROUTES}`,
      'ended 0',
      // "persist no": what it put in, it takes out.
      '0',
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
