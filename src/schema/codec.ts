/**
 * The two forms of a codec: compiled to straight-line code, or closures where code generation is
 * forbidden (`--disallow-code-generation-from-strings`, a strict CSP). Same results.
 */
import type { Writer } from '../wire/writer.ts'
import { closureReader, closureWriter } from './closure.ts'
import { compileReader, compileWriter } from './compile.ts'
import type { StructType } from './struct.ts'
import type { AttrSelection } from './table.ts'

/** A decoded or encodable value, by attribute name. */
export type Fields = Record<string, any>
/** Reads a header, if there is one, and the attributes up to `end`. */
export type Reader = (view: DataView, at: number, end: number) => Fields
/** Writes a header, if there is one, and the attributes of `value` in the order of its keys. */
export type FieldsWriter = (w: Writer, value: Fields) => void

export interface Codec {
  /** @throws DecodeError */
  read: Reader
  /** @throws EncodeError */
  write: FieldsWriter
}

/** Whether this runtime lets us make code from text; asked once, at the first codec. */
let mayCompile: boolean | undefined
export function canCompile(): boolean {
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
export function makeCodec(selection: AttrSelection, header?: StructType<any>): Codec {
  const codec: Codec = {
    read(view, at, end) {
      codec.read = canCompile()
        ? compileReader(selection, header)
        : closureReader(selection, header)
      return codec.read(view, at, end)
    },
    write(w, value) {
      codec.write = canCompile()
        ? compileWriter(selection, header)
        : closureWriter(selection, header)
      codec.write(w, value)
    },
  }
  return codec
}
