/** What the options of all actions have. Kernel: include/uapi/linux/pkt_cls.h tc_gen, struct tcf_t. */
import { HOST_LE } from '../../../wire/order.ts'
import type { Writer } from '../../../wire/writer.ts'
import type { Action, Shown } from '../action.ts'

/** tc_gen: index, capab, action, refcnt, bindcnt. */
export const GEN_SIZE = 20

export interface Gen {
  readonly index: number
  readonly control: number
}

export function genOf(bytes: Uint8Array): Gen {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { index: view.getUint32(0, HOST_LE), control: view.getInt32(8, HOST_LE) }
}

/** The attribute that begins with tc_gen; `rest` stands behind it. */
export function putGen(
  w: Writer,
  type: number,
  { index, control }: Action,
  { refs, binds }: Shown,
  rest: readonly number[] = [],
): void {
  const mark = w.attrStart(type)
  for (const value of [index, 0, control >>> 0, refs, binds, ...rest]) w.u32(value >>> 0)
  w.attrEnd(mark)
}

/** struct tcf_t: installed and used so long ago; it does not expire, and was not used. */
export function putTimes(w: Writer, type: number, { age }: Shown): void {
  const mark = w.attrStart(type)
  for (const value of [age, age, 0n, 0n]) w.u64(value)
  w.attrEnd(mark)
}
