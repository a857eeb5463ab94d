/** What open() does: finds the transport, makes a client, waits until its first socket is there. */
import { NetlinkError } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import { Tap } from './diagnostics.ts'
import { Turn, within } from './loop.ts'
import { Netlink } from './netlink.ts'
import type { OpenOptions } from './open.ts'
import { checkTimeout, DEFAULT_TIMEOUT } from './options.ts'
import { timedOut } from './pending.ts'
import { Receiver } from './receiver.ts'

/** open(), without its loading. */
export async function connect(options: OpenOptions): Promise<Netlink> {
  const { signal, kernel, netns, onWarning } = options
  const timeout = checkTimeout(options.timeout ?? DEFAULT_TIMEOUT)
  const tap = new Tap()
  const session = {
    transport: await transportOf(kernel),
    netns,
    timeout,
    onWarning,
    tap,
    turn: new Turn(),
    receiver: new Receiver(tap),
  }
  const nl = new Netlink(session, signal)
  try {
    const expired = () => timedOut('open', timeout)
    await within({ signal, timeout, expired }, () => nl.ready())
  } catch (error) {
    await nl.close(error)
    throw error
  }
  return nl
}

/** Linux's transports are loaded only where they are used: a browser has none. */
async function transportOf(kernel: OpenOptions['kernel']): Promise<Transport> {
  if (kernel === undefined || kernel === 'live') {
    const { afNetlink } = await import('../transport/af-netlink.ts')
    return afNetlink()
  }
  if (typeof kernel === 'string' && kernel.startsWith('unix:')) {
    const { unixTransport } = await import('../transport/unix.ts')
    return unixTransport(kernel.slice('unix:'.length))
  }
  if (typeof kernel === 'object' && typeof kernel?.transport === 'function')
    return kernel.transport()
  throw noSuchKernel(kernel)
}

function noSuchKernel(kernel: unknown): NetlinkError {
  const scheme = typeof kernel === 'string' ? /^(nats):/.exec(kernel)?.[1] : undefined
  const message = scheme
    ? `kernels at ${scheme}: come in a later version`
    : `${typeof kernel === 'string' ? JSON.stringify(kernel) : String(kernel)} is no kernel`
  const hint = "open() takes this machine's kernel, a Kernel of nlkit/kernel, or 'unix:PATH'"
  return new NetlinkError('NETLINK_KERNEL', { message, hint })
}
