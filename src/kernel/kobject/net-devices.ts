/**
 * Network devices as objects below /sys/devices/virtual/net: what udev hears of them.
 *
 * Kernel: net/core/net-sysfs.c netdev_register_kobject(), netdev_uevent() (Linux 6.18).
 */

import type { NetdevEvent, NetdevInfo } from '../net/chains.ts'
import type { NetDevice } from '../net/device.ts'
import type { NetStack } from '../net/stack.ts'
import type { Net } from '../net-namespace.ts'
import { NOTIFY_DONE } from '../notifier/index.ts'
import type { Kobject, Kset } from './kobject.ts'
import type { DeviceType, Kobjects } from './kobjects.ts'

/** First of all: Linux tells udev before it tells the chain that a device is there. */
const FIRST = 2 ** 31 - 1
/** Kinds that have a DEVTYPE: it is their own name. */
const DEVTYPES: ReadonlySet<string> = new Set([
  'amt',
  'bond',
  'bridge',
  'geneve',
  'gtp',
  'ppp',
  'vlan',
  'vxlan',
  'wireguard',
])

/** A device's object, and those of its queues. */
interface DeviceObjects {
  readonly kobj: Kobject
  readonly queues: Kset
}

export class NetDeviceObjects {
  readonly #kobjects: Kobjects
  /** /devices/virtual/net. */
  readonly #folder: Kobject
  readonly #known = new WeakMap<NetDevice, DeviceObjects>()

  constructor(kobjects: Kobjects) {
    this.#kobjects = kobjects
    const virtual = kobjects.create('virtual', { parent: kobjects.devices }).add()
    const ktype = { hasNamespaces: true }
    this.#folder = kobjects.create('net', { parent: virtual, ktype }).add()
  }
  /** Tells of the devices of `stack` until its end, and first of those that are there. */
  watch(stack: NetStack): void {
    stack.chains.netdev.register({
      name: 'netdev_kobjects',
      priority: FIRST,
      call: (event, info) => {
        this.#hear(event, info)
        return NOTIFY_DONE
      },
    })
    for (const dev of stack.devices.list()) this.#register(dev)
  }

  #hear(event: NetdevEvent, { dev }: NetdevInfo): void {
    if (event === 'NETDEV_REGISTER') this.#register(dev)
    else if (event === 'NETDEV_UNREGISTER') this.#unregister(dev)
    else if (event === 'NETDEV_CHANGENAME') this.#rename(dev)
  }
  /** A device that is known has come from another namespace, its queues with it. */
  #register(dev: NetDevice): void {
    const known = this.#known.get(dev)
    if (known) {
      known.kobj.changeNamespace(dev.name)
      known.kobj.uevent('add')
      return
    }
    const ktype = deviceType(dev)
    const { devices } = this.#kobjects
    const kobj = this.#kobjects.create(dev.name, { parent: this.#folder, kset: devices, ktype })
    kobj.add().uevent('add')
    const queues = this.#kobjects.createKset('queues', { parent: kobj })
    this.#known.set(dev, { kobj, queues })
    const namespace = { namespace: ktype.namespace }
    for (const name of queueNames(dev)) {
      this.#kobjects.create(name, { kset: queues, ktype: namespace }).add().uevent('add')
    }
  }
  #unregister(dev: NetDevice): void {
    const known = this.#known.get(dev)
    if (!known) return
    if (dev.regState !== 'unregistering') {
      known.kobj.uevent('remove')
      return
    }
    this.#known.delete(dev)
    for (const name of queueNames(dev, true)) known.queues.child(name)?.put()
    known.queues.put()
    known.kobj.uevent('remove')
    known.kobj.put()
  }
  #rename(dev: NetDevice): void {
    const kobj = this.#known.get(dev)?.kobj
    if (kobj && kobj.name !== dev.name) kobj.rename(dev.name)
  }
}

function netOf(dev: NetDevice): Net | undefined {
  return dev.stack.owner as Net | undefined
}

/** The class `net`. */
function deviceType(dev: NetDevice): DeviceType & { namespace(): Net | undefined } {
  return {
    namespace: () => netOf(dev),
    subsystem: () => 'net',
    uevent(_, env) {
      const kind = dev.kind?.kind
      if (kind !== undefined && DEVTYPES.has(kind)) env.add(`DEVTYPE=${kind}`)
      env.add(`INTERFACE=${dev.name}`)
      env.add(`IFINDEX=${dev.ifindex}`)
    },
  }
}

/** rx-0 … tx-0 …: ascending as they come, descending as they go, rx before tx in both. */
function queueNames({ rxQueues, txQueues }: NetDevice, isGoing = false): string[] {
  const numbers = (count: number): number[] => {
    const all = Array.from({ length: count }, (_, number) => number)
    return isGoing ? all.reverse() : all
  }
  return [
    ...numbers(rxQueues).map((number) => `rx-${number}`),
    ...numbers(txQueues).map((number) => `tx-${number}`),
  ]
}
