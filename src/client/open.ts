/** The way in: a client to the kernel of this machine, or to one of nlkit's. */
import { type Extack, NetlinkError } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import { Tap } from './diagnostics.ts'
import { Turn, within } from './loop.ts'
import { Netlink } from './netlink.ts'
import { checkTimeout, DEFAULT_TIMEOUT } from './options.ts'
import { timedOut } from './pending.ts'
import { Receiver } from './receiver.ts'

/** Whatever sockets can be opened to: a `Kernel` of nlkit's, or a stand-in. */
export interface KernelLike {
  transport(): Transport
}

export interface OpenOptions {
  /** Which kernel: this machine's unless given. */
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
 * Opens a client. `await using nl = await open()` closes it again.
 * @throws NetlinkError NETLINK_NO_NATIVE, NETLINK_PLATFORM, NETLINK_KERNEL, NETLINK_TIMEOUT, or the
 * errno of socket(2), bind(2), setns(2); or the signal's reason.
 */
export async function open(options: OpenOptions = {}): Promise<Netlink> {
  const { signal } = options
  const timeout = checkTimeout(options.timeout ?? DEFAULT_TIMEOUT)
  signal?.throwIfAborted()
  const tap = new Tap()
  const nl = new Netlink({
    transport: await transportOf(options.kernel),
    netns: options.netns,
    timeout,
    onWarning: options.onWarning,
    tap,
    turn: new Turn(),
    receiver: new Receiver(tap),
  })
  try {
    const expired = () => timedOut('open', timeout)
    await within({ signal, timeout, expired }, () => nl.ready())
  } catch (error) {
    await nl.close(error)
    throw error
  }
  signal?.addEventListener('abort', () => void nl.close(signal.reason), { once: true })
  return nl
}

async function transportOf(kernel: KernelLike | string | undefined): Promise<Transport> {
  if (kernel === undefined || kernel === 'live') {
    const { afNetlink } = await import('../transport/af-netlink.ts')
    return afNetlink()
  }
  if (typeof kernel === 'object' && typeof kernel?.transport === 'function')
    return kernel.transport()
  throw noSuchKernel(kernel)
}

function noSuchKernel(kernel: unknown): NetlinkError {
  const scheme = typeof kernel === 'string' ? /^(unix|nats):/.exec(kernel)?.[1] : undefined
  const message = scheme
    ? `kernels at ${scheme}: come in a later version`
    : `${typeof kernel === 'string' ? JSON.stringify(kernel) : String(kernel)} is no kernel`
  const hint = "open() takes this machine's kernel, or a Kernel of nlkit/kernel as { kernel }"
  return new NetlinkError('NETLINK_KERNEL', { message, hint })
}
