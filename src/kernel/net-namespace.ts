/**
 * Network namespaces: all state of a kernel hangs on one.
 *
 * Kernel: net/core/net_namespace.c (Linux 6.12).
 */
import type { UserNamespace } from './credentials.ts'
import type { Kernel } from './kernel.ts'

/** No id (NETNSA_NSID_NOT_ASSIGNED). */
export const NSID_NONE = -1

/** Where processes are that live outside of the kernel: who serves it may know. */
export interface NetFinder {
  /** get_net_ns_by_pid(), as `sender` counts processes; undefined when it is not known. */
  byPid(sender: number, pid: number): Net | undefined
  /** get_net_ns_by_fd(): what the sender's descriptor is. */
  byFd(sender: number, fd: number): Net | undefined
}

/** Hears of an id that a namespace gives to another one, or that is free again. */
export type NsidWatcher = (event: 'new' | 'deleted', id: number, origin?: object) => void

/** A network namespace (struct net). Made by `kernel.addNet()`. */
export class Net {
  readonly kernel: Kernel
  /** Unique in its kernel and never used again (SO_NETNS_COOKIE). */
  readonly cookie: number
  /** Who owns it: capabilities for it count in this user namespace. */
  readonly userNs: UserNamespace
  /** What `ip netns` would call it, until it is deleted. */
  name: string | undefined
  /** Given up by whoever made it; it may live on for the sockets in it. */
  isDeleted = false
  readonly #ids = new Map<Net, number>()
  readonly #cleanup: (net: Net) => void
  #watcher: NsidWatcher | undefined
  #references = 1

  /** `cleanup` runs once, when the last reference is gone. */
  constructor(
    kernel: Kernel,
    cookie: number,
    userNs: UserNamespace,
    name: string | undefined,
    cleanup: (net: Net) => void,
  ) {
    this.kernel = kernel
    this.cookie = cookie
    this.userNs = userNs
    this.name = name
    this.#cleanup = cleanup
  }
  /** Whether nobody holds it any more. */
  get isGone(): boolean {
    return this.#references === 0
  }
  /** get_net(): a socket or another holder keeps it alive. */
  get(): this {
    if (this.#references > 0) this.#references++
    return this
  }
  /** put_net(): the last one out runs the exit of every pernet operation. */
  put(): void {
    if (this.#references === 0 || --this.#references > 0) return
    this.#cleanup(this)
  }
  /** peernet2id(): the id by which `peer` is known here, or -1. */
  nsidOf(peer: Net): number {
    return this.#ids.get(peer) ?? NSID_NONE
  }
  /** get_net_ns_by_id(): the namespace that has this id here. */
  byNsid(nsid: number): Net | undefined {
    for (const [peer, id] of this.#ids) if (id === nsid) return peer
    return undefined
  }
  /**
   * peernet2id_alloc(): gives `peer` an id here, the lowest free one unless `nsid` is given.
   * @returns the id; -1 when `nsid` is taken, `peer` is gone, or has another one already.
   */
  assignNsid(peer: Net, nsid = NSID_NONE, origin?: object): number {
    const known = this.#ids.get(peer)
    if (known !== undefined) return nsid === NSID_NONE || nsid === known ? known : NSID_NONE
    let id = nsid
    if (peer.isGone || (id !== NSID_NONE && this.byNsid(id))) return NSID_NONE
    if (id === NSID_NONE) for (id = 0; this.byNsid(id); id++);
    this.#ids.set(peer, id)
    this.#watcher?.('new', id, origin)
    return id
  }
  /** Forgets the id of a namespace that is gone; the id it had, or -1. */
  forgetNsid(peer: Net): number {
    const id = this.nsidOf(peer)
    if (this.#ids.delete(peer)) this.#watcher?.('deleted', id)
    return id
  }
  /** The namespaces that have an id here, with it, the lowest first. */
  nsids(): [Net, number][] {
    return [...this.#ids].sort(([, a], [, b]) => a - b)
  }
  /** `watcher` hears of ids that are given and lost, and who asked. */
  watchNsids(watcher: NsidWatcher): void {
    this.#watcher = watcher
  }
}
