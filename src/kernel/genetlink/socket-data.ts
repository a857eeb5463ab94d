/**
 * What a family keeps for each socket that asks it: made when it is first wanted, gone with the
 * socket, and with the family.
 *
 *   const seen = new SocketData(() => ({ requests: 0 }))
 *   kernel.genl.registerFamily(doors, {
 *     open: { doit: (_, ctx) => void seen.of(ctx).requests++ },
 *   }, { socketData: seen })
 *
 * Kernel: net/netlink/genetlink.c genl_sk_priv_get(), genl_release(), genl_sk_privs_free()
 * (Linux 6.12): family->sock_priv_size, sock_priv_init, sock_priv_destroy.
 */
import type { RequestContext } from '../netlink/context.ts'
import type { NetlinkSock } from '../netlink/sock.ts'

/** What generic netlink has to know of it. */
export interface KeptForSockets {
  /** A socket closes. */
  release(sock: NetlinkSock): void
  /** The family goes. */
  clear(): void
}

export class SocketData<T> implements KeptForSockets {
  readonly #init: (ctx: RequestContext) => T
  readonly #destroy: ((data: T) => void) | undefined
  readonly #all = new Map<NetlinkSock, T>()

  /** `destroy` is called once for what `init` made. */
  constructor(init: (ctx: RequestContext) => T, destroy?: (data: T) => void) {
    this.#init = init
    this.#destroy = destroy
  }

  /** How many sockets have some. */
  get size(): number {
    return this.#all.size
  }

  /** What belongs to the sender of a request. */
  of(ctx: RequestContext): T {
    const known = this.#all.get(ctx.sender)
    if (known !== undefined || this.#all.has(ctx.sender)) return known as T
    const data = this.#init(ctx)
    if (!ctx.sender.isClosed) this.#all.set(ctx.sender, data)
    else this.#destroy?.(data)
    return data
  }

  release(sock: NetlinkSock): void {
    if (!this.#all.has(sock)) return
    const data = this.#all.get(sock) as T
    this.#all.delete(sock)
    this.#destroy?.(data)
  }
  clear(): void {
    for (const sock of [...this.#all.keys()]) this.release(sock)
  }
}
