/**
 * NETLINK_SOCK_DIAG: what sockets there are, for programs like ss(8). A simulated host has netlink
 * sockets; of the other families it has none.
 *
 * Kernel: net/core/sock_diag.c sock_diag_rcv(), __sock_diag_cmd() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { NETLINK_SOCK_DIAG } from '../../wire/constants.ts'
import type { Kernel } from '../kernel.ts'
import type { RequestContext } from '../netlink/context.ts'
import { type DumpSource, startDump } from '../netlink/dump.ts'
import { type Handled, netlinkRcvSkb } from '../netlink/rcv.ts'
import { netlinkDump } from './netlink-diag.ts'

/** TCPDIAG_GETSOCK, DCCPDIAG_GETSOCK, SOCK_DIAG_BY_FAMILY, SOCK_DESTROY. */
const TCPDIAG_GETSOCK = 18
const DCCPDIAG_GETSOCK = 19
const SOCK_DIAG_BY_FAMILY = 20
const SOCK_DESTROY = 21
/** SKNLGRP_INET_TCP_DESTROY to SKNLGRP_INET6_UDP_DESTROY, in name; there are as many as fit. */
const GROUPS = 4
const NLM_F_DUMP = 0x300

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const AF_PACKET = 17
const AF_MAX = 46

/** sizeof(struct inet_diag_req_v2). */
const INET_SIZE = 56

/** Families that hosts have sockets of, each with the least length of a request (struct *_diag_req). */
const REQUEST_SIZES: ReadonlyMap<number, number> = new Map([
  [AF_UNIX, 24],
  [AF_INET, INET_SIZE],
  [AF_INET6, INET_SIZE],
  [AF_NETLINK, 20],
  [AF_PACKET, 20],
])

/** Protocols of the Internet that have sockets to ask for: TCP, UDP, raw, UDP-Lite, MPTCP and SCTP. */
const INET_PROTOCOLS = new Set([6, 17, 132, 136, 255, 262])

const noSockets: DumpSource<never> = {
  name: 'sockets of which there are none',
  type: SOCK_DIAG_BY_FAMILY,
  items: () => [],
  put() {},
}

export class SockDiag {
  constructor(kernel: Kernel) {
    kernel.registerPernet({
      init: (net) =>
        kernel.netlink.create(net, NETLINK_SOCK_DIAG, {
          groups: GROUPS,
          nonrootRecv: true,
          input: (skb) => netlinkRcvSkb(skb, receive),
        }),
      exit: (_, sock) => sock.release(),
    })
  }
}

/** sock_diag_rcv_msg(). @throws NetlinkError EINVAL, ENOENT, EOPNOTSUPP */
function receive(ctx: RequestContext): Handled {
  switch (ctx.type) {
    case TCPDIAG_GETSOCK:
    case DCCPDIAG_GETSOCK:
      return askOld(ctx)
    case SOCK_DIAG_BY_FAMILY:
    case SOCK_DESTROY:
      return ask(ctx)
    default:
      throw new NetlinkError('EINVAL')
  }
}

/** inet_diag_rcv_msg_compat(). */
function askOld(ctx: RequestContext): Handled {
  if (ctx.end - ctx.payload < INET_SIZE) throw new NetlinkError('EINVAL')
  if (ctx.flags & NLM_F_DUMP) return startDump(ctx, noSockets)
  throw new NetlinkError('ENOENT')
}

/** __sock_diag_cmd(). */
function ask(ctx: RequestContext): Handled {
  const { view, payload, end } = ctx
  if (end - payload < 2) throw new NetlinkError('EINVAL')
  const family = view.getUint8(payload)
  const protocol = view.getUint8(payload + 1)
  if (family >= AF_MAX) throw new NetlinkError('EINVAL')
  const size = REQUEST_SIZES.get(family)
  if (size === undefined) throw new NetlinkError('ENOENT')
  const isInet = family === AF_INET || family === AF_INET6
  if (ctx.type === SOCK_DESTROY && !isInet) throw new NetlinkError('EOPNOTSUPP')
  if (end - payload < size) throw new NetlinkError('EINVAL')
  const isDump = ctx.type === SOCK_DIAG_BY_FAMILY && (ctx.flags & NLM_F_DUMP) !== 0
  if (!isDump) throw new NetlinkError(refusalOf(family))
  if (isInet && !INET_PROTOCOLS.has(protocol)) throw new NetlinkError('ENOENT')
  return startDump(ctx, family === AF_NETLINK ? netlinkDump : noSockets)
}

/** What a question for one socket is answered with: there is none, or it cannot be asked. */
function refusalOf(family: number): 'EOPNOTSUPP' | 'ENOENT' {
  return family === AF_NETLINK || family === AF_PACKET ? 'EOPNOTSUPP' : 'ENOENT'
}
