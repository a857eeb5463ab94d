/**
 * Generic netlink: many families on one protocol, found by name.
 *
 * Kernel: net/netlink/genetlink.c genl_register_family(), genl_unregister_family(), genl_bind(),
 * genl_pernet_init() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import type { GenlFamily } from '../../schema/index.ts'
import { GENL_NAMSIZ, NETLINK_GENERIC } from '../../wire/constants.ts'
import { type Credentials, nsCapable } from '../credentials.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { type Handled, netlinkRcvSkb } from '../netlink/rcv.ts'
import type { NetlinkSock } from '../netlink/sock.ts'
import type { Pernet } from '../pernet.ts'
import { announceFamily, registerNlctrl, withdrawFamily } from './ctrl.ts'
import { type FamilyHandlers, type FamilyOptions, registerOps } from './family.ts'
import { FamilyIds, GroupIds } from './ids.ts'
import { HandlerLock } from './lock.ts'
import { genlRcvMsg } from './rcv.ts'
import { FamilyEntry, type RegisteredFamily } from './registered-family.ts'

export class Genetlink {
  readonly kernel: Kernel
  readonly #sockets: Pernet<KernelSocket>
  readonly #byId = new Map<number, FamilyEntry>()
  readonly #byName = new Map<string, FamilyEntry>()
  readonly #byGroup = new Map<number, FamilyEntry>()
  readonly #ids = new FamilyIds()
  readonly #groups = new GroupIds()
  readonly #lock = new HandlerLock()

  constructor(kernel: Kernel) {
    this.kernel = kernel
    const handle = (ctx: RequestContext): Handled | Promise<Handled> => this.#receive(ctx)
    this.#sockets = kernel.registerPernet<KernelSocket>({
      init: (net) =>
        kernel.netlink.create(net, NETLINK_GENERIC, {
          nonrootRecv: true,
          groups: this.#groups.room,
          input: (skb) => netlinkRcvSkb(skb, handle),
          bind: (where, group, current) => this.#bind(where, group, current),
          unbind: (_, group) => this.#unbind(group),
          release: (sock) => this.#release(sock),
        }),
      exit: (_, sock) => sock.release(),
    })
    registerNlctrl(this)
  }
  /**
   * genl_register_family(): from now on the family answers, in every namespace.
   * @throws NetlinkError EINVAL when a handler and an op do not fit, EEXIST when the name is
   * taken, ENOSPC when the ids are used up; nothing is registered then.
   */
  registerFamily<F extends GenlFamily>(
    family: F,
    handlers: FamilyHandlers<F>,
    options: FamilyOptions = {},
  ): RegisteredFamily<F> {
    checkNames(family)
    const ops = (id: number) => registerOps(family, id, handlers, options)
    ops(0)
    if (this.find(family.name)) {
      throw new NetlinkError('EEXIST', { message: `family ${family.name} is registered already` })
    }
    const id = this.#ids.alloc(family.name)
    if (id === undefined) throw new NetlinkError('ENOSPC', { message: 'family ids are used up' })
    const count = family.groups?.length ?? 0
    const first = count > 0 ? this.#groups.alloc(family.name, count) : 0
    this.kernel.netlink.changeGroups(NETLINK_GENERIC, this.#groups.room)
    const { current } = this.kernel.modules
    const owned = current ? { module: current, ...options } : options
    const registered = new FamilyEntry(this, family, id, ops(id), first, owned)
    current?.own(() => this.unregisterFamily(registered))
    this.#byId.set(id, registered)
    this.#byName.set(family.name, registered)
    for (const group of registered.groups) this.#byGroup.set(group.id, registered)
    announceFamily(this, registered)
    return registered
  }
  /**
   * genl_unregister_family(): its groups lose their members. Harmless when repeated.
   * @returns false then.
   */
  unregisterFamily(registered: { readonly id: number }): boolean {
    const entry = this.#byId.get(registered.id)
    if (!entry || entry !== registered) return false
    this.#byId.delete(entry.id)
    this.#byName.delete(entry.family.name)
    for (const { id } of entry.groups) {
      this.kernel.netlink.clearMembers(NETLINK_GENERIC, id)
      this.#byGroup.delete(id)
      this.#groups.free(id)
    }
    this.#ids.free(entry.id)
    entry.options.socketData?.clear()
    withdrawFamily(this, entry)
    return true
  }
  /** The family of that name, or of that id. */
  find(which: string | number): FamilyEntry | undefined {
    return typeof which === 'number' ? this.#byId.get(which) : this.#byName.get(which)
  }
  /** All families, by ascending id. */
  families(): FamilyEntry[] {
    return [...this.#byId.values()].sort((a, b) => a.id - b.id)
  }
  /** The kernel's socket of NETLINK_GENERIC in `net`. */
  socketOf(net: Net): KernelSocket {
    return this.#sockets.of(net)
  }

  #receive(ctx: RequestContext): Handled | Promise<Handled> {
    const family = this.#byId.get(ctx.type)
    if (family?.options.parallelOps) return genlRcvMsg(ctx, family)
    if (!this.#lock.isFree) return this.#lock.run(() => genlRcvMsg(ctx, family))
    const result = genlRcvMsg(ctx, family)
    return typeof result === 'number' ? result : this.#lock.hold(result)
  }
  /** genl_release(): what families kept for a socket goes with it. */
  #release(sock: NetlinkSock): void {
    for (const { options } of this.#byId.values()) options.socketData?.release(sock)
  }
  /** genl_bind(). @throws NetlinkError EPERM */
  #bind(net: Net, group: number, current: Credentials): void {
    const family = this.#byGroup.get(group)
    if (!family) return
    const index = group - family.firstGroup
    const name = family.family.groups?.[index] as string
    const capability = family.options.groupCapabilities?.[name]
    if (capability && !nsCapable(current, net.userNs, capability)) {
      throw new NetlinkError('EPERM')
    }
    family.options.bind?.(index)
  }
  #unbind(group: number): void {
    const family = this.#byGroup.get(group)
    family?.options.unbind?.(group - family.firstGroup)
  }
}

/** A name has 1 to 15 characters, its family's and its groups'. */
function checkNames({ name, groups = [] }: GenlFamily): void {
  for (const each of [name, ...groups]) {
    if (each.length === 0 || each.length >= GENL_NAMSIZ) {
      throw new NetlinkError('EINVAL', { message: `'${each}' has not 1 to 15 characters` })
    }
  }
}
