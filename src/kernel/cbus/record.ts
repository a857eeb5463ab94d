/**
 * How queued messages lie in memory: a word of length, then the cn_msg as it goes out.
 *
 *   +-------+-----+-----+-----+-----+-----------+------+---------+
 *   | bytes | idx | val | seq | ack | len flags | data | padding |    32-bit words, host order
 *   +-------+-----+-----+-----+-----+-----------+------+---------+
 */
import { CN_MSG_SIZE, CONNECTOR_MAX_MSG_SIZE } from '../../families/connector.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { CnMsgInput } from '../connector/message.ts'

/** In place of a length: the next record is at the beginning. */
export const WRAP = -1
/** Words in front of the data. */
const HEAD = 1 + CN_MSG_SIZE / 4
/** Bytes of data that a message may carry. */
export const MOST_DATA = CONNECTOR_MAX_MSG_SIZE - CN_MSG_SIZE
/** Words of the longest record. */
export const MOST_WORDS = recordWords(MOST_DATA)
/** Up to this many bytes a loop is faster than a call. */
const LOOP_BYTES = 48

/** Words that a message with `size` bytes of data takes. */
export function recordWords(size: number): number {
  return HEAD + ((size + 3) >>> 2)
}

/** @throws TypeError when the data are no bytes. @returns how many they are. */
export function dataSize({ data }: CnMsgInput): number {
  if (data === undefined) return 0
  if (!(data instanceof Uint8Array)) throw new TypeError('data: a Uint8Array expected')
  return data.length
}

/** Writes `msg`, whose data have `size` bytes, from word `at` on: there is room. */
export function writeRecord(
  words: Int32Array,
  bytes: Uint8Array,
  at: number,
  msg: CnMsgInput,
  size: number,
): void {
  const { flags = 0, data } = msg
  words[at] = CN_MSG_SIZE + size
  words[at + 1] = msg.idx
  words[at + 2] = msg.val
  words[at + 3] = msg.seq ?? 0
  words[at + 4] = msg.ack ?? 0
  words[at + 5] = HOST_LE ? size | (flags << 16) : (size << 16) | (flags & 0xffff)
  if (data === undefined || size === 0) return
  const from = (at + HEAD) << 2
  if (size > LOOP_BYTES) bytes.set(data, from)
  else for (let i = 0; i < size; i++) bytes[from + i] = data[i] as number
}

/** Sends the cn_msg in `bytes`. */
export type Send = (idx: number, val: number, seq: number, bytes: Uint8Array) => void

/** Hands the record at word `at` to `send`. */
export function sendRecord(words: Int32Array, bytes: Uint8Array, at: number, send: Send): void {
  const from = (at + 1) << 2
  const idx = (words[at + 1] as number) >>> 0
  const val = (words[at + 2] as number) >>> 0
  const seq = (words[at + 3] as number) >>> 0
  send(idx, val, seq, bytes.subarray(from, from + (words[at] as number)))
}
