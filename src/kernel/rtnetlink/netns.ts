/**
 * Namespaces that requests name: by an id that this one gave them, or by a process in them.
 *
 * Kernel: net/core/rtnetlink.c rtnl_ensure_unique_netns(), rtnl_link_get_net_capable(),
 * rtnl_get_net_ns_capable().
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { nsCapable } from '../credentials.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'

/** The attributes that name one. */
export interface NetnsAttributes {
  readonly netNsPid?: number
  readonly netNsFd?: number
  readonly targetNetnsid?: number
}

/** Where a link is to be. @throws NetlinkError EINVAL, ESRCH, EBADF, EPERM */
export function targetNet(ctx: RequestContext, link: NetnsAttributes): Net {
  const net = namedNet(ctx, link)
  if (!ctx.capable('CAP_NET_ADMIN', net.userNs)) throw new NetlinkError('EPERM')
  return net
}

function namedNet(ctx: RequestContext, { netNsPid, netNsFd, targetNetnsid }: NetnsAttributes): Net {
  if (netNsPid !== undefined) return netOfProcess(ctx, netNsPid)
  if (netNsFd !== undefined) return netOfDescriptor(ctx, netNsFd)
  if (targetNetnsid === undefined) return ctx.net
  const net = ctx.net.byNsid(targetNetnsid)
  if (!net) throw new NetlinkError('EINVAL')
  return net
}

/** get_net_ns_by_fd(). Without a host that knows descriptors there are none. @throws NetlinkError EBADF */
export function netOfDescriptor(ctx: RequestContext, fd: number): Net {
  const net = ctx.kernel.netFinder?.byFd(ctx.sender.credentials.pid, fd)
  if (!net) throw new NetlinkError('EBADF')
  return net
}

/** get_net_ns_by_pid(): as the host knows it, or where a process is that has a socket. @throws NetlinkError ESRCH */
export function netOfProcess(ctx: RequestContext, pid: number): Net {
  const found = ctx.kernel.netFinder?.byPid(ctx.sender.credentials.pid, pid)
  if (found) return found
  for (const sock of ctx.kernel.netlink.sockets()) {
    if (sock.credentials.pid === pid) return sock.net
  }
  throw new NetlinkError('ESRCH')
}

/** One name at most. @throws NetlinkError EINVAL */
export function checkOneNetns({ netNsPid, netNsFd, targetNetnsid }: NetnsAttributes): void {
  const given = [netNsPid, netNsFd, targetNetnsid].filter((each) => each !== undefined)
  if (given.length > 1) {
    throw new NetlinkError('EINVAL', 'multiple netns identifying attributes specified')
  }
}

/** Where only an id is understood. @throws NetlinkError EOPNOTSUPP */
export function checkNetnsIdOnly({ netNsPid, netNsFd }: NetnsAttributes): void {
  if (netNsPid !== undefined || netNsFd !== undefined) {
    throw new NetlinkError('EOPNOTSUPP', 'specified netns attribute not supported')
  }
}

/**
 * The namespace that has the id, for a request that is not about the sender's own.
 * @throws NetlinkError EINVAL, EACCES
 */
export function netById(ctx: RequestContext, nsid: number): Net {
  const net = ctx.net.byNsid(nsid)
  if (!net) throw new NetlinkError('EINVAL')
  if (!nsCapable(ctx.sender.credentials, net.userNs, 'CAP_NET_ADMIN')) {
    throw new NetlinkError('EACCES')
  }
  return net
}

/** The same for a dump, which says so in words. @throws NetlinkError EINVAL, EACCES */
export function dumpedNet(ctx: RequestContext, nsid: number, text: string): Net {
  try {
    return netById(ctx, nsid)
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    throw new NetlinkError(error.code, text)
  }
}
