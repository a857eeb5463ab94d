/** org.freedesktop.DBus: who a connection is, as the operating system says. */
import { BUS_NAME } from '../bus/bus-name.ts'
import { BusError } from '../bus/errors.ts'
import type { PeerCredentials } from '../bus/peer.ts'
import { Variant } from '../message/index.ts'
import type { Call, Method } from './method.ts'

/** The credentials of a name's owner, or of the bus; `what` is what the refusal says of them. */
function credentialsOf({ bus, args }: Call, what: string): PeerCredentials {
  const [name] = args as [string]
  if (name === BUS_NAME) return bus.credentials
  const peer = bus.lookup(name)
  if (peer) return peer.credentials
  throw new BusError('NameHasNoOwner', `Could not get ${what} of name '${name}': no such name`)
}

const getConnectionUnixUser: Method = {
  takes: ['s'],
  gives: ['u'],
  isStill: true,
  handle(call) {
    const { uid } = credentialsOf(call, 'UID')
    if (uid === undefined)
      throw new BusError('Failed', `Could not determine UID for '${String(call.args[0])}'`)
    return [uid]
  },
}

const getConnectionUnixProcessId: Method = {
  takes: ['s'],
  gives: ['u'],
  isStill: true,
  handle(call) {
    const { pid } = credentialsOf(call, 'PID')
    if (pid === undefined)
      throw new BusError(
        'UnixProcessIdUnknown',
        `Could not determine PID for '${String(call.args[0])}'`,
      )
    return [pid]
  },
}

const getConnectionCredentials: Method = {
  takes: ['s'],
  gives: ['a{sv}'],
  isStill: true,
  handle(call) {
    const { uid, pid, gids, label } = credentialsOf(call, 'credentials')
    const entries: [string, Variant][] = []
    if (pid !== undefined) entries.push(['ProcessID', new Variant('u', pid)])
    if (uid !== undefined) entries.push(['UnixUserID', new Variant('u', uid)])
    if (gids !== undefined) entries.push(['UnixGroupIDs', new Variant('au', gids)])
    if (label !== undefined) entries.push(['LinuxSecurityLabel', new Variant('ay', label)])
    return [new Map(entries)]
  },
}

const getAdtAuditSessionData: Method = {
  takes: ['s'],
  gives: ['ay'],
  handle(call) {
    credentialsOf(call, 'audit session data')
    throw new BusError(
      'AdtAuditDataUnknown',
      `Could not determine audit session data for '${String(call.args[0])}'`,
    )
  },
}

const getConnectionSelinuxSecurityContext: Method = {
  takes: ['s'],
  gives: ['ay'],
  handle(call) {
    credentialsOf(call, 'security context')
    throw new BusError(
      'SELinuxSecurityContextUnknown',
      `Could not determine security context for '${String(call.args[0])}'`,
    )
  },
}

export const connectionMethods = {
  GetConnectionUnixUser: getConnectionUnixUser,
  GetConnectionUnixProcessID: getConnectionUnixProcessId,
  GetAdtAuditSessionData: getAdtAuditSessionData,
  GetConnectionSELinuxSecurityContext: getConnectionSelinuxSecurityContext,
  GetConnectionCredentials: getConnectionCredentials,
} as const
