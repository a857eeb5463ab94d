/** Where a bus is: its address as the path of a Unix socket, and the addresses that everybody knows. */
import { NetlinkError } from '../../errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The path that `unix:path=…` or `unix:abstract=…` names; an abstract one begins with NUL.
 * @throws NetlinkError NETLINK_INVALID
 */
export function socketPath(address: string): string {
  const [, rest] = /^unix:(.*)$/.exec(address) ?? []
  const keys = new Map((rest ?? '').split(',').map((pair) => splitPair(pair)))
  const path = keys.get('path')
  if (path !== undefined) return path
  const abstract = keys.get('abstract')
  if (abstract !== undefined) return `\0${abstract}`
  throw new NetlinkError('NETLINK_INVALID', {
    message: `"${address}" is no address of a bus that can be reached`,
    hint: 'such as unix:path=/run/user/1000/bus',
  })
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=')
  const value = pair.slice(at + 1)
  return [pair.slice(0, at), value.replace(/%([\da-fA-F]{2})/g, (_, hex) => byteOf(hex))]
}

function byteOf(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16))
}

/** The session bus of `env`'s user. */
export function sessionAddress(env: Environment): string {
  const { DBUS_SESSION_BUS_ADDRESS: given, XDG_RUNTIME_DIR: runtime } = env
  if (given) return given
  if (runtime) return `unix:path=${runtime}/bus`
  throw new NetlinkError('NETLINK_CLOSED', {
    message: 'there is no session bus: DBUS_SESSION_BUS_ADDRESS is not set',
    hint: 'nlkit dbus run -- CMD has one of its own; --address names another',
  })
}

/** The system bus. */
export function systemAddress(env: Environment): string {
  return env.DBUS_SYSTEM_BUS_ADDRESS || 'unix:path=/run/dbus/system_bus_socket'
}
