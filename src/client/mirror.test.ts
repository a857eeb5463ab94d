import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEqual } from './equal.ts'
import { Mirror } from './mirror.ts'

interface Item {
  readonly key: string
  readonly value: number
}
const make = (): Mirror<Item> =>
  new Mirror<Item>({ keyOf: ({ key }) => key, isSame: (a, b) => isEqual(a, b) })
const all = (mirror: Mirror<Item>): unknown[] => {
  const told: unknown[] = []
  for (let next = mirror.next(); next; next = mirror.next())
    told.push([next.before?.value, next.after?.value])
  return told
}
const item = (value: number, key = 'a'): Item => ({ key, value })

test('a slow reader is told where things stand, not how they got there', () => {
  const mirror = make()
  mirror.set('a', [item(1)])
  mirror.set('a', [item(2)])
  assert.deepEqual(all(mirror), [[undefined, 2]])
  mirror.set('a', [item(3)])
  mirror.set('a', [item(2)])
  mirror.set('b', [item(7, 'b')])
  mirror.set('b', [])
  assert.deepEqual(all(mirror), [])
  assert.equal(mirror.hasNews, false)
})

test('what ended is told to have ended, though its key is used again', () => {
  const mirror = make()
  mirror.set('a', [item(1)])
  assert.deepEqual(all(mirror), [[undefined, 1]])
  mirror.set('a', [], true)
  mirror.set('a', [item(1)])
  assert.deepEqual(all(mirror), [
    [1, undefined],
    [undefined, 1],
  ])
})

test('of several under one key those that differ are told', () => {
  const mirror = make()
  mirror.set('a', [item(1), item(2)])
  all(mirror)
  mirror.set('a', [item(2), item(3)])
  assert.deepEqual(all(mirror), [[1, 3]])
})

test('a whole table replaces what was known, and the differences are told', () => {
  const mirror = make()
  mirror.replace([item(1, 'a'), item(2, 'b')])
  all(mirror)
  mirror.replace([item(2, 'b'), item(3, 'c')])
  assert.deepEqual(all(mirror), [
    [1, undefined],
    [undefined, 3],
  ])
  assert.deepEqual([...mirror.items()], [item(2, 'b'), item(3, 'c')])
})

test('equality looks at members, bytes and lists; undefined is absent', () => {
  const bytes = Uint8Array.of(1, 2)
  assert.ok(
    isEqual({ a: [1, { b: 2n }], c: bytes }, { c: bytes.slice(), a: [1, { b: 2n }], d: undefined }),
  )
  for (const other of [{ a: 1 }, { a: [] }, { a: null }, { a: bytes }, {}, null, 'a'])
    assert.ok(!isEqual({ a: [1] }, other))
  assert.ok(!isEqual({ a: { b: 1 } }, { a: {} }))
  assert.ok(isEqual({ a: { b: 1 } }, { a: { b: 2 } }, new Set(['b'])))
})
