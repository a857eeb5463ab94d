/**
 * Ports of a bridge: their state, and what happens to the devices behind them. Without the
 * spanning tree protocol, as it is by default, a port that runs forwards at once; with it, here,
 * too.
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
} from '../constants.ts'
import type { NetDevice } from '../device.ts'
import { setCarrier } from '../link-watch.ts'
import type { NetStack } from '../stack.ts'
import type { BridgeDevice } from './bridge.ts'

/** Default of IFLA_BRPORT_PRIORITY. */
const DEFAULT_PRIORITY = 32

/** What can be set on a port (IFLA_BRPORT_*). */
export interface BridgePortOptions {
  priority?: number | undefined
  cost?: number | undefined
  mode?: number | undefined
  guard?: number | undefined
  protect?: number | undefined
  fastLeave?: number | undefined
  learning?: number | undefined
  unicastFlood?: number | undefined
  mcastFlood?: number | undefined
  bcastFlood?: number | undefined
  proxyarp?: number | undefined
  neighSuppress?: number | undefined
  isolated?: number | undefined
  locked?: number | undefined
}

/** struct net_bridge_port. */
export class BridgePort {
  readonly bridge: BridgeDevice
  readonly dev: NetDevice
  /** From 1. */
  readonly number: number
  /** BR_STATE_*. */
  state = BR_STATE_DISABLED
  readonly options: BridgePortOptions & { priority: number; cost: number }

  constructor(bridge: BridgeDevice, dev: NetDevice, number: number) {
    this.bridge = bridge
    this.dev = dev
    this.number = number
    this.options = { priority: DEFAULT_PRIORITY, cost: pathCost(dev) }
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
    this.state = BR_STATE_DISABLED
    this.announce()
    selectPortStates(this.bridge)
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
  for (const port of bridge.ports) {
    if (port.state !== BR_STATE_BLOCKING) continue
    port.state = BR_STATE_FORWARDING
    port.announce()
  }
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
  if (dev.kind?.kind === 'bridge') (dev as BridgeDevice).fdb.changeBridgeAddress(dev.address)
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
