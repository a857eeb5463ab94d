/**
 * Sockets for dumps: a socket runs one dump at a time, so dumps queue for a few of them.
 *
 * Who reads a dump as fast as it comes always gets a socket in the end. Who reads at leisure may
 * ask for another dump meanwhile, so that such readers never hold the last socket: beyond that they
 * are told to read to the end first.
 */
import type { Socket } from '../transport/transport.ts'
import { type Patience, within } from './loop.ts'
import { closedError, openSocket, type Session } from './session.ts'

/** Sockets at most, and how many are kept open without work. */
const MOST_LANES = 8
const MOST_IDLE = 2

export interface Lane {
  readonly socket: Socket
  /** Whether its user may leave it waiting between two datagrams. */
  isLeisurely: boolean
}

export class DumpLanes {
  readonly #session: Session
  readonly #protocol: number
  readonly #lanes = new Set<Lane>()
  readonly #idle: Lane[] = []
  /** Woken when a socket may be had: they look again. */
  readonly #waiters: (() => void)[] = []
  #opening = 0
  #leisurely = 0
  #seq = 0
  #closed: { readonly reason: unknown } | undefined

  constructor(session: Session, protocol: number) {
    this.#session = session
    this.#protocol = protocol
  }

  nextSeq(): number {
    this.#seq = (this.#seq + 1) >>> 0 || 1
    return this.#seq
  }
  /** @throws the reason of close(), once it was called. */
  check(): void {
    if (this.#closed) throw this.#closed.reason
  }

  /** A socket without a dump on it. Whoever wants leisure looks whether it was granted. */
  async take(wantsLeisure: boolean, patience: Patience): Promise<Lane> {
    this.check()
    const idle = this.#idle.pop()
    return this.#grant(idle ?? (await this.#wait(patience)), wantsLeisure)
  }

  #grant(lane: Lane, wantsLeisure: boolean): Lane {
    lane.isLeisurely = wantsLeisure && this.#leisurely < MOST_LANES - 1
    if (lane.isLeisurely) this.#leisurely++
    return lane
  }

  #wait(patience: Patience): Promise<Lane> {
    return within(patience, async (signal) => {
      for (;;) {
        const lane = this.#idle.pop() ?? (await this.#open())
        if (lane && signal.aborted) this.give(lane, true)
        signal.throwIfAborted()
        if (lane) return lane
        await new Promise<void>((resolve) => this.#waiters.push(resolve))
        this.check()
      }
    })
  }

  /** Returns a socket; one on which a dump still runs is closed. */
  give(lane: Lane, isFree: boolean): void {
    if (!this.#lanes.has(lane)) return
    if (lane.isLeisurely) this.#leisurely--
    lane.isLeisurely = false
    if (isFree && (this.#waiters.length > 0 || this.#idle.length < MOST_IDLE)) {
      this.#idle.push(lane)
    } else {
      this.#lanes.delete(lane)
      lane.socket.close()
    }
    this.#waiters.shift()?.()
  }

  /** Ends all dumps with `reason`. Harmless when repeated. */
  close(reason: unknown = closedError()): void {
    this.#closed ??= { reason }
    for (const lane of this.#lanes) lane.socket.close()
    this.#lanes.clear()
    this.#idle.length = 0
    for (const wake of this.#waiters.splice(0)) wake()
  }

  /** Another socket; undefined when there are enough. */
  async #open(): Promise<Lane | undefined> {
    if (this.#lanes.size + this.#opening >= MOST_LANES) return undefined
    this.#opening++
    try {
      const socket = await openSocket(this.#session, { protocol: this.#protocol, options: {} })
      if (this.#closed) {
        socket.close()
        throw this.#closed.reason
      }
      const lane = { socket, isLeisurely: false }
      this.#lanes.add(lane)
      return lane
    } catch (error) {
      this.#waiters.shift()?.()
      throw error
    } finally {
      this.#opening--
    }
  }
}
