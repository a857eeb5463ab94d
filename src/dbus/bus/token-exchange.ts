/**
 * How descriptors are exchanged for tokens, on a Unix stream socket beside netlink, which takes none.
 *
 * A request and its answer have 16 bytes, little-endian: u32 what is asked for, or a negative errno
 * or 0; u32 0; u64 a token. A descriptor travels with the first byte (SCM_RIGHTS).
 */

/** A descriptor comes with it; the answer has its token, which the connection holds. */
export const DEPOSIT = 1
/** The answer has the descriptor of the token. */
export const REDEEM = 2
/** What was deposited need not be held any more. */
export const WITHDRAW = 3

export const EXCHANGE_BYTES = 16

export interface Exchanged {
  readonly word: number
  readonly token: bigint
}

export function encodeExchange(word: number, token: bigint): Uint8Array {
  const bytes = new Uint8Array(EXCHANGE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, word, true)
  view.setBigUint64(8, token, true)
  return bytes
}

export function decodeExchange(bytes: Uint8Array): Exchanged {
  const view = new DataView(bytes.buffer, bytes.byteOffset, EXCHANGE_BYTES)
  return { word: view.getInt32(0, true), token: view.getBigUint64(8, true) }
}
