/** The bus's own object: finds the method that is called, judges the call, sends the answer. */
import type { Bus, Driver } from '../bus/bus.ts'
import { BUS_NAME, BUS_PATH } from '../bus/bus-name.ts'
import { BusError } from '../bus/errors.ts'
import type { Peer } from '../bus/peer.ts'
import { type Header, readBody } from '../message/index.ts'
import { connectionMethods } from './connections.ts'
import { describeBus } from './introspection.ts'
import type { Interface, Method } from './method.ts'
import { nameMethods } from './names.ts'
import { PROPERTIES, properties } from './properties.ts'
import { monitoring, ruleMethods } from './rules.ts'
import { stats } from './stats.ts'

const updateActivationEnvironment: Method = {
  takes: ['a{ss}'],
  gives: [],
  privileged: true,
  handle({ bus, header, args }) {
    if (header.path !== BUS_PATH)
      throw new BusError(
        'AccessDenied',
        `Method 'UpdateActivationEnvironment' is only available at the canonical object path '${BUS_PATH}'`,
      )
    bus.activation.setEnvironment(args[0] as ReadonlyMap<string, string>)
    return []
  },
}

const reloadConfig: Method = {
  takes: [],
  gives: [],
  handle({ bus }) {
    bus.reload()
    return []
  },
}

const getId: Method = {
  takes: [],
  gives: ['s'],
  isStill: true,
  handle: ({ bus }) => [bus.guid],
}

/** In the order in which Introspect shows them. */
const core: Interface = {
  name: BUS_NAME,
  methods: {
    Hello: nameMethods.Hello,
    RequestName: nameMethods.RequestName,
    ReleaseName: nameMethods.ReleaseName,
    StartServiceByName: nameMethods.StartServiceByName,
    UpdateActivationEnvironment: updateActivationEnvironment,
    NameHasOwner: nameMethods.NameHasOwner,
    ListNames: nameMethods.ListNames,
    ListActivatableNames: nameMethods.ListActivatableNames,
    AddMatch: ruleMethods.AddMatch,
    RemoveMatch: ruleMethods.RemoveMatch,
    GetNameOwner: nameMethods.GetNameOwner,
    ListQueuedOwners: nameMethods.ListQueuedOwners,
    GetConnectionUnixUser: connectionMethods.GetConnectionUnixUser,
    GetConnectionUnixProcessID: connectionMethods.GetConnectionUnixProcessID,
    GetAdtAuditSessionData: connectionMethods.GetAdtAuditSessionData,
    GetConnectionSELinuxSecurityContext: connectionMethods.GetConnectionSELinuxSecurityContext,
    ReloadConfig: reloadConfig,
    GetId: getId,
    GetConnectionCredentials: connectionMethods.GetConnectionCredentials,
  },
  properties: PROPERTIES,
  signals: {
    NameOwnerChanged: ['s', 's', 's'],
    NameLost: ['s'],
    NameAcquired: ['s'],
    ActivatableServicesChanged: [],
  },
  anyPath: true,
}

const introspectable: Interface = {
  name: 'org.freedesktop.DBus.Introspectable',
  methods: {
    Introspect: {
      takes: [],
      gives: ['s'],
      handle: ({ header }) => [describeBus(INTERFACES, header.path!)],
    },
  },
  anyPath: true,
}

const peerInterface: Interface = {
  name: 'org.freedesktop.DBus.Peer',
  methods: {
    GetMachineId: { takes: [], gives: ['s'], handle: ({ bus }) => [bus.machineId()] },
    Ping: { takes: [], gives: [], isStill: true, handle: () => [] },
  },
  anyPath: true,
}

const INTERFACES: readonly Interface[] = [
  core,
  properties,
  introspectable,
  monitoring,
  stats,
  peerInterface,
]

export const driver: Driver = {
  handle(bus, peer, header, message) {
    const { method, name } = find(header)
    const expected = method.takes.join('')
    if (header.signature !== expected)
      throw new BusError(
        'InvalidArgs',
        `Call to ${name} has wrong args (${header.signature}, expected ${expected})\n`,
      )
    if (method.privileged) requirePrivilege(bus, peer, name)
    if (!method.isStill) bus.isStill = false
    const args = readBody(message, header)
    const reply = method.handle({ bus, peer, header, args })
    if (reply) bus.reply(peer, header, method.gives.join(''), reply)
  },
}

/** @throws BusError UnknownMethod, UnknownInterface */
function find(header: Header): { method: Method; name: string } {
  const name = header.member!
  let isKnown = header.interface === undefined
  for (const { name: of, methods, anyPath } of INTERFACES) {
    if (header.interface !== undefined && header.interface !== of) continue
    if (!anyPath && header.path !== BUS_PATH) continue
    isKnown = true
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined
    if (method) return { method, name }
  }
  throw new BusError(
    isKnown ? 'UnknownMethod' : 'UnknownInterface',
    `${BUS_NAME} does not understand message ${name}`,
  )
}

/** Root, and whose bus it is. @throws BusError AccessDenied */
function requirePrivilege(bus: Bus, peer: Peer, name: string): void {
  const { uid } = peer.credentials
  if (uid === 0 || uid === bus.credentials.uid) return
  throw new BusError(
    'AccessDenied',
    `Sender is not authorized to send message: method '${name}' is privileged`,
  )
}

/** What Introspect says of the bus at `path`. */
export function introspection(path: string): string {
  return describeBus(INTERFACES, path)
}
