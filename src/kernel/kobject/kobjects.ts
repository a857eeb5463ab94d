/**
 * The tree of kobjects of one kernel: what /sys would show, and whose changes are told as uevents.
 *
 *   const door = kernel.kobject.create('door0', { kset: kernel.kobject.createKset('doors') })
 *   door.add().uevent('add', ['COLOUR=red'])   // add@/doors/door0 … SEQNUM=1
 *   door.put()                                 // remove@/doors/door0
 *
 * Kernel: lib/kobject.c, drivers/base/core.c devices_init() (Linux 6.12).
 */
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import { KERN_WARNING } from '../printk/log.ts'
import {
  Kobject,
  type KobjectInit,
  type KobjectTree,
  Kset,
  type KsetUeventOps,
  type Ktype,
} from './kobject.ts'
import { kobjectSynthUevent, kobjectUevent, type UeventSink } from './uevent.ts'
import { UeventSockets } from './uevent-net.ts'

/** A device (device_ktype): the kset `devices` tells of these alone. */
export interface DeviceType extends Ktype {
  /** SUBSYSTEM: the name of its bus or its class. */
  subsystem(kobj: Kobject): string | undefined
  /** Adds variables. */
  uevent?(kobj: Kobject, env: { add(line: string): void }): void
}

export class Kobjects {
  /** /sys/devices: objects in it whose ktype is a `DeviceType` are told of. */
  readonly devices: Kset
  readonly #sockets: UeventSockets
  readonly #tree: KobjectTree

  constructor(kernel: Kernel) {
    const sockets = new UeventSockets(kernel)
    const warn = (text: string): void => kernel.printk(KERN_WARNING, `${text}\n`)
    const sink: UeventSink = {
      nextSeqnum: () => ++sockets.seqnum,
      warn,
      broadcast: (kobj, lines) => sockets.broadcast(lines, kobj.net),
    }
    this.#sockets = sockets
    this.#tree = {
      top: new Map(),
      send: (kobj, action, env) => kobjectUevent(kobj, action, env, sink),
      synth: (kobj, text) => kobjectSynthUevent(kobj, text, sink),
      warn,
    }
    this.devices = this.createKset('devices', {}, deviceOps)
  }
  /** /sys/kernel/uevent_seqnum: the number of the last event. */
  get ueventSeqnum(): bigint {
    return this.#sockets.seqnum
  }
  /** kobject_init(): an object with one reference, not yet in the tree. */
  create(name: string, init: KobjectInit = {}): Kobject {
    return new Kobject(this.#tree, name, init)
  }
  /** kset_create_and_add(). @throws NetlinkError as `Kobject.add`. */
  createKset(name: string, init: KobjectInit = {}, ops: KsetUeventOps = {}): Kset {
    const kset = new Kset(this.#tree, name, init, ops)
    kset.add()
    try {
      kset.uevent('add')
    } catch {}
    return kset
  }
  /** What is at a path such as `/devices/virtual/net/lo`, in `net` where that matters. */
  find(path: string, net?: Net): Kobject | undefined {
    const [first = '', ...names] = path.split('/').filter((name) => name !== '')
    let kobj = this.#tree.top.get(first)
    for (const name of names) kobj = kobj?.child(name, net)
    return kobj
  }
}

function deviceType({ ktype }: Kobject): DeviceType | undefined {
  return ktype && 'subsystem' in ktype ? (ktype as DeviceType) : undefined
}

/** device_uevent_ops. */
const deviceOps: KsetUeventOps = {
  filter: (kobj) => deviceType(kobj)?.subsystem(kobj) !== undefined,
  name: (kobj) => deviceType(kobj)?.subsystem(kobj),
  uevent: (kobj, env) => deviceType(kobj)?.uevent?.(kobj, env),
}
