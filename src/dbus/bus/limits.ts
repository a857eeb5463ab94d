/** What a bus allows, by the reference's names (dbus-daemon, bus/config-parser.c); times in milliseconds. */

export interface Limits {
  readonly maxIncomingBytes: number
  readonly maxIncomingUnixFds: number
  readonly maxOutgoingBytes: number
  readonly maxOutgoingUnixFds: number
  readonly maxMessageSize: number
  readonly maxMessageUnixFds: number
  readonly serviceStartTimeout: number
  readonly authTimeout: number
  readonly pendingFdTimeout: number
  readonly maxCompletedConnections: number
  readonly maxIncompleteConnections: number
  readonly maxConnectionsPerUser: number
  readonly maxPendingServiceStarts: number
  readonly maxNamesPerConnection: number
  readonly maxMatchRulesPerConnection: number
  readonly maxRepliesPerConnection: number
  /** Negative: for ever. */
  readonly replyTimeout: number
}

/** The reference's defaults, where a configuration says nothing. */
export const DEFAULT_LIMITS: Limits = {
  maxIncomingBytes: 133_169_152,
  maxIncomingUnixFds: 64,
  maxOutgoingBytes: 133_169_152,
  maxOutgoingUnixFds: 64,
  maxMessageSize: 33_554_432,
  maxMessageUnixFds: 16,
  serviceStartTimeout: 25_000,
  authTimeout: 30_000,
  pendingFdTimeout: 150_000,
  maxCompletedConnections: 2048,
  maxIncompleteConnections: 64,
  maxConnectionsPerUser: 256,
  maxPendingServiceStarts: 512,
  maxNamesPerConnection: 512,
  maxMatchRulesPerConnection: 512,
  maxRepliesPerConnection: 128,
  replyTimeout: -1,
}
