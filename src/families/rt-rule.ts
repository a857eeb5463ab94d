/**
 * rt-rule: the rules that choose a routing table.
 *
 * Kernel: include/uapi/linux/fib_rules.h; net/core/fib_rules.c fib_nl_fill_rule() (Linux 6.18).
 */
import {
  attrs,
  be32,
  be64,
  bits,
  message,
  named,
  protocolAddress,
  rawFamily,
  string,
  struct,
  u8,
  u16,
  u32,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import * as routeConstants from './rt-route-constants.ts'
import * as constants from './rt-rule-constants.ts'
import {
  addressFamily,
  RTM_DELRULE,
  RTM_GETRULE,
  RTM_NEWRULE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_RULE,
} from './rtnetlink.ts'

export * from './rt-rule-constants.ts'

export const fibRuleHdr = struct('fib_rule_hdr', {
  family: addressFamily,
  dstLen: u8,
  srcLen: u8,
  tos: u8,
  /** The table if it is below 256, else RT_TABLE_COMPAT; the whole number is `table`. */
  frhTable: named(u8, routeConstants, 'RT_TABLE_'),
  res1: 1,
  res2: 1,
  action: named(u8, constants, 'FR_ACT_'),
  flags: bits(u32, constants, 'FIB_RULE_'),
})

/** Users, both ends included. */
export const fibRuleUidRange = struct('fib_rule_uid_range', { start: u32, end: u32 })
/** Ports in host order, both ends included. */
export const fibRulePortRange = struct('fib_rule_port_range', { start: u16, end: u16 })

const ruleDefinitions = {
  table: [15, u32],
  suppressPrefixlen: [14, u32],
  protocol: [21, named(u8, routeConstants, 'RTPROT_')],
  iifname: [3, string.max(15).unterminated()],
  oifname: [17, string.max(15).unterminated()],
  /** Lower ones are asked first. */
  priority: [6, u32],
  fwmark: [10, u32],
  fwmask: [16, u32],
  tunId: [12, be64],
  /** 1: the table of the packet's VRF. */
  l3mdev: [19, u8],
  uidRange: [20, fibRuleUidRange],
  ipProto: [22, u8],
  sportRange: [23, fibRulePortRange],
  sportMask: [28, u16],
  dportRange: [24, fibRulePortRange],
  dportMask: [29, u16],
  suppressIfgroup: [13, u32],
  /** The priority of the rule where FR_ACT_GOTO goes on. */
  goto: [4, u32],
  dst: [1, protocolAddress],
  src: [2, protocolAddress],
  /** Realms of IPv4. */
  flow: [11, u32],
  dscp: [25, u8.max(63)],
  dscpMask: [30, u8.max(63)],
  flowlabel: [26, be32],
  flowlabelMask: [27, be32],
} as const
export interface RuleDefinitions extends Readonly<typeof ruleDefinitions> {}
export const ruleAttrs = attrs('FRA_', ruleDefinitions as RuleDefinitions)

const rule = message(fibRuleHdr, ruleAttrs)

export const rtRule = rawFamily({
  name: 'rt-rule',
  protocol: NETLINK_ROUTE,
  groups: { ipv4Rule: RTNLGRP_IPV4_RULE, ipv6Rule: RTNLGRP_IPV6_RULE },
  ops: {
    newRule: { cmd: RTM_NEWRULE, constant: 'RTM_NEWRULE', do: { request: rule } },
    delRule: { cmd: RTM_DELRULE, constant: 'RTM_DELRULE', do: { request: rule } },
    getRule: {
      cmd: RTM_GETRULE,
      replyCmd: RTM_NEWRULE,
      constant: 'RTM_GETRULE',
      dump: { request: message(fibRuleHdr), reply: rule },
    },
  },
  notifications: {
    newRule: { cmd: RTM_NEWRULE, group: ['ipv4Rule', 'ipv6Rule'], body: rule },
    delRule: { cmd: RTM_DELRULE, group: ['ipv4Rule', 'ipv6Rule'], body: rule },
  },
})
