/** The way to a served kernel: the connection, and the first answer that comes over it. */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import type { KernelConnection } from './kernel-connection.ts'
import type { NativeSocket } from './native-socket.ts'
import { SO_SNDBUF, SOL_SOCKET } from './options.ts'
import { AF_UNIX, SOCK_SEQPACKET, unixAddress } from './unix-address.ts'
import { AT_PORTID, AT_RESULT, EPROTO, PAYLOAD_MAX, VERSION } from './wire-protocol.ts'

/** Bytes that a connection may hold on its way, as far as the system grants them. */
const SEND_BUFFER = 2 * PAYLOAD_MAX
/** Milliseconds that the kernel has for its first answer. */
const HANDSHAKE = 5000

/** A descriptor that is connected to `path`. @throws NetlinkError NETLINK_KERNEL, or the errno. */
export function connectKernel(native: NativeSocket, path: string): number {
  const address = unixAddress(path)
  const fd = native.socket(AF_UNIX, SOCK_SEQPACKET, 0)
  if (fd < 0) throw new NetlinkError(errnoName(fd), { syscall: 'socket' })
  native.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
  const refused = native.connect(fd, address)
  if (refused >= 0) return fd
  native.close(fd)
  const code = errnoName(refused)
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `no kernel is served at ${path}`,
    ECONNREFUSED: `nobody serves ${path} any more`,
    ENOTSOCK: `${path} is not a socket`,
    EPROTOTYPE: `the socket ${path} is no kernel's`,
  }
  const message = reasons[code]
  if (message === undefined) throw new NetlinkError(code, { syscall: `connect ${path}` })
  throw new NetlinkError('NETLINK_KERNEL', {
    message,
    hint: `nlkit kernel start --listen ${path}`,
  })
}

/** The first answer: whether it is a kernel that speaks as we do, and has such a protocol. */
export async function handshake(
  connection: KernelConnection,
  path: string,
  ask: () => number,
): Promise<void> {
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    connection.close()
  }, HANDSHAKE)
  const answer = connection.call(ask, (view) => ({
    result: view.getInt32(AT_RESULT, true),
    version: view.getUint32(AT_PORTID, true),
  }))
  const { result, version } = await answer
    .catch((cause) => {
      throw new NetlinkError(isOver ? 'NETLINK_TIMEOUT' : 'NETLINK_KERNEL', {
        message: isOver
          ? `the kernel at ${path} has not answered for ${HANDSHAKE / 1000} s`
          : `what serves ${path} has hung up`,
        cause,
      })
    })
    .finally(() => clearTimeout(timer))
  if (result === EPROTO)
    throw new NetlinkError('NETLINK_KERNEL', {
      message: `the kernel at ${path} speaks version ${version}, this nlkit version ${VERSION}`,
      hint: 'the same nlkit at both ends',
    })
  if (result < 0) throw new NetlinkError(errnoName(result), { syscall: 'socket' })
}
