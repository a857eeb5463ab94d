/** The grammar: options and words, subjects, groups, and what is wrong with a command line. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Verb, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { flag, integer, text } from './parameter.ts'
import { readCommandLine } from './words.ts'

const set: Verb = verb({
  summary: 'changes it',
  examples: [],
  subject: { placeholder: 'NAME', about: 'which', required: true, words: ['dev'] },
  parameters: {
    mtu: integer('BYTES', 'largest packet'),
    up: flag('up'),
    txqlen: integer('N', 'queue', { words: ['qlen'] }),
    stpState: integer('N', 'spanning tree'),
    peer: text('NAME', 'other end', { noise: ['name'] }),
    nexthop: {
      placeholder: 'WORDS',
      about: 'next hop',
      group: ['via', 'dev'],
      read: (words) => [words],
    },
  },
  run: () => Promise.resolve(),
})

const SAME: readonly [title: string, words: string[], options: Record<string, unknown>][] = [
  ['options', ['v0'], { mtu: '9000', up: true }],
  ['words', ['v0', 'mtu', '9000', 'up'], {}],
  ['both', ['v0', 'up'], { mtu: '9000' }],
  ['the subject last', ['mtu', '9000', 'up', 'v0'], {}],
  ['the subject behind its word', ['up', 'dev', 'v0', 'mtu', '9000'], {}],
  ['a number in hexadecimal', ['v0', 'mtu', '0x2328', 'up'], {}],
]

for (const [title, words, options] of SAME) {
  test(`mtu and up, given as ${title}`, () => {
    const { subject, given } = readCommandLine(set, words, options)
    assert.equal(subject, 'v0')
    assert.deepEqual({ ...given }, { mtu: 9000, up: true })
  })
}

test('names of several words, other spellings, words that are only noise', () => {
  const words = ['v0', 'qlen', '5', 'stp_state', '1', 'peer', 'name', 'v1']
  const { given } = readCommandLine(set, words, {})
  assert.deepEqual({ ...given }, { txqlen: 5, stpState: 1, peer: 'v1' })
})

test('a subject that is also a word stands behind dev', () => {
  assert.equal(readCommandLine(set, ['dev', 'up'], {}).subject, 'up')
})

test('groups are taken for as long as their words come, and may be repeated', () => {
  const words = [
    'v0',
    'nexthop',
    'via',
    '10.0.0.1',
    'dev',
    'v0',
    'nexthop',
    'via',
    '10.0.0.2',
    'up',
  ]
  assert.deepEqual(
    { ...readCommandLine(set, words, { nexthop: ['dev v9'] }).given },
    { nexthop: ['dev v9', 'via 10.0.0.1 dev v0', 'via 10.0.0.2'], up: true },
  )
})

const WRONG: readonly [words: string[], options: Record<string, unknown>, message: RegExp][] = [
  [['v0', 'upp'], {}, /unexpected word "upp"/],
  [['v0', 'mtu'], {}, /"mtu" needs a value: mtu BYTES/],
  [['v0', 'mtu', 'many'], {}, /mtu: expected a number, got "many"/],
  [['v0', 'mtu', '1', 'mtu', '2'], {}, /"mtu" is given twice/],
  [['v0', 'mtu', '1'], { mtu: '2' }, /"mtu" is given twice/],
  [['up'], {}, /NAME is missing: which/],
  [['dev'], {}, /"dev" needs a value: dev NAME/],
]

for (const [words, options, message] of WRONG) {
  test(`wrong: ${words.join(' ')} ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => readCommandLine(set, words, options),
      (error) => error instanceof UsageError && message.test(error.message),
    )
  })
}

test('an unexpected word is compared with the known ones', () => {
  assert.throws(() => readCommandLine(set, ['v0', 'upp'], {}), { hint: 'did you mean up?' })
})
