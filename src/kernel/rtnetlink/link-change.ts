/**
 * Changing a link: one value after the other, in Linux's order, up to the first that is refused.
 *
 * Kernel: net/core/rtnetlink.c do_setlink(), validate_linkmsg(), rtnl_changelink() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { xdpAttrs } from '../../families/rt-link-attrs.ts'
import { attrs, message, u8, u32 } from '../../schema/index.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import { NLA_HDRLEN, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/constants.ts'
import type { NetDevice } from '../net/device.ts'
import { changeFlags, combineFlags, notifyStateChange } from '../net/device-flags.ts'
import { moveDevice, renameDevice } from '../net/device-registry.ts'
import {
  changeCarrier,
  checkLinkAddress,
  setAddress,
  setAlias,
  setBroadcast,
  setMtu,
  setProtoDown,
  setTxQueueLength,
} from '../net/device-settings.ts'
import type { LinkKind } from '../net/link-kind.ts'
import { requestOperstate } from '../net/link-watch.ts'
import { setMaster } from '../net/master.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import { KERN_WARNING } from '../printk/log.ts'
import { setAfSpec, validateAfSpec } from './af-spec-request.ts'
import { linkKindCodecs } from './link-kinds.ts'
import type { LinkMessage } from './link-policy.ts'
import { parseNested } from './parse.ts'
import type { Span } from './policy-types.ts'

/** What of a request is about a link's kind, and about its master's. */
export interface KindPart {
  readonly kind: LinkKind | undefined
  /** What IFLA_INFO_DATA means to the kind; absent: the request has none. */
  readonly data?: unknown
  readonly hasData: boolean
  readonly slaveData: Span | undefined
}

/** How far a change came: what user space is to hear at the end (DO_SETLINK_*). */
interface Progress {
  /** Something was changed. */
  isModified: boolean
  /** Something was changed that has no announcement of its own. */
  isToTell: boolean
}

/**
 * rtnl_changelink(): RTM_NEWLINK for a link that is there.
 * @throws NetlinkError EEXIST, EOPNOTSUPP, and what a value is refused with
 */
export function changeLink(
  ctx: RequestContext,
  dev: NetDevice,
  link: LinkMessage,
  part: KindPart,
  target: NetStack,
): void {
  if (ctx.flags & NLM_F_EXCL) throw new NetlinkError('EEXIST')
  if (ctx.flags & NLM_F_REPLACE) throw new NetlinkError('EOPNOTSUPP')
  const progress = { isModified: false, isToTell: false }
  if (part.hasData) {
    if (!part.kind?.changelink || part.kind !== dev.kind) throw new NetlinkError('EOPNOTSUPP')
    part.kind.changelink(dev, part.data)
    tell(progress)
  }
  if (part.slaveData) {
    changePort(ctx, dev, part.slaveData)
    tell(progress)
  }
  setLink(ctx, dev, link, target, progress)
}

function changePort(ctx: RequestContext, dev: NetDevice, span: Span): void {
  const { master } = dev
  const kind = master?.kind
  if (!master || !kind?.slaveChangelink) throw new NetlinkError('EOPNOTSUPP')
  const policy = linkKindCodecs.get(kind.kind)?.slaveData
  kind.slaveChangelink(master, dev, policy && parseNested(ctx, span, policy))
}

/**
 * do_setlink(). What was changed before a refusal stays.
 * @throws NetlinkError
 */
export function setLink(
  ctx: RequestContext,
  dev: NetDevice,
  link: LinkMessage,
  target: NetStack,
  progress: Progress = { isModified: false, isToTell: false },
): void {
  try {
    validateLink(ctx, dev, link)
    moveAndName(dev, link, target, progress)
    setState(ctx, dev, link, progress)
  } catch (error) {
    if (progress.isModified) {
      ctx.kernel.printk(
        KERN_WARNING,
        'A link change request failed with some changes committed already. Interface ' +
          `${dev.name} may have been left with an inconsistent configuration, please check.`,
      )
    }
    throw error
  } finally {
    if (progress.isToTell) notifyStateChange(dev)
  }
}

function tell(progress: Progress): void {
  progress.isModified = true
  progress.isToTell = true
}

/** validate_linkmsg(). */
function validateLink(ctx: RequestContext, dev: NetDevice, link: LinkMessage): void {
  if (link.address) checkLinkAddress(dev, link.address)
  if (link.broadcast) checkLinkAddress(dev, link.broadcast)
  dev.offload.check(link)
  if (link.afSpec) validateAfSpec(ctx, dev, link.afSpec)
}

/** The first half: place, address, size, group, name. */
function moveAndName(
  dev: NetDevice,
  link: LinkMessage,
  target: NetStack,
  progress: Progress,
): void {
  const done = (): void => {
    progress.isModified = true
  }
  if (target !== dev.stack) {
    moveDevice(dev, target, link.ifname || undefined, link.newIfindex ?? 0)
    done()
  }
  if (link.map) throw new NetlinkError('EOPNOTSUPP')
  if (link.address) {
    setAddress(dev, link.address)
    done()
  }
  if (link.mtu !== undefined) {
    setMtu(dev, link.mtu)
    done()
  }
  if (link.group !== undefined) {
    dev.group = link.group
    tell(progress)
  }
  if (link.ifindex > 0 && link.ifname) {
    renameDevice(dev, link.ifname)
    done()
  }
  if (link.ifalias !== undefined) {
    setAlias(dev, link.ifalias)
    tell(progress)
  }
}

/** The second half: broadcast address, flags, master, queue, state. */
function setState(
  ctx: RequestContext,
  dev: NetDevice,
  link: LinkMessage,
  progress: Progress,
): void {
  const done = (): void => {
    progress.isModified = true
  }
  if (link.broadcast) setBroadcast(dev, link.broadcast)
  if (link.flags || link.change) changeFlags(dev, combineFlags(dev, link.flags, link.change))
  if (link.master !== undefined) {
    setMaster(dev, link.master)
    done()
  }
  if (link.carrier !== undefined) {
    changeCarrier(dev, link.carrier !== 0)
    done()
  }
  if (link.txqlen !== undefined) {
    setTxQueueLength(dev, link.txqlen)
    done()
  }
  if (dev.offload.apply(link)) done()
  if (link.operstate !== undefined) requestOperstate(dev, link.operstate)
  if (link.linkmode !== undefined) {
    const isNew = dev.linkMode !== link.linkmode
    dev.linkMode = link.linkmode
    if (isNew) tell(progress)
  }
  setVirtualFunctions(ctx, link)
  if (link.afSpec) {
    setAfSpec(ctx, dev, link.afSpec)
    tell(progress)
  }
  if (link.protoDown !== undefined || link.protoDownReason) {
    setProtoDown(dev, link.protoDown ? true : link.protoDown === undefined && dev.protoDown)
    tell(progress)
  }
  if (link.xdp) setXdp(ctx, link.xdp, progress)
}

/**
 * What no simulated device has: virtual functions, and ports of them. Lists of them that are empty
 * are nothing.
 */
function setVirtualFunctions(ctx: RequestContext, link: LinkMessage): void {
  if (link.vfinfoList && !isEmpty(link.vfinfoList)) {
    checkVfinfo(ctx, link.vfinfoList)
    throw new NetlinkError('EOPNOTSUPP')
  }
  if (link.vfPorts || link.portSelf) throw new NetlinkError('EOPNOTSUPP')
}

const IFLA_VF_INFO = 1

function checkVfinfo({ view }: RequestContext, { at, end }: Span): void {
  const walker = new AttributeWalker(view, at, end)
  const isOne = walker.next() && walker.type === IFLA_VF_INFO
  if (!isOne || walker.end - walker.payload < NLA_HDRLEN) throw new NetlinkError('EINVAL')
}

function isEmpty({ at, end }: Span): boolean {
  return end - at < NLA_HDRLEN
}

/** XDP_FLAGS_*: all, those that say where a program runs, and the one that names an old one. */
const XDP_FLAGS_MASK = 0x1f
const XDP_FLAGS_MODES = [0x2, 0x4, 0x8]
const XDP_FLAGS_REPLACE = 0x10

const xdpRequest = message(
  attrs('IFLA_XDP_', { ...xdpAttrs.definitions, attached: [2, u8], flags: [3, u32] }),
)

/**
 * IFLA_XDP: programs can be taken away, and none is there.
 * @throws NetlinkError EINVAL, EBADF
 */
function setXdp(ctx: RequestContext, span: Span, progress: Progress): void {
  const xdp = parseNested(ctx, span, xdpRequest, { silent: true })
  if (xdp.attached !== undefined || xdp.progId !== undefined) throw new NetlinkError('EINVAL')
  const { flags = 0, fd } = xdp
  const modes = XDP_FLAGS_MODES.filter((mode) => flags & mode)
  if (flags & ~XDP_FLAGS_MASK || modes.length > 1) throw new NetlinkError('EINVAL')
  if (fd === undefined) return
  if (flags & XDP_FLAGS_REPLACE && xdp.expectedFd === undefined) throw new NetlinkError('EINVAL')
  if (fd >= 0) throw new NetlinkError('EBADF')
  tell(progress)
}
