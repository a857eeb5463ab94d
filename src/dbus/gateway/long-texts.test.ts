/** Long strings are judged as short ones are, by whoever does it. */
import { equal } from 'node:assert/strict'
import test from 'node:test'
import { loadAddon } from '../../transport/addon.ts'
import { isText } from '../message/utf8.ts'
import { streamsOf } from './streams.ts'

const LENGTHS = [4095, 4096, 4097, 100_000]
const SPOILT: readonly [what: string, bytes: readonly number[], isGood: boolean][] = [
  ['letters', [0x61, 0x62, 0x63], true],
  ['a letter of two bytes', [0xc3, 0xa4], true],
  ['a letter of four bytes', [0xf0, 0x9f, 0x98, 0x80], true],
  ['a noncharacter', [0xef, 0xbf, 0xbf], true],
  ['a NUL', [0x61, 0, 0x61], false],
  ['half a letter', [0xc3, 0x61], false],
  ['a letter that is too long', [0xc0, 0xaf], false],
  ['a surrogate', [0xed, 0xa0, 0x80], false],
  ['more than Unicode has', [0xf4, 0x90, 0x80, 0x80], false],
]

function judged(length: number, spoilt: readonly number[], at: number): boolean {
  const bytes = new Uint8Array(length).fill(0x78)
  bytes.set(spoilt, at)
  return isText(bytes, new DataView(bytes.buffer), 0, length)
}

for (const [what, bytes, isGood] of SPOILT)
  test(`${what} in a string of any length`, () => {
    const answers = (): boolean[] =>
      LENGTHS.flatMap((length) =>
        [0, 1000, length - bytes.length].map((at) => judged(length, bytes, at)),
      )
    for (const answer of answers()) equal(answer, isGood)
    streamsOf(loadAddon())
    for (const answer of answers()) equal(answer, isGood)
  })
