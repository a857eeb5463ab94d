/**
 * Numbers by which a namespace knows others: RTM_NEWNSID, RTM_GETNSID, and the group that hears of
 * numbers that are given and lost.
 *
 * Kernel: net/core/net_namespace.c rtnl_net_newid(), rtnl_net_getid(), rtnl_net_dumpid(),
 * rtnl_net_fill(), rtnl_net_notifyid() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { nsidAttrs, nsidmsg } from '../../families/rt-nsid.ts'
import {
  AF_UNSPEC,
  RTM_DELNSID,
  RTM_GETNSID,
  RTM_NEWNSID,
  RTNLGRP_NSID,
} from '../../families/rtnetlink.ts'
import {
  attrs,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
} from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import { type Net, NSID_NONE } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { netById, netOfDescriptor, netOfProcess } from './netns.ts'
import { notify } from './notify.ts'
import { hasOthers, invalid } from './parse.ts'
import { spanOf } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** rtnl_net_get_size(), without the nlmsghdr. */
const SIZE = 20

const { nsid, pid, fd, targetNsid } = nsidAttrs.definitions
/** rtnl_net_policy. */
const request = message(
  nsidmsg,
  attrs('NETNSA_', { nsid, pid, fd, targetNsid, currentNsid: [5, spanOf(0)] }),
)
const reply = message(nsidmsg, nsidAttrs.only('nsid', 'currentNsid'))
type Decoded = ReturnType<typeof request.decode>

/** Which attribute names a namespace, and which one that is. */
interface Reference {
  readonly attribute: 'pid' | 'fd' | 'nsid'
  readonly net: Net
}

/** @throws NetlinkError EINVAL, ESRCH, EBADF, ENOENT */
function peerOf(ctx: RequestContext, decoded: Decoded, withNsid: boolean): Reference {
  const attribute =
    decoded.pid !== undefined ? 'pid' : decoded.fd !== undefined ? 'fd' : withNsid ? 'nsid' : 'pid'
  if (decoded[attribute] === undefined) invalid('Peer netns reference is missing')
  try {
    return { attribute, net: findPeer(ctx, decoded) }
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    throw refusal(error.code, 'Peer netns reference is invalid', attribute)
  }
}

function findPeer(ctx: RequestContext, decoded: Decoded): Net {
  if (decoded.pid !== undefined) return netOfProcess(ctx, decoded.pid)
  if (decoded.fd !== undefined) return netOfDescriptor(ctx, decoded.fd)
  const net = ctx.net.byNsid(decoded.nsid as number)
  if (!net) throw new NetlinkError('ENOENT')
  return net
}

function refusal(code: string, text: string, attribute: string): NetlinkError {
  return new NetlinkError(code, { extack: { message: text, attribute } })
}

/** rtnl_net_newid(): gives a namespace the number that is asked for, or any. */
function newNsid(ctx: RequestContext): void {
  const decoded = ctx.decode(request, NL_VALIDATE_LIBERAL)
  if (decoded.nsid === undefined) invalid('nsid is missing')
  const { attribute, net: peer } = peerOf(ctx, decoded, false)
  if (ctx.net.nsidOf(peer) !== NSID_NONE) {
    throw refusal('EEXIST', 'Peer netns already has a nsid assigned', attribute)
  }
  const wanted = Math.max(decoded.nsid, NSID_NONE)
  if (ctx.net.assignNsid(peer, wanted, ctx) === NSID_NONE) {
    throw refusal('EEXIST', 'The specified nsid is already used', 'nsid')
  }
}

/** rtnl_net_fill(): what stands behind the nlmsghdr. */
function put(w: Writer, id: number, current?: number): void {
  reply.encode(w, { family: AF_UNSPEC, nsid: id, currentNsid: current })
}

/** rtnl_net_getid(). */
function getNsid(ctx: RequestContext): void {
  const decoded = parseGet(ctx)
  const { net: peer } = peerOf(ctx, decoded, true)
  const { targetNsid: target } = decoded
  if (target === undefined) {
    ctx.reply(RTM_NEWNSID, (w) => put(w, ctx.net.nsidOf(peer)))
    return
  }
  const net = targetOf(ctx, target)
  ctx.reply(RTM_NEWNSID, (w) => put(w, net.nsidOf(peer), ctx.net.nsidOf(peer)))
}

function targetOf(ctx: RequestContext, target: number): Net {
  try {
    return netById(ctx, target)
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    throw refusal(error.code, 'Target netns reference is invalid', 'targetNsid')
  }
}

/** rtnl_net_valid_getid_req(). */
function parseGet(ctx: RequestContext): Decoded {
  if (!ctx.strict) return ctx.decode(request, NL_VALIDATE_LIBERAL)
  const decoded = ctx.decode(request, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(decoded, ['family', 'nsid', 'pid', 'fd', 'targetNsid'])) {
    invalid('Unsupported attribute in peer netns getid request')
  }
  return decoded
}

interface NsidItem {
  readonly id: number
  readonly current: number | undefined
}

const nsidDump: DumpSource<NsidItem> = {
  name: 'RTM_GETNSID',
  type: RTM_NEWNSID,
  *items(ctx) {
    const target = ctx.strict ? parseDump(ctx) : undefined
    for (const [peer, id] of (target ?? ctx.net).nsids()) {
      yield { id, current: target && ctx.net.nsidOf(peer) }
    }
  },
  put: (w, { id, current }) => put(w, id, current),
}

/** rtnl_valid_dump_net_req(): the namespace whose numbers are asked for, if it is another one. */
function parseDump(ctx: RequestContext): Net | undefined {
  const decoded = ctx.decode(request, NL_VALIDATE_DEPRECATED_STRICT)
  const other = ['nsid', 'pid', 'fd', 'currentNsid'].find((name) => name in decoded)
  const { targetNsid: target } = decoded
  if (other !== undefined) {
    throw refusal('EINVAL', 'Unsupported attribute in dump request', other)
  }
  if (target === undefined) return undefined
  try {
    return netById(ctx, target)
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    throw refusal(error.code, 'Invalid target network namespace id', 'targetNsid')
  }
}

export function registerNsids(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_NEWNSID, { doit: newNsid })
  table.register(AF_UNSPEC, RTM_GETNSID, { doit: getNsid, dumpit: nsidDump })
}

/** Announces the numbers that `net` gives, and those that are free again. */
export function notifyNsids(net: Net, sock: KernelSocket): void {
  net.watchNsids((event, id, origin) => {
    const type = event === 'new' ? RTM_NEWNSID : RTM_DELNSID
    notify(sock, { type, group: RTNLGRP_NSID, origin, size: SIZE }, (w) => put(w, id))
  })
}
