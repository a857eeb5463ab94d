/** The text arguments of a message, read as far as a rule asks, and not twice. */
import { align } from '../message/align.ts'
import { type Header, parseSignature } from '../message/index.ts'
import { valuesOf } from '../message/message.ts'
import { readText } from '../message/utf8.ts'
import { skipValues } from '../message/validate.ts'
import type { TextArgument } from './match.ts'

/** Arguments with a higher number are nobody's. */
const MOST = 64

/** The arguments of `message`, whose body has been judged. */
export class TextArguments {
  readonly #message: Uint8Array
  readonly #header: Header
  readonly #read: (TextArgument | undefined)[] = []
  #at: number

  constructor(message: Uint8Array, header: Header) {
    this.#message = message
    this.#header = header
    this.#at = header.bodyAt
  }

  /** Argument `index`, if it is a string or an object path. */
  get(index: number): TextArgument | undefined {
    const types = parseSignature(this.#header.signature)
    if (index >= types.length || index >= MOST) return undefined
    const values = valuesOf(this.#message, this.#header.littleEndian)
    while (this.#read.length <= index) {
      const type = types[this.#read.length]!
      const start = align(this.#at, 4) + 4
      this.#at = skipValues(values, [type], this.#at, this.#message.length)
      const isText = type.code === 's' || type.code === 'o'
      this.#read.push(
        isText
          ? { text: readText(this.#message, start, this.#at - 1), isPath: type.code === 'o' }
          : undefined,
      )
    }
    return this.#read[index]
  }
}
