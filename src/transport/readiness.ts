/**
 * Readiness: one thread waits for all sockets of this JavaScript thread and says which are ready.
 *
 * A watch is armed while somebody waits, and reported once. Every arming has an id of its own, so
 * a report that was under way when its socket was closed, or its descriptor's number was taken by
 * another, wakes nobody. Only waiting keeps the process alive.
 */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import type { NativeSocket } from './native-socket.ts'

/** EPOLLIN; EPOLLERR and EPOLLHUP need not be asked for. */
export const EPOLLIN = 0x1
export const EPOLLOUT = 0x4
/** Reports that JavaScript takes at once; more stay in the kernel. */
const BATCH = 512

interface Waiter {
  resolve(): void
  reject(reason: unknown): void
  signal: AbortSignal | undefined
  onAbort: (() => void) | undefined
}

/** Who is told that a descriptor is ready. */
export interface Armed {
  /** The descriptor is ready, and no longer armed. `isLast`: nobody else is told in this turn. */
  ready(isLast: boolean): void
}

const shared = Symbol.for('nlkit.readiness')

/** The one of this thread: kept with the addon, which a second copy of this module shares. */
export function readinessOf(native: NativeSocket & { [shared]?: Readiness }): Readiness {
  native[shared] ??= new Readiness(native)
  return native[shared]
}

/** All watches of one JavaScript thread. */
export class Readiness {
  readonly native: NativeSocket
  readonly #armed = new Map<number, Armed>()
  readonly #batch = new Int32Array(2 * BATCH)
  #isStarted = false
  #lastId = 0
  #waiting = 0

  constructor(native: NativeSocket) {
    this.native = native
  }

  /** Watches `fd` until the watch is closed, which must happen before the descriptor is. */
  watch(fd: number): Watch {
    return new Watch(this, fd)
  }

  /** Asks for one report of `fd` to `armed`: the id of this asking. */
  arm(armed: Armed, fd: number, events: number = EPOLLIN): number {
    if (!this.#isStarted) this.#start()
    do this.#lastId = (this.#lastId + 1) | 0
    while (this.#armed.has(this.#lastId))
    check(this.native.arm(fd, this.#lastId, events), 'epoll_ctl')
    this.#armed.set(this.#lastId, armed)
    return this.#lastId
  }

  /** Forgets an asking: a report of it that is under way is dropped. */
  forget(id: number): void {
    this.#armed.delete(id)
  }

  /** Counts those who wait: the process lives as long as there is one. */
  count(change: number): void {
    const before = this.#waiting
    this.#waiting += change
    if ((before === 0) !== (this.#waiting === 0)) this.native.hold(before === 0)
  }

  #start(): void {
    const onReady = (count: number): void => this.#onReady(count)
    check(this.native.startReadiness(this.#batch, onReady), 'epoll_create1')
    this.#isStarted = true
  }

  #onReady(count: number): void {
    for (let i = 0; i < count; i++) {
      const id = this.#batch[2 * i]!
      const armed = this.#armed.get(id)
      if (armed === undefined) continue
      this.#armed.delete(id)
      armed.ready(i === count - 1)
    }
  }
}

/** Waits for one descriptor. */
export class Watch implements Armed {
  readonly #readiness: Readiness
  /** -1 once closed. */
  #fd: number
  /** The id under which we are armed, or undefined. */
  #id: number | undefined
  #waiters: Waiter[] = []

  constructor(readiness: Readiness, fd: number) {
    this.#readiness = readiness
    this.#fd = fd
  }

  /** @throws (rejects) the signal's reason; NETLINK_CLOSED; the errno of epoll_ctl(2). */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#fd < 0) throw closed()
      signal?.throwIfAborted()
      if (this.#waiters.length === 0) this.#arm()
      const waiter: Waiter = { resolve, reject, signal, onAbort: undefined }
      if (signal) {
        waiter.onAbort = () => this.#abort(waiter)
        signal.addEventListener('abort', waiter.onAbort, { once: true })
      }
      this.#waiters.push(waiter)
      this.#readiness.count(1)
    })
  }

  /** After an aborted wait we are still armed: what is reported then may be read by now. */
  #arm(): void {
    if (this.#id !== undefined) this.#readiness.forget(this.#id)
    this.#id = undefined
    this.#id = this.#readiness.arm(this, this.#fd)
  }

  #abort(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter)
    if (at < 0) return
    this.#waiters.splice(at, 1)
    this.#readiness.count(-1)
    waiter.reject(waiter.signal?.reason)
  }

  #takeWaiters(): Waiter[] {
    const waiters = this.#waiters
    if (waiters.length === 0) return waiters
    this.#waiters = []
    this.#readiness.count(-waiters.length)
    for (const { signal, onAbort } of waiters)
      if (signal && onAbort) signal.removeEventListener('abort', onAbort)
    return waiters
  }

  /** Called by Readiness: the descriptor is ready, and no longer armed. */
  ready(): void {
    this.#id = undefined
    for (const waiter of this.#takeWaiters()) waiter.resolve()
  }

  /** Ends the wait of all who wait: what they wait for was read already. */
  wake(): void {
    for (const waiter of this.#takeWaiters()) waiter.resolve()
  }

  /** Rejects those who wait, with NETLINK_CLOSED. Harmless when repeated. */
  close(): void {
    if (this.#fd < 0) return
    if (this.#id !== undefined) this.#readiness.forget(this.#id)
    this.#readiness.native.disarm(this.#fd)
    this.#fd = -1
    for (const waiter of this.#takeWaiters()) waiter.reject(closed())
  }
}

function closed(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'the socket is closed' })
}

function check(result: number, syscall: string): void {
  if (result < 0) throw new NetlinkError(errnoName(result), { syscall })
}
