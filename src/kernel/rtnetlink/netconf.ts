/**
 * How devices forward: RTM_GETNETCONF, and the groups that hear of changes.
 *
 * Kernel: net/ipv4/devinet.c inet_netconf_fill_devconf(), inet_netconf_get_devconf(),
 * inet_netconf_dump_devconf(); net/ipv6/addrconf.c, the same with inet6_ (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { netconfAttrs, netconfmsg } from '../../families/rt-netconf.ts'
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  RTM_DELNETCONF,
  RTM_GETNETCONF,
  RTM_NEWNETCONF,
  RTNLGRP_IPV4_NETCONF,
  RTNLGRP_IPV6_NETCONF,
} from '../../families/rtnetlink.ts'
import {
  attrs,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
  type Type,
} from '../../schema/index.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { NetconfNotice } from '../net/chains.ts'
import { NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT } from '../net/constants.ts'
import type { Devconf4 } from '../net/devconf4.ts'
import type { Devconf6 } from '../net/devconf6.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { notify } from './notify.ts'
import { hasOthers, invalid, payloadSize } from './parse.ts'
import { spanOf } from './policy-types.ts'
import { dumpAllFamilies } from './rcv.ts'
import type { RtnlTable } from './table.ts'

/** netconfmsg, padded. */
const HEADER_SIZE = 4
/** inet_netconf_msgsize_devconf() and inet6_netconf_msgsize_devconf() of all settings. */
const SIZE4 = 60
const SIZE6 = 44
/** Of one, and of none. */
const SIZE_ONE = 20
const SIZE_NONE = 12

const { ifindex, forwarding, rpFilter, mcForwarding, proxyNeigh, ignoreRoutesWithLinkdown } =
  netconfAttrs.definitions
const { bcForwarding } = netconfAttrs.definitions
/** In the order in which Linux writes them. */
const reply = message(
  netconfmsg,
  attrs('NETCONFA_', {
    ifindex,
    forwarding,
    rpFilter,
    mcForwarding,
    bcForwarding,
    proxyNeigh,
    ignoreRoutesWithLinkdown,
  }),
)
const int: Type<number> = {
  ...spanOf(4),
  get: (view, at) => view.getInt32(at, HOST_LE),
}
const any = spanOf(0)
/** devconf_ipv4_policy, devconf_ipv6_policy. */
const requests = { 4: policyOf(int), 6: policyOf(any) }

function policyOf(ofRpFilter: Type<number> | typeof any) {
  return message(
    netconfmsg,
    attrs('NETCONFA_', {
      ifindex: [1, int],
      forwarding: [2, int],
      rpFilter: [3, ofRpFilter],
      mcForwarding: [4, any],
      proxyNeigh: [5, int],
      ignoreRoutesWithLinkdown: [6, int],
      input: [7, any],
      bcForwarding: [8, any],
      forceForwarding: [9, any],
    }),
  )
}

type What = NonNullable<NetconfNotice['what']>

/** What `what` is in a message, of settings that a family has. */
function describe4(conf: Devconf4, what: What) {
  const isWanted = (each: What): boolean => what === 'all' || what === each
  return {
    forwarding: isWanted('forwarding') ? conf.get('forwarding') : undefined,
    rpFilter: isWanted('rpFilter') ? conf.get('rpFilter') : undefined,
    mcForwarding: what === 'all' ? conf.get('mcForwarding') : undefined,
    bcForwarding: what === 'all' ? conf.get('bcForwarding') : undefined,
    proxyNeigh: isWanted('proxyNeigh') ? conf.get('proxyArp') : undefined,
    ignoreRoutesWithLinkdown: isWanted('ignoreRoutesWithLinkdown')
      ? conf.get('ignoreRoutesWithLinkdown')
      : undefined,
  }
}

function describe6(conf: Devconf6, what: What) {
  const isWanted = (each: What): boolean => what === 'all' || what === each
  return {
    forwarding: isWanted('forwarding') ? conf.get('forwarding') : undefined,
    mcForwarding: what === 'all' ? conf.get('mcForwarding') : undefined,
    proxyNeigh: isWanted('proxyNeigh') ? conf.get('proxyNdp') : undefined,
    ignoreRoutesWithLinkdown: isWanted('ignoreRoutesWithLinkdown')
      ? conf.get('ignoreRoutesWithLinkdown')
      : undefined,
  }
}

function put(w: Writer, of: NetconfNotice): void {
  const { family, conf, what } = of
  const head = { family, ifindex: of.ifindex }
  if (!conf || !what) reply.encode(w, head)
  else if (family === AF_INET) reply.encode(w, { ...head, ...describe4(conf as Devconf4, what) })
  else reply.encode(w, { ...head, ...describe6(conf as Devconf6, what) })
}

/** Announces what happens to the settings of `stack` through `sock`. */
export function notifyNetconf(stack: NetStack, sock: KernelSocket): void {
  stack.chains.netconf.register({
    name: 'inet_netconf_notify_devconf',
    call(event, notice) {
      const type = event === 'NEWNETCONF' ? RTM_NEWNETCONF : RTM_DELNETCONF
      const isInet = notice.family === AF_INET
      const group = isInet ? RTNLGRP_IPV4_NETCONF : RTNLGRP_IPV6_NETCONF
      const all = isInet ? SIZE4 : SIZE6
      const size = notice.what === 'all' ? all : notice.what ? SIZE_ONE : SIZE_NONE
      notify(sock, { type, group, size }, (w) => put(w, notice))
      return NOTIFY_DONE
    },
  })
}

/** The settings of `family` that `index` means in `stack`. */
function settingsOf(
  stack: NetStack,
  family: 4 | 6,
  index: number,
): Devconf4 | Devconf6 | undefined {
  const netconf = family === 4 ? stack.netconf4 : stack.netconf6
  if (index === NETCONFA_IFINDEX_ALL) return netconf.all
  if (index === NETCONFA_IFINDEX_DEFAULT) return netconf.default
  const dev = stack.devices.byIndex(index)
  return family === 4 ? dev?.inet?.conf : dev?.inet6?.conf
}

/** inet_netconf_get_devconf(). @throws NetlinkError EINVAL, ENODEV */
function getNetconf(ctx: RequestContext, family: 4 | 6): void {
  const wanted = parseGet(ctx, family)
  if (wanted === undefined) throw new NetlinkError('EINVAL')
  const conf = settingsOf(ctx.kernel.rtnl.stackOf(ctx.net), family, wanted)
  if (!conf) throw new NetlinkError(family === 4 ? 'ENODEV' : 'EINVAL')
  const notice = { family: numberOf(family), ifindex: wanted, conf, what: 'all' as const }
  ctx.reply(RTM_NEWNETCONF, (w) => put(w, notice))
}

/** inet_netconf_valid_get_req(). */
function parseGet(ctx: RequestContext, family: 4 | 6): number | undefined {
  const whose = `ipv${family}`
  if (payloadSize(ctx) < 1) invalid(`${whose}: Invalid header for netconf get request`)
  const request = requests[family]
  if (!ctx.strict) return ctx.decode(request, NL_VALIDATE_LIBERAL).ifindex
  const parsed = ctx.decode(request, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(parsed, ['family', 'ifindex'])) {
    invalid(`${whose}: Unsupported attribute in netconf get request`)
  }
  return parsed.ifindex
}

/** inet_netconf_dump_devconf(): of each device, of all, of new ones. */
function netconfDump(family: 4 | 6): DumpSource<NetconfNotice> {
  return {
    name: `RTM_GETNETCONF of IPv${family}`,
    type: RTM_NEWNETCONF,
    *items(ctx) {
      if (ctx.strict) checkDump(ctx, family)
      const stack = ctx.kernel.rtnl.stackOf(ctx.net)
      const { devices } = stack
      const notice = { family: numberOf(family), what: 'all' as const }
      for (let dev = devices.after(0); dev; dev = devices.after(dev.ifindex)) {
        const conf = settingsOf(stack, family, dev.ifindex)
        if (conf) yield { ...notice, ifindex: dev.ifindex, conf }
      }
      for (const each of [NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT]) {
        const conf = settingsOf(stack, family, each)
        if (conf) yield { ...notice, ifindex: each, conf }
      }
    },
    put,
  }
}

function checkDump(ctx: RequestContext, family: 4 | 6): void {
  const whose = `ipv${family}`
  if (payloadSize(ctx) < 1) invalid(`${whose}: Invalid header for netconf dump request`)
  if (payloadSize(ctx) !== HEADER_SIZE) {
    invalid(`${whose}: Invalid data after header in netconf dump request`)
  }
}

function numberOf(family: 4 | 6): number {
  return family === 4 ? AF_INET : AF_INET6
}

export function registerNetconf(table: RtnlTable): void {
  for (const family of [4, 6] as const) {
    const doit = (ctx: RequestContext): void => getNetconf(ctx, family)
    table.register(numberOf(family), RTM_GETNETCONF, { doit, dumpit: netconfDump(family) })
  }
  const dumpit = dumpAllFamilies(table, RTM_GETNETCONF, RTM_NEWNETCONF)
  table.register(AF_UNSPEC, RTM_GETNETCONF, { dumpit })
}
