/** Connector messages as values, and their bytes in a datagram. */
import { EncodeError } from '../../errors.ts'
import { CN_MSG_SIZE, cnMessage, cnMsg } from '../../families/connector.ts'
import type { Skb } from '../netlink/skb.ts'

/** A connector message (struct cn_msg) as a callback gets it. */
export interface CnMsg {
  readonly idx: number
  readonly val: number
  readonly seq: number
  readonly ack: number
  readonly flags: number
  /** A copy: it may be kept. */
  readonly data: Uint8Array
}
/** A connector message to be sent; what is left out is 0, or empty. */
export type CnMsgInput = Pick<CnMsg, 'idx' | 'val'> & Partial<CnMsg>

const nothing = new Uint8Array()

/** The cn_msg at `at`, whose `len` bytes of data are there. */
export function readCnMsg(view: DataView, at: number): CnMsg {
  const { len } = cnMsg.get(view, at, at + CN_MSG_SIZE)
  const { len: _, ...msg } = cnMessage.get(view, at, at + CN_MSG_SIZE + len)
  return msg
}

/** @throws EncodeError for numbers that do not fit, or more than 65,535 bytes of data. */
export function putCnMsg(skb: Skb, msg: CnMsgInput): void {
  const { data = nothing, ...head } = msg
  if (data.length > 0xffff) throw new EncodeError(`${data.length} bytes; 65535 is the most`, 'data')
  cnMsg.put(skb, { ...head, len: data.length })
  skb.put(data)
}
