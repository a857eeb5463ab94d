/**
 * Starts services on demand (dbus-daemon, bus/activation.c).
 *
 * What a service is started for waits here, in order, until its name has an owner, the program has
 * failed, or the time is up; everybody who waits hears of it.
 */
import type { Activation } from '../bus/activation.ts'
import type { Bus } from '../bus/bus.ts'
import { BUS_PATH } from '../bus/bus-name.ts'
import type { DriverMessage } from '../bus/delivery.ts'
import { sendTo } from '../bus/dispatch.ts'
import { BusError } from '../bus/errors.ts'
import type { Outgoing } from '../bus/outgoing.ts'
import type { Peer } from '../bus/peer.ts'
import type { Config } from '../config/config.ts'
import { type Header, METHOD_CALL, readBody, SIGNAL } from '../message/index.ts'
import { splitCommandLine } from './command-line.ts'
import { launch } from './launch.ts'
import { ServiceDirectories } from './service-directory.ts'
import type { Service } from './service-file.ts'

/** What the configuration says about services. */
type ServiceConfig = Pick<Config, 'type' | 'serviceDirectories' | 'serviceHelper'>

export interface ActivationOptions {
  /** What services inherit. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The bus's address, as its clients have to be told. */
  readonly address: string
  /** Services that have units are left to systemd. */
  readonly systemd?: boolean
}

/** One who waits; the bus itself has no call. */
interface Waiting {
  readonly call: { readonly peer: Peer; readonly header: Header } | undefined
  /** Descriptors of what waits; they are held. */
  readonly tokens?: readonly bigint[]
  /** The name has an owner. @throws BusError */
  arrive(owner: Peer): void
}

interface Pending {
  readonly service: Service
  readonly waiting: Waiting[]
  readonly timer: NodeJS.Timeout | undefined
}

const SYSTEMD = 'org.freedesktop.systemd1'

export interface ServiceActivation extends Activation {
  /** The configuration has been read again. */
  reload(config: ServiceConfig): void
  /** Nothing waits any more; timers end. */
  close(): void
}

/** Starts what `config` says, for `bus`; it has to become the bus's `activation`. */
export function makeActivation(
  bus: Bus,
  config: ServiceConfig,
  options: ActivationOptions,
): ServiceActivation {
  return new Starter(bus, config, options)
}

class Starter implements ServiceActivation {
  readonly #bus: Bus
  readonly #options: ActivationOptions
  readonly #services: ServiceDirectories
  readonly #environment: Map<string, string>
  readonly #pending = new Map<string, Pending>()
  #config: ServiceConfig
  /** All who wait, for whatever. */
  #count = 0

  constructor(bus: Bus, config: ServiceConfig, options: ActivationOptions) {
    this.#bus = bus
    this.#config = config
    this.#options = options
    this.#services = new ServiceDirectories(config.serviceDirectories)
    this.#environment = environmentOf(config.type, options)
  }

  reload(config: ServiceConfig): void {
    const before = this.names().join()
    this.#config = config
    this.#services.read(config.serviceDirectories)
    if (this.names().join() !== before)
      this.#bus.delivery.emit('ActivatableServicesChanged', '', [])
  }

  close(): void {
    for (const { timer, waiting } of this.#pending.values()) {
      clearTimeout(timer)
      this.#letGo(waiting)
    }
    this.#pending.clear()
    this.#count = 0
  }

  names(): readonly string[] {
    return this.#services.names()
  }

  isActivatable(name: string): boolean {
    return this.#services.find(name) !== undefined
  }

  queue(name: string, sender: Peer, message: Outgoing): void {
    const { header } = message
    const passage = {
      header,
      sender,
      recipient: undefined,
      addressed: undefined,
      isRequestedReply: false,
    }
    const refusal = this.#bus.policy.maySend(passage)
    if (refusal !== undefined) throw new BusError('AccessDenied', refusal)
    const { tokens } = message
    this.#wait(name, {
      call: { peer: sender, header },
      tokens,
      arrive: (owner) => sendTo(this.#bus, sender, owner, message),
    })
    this.#bus.tokens.hold(tokens)
  }

  /** It waits no more. */
  #letGo(waiting: readonly Waiting[]): void {
    for (const { tokens } of waiting) if (tokens) this.#bus.tokens.release(tokens)
  }

  start(name: string, caller: Peer, call: Header, started: () => void): void {
    this.#wait(name, { call: { peer: caller, header: call }, arrive: started })
  }

  setEnvironment(variables: ReadonlyMap<string, string>): void {
    for (const [name, value] of variables) this.#environment.set(name, value)
    if (!this.#options.systemd) return
    const isThere = this.#bus.names.owner(SYSTEMD) !== undefined
    this.#tellManager({
      type: METHOD_CALL,
      // As the reference does: by its name where it waits for systemd.
      ...(isThere ? {} : { destination: SYSTEMD }),
      path: '/org/freedesktop/systemd1',
      interface: 'org.freedesktop.systemd1.Manager',
      member: 'SetEnvironment',
      signature: 'as',
      body: [[...variables].map(([name, value]) => `${name}=${value}`)],
    })
  }

  appeared(name: string, owner: Peer): void {
    const all = this.#take(name)
    for (const { call, arrive } of all) {
      if (call && !call.peer.alive) continue
      try {
        arrive(owner)
      } catch (error) {
        if (!(error instanceof BusError)) throw error
        if (call) this.#bus.refuse(call.peer, call.header, error)
      }
    }
    this.#letGo(all)
  }

  /** systemd says that a unit did not start. */
  hear(peer: Peer, header: Header, message: Uint8Array): void {
    if (header.interface !== `${SYSTEMD}.Activator` || header.member !== 'ActivationFailure') return
    if (!this.#options.systemd || this.#bus.names.owner(SYSTEMD) !== peer) return
    const [unit, error, text] = readBody(message, header)
    if (typeof error !== 'string' || typeof text !== 'string') return
    for (const [name, { service }] of this.#pending)
      if (service.systemdService === unit) this.#fail(name, new BusError(error, text))
  }

  forget(peer: Peer): void {
    for (const { waiting } of this.#pending.values()) {
      const others = waiting.filter(({ call }) => call?.peer !== peer)
      this.#count -= waiting.length - others.length
      this.#letGo(waiting.filter(({ call }) => call?.peer === peer))
      waiting.splice(0, waiting.length, ...others)
    }
  }

  /** @throws BusError */
  #wait(name: string, waiting: Waiting): void {
    if (this.#count >= this.#bus.limits.maxPendingServiceStarts)
      throw new BusError(
        'LimitsExceeded',
        `The maximum number of pending activations has been reached, activation of ${name} failed`,
      )
    const known = this.#pending.get(name)
    if (known) {
      known.waiting.push(waiting)
      this.#count++
      return
    }
    const service = this.#services.find(name)
    if (!service)
      throw new BusError(
        'ServiceUnknown',
        `The name ${name} was not provided by any .service files`,
      )
    const begin = this.#beginning(service)
    this.#pending.set(name, { service, waiting: [waiting], timer: this.#timer(name) })
    this.#count++
    begin()
  }

  /** Sees whether a service can be started, and gives what starts it. @throws BusError */
  #beginning(service: Service): () => void {
    const { name, systemdService } = service
    if (this.#options.systemd && name === SYSTEMD) return () => undefined
    if (this.#options.systemd && systemdService !== undefined)
      return () => this.#askSystemd(systemdService)
    const helper = this.#config.type === 'system' ? this.#config.serviceHelper : undefined
    const command = helper === undefined ? splitCommandLine(service.exec ?? '') : [helper, name]
    return () =>
      launch(
        { name, command, environment: this.#environment, isHelper: helper !== undefined },
        (error) => this.#failed(service, error),
      )
  }

  #askSystemd(unit: string): void {
    this.#tellManager({
      type: SIGNAL,
      destination: SYSTEMD,
      path: BUS_PATH,
      interface: `${SYSTEMD}.Activator`,
      member: 'ActivationRequest',
      signature: 's',
      body: [unit],
    })
  }

  #tellManager(message: DriverMessage): void {
    const { delivery, names } = this.#bus
    const manager = names.owner(SYSTEMD)
    if (manager) delivery.tell(manager, message)
    else this.#awaitManager(delivery.announce(message))
  }

  /** systemd is not on the bus yet; what it is asked waits for it as for any other service. */
  #awaitManager(ask: (manager: Peer) => void): void {
    const waiting: Waiting = { call: undefined, arrive: ask }
    const known = this.#pending.get(SYSTEMD)
    if (known) known.waiting.push(waiting)
    else {
      const service = { name: SYSTEMD, exec: undefined, user: undefined, systemdService: undefined }
      this.#pending.set(SYSTEMD, { service, waiting: [waiting], timer: this.#timer(SYSTEMD) })
    }
    this.#count++
  }

  #timer(name: string): NodeJS.Timeout | undefined {
    const { serviceStartTimeout } = this.#bus.limits
    const expire = (): void => {
      const text = `Failed to activate service '${name}': timed out (service_start_timeout=${serviceStartTimeout}ms)`
      this.#fail(name, new BusError('TimedOut', text))
    }
    return serviceStartTimeout < 0 ? undefined : setTimeout(expire, serviceStartTimeout)
  }

  /** A program has failed: all that it was started for has. */
  #failed({ exec }: Service, error: BusError): void {
    for (const [name, { service }] of this.#pending)
      if (service.exec === exec && service.exec !== undefined) this.#fail(name, error)
  }

  #fail(name: string, error: BusError): void {
    const all = this.#take(name)
    for (const { call } of all)
      if (call?.peer.alive) this.#bus.refuse(call.peer, call.header, error)
    this.#letGo(all)
  }

  /** Those who wait for `name`, who then wait no more. */
  #take(name: string): readonly Waiting[] {
    const pending = this.#pending.get(name)
    if (!pending) return []
    clearTimeout(pending.timer)
    this.#pending.delete(name)
    this.#count -= pending.waiting.length
    return pending.waiting
  }
}

/** What services find in their environment. */
function environmentOf(
  type: string | undefined,
  { env, address }: ActivationOptions,
): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [name, value] of Object.entries(env))
    if (value !== undefined) variables.set(name, value)
  variables.set('DBUS_STARTER_ADDRESS', address)
  if (type === undefined) return variables
  variables.set('DBUS_STARTER_BUS_TYPE', type)
  if (type === 'session') variables.set('DBUS_SESSION_BUS_ADDRESS', address)
  if (type === 'system') variables.set('DBUS_SYSTEM_BUS_ADDRESS', address)
  return variables
}
