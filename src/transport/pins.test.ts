import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NativeSocket } from './native-socket.ts'
import { Pins } from './pins.ts'

function fixture(count: number) {
  const memory = new Map<number, unknown>()
  const native: Partial<NativeSocket> = {
    pin: (slot, array) => {
      if (array) memory.set(slot, array)
      else memory.delete(slot)
      return slot
    },
  }
  return { memory, pins: new Pins(native as NativeSocket, 2, count) }
}

test('an array is pinned when it comes a second time', () => {
  const { memory, pins } = fixture(2)
  const bytes = new Uint8Array(100)
  assert.equal(pins.find(bytes, undefined), bytes)
  assert.equal(pins.find(bytes, bytes), 2)
  assert.equal(pins.find(bytes, undefined), 2)
  assert.equal(memory.get(2), bytes)
})

test('a new array takes the oldest place', () => {
  const { pins } = fixture(2)
  const [a, b, c] = [new Uint8Array(1), new Uint8Array(2), new Uint8Array(3)]
  assert.deepEqual([pins.find(a, a), pins.find(b, b), pins.find(c, c)], [2, 3, 2])
  assert.equal(pins.find(a, undefined), a)
})

test('a detached array is no longer what was pinned', () => {
  const { memory, pins } = fixture(2)
  const bytes = new Uint8Array(100)
  pins.find(bytes, bytes)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  assert.equal(pins.find(bytes, bytes), bytes)
  assert.equal(memory.size, 0)
  assert.equal(pins.find(bytes, bytes), bytes)
})

test('what is forgotten is let go', () => {
  const { memory, pins } = fixture(2)
  const bytes = new Uint8Array(100)
  pins.find(bytes, bytes)
  pins.forget(bytes)
  pins.forget(bytes)
  pins.forget(undefined)
  assert.equal(memory.size, 0)
  assert.equal(pins.find(bytes, undefined), bytes)
})
