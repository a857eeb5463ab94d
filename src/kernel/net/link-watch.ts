/**
 * Carrier and operational state: changes are noted at once and told a moment later.
 *
 * Kernel: net/core/link_watch.c, net/sched/sch_generic.c netif_carrier_on(). Linux spaces events
 * that are not urgent by a second; here all are told as soon as the running request is done.
 */
import {
  IF_LINK_MODE_DORMANT,
  IF_LINK_MODE_TESTING,
  IF_OPER_DORMANT,
  IF_OPER_DOWN,
  IF_OPER_LOWERLAYERDOWN,
  IF_OPER_TESTING,
  IF_OPER_UNKNOWN,
  IF_OPER_UP,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { notifyStateChange } from './device-flags.ts'
import type { NetStack } from './stack.ts'

/** The devices of one namespace whose carrier changed. */
export class LinkWatch {
  readonly #stack: NetStack
  readonly #pending = new Set<NetDevice>()
  #isScheduled = false

  constructor(stack: NetStack) {
    this.#stack = stack
  }

  /** linkwatch_init_dev(). */
  init(dev: NetDevice): void {
    if (!dev.hasCarrier || dev.isDormant) updateOperstate(dev)
  }

  /** linkwatch_fire_event(). */
  fire(dev: NetDevice): void {
    this.#pending.add(dev)
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#stack.defer(() => {
      this.#isScheduled = false
      this.#run()
    })
  }

  /** Brings the state of devices that are down up to date, which nobody is told of. */
  settle(): void {
    for (const dev of this.#pending) {
      if (dev.isUp) continue
      this.#pending.delete(dev)
      updateOperstate(dev)
    }
  }

  /** Whether a change of `dev` has not been told yet. */
  isPending(dev: NetDevice): boolean {
    return this.#pending.has(dev)
  }

  forget(dev: NetDevice): void {
    this.#pending.delete(dev)
  }

  #run(): void {
    for (const dev of [...this.#pending]) {
      if (!this.#pending.delete(dev) || dev.regState !== 'registered') continue
      updateOperstate(dev)
      if (dev.isUp) dev.isActive = dev.hasCarrier
      notifyStateChange(dev)
    }
  }
}

/** netif_carrier_on(), netif_carrier_off(): counts, and lets the state follow. */
export function setCarrier(dev: NetDevice, on: boolean): void {
  if (dev.hasCarrier === on) return
  dev.hasCarrier = on
  if (dev.regState === 'uninitialized') return
  if (on) dev.carrierUpCount++
  else dev.carrierDownCount++
  dev.stack.linkWatch.fire(dev)
}

/** netif_dormant_on(), netif_dormant_off(). */
function setDormant(dev: NetDevice, on: boolean): void {
  if (dev.isDormant === on) return
  dev.isDormant = on
  if (dev.regState === 'registered') dev.stack.linkWatch.fire(dev)
}

/** netif_stacked_transfer_operstate(): `dev` has what `root` has, which it stands on. */
export function transferOperstate(root: NetDevice, dev: NetDevice): void {
  setDormant(dev, root.operstate === IF_OPER_DORMANT)
  setCarrier(dev, root.hasCarrier)
}

/** rfc2863_policy(). */
function updateOperstate(dev: NetDevice): void {
  let operstate = defaultOperstate(dev)
  if (operstate === IF_OPER_UP && dev.linkMode === IF_LINK_MODE_DORMANT) operstate = IF_OPER_DORMANT
  if (operstate === IF_OPER_UP && dev.linkMode === IF_LINK_MODE_TESTING) operstate = IF_OPER_TESTING
  dev.operstate = operstate
}

function defaultOperstate(dev: NetDevice): number {
  if (!dev.hasCarrier) {
    const lower = dev.lower
    if (!lower || lower === dev || lower.stack !== dev.stack) return IF_OPER_DOWN
    return lower.hasCarrier ? IF_OPER_DOWN : IF_OPER_LOWERLAYERDOWN
  }
  return dev.isDormant ? IF_OPER_DORMANT : IF_OPER_UP
}

/** set_operstate(): what user space may ask for, where the device allows it. */
export function requestOperstate(dev: NetDevice, wanted: number): void {
  const { operstate } = dev
  const waits =
    operstate === IF_OPER_DORMANT || operstate === IF_OPER_TESTING || operstate === IF_OPER_UNKNOWN
  if (wanted === IF_OPER_UP) {
    if (waits && !dev.isDormant) dev.operstate = IF_OPER_UP
  } else if (wanted === IF_OPER_TESTING || wanted === IF_OPER_DORMANT) {
    if (dev.isOperUp) dev.operstate = wanted
  }
  if (dev.operstate !== operstate) notifyStateChange(dev)
}
