/** Rules of a policy, as a configuration writes them (dbus-daemon(1), "<policy>"). What is undefined fits all. */

/** To whom a section of rules applies, in the order in which sections are applied. */
export type PolicyContext =
  | { readonly kind: 'default' }
  | { readonly kind: 'group'; readonly gid: number }
  | { readonly kind: 'user'; readonly uid: number }
  | { readonly kind: 'console'; readonly atConsole: boolean }
  | { readonly kind: 'mandatory' }

/** What a rule asks of a message, whoever it comes from or goes to. */
export interface MessageRule {
  readonly allow: boolean
  /** A message type's number. */
  readonly type: number | undefined
  readonly path: string | undefined
  readonly interface: string | undefined
  readonly member: string | undefined
  readonly errorName: string | undefined
  readonly eavesdrop: boolean
  /** Of an allowing rule: only answers that were asked for; of a denying one: only others. */
  readonly requestedReply: boolean
  /** How many descriptors travel with the message, at least and at most. */
  readonly minFds: number
  readonly maxFds: number
}

export interface SendRule extends MessageRule {
  readonly kind: 'send'
  readonly destination: string | undefined
  /** `destination` stands also for all names that it is the beginning of. */
  readonly isPrefix: boolean
  readonly broadcast: boolean | undefined
}

export interface ReceiveRule extends MessageRule {
  readonly kind: 'receive'
  /** The sender's name. */
  readonly origin: string | undefined
}

export interface OwnRule {
  readonly kind: 'own'
  readonly allow: boolean
  readonly name: string | undefined
  readonly isPrefix: boolean
}

/** Who may connect. */
export interface ConnectRule {
  readonly kind: 'user' | 'group'
  readonly allow: boolean
  /** A uid or a gid. */
  readonly id: number | undefined
}

export type PolicyRule = SendRule | ReceiveRule | OwnRule | ConnectRule

/** One `<policy>` element. */
export interface PolicySection {
  readonly context: PolicyContext
  readonly rules: readonly PolicyRule[]
}

/** What the system knows of its users. */
export interface Identities {
  /** Undefined for a name that nobody has. */
  uidOf(user: string): number | undefined
  gidOf(group: string): number | undefined
  /** All groups of a user, the main one too. */
  groupsOf(uid: number): readonly number[]
  isAtConsole(uid: number): boolean
  /** A process's name, if it can be known. */
  commandOf(pid: number): string | undefined
}
