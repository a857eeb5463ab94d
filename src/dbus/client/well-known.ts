/** The addresses of buses that everybody knows, and the socket that an address names. */
import { NetlinkError } from '../../errors.ts'
import { type BusAddress, escapeValue } from '../address.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The path that `unix:path=…` or `unix:abstract=…` names; an abstract one begins with NUL.
 * @throws NetlinkError NETLINK_INVALID: of another transport, or with neither.
 */
export function socketPath({ transport, keys }: BusAddress): string {
  const path = keys.get('path')
  const abstract = keys.get('abstract')
  if (transport === 'unix' && path !== undefined) return path
  if (transport === 'unix' && abstract !== undefined) return `\0${abstract}`
  throw new NetlinkError('NETLINK_INVALID', {
    message: `"${transport}:${[...keys.keys()].join(',')}" is no address of a bus that can be reached`,
    hint: 'such as unix:path=/run/user/1000/bus',
  })
}

/** The session bus of `env`'s user. */
export function sessionAddress(env: Environment): string {
  const { DBUS_SESSION_BUS_ADDRESS: given, XDG_RUNTIME_DIR: runtime } = env
  if (given) return given
  if (runtime) return `unix:path=${escapeValue(runtime)}/bus`
  throw new NetlinkError('NETLINK_CLOSED', {
    message: 'there is no session bus: DBUS_SESSION_BUS_ADDRESS is not set',
    hint: 'nlkit dbus run -- CMD has one of its own; --address names another',
  })
}

/** The system bus. */
export function systemAddress(env: Environment): string {
  return env.DBUS_SYSTEM_BUS_ADDRESS || 'unix:path=/run/dbus/system_bus_socket'
}
