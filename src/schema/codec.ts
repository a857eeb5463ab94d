/**
 * The two forms of an attribute codec: compiled to straight-line code, or closures where code
 * generation is forbidden (`--disallow-code-generation-from-strings`, a strict CSP). Same results.
 */
import { DecodeError, EncodeError } from '../errors.ts'
import type { Writer } from '../wire/writer.ts'
import { closureDecoder, closureEncoder } from './closure.ts'
import { compileDecoder, compileEncoder } from './compile.ts'
import type { AttrSelection } from './table.ts'
import { show } from './type.ts'

/** A decoded or encodable value, by attribute name. */
export type Fields = Record<string, any>
/** Reads the attributes between `at` and `end` into `out`. */
export type Decoder = (view: DataView, at: number, end: number, out: Fields) => void
/** Writes the attributes of `value` in the order of its keys. */
export type Encoder = (w: Writer, value: Fields) => void

export interface Codec {
  /** @throws DecodeError */
  decode: Decoder
  /** @throws EncodeError */
  encode: Encoder
}

/** Whether this runtime lets us make code from text; asked once, at the first codec. */
let mayCompile: boolean | undefined
function canCompile(): boolean {
  if (mayCompile === undefined) {
    try {
      mayCompile = new Function('return true')() as boolean
    } catch {
      mayCompile = false
    }
  }
  return mayCompile
}

/** A codec that is built at its first use, so that recursive sets end and unused ones cost nothing. */
export function makeCodec(selection: AttrSelection): Codec {
  const codec: Codec = {
    decode(view, at, end, out) {
      const read = canCompile() ? compileDecoder(selection) : closureDecoder(selection)
      codec.decode = selection.required.length ? withRequired(read, selection.required) : read
      codec.decode(view, at, end, out)
    },
    encode(w, value) {
      const write = closureEncoder(selection)
      const fast = canCompile() ? compileEncoder(selection, write) : write
      codec.encode = withChecks(fast, selection.required)
      codec.encode(w, value)
    },
  }
  return codec
}

function withRequired(read: Decoder, required: readonly string[]): Decoder {
  return (view, at, end, out) => {
    read(view, at, end, out)
    for (const name of required) {
      if (out[name] === undefined) throw new DecodeError(`${name} is required and absent`, at)
    }
  }
}

function withChecks(write: Encoder, required: readonly string[]): Encoder {
  return (w, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new EncodeError(`an object expected, got ${show(value)}`)
    }
    for (const name of required) {
      if (value[name] === undefined) throw new EncodeError('required', name)
    }
    write(w, value)
  }
}
