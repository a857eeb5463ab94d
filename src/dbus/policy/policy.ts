/** The policy of a configuration: which rules count for whom, and how a refusal reads. */
import { BUS_NAME } from '../bus/bus-name.ts'
import type { Peer, PeerCredentials } from '../bus/peer.ts'
import type { Passage, Policy } from '../bus/policy.ts'
import { typeName } from '../message/index.ts'
import { ClientPolicy, type Verdict } from './client-policy.ts'
import type { Identities, PolicyContext, PolicyRule, PolicySection } from './rule.ts'

/** The policy that `sections` are, on a bus of the user `busUid`. */
export function policyOf(
  sections: readonly PolicySection[],
  identities: Identities,
  busUid: number | undefined,
): Policy {
  const clients = new WeakMap<Peer, ClientPolicy>()
  const of = (peer: Peer): ClientPolicy => {
    const known = clients.get(peer)
    if (known) return known
    const policy = new ClientPolicy(rulesFor(sections, peer.credentials, identities))
    clients.set(peer, policy)
    return policy
  }
  return {
    mayConnect: (credentials) => mayConnect(sections, credentials, identities, busUid),
    mayOwn(peer, name) {
      if (of(peer).mayOwn(name).allowed) return undefined
      return `Connection "${peer.uniqueName}" is not allowed to own the service "${name}" due to security policies in the configuration file`
    },
    maySend(passage) {
      const { sender } = passage
      if (!sender) return undefined
      const policy = of(sender)
      if (policy.sendsAll) return undefined
      const verdict = policy.maySend(passage)
      return verdict.allowed ? undefined : refusal('send', verdict, passage, identities)
    },
    mayReceive(passage) {
      const { recipient } = passage
      if (!recipient) return undefined
      const policy = of(recipient)
      if (policy.receivesAll) return undefined
      const verdict = policy.mayReceive(passage)
      return verdict.allowed ? undefined : refusal('receive', verdict, passage, identities)
    },
  }
}

/** The order in which sections are applied, whatever their order in the file. */
const CONTEXTS: readonly PolicyContext['kind'][] = [
  'default',
  'group',
  'user',
  'console',
  'mandatory',
]

/** The rules for a connection of these credentials, in the order in which they are tried. */
export function rulesFor(
  sections: readonly PolicySection[],
  credentials: PeerCredentials,
  identities: Identities,
): PolicyRule[] {
  const { uid } = credentials
  const groups = groupsOf(credentials, identities)
  const applies = (context: PolicyContext): boolean => {
    if (context.kind === 'group') return groups.includes(context.gid)
    if (context.kind === 'user') return uid === context.uid
    if (context.kind === 'console')
      return uid !== undefined && identities.isAtConsole(uid) === context.atConsole
    return true
  }
  return CONTEXTS.flatMap((kind) =>
    sections
      .filter(({ context }) => context.kind === kind && applies(context))
      .flatMap(({ rules }) => rules),
  )
}

function groupsOf({ uid, gids }: PeerCredentials, identities: Identities): readonly number[] {
  return gids ?? (uid === undefined ? [] : identities.groupsOf(uid))
}

/** Without a rule for it, only the bus's own user may connect. */
function mayConnect(
  sections: readonly PolicySection[],
  credentials: PeerCredentials,
  identities: Identities,
  busUid: number | undefined,
): boolean {
  const { uid } = credentials
  let allowed = uid !== undefined && uid === busUid
  let groups: readonly number[] | undefined
  for (const kind of ['default', 'mandatory'])
    for (const { context, rules } of sections) {
      if (context.kind !== kind) continue
      for (const rule of rules) {
        if (rule.kind === 'user') {
          if (rule.id === undefined || rule.id === uid) allowed = rule.allow
        } else if (rule.kind === 'group') {
          groups ??= groupsOf(credentials, identities)
          if (rule.id === undefined || groups.includes(rule.id)) allowed = rule.allow
        }
      }
    }
  return allowed
}

/** The reference's text (bus/bus.c, complain_about_message()). */
function refusal(
  what: 'send' | 'receive',
  { matched }: Verdict,
  { header, sender, recipient, isRequestedReply }: Passage,
  identities: Identities,
): string {
  const fields = [
    `type="${typeName(header.type)}",`,
    `sender="${sender?.uniqueName || '(unset)'}" (${describe(sender, identities)})`,
    `interface="${header.interface ?? '(unset)'}"`,
    `member="${header.member ?? '(unset)'}"`,
    `error name="${header.errorName ?? '(unset)'}"`,
    `requested_reply="${isRequestedReply ? 1 : 0}"`,
    `destination="${header.destination ?? BUS_NAME}" (${describe(recipient, identities)})`,
  ]
  return `Rejected ${what} message, ${matched} matched rules; ${fields.join(' ')}`
}

/** Who a peer is, as the reference's log says it. */
function describe(peer: Peer | undefined, identities: Identities): string {
  if (!peer) return 'bus'
  const { uid, pid, label } = peer.credentials
  const parts: string[] = []
  if (uid !== undefined) parts.push(`uid=${uid}`)
  if (pid !== undefined) {
    parts.push(`pid=${pid}`)
    const command = identities.commandOf(pid)
    if (command !== undefined) parts.push(`comm="${command}"`)
  }
  if (label !== undefined)
    parts.push(`label="${new TextDecoder().decode(label).replace(/\0$/, '')}"`)
  return parts.join(' ')
}
