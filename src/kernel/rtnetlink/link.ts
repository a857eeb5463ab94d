/**
 * RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK.
 *
 * Kernel: net/core/rtnetlink.c rtnl_newlink(), rtnl_setlink(), rtnl_dellink() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { NL_VALIDATE_LIBERAL } from '../../schema/index.ts'
import { NLM_F_CREATE } from '../../wire/constants.ts'
import { ETH_ALEN } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import { createLink, deleteLinks } from '../net/link-create.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import { validateNewAfSpec } from './af-spec-request.ts'
import { changeLink, type KindPart, setLink } from './link-change.ts'
import { linkKindCodecs } from './link-kinds.ts'
import { describeRequest, type LinkMessage, linkinfoRequest, linkRequest } from './link-policy.ts'
import { checkNetnsIdOnly, checkOneNetns, netById, targetNet } from './netns.ts'
import { parseNested } from './parse.ts'

/** rtnl_dev_get(): the link that a name means. */
export function linkByName(
  stack: NetStack,
  { ifname, altIfname }: { readonly ifname?: string; readonly altIfname?: string },
): NetDevice | undefined {
  return stack.devices.byName(ifname ?? altIfname ?? '')
}

/** rtnl_newlink(): makes a link, or changes the one that is there. @throws NetlinkError */
export function newLink(ctx: RequestContext): void {
  const link = ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  checkOneNetns(link)
  const { rtnl } = ctx.kernel
  const stack = rtnl.stackOf(ctx.net)
  const part = parseKind(ctx, link, stack)
  const target = rtnl.stackOf(targetNet(ctx, link))
  const linkStack =
    link.linkNetnsid === undefined ? stack : netByLinkNsid(ctx, target, link.linkNetnsid)
  if (link.ifindex < 0) throw new NetlinkError('EINVAL', "ifindex can't be negative")
  const isNamed = link.ifname !== undefined || link.altIfname !== undefined
  const dev = link.ifindex > 0 ? stack.devices.byIndex(link.ifindex) : linkByName(stack, link)
  if (dev) changeLink(ctx, dev, link, part, target)
  else if (ctx.flags & NLM_F_CREATE) makeLink(ctx, link, part, target, linkStack)
  else if (link.ifindex > 0 || isNamed || link.group === undefined) throw new NetlinkError('ENODEV')
  else changeGroup(ctx, link, stack, target)
}

/** IFLA_LINKINFO: the kind is looked up and judges what it is given, whether it is needed or not. */
function parseKind(ctx: RequestContext, link: LinkMessage, stack: NetStack): KindPart {
  const info = link.linkinfo && parseNested(ctx, link.linkinfo, linkinfoRequest, { silent: true })
  const kind = info?.kind === undefined ? undefined : stack.kinds.get(info.kind)
  if (kind) stack.tunnelModules.loadForKind(kind.kind)
  const hasData = info?.data !== undefined
  const slaveData = info?.slaveData
  if (!kind) return { kind, hasData, slaveData }
  const codec = linkKindCodecs.get(kind.kind)
  const parsed = info?.data && codec?.data && parseNested(ctx, info.data, codec.data)
  kind.validate?.({ ...describeRequest(link), data: parsed })
  const data = parsed && codec?.toData ? codec.toData(ctx, parsed) : parsed
  return { kind, data, hasData, slaveData }
}

/** IFLA_LINK_NETNSID: where the link that the new one stands on is. */
function netByLinkNsid(ctx: RequestContext, target: NetStack, nsid: number): NetStack {
  const net = (target.owner as typeof ctx.net).byNsid(nsid)
  if (!net) throw new NetlinkError('EINVAL', 'Unknown network namespace id')
  if (!ctx.capable('CAP_NET_ADMIN', net.userNs)) throw new NetlinkError('EPERM')
  return ctx.kernel.rtnl.stackOf(net)
}

/** rtnl_newlink_create(). */
function makeLink(
  ctx: RequestContext,
  link: LinkMessage,
  part: KindPart,
  target: NetStack,
  linkStack: NetStack,
): void {
  if (link.map || link.protinfo) throw new NetlinkError('EOPNOTSUPP')
  const { kind, data } = part
  if (!kind) throw new NetlinkError('EOPNOTSUPP', 'Unknown device type')
  if (link.broadcast && link.broadcast.length < ETH_ALEN) throw new NetlinkError('EINVAL')
  if (link.afSpec) validateNewAfSpec(ctx, link.afSpec)
  createLink(target, kind, { ...describeRequest(link), data, linkStack }, ctx, link.master)
}

/** rtnl_group_changelink(): the same for each member; the first refusal ends it. */
function changeGroup(
  ctx: RequestContext,
  link: LinkMessage,
  stack: NetStack,
  target: NetStack,
): void {
  const members = stack.devices.list().filter(({ group }) => group === link.group)
  for (const dev of members) setLink(ctx, dev, link, target)
}

/** rtnl_setlink(). @throws NetlinkError */
export function setLinkRequest(ctx: RequestContext): void {
  const link = ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  checkOneNetns(link)
  const { rtnl } = ctx.kernel
  const target = rtnl.stackOf(targetNet(ctx, link))
  const stack = rtnl.stackOf(ctx.net)
  const isNamed = link.ifname !== undefined || link.altIfname !== undefined
  if (link.ifindex <= 0 && !isNamed) throw new NetlinkError('EINVAL')
  const dev = link.ifindex > 0 ? stack.devices.byIndex(link.ifindex) : linkByName(stack, link)
  if (!dev) throw new NetlinkError('ENODEV')
  setLink(ctx, dev, link, target)
}

/** rtnl_dellink(): one link, or a group of them. @throws NetlinkError */
export function deleteLink(ctx: RequestContext): void {
  const link = ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  checkNetnsIdOnly(link)
  const net = link.targetNetnsid === undefined ? ctx.net : netById(ctx, link.targetNetnsid)
  const stack = ctx.kernel.rtnl.stackOf(net)
  const isNamed = link.ifname !== undefined || link.altIfname !== undefined
  if (link.ifindex > 0 || isNamed) {
    const dev = link.ifindex > 0 ? stack.devices.byIndex(link.ifindex) : linkByName(stack, link)
    if (!dev) throw new NetlinkError('ENODEV')
    deleteLinks([dev], ctx)
  } else if (link.group !== undefined) deleteGroup(ctx, stack, link.group)
  else throw new NetlinkError('EINVAL')
}

/** rtnl_group_dellink(): all of them or none. */
function deleteGroup(ctx: RequestContext, stack: NetStack, group: number): void {
  if (group === 0) throw new NetlinkError('EPERM')
  const members = stack.devices.list().filter((dev) => dev.group === group)
  if (members.length === 0) throw new NetlinkError('ENODEV')
  deleteLinks(members, ctx)
}
