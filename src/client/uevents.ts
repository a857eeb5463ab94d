/** The door `nl.uevents`: what the kernel tells of its objects as they come, change and go. */
import { UEVENT_GROUP_KERNEL, type Uevent, uevent } from '../families/uevent.ts'
import { NETLINK_KOBJECT_UEVENT } from '../wire/index.ts'
import type { DatagramEvents, DatagramSource } from './datagrams.ts'
import type { EventOptions } from './events.ts'

/** A change of a kernel object, such as `add` of `/devices/virtual/net/veth0`. */
export interface KobjectEvent extends Uevent {
  readonly type: 'uevent'
  /** SEQNUM: counts all events of the kernel, in whatever namespace they are told. */
  readonly seqnum: bigint
}

const source: DatagramSource<KobjectEvent> = {
  protocol: NETLINK_KOBJECT_UEVENT,
  group: UEVENT_GROUP_KERNEL,
  decode(view, size) {
    const event = uevent.get(view, 0, size)
    const { SEQNUM = '' } = event.env
    return { type: 'uevent', ...event, seqnum: /^\d+$/.test(SEQNUM) ? BigInt(SEQNUM) : 0n }
  },
}

/** How the door opens what it watches with. */
export type OpenDatagrams = <T>(
  source: DatagramSource<T>,
  options: EventOptions,
) => DatagramEvents<T>

export class UeventDoor {
  readonly #open: OpenDatagrams

  constructor(open: OpenDatagrams) {
    this.#open = open
  }
  /**
   * Uevents of the namespace, from the moment that `ready` of the result resolves; `overrun` when
   * some were lost. No privilege is needed.
   */
  watch(options: EventOptions = {}): DatagramEvents<KobjectEvent> {
    return this.#open(source, options)
  }
}
