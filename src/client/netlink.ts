/** A client: one kernel, one network namespace, every door to it. */
import type { Family } from '../schema/index.ts'
import { NETLINK_GENERIC, NETLINK_ROUTE } from '../wire/index.ts'
import { onAbort } from './abort.ts'
import { type BatchDoors, type BatchOptions, runBatch } from './batch.ts'
import { DatagramEvents, type DatagramSource } from './datagrams.ts'
import type { Dependants } from './dependants.ts'
import { Endpoint } from './endpoint.ts'
import type { EventOptions, Events } from './events.ts'
import { checkHeader, FamilyClient } from './family.ts'
import { within } from './loop.ts'
import { type CallOptions, checkTimeout } from './options.ts'
import { timedOut } from './pending.ts'
import { ProcessDoor } from './processes.ts'
import { Resolver } from './resolve.ts'
import { AddressDoor } from './route/address.ts'
import { BridgeDoor } from './route/bridge.ts'
import { Links } from './route/door.ts'
import { ForwardingDoor } from './route/forwarding.ts'
import { LinkDoor } from './route/link.ts'
import { MulticastRouteDoor } from './route/multicast-route.ts'
import { NamespaceDoor } from './route/namespace.ts'
import { NeighbourDoor } from './route/neighbour.ts'
import { NexthopDoor } from './route/nexthop.ts'
import { RouteDoor } from './route/route.ts'
import { RuleDoor } from './route/rule.ts'
import { StatisticsDoor } from './route/statistics.ts'
import {
  AddressLabelDoor,
  MulticastAddressDoor,
  NeighbourTableDoor,
  NetconfDoor,
} from './route/table.ts'
import { FilterDoor, QdiscDoor, TrafficClassDoor } from './route/traffic-control.ts'
import { closedError, type Session } from './session.ts'
import type { Topic } from './topics.ts'
import { UeventDoor } from './uevents.ts'
import { type WatchEvent, watch } from './watch.ts'

/** What open() gives. All calls of one client share its sockets. */
export class Netlink implements AsyncDisposable {
  readonly links: LinkDoor
  readonly addresses: AddressDoor
  readonly routes: RouteDoor
  readonly neighbours: NeighbourDoor
  readonly rules: RuleDoor
  readonly processes: ProcessDoor
  readonly uevents: UeventDoor
  readonly nexthops: NexthopDoor
  readonly neighbourTables: NeighbourTableDoor
  readonly netconf: NetconfDoor
  readonly addressLabels: AddressLabelDoor
  readonly multicastAddresses: MulticastAddressDoor
  readonly statistics: StatisticsDoor
  readonly multicastRoutes: MulticastRouteDoor
  /** Of bridges and tunnels. */
  readonly forwarding: ForwardingDoor
  readonly bridges: BridgeDoor
  readonly qdiscs: QdiscDoor
  readonly classes: TrafficClassDoor
  readonly filters: FilterDoor
  /** Other namespaces, by the numbers that this one knows them by. */
  readonly namespaces: NamespaceDoor
  readonly #session: Session
  readonly #endpoints = new Map<number, Endpoint>()
  readonly #resolver: Resolver
  /** Watches and family clients, which end with this. */
  readonly #dependants: Dependants
  #closed: { readonly reason: unknown } | undefined

  /** For open(); `signal` closes it. */
  constructor(session: Session, signal?: AbortSignal) {
    this.#session = session
    this.#dependants = session.dependants
    if (signal) {
      this.#dependants.add({ end: onAbort(signal, () => void this.close(signal.reason)) })
    }
    this.#resolver = new Resolver(this.#endpoint(NETLINK_GENERIC))
    const links = new Links(this.#endpoint(NETLINK_ROUTE))
    this.links = new LinkDoor(links)
    this.addresses = new AddressDoor(links)
    this.routes = new RouteDoor(links)
    this.neighbours = new NeighbourDoor(links)
    this.rules = new RuleDoor(links)
    const open = <T>(source: DatagramSource<T>, options: EventOptions) =>
      this.#datagrams(source, options)
    this.processes = new ProcessDoor(open)
    this.uevents = new UeventDoor(open)
    this.nexthops = new NexthopDoor(links)
    this.neighbourTables = new NeighbourTableDoor(links)
    this.netconf = new NetconfDoor(links)
    this.addressLabels = new AddressLabelDoor(links)
    this.multicastAddresses = new MulticastAddressDoor(links)
    this.statistics = new StatisticsDoor(links)
    this.multicastRoutes = new MulticastRouteDoor(links)
    this.forwarding = new ForwardingDoor(links)
    this.bridges = new BridgeDoor(links)
    this.qdiscs = new QdiscDoor(links)
    this.classes = new TrafficClassDoor(links)
    this.filters = new FilterDoor(links)
    this.namespaces = new NamespaceDoor(links)
  }

  /** Opens the first socket. @throws NetlinkError of Transport.open(). */
  ready(): Promise<void> {
    return this.#endpoint(NETLINK_ROUTE).ready()
  }

  /**
   * Changes of what is named, as they happen, and `overrun` and `resync` when some were lost. They
   * are collected from the moment that `ready` of the result resolves.
   * @throws NetlinkError NETLINK_INVALID for a topic that does not exist.
   */
  watch<const K extends Topic>(
    topics: readonly K[],
    options: EventOptions = {},
  ): Events<WatchEvent<K>> {
    this.#check()
    const dependant = { end: (reason: unknown) => events.fail(reason) }
    const whenClosed = () => this.#dependants.delete(dependant)
    const events: Events<WatchEvent<K>> = watch(this.#session, this, topics, options, whenClosed)
    this.#dependants.add(dependant)
    return events
  }

  #datagrams<T>(source: DatagramSource<T>, options: EventOptions): DatagramEvents<T> {
    this.#check()
    const dependant = { end: (reason: unknown) => events.fail(reason) }
    const whenClosed = () => this.#dependants.delete(dependant)
    const events: DatagramEvents<T> = new DatagramEvents(this.#session, source, options, whenClosed)
    this.#dependants.add(dependant)
    return events
  }

  /**
   * A family's operations and notifications, typed by its description.
   * @throws NetlinkError NETLINK_FAMILY when the kernel has no generic family of that name.
   */
  async family<F extends Family>(family: F, options: CallOptions = {}): Promise<FamilyClient<F>> {
    this.#check()
    const resolved = family.kind === 'genl' ? await this.#resolve(family.name, options) : undefined
    if (family.kind === 'genl' && resolved) checkHeader(family, resolved)
    this.#check()
    const endpoint = this.#endpoint(family.protocol)
    const dependant = { end: (reason: unknown) => client.close(reason) }
    const whenClosed = () => this.#dependants.delete(dependant)
    const generic = resolved && { resolver: this.#resolver, resolved }
    const client = new FamilyClient(family, endpoint, generic, whenClosed)
    this.#dependants.add(dependant)
    return client
  }

  /**
   * Makes many changes at once, with few acknowledgements. `work` asks for them through the doors
   * that it is given, and need not wait for each; they are sent while it goes on, in the order in
   * which it asks. What fails does not keep the others from being made.
   * @returns how many were made.
   * @throws what `work` throws, or the first error, unless `onError` takes them.
   */
  batch(work: (doors: BatchDoors) => unknown, options: BatchOptions = {}): Promise<number> {
    return runBatch(this.#endpoint(NETLINK_ROUTE), work, options)
  }

  /** Ends all calls and watches with NETLINK_CLOSED, or `reason`. Harmless when repeated. */
  async close(reason: unknown = closedError()): Promise<void> {
    if (this.#closed) return
    this.#closed = { reason }
    this.#dependants.end(reason)
    this.#resolver.close()
    for (const endpoint of this.#endpoints.values()) endpoint.close(reason)
    await this.#session.transport.close?.()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #check(): void {
    if (this.#closed) throw this.#closed.reason
  }

  #endpoint(protocol: number): Endpoint {
    let endpoint = this.#endpoints.get(protocol)
    if (!endpoint) {
      endpoint = new Endpoint(this.#session, protocol)
      this.#endpoints.set(protocol, endpoint)
    }
    return endpoint
  }

  #resolve(name: string, { signal, timeout: given }: CallOptions) {
    const timeout = given === undefined ? this.#session.timeout : checkTimeout(given)
    const expired = () => timedOut(`the look-up of ${name}`, timeout)
    return within({ signal, timeout, expired }, () => this.#resolver.find(name))
  }
}
