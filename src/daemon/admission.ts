/** Who is let in, and as whom: the credentials that the operating system vouches for. */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import type { Credentials } from '../kernel/credentials.ts'
import type { NativeSocket } from '../transport/native-socket.ts'
import { SOL_SOCKET } from '../transport/options.ts'
import { HOST_LE } from '../wire/order.ts'

const SO_PEERCRED = 17
/** struct ucred: s32 pid, u32 uid, u32 gid. */
const UCRED = 12

/**
 * Credentials of the process that connected `fd`, as they were when it did. The kernel's owner has
 * all capabilities in it, as root has on a machine of its own; others have none.
 * @throws NetlinkError the errno of getsockopt(2).
 */
export function peerCredentials(native: NativeSocket, fd: number, owner: number): Credentials {
  const value = new Uint8Array(UCRED)
  const read = native.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value)
  if (read < 0) throw new NetlinkError(errnoName(read), { syscall: 'getsockopt' })
  const view = new DataView(value.buffer)
  const uid = view.getUint32(4, HOST_LE)
  return {
    pid: view.getInt32(0, HOST_LE),
    uid,
    gid: view.getUint32(8, HOST_LE),
    capabilities: uid === owner ? 'all' : new Set(),
  }
}
