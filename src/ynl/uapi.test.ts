/** Constants of C headers, and specs that say otherwise. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintSpec } from './lint.ts'
import { readHeader } from './uapi.ts'

const HEADER = `
/* SPDX */
#ifndef _DOOR_H
#define _DOOR_H
#define DOOR_NAME "door"
#define DOOR_FLAG_A (1 << 0) // the first
#define DOOR_FLAG_B (1U << \\
  1)
#define DOOR_ALL (DOOR_FLAG_A | DOOR_FLAG_B)
#define DOOR_SIZE sizeof(int)
#define DOOR_MASK ~0x0fULL
enum door_attrs {
	DOOR_A_DOOR_UNSPEC,
	DOOR_A_DOOR_ID,	/* its number, not a comma */
#define DOOR_A_DOOR_ID DOOR_A_DOOR_ID
	DOOR_A_DOOR_STATE = 7,
	DOOR_A_DOOR_OTHER,

	__DOOR_MAX,
	DOOR_MAX = __DOOR_MAX - 1
};
enum { LATER = sizeof(long), AFTER };
#endif
`

test('enums and defines, without a compiler', () => {
  assert.deepEqual(Object.fromEntries(readHeader(HEADER)), {
    DOOR_FLAG_A: 1n,
    DOOR_FLAG_B: 2n,
    DOOR_ALL: 3n,
    DOOR_MASK: ~15n,
    DOOR_A_DOOR_UNSPEC: 0n,
    DOOR_A_DOOR_ID: 1n,
    DOOR_A_DOOR_STATE: 7n,
    DOOR_A_DOOR_OTHER: 8n,
    __DOOR_MAX: 9n,
    DOOR_MAX: 8n,
  })
})

const SPEC = `name: door
doc: x
uapi-header: linux/door.h
definitions:
  - { type: flags, name: flag, entries: [a, b] }
attribute-sets:
  - name: door
    name-prefix: door-a-door-
    attributes:
      - { name: id, type: u32 }
      - { name: state, type: u32 }
operations: { list: [] }
`

test('a number that the header has otherwise, with its place', () => {
  const { problems, compared } = lintSpec(SPEC, (path) =>
    path === 'linux/door.h' ? '#include <linux/inner.h>' : HEADER,
  )
  assert.equal(compared, 4)
  assert.deepEqual(problems, [
    {
      severity: 'warning',
      message: 'DOOR_A_DOOR_STATE is 7 in the uapi header, 2 here',
      path: 'attribute-sets[door].attributes[state]',
      line: 11,
      column: 9,
    },
  ])
})

test('headers that include each other end', () => {
  const { compared } = lintSpec(SPEC, () => '#include <linux/door.h>\n#include <linux/x.h>\n')
  assert.equal(compared, 0)
})
