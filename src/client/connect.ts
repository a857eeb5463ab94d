/** What open() does: finds the transport, makes a client, waits until its first socket is there. */
import { transportTo } from '../transport/choose.ts'
import { Dependants } from './dependants.ts'
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
    transport: await transportTo(kernel),
    netns,
    timeout,
    onWarning,
    tap,
    turn: new Turn(),
    receiver: new Receiver(tap),
    dependants: new Dependants(),
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
