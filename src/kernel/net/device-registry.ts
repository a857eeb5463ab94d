/**
 * The devices of one namespace: names, indices, coming and going.
 *
 * Kernel: net/core/dev.c __dev_alloc_name(), dev_index_reserve(), register_netdevice(),
 * unregister_netdevice_many_notify(), dev_change_name().
 */
import { NetlinkError } from '../../errors.ts'
import { throwNotifierErrno } from '../notifier/constants.ts'
import type { Origin } from './chains.ts'
import { IFNAMSIZ } from './constants.ts'
import type { NetDevice } from './device.ts'
import { closeDevices } from './device-flags.ts'
import type { NetStack } from './stack.ts'

/** Numbers that a pattern such as `veth%d` can reach. */
const MAX_NETDEVICES = 8 * 4096
const MAX_IFINDEX = 0x7fffffff

/** dev_valid_name(). */
function isValidName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false
  return byteLength(name) < IFNAMSIZ && !/[/:\s]/.test(name)
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

/** Names and indices of one namespace. */
export class DeviceRegistry {
  readonly #byName = new Map<string, NetDevice>()
  readonly #byIndex = new Map<number, NetDevice>()
  /** Ascending by ifindex: the order of dumps. */
  readonly #sorted: NetDevice[] = []
  #lastIndex = 0

  /** All devices, by ascending index. */
  list(): readonly NetDevice[] {
    return this.#sorted
  }

  byIndex(ifindex: number): NetDevice | undefined {
    return this.#byIndex.get(ifindex)
  }

  /** By its name or one of its other names. */
  byName(name: string): NetDevice | undefined {
    return this.#byName.get(name)
  }

  /** The first device whose index is greater than `ifindex`: how a dump goes on. */
  after(ifindex: number): NetDevice | undefined {
    return this.#sorted[this.#position(ifindex + 1)]
  }

  /** dev_new_index(): the next one that is free, in a circle. */
  newIndex(): number {
    for (;;) {
      this.#lastIndex = this.#lastIndex >= MAX_IFINDEX ? 1 : this.#lastIndex + 1
      if (!this.#byIndex.has(this.#lastIndex)) return this.#lastIndex
    }
  }

  /**
   * The name that `pattern` stands for: itself, or with the first free number for its `%d`.
   * @throws NetlinkError EINVAL for a bad name, EEXIST when it is taken, ENFILE when no number is
   * left.
   */
  resolveName(pattern: string): string {
    if (!isValidName(pattern)) throw new NetlinkError('EINVAL')
    const at = pattern.indexOf('%')
    if (at < 0) {
      if (this.#byName.has(pattern)) throw new NetlinkError('EEXIST')
      return pattern
    }
    if (pattern[at + 1] !== 'd' || pattern.includes('%', at + 1)) throw new NetlinkError('EINVAL')
    const head = pattern.slice(0, at)
    const tail = pattern.slice(at + 2)
    const digits = IFNAMSIZ - 1 - byteLength(head) - byteLength(tail)
    const end = Math.min(MAX_NETDEVICES, 10 ** digits)
    for (let number = 0; number < end; number++) {
      const name = `${head}${number}${tail}`
      if (!this.#byName.has(name)) return name
    }
    throw new NetlinkError('ENFILE')
  }

  /** list_netdevice(). */
  add(dev: NetDevice): void {
    this.#byName.set(dev.name, dev)
    for (const name of dev.altnames) this.#byName.set(name, dev)
    this.#byIndex.set(dev.ifindex, dev)
    this.#sorted.splice(this.#position(dev.ifindex), 0, dev)
  }

  /** unlist_netdevice(). */
  remove(dev: NetDevice): void {
    this.#byName.delete(dev.name)
    for (const name of dev.altnames) this.#byName.delete(name)
    this.#byIndex.delete(dev.ifindex)
    this.#sorted.splice(this.#position(dev.ifindex), 1)
  }

  /** Moves `dev` from one of its names to another. */
  renamed(dev: NetDevice, from: string, to: string): void {
    this.#byName.delete(from)
    this.#byName.set(to, dev)
  }

  /**
   * Another name for `dev`. @throws NetlinkError EINVAL, EEXIST
   */
  addAltname(dev: NetDevice, name: string): void {
    if (name === '') throw new NetlinkError('EINVAL')
    if (this.#byName.has(name)) throw new NetlinkError('EEXIST')
    dev.altnames.push(name)
    this.#byName.set(name, dev)
  }

  /**
   * Takes one of the other names away.
   * @throws NetlinkError ENOENT when nobody has it, EINVAL for the name itself or another's.
   */
  removeAltname(dev: NetDevice, name: string): void {
    const owner = this.#byName.get(name)
    if (!owner) throw new NetlinkError('ENOENT')
    const at = dev.altnames.indexOf(name)
    if (owner !== dev || at < 0) throw new NetlinkError('EINVAL')
    dev.altnames.splice(at, 1)
    this.#byName.delete(name)
  }

  /** Where `ifindex` is or would be in the sorted list. */
  #position(ifindex: number): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle] as NetDevice).ifindex < ifindex) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * register_netdevice(): `dev` becomes visible; its name may still be a pattern.
 * @throws NetlinkError EINVAL, EEXIST, ENFILE (name), EBUSY (index)
 */
export function registerDevice(dev: NetDevice): void {
  const { devices, chains } = dev.stack
  dev.name = devices.resolveName(dev.name)
  dev.init()
  if (dev.ifindex === 0) dev.ifindex = devices.newIndex()
  else if (devices.byIndex(dev.ifindex)) {
    dev.uninit()
    throw new NetlinkError('EBUSY')
  }
  dev.regState = 'registered'
  dev.stack.linkWatch.init(dev)
  devices.add(dev)
  if (dev.addressSource === 'permanent') dev.permanentAddress = dev.address.slice()
  try {
    throwNotifierErrno(chains.netdev.call('NETDEV_REGISTER', { dev }))
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
  if (dev.isAnnounced) chains.link.call('NEWLINK', { dev, change: 0xffffffff })
}

/** unregister_netdevice_many_notify(): closes, announces and forgets `devs`, in their order. */
export function unregisterDevices(devs: readonly NetDevice[], origin?: Origin): void {
  closeDevices(devs)
  for (const dev of devs) {
    dev.stack.devices.remove(dev)
    dev.regState = 'unregistering'
  }
  for (const dev of devs) {
    const { chains, linkWatch } = dev.stack
    dev.qdisc = 'noop'
    dev.isActive = false
    chains.netdev.call('NETDEV_UNREGISTER', { dev })
    dev.uninit()
    if (dev.isAnnounced) chains.link.call('DELLINK', { dev, change: 0xffffffff, origin })
    linkWatch.forget(dev)
    dev.regState = 'unregistered'
  }
}

/**
 * dev_change_name(): allowed while the device is up; `name` may be a pattern.
 * @throws NetlinkError EINVAL, EEXIST, ENFILE, or what a notifier block answers.
 */
export function renameDevice(dev: NetDevice, name: string): void {
  if (name === dev.name) return
  const { devices, chains } = dev.stack
  const old = dev.name
  const next = devices.resolveName(name)
  dev.name = next
  devices.renamed(dev, old, next)
  try {
    throwNotifierErrno(chains.netdev.call('NETDEV_CHANGENAME', { dev }))
  } catch (error) {
    dev.name = old
    devices.renamed(dev, next, old)
    chains.netdev.call('NETDEV_CHANGENAME', { dev })
    throw error
  }
}

/**
 * __dev_change_net_namespace(): the same device, gone here and new there. Its index is kept where
 * it is free.
 * @throws NetlinkError EINVAL when it may not leave, EEXIST when its name is taken there and
 * `pattern` gives no other, EBUSY when `ifindex` is taken there.
 */
export function moveDevice(dev: NetDevice, target: NetStack, pattern?: string, ifindex = 0): void {
  const source = dev.stack
  if (dev.isNetnsLocal) throw new NetlinkError('EINVAL', 'The interface netns is immutable')
  if (dev.regState !== 'registered') throw new NetlinkError('EINVAL')
  if (source === target) return
  let name = dev.name
  if (target.devices.byName(name)) {
    if (!pattern) {
      const text = 'An interface with the same name exists in the target netns'
      throw new NetlinkError('EEXIST', text)
    }
    name = target.devices.resolveName(pattern)
  }
  const taken = dev.altnames.find((other) => target.devices.byName(other))
  if (taken !== undefined) {
    const text = `An interface with the altname ${taken} exists in the target netns`
    throw new NetlinkError('EEXIST', text)
  }
  if (ifindex !== 0 && target.devices.byIndex(ifindex)) throw new NetlinkError('EBUSY')
  closeDevices([dev])
  source.devices.remove(dev)
  dev.qdisc = 'noop'
  dev.isActive = false
  source.chains.netdev.call('NETDEV_UNREGISTER', { dev })
  const isTaken = target.devices.byIndex(dev.ifindex) !== undefined
  const newIfindex = ifindex || (isTaken ? target.devices.newIndex() : dev.ifindex)
  const notice = { dev, change: 0xffffffff, newStack: target, newIfindex }
  source.chains.link.call('DELLINK', notice)
  source.linkWatch.forget(dev)
  dev.stack = target
  dev.ifindex = newIfindex
  dev.name = name
  target.devices.add(dev)
  target.chains.netdev.call('NETDEV_REGISTER', { dev })
  target.chains.link.call('NEWLINK', { dev, change: 0xffffffff })
}
