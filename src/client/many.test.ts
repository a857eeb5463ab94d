import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Socket } from '../transport/transport.ts'
import type { Flight } from './flight.ts'
import { ManyAnswers } from './many.ts'

/** A socket with datagrams of these lengths, and so many requests in flight. */
function stage(lengths: number[], size = 64, isShort = true) {
  let calls = 0
  const receiveMany = (_buffer: Uint8Array, _size: number, slots: Uint32Array): number => {
    calls++
    if (lengths.length === 0) return -11
    lengths.forEach((length, i) => {
      slots[4 * i] = length
    })
    return lengths.splice(0).length
  }
  const socket = { receiveMany } as unknown as Socket
  const flight = { size, isShort } as Flight
  const seen: number[][] = []
  const many = new ManyAnswers()
  const take = () => many.take(socket, flight, (m, cutFrom) => seen.push([m.size, cutFrom]))
  return { take, seen, calls: () => calls }
}

test('each datagram is looked at; an empty queue is told', () => {
  const { take, seen } = stage([136, 20])
  assert.equal(take(), 2)
  assert.deepEqual(seen, [
    [136, 0],
    [20, 0],
  ])
  assert.equal(take(), -11)
})

test('after an answer that is too long for a slot they are taken one by one', () => {
  const { take, seen, calls } = stage([136, 5000])
  assert.equal(take(), 2)
  assert.deepEqual(seen, [
    [136, 0],
    [4096, 5000],
  ])
  assert.equal(take(), 0)
  assert.equal(calls(), 1)
})

test('few requests, and long ones, are not for it', () => {
  for (const { take, calls } of [stage([136], 2), stage([136], 64, false)]) {
    assert.equal(take(), 0)
    assert.equal(calls(), 0)
  }
})
