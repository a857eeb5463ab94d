/** From what a kernel is called to the transport that reaches it. */
import { NetlinkError } from '../errors.ts'
import type { Transport } from './transport.ts'

/**
 * The transport to `kernel`: this machine's when it is absent or `live`, one that another process
 * serves at `unix:PATH`, or a `Kernel` of nlkit's. Linux's transports are loaded only where they
 * are used: a browser has none.
 * @throws NetlinkError NETLINK_KERNEL when that is no kernel, NETLINK_NO_NATIVE, NETLINK_PLATFORM.
 */
export async function transportTo(
  kernel?: { transport(): Transport } | string,
): Promise<Transport> {
  if (kernel === undefined || kernel === 'live') {
    const { afNetlink } = await import('./af-netlink.ts')
    return afNetlink()
  }
  if (typeof kernel === 'string' && kernel.startsWith('unix:')) {
    const { unixTransport } = await import('./unix.ts')
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
