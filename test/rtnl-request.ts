/** The parts that good requests of rtnetlink are put together of. */
import { NLM_F_ACK, NLM_F_REQUEST, Writer } from 'nlkit/wire'

export const CREATE = 0x400
export const EXCL = 0x200
export const REPLACE = 0x100
export const APPEND = 0x800
/** v0, in the network that requests speak of. */
export const DEV = 3

export type Body = (w: Writer) => void

export function message(type: number, flags: number, body: Body): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(type, flags | NLM_F_REQUEST | NLM_F_ACK, 7, 0)
  body(w)
  w.messageEnd(mark)
  return w.finish()
}

export function bytes(w: Writer, ...values: number[]): void {
  for (const value of values) w.u8(value)
}

export const u8 = (w: Writer, type: number, value: number): void => {
  w.attrBytes(type, Uint8Array.of(value))
}
export const u16 = (w: Writer, type: number, value: number): void => {
  w.attrBytes(type, Uint8Array.of(value & 255, value >> 8))
}
