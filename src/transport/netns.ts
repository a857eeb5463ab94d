/** Network namespaces of the live kernel: found by name, path or pid, and made anew. */
import { closeSync, constants, openSync } from 'node:fs'
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import { loadAddon } from './addon.ts'
import type { NativeSocket } from './native-socket.ts'
import { invalid, isUnsigned } from './options.ts'

/** Where `ip netns add` keeps namespaces. */
const NAMED = '/var/run/netns'
/** A FIFO at the path must not block us. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK
const EPERM = -1
const EBADF = -9
const EINVAL = -22

/** A network namespace that lives as long as it is open, or a socket in it is. */
export interface Netns {
  readonly fd: number
  /** For other programs, as in `nsenter --net=PATH ip link`, while it is open. */
  readonly path: string
  /** Harmless when repeated. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * Makes a network namespace. The calling thread stays in its own.
 * @throws NetlinkError EPERM without CAP_SYS_ADMIN, and what loadAddon() throws.
 */
export function newNetns(native: NativeSocket = loadAddon()): Netns {
  const fd = native.newNetns()
  if (fd < 0)
    throw new NetlinkError(errnoName(fd), {
      syscall: 'unshare',
      hint: fd === EPERM ? 'a network namespace needs root, or: unshare -Urn' : undefined,
    })
  let isOpen = true
  const close = (): void => {
    if (isOpen) native.close(fd)
    isOpen = false
  }
  return { fd, path: `/proc/${process.pid}/fd/${fd}`, close, [Symbol.dispose]: close }
}

/** Where a namespace is, and what to call it in an error. */
interface Place {
  readonly words: string
  readonly path?: string
  readonly fd?: number
  readonly isProcess?: boolean
}

function placeOf(netns: unknown): Place {
  if (typeof netns === 'number') {
    if (!isUnsigned(netns, 0x7fffffff) || netns === 0) throw invalid(`${netns} is no process id`)
    return { words: `process ${netns}`, path: `/proc/${netns}/ns/net`, isProcess: true }
  }
  if (typeof netns === 'string') {
    if (netns === '' || netns.includes('\0')) throw invalid('the name of a namespace is empty')
    if (netns.includes('/')) return { words: netns, path: netns }
    return { words: `network namespace ${netns}`, path: `${NAMED}/${netns}` }
  }
  const fd = (netns as { fd?: unknown } | null)?.fd
  if (!isUnsigned(fd, 0x7fffffff))
    throw invalid('netns is a name, a path, a process id or { fd } of a network namespace')
  return { words: `descriptor ${fd}`, fd }
}

/**
 * A socket in the namespace `netns`: a name, a path, a pid or an object with an `fd`.
 * @returns a descriptor of the addon's.
 * @throws NetlinkError ENOENT or ESRCH when there is no such namespace, EINVAL when it is something
 * else, EPERM, EACCES, NETLINK_INVALID.
 */
export function socketIn(
  native: NativeSocket,
  netns: unknown,
  [domain, type, protocol]: readonly [domain: number, type: number, protocol: number],
): number {
  const place = placeOf(netns)
  const fd = place.fd ?? openPlace(place)
  try {
    const socket = native.socket(domain, type, protocol, fd)
    const refusal = socket < 0 ? refusalOf(socket, place) : undefined
    if (refusal) throw refusal
    return socket
  } finally {
    if (place.fd === undefined) closeSync(fd)
  }
}

function openPlace(place: Place): number {
  try {
    return openSync(place.path!, OPEN_FLAGS)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'EIO'
    const isGone = code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR'
    throw new NetlinkError(isGone && place.isProcess ? 'ESRCH' : code, {
      message: isGone ? `${place.words} does not exist` : undefined,
      syscall: isGone ? undefined : `open ${place.path}`,
      hint: openHint(code, isGone, place),
      cause,
    })
  }
}

function openHint(code: string, isGone: boolean, place: Place): string | undefined {
  if (code === 'EACCES') return 'another namespace is entered by root, or by who made it'
  if (!isGone) return undefined
  if (place.isProcess) return 'the process has ended'
  return place.words === place.path
    ? 'namespaces are found at /var/run/netns/NAME and /proc/PID/ns/net'
    : '`ip netns list` shows the names; a path has a slash in it'
}

/** What setns(2) says of `place`; undefined when the failure is socket(2)'s. */
function refusalOf(errno: number, place: Place): NetlinkError | undefined {
  const message =
    errno === EINVAL
      ? `${place.words} is not a network namespace`
      : errno === EBADF
        ? `${place.words} is not open`
        : undefined
  if (message) return new NetlinkError(errnoName(errno), { message })
  if (errno !== EPERM) return undefined
  return new NetlinkError('EPERM', {
    syscall: 'setns',
    hint: 'entering a network namespace needs CAP_SYS_ADMIN there and here: root, or: unshare -Urn',
  })
}
