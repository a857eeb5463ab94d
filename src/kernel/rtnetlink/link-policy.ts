/**
 * What Linux accepts in requests for links, and what it understands of them.
 *
 * Kernel: net/core/rtnetlink.c ifla_policy, ifla_info_policy (Linux 6.18).
 */

import { ifinfomsg } from '../../families/rt-link.ts'
import { afterLinkinfo, beforeLinkinfo } from '../../families/rt-link-attrs.ts'
import { rtgenmsg } from '../../families/rtnetlink.ts'
import {
  attrs,
  binary,
  type Infer,
  message,
  rejected,
  strictFrom,
  u8,
  u32,
} from '../../schema/index.ts'
import type { LinkRequest } from '../net/link-kind.ts'
import { nested, nlaString, spanOf, textOf, unspecified } from './policy-types.ts'

/** MAX_ADDR_LEN. */
const lladdr = binary.max(32)

/** Bytes. */
const MAX_TCP_HEADER = 192

/** NLA_REJECT. */
function whatIsOnlyTold() {
  const no = rejected()
  return {
    permAddress: [54, no],
    tsoMaxSize: [59, no],
    tsoMaxSegs: [60, no],
    allmulti: [61, no],
    netnsImmutable: [67, no],
    headroom: [68, no],
    tailroom: [69, no],
  } as const
}

/** What Linux has no policy for. */
function whatIsNotLookedAt() {
  const any = spanOf(0)
  return {
    qdisc: [6, any],
    stats: [7, any],
    cost: [8, any],
    priority: [9, any],
    wireless: [11, any],
    protinfo: [12, any],
    numVf: [21, any],
    stats64: [23, any],
    physPortName: [38, any],
    newNetnsid: [45, any],
    parentDevBusName: [57, any],
    devlinkPort: [62, any],
  } as const
}

const { maxPacingOffloadHorizon: _pacing, ...before } = beforeLinkinfo
const { dpllPin, ...after } = afterLinkinfo

/** ifla_policy; from IFLA_DPLL_PIN on what has no policy is refused. */
const definitions = attrs('IFLA_', {
  ...before,
  ...after,
  address: [1, lladdr],
  broadcast: [2, lladdr],
  ifname: [3, nlaString(15)],
  operstate: [16, u8],
  gsoMaxSize: [41, u32.min(MAX_TCP_HEADER + 1)],
  gsoIpv4MaxSize: [63, u32.min(MAX_TCP_HEADER + 1)],
  linkmode: [17, u8],
  map: [14, unspecified(after.map[1])],
  linkinfo: [18, nested],
  ifalias: [20, textOf(255)],
  vfinfoList: [22, nested],
  vfPorts: [24, nested],
  portSelf: [25, nested],
  afSpec: [26, nested],
  xdp: [43, nested],
  propList: [52, nested],
  altIfname: [53, nlaString(127)],
  protoDownReason: [55, nested],
  newIfindex: [49, afterLinkinfo.newIfindex[1].min(1)],
  ...whatIsOnlyTold(),
  ...whatIsNotLookedAt(),
})

const policy = strictFrom(definitions, dpllPin[0])

/** A request for a link, of whatever type. */
export const linkRequest = message(ifinfomsg, policy)
/** Attributes of a link without a header. */
export const linkAttributes = message(policy)
/** What old programs send in its place: a shorter header. */
export const shortLinkRequest = message(rtgenmsg, policy)
export type LinkMessage = Infer<typeof policy> & Infer<typeof ifinfomsg>

/** ifla_info_policy. */
export const linkinfoRequest = message(
  attrs('IFLA_INFO_', {
    kind: [1, nlaString(Number.MAX_SAFE_INTEGER)],
    data: [2, nested],
    slaveKind: [4, nlaString(Number.MAX_SAFE_INTEGER)],
    slaveData: [5, nested],
  }),
)

/** What a message says of a link that is to be made or changed. */
export function describeRequest(link: LinkMessage): LinkRequest {
  return {
    name: link.ifname,
    ifindex: link.ifindex,
    address: link.address,
    broadcast: link.broadcast,
    mtu: link.mtu,
    txQueueLength: link.txqlen,
    operstate: link.operstate,
    linkMode: link.linkmode,
    group: link.group,
    offload: link,
    txQueues: link.numTxQueues,
    rxQueues: link.numRxQueues,
    flags: link.flags,
    change: link.change,
    link: link.link,
  }
}
