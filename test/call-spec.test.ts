/** `nlkit call --spec` and `nlkit listen`, with the specs of test/ynl-specs, on both kernels. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Kernel } from 'nlkit/kernel'
import { type GenlFamily, genlFamily } from 'nlkit/schema'
import { nlkit } from './cli.ts'
import { ynl } from './specs.ts'

const spec = (name: string): string =>
  fileURLToPath(new URL(`../../test/ynl-specs/${name}.yaml`, import.meta.url))
const there = fileURLToPath(new URL('../../test/ynl-specs', import.meta.url))
const ctrl = ['call', '--spec', spec('nlctrl')]
const deadline = (): AbortSignal => AbortSignal.timeout(20_000)

const notLinux = process.platform === 'linux' ? false : 'only Linux has it'

test('the live kernel, by a spec: one family and all of them', { skip: notLinux }, async () => {
  const one = await nlkit('live', [
    ...ctrl,
    '--do',
    'getfamily',
    '--json',
    '{"family-name":"nlctrl"}',
  ])
  assert.equal(one.stderr, '')
  const info = JSON.parse(one.stdout) as Record<string, unknown>
  assert.deepEqual([info['family-name'], info['family-id'], info.version], ['nlctrl', 16, 2])
  const dump = await nlkit('live', [...ctrl, '--dump', 'getfamily', '-j'])
  assert.equal(dump.code, 0, dump.stderr)
  const names = dump.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Record<string, unknown>)['family-name'])
  assert.ok(names.includes('nlctrl'), String(names))
})

test('several operations in one datagram, answered in their order', async () => {
  await using kernel = new Kernel()
  const asked = ['getfamily', '{"family-name":"nlctrl"}']
  const { stdout, stderr, code } = await nlkit(kernel, [
    ...ctrl,
    '--multi',
    ...asked,
    ...asked,
    '-j',
  ])
  assert.equal(code, 0, stderr)
  const lines = stdout.trim().split('\n')
  assert.equal(lines.length, 2)
  assert.equal(lines[0], lines[1])
  const odd = await nlkit(kernel, [...ctrl, '--multi', 'getfamily'])
  assert.equal(odd.code, 2)
  assert.match(odd.stderr, /--multi needs an operation and its request/)
})

const late = genlFamily({ name: 'late', version: 1, groups: [], ops: {} })

for (const flag of ['--subscribe', '--ntf'])
  test(`${flag} prints notifications in the spec's words, until --duration is over`, async () => {
    await using kernel = new Kernel()
    const timer = setInterval(() => {
      kernel.genl.registerFamily(late, {}).unregister()
    }, 20)
    try {
      const { stdout, stderr, code } = await nlkit(
        kernel,
        [...ctrl, flag, 'notify', '--duration', '1', '-j'],
        { signal: deadline() },
      )
      assert.equal(code, 0, stderr)
      const first = stdout.split('\n').find((line) => line.includes('newfamily-ntf'))
      assert.ok(first, stdout)
      const { name, msg } = JSON.parse(first) as { name: string; msg: Record<string, unknown> }
      assert.equal(name, 'newfamily-ntf')
      assert.equal(msg['family-name'], 'late')
    } finally {
      clearInterval(timer)
    }
  })

test('a family is found by its name in NLKIT_SPECS', async () => {
  await using kernel = new Kernel()
  const words = [
    'call',
    '--family',
    'nlctrl',
    '--do',
    'getfamily',
    '{"family-name":"nlctrl"}',
    '-j',
  ]
  const { stdout, stderr } = await nlkit(kernel, words, { env: { NLKIT_SPECS: there } })
  assert.equal(stderr, '')
  assert.match(stdout, /"family-id":16/)
})

test('--create, --excl, --replace and --append are the flags of the request', async () => {
  await using kernel = new Kernel()
  const seen: number[] = []
  const { family } = ynl.importSpec(readFileSync(spec('door'), 'utf8'))
  const handlers = {
    get: { doit: () => ({}), dumpit: () => [] },
    set: { doit: (_: unknown, { flags }: { flags: number }) => void seen.push(flags & 0xf00) },
    limits: { doit: () => ({}) },
  }
  // an older family, whose commands take any flag
  kernel.genl.registerFamily(family as GenlFamily, handlers as never, { resvStartOp: 255 })
  for (const words of [[], ['--create'], ['--create', '--excl'], ['--replace'], ['--append']]) {
    const line = ['call', '--spec', spec('door'), ...words, '--do', 'set', '{"id":1}']
    const { code, stderr } = await nlkit(kernel, line)
    assert.equal(code, 0, stderr)
  }
  assert.deepEqual(seen, [0, 0x400, 0x600, 0x100, 0x800])
})

test('a wrong request never leaves: an operation, an attribute, JSON', async () => {
  await using kernel = new Kernel()
  for (const [words, said] of [
    [['--do', 'getfamly'], /did you mean getfamily\?/],
    [['--do', 'getfamily', '{"family-nam":"x"}'], /family-nam.*\n?.*family-name/],
    [['--do', 'getfamily', '{"family-name":'], /the request is no JSON/],
    [['--do', 'getfamily', '{"family-name":[1]}'], /family-name: text expected/],
  ] as const) {
    const { code, stderr } = await nlkit(kernel, [...ctrl, ...words])
    assert.equal(code, 2, stderr)
    assert.match(stderr, said)
  }
})

test('nlkit listen prints what a group carries, as much as was asked for', async () => {
  await using kernel = new Kernel()
  let timer: NodeJS.Timeout | undefined
  try {
    const { stdout, stderr, code } = await nlkit(
      kernel,
      ['listen', 'nlctrl', 'notify', '--count', '2', '-j'],
      {
        signal: deadline(),
        onWrite: (text) => {
          if (/listening to nlctrl notify/.test(text))
            timer = setInterval(() => kernel.genl.registerFamily(late, {}).unregister(), 20)
        },
      },
    )
    assert.equal(code, 0, stderr)
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; value: { familyName: string } })
    assert.deepEqual(
      events.map(({ name, value }) => [name, value.familyName]),
      [
        ['newFamily', 'late'],
        ['delFamily', 'late'],
      ],
    )
  } finally {
    clearInterval(timer)
  }
})

test('nlkit listen: no such group, no such family', async () => {
  await using kernel = new Kernel()
  const group = await nlkit(kernel, ['listen', 'nlctrl', 'notfy'])
  assert.notEqual(group.code, 0)
  assert.match(group.stderr, /notfy/)
  const family = await nlkit(kernel, ['listen', 'nlctl'])
  assert.equal(family.code, 1)
  assert.match(family.stderr, /did you mean nlctrl\?/)
})

test('an operation that has nothing to answer ends with its acknowledgement', async () => {
  await using kernel = new Kernel()
  const { family } = ynl.importSpec(readFileSync(spec('door'), 'utf8'))
  const handlers = {
    get: { doit: () => undefined, dumpit: () => [] },
    set: { doit: () => undefined },
    limits: { doit: () => ({}) },
  }
  kernel.genl.registerFamily(family as GenlFamily, handlers as never, { resvStartOp: 255 })
  const line = ['call', '--spec', spec('door'), '--do', 'get', '{"id":1}', '-j']
  const { code, stdout, stderr } = await nlkit(kernel, line, { signal: deadline() })
  assert.equal(code, 0, stderr)
  assert.equal(stdout, '')
})
