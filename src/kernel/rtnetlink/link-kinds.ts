/**
 * What the kinds of links say in IFLA_LINKINFO, and how they read it.
 *
 * Kernel: include/net/rtnetlink.h struct rtnl_link_ops; drivers/net/veth.c veth_policy,
 * veth_newlink().
 */
import { NetlinkError } from '../../errors.ts'
import { attrs, type Message, message } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import { type VethData, veth } from '../net/kinds/veth.ts'
import type { RequestContext } from '../netlink/context.ts'
import { bondCodec } from './kind-bond.ts'
import { geneveCodec } from './kind-geneve.ts'
import { ipvlanCodec, macvlanCodec, vlanCodec } from './kind-stacked.ts'
import {
  erspanCodec,
  greCodec,
  ip6greCodec,
  ip6tnlCodec,
  ipipCodec,
  sitCodec,
  vti6Codec,
  vtiCodec,
  xfrmCodec,
} from './kind-tunnel.ts'
import { vrfCodec } from './kind-vrf.ts'
import { vxlanCodec } from './kind-vxlan.ts'
import { bridgeCodec } from './link-bridge.ts'
import { describeRequest, linkRequest } from './link-policy.ts'
import { checkOneNetns, targetNet } from './netns.ts'
import { parseNested } from './parse.ts'
import { type Span, spanOf } from './policy-types.ts'

/** How a kind's own part of a link looks on the wire. */
export interface LinkKindCodec {
  /** IFLA_INFO_DATA as requests have it; absent: it is not looked at. */
  readonly data?: Message<unknown, unknown>
  /** What the content means to the kind; absent: the content itself. @throws NetlinkError */
  toData?(ctx: RequestContext, data: unknown): unknown
  /** IFLA_INFO_DATA of replies; absent: there is none. */
  fill?(dev: NetDevice): object
  /** Whether replies are written as `data` has it, in its order and with its types. */
  readonly isOwnReply?: boolean
  /** IFLA_INFO_SLAVE_DATA as requests have it. */
  readonly slaveData?: Message<unknown, unknown>
  /** IFLA_INFO_SLAVE_DATA of replies. */
  fillSlave?(port: NetDevice): object | undefined
}

/** Bytes of struct ifinfomsg, which the description of a peer begins with. */
const IFINFOMSG_SIZE = 16

const vethCodec: LinkKindCodec = {
  data: message(attrs('VETH_INFO_', { peer: [1, spanOf(IFINFOMSG_SIZE)] })),
  toData(ctx, data): VethData {
    const { peer } = data as { readonly peer?: Span }
    if (!peer) return {}
    const described = parseNested(ctx, peer, linkRequest)
    if (described.ifindex < 0) {
      const extack = { message: "ifindex can't be negative", offset: peer.at - 4 - ctx.start }
      throw new NetlinkError('EINVAL', { extack })
    }
    checkOneNetns(described)
    const request = describeRequest(described)
    veth.validate?.(request)
    return { peer: { ...request, stack: ctx.kernel.rtnl.stackOf(targetNet(ctx, described)) } }
  },
}

/** Kinds with something of their own to say; the others have their name alone. */
export const linkKindCodecs: ReadonlyMap<string, LinkKindCodec> = new Map([
  ['bond', bondCodec],
  ['bridge', bridgeCodec],
  ['erspan', erspanCodec],
  ['geneve', geneveCodec],
  ['gre', greCodec],
  ['gretap', greCodec],
  ['ip6erspan', ip6greCodec],
  ['ip6gre', ip6greCodec],
  ['ip6gretap', ip6greCodec],
  ['ip6tnl', ip6tnlCodec],
  ['ipip', ipipCodec],
  ['ipvlan', ipvlanCodec],
  ['ipvtap', ipvlanCodec],
  ['macvlan', macvlanCodec],
  ['macvtap', macvlanCodec],
  ['sit', sitCodec],
  ['veth', vethCodec],
  ['vlan', vlanCodec],
  ['vrf', vrfCodec],
  ['vti', vtiCodec],
  ['vti6', vti6Codec],
  ['vxlan', vxlanCodec],
  ['xfrm', xfrmCodec],
])
