/** The way in. What it opens is loaded when it is called, so that importing nlkit costs little. */
import type { Extack } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import type { Netlink } from './netlink.ts'

/** Whatever sockets can be opened to: a `Kernel` of nlkit's, or a stand-in. */
export interface KernelLike {
  transport(): Transport
}

export interface OpenOptions {
  /** Which kernel: this machine's unless given; `unix:PATH` is one that another process serves. */
  readonly kernel?: KernelLike | string | undefined
  /** Live kernel: a name, a path, a pid or a descriptor. nlkit's kernel: a name or a `Net`. */
  readonly netns?: unknown
  /** Gives up opening; aborted later it closes the client, and calls reject with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds that each call waits for the kernel unless it says otherwise: 5,000, or this. */
  readonly timeout?: number | undefined
  /** Told of an extack on success, where the call names nobody: what the kernel warns of. */
  readonly onWarning?: ((warning: Extack) => void) | undefined
}

/**
 * Opens a client to the kernel of this machine, or to one of nlkit's. `await using nl = await
 * open()` closes it again.
 * @throws NetlinkError NETLINK_NO_NATIVE, NETLINK_PLATFORM, NETLINK_KERNEL, NETLINK_TIMEOUT, or the
 * errno of socket(2), bind(2), setns(2); or the signal's reason.
 */
export async function open(options: OpenOptions = {}): Promise<Netlink> {
  options.signal?.throwIfAborted()
  const { connect } = await import('./connect.ts')
  return connect(options)
}
