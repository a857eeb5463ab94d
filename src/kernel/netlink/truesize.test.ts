/** Truesize, against what /proc/net/netlink of Linux 6.18 says of queued datagrams. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocatedTruesize, trimmedTruesize, userTruesize } from './truesize.ts'

test('unicasts of a process', () => {
  for (const [length, truesize] of [
    [1, 832],
    [256, 832],
    [257, 1280],
    [704, 1280],
    [705, 2304],
    [1016, 2304],
    [1728, 2304],
    [1729, 4352],
    [3776, 4352],
    [3777, 4416],
    [4096, 4672],
    [65536, 66112],
    [200000, 200576],
  ] as const) {
    assert.equal(userTruesize(length), truesize, `${length} bytes`)
  }
})

test('multicasts, dumps and the kernel`s messages go by powers of two', () => {
  for (const [size, truesize] of [
    [36, 832],
    [1468, 2304],
    [3776, 4352],
    [4096, 8448],
    [32448, 33024],
  ] as const) {
    assert.equal(allocatedTruesize(size), truesize, `${size} bytes`)
  }
})

test('a kernel message is trimmed when half of what was allocated is unused', () => {
  assert.equal(trimmedTruesize(100, 3776), 832)
  assert.equal(trimmedTruesize(1600, 3776), 2304)
  assert.equal(trimmedTruesize(1601, 3776), 4352)
  assert.equal(trimmedTruesize(3776, 3776), 4352)
})
