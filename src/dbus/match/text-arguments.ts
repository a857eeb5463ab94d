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
  readonly #origin: number
  #at: number

  /** `message` begins at `origin`. */
  constructor(message: Uint8Array, header: Header, origin = 0) {
    this.#message = message
    this.#header = header
    this.#origin = origin
    this.#at = origin + header.bodyAt
  }

  /** Argument `index`, if it is a string or an object path. */
  get(index: number): TextArgument | undefined {
    const types = parseSignature(this.#header.signature)
    if (index >= types.length || index >= MOST) return undefined
    const values = valuesOf(this.#message, this.#header.littleEndian, this.#origin)
    while (this.#read.length <= index) {
      const type = types[this.#read.length]!
      const start = this.#origin + align(this.#at - this.#origin, 4) + 4
      this.#at = skipValues(values, [type], this.#at, this.#origin + this.#header.length)
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
