/** What the two ends of a ring transport tell each other beside the rings, over a MessagePort. */
import { NetlinkError } from '../errors.ts'
import type { SocketInit, SocketOptions } from './transport.ts'

/** Bytes of a ring unless told otherwise. */
export const RING_BYTES = 256 * 1024

/** The part of a MessagePort that is used; a browser's, or one of node:worker_threads. */
export interface Port {
  postMessage(message: unknown): void
  addEventListener(type: 'message' | 'close', listener: (event: { data?: unknown }) => void): void
  start?(): void
  close(): void
  ref?(): void
  unref?(): void
}

/** The memory of one socket's rings, named as its user sees them. */
export interface RingInit {
  readonly sent: SharedArrayBuffer
  readonly received: SharedArrayBuffer
}

/** From the user's side; all but `wake` and `close` are answered. */
export type Ask =
  | { readonly kind: 'open'; readonly init: SocketInit; readonly rings: RingInit }
  | {
      readonly kind: 'option'
      readonly socket: number
      readonly name: keyof SocketOptions
      readonly value: number | boolean
    }
  | { readonly kind: 'filter'; readonly socket: number; readonly program: Uint8Array | undefined }
  | { readonly kind: 'join' | 'leave'; readonly socket: number; readonly group: number }
  | { readonly kind: 'wake' | 'close'; readonly socket: number }

/** A NetlinkError that has to go through a MessagePort. */
interface PackedError {
  readonly code: string
  readonly message: string
  readonly syscall?: string | undefined
  readonly hint?: string | undefined
}

/** A socket is open: the number by which it is spoken of, and what it is. */
export interface Opened {
  readonly ask: number
  readonly kind: 'opened'
  readonly id: number
  readonly portid: number
  readonly receiveBuffer: number
}

/** From the kernel's side. */
export type Answer =
  | { readonly wake: number }
  | { readonly ask: number; readonly error: PackedError }
  | Opened
  | { readonly ask: number; readonly kind: 'done'; readonly receiveBuffer: number }

export function packError(error: unknown): PackedError {
  if (error instanceof NetlinkError) {
    const { code, message, syscall, hint } = error
    return { code, message, syscall, hint }
  }
  return { code: 'NETLINK_INVALID', message: String(error) }
}

export function unpackError({ code, message, syscall, hint }: PackedError): NetlinkError {
  return new NetlinkError(code, syscall ? { syscall, hint } : { message, hint })
}
