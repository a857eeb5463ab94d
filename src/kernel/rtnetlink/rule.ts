/**
 * RTM_NEWRULE, RTM_DELRULE and RTM_GETRULE of both families, and the groups that hear of changes.
 *
 * Kernel: net/core/fib_rules.c fib_nl_newrule(), fib_nl_delrule(), fib_nl_dumprule(),
 * fib_nl_fill_rule(), notify_rule_change(), fib_rule_nlmsg_size() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import {
  FIB_RULE_IIF_DETACHED,
  FIB_RULE_OIF_DETACHED,
  FIB_RULE_UNRESOLVED,
  FR_ACT_GOTO,
  fibRuleHdr,
  ruleAttrs,
} from '../../families/rt-rule.ts'
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  RTM_DELRULE,
  RTM_GETRULE,
  RTM_NEWRULE,
  RTNL_FAMILY_IP6MR,
  RTNL_FAMILY_IPMR,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_RULE,
} from '../../families/rtnetlink.ts'
import { attrs, be64, message, NL_VALIDATE_LIBERAL, u64 } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import { ANY_UID, type FibRule, NONE, type Range, type RuleConfig } from '../net/rule.ts'
import type { RuleTable } from '../net/rules.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { notify } from './notify.ts'
import { hasHeaderValues, invalid, payloadSize } from './parse.ts'
import { fibAddress, nlaString, unspecified } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct fib_rule_hdr). */
const HEADER_SIZE = 12
/** What the header says of a table whose number it has no room for. */
const RT_TABLE_COMPAT = 252
/** fib_rule_nlmsg_size(), without the nlmsghdr. */
const SIZE = { [AF_INET]: 212, [AF_INET6]: 244 }

const rule = message(
  fibRuleHdr,
  attrs('FRA_', {
    ...ruleAttrs.definitions,
    iifname: [3, nlaString(15)],
    oifname: [17, nlaString(15)],
    // Linux describes it as a number of the machine's order.
    tunId: [12, { ...be64, shape: u64.shape }],
    uidRange: [20, unspecified(ruleAttrs.definitions.uidRange[1])],
    sportRange: [23, unspecified(ruleAttrs.definitions.sportRange[1])],
    dportRange: [24, unspecified(ruleAttrs.definitions.dportRange[1])],
    dst: [1, fibAddress],
    src: [2, fibAddress],
  }),
)

export function registerRules(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_NEWRULE, { doit: newRule })
  table.register(AF_UNSPEC, RTM_DELRULE, { doit: deleteRule })
  table.register(AF_UNSPEC, RTM_GETRULE, { dumpit: ruleDump })
}

/** Announces what happens to the rules of `stack` through `sock`. */
export function notifyRules(stack: NetStack, sock: KernelSocket): void {
  stack.chains.rule.register({
    name: 'notify_rule_change',
    call(event, { rule: changed, origin }) {
      const isIpv4 = changed.family === AF_INET || changed.family === RTNL_FAMILY_IPMR
      const what = {
        type: event === 'NEWRULE' ? RTM_NEWRULE : RTM_DELRULE,
        group: isIpv4 ? RTNLGRP_IPV4_RULE : RTNLGRP_IPV6_RULE,
        origin,
        size: SIZE[isIpv4 ? AF_INET : AF_INET6],
      }
      notify(sock, what, (w) => putRule(w, changed))
      return NOTIFY_DONE
    },
  })
}

/** fib_nl_newrule(). @throws NetlinkError EINVAL, EEXIST, EAFNOSUPPORT */
function newRule(ctx: RequestContext): void {
  const { rules, config } = parseRule(ctx)
  rules.add(config, ctx.flags, ctx)
}

/** fib_nl_delrule(). @throws NetlinkError EINVAL, ENOENT, EPERM, EAFNOSUPPORT */
function deleteRule(ctx: RequestContext): void {
  const { rules, config } = parseRule(ctx)
  rules.delete(config, ctx)
}

function rulesOf(stack: NetStack, family: number): RuleTable | undefined {
  if (family === AF_INET) return stack.rules4
  return family === AF_INET6 ? stack.rules6 : undefined
}

function parseRule(ctx: RequestContext): { rules: RuleTable; config: RuleConfig } {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid msg length')
  const family = ctx.view.getUint8(ctx.payload)
  const rules = rulesOf(ctx.kernel.rtnl.stackOf(ctx.net), family)
  if (!rules) throw new NetlinkError('EAFNOSUPPORT', 'Rule family not supported')
  return { rules, config: describeRule(decodeRule(ctx), family) }
}

type Decoded = ReturnType<typeof rule.decode>

/** The request; Linux puts words of its own over what is wrong with an attribute. */
function decodeRule(ctx: RequestContext): Decoded {
  try {
    return ctx.decode(rule, NL_VALIDATE_LIBERAL)
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    throw new NetlinkError(error.code, {
      extack: { ...error.extack, message: 'Error parsing msg' },
    })
  }
}

/** fib_nl2rule(): what a request asks for. */
function describeRule(request: Decoded, family: number): RuleConfig {
  const { frhTable, table = frhTable, protocol, src, dst, dscp, tos } = request
  if (dscp !== undefined && tos !== 0) invalid('Cannot specify both TOS and DSCP')
  if (request.l3mdev !== undefined && request.l3mdev !== 1) invalid('Invalid l3mdev attribute')
  const kind = family === AF_INET ? 'number' : 'bigint'
  const { iifname, oifname, priority, goto, uidRange, suppressPrefixlen, suppressIfgroup } = request
  return {
    action: request.action,
    flags: request.flags,
    table,
    priority,
    src: typeof src === kind ? src : undefined,
    srcLen: request.srcLen,
    dst: typeof dst === kind ? dst : undefined,
    dstLen: request.dstLen,
    tos: dscp === undefined ? tos : dscp << 2,
    iifname,
    oifname,
    mark: request.fwmark,
    mask: request.fwmask,
    tunId: request.tunId,
    flow: request.flow,
    l3mdev: request.l3mdev,
    goto,
    suppressPrefixlen,
    suppressIfgroup,
    uidRange,
    ipProto: request.ipProto,
    sport: request.sportRange,
    dport: request.dportRange,
    protocol,
  }
}

/** fib_nl_fill_rule(): what stands behind the nlmsghdr. */
function putRule(w: Writer, of: FibRule): void {
  const hasMark = of.mark !== 0
  rule.encode(w, {
    family: of.family,
    dstLen: of.dstLen,
    srcLen: of.srcLen,
    tos: of.tos,
    frhTable: of.table < 256 ? of.table : RT_TABLE_COMPAT,
    action: of.action,
    flags: reportedFlags(of),
    table: of.table,
    suppressPrefixlen: of.suppressPrefixlen,
    protocol: of.protocol,
    iifname: of.iifname || undefined,
    oifname: of.oifname || undefined,
    priority: of.priority || undefined,
    fwmark: of.mark || undefined,
    fwmask: hasMark || of.mask !== 0 ? of.mask : undefined,
    goto: of.target || undefined,
    tunId: of.tunId || undefined,
    l3mdev: of.l3mdev || undefined,
    uidRange: of.uidRange && of.uidRange.start !== ANY_UID.start ? of.uidRange : undefined,
    sportRange: of.sport.start ? of.sport : undefined,
    sportMask: maskOf(of.sport),
    dportRange: of.dport.start ? of.dport : undefined,
    dportMask: maskOf(of.dport),
    ipProto: of.ipProto || undefined,
    suppressIfgroup: of.suppressIfgroup === NONE ? undefined : of.suppressIfgroup,
    dst: of.dstLen ? of.dst : undefined,
    src: of.srcLen ? of.src : undefined,
    flow: of.flow || undefined,
  })
}

/** A single port is one with all its bits. */
function maskOf({ start, end }: Range): number | undefined {
  return start !== 0 && start === end ? 0xffff : undefined
}

/** The flags that were given, and what is true of the rule at the moment. */
function reportedFlags(of: FibRule): number {
  let { flags } = of
  if (of.action === FR_ACT_GOTO && !of.jump) flags |= FIB_RULE_UNRESOLVED
  if (of.iifname && of.iifindex === -1) flags |= FIB_RULE_IIF_DETACHED
  if (of.oifname && of.oifindex === -1) flags |= FIB_RULE_OIF_DETACHED
  return flags >>> 0
}

/** Of multicast routing, whose rules nobody changes here by request. */
function multicastRulesOf(stack: NetStack, family: number): RuleTable | undefined {
  if (family === RTNL_FAMILY_IPMR) return stack.multicastRules4
  return family === RTNL_FAMILY_IP6MR ? stack.multicastRules6 : undefined
}

/** In the order in which Linux registers them. */
const DUMPED = [AF_INET, RTNL_FAMILY_IPMR, RTNL_FAMILY_IP6MR, AF_INET6]

const ruleDump: DumpSource<FibRule> = {
  name: 'RTM_GETRULE',
  type: RTM_NEWRULE,
  *items(ctx) {
    if (ctx.strict) checkDump(ctx)
    const family = ctx.view.getUint8(ctx.payload)
    const stack = ctx.kernel.rtnl.stackOf(ctx.net)
    const families = family === AF_UNSPEC ? DUMPED : [family]
    for (const each of families) {
      const rules = (multicastRulesOf(stack, each) ?? rulesOf(stack, each))?.list()
      if (!rules) throw new NetlinkError('EAFNOSUPPORT')
      yield* rules.slice()
    }
  },
  put: (w, of) => putRule(w, of),
}

/** fib_valid_dumprule_req(). */
function checkDump(ctx: RequestContext): void {
  const size = payloadSize(ctx)
  if (size < HEADER_SIZE) invalid('Invalid header for fib rule dump request')
  if (hasHeaderValues(ctx, 1, HEADER_SIZE - 1)) {
    invalid('Invalid values in header for fib rule dump request')
  }
  if (size > HEADER_SIZE) invalid('Invalid data after header in fib rule dump request')
}
