/**
 * One protocol: who registered it, the ports in use, the members of its groups.
 *
 * Kernel: struct netlink_table, nl_table[] in net/netlink/af_netlink.c.
 */
import { NETLINK_USERSOCK } from '../../wire/constants.ts'
import type { Credentials } from '../credentials.ts'
import type { ModuleOwner } from '../module/module.ts'
import type { Net } from '../net-namespace.ts'
import type { NetlinkSock } from './sock.ts'

/** Sockets by port id, within one namespace and protocol. */
export type PortMap = Map<number, NetlinkSock>

/** What a protocol wants to hear of its sockets. What `bind` throws refuses the membership. */
export interface ProtocolHooks {
  /**
   * Somebody joins `group`, also when it is a member already. `current` is who makes the call.
   * @throws NetlinkError
   */
  readonly bind?:
    | ((net: Net, group: number, current: Credentials, sock: NetlinkSock) => void)
    | undefined
  /** Somebody leaves `group`, also when it was no member. */
  readonly unbind?: ((net: Net, group: number, sock: NetlinkSock) => void) | undefined
  /** A socket is going; its groups are still in `sock.groups`. */
  readonly release?: ((sock: NetlinkSock) => void) | undefined
}

/** How a protocol is registered (struct netlink_kernel_cfg). */
export interface ProtocolConfig extends ProtocolHooks {
  /** Number of groups; fewer than 32 count as 32. */
  readonly groups?: number
  /** NL_CFG_F_NONROOT_RECV: anybody may join groups. */
  readonly nonrootRecv?: boolean
  /** NL_CFG_F_NONROOT_SEND: anybody may send to ports and groups. */
  readonly nonrootSend?: boolean
  /**
   * Whose protocol it is (THIS_MODULE): each socket of a process holds it. Inside a module's `init`
   * it is that module unless given.
   */
  readonly module?: ModuleOwner | undefined
}

/** Groups that every protocol has at least: as many as fit sockaddr_nl. */
export const LEAST_GROUPS = 32
const nobody: readonly NetlinkSock[] = []

export class ProtocolTable {
  readonly protocol: number
  /** In how many namespaces it has a kernel socket; 0: there is no such protocol. */
  registered = 0
  groups = LEAST_GROUPS
  nonrootRecv = false
  nonrootSend = false
  hooks: ProtocolHooks = {}
  /** Whose protocol it is. */
  module: ModuleOwner | undefined
  readonly #ports = new Map<Net, PortMap>()
  readonly #members = new Map<number, readonly NetlinkSock[]>()

  constructor(protocol: number) {
    this.protocol = protocol
    if (protocol === NETLINK_USERSOCK) this.register({ nonrootSend: true })
  }
  /** A namespace gets its kernel socket; what the first one says holds for the protocol. */
  register(config: ProtocolConfig): void {
    if (this.registered++ > 0) return
    this.groups = Math.max(LEAST_GROUPS, config.groups ?? 0)
    this.nonrootRecv = config.nonrootRecv ?? false
    this.nonrootSend = config.nonrootSend ?? false
    this.module = config.module
    this.hooks = { bind: config.bind, unbind: config.unbind, release: config.release }
  }
  /** A namespace loses its kernel socket; with the last one the protocol is gone. */
  unregister(): void {
    if (--this.registered > 0) return
    this.hooks = {}
    this.module = undefined
    this.nonrootRecv = false
    this.nonrootSend = false
  }
  /** The ports in use in `net`. */
  portsOf(net: Net): PortMap {
    let ports = this.#ports.get(net)
    if (!ports) {
      ports = new Map()
      this.#ports.set(net, ports)
    }
    return ports
  }
  /** Forgets a namespace that is gone. */
  forget(net: Net): void {
    this.#ports.delete(net)
  }
  /** All bound sockets, the kernel's included. */
  *bound(): Generator<NetlinkSock> {
    for (const ports of this.#ports.values()) yield* ports.values()
  }
  /** The members of `group` in all namespaces; the array is never changed once it is given out. */
  members(group: number): readonly NetlinkSock[] {
    return this.#members.get(group) ?? nobody
  }
  addMember(group: number, sock: NetlinkSock): void {
    this.#members.set(group, [...this.members(group), sock])
  }
  removeMember(group: number, sock: NetlinkSock): void {
    const rest = this.members(group).filter((member) => member !== sock)
    if (rest.length) this.#members.set(group, rest)
    else this.#members.delete(group)
  }
}
