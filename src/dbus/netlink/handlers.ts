/** The family's operations: each is what a driver method or a message does, on the same bus. */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import type { DbusCredentials } from '../../families/dbus.ts'
import {
  DBUS_PEER_FDS,
  DBUS_REASON_BYE,
  DBUS_REASON_EXPELLED,
  type dbus,
} from '../../families/dbus.ts'
import type { FamilyHandlers, RequestContext } from '../../kernel/index.ts'
import { dispatch } from '../bus/dispatch.ts'
import { BusError, ProtocolViolation } from '../bus/errors.ts'
import type { Peer, PeerCredentials } from '../bus/peer.ts'
import { requestName } from '../driver/names.ts'
import { type MatchRule, MatchRuleError, parseMatchRule } from '../match/rule.ts'
import type { Connection, Fragment } from './connection.ts'
import type { DbusBus, DbusRouter } from './router.ts'

/** Makes the bus that `newBus` asks for. */
export type BusMaker = (router: DbusRouter, name: string, guid: Uint8Array | undefined) => DbusBus

/** Runs `work`; what the bus refuses becomes its errno, with the bus's words. */
function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof BusError) throw new NetlinkError(error.errno, error.message)
    if (error instanceof MatchRuleError)
      throw new NetlinkError(error.code === 'LimitsExceeded' ? 'EDQUOT' : 'EINVAL', {
        extack: { message: error.message.trim(), attribute: 'matchRule' },
      })
    throw error
  }
}

function describeBus({ id, name, bus, fdDoor }: DbusBus) {
  const guid = Uint8Array.from(bus.guid.match(/../g)!, (byte) => Number.parseInt(byte, 16))
  return { busId: id, busName: name, guid, limits: describeLimits(bus.limits), fdDoor }
}

function describeLimits(limits: DbusBus['bus']['limits']) {
  const { maxMessageSize, maxMessageUnixFds, maxOutgoingBytes } = limits
  return { maxMessageSize, maxMessageUnixFds, maxOutgoingBytes }
}

function describePeer(bus: DbusBus, peer: Peer) {
  const { uid, pid, gids, label } = peer.credentials
  return {
    uniqueId: peer.id!,
    busId: bus.id,
    peerFlags: peer.acceptsFds ? DBUS_PEER_FDS : 0,
    creds: { uid, pid, gids: gids && [...gids], seclabel: label },
    stats: {
      matchRules: peer.rules.length,
      names: peer.names.length,
      incomingMessages: BigInt(peer.stats.incomingMessages),
      incomingBytes: BigInt(peer.stats.incomingBytes),
      outgoingMessages: BigInt(peer.stats.outgoingMessages),
      outgoingBytes: BigInt(peer.stats.outgoingBytes),
      queuedBytes: BigInt(peer.door.queued?.().bytes ?? 0),
    },
  }
}

/** Whom a connection stands for: its sender, or, by a gateway's word, a client of that. */
function credentialsOf(ctx: RequestContext, claimed: DbusCredentials | undefined): PeerCredentials {
  if (claimed) {
    if (!ctx.capable('CAP_SYS_ADMIN'))
      throw new NetlinkError('EPERM', 'only a privileged gateway speaks for others')
    const { uid, pid, gids, seclabel: label } = claimed
    return { uid, pid, gids, label }
  }
  const { uid, pid, gid } = ctx.credentials
  return { uid, pid, gids: [gid], label: undefined }
}

function ownershipsOf({ bus }: DbusBus) {
  return [...bus.names.keys()].map((name) => ({ name, newOwner: bus.names.owner(name)!.id! }))
}

/** A message from a connection; one that breaks the protocol ends it. */
function take(
  router: DbusRouter,
  connection: Connection,
  request: { msg: Uint8Array; frag?: unknown; fds?: readonly bigint[] | undefined },
): void {
  const { tokens } = connection.bus.bus
  const sent = request.fds ?? []
  if (sent.some((token) => tokens.descriptor(token) === undefined))
    throw new NetlinkError('EBADF', 'no descriptor has that token')
  try {
    const whole = connection.assemble(request.msg, request.frag as Fragment | undefined, sent)
    if (whole === undefined) return
    try {
      dispatch(connection.bus.bus, connection.peer, whole.bytes, whole.tokens)
    } finally {
      tokens.release(whole.tokens)
    }
  } catch (error) {
    router.drop(connection, DBUS_REASON_EXPELLED)
    if (isNetlinkError(error)) throw error
    const reason = error instanceof ProtocolViolation || error instanceof Error ? error.message : ''
    throw new NetlinkError('EBADMSG', reason)
  }
}

export function handlersOf(router: DbusRouter, makeBus: BusMaker): FamilyHandlers<typeof dbus> {
  return {
    newBus: { doit: ({ busName, guid }) => describeBus(makeBus(router, busName, guid)) },
    delBus: {
      doit({ busId }) {
        router.deleteBus(busId)
        return undefined
      },
    },
    getBus: {
      doit: ({ busId, busName }) =>
        describeBus(busName === undefined ? router.bus(busId) : router.busNamed(busName)),
      dumpit: () => router.buses().map(describeBus),
    },
    ...connectionHandlers(router),
    ...nameHandlers(router),
    ...ruleHandlers(router),
    getPeer: {
      doit({ uniqueId, name, busId }) {
        const bus = router.bus(busId)
        const peer = bus.bus.lookup(name ?? `:1.${uniqueId}`)
        if (!peer) throw new NetlinkError('ENOENT', 'nobody has that name')
        return describePeer(bus, peer)
      },
      dumpit({ busId }) {
        const bus = router.bus(busId)
        return [...bus.bus.peers.values()].map((peer) => describePeer(bus, peer))
      },
    },
  }
}

function connectionHandlers(router: DbusRouter): FamilyHandlers<typeof dbus> {
  return {
    hello: {
      doit({ busId, peerFlags = 0, creds }, ctx) {
        const bus = router.bus(busId)
        const credentials = credentialsOf(ctx, creds)
        if (!bus.bus.policy.mayConnect(credentials)) throw new NetlinkError('EPERM')
        const connection = router.connect(ctx, bus)
        const takesFds = (peerFlags & DBUS_PEER_FDS) !== 0
        connection.peer = bus.bus.connect(connection, credentials, takesFds)
        try {
          const name = refusing(() => bus.bus.admit(connection.peer))
          bus.bus.delivery.emit('NameOwnerChanged', 'sss', [name, '', name])
        } catch (error) {
          router.drop(connection, DBUS_REASON_BYE)
          throw error
        }
        const { guid, limits, fdDoor } = describeBus(bus)
        return { uniqueId: connection.peer.id!, busId: bus.id, guid, limits, fdDoor }
      },
    },
    bye: {
      doit(_, ctx) {
        router.drop(router.connectionOf(ctx), DBUS_REASON_BYE)
        return undefined
      },
    },
    send: {
      doit(request, ctx) {
        take(router, router.connectionOf(ctx), request)
        return undefined
      },
    },
    releaseFds: {
      doit({ fds }, ctx) {
        router.connectionOf(ctx).release(fds)
        return undefined
      },
    },
    monitor: {
      doit({ matchRule = '' }, ctx) {
        const { peer, bus } = router.connectionOf(ctx)
        const rule = refusing(() => parseMatchRule(matchRule))
        bus.bus.makeMonitor(peer, [rule])
        return undefined
      },
    },
  }
}

function nameHandlers(router: DbusRouter): FamilyHandlers<typeof dbus> {
  return {
    requestName: {
      doit({ name, nameFlags = 0 }, ctx) {
        const { peer, bus } = router.connectionOf(ctx)
        return { result: refusing(() => requestName(bus.bus, peer, name, nameFlags)) }
      },
    },
    releaseName: {
      doit({ name }, ctx) {
        const { peer, bus } = router.connectionOf(ctx)
        return { result: bus.bus.names.release(peer, name) }
      },
    },
    getName: {
      doit({ name, busId }) {
        const owner = router.bus(busId).bus.lookup(name)
        if (!owner)
          throw new NetlinkError('ENOENT', `Could not get owner of name '${name}': no such name`)
        return { name, newOwner: owner.id! }
      },
      dumpit: ({ busId }) => ownershipsOf(router.bus(busId)),
    },
  }
}

function ruleHandlers(router: DbusRouter): FamilyHandlers<typeof dbus> {
  const cookies = new Map<bigint, { peer: Peer; rule: MatchRule }>()
  let lastCookie = 0n
  return {
    addMatch: {
      doit({ matchRule }, ctx) {
        const { peer, bus } = router.connectionOf(ctx)
        const rule = refusing(() => parseMatchRule(matchRule))
        refusing(() => bus.bus.addRule(peer, rule))
        cookies.set(++lastCookie, { peer, rule })
        return { matchCookie: lastCookie }
      },
    },
    delMatch: {
      doit({ matchRule, matchCookie }, ctx) {
        const { peer, bus } = router.connectionOf(ctx)
        const known = matchCookie === undefined ? undefined : cookies.get(matchCookie)
        if (matchCookie !== undefined && known?.peer !== peer) throw new NetlinkError('ENOENT')
        const rule = known?.rule ?? refusing(() => parseMatchRule(matchRule ?? ''))
        if (matchCookie !== undefined) cookies.delete(matchCookie)
        if (!bus.bus.removeRule(peer, rule))
          throw new NetlinkError('ENOENT', "The given match rule wasn't found and can't be removed")
        return undefined
      },
    },
    getMatch: {
      *dumpit({ busId }) {
        for (const { rules, id } of router.bus(busId).bus.peers.values())
          for (const { text } of rules) yield { matchRule: text, uniqueId: id! }
      },
    },
  }
}
