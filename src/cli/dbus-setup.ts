/** What a bus is started with: what its configuration says, or how a session's bus is by default. */
import type { StartOptions } from '../dbus/gateway/start.ts'
import { type Limits, openPolicy, type Policy } from '../dbus/index.ts'

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
