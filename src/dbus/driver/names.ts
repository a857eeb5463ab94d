/** org.freedesktop.DBus: who has which name. */

import type { Bus } from '../bus/bus.ts'
import { BUS_NAME } from '../bus/bus-name.ts'
import { BusError } from '../bus/errors.ts'
import type { Peer } from '../bus/peer.ts'
import { isBusName } from '../message/index.ts'
import type { Call, Method } from './method.ts'

const hello: Method = {
  takes: [],
  gives: ['s'],
  handle({ bus, peer, header }) {
    const name = bus.admit(peer)
    bus.reply(peer, header, 's', [name])
    if (!peer.alive) return undefined
    bus.delivery.emit('NameOwnerChanged', 'sss', [name, '', name])
    bus.tell(peer, 'NameAcquired', name)
    return undefined
  },
}

/**
 * RequestName, from either door; one of its answers.
 * @throws BusError
 */
export function requestName(bus: Bus, peer: Peer, name: string, flags: number): number {
  if (!isBusName(name))
    throw new BusError('InvalidArgs', `Requested bus name "${name}" is not valid`)
  if (name.startsWith(':'))
    throw new BusError(
      'InvalidArgs',
      `Cannot acquire a service starting with ':' such as "${name}"`,
    )
  if (name === BUS_NAME)
    throw new BusError(
      'InvalidArgs',
      `Connection "${peer.uniqueName}" is not allowed to own the service "${name}"because it is reserved for D-Bus' use only`,
    )
  const refusal = bus.policy.mayOwn(peer, name)
  if (refusal !== undefined) throw new BusError('AccessDenied', refusal)
  const most = bus.limits.maxNamesPerConnection
  if (peer.names.length + 1 >= most)
    throw new BusError(
      'LimitsExceeded',
      `Connection "${peer.uniqueName}" is not allowed to own more services (increase limits in configuration file if required; max_names_per_connection=${most})`,
    )
  return bus.names.request(peer, name, flags)
}

const requestNameMethod: Method = {
  takes: ['s', 'u'],
  gives: ['u'],
  handle: ({ bus, peer, args }) => [requestName(bus, peer, args[0] as string, args[1] as number)],
}

const releaseName: Method = {
  takes: ['s'],
  gives: ['u'],
  handle({ bus, peer, args }) {
    const [name] = args as [string]
    if (!isBusName(name)) throw new BusError('InvalidArgs', `Given bus name "${name}" is not valid`)
    if (name.startsWith(':'))
      throw new BusError(
        'InvalidArgs',
        `Cannot release a service starting with ':' such as "${name}"`,
      )
    if (name === BUS_NAME)
      throw new BusError(
        'InvalidArgs',
        `Cannot release the ${BUS_NAME} service because it is owned by the bus`,
      )
    return [bus.names.release(peer, name)]
  },
}

const nameHasOwner: Method = {
  takes: ['s'],
  gives: ['b'],
  isStill: true,
  handle({ bus, args }) {
    const [name] = args as [string]
    return [name === BUS_NAME || bus.lookup(name) !== undefined]
  },
}

const getNameOwner: Method = {
  takes: ['s'],
  gives: ['s'],
  isStill: true,
  handle({ bus, args }) {
    const [name] = args as [string]
    const owner = name === BUS_NAME ? BUS_NAME : bus.lookup(name)?.uniqueName
    if (owner === undefined)
      throw new BusError('NameHasNoOwner', `Could not get owner of name '${name}': no such name`)
    return [owner]
  },
}

const listNames: Method = {
  takes: [],
  gives: ['as'],
  isStill: true,
  handle: ({ bus }) => [[BUS_NAME, ...bus.names.keys(), ...bus.peers.keys()]],
}

const listActivatableNames: Method = {
  takes: [],
  gives: ['as'],
  handle: ({ bus }) => [[BUS_NAME, ...bus.activation.names()]],
}

const listQueuedOwners: Method = {
  takes: ['s'],
  gives: ['as'],
  isStill: true,
  handle({ bus, args }) {
    const [name] = args as [string]
    return [queueOf(bus, name)]
  },
}

function queueOf(bus: Call['bus'], name: string): readonly string[] {
  if (name === BUS_NAME) return [BUS_NAME]
  if (bus.peers.has(name)) return [name]
  const queue = bus.names.queue(name)
  if (queue) return queue
  throw new BusError('NameHasNoOwner', `Could not get owners of name '${name}': no such name`)
}

const startServiceByName: Method = {
  takes: ['s', 'u'],
  gives: ['u'],
  handle({ bus, peer, header, args }) {
    const [name] = args as [string]
    if (!bus.activation.isActivatable(name))
      throw new BusError(
        'ServiceUnknown',
        `The name ${name} was not provided by any .service files`,
      )
    const SUCCESS = 1
    const ALREADY_RUNNING = 2
    if (bus.names.owner(name)) return [ALREADY_RUNNING]
    bus.activation.start(name, peer, header, () => bus.reply(peer, header, 'u', [SUCCESS]))
    return undefined
  },
}

export const nameMethods = {
  Hello: hello,
  RequestName: requestNameMethod,
  ReleaseName: releaseName,
  StartServiceByName: startServiceByName,
  NameHasOwner: nameHasOwner,
  ListNames: listNames,
  ListActivatableNames: listActivatableNames,
  GetNameOwner: getNameOwner,
  ListQueuedOwners: listQueuedOwners,
} as const
