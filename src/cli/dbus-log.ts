/** Where a bus's complaints go: the standard error output, the system's log, or both. */
import { loadAddon } from '../transport/addon.ts'
import { AF_UNIX, unixAddress } from '../transport/unix-address.ts'

/** The system logger's socket. */
const SYSTEM_LOG = '/dev/log'
const SOCK_DGRAM = 2
/** LOG_DAEMON | LOG_NOTICE. */
const PRIORITY = (3 << 3) | 5

/**
 * A writer to the system's log, in its logger's lines (RFC 3164); undefined where nobody listens.
 * It says who speaks as dbus-daemon does.
 */
export function systemLog(path: string = SYSTEM_LOG): ((line: string) => void) | undefined {
  const native = loadAddon()
  const fd = native.socket(AF_UNIX, SOCK_DGRAM, 0)
  if (fd < 0) return undefined
  if (native.connect(fd, unixAddress(path)) < 0) {
    native.close(fd)
    return undefined
  }
  const tag = `dbus-daemon[${process.pid}]`
  return (line) => {
    const [, month, day, , time] = new Date().toString().split(' ')
    const date = `${month} ${String(Number(day)).padStart(2)} ${time}`
    native.send(fd, new TextEncoder().encode(`<${PRIORITY}>${date} ${tag}: ${line}`))
  }
}
