/** What a bus is started with: what its configuration says, or how a session's bus is by default. */
import { existsSync } from 'node:fs'
import { makeActivation, type ServiceActivation } from '../dbus/activation/activation.ts'
import { ConfigError } from '../dbus/config/config.ts'
import {
  type Configuration,
  type ConfigurationSource,
  loadConfiguration,
} from '../dbus/config/configuration.ts'
import { MECHANISMS } from '../dbus/gateway/sasl.ts'
import type { StartOptions } from '../dbus/gateway/start.ts'
import { type Limits, openPolicy, type Policy } from '../dbus/index.ts'
import { NetlinkError } from '../errors.ts'

/** As a session's configuration has them: they are never hit but by mistake. */
const SESSION_LIMITS: Limits = {
  maxIncomingBytes: 1_000_000_000,
  maxIncomingUnixFds: 250_000_000,
  maxOutgoingBytes: 1_000_000_000,
  maxOutgoingUnixFds: 250_000_000,
  maxMessageSize: 1_000_000_000,
  maxMessageUnixFds: 4096,
  serviceStartTimeout: 120_000,
  authTimeout: 240_000,
  pendingFdTimeout: 150_000,
  maxCompletedConnections: 100_000,
  maxIncompleteConnections: 10_000,
  maxConnectionsPerUser: 100_000,
  maxPendingServiceStarts: 10_000,
  maxNamesPerConnection: 50_000,
  maxMatchRulesPerConnection: 50_000,
  maxRepliesPerConnection: 50_000,
  replyTimeout: -1,
}

/** On a session's bus also answers that nobody waits for are delivered. */
const SESSION_POLICY: Policy = { ...openPolicy, maySend: () => undefined }

/** A session's bus, at `listen`. */
export function sessionSetup(listen: readonly string[]): StartOptions {
  return {
    name: 'session',
    listen,
    mechanisms: ['EXTERNAL'],
    limits: SESSION_LIMITS,
    policy: SESSION_POLICY,
  }
}

const SESSION_FILE = '/usr/share/dbus-1/session.conf'

/** What a configuration says. @throws NetlinkError that tells what is wrong with it, and where. */
function load(source: ConfigurationSource): Configuration {
  try {
    return loadConfiguration(source)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new NetlinkError('NETLINK_INVALID', {
      message: `Failed to start message bus: ${error.message}`,
      cause: error,
    })
  }
}

/** What a configuration says of the process. */
export type OwnProcess = Partial<
  Pick<Configuration, 'user' | 'pidfile' | 'fork' | 'keepUmask' | 'syslog'>
>

/** How the bus is to be, and how its process. */
export interface Setup {
  readonly bus: StartOptions
  readonly own: OwnProcess
}

/** A bus as `source` configures it; `listen` instead of where that says. */
function configured(
  source: ConfigurationSource,
  configuration: Configuration,
  listen: readonly string[],
  systemd: boolean,
): StartOptions {
  const { type, auth, allowAnonymous, limits, policy, listen: places } = configuration
  let activation: ServiceActivation | undefined
  return {
    name: type ?? 'bus',
    listen: listen.length > 0 ? listen : places,
    mechanisms: MECHANISMS.filter((name) => auth.length === 0 || auth.includes(name)),
    allowAnonymous,
    limits,
    policy,
    reload(bus) {
      const again = load(source)
      bus.limits = again.limits
      bus.policy = again.policy
      activation?.reload(again)
    },
    activate(bus, address) {
      activation = makeActivation(bus, configuration, { env: process.env, address, systemd })
      return activation
    },
  }
}

/**
 * The bus that `source` asks for; without one, and where a session has no file, a session's.
 * @throws NetlinkError when its configuration cannot be used.
 */
export function setupOf(
  source: ConfigurationSource | undefined,
  listen: readonly string[],
  otherwise: string,
  systemd: boolean,
): Setup {
  if (!source || ('session' in source && !existsSync(SESSION_FILE)))
    return { bus: sessionSetup(listen.length > 0 ? listen : [otherwise]), own: {} }
  const configuration = load(source)
  return { bus: configured(source, configuration, listen, systemd), own: configuration }
}
