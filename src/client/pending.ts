/** A request on its way: its bytes, its conversation, its caller's promise and patience. */
import { NetlinkError } from '../errors.ts'
import { NLMSG_HDRLEN } from '../wire/index.ts'
import { onAbort } from './abort.ts'
import type { Call } from './call.ts'
import type { Exchange } from './exchange.ts'
import { hintFor } from './hints.ts'
import type { CallOptions } from './options.ts'

/** Replies are taken to be this long until one was seen: the least that the kernel allocates. */
const UNSEEN_REPLY = 3776

/** A quiet request is seldom answered. */
const QUIET_COST = 64

/** What a request, its reply or its ack costs of the receive buffer: an sk_buff of that length. */
function truesize(length: number): number {
  let size = 512
  while (size < length + 320) size *= 2
  return size + 256
}

/** What may still be done about a refusal: an answer, or a promise of one, or it throws. */
export type Rescue = (reason: unknown) => unknown

/**
 * Fails a request. An error's stack leads to the caller who waits, not to where its bytes were read:
 * behind an `await` the engine finds him.
 */
async function fail(reason: unknown, options: CallOptions, rescue?: Rescue): Promise<unknown> {
  // Once until the promise is attached to, once more to stand behind it.
  await undefined
  await undefined
  const isOurs = reason instanceof NetlinkError && reason !== options.signal?.reason
  if (isOurs) Error.captureStackTrace?.(reason)
  if (rescue) return rescue(reason)
  throw reason
}

export class Pending {
  readonly call: Call
  readonly exchange: Exchange
  readonly options: CallOptions
  /** Milliseconds that the caller is willing to wait. */
  timeout = 0
  /** Where the request lies in the writer of its turn, until it has `bytes` of its own. */
  at = 0
  end = 0
  bytes: Uint8Array<ArrayBuffer> | undefined = undefined
  /** The first reply's value. */
  value: unknown = undefined
  /** Times that it was sent again. */
  repeats = 0
  /** What the window was charged for it. */
  charge = 0
  /** performance.now() at which patience ends; 0 before anything had to be waited for. */
  deadline = 0
  isSettled = false
  /** Whether the acknowledgement of a later request is also its own. */
  isQuiet = false
  /** How many requests were made before it. */
  place = 0
  /** What the caller waits for. */
  readonly answer: Promise<unknown>
  #resolve!: (value: unknown) => void
  readonly #rescue: Rescue | undefined
  #unlisten: (() => void) | undefined

  constructor(call: Call, exchange: Exchange, options: CallOptions, rescue?: Rescue) {
    this.call = call
    this.exchange = exchange
    this.options = options
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#rescue = rescue
  }

  get length(): number {
    return this.end - this.at
  }
  /** Bytes of the receive buffer that the answers may take. */
  get cost(): number {
    const { call, exchange } = this
    if (this.isQuiet && !exchange.ack) return QUIET_COST
    const reply =
      call.reply === undefined && exchange.ack ? 0 : truesize(call.replySize || UNSEEN_REPLY)
    return exchange.ack ? reply + truesize(2 * NLMSG_HDRLEN + this.length) : reply
  }

  /** Takes its bytes out of the writer at `memory`, which is to be used again. */
  keep(memory: Uint8Array<ArrayBuffer>): void {
    if (this.bytes !== undefined) return
    this.bytes = memory.slice(this.at, this.end)
    this.end -= this.at
    this.at = 0
  }
  /** From now on it can be aborted and run out of time; `aborted` is called when it is aborted. */
  guard(now: number, aborted: () => void): void {
    if (this.deadline !== 0) return
    this.deadline = now + this.timeout
    const { signal } = this.options
    if (!signal) return
    if (signal.aborted) {
      aborted()
      return
    }
    this.#unlisten = onAbort(signal, aborted)
  }
  resolve(value: unknown): void {
    this.#settle()
    this.#resolve(value)
  }
  reject(reason: unknown): void {
    if (this.isSettled) return
    this.#settle()
    this.#resolve(fail(reason, this.options, this.#rescue))
  }
  #settle(): void {
    this.isSettled = true
    if (this.#unlisten === undefined) return
    this.#unlisten()
    this.#unlisten = undefined
  }
}

/** The error of a request that waited longer than its caller would. */
export function timedOut(name: string, timeout: number): NetlinkError {
  return new NetlinkError('NETLINK_TIMEOUT', {
    request: name,
    message: `no answer within ${timeout} ms`,
    hint: hintFor('NETLINK_TIMEOUT', { name }),
  })
}

/** The error of a change whose answer the kernel could not deliver. */
export function lost(name: string, why: string): NetlinkError {
  return new NetlinkError('NETLINK_LOST', {
    request: name,
    message: `${why}: it may have been executed`,
    hint: hintFor('NETLINK_LOST', { name }),
  })
}
