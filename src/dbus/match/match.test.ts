import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { nextMark, RuleIndex } from './index-of-rules.ts'
import { type Matchable, matchesRule, type TextArgument } from './match.ts'
import { type MatchRule, MatchRuleError, parseMatchRule } from './rule.ts'

/** Rules, and what dbus-daemon 1.14.10 says to AddMatch of them; undefined where it takes them. */
const RULES: readonly [string, string | undefined][] = [
  ["type='signal'", undefined],
  ["type='bogus'", 'Invalid message type (bogus) in match rule\n'],
  ["foo='x'", 'Unknown key "foo" in match rule'],
  ["arg64='x'", "Key 'arg64' in match rule has arg number 64 but the maximum is 63.\n"],
  ["arg63='x'", undefined],
  [
    "arg='x'",
    "Key 'arg' in match rule starts with 'arg' but lacks an arg number. Should be 'arg0' or 'arg7' for example.\n",
  ],
  [
    "arg0x='x'",
    "Key 'arg0x' in match rule contains junk after argument number (0). Only 'arg0path' (for example) or 'arg0namespace' are valid",
  ],
  [
    "arg1namespace='a.b'",
    "Key 'arg1namespace' in match rule contains junk after argument number (1). Only 'arg1path' (for example) or 'arg0namespace' are valid",
  ],
  ["arg0namespace='a'", undefined],
  ["arg0namespace='a..b'", "arg0namespace='a..b' is not a valid prefix of a bus name"],
  ["arg0path='noslash'", undefined],
  ["path='/a',path_namespace='/b'", 'path or path_namespace specified twice in match rule\n'],
  ["path='bad'", "Path 'bad' is invalid\n"],
  ["interface='noperiod'", "Interface name 'noperiod' is invalid\n"],
  ["member='a.b'", "Member name 'a.b' is invalid\n"],
  ["sender='bad'", "Sender name 'bad' is invalid\n"],
  ["destination=':1.5'", undefined],
  ["eavesdrop='true'", undefined],
  ["eavesdrop='maybe'", "eavesdrop='maybe' is invalid, it should be 'true' or 'false'\n"],
  ["type='signal',type='signal'", 'Key type specified twice in match rule\n'],
  ["arg0='a',arg0='b'", 'Argument arg0 matched more than once in match rule\n'],
  ["arg0='a',arg0path='/b'", 'Argument arg0path matched more than once in match rule\n'],
  ['type=signal', undefined],
  ["type='signal", 'Unbalanced quotation marks in match rule'],
  ["  type = 'signal' , member='X'", 'Invalid message type ( signal ) in match rule\n'],
  ["type='signal',", undefined],
  ['', undefined],
  ['type', "Match rule has a key with no subsequent '=' character"],
  ['x'.repeat(1025), 'Match rule text is 1025 bytes, maximum is 1024'],
  ["path_namespace='/'", undefined],
  ["path_namespace='/a/'", "Path '/a/' is invalid\n"],
]

for (const [text, refusal] of RULES)
  test(`the rule ${JSON.stringify(text.slice(0, 40))} is ${refusal ? 'refused' : 'taken'}`, () => {
    if (refusal === undefined) parseMatchRule(text)
    else
      throws(
        () => parseMatchRule(text),
        (error) => error instanceof MatchRuleError && error.message === refusal,
      )
  })

test('rules that say the same are equal, whatever their order and quoting', () => {
  const rule = parseMatchRule("type='signal',member='X',arg1='b',arg0='a'")
  equal(
    parseMatchRule("arg0=a,member=X,'arg1'=b".replaceAll("'arg1'", 'arg1')).text === rule.text,
    false,
  )
  equal(parseMatchRule('arg0=a,type=signal,member=X,arg1=b').text, rule.text)
})

test('outside of quotes a backslash keeps an apostrophe', () => {
  equal(parseMatchRule("arg0='a'\\''b'").args[0]?.value, "a'b")
  equal(parseMatchRule("arg0='\\'").args[0]?.value, '\\')
})

/** A message with one text argument, as the specification's tables have them. */
function message(path: string, text?: string, isPath = false): Matchable {
  const argument = text === undefined ? undefined : { text, isPath }
  return {
    type: 4,
    path,
    interface: 'a.b',
    member: 'M',
    destination: undefined,
    sender: ':1.1',
    isFrom: (name) => name === ':1.1',
    isTo: () => false,
    argument: (index) => (index === 0 ? argument : undefined),
  }
}

/** What fits, and what does not; from dbus-daemon 1.14.10. */
const FITS: readonly [string, readonly string[], readonly string[]][] = [
  ["path_namespace='/a'", ['/a', '/a/b'], ['/ab', '/']],
  ["path_namespace='/'", ['/', '/a'], []],
]
for (const [text, fits, differs] of FITS)
  test(`${text} fits ${fits.join(' ')}`, () => {
    for (const path of fits) ok(matchesRule(parseMatchRule(text), message(path)), path)
    for (const path of differs) ok(!matchesRule(parseMatchRule(text), message(path)), path)
  })

const FITS_ARGUMENT: readonly [string, readonly string[], readonly string[]][] = [
  [
    "arg0path='/aa/bb/'",
    ['/', '/aa/', '/aa/bb/', '/aa/bb/cc/', '/aa/bb/cc'],
    ['/aa/b', '/aa', '/aa/bb'],
  ],
  ["arg0namespace='com.ex'", ['com.ex', 'com.ex.a'], ['com.exx', 'com']],
  ["arg0=''", [''], ['a']],
]
for (const [text, fits, differs] of FITS_ARGUMENT)
  test(`${text} fits ${JSON.stringify(fits)}`, () => {
    for (const value of fits) ok(matchesRule(parseMatchRule(text), message('/', value)), value)
    for (const value of differs) ok(!matchesRule(parseMatchRule(text), message('/', value)), value)
  })

test('an object path is no string, and fits argNpath alone', () => {
  ok(!matchesRule(parseMatchRule("arg0='/a'"), message('/', '/a', true)))
  ok(matchesRule(parseMatchRule("arg0path='/a'"), message('/', '/a', true)))
})

const NAMES = [':1.1', ':1.2', 'com.a', 'com.b']
const PATHS = ['/', '/a', '/a/b', '/a/b/c', '/ab']
const TEXTS = ['', 'x', 'com.a', 'com.a.b', '/a/', '/a/b', '/']

/** The text of some rule: few values, so that much of it fits. */
const ruleText = fc
  .record(
    {
      type: fc.constantFrom('signal', 'method_call'),
      sender: fc.constantFrom(...NAMES),
      interface: fc.constantFrom('i.a', 'i.b'),
      member: fc.constantFrom('M', 'N'),
      path: fc.constantFrom(...PATHS),
      path_namespace: fc.constantFrom(...PATHS),
      destination: fc.constantFrom(...NAMES),
      eavesdrop: fc.constantFrom('true', 'false'),
      arg0: fc.constantFrom(...TEXTS),
      arg0path: fc.constantFrom(...TEXTS),
      arg0namespace: fc.constantFrom('com', 'com.a'),
      arg1: fc.constantFrom(...TEXTS),
      arg2path: fc.constantFrom(...TEXTS),
    },
    { requiredKeys: [] },
  )
  .map((keys) => {
    const seen = new Set<string>()
    return Object.entries(keys)
      .filter(([key]) => {
        const what = key.replace(/_namespace$/, '').replace(/^(arg\d)(path|namespace)$/, '$1')
        return seen.size !== seen.add(what).size
      })
      .map(([key, value]) => `${key}='${value}'`)
      .join(',')
  })

const anyMessage = fc
  .record({
    type: fc.constantFrom(1, 4),
    path: fc.constantFrom(undefined, ...PATHS),
    interface: fc.constantFrom(undefined, 'i.a', 'i.b'),
    member: fc.constantFrom('M', 'N'),
    destination: fc.constantFrom(undefined, undefined, ...NAMES),
    sender: fc.constantFrom(':1.1', ':1.2'),
    texts: fc.array(
      fc.option(fc.record({ text: fc.constantFrom(...TEXTS), isPath: fc.boolean() }), {
        nil: undefined,
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ texts, ...rest }) => ({
    ...rest,
    isFrom: (name: string) => owners[name] === rest.sender,
    isTo: (name: string) =>
      rest.destination !== undefined && owners[name] === owners[rest.destination],
    argument: (index: number): TextArgument | undefined => texts[index],
  }))

const owners: Readonly<Record<string, string>> = {
  ':1.1': ':1.1',
  ':1.2': ':1.2',
  'com.a': ':1.1',
  'com.b': ':1.2',
}
const ownedBy = (peer: string) =>
  Object.keys(owners).filter((name) => !name.startsWith(':') && owners[name] === peer)

test('the index finds just those whom rule by rule a message fits, through adding and removing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), ruleText, fc.boolean()), { maxLength: 40 }),
      fc.array(anyMessage, { minLength: 1, maxLength: 8 }),
      (changes, messages) => {
        const peers = [0, 1, 2, 3].map((id) => ({ id, mark: 0 }))
        const index = new RuleIndex<(typeof peers)[number]>()
        const held: { owner: (typeof peers)[number]; rule: MatchRule }[] = []
        for (const [who, text, removes] of changes) {
          const [owner, rule] = [peers[who]!, parseMatchRule(text)]
          const at = held.findIndex((one) => one.owner === owner && one.rule.text === rule.text)
          if (removes) {
            equal(index.remove(owner, rule), at >= 0)
            if (at >= 0) held.splice(at, 1)
          } else {
            index.add(owner, rule)
            held.push({ owner, rule })
          }
        }
        for (const each of messages) {
          const found: (typeof peers)[number][] = []
          index.collect(each, ownedBy(each.sender), nextMark(), found)
          const wanted = new Set(
            held.filter(({ rule }) => matchesRule(rule, each)).map(({ owner }) => owner.id),
          )
          deepEqual(found.map(({ id }) => id).sort(), [...wanted].sort())
        }
      },
    ),
    { numRuns: 500 },
  )
})
