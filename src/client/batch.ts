/** Many changes at once: few acknowledgements, and one answer for all of them. */
import type { Endpoint } from './endpoint.ts'
import { AddressDoor } from './route/address.ts'
import { Links } from './route/door.ts'
import { LinkDoor } from './route/link.ts'
import { NeighbourDoor } from './route/neighbour.ts'
import { RouteDoor } from './route/route.ts'
import { RuleDoor } from './route/rule.ts'

/** The doors of a batch. Their calls need not be awaited: the batch waits for them. */
export interface BatchDoors {
  readonly links: LinkDoor
  readonly addresses: AddressDoor
  readonly routes: RouteDoor
  readonly neighbours: NeighbourDoor
  readonly rules: RuleDoor
}

export interface BatchOptions {
  /** Told of each change that failed, and where it stood among them, from 0; may throw. */
  readonly onError?: ((error: unknown, index: number) => void) | undefined
}

/** Calls whose outcome nobody has looked at yet. */
class Calls {
  made = 0
  done = 0
  #open = 0
  #first: { readonly index: number; readonly error: unknown } | undefined
  #wake: (() => void) | undefined
  readonly #onError: BatchOptions['onError']

  constructor(onError: BatchOptions['onError']) {
    this.#onError = onError
  }

  /** Follows a call of a door, which a look-up may delay. */
  readonly follow = (call: Promise<unknown>): void => {
    const index = this.made++
    this.#open++
    const failed = (error: unknown): void => {
      try {
        if (this.#onError) this.#onError(error, index)
        else this.#fail(error, index)
      } catch (thrown) {
        this.#fail(thrown, index)
      }
    }
    call
      .then(() => this.done++, failed)
      .finally(() => {
        this.#open--
        if (this.#open === 0) this.#wake?.()
      })
  }
  #fail(error: unknown, index: number): void {
    if (this.#first === undefined || index < this.#first.index) this.#first = { index, error }
  }
  async settled(): Promise<void> {
    while (this.#open > 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    if (this.#first !== undefined) throw this.#first.error
  }
}

/** A door whose calls are followed. */
function followed<T extends object>(door: T, follow: (call: Promise<unknown>) => void): T {
  return new Proxy(door, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function' || name === 'get') return member
      return (...args: unknown[]) => {
        const result: unknown = member.apply(target, args)
        if (result instanceof Promise) follow(result)
        return result
      }
    },
  })
}

/** Netlink.batch(). */
export async function runBatch(
  endpoint: Endpoint,
  work: (doors: BatchDoors) => unknown,
  { onError }: BatchOptions,
): Promise<number> {
  const calls = new Calls(onError)
  const links = new Links(endpoint.quiet())
  const { follow } = calls
  let failure: { readonly error: unknown } | undefined
  try {
    await work({
      links: followed(new LinkDoor(links), follow),
      addresses: followed(new AddressDoor(links), follow),
      routes: followed(new RouteDoor(links), follow),
      neighbours: followed(new NeighbourDoor(links), follow),
      rules: followed(new RuleDoor(links), follow),
    })
  } catch (error) {
    failure = { error }
  }
  await calls.settled().catch((error) => {
    failure ??= { error }
  })
  if (failure) throw failure.error
  return calls.done
}
