/** What asks for nothing that is there, on Linux: answers, exit codes and words. */
import assert from 'node:assert/strict'
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
const options = why ? { skip: why } : {}

const ask = (line: string) => nlkit('live', ['-n', netns!.path, ...line.split(' ')])

const NOTHING = [
  'route list table 77',
  'route list proto static',
  'neigh list nud failed',
  'rule list table 77',
  'link list type bridge',
  'addr list to 192.0.2.0/24',
  'nexthop list groups',
] as const

test('a filter that matches nothing is answered with nothing', options, async () => {
  for (const line of NOTHING) {
    const text = await ask(line)
    assert.deepEqual([text.code, text.stdout, text.stderr], [0, '', ''], line)
    const json = await ask(`-j ${line}`)
    assert.equal(json.code, 0, line)
    assert.match(json.stdout, /^\[(\{\},?)*\]\n$/, line)
  }
})

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['link show nope', /there is no link named "nope" \(ENODEV\)/],
  ['route list dev nope', /there is no link named "nope" \(ENODEV\)/],
  ['qdisc list dev nope', /there is no link named "nope" \(ENODEV\)/],
  ['nexthop get id 9', /\(ENOENT\)/],
]

test('what is not there by name is refused with its name', options, async () => {
  for (const [line, words] of REFUSED) {
    const { code, stdout, stderr } = await ask(line)
    assert.deepEqual([code, stdout], [1, ''], line)
    assert.match(stderr, words)
  }
})

test('a namespace that is gone', options, async () => {
  const { code, stderr } = await nlkit('live', ['-n', '/run/netns/gone', 'link', 'list'])
  assert.equal(code, 4)
  assert.match(stderr, /\/run\/netns\/gone does not exist \(ENOENT\)/)
})

test('a link that comes and goes is shown, or said not to be there', options, async () => {
  let isOver = false
  const churn = (async () => {
    for (let i = 0; i < 20; i++) {
      await ask('link add v8 type veth peer v9')
      await ask('link del v8')
    }
    isOver = true
  })()
  while (!isOver)
    for (const line of ['-d link show v8', '-d addr show v8', 'neigh show dev v8', 'link list']) {
      const { code, stderr } = await ask(line)
      assert.ok(code === 0 || stderr.includes('(ENODEV)'), `${line}: ${code} ${stderr}`)
    }
  await churn
})
