/** A signal that many calls share. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { onAbort } from './abort.ts'

test('a thousand calls share one listener, and none is left behind', () => {
  const { signal } = new AbortController()
  const undo = Array.from({ length: 1000 }, () => onAbort(signal, () => {}))
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  for (const each of undo) each()
  for (const each of undo) each()
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('all are told once, but those who took it back', () => {
  const stop = new AbortController()
  const heard: number[] = []
  const undo = [1, 2, 3].map((n) => onAbort(stop.signal, () => heard.push(n)))
  undo[1]?.()
  stop.abort()
  stop.abort()
  for (const each of undo) each()
  assert.deepEqual(heard, [1, 3])
})

test('one that is taken back and given again is told', () => {
  const stop = new AbortController()
  const heard: string[] = []
  onAbort(stop.signal, () => heard.push('first'))()
  onAbort(stop.signal, () => heard.push('second'))
  stop.abort()
  assert.deepEqual(heard, ['second'])
})
