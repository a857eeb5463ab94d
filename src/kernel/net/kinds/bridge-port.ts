/**
 * Ports of a bridge: their state, and what happens to the devices behind them. Without the
 * spanning tree protocol, as it is by default, a port that runs forwards at once.
 *
 * Kernel: net/bridge/br.c br_device_event(), net/bridge/br_stp_if.c.
 */
import { NOTIFY_DONE } from '../../notifier/constants.ts'
import type { NetdevEvent } from '../chains.ts'
import {
  AF_BRIDGE,
  BR_STATE_BLOCKING,
  BR_STATE_DISABLED,
  BR_STATE_FORWARDING,
  BR_STATE_LEARNING,
  BR_STATE_LISTENING,
} from '../constants.ts'
import type { NetDevice } from '../device.ts'
import { setCarrier } from '../link-watch.ts'
import type { NetStack } from '../stack.ts'
import type { BridgeDevice } from './bridge.ts'
import { type BridgePortOptions, defaultPortOptions } from './bridge-defaults.ts'
import { initBridgeVlans, VlanGroup } from './bridge-vlan.ts'

/** struct net_bridge_port. */
export class BridgePort {
  readonly bridge: BridgeDevice
  readonly dev: NetDevice
  /** From 1. */
  readonly number: number
  /** BR_STATE_*. */
  state = BR_STATE_DISABLED
  readonly options: BridgePortOptions
  readonly vlans = new VlanGroup()
  /** Whether it takes all packets (BR_PROMISC). */
  isPromiscuous = false
  /** Where packets go while it has no carrier. */
  backup: BridgePort | undefined
  #cancelDelay: (() => void) | undefined

  constructor(bridge: BridgeDevice, dev: NetDevice, number: number) {
    this.bridge = bridge
    this.dev = dev
    this.number = number
    this.options = defaultPortOptions(pathCost(dev))
  }

  /** Whether the device behind it runs. */
  get isRunning(): boolean {
    return this.dev.isUp && this.dev.isOperUp
  }

  /** br_stp_enable_port(). */
  enable(): void {
    this.state = BR_STATE_BLOCKING
    selectPortStates(this.bridge)
    this.announce()
  }

  /** br_stp_disable_port(). */
  disable(): void {
    this.#cancelDelay?.()
    this.state = BR_STATE_DISABLED
    this.announce()
    this.bridge.fdb.deletePort(this.dev)
    this.bridge.mdb.flushPort(this, false)
    selectPortStates(this.bridge)
  }

  /** br_make_forwarding(): at once, or as the spanning tree protocol has it. */
  makeForwarding(): void {
    if (this.state !== BR_STATE_BLOCKING) return
    const { stpState, forwardDelay } = this.bridge.options
    if (stpState === 0 || forwardDelay === 0) {
      this.state = BR_STATE_FORWARDING
      this.announce()
      return
    }
    this.state = BR_STATE_LISTENING
    this.announce()
    this.#delay()
  }

  /** br_forward_delay_timer_expired(). */
  #delay(): void {
    const ms = this.bridge.options.forwardDelay * 10
    this.#cancelDelay = this.dev.stack.setTimer(() => {
      if (this.state === BR_STATE_LISTENING) {
        this.state = BR_STATE_LEARNING
        this.#delay()
      } else if (this.state === BR_STATE_LEARNING) {
        this.state = BR_STATE_FORWARDING
        setCarrier(this.bridge, true)
      }
      this.announce()
    }, ms)
  }

  /** br_ifinfo_notify(). */
  announce(event: 'NEWLINK' | 'DELLINK' = 'NEWLINK'): void {
    const { dev } = this
    dev.stack.chains.link.call(event, { dev, change: 0, family: AF_BRIDGE })
  }
}

/** port_cost(): by speed. */
function pathCost({ speed }: NetDevice): number {
  if (speed > 10_000) return 1
  const costs: Record<number, number> = { 10000: 2, 5000: 3, 2500: 4, 1000: 5, 100: 19 }
  return costs[speed] ?? 100
}

/** br_port_state_selection(): the bridge has a carrier while a port forwards. */
export function selectPortStates(bridge: BridgeDevice): void {
  for (const port of bridge.ports) port.makeForwarding()
  setCarrier(
    bridge,
    bridge.ports.some(({ state }) => state === BR_STATE_FORWARDING),
  )
}

/** Registers what bridges have to hear of devices. */
export function watchBridgePorts(stack: NetStack): void {
  stack.chains.netdev.register({
    name: 'br_device_notifier',
    call(event, { dev }) {
      if (event === 'NETDEV_REGISTER') bridgeRegistered(dev)
      if (dev.bridgePort) portEvent(dev.bridgePort, event)
      return NOTIFY_DONE
    },
  })
}

function bridgeRegistered(dev: NetDevice): void {
  if (dev.kind?.kind !== 'bridge') return
  ;(dev as BridgeDevice).fdb.changeBridgeAddress(dev.address)
  initBridgeVlans(dev as BridgeDevice)
}

function portEvent(port: BridgePort, event: NetdevEvent): void {
  const { bridge, dev } = port
  switch (event) {
    case 'NETDEV_CHANGEMTU':
      bridge.adjustMtu()
      return
    case 'NETDEV_CHANGEADDR':
      bridge.fdb.changePortAddress(dev)
      bridge.recalculateId()
      port.announce()
      return
    case 'NETDEV_UNREGISTER':
      bridge.deleteSlave(dev)
      return
    case 'NETDEV_UP':
      if (bridge.isUp && port.isRunning) port.enable()
      else port.announce()
      return
    case 'NETDEV_DOWN':
      if (bridge.isUp) port.disable()
      else port.announce()
      return
    case 'NETDEV_CHANGE':
      carrierCheck(port)
      return
  }
}

/** br_port_carrier_check(). */
function carrierCheck(port: BridgePort): void {
  const { isRunning, state } = port
  if (port.bridge.isUp && isRunning && state === BR_STATE_DISABLED) port.enable()
  else if (port.bridge.isUp && !isRunning && state !== BR_STATE_DISABLED) port.disable()
  else port.announce()
}
