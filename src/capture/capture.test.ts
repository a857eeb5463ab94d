/** Capture files: what is written is read, and what is no capture file is said to be none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../errors.ts'
import { encodeFrame, type Frame, readFrames } from './frame.ts'
import { LINKTYPE_NETLINK, pcapngHeader, pcapngPacket, readPackets } from './packets.ts'

const bytes = fc.uint8Array({ maxLength: 300 })
const frame: fc.Arbitrary<Frame> = fc.record(
  {
    time: fc.bigInt({ min: 0n, max: 2n ** 63n }),
    protocol: fc.integer({ min: 0, max: 31 }),
    toKernel: fc.boolean(),
    bytes,
  },
  { noNullPrototype: true },
)

function file(frames: readonly Frame[]): Uint8Array {
  const blocks = [pcapngHeader(), ...frames.map(encodeFrame)]
  return new Uint8Array(Buffer.concat(blocks))
}

/** All frames up to the end, or up to where the file is no longer one. */
function readSome(capture: Uint8Array): { frames: Frame[]; error: unknown } {
  const frames: Frame[] = []
  try {
    for (const each of readFrames(capture)) frames.push({ ...each, bytes: each.bytes.slice() })
    return { frames, error: undefined }
  } catch (error) {
    return { frames, error }
  }
}

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
      const read = [...readFrames(file(frames))].map((each) => ({
        ...each,
        bytes: each.bytes.slice(),
      }))
      assert.deepEqual(read, frames)
    }),
  )
})

test('a file that is cut off gives every whole frame, then says so', () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), fc.nat(), (frames, cut) => {
      const whole = file(frames)
      const length = pcapngHeader().length + (cut % (whole.length - pcapngHeader().length))
      const { frames: read, error } = readSome(whole.subarray(0, length))
      assert.deepEqual(read, frames.slice(0, read.length))
      const isAtBlock = file(frames.slice(0, read.length)).length === length
      assert.equal(error instanceof DecodeError, !isAtBlock)
    }),
  )
})

test('any bytes are frames or a DecodeError', () => {
  const start = pcapngHeader()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (rest, hasHeader) => {
      const { error } = readSome(hasHeader ? Buffer.concat([start, rest]) : rest)
      assert.ok(error === undefined || error instanceof DecodeError, String(error))
    }),
    { numRuns: 500 },
  )
})

test('any byte of a file may be another', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 3 }), fc.nat(), fc.nat(255), (frames, at, value) => {
      const capture = file(frames)
      capture[at % capture.length] = value
      const { error } = readSome(capture)
      assert.ok(error === undefined || error instanceof DecodeError, String(error))
    }),
    { numRuns: 500 },
  )
})

test('pcap of either byte order, in micro- and nanoseconds, is read', () => {
  for (const little of [true, false]) {
    for (const [magic, unit] of [
      [0xa1b2c3d4, 1000n],
      [0xa1b23c4d, 1n],
    ] as const) {
      const data = Uint8Array.of(0, 4, 3, 56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 1, 2, 3)
      const capture = new Uint8Array(24 + 16 + data.length)
      const view = new DataView(capture.buffer)
      view.setUint32(0, magic, little)
      view.setUint32(20, LINKTYPE_NETLINK, little)
      view.setUint32(24, 7, little)
      view.setUint32(28, 5, little)
      view.setUint32(32, data.length, little)
      capture.set(data, 40)
      const [only, ...others] = [...readFrames(capture)]
      assert.equal(others.length, 0)
      assert.equal(only?.time, 7_000_000_000n + 5n * unit)
      assert.equal(only?.protocol, 16)
      assert.deepEqual([...(only?.bytes ?? [])], [1, 2, 3])
    }
  }
})

test('packets of other kinds are packets, and no frames', () => {
  const other = pcapngPacket({ time: 1n, data: Uint8Array.of(1) })
  const header = pcapngHeader()
  const at = header.length - 44 // the interface's linktype is behind its block's head
  const linktype = header.indexOf(LINKTYPE_NETLINK, at)
  header[linktype] = 1
  const capture = Buffer.concat([header, other])
  assert.equal([...readPackets(capture)].length, 1)
  assert.equal([...readFrames(capture)].length, 0)
})
