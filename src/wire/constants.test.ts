/** The numbers of the netlink layer against this machine's uapi headers, compared by its compiler. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import * as constants from './constants.ts'

/** Ours alone: the header says it in words. */
const OURS = new Set(['NLA_MAX_PAYLOAD'])

/** NLA_TYPE_MASK is an int in C and is applied to the 16 bits of nla_type. */
function inC(name: string): string {
  return name === 'NLA_TYPE_MASK' ? `(unsigned short)${name}` : name
}

function program(values: Readonly<Record<string, number>>): string {
  const headers = ['sys/socket.h', 'linux/netlink.h', 'linux/genetlink.h']
  return [
    ...headers.map((header) => `#include <${header}>`),
    ...Object.entries(values).map(
      ([name, n]) => `_Static_assert(${inC(name)} == ${n}, "${name}");`,
    ),
  ].join('\n')
}

function compile(source: string) {
  return spawnSync('cc', ['-std=gnu11', '-fsyntax-only', '-x', 'c', '-'], {
    input: source,
    encoding: 'utf8',
  })
}

test('every constant is the header’s', (t) => {
  if (compile('#include <linux/genetlink.h>').status !== 0)
    return t.skip('no C compiler with linux/genetlink.h here')
  const values = Object.fromEntries(Object.entries(constants).filter(([name]) => !OURS.has(name)))
  assert.ok(Object.keys(values).length > 60)
  const { status, stderr } = compile(program(values))
  assert.equal(status, 0, stderr)
  assert.notEqual(compile(program({ NLM_F_ACK: 5 })).status, 0, 'a wrong number is found')
})
