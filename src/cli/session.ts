/** The kernel that a command line asks for, opened once and closed at the end. */

import { didYouMean } from '../client/nearest.ts'
import type { Extack, Netlink } from '../index.ts'
import type { Kernel } from '../kernel/index.ts'
import { UsageError } from './exit.ts'

export type Connection = Netlink

/** Which kernel, and where in it. */
export interface Target {
  /** `live`, `embedded` or `unix:PATH`; without a path it is where kernels are served by default. */
  readonly kernel: string
  /** A network namespace's name. */
  readonly netns: string | undefined
  /** Milliseconds that one request may take. */
  readonly timeout: number | undefined
}

/** The kernel that is served where kernels are served by default. */
export const SERVED = 'unix:'

/** The kernel of a command line that names none: NLKIT_KERNEL, else this machine's own. */
export function defaultKernel(env: Readonly<Record<string, string | undefined>>): string {
  return env.NLKIT_KERNEL || (process.platform === 'linux' ? 'live' : 'embedded')
}

async function defaultPath(): Promise<string> {
  const place = await import('../daemon/place.ts')
  return place.defaultPath()
}

/** Opens what it is told to when somebody first asks, and closes all of it. */
export class Session {
  readonly #signal: AbortSignal
  readonly #onWarning: (warning: Extack) => void
  /** The embedded kernel: given, or made here. */
  #kernel: Kernel | undefined
  /** Why there is no way to a kernel, since somebody asked for one in vain. */
  refusal: unknown
  readonly #open = new Map<string, Promise<Connection>>()

  constructor(signal: AbortSignal, onWarning: (warning: Extack) => void, kernel?: Kernel) {
    this.#signal = signal
    this.#onWarning = onWarning
    this.#kernel = kernel
  }

  connect(target: Target): Promise<Connection> {
    const key = JSON.stringify(target)
    let connection = this.#open.get(key)
    if (!connection) {
      connection = this.#connect(target).catch((error: unknown) => {
        this.refusal = error
        throw error
      })
      this.#open.set(key, connection)
    }
    return connection
  }

  async #connect({ kernel, netns, timeout }: Target): Promise<Connection> {
    const { open } = await import('../index.ts')
    const init = { signal: this.#signal, onWarning: this.#onWarning, netns, timeout }
    if (kernel === 'embedded') return open({ ...init, kernel: await this.#embedded() })
    if (kernel === SERVED) return open({ ...init, kernel: `${SERVED}${await defaultPath()}` })
    if (kernel === 'live' || kernel.startsWith(SERVED)) return open({ ...init, kernel })
    throw new UsageError(
      `unknown kernel "${kernel}"`,
      didYouMean(kernel, ['live', 'embedded']) ?? '--kernel live, embedded or unix:PATH',
    )
  }

  async #embedded(): Promise<Kernel> {
    if (!this.#kernel) {
      const { Kernel } = await import('../kernel/index.ts')
      this.#kernel = new Kernel()
    }
    return this.#kernel
  }

  async close(): Promise<void> {
    const connections = [...this.#open.values()]
    this.#open.clear()
    for (const connection of connections) {
      const nl = await connection.catch(() => undefined)
      await nl?.close()
    }
  }
}
