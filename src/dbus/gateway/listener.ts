/** Where a bus listens: Unix stream sockets, made as an address says and given back when it ends. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errnoName } from '../../errno.ts'
import { NetlinkError } from '../../errors.ts'
import type { NativeSocket } from '../../transport/native-socket.ts'
import { AF_UNIX, abstractAddress, SOCK_STREAM, unixAddress } from '../../transport/unix-address.ts'
import { type BusAddress, escapeValue, parseAddresses } from '../address.ts'

const BACKLOG = 4096
/** Anybody may connect; who is let in is the policy's business. */
const OPEN_TO_ALL = 0o777
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const TRIES = 16

/** A socket that listens. */
export interface Listening {
  readonly fd: number
  /** How clients write it, without guid: `unix:path=/tmp/dbus-x`. */
  readonly address: string
  /** Removes the socket's file, if it is still this one's. Harmless when repeated. */
  release(): void
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10))
  return `dbus-${Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join('')}`
}

function listenOn(native: NativeSocket, address: Uint8Array, what: string): number {
  const fd = native.socket(AF_UNIX, SOCK_STREAM, 0)
  if (fd < 0) throw new NetlinkError(errnoName(fd), { syscall: 'socket' })
  const bound = native.bind(fd, address)
  const result = bound < 0 ? bound : native.listen(fd, BACKLOG)
  if (result >= 0) return fd
  native.close(fd)
  throw new NetlinkError(errnoName(result), {
    message: `the bus cannot listen at ${what}: ${errnoName(result)}`,
    syscall: bound < 0 ? 'bind' : 'listen',
  })
}

function inode(path: string): number | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats?.isSocket() ? stats.ino : undefined
}

/** As the reference does, a socket that is there is replaced. */
function listenAtPath(native: NativeSocket, path: string): Listening {
  const address = unixAddress(path)
  if (inode(path) !== undefined) unlinkSync(path)
  const fd = listenOn(native, address, path)
  chmodSync(path, OPEN_TO_ALL)
  let ours = inode(path)
  return {
    fd,
    address: `unix:path=${escapeValue(path)}`,
    release() {
      try {
        if (ours !== undefined && inode(path) === ours) unlinkSync(path)
      } catch {
        // The bus has become a user who may not.
      }
      ours = undefined
    },
  }
}

function listenAbstract(native: NativeSocket, name: string): Listening {
  const fd = listenOn(native, abstractAddress(name), `@${name}`)
  return { fd, address: `unix:abstract=${escapeValue(name)}`, release: () => undefined }
}

/** At a name that nobody has yet. */
function listenInFolder(native: NativeSocket, folder: string): Listening {
  for (let tries = TRIES; ; tries--) {
    const path = join(folder, randomName())
    if (tries === 0 || !lstatSync(path, { throwIfNoEntry: false }))
      return listenAtPath(native, path)
  }
}

function listenAt(
  native: NativeSocket,
  { transport, keys }: BusAddress,
  env: Readonly<Record<string, string | undefined>>,
): Listening {
  if (transport !== 'unix')
    throw new NetlinkError('EPROTONOSUPPORT', {
      message: `a bus does not listen at "${transport}:" addresses`,
      hint: 'unix:path=, unix:abstract=, unix:dir=, unix:tmpdir= or unix:runtime=yes',
    })
  const [path, name, folder] = [keys.get('path'), keys.get('abstract'), keys.get('dir')]
  const given = ['path', 'abstract', 'dir', 'tmpdir', 'runtime'].filter((key) => keys.has(key))
  if (given.length !== 1)
    throw new NetlinkError('NETLINK_INVALID', {
      message: 'a unix: address has one of path, abstract, dir, tmpdir and runtime',
    })
  if (path !== undefined) return listenAtPath(native, path)
  if (name !== undefined) return listenAbstract(native, name)
  if (given[0] !== 'runtime') return listenInFolder(native, folder ?? keys.get('tmpdir')!)
  const runtime = env.XDG_RUNTIME_DIR
  if (keys.get('runtime') === 'yes' && runtime) return listenAtPath(native, join(runtime, 'bus'))
  throw new NetlinkError('NETLINK_INVALID', {
    message: 'unix:runtime=yes needs the folder that XDG_RUNTIME_DIR names',
  })
}

/**
 * Listens at every address of `texts`, or at the first of those that one text lists.
 * @throws NetlinkError for an address that is none, or cannot be had; then none is taken.
 */
export function listenAtAll(
  native: NativeSocket,
  texts: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Listening[] {
  const listening: Listening[] = []
  try {
    for (const text of texts)
      for (const address of parseAddresses(text)) listening.push(listenAt(native, address, env))
  } catch (error) {
    for (const { fd, release } of listening) {
      native.close(fd)
      release()
    }
    throw error
  }
  return listening
}
