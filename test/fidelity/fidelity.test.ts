/** The short form of `npm run fidelity`: what the score stands on works, and what was equal stays so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, explain } from './compare.ts'
import { readGolden } from './golden.ts'
import { judge } from './judge.ts'
import { normalise } from './normalise.ts'
import { whyNot } from './pinned.ts'
import { parseList, readLists } from './scenario.ts'

const here = new URL('../../../test/fidelity/', import.meta.url)

/** Scenarios of the list that a change must not make unequal. */
const HELD: readonly string[] = [
  'own/link/lo',
  'own/addr/show',
  'own/errors/objects',
  'own/route/show',
  'own/rule/show',
  'own/rule/selectors',
  'own/rule/errors',
]

test('programs say on nlkit what they say on Linux', { skip: whyNot }, async () => {
  const all = readLists(new URL('lists/', here), 'own')
  const chosen = all.filter(({ id }) => HELD.includes(id))
  assert.equal(chosen.length, HELD.length, 'every scenario that is held is in the lists')
  const verdicts = await judge(chosen, {
    golden: readGolden(new URL('golden/', here)),
    reasons: [],
    atOnce: 2,
  })
  for (const { scenario, differences } of verdicts) assert.deepEqual(differences, [], scenario.id)
})

test('a difference is found wherever it is', () => {
  const [scenario] = parseList('@ one\nip link\nip route\n', 'own', 'link')
  const step = { stdout: 'a\nb\n', stderr: '', code: 0 }
  const same = { steps: [step, step], monitor: 'm' }
  assert.deepEqual(compare(scenario!, same, same), [])
  const other = { steps: [step, { stdout: 'a\n', stderr: 'x', code: 2 }], monitor: 'n' }
  assert.deepEqual(
    compare(scenario!, same, other).map(({ step: name, stream, linux, nlkit }) => [
      name,
      stream,
      linux,
      nlkit,
    ]),
    [
      ['ip route', 'stdout', 'b', ''],
      ['ip route', 'stderr', '', 'x'],
      ['ip route', 'exit code', '0', '2'],
      ['ip monitor', 'monitor', 'm', 'n'],
    ],
  )
})

test('a test that both kernels skip is not one that both pass', () => {
  const [scenario] = parseList('@ one\nsh test.sh\n', 'selftests', 'fib')
  const step = { stdout: 'TEST: a [ OK ]\nSKIP: no nettest\n', stderr: '', code: 0 }
  const same = { steps: [step], monitor: '' }
  assert.deepEqual(compare(scenario!, same, same), [
    { step: 'sh test.sh', stream: 'skipped', linux: 'SKIP: no nettest', nlkit: 'SKIP: no nettest' },
  ])
})

test('a reason holds for what it names and for nothing else', () => {
  const first = { step: 'ip netconf', stream: 'stderr', linux: '', nlkit: 'not supported' } as const
  const reason = { reason: 'because', step: '^ip netconf', nlkit: 'not supported' }
  assert.equal(explain('own/tables/netconf', first, [reason]), reason)
  assert.equal(
    explain('own/tables/netconf', { ...first, nlkit: 'no such file' }, [reason]),
    undefined,
  )
  assert.equal(explain('own/tables/netconf', { ...first, step: 'ip link' }, [reason]), undefined)
})

test('what was drawn is numbered, what was asked for stays', () => {
  const said = (stdout: string) => ({ steps: [{ stdout, stderr: '', code: 0 }], monitor: '' })
  const text =
    'ether 02:aa:bb:cc:dd:ee ether 02:00:00:00:00:01 inet6 fe80::aa:bbff:fecc:ddee/64 valid_lft 995sec'
  const { steps } = normalise(said(text), 'ip link set v0 address 02:00:00:00:00:01')
  assert.equal(
    steps[0]?.stdout,
    'ether MAC#1 ether 02:00:00:00:00:01 inet6 fe80::MAC#1/64 valid_lft 1000sec',
  )
})

test('a list that is no list is refused', () => {
  assert.throws(() => parseList('ip link\n', 'own', 'link'), /line 1/)
  assert.throws(() => parseList('@ a\nip link\n@ a\nip link\n', 'own', 'link'), /twice/)
})
