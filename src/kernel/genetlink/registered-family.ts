/** What `registerFamily` returns: a family's numbers, and how it notifies. */
import { NetlinkError } from '../../errors.ts'
import type { GenlFamily, NotificationDefinition } from '../../schema/index.ts'
import { ESRCH } from '../errno.ts'
import type { Net } from '../net-namespace.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import type { Skb } from '../netlink/skb.ts'
import {
  type FamilyOptions,
  type NotifyOptions,
  putGenlHeader,
  type RegisteredOp,
} from './family.ts'
import type { Genetlink } from './genetlink.ts'

/** What a notification of `F` carries. */
type NotificationInput<F extends GenlFamily, N> =
  F['notifications'] extends Readonly<Record<string, NotificationDefinition>>
    ? N extends keyof F['notifications']
      ? Parameters<F['notifications'][N]['body']['encode']>[1]
      : never
    : never

/** A family that is registered. */
export interface RegisteredFamily<F extends GenlFamily = GenlFamily> {
  readonly family: F
  /** nlmsg_type of its messages. */
  readonly id: number
  /** Its groups with their numbers. */
  readonly groups: readonly RegisteredGroup[]
  /** The number of a group of its. @throws NetlinkError EINVAL. */
  groupId(name: string): number
  /**
   * genlmsg_multicast(), genl_notify(): sends a notification to its groups.
   * @returns 0 when somebody got it, -ESRCH when nobody did; another negative errno, as of
   * `KernelSocket.broadcast`, ends it where it occurs.
   * @throws EncodeError when `value` is not what the notification carries.
   */
  notify<N extends keyof F['notifications'] & string>(
    name: N,
    value: NotificationInput<F, N>,
    options?: NotifyOptions,
  ): number
  /**
   * genlmsg_unicast(): sends a notification to one port alone.
   * @returns bytes sent, -ECONNREFUSED when nobody has the port, -EAGAIN when its queue is full.
   * @throws EncodeError when `value` is not what the notification carries.
   */
  unicast<N extends keyof F['notifications'] & string>(
    name: N,
    value: NotificationInput<F, N>,
    to: { readonly portid: number; readonly net?: Net; readonly seq?: number },
  ): number
  /** genl_unregister_family(). Harmless when repeated. */
  unregister(): void
}

/** A group and its number, as membership options take it. */
export interface RegisteredGroup {
  readonly name: string
  readonly id: number
}

/** What generic netlink keeps of a family. */
export class FamilyEntry<F extends GenlFamily = GenlFamily> implements RegisteredFamily {
  readonly family: F
  /** nlmsg_type of its messages. */
  readonly id: number
  readonly ops: ReadonlyMap<number, RegisteredOp>
  /** The number of its first group; the others follow. */
  readonly firstGroup: number
  readonly groups: readonly RegisteredGroup[]
  readonly options: FamilyOptions
  readonly headerSize: number
  readonly resvStartOp: number
  readonly netnsok: boolean
  readonly #genl: Genetlink

  constructor(
    genl: Genetlink,
    family: F,
    id: number,
    ops: ReadonlyMap<number, RegisteredOp>,
    firstGroup: number,
    options: FamilyOptions,
  ) {
    this.#genl = genl
    this.family = family
    this.id = id
    this.ops = ops
    this.firstGroup = firstGroup
    this.groups = (family.groups ?? []).map((name, i) => ({ name, id: firstGroup + i }))
    this.options = options
    this.headerSize = family.headerSize ?? 0
    this.resvStartOp = options.resvStartOp ?? 0
    this.netnsok = options.netnsok ?? true
  }
  groupId(name: string): number {
    const index = this.family.groups?.indexOf(name) ?? -1
    if (index < 0) {
      throw new NetlinkError('EINVAL', { message: `${this.family.name} has no group ${name}` })
    }
    return this.firstGroup + index
  }
  notify(
    name: string,
    value: unknown,
    { net = this.#genl.kernel.initNet, portid = 0, seq = 0, report = false }: NotifyOptions = {},
  ): number {
    const definition = this.#notification(name)
    const groups = typeof definition.group === 'string' ? [definition.group] : definition.group
    let result = -ESRCH
    for (const sock of this.#sockets(net)) {
      for (const group of groups) {
        const skb = this.#encode(sock, definition, value, portid, seq)
        const target = { group: this.groupId(group), portid, report }
        const sent = report
          ? sock.notify(skb, target)
          : sock.broadcast(skb, { group: target.group })
        if (sent === 0) result = 0
        else if (sent !== -ESRCH) return sent
      }
    }
    return result
  }
  unicast(
    name: string,
    value: unknown,
    {
      portid,
      net = this.#genl.kernel.initNet,
      seq = 0,
    }: { portid: number; net?: Net; seq?: number },
  ): number {
    const sock = this.#genl.socketOf(net)
    return sock.unicast(this.#encode(sock, this.#notification(name), value, portid, seq), portid)
  }
  unregister(): void {
    this.#genl.unregisterFamily(this)
  }

  #notification(name: string): NotificationDefinition {
    const definition = this.family.notifications?.[name]
    if (definition) return definition
    const message = `${this.family.name} has no notification ${name}`
    throw new NetlinkError('EINVAL', { message })
  }
  #sockets(net: Net | 'all'): KernelSocket[] {
    const { kernel } = this.#genl
    const nets = net === 'all' ? kernel.nets() : [net]
    return nets.map((each) => this.#genl.socketOf(each))
  }
  #encode(
    sock: KernelSocket,
    { cmd, body }: NotificationDefinition,
    value: unknown,
    portid: number,
    seq: number,
  ): Skb {
    const skb = sock.alloc()
    const mark = skb.messageStart(this.id, 0, seq, portid)
    putGenlHeader(skb, cmd, this.family.version)
    body.encode(skb, value)
    skb.messageEnd(mark)
    return skb
  }
}
