/**
 * A table that is never stale: events are applied as they come; after a loss, and after what may
 * have changed without a word, the table is listed anew and compared.
 *
 *   join the groups → list → apply the events since → tell the differences → wait for events
 *                      ▲                                                        │
 *                      └──── an overrun, a doubt, a silent change ◄─────────────┘
 */
import { isNetlinkError } from '../errors.ts'
import type { Socket } from '../transport/transport.ts'
import { type MessageWalker, NETLINK_ROUTE, NLMSG_OVERRUN } from '../wire/index.ts'
import { onAbort } from './abort.ts'
import { isEqual } from './equal.ts'
import { type EventOptions, openEvents } from './events.ts'
import type { Subject } from './live-subject.ts'
import { giveWay, TURN } from './loop.ts'
import { type Match, matcher } from './match.ts'
import { type Change, Mirror } from './mirror.ts'
import { callError } from './receiver.ts'
import { closedError, type Session } from './session.ts'

export interface LiveOptions extends Pick<EventOptions, 'signal' | 'receiveBuffer'> {
  /** Milliseconds that a listing waits for each datagram before it is tried again. */
  readonly timeout?: number | undefined
}

/** Milliseconds between two listings that failed: at first, and at most. */
const PAUSE = 4
const LONGEST_PAUSE = 500
/** Milliseconds after which a table is looked at again, and how much of the time that may take. */
const LOOK_AGAIN = 1000
const LOOKING = 1 / 20
/** Events kept while a listing runs; more are a loss. */
const MOST_OVERLAID = 65_536
/** Why a listing failed that may succeed the next time. */
const PASSING: ReadonlySet<string> = new Set([
  'NETLINK_INTERRUPTED',
  'NETLINK_LOST',
  'NETLINK_OVERFLOW',
  'NETLINK_TIMEOUT',
  'EAGAIN',
  'EBUSY',
  'ENOBUFS',
  'ENOMEM',
])

/** Changes, from nothing to all that there is, and on. Leaving the loop ends it. */
export class Live<T> implements AsyncIterableIterator<Change<T>> {
  /** Resolves when the table was listed for the first time. */
  readonly ready: Promise<void>
  readonly #session: Session
  readonly #subject: Subject<T>
  readonly #options: LiveOptions
  readonly #match: Partial<T>
  readonly #isWanted: (item: T) => boolean
  readonly #mirror: Mirror<T>
  readonly #stop = new AbortController()
  #socket: Socket | undefined
  /** Copies of datagrams that came while a listing runs. */
  #overlay: Uint8Array[] | undefined
  /** Whether it must be listed; who waits for that. */
  #isDoubtful = true
  #syncs: (() => void)[] = []
  /** When the last listing ended, and how long it took: milliseconds. */
  #lookedAt = 0
  #looking = 0
  #end: { readonly error: unknown } | 'closed' | undefined
  #wake: (() => void) | undefined
  #nudge: (() => void) | undefined
  readonly #unlisten: () => void

  constructor(session: Session, subject: Subject<T>, match: Match<T>, options: LiveOptions) {
    this.#session = session
    this.#subject = subject
    this.#options = options
    this.#match = typeof match === 'function' ? {} : match
    this.#isWanted = matcher(match)
    const { restless } = subject
    this.#mirror = new Mirror<T>({
      keyOf: subject.keyOf,
      isSame: (a, b) => isEqual(a, b, restless),
      ...(subject.isOther ? { isOther: subject.isOther } : {}),
    })
    const { signal } = options
    const dependant = { end: (reason: unknown) => this.#finish({ error: reason }) }
    session.dependants.add(dependant)
    const unlisten = signal && onAbort(signal, () => this.#finish({ error: signal.reason }))
    this.#unlisten = () => {
      session.dependants.delete(dependant)
      unlisten?.()
    }
    this.ready = this.#first()
    this.ready.catch(() => {})
  }

  /** How often the table was listed, and how often events were lost. */
  listings = 0
  overruns = 0

  /** Whether nothing is known to be missing: no loss and no doubt that a listing has yet to clear. */
  get isCertain(): boolean {
    return this.listings > 0 && !this.#isDoubtful && this.#overlay === undefined
  }
  /** What is so, as far as is known. */
  values(): T[] {
    return [...this.#mirror.items()].filter(this.#isWanted)
  }
  /** The first that has these values, or of which it says so. */
  find(match: Match<T>): T | undefined {
    const isIt = matcher(match)
    for (const item of this.#mirror.items()) if (this.#isWanted(item) && isIt(item)) return item
    return undefined
  }
  /** Lists the table anew; what is known is then at least as new as this call. */
  async sync(): Promise<void> {
    await this.ready
    if (this.#end) throw this.#end === 'closed' ? closedError() : this.#end.error
    this.#isDoubtful = true
    const done = new Promise<void>((resolve) => this.#syncs.push(resolve))
    this.#nudge?.()
    await done
    if (this.#end)
      throw this.#end === 'closed' ? closedError() : (this.#end as { error: unknown }).error
  }

  [Symbol.asyncIterator](): this {
    return this
  }
  async next(): Promise<IteratorResult<Change<T>>> {
    for (;;) {
      const change = this.#nextWanted()
      if (change) return { done: false, value: change }
      if (this.#end) return this.#ended()
      await new Promise<void>((resolve) => {
        const before = this.#wake
        this.#wake = () => {
          before?.()
          resolve()
        }
      })
    }
  }
  async return(): Promise<IteratorResult<Change<T>>> {
    this.close()
    return { done: true, value: undefined }
  }
  /** Ends it; what is known stays readable. Harmless when repeated. */
  close(): void {
    this.#finish('closed')
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #nextWanted(): Change<T> | undefined {
    if (this.listings === 0 || this.#end) return undefined
    for (;;) {
      const change = this.#mirror.next()
      if (!change) return undefined
      const before = this.#only(change.before)
      const after = this.#only(change.after)
      if (before !== undefined || after !== undefined) return { before, after }
    }
  }
  #only(item: T | undefined): T | undefined {
    return item !== undefined && this.#isWanted(item) ? item : undefined
  }

  #ended(): IteratorResult<Change<T>> {
    const end = this.#end
    this.#end = 'closed'
    if (end !== undefined && end !== 'closed') throw end.error
    return { done: true, value: undefined }
  }
  #finish(end: { readonly error: unknown } | 'closed'): void {
    if (this.#end) return
    this.#end = end
    this.#unlisten()
    this.#stop.abort(end === 'closed' ? closedError() : end.error)
    this.#socket?.close()
    this.#socket = undefined
    for (const done of this.#syncs.splice(0)) done()
    this.#wake?.()
  }

  async #first(): Promise<void> {
    try {
      this.#options.signal?.throwIfAborted()
      const { groups } = this.#subject
      const socket = await openEvents(this.#session, NETLINK_ROUTE, groups, this.#options)
      if (this.#end) {
        socket.close()
        throw this.#end === 'closed' ? closedError() : this.#end.error
      }
      this.#socket = socket
      await this.#settle(socket)
      void this.#run(socket).catch((error) => this.#finish({ error }))
    } catch (error) {
      this.#finish({ error })
      throw error
    }
  }

  /** Applies events, and lists when there is doubt, until it is closed. */
  async #run(socket: Socket): Promise<void> {
    while (!this.#end) {
      if (this.#drain(socket)) await giveWay()
      else if (this.#isDoubtful || (this.#untilLook ?? 1) <= 0) await this.#settle(socket)
      else await this.#wait(socket)
    }
  }

  /** Until there is an event, or somebody asks for a listing. */
  async #wait(socket: Socket): Promise<void> {
    const nudged = new Promise<void>((resolve) => {
      this.#nudge = resolve
    })
    const stop = new AbortController()
    const end = onAbort(this.#stop.signal, () => stop.abort(this.#stop.signal.reason))
    const timer = this.#nextLook()
    try {
      await Promise.race([socket.readable(stop.signal), nudged])
    } catch (error) {
      if (!this.#end) throw error
    } finally {
      end()
      clearTimeout(timer)
      this.#nudge = undefined
      stop.abort()
    }
  }

  /** Milliseconds until the table is to be looked at again; undefined: never, without a reason. */
  get #untilLook(): number | undefined {
    if (!this.#subject.looksAgain) return undefined
    const pause = Math.max(LOOK_AGAIN, this.#looking / LOOKING)
    return this.#lookedAt + pause - performance.now()
  }

  #nextLook(): ReturnType<typeof setTimeout> | undefined {
    const wait = this.#untilLook
    return wait === undefined ? undefined : setTimeout(() => this.#nudge?.(), Math.max(1, wait))
  }

  /** Lists until there is no doubt. */
  async #settle(socket: Socket): Promise<void> {
    this.#isDoubtful = true
    for (let pause = PAUSE; this.#isDoubtful && !this.#end; ) {
      const syncs = this.#syncs.splice(0)
      try {
        this.#discard(socket)
        await this.#list(socket)
        for (const done of syncs) done()
        pause = PAUSE
      } catch (error) {
        this.#syncs.unshift(...syncs)
        if (!isNetlinkError(error) || !PASSING.has(error.code)) throw error
        this.#isDoubtful = true
        await this.#rest(pause)
        pause = Math.min(2 * pause, LONGEST_PAUSE)
      }
    }
    this.#tell()
  }

  async #rest(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#stop.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** One listing, and the events that came meanwhile behind it. */
  async #list(socket: Socket): Promise<void> {
    this.#isDoubtful = false
    this.#overlay = []
    const listing = new AbortController()
    const end = onAbort(this.#stop.signal, () => listing.abort(this.#stop.signal.reason))
    const collecting = this.#collect(socket, listing.signal)
    try {
      const { timeout } = this.#options
      const began = performance.now()
      const items = await this.#subject.list(this.#match, { signal: listing.signal, timeout })
      this.listings++
      this.#lookedAt = performance.now()
      this.#looking = this.#lookedAt - began
      if (this.#end) return
      this.#mirror.replace(items.filter((item) => this.#isKept(item)))
    } finally {
      end()
      listing.abort()
      await collecting
      const overlay = this.#overlay
      this.#overlay = undefined
      for (const bytes of overlay) this.#replay(bytes)
    }
  }

  /** Keeps what comes while a listing runs, so that the queue of the socket does not overflow. */
  async #collect(socket: Socket, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && this.#socket === socket) {
        if (this.#drain(socket)) await giveWay()
        else await socket.readable(signal)
      }
    } catch (error) {
      if (!signal.aborted && !this.#end) this.#finish({ error })
    }
  }

  /** Throws away what was said before a listing begins: the listing knows better. */
  #discard(socket: Socket): void {
    this.#overlay = []
    this.#drain(socket)
    this.#overlay = undefined
  }

  /** Takes datagrams for a while. @returns whether there may be more. */
  #drain(socket: Socket): boolean {
    const { receiver } = this.#session
    const until = performance.now() + TURN
    while (this.#socket === socket) {
      switch (receiver.take(socket, socket.receive(receiver.buffer))) {
        case 'again':
          this.#tell()
          return false
        case 'overrun':
          this.#lose()
          break
        case 'failed':
          throw callError('recvmsg', receiver.errno)
        case 'messages':
          this.#datagram()
      }
      if (performance.now() >= until) {
        this.#tell()
        return true
      }
    }
    return false
  }

  #lose(): void {
    this.overruns++
    this.#isDoubtful = true
  }

  #datagram(): void {
    const { receiver } = this.#session
    const { walker } = receiver
    if (receiver.cutFrom > 0) {
      receiver.reserve(receiver.cutFrom)
      this.#lose()
    } else if (this.#overlay === undefined) {
      while (walker.next()) this.#apply(walker)
    } else if (this.#overlay.length < MOST_OVERLAID) {
      this.#overlay.push(receiver.buffer.slice(0, walker.size))
    } else this.#lose()
  }

  #replay(bytes: Uint8Array): void {
    const { walker } = this.#session.receiver
    walker.reset(new DataView(bytes.buffer), bytes.length)
    while (walker.next()) this.#apply(walker)
  }

  #apply(m: MessageWalker): void {
    if (m.type === NLMSG_OVERRUN) {
      this.#lose()
      return
    }
    const effect = this.#subject.effect(m, (key) => this.#mirror.get(key))
    if (effect === 'doubt') this.#isDoubtful = true
    else if (effect !== 'nothing') {
      const { key, items, hasEnded } = effect
      this.#mirror.set(
        key,
        items.filter((item) => this.#isKept(item)),
        hasEnded,
      )
    }
  }

  /** Whether an item can ever be wanted. */
  #isKept(item: T): boolean {
    const { keyMembers } = this.#subject
    const match = this.#match
    return keyMembers.every((name) => match[name] === undefined || item[name] === match[name])
  }

  #tell(): void {
    if (this.#wake === undefined || this.listings === 0 || !this.#mirror.hasNews) return
    const wake = this.#wake
    this.#wake = undefined
    wake()
  }
}
