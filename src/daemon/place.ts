/** Where a kernel is served: the path of its socket, taken, repaired and given back. */
import { chmodSync, lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import type { NativeSocket } from '../transport/native-socket.ts'
import { AF_UNIX, SOCK_SEQPACKET, unixAddress } from '../transport/unix-address.ts'

const BACKLOG = 4096
const PRIVATE = 0o700
const PRIVATE_SOCKET = 0o600

/** This process' user. */
export function ownUid(): number {
  return process.getuid?.() ?? 0
}

/** Where a kernel is when nobody says otherwise; the folder need not be there. */
export function defaultPath(
  env: Readonly<Record<string, string | undefined>> = process.env,
  uid: number = ownUid(),
): string {
  const runtime = env.XDG_RUNTIME_DIR || `/run/user/${uid}`
  const folder = isOurs(runtime, uid) ? join(runtime, 'nlkit') : join(tmpdir(), `nlkit-${uid}`)
  return join(folder, 'kernel.sock')
}

function isOurs(folder: string, uid: number): boolean {
  const stats = look(folder)
  return stats?.isDirectory() === true && stats.uid === uid
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

/**
 * Makes the folder of the default path, or sees that it is ours alone.
 * @throws NetlinkError EPERM when it is somebody else's, or open to others.
 */
export function makePrivateFolder(path: string, uid: number = ownUid()): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: PRIVATE })
  const stats = look(folder)
  const isPrivate = stats?.isDirectory() && stats.uid === uid && (stats.mode & 0o077) === 0
  if (isPrivate) return
  throw new NetlinkError('EPERM', {
    message: `${folder} is not a folder of ours alone`,
    hint: `rm -r ${folder}, or another place: --listen PATH`,
  })
}

/** A listening socket, and what to remove when it is closed. */
export interface Claim {
  readonly fd: number
  /** The socket's file is removed, if it is still this one's. Harmless when repeated. */
  release(): void
}

/**
 * Listens at `path`, for us alone. A socket there that nobody serves any more is removed.
 * @throws NetlinkError EADDRINUSE when a kernel is served there, EEXIST when what is there is no
 * socket, EPERM when it is another user's, ENAMETOOLONG, ENOENT, EACCES.
 */
export function claim(native: NativeSocket, path: string): Claim {
  const address = unixAddress(path)
  const fd = native.socket(AF_UNIX, SOCK_SEQPACKET, 0)
  if (fd < 0) throw new NetlinkError(errnoName(fd), { syscall: 'socket' })
  try {
    let bound = bindPrivately(native, fd, address)
    if (errnoOf(bound) === 'EADDRINUSE') {
      removeStale(native, path, address)
      bound = bindPrivately(native, fd, address)
    }
    if (bound < 0) throw refusal(errnoName(bound), path)
    chmodSync(path, PRIVATE_SOCKET)
    const listening = native.listen(fd, BACKLOG)
    if (listening < 0) throw new NetlinkError(errnoName(listening), { syscall: 'listen' })
    return { fd, release: releaser(path) }
  } catch (error) {
    native.close(fd)
    throw error
  }
}

function errnoOf(result: number): string | undefined {
  return result < 0 ? errnoName(result) : undefined
}

/** Nobody else can connect, not even between bind(2) and chmod(2). */
function bindPrivately(native: NativeSocket, fd: number, address: Uint8Array): number {
  const before = process.umask(0o177)
  try {
    return native.bind(fd, address)
  } finally {
    process.umask(before)
  }
}

function refusal(code: string, path: string): NetlinkError {
  if (code === 'EADDRINUSE') return inUse(path)
  const messages: Readonly<Record<string, string>> = {
    ENOENT: `there is no folder ${dirname(path)}`,
    ENOTDIR: `${dirname(path)} is no folder`,
    EACCES: `no socket may be made in ${dirname(path)}`,
  }
  return new NetlinkError(code, { message: messages[code], syscall: `bind ${path}` })
}

function inUse(path: string): NetlinkError {
  return new NetlinkError('EADDRINUSE', {
    message: `a kernel is served at ${path} already`,
    hint: 'nlkit kernel stop, or another place: --listen PATH',
  })
}

/** Removes a socket that nobody listens to. */
function removeStale(native: NativeSocket, path: string, address: Uint8Array): void {
  const found = look(path)
  if (!found) return
  if (!found.isSocket())
    throw new NetlinkError('EEXIST', { message: `${path} is there, and is no socket` })
  const probe = native.socket(AF_UNIX, SOCK_SEQPACKET, 0)
  if (probe < 0) throw new NetlinkError(errnoName(probe), { syscall: 'socket' })
  const answer = errnoOf(native.connect(probe, address))
  native.close(probe)
  if (answer !== 'ECONNREFUSED') {
    if (answer === undefined || answer === 'EAGAIN') throw inUse(path)
    throw new NetlinkError(answer === 'EACCES' ? 'EPERM' : 'EADDRINUSE', {
      message: `the socket ${path} is somebody else's`,
    })
  }
  if (found.uid !== ownUid())
    throw new NetlinkError('EPERM', { message: `the socket ${path} is another user's` })
  if (look(path)?.ino === found.ino) unlinkSync(path)
}

function releaser(path: string): () => void {
  const ours = look(path)?.ino
  let isReleased = false
  return () => {
    if (isReleased) return
    isReleased = true
    if (look(path)?.ino === ours) unlinkSync(path)
  }
}
