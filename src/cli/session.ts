/** The kernel that a command line asks for, opened once and closed at the end. */
import { NetlinkError } from '../errors.ts'
import type { open as openConnection } from '../index.ts'
import type { Kernel } from '../kernel/index.ts'
import { UsageError } from './exit.ts'
import { didYouMean } from './suggest.ts'

export type Connection = Awaited<ReturnType<typeof openConnection>>

/** Which kernel, and where in it. */
export interface Target {
  /** `live`, `embedded` or `unix:PATH`. */
  readonly kernel: string
  /** A network namespace's name. */
  readonly netns: string | undefined
  /** Milliseconds that one request may take. */
  readonly timeout: number | undefined
}

/** The kernel of a command line that names none: NLKIT_KERNEL, else this machine's own. */
export function defaultKernel(env: Readonly<Record<string, string | undefined>>): string {
  return env.NLKIT_KERNEL || (process.platform === 'linux' ? 'live' : 'embedded')
}

/** Opens what it is told to when somebody first asks, and closes all of it. */
export class Session {
  readonly #signal: AbortSignal
  /** The embedded kernel: given, or made here. */
  #kernel: Kernel | undefined
  readonly #open = new Map<string, Promise<Connection>>()

  constructor(signal: AbortSignal, kernel?: Kernel) {
    this.#signal = signal
    this.#kernel = kernel
  }

  connect(target: Target): Promise<Connection> {
    const key = JSON.stringify(target)
    let connection = this.#open.get(key)
    if (!connection) {
      connection = this.#connect(target)
      this.#open.set(key, connection)
    }
    return connection
  }

  async #connect({ kernel, netns, timeout }: Target): Promise<Connection> {
    const { open } = await import('../index.ts')
    const init = {
      signal: this.#signal,
      ...(netns === undefined ? {} : { netns }),
      ...(timeout === undefined ? {} : { timeout }),
    }
    if (kernel === 'live') return open(init)
    if (kernel === 'embedded') return open({ ...init, kernel: await this.#embedded() })
    if (kernel.startsWith('unix:'))
      throw new NetlinkError('NETLINK_KERNEL', {
        message: 'A kernel on a Unix socket comes in a later version',
        hint: 'today there is --kernel live and --kernel embedded',
      })
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
