/** What the sockets of one open() share, and how each is opened. */
import { type Extack, isNetlinkError, NetlinkError } from '../errors.ts'
import type { Socket, SocketInit, SocketOptions, Transport } from '../transport/transport.ts'
import { NETLINK_USERSOCK } from '../wire/index.ts'
import type { Dependants } from './dependants.ts'
import type { Tap } from './diagnostics.ts'
import type { Turn } from './loop.ts'
import type { Receiver } from './receiver.ts'

export interface Session {
  readonly transport: Transport
  readonly netns: unknown
  /** Milliseconds that a call waits unless it says otherwise. */
  readonly timeout: number
  readonly onWarning: ((warning: Extack) => void) | undefined
  readonly tap: Tap
  readonly turn: Turn
  readonly receiver: Receiver
  /** What ends with the client. */
  readonly dependants: Dependants
}

/** Opens a socket that explains refusals and checks what it is asked. */
export async function openSocket(
  session: Session,
  init: SocketInit & { readonly options: SocketOptions },
): Promise<Socket> {
  const isAlone = !isBetweenProcesses(init.protocol) && !init.groups?.length
  const all = { netns: session.netns, kernelOnly: isAlone, ...init }
  try {
    return await session.transport.open({
      ...all,
      options: { extAck: true, strictCheck: true, ...init.options },
    })
  } catch (error) {
    if (!isNetlinkError(error, 'ENOPROTOOPT')) throw error
  }
  return openOnOldKernel(session.transport, all)
}

/** Linux before 4.20 lacks strict checking, before 4.12 extacks. */
async function openOnOldKernel(transport: Transport, init: SocketInit): Promise<Socket> {
  const socket = await transport.open(init)
  for (const option of ['extAck', 'strictCheck'] as const) {
    try {
      await socket.setOption(option, true)
    } catch (error) {
      if (isNetlinkError(error, 'ENOPROTOOPT')) continue
      socket.close()
      throw error
    }
  }
  return socket
}

/** Whether processes speak to each other on a protocol; elsewhere only the kernel is heard. */
export function isBetweenProcesses(protocol: number): boolean {
  return protocol === NETLINK_USERSOCK
}

/** The error of a call on something that was closed. */
export function closedError(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'the client is closed' })
}
