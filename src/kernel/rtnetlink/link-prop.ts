/**
 * RTM_NEWLINKPROP, RTM_DELLINKPROP: the other names of a link.
 *
 * Kernel: net/core/rtnetlink.c rtnl_linkprop(), rtnl_alt_ifname() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { NL_VALIDATE_STRICT } from '../../schema/index.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import type { NetDevice } from '../net/device.ts'
import { notifyStateChange } from '../net/device-flags.ts'
import type { RequestContext } from '../netlink/context.ts'
import { linkByName } from './link.ts'
import { linkAttributes, linkRequest } from './link-policy.ts'
import { checkNetnsIdOnly } from './netns.ts'
import { parseNested, wholeEnd } from './parse.ts'
import type { Span } from './policy-types.ts'

/** IFLA_ALT_IFNAME. */
const ALT_IFNAME = 53
/** nla_total_size(ALTIFNAMSIZ). */
const NAME_SIZE = 132
/** U16_MAX: what a nest holds. */
const LIST_MAX = 65_535

type Change = (dev: NetDevice, name: string) => void

/** @throws NetlinkError EINVAL, ENODEV, EEXIST, ERANGE */
export function newLinkProperty(ctx: RequestContext): void {
  changeProperties(ctx, (dev, name) => {
    const count = dev.altnames.length
    const size = (count > 0 ? 4 : 0) + (count + 1) * NAME_SIZE
    if (size >= LIST_MAX) throw new NetlinkError('EINVAL', 'effective property list too long')
    dev.stack.devices.addAltname(dev, name)
  })
}

/** @throws NetlinkError EINVAL, ENODEV, ENOENT, ERANGE */
export function deleteLinkProperty(ctx: RequestContext): void {
  changeProperties(ctx, (dev, name) => dev.stack.devices.removeAltname(dev, name))
}

/** One after the other; what was done before a refusal stays, and nobody hears of it. */
function changeProperties(ctx: RequestContext, change: Change): void {
  const link = ctx.decode(linkRequest, NL_VALIDATE_STRICT)
  checkNetnsIdOnly(link)
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  const isNamed = link.ifname !== undefined || link.altIfname !== undefined
  if (link.ifindex <= 0 && !isNamed) throw new NetlinkError('EINVAL')
  const dev = link.ifindex > 0 ? stack.devices.byIndex(link.ifindex) : linkByName(stack, link)
  if (!dev) throw new NetlinkError('ENODEV')
  if (!link.propList) return
  let isChanged = false
  for (const name of names(ctx, link.propList)) {
    change(dev, name)
    isChanged = true
  }
  if (isChanged) notifyStateChange(dev)
}

/** The names of IFLA_PROP_LIST, each judged when it is its turn. */
function* names(ctx: RequestContext, { at, end }: Span): Generator<string> {
  const walker = new AttributeWalker(ctx.view, at, wholeEnd(ctx.view, at, end))
  while (walker.next()) {
    if (walker.type !== ALT_IFNAME) continue
    const span = { at: walker.start, end: walker.end }
    const { altIfname } = parseNested(ctx, span, linkAttributes, { level: NL_VALIDATE_STRICT })
    yield altIfname ?? ''
  }
}
