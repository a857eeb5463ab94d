/** One netlink protocol of one kernel: its requests, its dumps. */
import type { Call } from './call.ts'
import { Connection } from './connection.ts'
import type { DumpOptions } from './cursor.ts'
import { Dump } from './dump.ts'
import type { DumpRequest } from './dump-reader.ts'
import { DumpLanes } from './lanes.ts'
import type { RequestOptions } from './options.ts'
import type { Rescue } from './pending.ts'
import type { Session } from './session.ts'

/** What a dump asks for: a value for the call, or a promise of one, and what to make of items. */
export interface Listing<T> {
  readonly value: () => unknown
  readonly map?: (item: never) => T | undefined
  /** Whether items are read in part, and the rest when it is asked for. */
  readonly isDeferred?: boolean
  /** Errors that mean an empty table. */
  readonly isEmpty?: (error: unknown) => boolean
  /** Errors that may mean an old number: `value` is called again, and it is asked once more. */
  readonly isStale?: (error: unknown) => boolean
}

export class Endpoint {
  readonly session: Session
  readonly protocol: number
  readonly #connection: Connection
  readonly #lanes: DumpLanes

  constructor(session: Session, protocol: number) {
    this.session = session
    this.protocol = protocol
    this.#connection = new Connection(session, protocol)
    this.#lanes = new DumpLanes(session, protocol)
  }
  /** @throws NetlinkError when its socket cannot be opened. */
  ready(): Promise<void> {
    return this.#connection.ready()
  }
  /** Asks; `rescue` may answer in the place of a refusal. */
  request(call: Call, value: unknown, options?: RequestOptions, rescue?: Rescue): Promise<unknown> {
    return this.#connection.request(call, value, options, rescue)
  }
  dump<T>(
    call: Call | (() => Call),
    { value, map, isDeferred = false, isEmpty, isStale }: Listing<T>,
    options: DumpOptions & { readonly flags?: number | undefined } = {},
  ): Dump<T> {
    const { flags = 0 } = options
    return new Dump({
      session: this.session,
      lanes: this.#lanes,
      options,
      prepare: async (): Promise<DumpRequest<T>> => ({
        value: await value(),
        call: typeof call === 'function' ? call() : call,
        flags,
        isDeferred,
        map: map as ((item: unknown) => T | undefined) | undefined,
      }),
      ...(isStale ? { isStale } : {}),
      ...(isEmpty ? { isEmpty } : {}),
    })
  }
  /** The same endpoint for a batch: changes are acknowledged together. */
  quiet(): Endpoint {
    const quiet = Object.create(this) as Endpoint
    quiet.request = (call, value, options, rescue) =>
      this.request(call, value, call.read ? options : { ...options, isQuiet: true }, rescue)
    quiet.dump = (call, listing, options) => this.dump(call, listing, options)
    return quiet
  }
  close(reason?: unknown): void {
    this.#connection.close(reason)
    this.#lanes.close(reason)
  }
}
