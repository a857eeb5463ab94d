/**
 * RTM_GETLINK: one link, or all.
 *
 * Kernel: net/core/rtnetlink.c rtnl_getlink(), rtnl_valid_getlink_req(), rtnl_dump_ifinfo(),
 * rtnl_valid_dump_ifinfo_req() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { RTM_NEWLINK } from '../../families/rtnetlink.ts'
import { NL_VALIDATE_DEPRECATED_STRICT, NL_VALIDATE_LIBERAL } from '../../schema/index.ts'
import { NLM_F_DUMP_FILTERED } from '../../wire/constants.ts'
import type { NetDevice } from '../net/device.ts'
import type { LinkKind } from '../net/link-kind.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { linkByName } from './link.ts'
import { putLink } from './link-fill.ts'
import { type LinkMessage, linkinfoRequest, linkRequest, shortLinkRequest } from './link-policy.ts'
import { checkNetnsIdOnly, dumpedNet, netById } from './netns.ts'
import { hasHeaderValues, hasOthers, invalid, parseNested, payloadSize } from './parse.ts'

/** sizeof(struct ifinfomsg). */
const HEADER_SIZE = 16
/** IFLA_MASTER of a dump that wants the links without one. */
const NO_MASTER = 0xffffffff
export const linkHeader = ['family', 'type', 'ifindex', 'flags', 'change']

/** rtnl_getlink(). @throws NetlinkError EINVAL, ENODEV, EOPNOTSUPP, EACCES */
export function getLink(ctx: RequestContext): void {
  const link = parseGet(ctx)
  checkNetnsIdOnly(link)
  const { targetNetnsid, extMask, ifindex } = link
  const net = targetNetnsid === undefined ? ctx.net : netById(ctx, targetNetnsid)
  const { devices } = ctx.kernel.rtnl.stackOf(net)
  const isNamed = link.ifname !== undefined || link.altIfname !== undefined
  if (ifindex <= 0 && !isNamed) throw new NetlinkError('EINVAL')
  const dev =
    ifindex > 0 ? devices.byIndex(ifindex) : linkByName(ctx.kernel.rtnl.stackOf(net), link)
  if (!dev) throw new NetlinkError('ENODEV')
  ctx.reply(RTM_NEWLINK, (w) => putLink(w, dev, { net: ctx.net, extMask, targetNetnsid }))
}

function parseGet(ctx: RequestContext): LinkMessage {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for get link')
  if (!ctx.strict) return ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  if (hasLinkValues(ctx)) invalid('Invalid values in header for get link request')
  const link = ctx.decode(linkRequest, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(link, [...linkHeader, 'ifname', 'altIfname', 'extMask', 'targetNetnsid'])) {
    invalid('Unsupported attribute in get link request')
  }
  return link
}

/** Whether padding, type, flags or change of the header say anything. */
function hasLinkValues(ctx: RequestContext): boolean {
  return hasHeaderValues(ctx, 1, 3) || hasHeaderValues(ctx, 8, 8)
}

/** What a dump leaves out, and how it shows the rest. */
interface LinkFilter {
  readonly stack: NetStack
  readonly extMask?: number | undefined
  readonly targetNetnsid?: number | undefined
  /** An index, or NO_MASTER; 0: any. */
  readonly master: number
  readonly kind: LinkKind | undefined
}

interface LinkItem {
  readonly dev: NetDevice
  readonly filter: LinkFilter
}

export const linkDump: DumpSource<LinkItem> = {
  name: 'RTM_GETLINK',
  type: RTM_NEWLINK,
  doneAlone: true,
  dumpSeq: (ctx) => ctx.kernel.rtnl.generationsOf(ctx.net).links,
  *items(ctx) {
    const filter = parseDump(ctx)
    if (filter.master || filter.kind) ctx.messageFlags |= NLM_F_DUMP_FILTERED
    const { devices } = filter.stack
    for (let dev = devices.after(0); dev; dev = devices.after(dev.ifindex)) {
      if (!isFiltered(dev, filter)) yield { dev, filter }
    }
  },
  put(w, { dev, filter: { extMask, targetNetnsid } }, ctx) {
    putLink(w, dev, { net: ctx.net, extMask, targetNetnsid })
  },
}

/** link_dump_filtered(). */
function isFiltered({ master, kind }: NetDevice, filter: LinkFilter): boolean {
  if (filter.kind && kind !== filter.kind) return true
  if (filter.master === 0) return false
  return filter.master === NO_MASTER ? master !== undefined : master?.ifindex !== filter.master
}

function parseDump(ctx: RequestContext): LinkFilter {
  const link = ctx.strict ? parseStrictDump(ctx) : parseLaxDump(ctx)
  const { targetNetnsid, extMask, master = 0 } = link
  if (
    ctx.strict &&
    hasOthers(link, [...linkHeader, 'targetNetnsid', 'extMask', 'master', 'linkinfo'])
  ) {
    invalid('Unsupported attribute in link dump request')
  }
  const net =
    targetNetnsid === undefined
      ? ctx.net
      : dumpedNet(ctx, targetNetnsid, 'Invalid target network namespace id')
  const stack = ctx.kernel.rtnl.stackOf(net)
  return { stack, targetNetnsid, extMask, master, kind: wantedKind(ctx, link, stack) }
}

/** rtnl_valid_dump_ifinfo_req(). */
function parseStrictDump(ctx: RequestContext): LinkMessage {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for link dump')
  if (hasLinkValues(ctx)) invalid('Invalid values in header for link dump request')
  if (hasHeaderValues(ctx, 4, 4)) {
    invalid('Filter by device index not supported for link dumps')
  }
  return ctx.decode(linkRequest, NL_VALIDATE_DEPRECATED_STRICT)
}

/** Old programs send a struct rtgenmsg, or nonsense: they get everything, without a word. */
function parseLaxDump(ctx: RequestContext): Partial<LinkMessage> {
  try {
    if (payloadSize(ctx) < HEADER_SIZE) return ctx.decode(shortLinkRequest, NL_VALIDATE_LIBERAL)
    return ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  } catch {
    return {}
  } finally {
    ctx.warning = undefined
  }
}

/** linkinfo_to_kind_ops(): a kind that does not exist is no filter. */
function wantedKind(
  ctx: RequestContext,
  { linkinfo }: Partial<LinkMessage>,
  stack: NetStack,
): LinkKind | undefined {
  if (!linkinfo) return undefined
  try {
    const { kind } = parseNested(ctx, linkinfo, linkinfoRequest, { silent: true })
    return kind === undefined ? undefined : stack.kinds.get(kind)
  } catch {
    return undefined
  }
}
