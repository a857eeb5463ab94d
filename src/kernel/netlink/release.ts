/**
 * The end of a socket, in the order that Linux keeps.
 *
 * Kernel: net/netlink/af_netlink.c netlink_release() (Linux 6.12).
 */
import { KERN_ERR } from '../printk/log.ts'
import { endDump } from './dump.ts'
import { memberships, unbindGroup } from './groups.ts'
import { NETLINK_URELEASE } from './notify.ts'
import { removePort } from './port.ts'
import type { NetlinkSock } from './sock.ts'

/**
 * Closes `sock`: its port and its groups first, then the protocol's hooks, then who waits to send to
 * it, then whoever listens on the netlink chain, then its dump. When the chain runs the port may be
 * taken again already. Harmless when repeated.
 * @returns false when it was closed already.
 */
export function releaseSock(sock: NetlinkSock): boolean {
  if (sock.isClosed) return false
  sock.isClosed = true
  const { netlink, net, protocol, portid, cookie } = sock
  removePort(sock)
  const joined = [...memberships(sock)]
  for (const group of joined) sock.table.removeMember(group, sock)
  try {
    sock.hooks.release?.(sock)
  } catch (error) {
    netlink.kernel.printk(KERN_ERR, `netlink: release of protocol ${protocol} failed: ${error}`)
  }
  for (const group of joined) unbindGroup(sock, group)
  sock.dataReady?.()
  sock.senders.wakeUp()
  if (sock.isBound && portid !== 0) {
    netlink.notifyRelease(NETLINK_URELEASE, { net, protocol, portid, cookie })
  }
  if (sock.dump) endDump(sock)
  sock.queue.purge()
  sock.groups = undefined
  if (sock.isKernel) sock.table.unregister()
  else {
    sock.module?.put()
    netlink.forget(sock)
    net.put()
  }
  return true
}
