/**
 * A link as RTM_NEWLINK and RTM_DELLINK describe it.
 *
 * Kernel: net/core/rtnetlink.c rtnl_fill_ifinfo(), in the order of its attributes (Linux 6.18).
 */
import {
  ifinfomsg,
  linkAttrs,
  linkinfoAttrs,
  RTEXT_FILTER_SKIP_STATS,
  type rtLink,
} from '../../families/rt-link.ts'
import { rtnlLinkIfmap, rtnlLinkStats, rtnlLinkStats64 } from '../../families/rt-link-structs.ts'
import { attrs, binary, message, nest, type ReplyInput } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import type { Net } from '../net-namespace.ts'
import { encodeAfSpec } from './af-spec.ts'
import { linkKindCodecs } from './link-kinds.ts'
import { bytesOf } from './parse.ts'

export type LinkValue = ReplyInput<typeof rtLink, 'getLink'>
/**
 * The same message, with what is always alike, or known as bytes, as bytes: the structs in it are
 * most of what there is to write.
 */
const definitions = {
  ...linkAttrs.definitions,
  stats64: [23, binary],
  stats: [7, binary],
  map: [14, binary],
  afSpec: [26, binary],
} as const
const linkMessage = message(ifinfomsg, attrs('IFLA_', definitions))
/** The same where a kind writes its part of a link itself, in its own order. */
const ownLinkMessage = message(
  ifinfomsg,
  attrs('IFLA_', {
    ...definitions,
    linkinfo: [
      18,
      nest(attrs('IFLA_INFO_', { ...linkinfoAttrs.definitions, data: [2, binary] }), 'noflag'),
    ],
  }),
)
/** Nothing ever passes through a simulated device. */
const NO_STATS64 = new Uint8Array(rtnlLinkStats64.size)
const NO_STATS = new Uint8Array(rtnlLinkStats.size)
const NO_MAP = new Uint8Array(rtnlLinkIfmap.size)

/** What is told of a link beside itself. */
export interface LinkContext {
  /** Whom it is told: ids of namespaces are this one's. */
  readonly net: Net
  /** ifi_change. */
  readonly change?: number | undefined
  /** RTEXT_FILTER_*. */
  readonly extMask?: number | undefined
  /** IFLA_TARGET_NETNSID, where it was asked for. */
  readonly targetNetnsid?: number | undefined
  /** IFLA_EVENT. */
  readonly event?: LinkValue['event'] | undefined
  /** Where a link went that leaves. */
  readonly newNetnsid?: number | undefined
  readonly newIfindex?: number | undefined
}

/** Writes the message behind its nlmsghdr. */
export function putLink(w: Writer, dev: NetDevice, context: LinkContext): void {
  const linkinfo = describeLinkinfo(dev)
  const link = describeLink(dev, context, linkinfo)
  if ((linkinfo?.data as unknown) instanceof Uint8Array) ownLinkMessage.encode(w, link as never)
  else linkMessage.encode(w, link)
}

/** rtnl_fill_ifinfo(). */
function describeLink(dev: NetDevice, context: LinkContext, linkinfo: LinkValue['linkinfo']) {
  return {
    family: 0,
    type: dev.type,
    ifindex: dev.ifindex,
    flags: dev.reportedFlags,
    change: context.change ?? 0,
    targetNetnsid: context.targetNetnsid,
    ifname: dev.name,
    txqlen: dev.txQueueLength,
    operstate: dev.reportedOperstate,
    linkmode: dev.linkMode,
    netnsImmutable: dev.isNetnsLocal ? 1 : 0,
    mtu: dev.mtu,
    minMtu: dev.minMtu,
    maxMtu: dev.maxMtu,
    group: dev.group,
    promiscuity: dev.promiscuity,
    allmulti: dev.allmulti,
    ...describeQueues(dev),
    master: dev.master?.ifindex,
    carrier: dev.hasCarrier ? 1 : 0,
    ifalias: dev.ifalias,
    carrierChanges: dev.carrierUpCount + dev.carrierDownCount,
    carrierUpCount: dev.carrierUpCount,
    carrierDownCount: dev.carrierDownCount,
    headroom: 0,
    tailroom: 0,
    protoDown: dev.protoDown ? 1 : 0,
    event: context.event,
    ...(dev.address.length > 0 ? { address: dev.address, broadcast: dev.broadcast } : {}),
    stats64: NO_STATS64,
    stats: NO_STATS,
    xdp: { attached: 'none' as const },
    linkinfo,
    newNetnsid: context.newNetnsid,
    newIfindex: context.newIfindex,
    permAddress: dev.permanentAddress.some((byte) => byte !== 0) ? dev.permanentAddress : undefined,
    ...describeLower(dev, context.net),
    qdisc: dev.qdisc,
    afSpec: encodeAfSpec(dev, ((context.extMask ?? 0) & RTEXT_FILTER_SKIP_STATS) === 0),
    map: NO_MAP,
    propList: dev.altnames.length > 0 ? { altIfname: dev.altnames } : undefined,
    devlinkPort: {},
    dpllPin: {},
  }
}

function describeQueues(dev: NetDevice) {
  const { offload } = dev
  return {
    numTxQueues: dev.txQueues,
    gsoMaxSegs: offload.gsoMaxSegs,
    gsoMaxSize: offload.gsoMaxSize,
    groMaxSize: offload.groMaxSize,
    gsoIpv4MaxSize: offload.gsoIpv4MaxSize,
    groIpv4MaxSize: offload.groIpv4MaxSize,
    tsoMaxSize: offload.tsoMaxSize,
    tsoMaxSegs: offload.tsoMaxSegs,
    maxPacingOffloadHorizon: 0,
    numRxQueues: dev.rxQueues,
  }
}

/** rtnl_link_fill(). */
function describeLinkinfo(dev: NetDevice): LinkValue['linkinfo'] {
  const { kind, master } = dev
  const masterKind = master?.kind?.kind
  if (!kind && !masterKind) return undefined
  return {
    ...(kind ? { kind: kind.kind, data: describeKind(dev, kind.kind) } : {}),
    ...(masterKind
      ? { slaveKind: masterKind, slaveData: linkKindCodecs.get(masterKind)?.fillSlave?.(dev) }
      : {}),
  } as LinkValue['linkinfo']
}

/** What a kind says of a link: a value, or the bytes of it. */
function describeKind(dev: NetDevice, kind: string): object | undefined {
  const codec = linkKindCodecs.get(kind)
  const value = codec?.fill?.(dev)
  return value && codec?.data && codec.isOwnReply ? bytesOf(codec.data, value) : value
}

/** rtnl_fill_link_netnsid(): what the link stands on, and where that is. */
function describeLower(dev: NetDevice, net: Net): { linkNetnsid?: number; link?: number } {
  const { lower, iflink } = dev
  if (iflink) {
    const { ifindex: link, stack } = iflink
    if (stack === dev.stack) return { link }
    return { linkNetnsid: net.assignNsid(stack.owner as Net), link }
  }
  if (!lower) return { link: 0 }
  if (lower === dev) return {}
  if (lower.stack === dev.stack) return lower.ifindex === dev.ifindex ? {} : { link: lower.ifindex }
  return { linkNetnsid: net.assignNsid(lower.stack.owner as Net), link: lower.ifindex }
}
