/**
 * RTM_NEWNEXTHOP as it is asked for: one way out, or a group.
 *
 * Kernel: net/ipv4/nexthop.c rtm_to_nh_config(), nh_check_attr_group(), rtm_to_nh_config_grp_res(),
 * rtm_nh_policy_new (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { nhmsg } from '../../families/rt-nexthop.ts'
import {
  attrs,
  binary,
  flag,
  type Infer,
  message,
  NL_VALIDATE_STRICT,
  u16,
  u32,
} from '../../schema/index.ts'
import { HOST_LE } from '../../wire/order.ts'
import { AF_INET, AF_INET6, AF_UNSPEC, RTNH_F_ONLINK } from '../net/constants.ts'
import type { NexthopConfig } from '../net/nexthop.ts'
import type { ResilientConfig } from '../net/nexthop-resilient.ts'
import type { NexthopTable } from '../net/nexthops.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import { checkEncapType, parseEncap } from './encap.ts'
import { hasOthers, invalid, parseNested } from './parse.ts'
import { in6Addr, inAddr, nested } from './policy-types.ts'

const policy = attrs('NHA_', {
  id: [1, u32],
  group: [2, binary],
  groupType: [3, u16],
  blackhole: [4, flag],
  oif: [5, u32],
  gateway: [6, binary],
  encapType: [7, u16],
  encap: [8, nested],
  fdb: [11, flag],
  resGroup: [12, nested],
  hwStatsEnable: [16, u32.range(0, 1)],
})
const request = message(nhmsg, policy)
type Asked = Infer<typeof policy> & Infer<typeof nhmsg>

const resGroup = message(
  attrs('NHA_RES_GROUP_', { buckets: [1, u16], idleTimer: [2, u32], unbalancedTimer: [3, u32] }),
)

/** NEXTHOP_GRP_TYPE_*. */
const GROUP_RESILIENT = 1
/** sizeof(struct nexthop_grp). */
const MEMBER_SIZE = 8
/** What comes before the group's type may stand beside it, unheeded. */
const BESIDE_GROUP = ['family', 'scope', 'protocol', 'flags', 'id', 'group', 'groupType']

/** rtm_to_nh_config(). @throws NetlinkError EINVAL, ENETDOWN, EOPNOTSUPP */
export function parseNexthop(ctx: RequestContext, stack: NetStack): NexthopConfig {
  const asked = ctx.decode(request, NL_VALIDATE_STRICT)
  const { family, scope, protocol, flags, id = 0, group } = asked
  if (ctx.view.getUint8(ctx.payload + 3) || scope) invalid('Invalid values in ancillary header')
  if (flags & ~RTNH_F_ONLINK) invalid('Invalid nexthop flags in ancillary header')
  const isKnown = family === AF_INET || family === AF_INET6
  if (!isKnown && !(family === AF_UNSPEC && group)) invalid('Invalid address family')
  if (asked.fdb) {
    const { oif, blackhole, encap, encapType } = asked
    if (oif !== undefined || blackhole || encap || encapType !== undefined) {
      invalid('Fdb attribute can not be used with encap, oif or blackhole')
    }
    if (flags) invalid('Unsupported nexthop flags in ancillary header')
  }
  const common = { id, family, protocol, flags, isFdb: asked.fdb, origin: ctx }
  if (group) return { ...common, ...parseGroup(ctx, stack.nexthops, asked, group) }
  if (asked.blackhole) {
    const { gateway, oif, encap, encapType, fdb } = asked
    if (gateway || oif !== undefined || encap || encapType !== undefined || fdb) {
      invalid('Blackhole attribute can not be used with gateway, oif, encap or fdb')
    }
    return { ...common, isBlackhole: true }
  }
  return { ...common, ...parseWay(ctx, stack, asked) }
}

/** One way out: through a device, to a gateway. */
function parseWay(ctx: RequestContext, stack: NetStack, asked: Asked): Partial<NexthopConfig> {
  const { oif, fdb, flags, encapType, encap, family } = asked
  if (!fdb && oif === undefined) {
    invalid('Device attribute required for non-blackhole and non-fdb nexthops')
  }
  if (!fdb) checkDevice(stack, oif as number)
  const gateway = gatewayOf(asked)
  if (!asked.gateway && flags & RTNH_F_ONLINK) {
    invalid('ONLINK flag can not be set for nexthop without a gateway')
  }
  if (encap && encapType === undefined) invalid('LWT encapsulation type is missing')
  if (encap) checkEncapType(encapType as number)
  else if (encapType !== undefined) invalid('LWT encapsulation attribute is missing')
  if (asked.hwStatsEnable !== undefined) {
    invalid('Cannot enable nexthop hardware statistics for non-group nexthops')
  }
  const around = encap && parseEncap(ctx, encapType as number, encap, family)
  return { oif, ...gateway, encap: around }
}

function checkDevice(stack: NetStack, oif: number): void {
  const dev = stack.devices.byIndex(oif)
  if (!dev) invalid('Invalid device index')
  if (!dev.isUp) throw new NetlinkError('ENETDOWN', 'Nexthop device is not up')
  if (!dev.hasCarrier) throw new NetlinkError('ENETDOWN', 'Carrier for nexthop device is down')
}

function gatewayOf({ gateway, family }: Asked): Partial<NexthopConfig> {
  if (!gateway) return {}
  const view = new DataView(gateway.buffer, gateway.byteOffset, gateway.length)
  if (gateway.length !== (family === AF_INET ? 4 : 16)) invalid('Invalid gateway')
  return family === AF_INET
    ? { gateway: inAddr.get(view, 0, 4) }
    : { gateway6: in6Addr.get(view, 0, 16) }
}

/** A group: who is in it, and of what kind it is. */
function parseGroup(
  ctx: RequestContext,
  table: NexthopTable,
  asked: Asked,
  group: Uint8Array,
): Partial<NexthopConfig> {
  const { family, groupType = 0, fdb } = asked
  if (family !== AF_UNSPEC) invalid('Invalid family for group')
  if (groupType > GROUP_RESILIENT) invalid('Invalid group type')
  const members = parseMembers(group)
  checkMembers(table, members, fdb === true)
  const allowed = ['hwStatsEnable', 'fdb', ...(groupType === GROUP_RESILIENT ? ['resGroup'] : [])]
  if (hasOthers(asked, [...BESIDE_GROUP, 'resvd', ...allowed])) {
    invalid('No other attributes can be set in nexthop groups')
  }
  const resilient = groupType === GROUP_RESILIENT ? parseResilient(ctx, asked) : undefined
  return { group: members, resilient, hwStats: asked.hwStatsEnable === 1 }
}

function parseMembers(bytes: Uint8Array): { id: number; weight: number }[] {
  if (bytes.length === 0 || bytes.length % MEMBER_SIZE !== 0) {
    invalid('Invalid length for nexthop group attribute')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const members: { id: number; weight: number }[] = []
  for (let at = 0; at < bytes.length; at += MEMBER_SIZE) {
    const weight = view.getUint8(at + 4) + view.getUint8(at + 5) * 256 + 1
    if (view.getUint16(at + 6)) invalid('Reserved field in nexthop_grp must be 0')
    if (weight > 0xffff) invalid('Invalid value for weight')
    const id = view.getUint32(at, HOST_LE)
    for (let other = at + MEMBER_SIZE; other < bytes.length; other += MEMBER_SIZE) {
      if (view.getUint32(other, HOST_LE) === id) {
        invalid('Nexthop id can not be used twice in a group')
      }
    }
    members.push({ id, weight })
  }
  return members
}

/** nh_check_attr_group(), valid_group_nh(), nh_check_attr_fdb_group(). */
function checkMembers(
  table: NexthopTable,
  members: readonly { id: number }[],
  isFdb: boolean,
): void {
  let family = AF_UNSPEC
  for (const { id } of members) {
    const nexthop = table.find(id)
    if (!nexthop) invalid('Invalid nexthop id')
    const { group, info } = nexthop
    if (group) {
      const kind = group.table ? 'Resilient' : 'Hash-threshold'
      invalid(`${kind} group can not be a nexthop within a group`)
    }
    if (info?.isReject && members.length > 1) {
      invalid('Blackhole nexthop can not be used in a group with more than 1 path')
    }
    if (isFdb && !info?.isFdb) invalid('FDB nexthop group can only have fdb nexthops')
    if (isFdb && family !== AF_UNSPEC && family !== info?.family) {
      invalid('FDB nexthop group cannot have mixed family nexthops')
    }
    family = info?.family ?? AF_UNSPEC
    if (!isFdb && info?.isFdb) invalid('Non FDB nexthop group cannot have fdb nexthops')
  }
}

/** rtm_to_nh_config_grp_res(); times come in hundredths of a second. */
function parseResilient(ctx: RequestContext, asked: Asked): ResilientConfig {
  const given =
    asked.resGroup &&
    parseNested(ctx, asked.resGroup, resGroup, {
      level: NL_VALIDATE_STRICT,
    })
  const { buckets, idleTimer, unbalancedTimer } = given ?? {}
  if (buckets === 0) invalid('Number of buckets needs to be non-0')
  return {
    buckets,
    idleTimer: idleTimer === undefined ? undefined : idleTimer * 10,
    unbalancedTimer: unbalancedTimer === undefined ? undefined : unbalancedTimer * 10,
  }
}
