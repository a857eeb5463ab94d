/** Specs that cannot be used: each fault is told with its path, its line and its column. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importSpec } from './index.ts'
import { SpecError } from './problem.ts'
import { inspectSpec, readSpec } from './read.ts'

/** A small spec with something in place of one of its lines. */
function spec(changes: Readonly<Record<string, string>> = {}): string {
  let text = `name: door
doc: Doors.
definitions:
  - { type: enum, name: state, entries: [open, shut] }
  - type: struct
    name: hinge
    members:
      - { name: size, type: u32 }
attribute-sets:
  - name: door
    attributes:
      - { name: id, type: u32 }
      - { name: state, type: u8, enum: state }
      - { name: hinge, type: binary, struct: hinge }
operations:
  list:
    - name: get
      doc: A door.
      attribute-set: door
      do:
        request: { attributes: [id] }
        reply: { attributes: [id, state] }
`
  for (const [line, replacement] of Object.entries(changes)) {
    assert.ok(text.includes(line), line)
    text = text.replace(line, replacement)
  }
  return text
}

/** The first problem, as compilers write it. */
function fault(text: string): string {
  try {
    readSpec(text)
  } catch (error) {
    assert.ok(error instanceof SpecError, String(error))
    assert.equal(error.code, 'NLKIT_SPEC')
    return error.message.split('\n')[0] as string
  }
  assert.fail('it was read')
}

test('a spec without faults', () => {
  assert.deepEqual(inspectSpec(spec()).problems, [])
})

const DOOR = '- { name: id, type: u32 }'
const cases: readonly [what: string, text: string, said: string | RegExp][] = [
  [
    'an unknown type',
    spec({ [DOOR]: '- { name: id, type: u33 }' }),
    '12:27: attribute-sets[door].attributes[id].type: unknown type "u33"',
  ],
  [
    'a type that is missing',
    spec({ [DOOR]: '- { name: id }' }),
    '12:9: attribute-sets[door].attributes[id]: "type" is missing',
  ],
  [
    'a number that two attributes have',
    spec({
      [DOOR]: '- { name: id, type: u32, value: 2 }\n      - { name: other, type: u8, value: 2 }',
    }),
    '13:9: attribute-sets[door].attributes[other]: "other" and "id" are both 2',
  ],
  [
    'a name that two attributes have',
    spec({ [DOOR]: `${DOOR}\n      - { name: id, type: u8 }` }),
    '13:9: attribute-sets[door].attributes[id]: there is a attribute "id" already, in line 12',
  ],
  [
    'an enum that is not there',
    spec({ 'enum: state': 'enum: sate' }),
    '13:40: attribute-sets[door].attributes[state].enum: there is no enum "sate"',
  ],
  [
    'a struct inside itself',
    spec({ '- { name: size, type: u32 }': '- { name: in, type: binary, struct: hinge }' }),
    '8:43: definitions[hinge].members[in].struct: a struct that contains itself: hinge > hinge',
  ],
  [
    'a nest of a set that is not there',
    spec({ [DOOR]: '- { name: id, type: nest, nested-attributes: lock }' }),
    '12:52: attribute-sets[door].attributes[id].nested-attributes: there is no attribute set "lock"',
  ],
  [
    'a part of a set that comes later',
    spec({
      '  - name: door\n':
        '  - { name: part, subset-of: door, attributes: [{ name: id }] }\n  - name: door\n',
    }),
    /there is no attribute set "door" before this one/,
  ],
  [
    'a sub-message without a selector',
    spec({ [DOOR]: '- { name: id, type: sub-message, sub-message: m }' }),
    /12:53: .*there is no sub-message "m"$/,
  ],
  [
    'a limit that is nothing',
    spec({ [DOOR]: '- { name: id, type: u32, checks: { max: tall } }' }),
    '12:47: attribute-sets[door].attributes[id].checks.max: "tall" is neither a number nor a constant with one',
  ],
  [
    'a member that has no length',
    spec({ '- { name: size, type: u32 }': '- { name: size, type: binary }' }),
    /8:9: .* a member of type binary needs a "len"/,
  ],
  [
    'an operation of a set that is not there',
    spec({ 'attribute-set: door': 'attribute-set: dor' }),
    '19:22: operations.list[get].attribute-set: there is no attribute set "dor"',
  ],
  [
    'a number where a list belongs',
    spec({ 'entries: [open, shut]': 'entries: 7' }),
    /4:41: .*a list expected, got "7"/,
  ],
  ['no operations', 'name: x\ndoc: x\nattribute-sets: []\n', '1:1: "operations" is missing'],
  ['a list in place of a spec', '- a\n', '1:1: a spec is a mapping that begins with "name:"'],
  ['nothing at all', '', '1:1: a spec is a mapping that begins with "name:"'],
  ['text that is not YAML', 'name: door\ndoc: [x\n', /^3:|^2:/],
  ['an alias of nothing', spec({ 'doc: Doors.': 'doc: *nothing' }), /2:6: .*nothing/],
  ['two documents', 'name: x\n---\nname: y\n', /^2:/],
]
for (const [what, text, said] of cases)
  test(`told with its place: ${what}`, () => {
    const told = fault(text)
    if (typeof said === 'string') assert.equal(told, said)
    else assert.match(told, said)
  })

test('a sub-message whose selector is missing, and one whose selector is nowhere', () => {
  const sub =
    'sub-messages:\n  - name: m\n    formats: [{ value: a, attribute-set: door }]\noperations:'
  const without = spec({
    [DOOR]: '- { name: id, type: sub-message, sub-message: m }',
    'operations:': sub,
  })
  assert.match(fault(without), /12:9: .*"id" has no "selector"/)
  const elsewhere = spec({
    [DOOR]: '- { name: id, type: sub-message, sub-message: m, selector: kind }',
    'operations:': sub,
  })
  assert.match(
    fault(elsewhere),
    /12:66: .*"kind" is an attribute neither of "door" nor of a set around it/,
  )
})

test('all faults at once', () => {
  const text = spec({
    'type: u8, enum: state': 'type: x8, enum: sate',
    'struct: hinge }': 'struct: henge }',
  })
  assert.deepEqual(
    inspectSpec(text).problems.map(({ message }) => message),
    [
      'unknown type "x8"',
      'there is no struct "henge"',
      '"state" is not in the attribute set "door"',
    ],
  )
})

test('anchors that multiply end with an error, not with the memory', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  assert.match(fault(lines.join('\n')), /more than 100000 values: aliases of aliases/)
})

test('an anchor inside itself ends too', () => {
  assert.match(fault('name: &n [*n]\n'), /nested deeper than 40, or an alias inside itself/)
})

test('what is newer than nlkit is a warning', () => {
  const { spec: read, problems } = inspectSpec(spec({ 'doc: Doors.': 'doc: Doors.\nshape: round' }))
  assert.ok(read)
  assert.deepEqual(problems, [
    { severity: 'warning', message: '"shape" is not known', path: 'shape', line: 3, column: 1 },
  ])
})

test('a name of a generic family has at most 15 bytes', () => {
  assert.match(
    fault(spec({ 'name: door\ndoc': 'name: a-door-with-a-long-name\ndoc' })),
    /1 to 15 characters/,
  )
})

test('merge keys and names that YAML takes for numbers or truth', () => {
  const text = spec({
    [DOOR]:
      '- &id { name: off, type: u32 }\n      - { <<: *id, name: 12 }\n      - { <<: *id, name: no, type: u8 }',
    'attributes: [id] ': 'attributes: [off] ',
    'attributes: [id, state]': 'attributes: [12, no]',
  })
  const { attributes } = readSpec(text).sets.get('door') as { attributes: readonly object[] }
  assert.deepEqual(
    attributes.slice(0, 3).map((each) => [Reflect.get(each, 'name'), Reflect.get(each, 'type')]),
    [
      ['off', 'u32'],
      ['12', 'u32'],
      ['no', 'u8'],
    ],
  )
  assert.equal(importSpec(text).family.name, 'door')
})
