/**
 * What Linux accepts in requests for links, and what it understands of them.
 *
 * Kernel: net/core/rtnetlink.c ifla_policy, ifla_info_policy (Linux 6.18).
 */

import { ifinfomsg } from '../../families/rt-link.ts'
import { afterLinkinfo, beforeLinkinfo } from '../../families/rt-link-attrs.ts'
import { rtgenmsg } from '../../families/rtnetlink.ts'
import { attrs, binary, type Infer, message, u8 } from '../../schema/index.ts'
import type { LinkRequest } from '../net/link-kind.ts'
import { nested, nlaString, textOf } from './policy-types.ts'

/** MAX_ADDR_LEN. */
const lladdr = binary.max(32)

/** ifla_policy. */
const policy = attrs('IFLA_', {
  ...beforeLinkinfo,
  ...afterLinkinfo,
  address: [1, lladdr],
  broadcast: [2, lladdr],
  ifname: [3, nlaString(15)],
  operstate: [16, u8],
  linkmode: [17, u8],
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
})

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
    txQueues: link.numTxQueues,
    rxQueues: link.numRxQueues,
    flags: link.flags,
    change: link.change,
    link: link.link,
  }
}
