/** Who is at the other end of a Unix socket, as the operating system says. */
import { errnoName } from '../../errno.ts'
import { NetlinkError } from '../../errors.ts'
import type { NativeSocket } from '../../transport/native-socket.ts'
import { SOL_SOCKET } from '../../transport/options.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { PeerCredentials } from '../bus/peer.ts'

const SO_PEERCRED = 17
const SO_PEERSEC = 31
const SO_PEERGROUPS = 59
/** struct ucred: s32 pid, u32 uid, u32 gid. */
const UCRED = 12
/** NGROUPS_MAX is 65,536; most users have a few. */
const GROUPS = [64, 65_536]
const LABEL_BYTES = 4096

/** @throws NetlinkError the errno of getsockopt(2). */
export function peerCredentialsOf(native: NativeSocket, fd: number): PeerCredentials {
  const value = new Uint8Array(UCRED)
  const read = native.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value)
  if (read < 0) throw new NetlinkError(errnoName(read), { syscall: 'getsockopt' })
  const view = new DataView(value.buffer)
  const [pid, uid, gid] = [
    view.getInt32(0, HOST_LE),
    view.getUint32(4, HOST_LE),
    view.getUint32(8, HOST_LE),
  ]
  return { pid, uid, gids: groupsOf(native, fd, gid), label: labelOf(native, fd) }
}

/** The primary group and the others, ascending; undefined where the system does not tell. */
function groupsOf(native: NativeSocket, fd: number, gid: number): number[] | undefined {
  for (const count of GROUPS) {
    const value = new Uint8Array(4 * count)
    const size = native.getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, value)
    if (size < 0) continue
    const view = new DataView(value.buffer)
    const gids = new Set([gid])
    for (let at = 0; at + 4 <= size; at += 4) gids.add(view.getUint32(at, HOST_LE))
    return [...gids].sort((a, b) => a - b)
  }
  return undefined
}

/** With its NUL, as LinuxSecurityLabel has it. */
function labelOf(native: NativeSocket, fd: number): Uint8Array | undefined {
  const value = new Uint8Array(LABEL_BYTES)
  const size = native.getsockopt(fd, SOL_SOCKET, SO_PEERSEC, value)
  if (size <= 0 || size >= value.length) return undefined
  return value.slice(0, value[size - 1] === 0 ? size : size + 1)
}

/** Of this process, as the bus tells who it is itself: the reference tells no groups. */
export function peerCredentialsOfThisProcess(): PeerCredentials {
  return { pid: process.pid, uid: process.getuid?.(), gids: undefined, label: undefined }
}
