/** The program as a process: exit codes, streams, signals, what it costs to start. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { main, Running, spawnNlkit } from './cli.ts'

const EMBEDDED = { NLKIT_KERNEL: 'embedded' }

/** Command lines with their exit codes; what they say is in the golden sessions. */
const CODES: readonly (readonly [argv: string, code: number])[] = [
  ['link list', 0],
  ['link list -j', 0],
  ['--help', 0],
  ['link set lo --mtu 4', 0],
  ['link get veth0', 1],
  ['link del lo -j', 1],
  ['', 2],
  ['lnik list', 2],
  ['link set lo --mtu many -j', 2],
  ['--kernel unix:/run/k link list', 4],
  ['-n nowhere link list -j', 4],
  ['monitor --count 0', 0],
  ['monitor --duration 1ms -j', 0],
]

for (const [argv, expected] of CODES) {
  test(`nlkit ${argv} ends with ${expected}`, async () => {
    const { code, stdout, stderr } = await spawnNlkit(argv.split(' ').filter(Boolean), {
      env: EMBEDDED,
    })
    assert.equal(code, expected, stderr)
    if (expected === 0) return
    assert.equal(stdout, '')
    const isJson = argv.includes('-j')
    if (!isJson) return assert.match(stderr, /^error: /)
    const { error } = JSON.parse(stderr)
    assert.match(error.code, /^[A-Z]\w+$/)
    assert.equal(typeof error.message, 'string')
    return undefined
  })
}

test('--version is the package’s', async () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  assert.equal((await spawnNlkit(['-V'])).stdout, `${version}\n`)
})

test('--help opens with examples and lists commands, options and exit codes', async () => {
  const { stdout } = await spawnNlkit(['--help'])
  assert.match(stdout, /^ {2}nlkit link list\n/)
  for (const part of [
    /^Commands:\n {2}link +network devices$/m,
    /^ {2}--kernel <WHICH> /m,
    /130 Ctrl-C/,
  ])
    assert.match(stdout, part)
})

test('a batch runs on one kernel; a line that fails is named, and ends it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-batch-'))
  const file = join(directory, 'lab')
  writeFileSync(
    file,
    `# a lab
nlkit link add veth0 --kind veth --peer veth1
link set veth0 alias 'to the "lab"'

-j link get veth0
link del nowhere
link list
`,
  )
  const { code, stdout, stderr } = await spawnNlkit(['-b', file], { env: EMBEDDED })
  rmSync(directory, { recursive: true })
  assert.equal(code, 1)
  assert.equal(JSON.parse(stdout)[0].ifalias, 'to the "lab"')
  assert.match(stderr, /there is no link named "nowhere".*\n {2}in .*lab, line 6\n$/)
})

test('a batch from standard input, options in front of it holding for all its lines', async () => {
  const { code, stdout } = await spawnNlkit(['--kernel', 'embedded', '--batch', '-'], {
    input: 'link add br0 type bridge\n-br link\n',
    env: { NLKIT_KERNEL: 'unix:/nowhere' },
  })
  assert.equal(code, 0)
  assert.match(stdout, /^br0 /m)
})

test('a reader that goes away is no error', async () => {
  const shell = spawn(
    'bash',
    ['-c', `"$0" "$1" link list | true; echo "\${PIPESTATUS[0]}"`, process.execPath, main],
    { env: { ...process.env, ...EMBEDDED } },
  )
  let output = ''
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  await once(shell, 'close')
  assert.equal(output, '0\n')
})

test('Ctrl-C ends a monitor with 130 and nothing half-said', async () => {
  const monitor = new Running(['monitor', 'link'], { env: EMBEDDED })
  await monitor.wrote('stderr', /watching link/)
  monitor.child.kill('SIGINT')
  const { code, stdout, stderr } = await monitor.ended
  assert.equal(code, 130)
  assert.equal(stdout, '')
  assert.equal(stderr, 'watching link; Ctrl-C ends it\n')
})

test('a fault of nlkit’s own ends with 70 and leaves what a report needs', async () => {
  const broken = `data:text/javascript,${encodeURIComponent(
    `process.stdout.write = () => { throw new TypeError('out of ink') }`,
  )}`
  const { code, stderr } = await spawnNlkit(['link', 'list'], {
    env: { ...EMBEDDED, NODE_OPTIONS: `--import ${broken}` },
  })
  assert.equal(code, 70)
  const [, file = ''] = /please report this, with (\S+)/.exec(stderr) ?? []
  const report = JSON.parse(readFileSync(file, 'utf8'))
  assert.deepEqual(report.argv, ['link', 'list'])
  assert.match(report.stack, /out of ink/)
  rmSync(join(file, '..'), { recursive: true })
})

/** The shortest of several runs, milliseconds: what is left when nobody else is at work. */
function shortest(argv: readonly string[], runs: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    const { status } = spawnSync(process.execPath, argv, { env: { ...process.env, ...EMBEDDED } })
    assert.equal(status, 0)
    best = Math.min(best, performance.now() - start)
  }
  return best
}

test('a cold start, in milliseconds', (t) => {
  const bare = shortest(['-e', '0'], 5)
  const list = shortest([main, 'link', 'list'], 8)
  t.diagnostic(`nlkit link list: ${list.toFixed()} ms, bare node ${bare.toFixed()} ms`)
})
