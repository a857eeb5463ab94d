/** The buses of a kernel, and which socket is a connection of which. */
import { NetlinkError } from '../../errors.ts'
import type { dbus } from '../../families/dbus.ts'
import { DBUS_REASON_BUS_GONE, DBUS_REASON_BYE, DBUS_REASON_EXPELLED } from '../../families/dbus.ts'
import type { Kernel, NetlinkNotify, RegisteredFamily, RequestContext } from '../../kernel/index.ts'
import type { Bus } from '../bus/bus.ts'
import type { Peer } from '../bus/peer.ts'
import { Connection } from './connection.ts'

/** NETLINK_GENERIC: of another protocol's ports we know nothing. */
const NETLINK_GENERIC = 16
const KERN_INFO = 6

/** A bus with its number and its name in the kernel. */
export interface DbusBus {
  readonly id: number
  readonly name: string
  readonly bus: Bus
  /** Abstract name of the Unix socket where its tokens are exchanged, where there is one. */
  fdDoor?: string
}

/** What makes a socket a connection of a bus: who has it speaks over netlink, or is a gateway. */
export interface Attachment {
  readonly sock: { readonly cookie: number }
  readonly bus: DbusBus
  readonly peer: Peer
  /** Nothing goes out any more. Harmless when repeated. */
  close(): void
}

export class DbusRouter {
  readonly kernel: Kernel
  readonly #buses = new Map<number, DbusBus>()
  /** Connections by their socket's cookie: a port may be somebody else's when we hear of its end. */
  readonly #connections = new Map<number, Attachment>()
  /** Set when the family is registered. */
  family!: RegisteredFamily<typeof dbus>
  #lastId = 0

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  get connections(): number {
    return this.#connections.size
  }

  /** @throws NetlinkError EEXIST */
  addBus(name: string, make: (id: number) => Bus): DbusBus {
    for (const bus of this.#buses.values())
      if (bus.name === name) throw new NetlinkError('EEXIST', `there is a bus "${name}"`)
    const id = ++this.#lastId
    const added = { id, name, bus: make(id) }
    this.#buses.set(id, added)
    return added
  }

  /** Ends a bus, and all connections of it. @throws NetlinkError ENOENT */
  deleteBus(id: number): void {
    const bus = this.bus(id)
    this.#buses.delete(id)
    for (const connection of [...this.#connections.values()])
      if (connection.bus === bus) this.drop(connection, DBUS_REASON_BUS_GONE)
  }

  buses(): DbusBus[] {
    return [...this.#buses.values()]
  }

  /** The bus of that number; without one the first. @throws NetlinkError ENOENT */
  bus(id?: number): DbusBus {
    const bus = id === undefined ? this.buses()[0] : this.#buses.get(id)
    if (bus) return bus
    throw new NetlinkError('ENOENT', id === undefined ? 'there is no bus' : `there is no bus ${id}`)
  }

  /** The bus of that name. @throws NetlinkError ENOENT */
  busNamed(name: string): DbusBus {
    const bus = this.buses().find((each) => each.name === name)
    if (bus) return bus
    throw new NetlinkError('ENOENT', `there is no bus "${name}"`)
  }

  /** The connection that a request comes from. @throws NetlinkError ENOTCONN */
  connectionOf(ctx: RequestContext): Connection {
    const connection = this.#connections.get(ctx.sender.cookie)
    if (connection instanceof Connection) return connection
    throw new NetlinkError('ENOTCONN', 'say hello first')
  }

  /** Makes the sender a connection. @throws NetlinkError EALREADY */
  connect(ctx: RequestContext, bus: DbusBus): Connection {
    const { sender } = ctx
    if (this.#connections.has(sender.cookie))
      throw new NetlinkError('EALREADY', 'Already handled an Hello message')
    const connection = new Connection(this.family, sender, bus, (ended, reason) => {
      this.kernel.printk(KERN_INFO, `dbus: ${reason}`)
      this.#forget(ended, DBUS_REASON_EXPELLED)
    })
    this.#connections.set(sender.cookie, connection)
    return connection
  }

  /**
   * Makes a socket of a gateway's a connection, which ends with the socket.
   * @throws NetlinkError EALREADY
   */
  attach(attachment: Attachment): void {
    const { cookie } = attachment.sock
    if (this.#connections.has(cookie)) throw new NetlinkError('EALREADY')
    this.#connections.set(cookie, attachment)
  }

  /** NETLINK_URELEASE: who had that socket is gone. */
  released({ protocol, cookie }: NetlinkNotify): void {
    if (protocol !== NETLINK_GENERIC) return
    const connection = this.#connections.get(cookie)
    if (connection) this.drop(connection, DBUS_REASON_BYE)
  }

  /** Ends a connection: names, rules and open calls go, and who has to know is told. */
  drop(connection: Attachment, reason: number): void {
    const { bus } = connection.bus
    connection.close()
    if (connection.peer) bus.disconnect(connection.peer)
    this.#forget(connection, reason)
  }

  #forget(connection: Attachment, reason: number): void {
    if (!this.#connections.delete(connection.sock.cookie)) return
    const uniqueId = connection.peer?.id
    if (uniqueId === undefined) return
    this.family.notify('peerEvent', { busId: connection.bus.id, uniqueId, reason }, { net: 'all' })
  }

  /** All that there is goes. */
  clear(): void {
    for (const { id } of this.buses()) this.deleteBus(id)
  }
}
