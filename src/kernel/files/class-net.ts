/**
 * /sys/class/net: a folder for each device, with what sysfs says of it. Links to other parts of
 * /sys, the folders of queues and of kinds are not there.
 *
 * Kernel: net/core/net-sysfs.c net_class_attrs, netstat_attrs (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import type { NetDevice } from '../net/device.ts'
import { changeFlags } from '../net/device-flags.ts'
import {
  changeCarrier,
  setAlias,
  setMtu,
  setProtoDown,
  setTxQueueLength,
} from '../net/device-settings.ts'
import type { NetStack } from '../net/stack.ts'
import { parseInteger } from '../net/sysctl-file.ts'
import type { KernelFile } from './files.ts'

type Show = (dev: NetDevice) => string | number
type Store = (dev: NetDevice, text: string) => void

const OPERSTATES = [
  'unknown',
  'notpresent',
  'down',
  'lowerlayerdown',
  'testing',
  'dormant',
  'up',
] as const
const SOURCES = { permanent: 0, random: 1, stolen: 2, set: 3 } as const

/** What can only be said of a device that is up. */
const whileUp =
  (show: Show): Show =>
  (dev) => {
    if (!dev.isUp) throw new NetlinkError('EINVAL')
    return show(dev)
  }
/** What no simulated device can say. */
const unknown: Show = () => {
  throw new NetlinkError('EINVAL')
}
const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
const number =
  (store: (dev: NetDevice, value: number) => void, least = 0): Store =>
  (dev, text) =>
    store(dev, parseInteger(text, least, 0xffffffff))

/** What is kept of a device, and changes nothing: nothing is received. */
const kept = new WeakMap<NetDevice, Map<string, number>>()

function keep(name: string): [Show, Store] {
  return [
    (dev) => kept.get(dev)?.get(name) ?? 0,
    number((dev, value) => {
      const values = kept.get(dev) ?? new Map<string, number>()
      kept.set(dev, values.set(name, value))
    }),
  ]
}

const ATTRIBUTES: Readonly<Record<string, readonly [Show, Store?]>> = {
  addr_assign_type: [(dev) => SOURCES[dev.addressSource]],
  addr_len: [(dev) => dev.address.length],
  address: [(dev) => hex(dev.address)],
  broadcast: [(dev) => hex(dev.broadcast)],
  carrier: [
    whileUp((dev) => (dev.hasCarrier ? 1 : 0)),
    number((dev, value) => {
      if (!dev.isUp) throw new NetlinkError('EINVAL')
      changeCarrier(dev, value !== 0)
    }),
  ],
  carrier_changes: [(dev) => dev.carrierUpCount + dev.carrierDownCount],
  carrier_down_count: [(dev) => dev.carrierDownCount],
  carrier_up_count: [(dev) => dev.carrierUpCount],
  dev_id: [(dev) => `0x${dev.devId.toString(16)}`],
  dev_port: [() => 0],
  dormant: [whileUp((dev) => (dev.isDormant ? 1 : 0))],
  duplex: [unknown],
  flags: [
    (dev) => `0x${(dev.flags >>> 0).toString(16)}`,
    number((dev, value) => changeFlags(dev, value)),
  ],
  gro_flush_timeout: keep('gro_flush_timeout'),
  ifalias: [(dev) => dev.ifalias ?? '', (dev, text) => setAlias(dev, text.replace(/\n$/, ''))],
  ifindex: [(dev) => dev.ifindex],
  iflink: [(dev) => (dev.lower ?? dev).ifindex],
  link_mode: [(dev) => dev.linkMode],
  mtu: [(dev) => dev.mtu, number(setMtu)],
  name_assign_type: [(dev) => (dev.kind ? 3 : 2)],
  napi_defer_hard_irqs: keep('napi_defer_hard_irqs'),
  netdev_group: [
    (dev) => dev.group,
    number((dev, value) => {
      dev.group = value
    }),
  ],
  operstate: [(dev) => OPERSTATES[dev.isUp ? dev.operstate : 2] ?? 'unknown'],
  proto_down: [
    (dev) => (dev.protoDown ? 1 : 0),
    number((dev, value) => setProtoDown(dev, value !== 0)),
  ],
  speed: [unknown],
  testing: [whileUp(() => 0)],
  threaded: keep('threaded'),
  tx_queue_len: [(dev) => dev.txQueueLength, number(setTxQueueLength)],
  type: [(dev) => dev.type],
  uevent: [(dev) => `INTERFACE=${dev.name}\nIFINDEX=${dev.ifindex}`],
}

/** Nothing is sent and nothing received, so all of them are 0. */
const STATISTICS = [
  ...['collisions', 'multicast', 'rx_bytes', 'rx_compressed', 'rx_crc_errors', 'rx_dropped'],
  ...['rx_errors', 'rx_fifo_errors', 'rx_frame_errors', 'rx_length_errors', 'rx_missed_errors'],
  ...['rx_nohandler', 'rx_over_errors', 'rx_packets', 'tx_aborted_errors', 'tx_bytes'],
  ...['tx_carrier_errors', 'tx_compressed', 'tx_dropped', 'tx_errors', 'tx_fifo_errors'],
  ...['tx_heartbeat_errors', 'tx_packets', 'tx_window_errors'],
]

const folder = (names: readonly string[]): KernelFile => ({ mode: 0o755, names })

/** What stands at these parts of a path below /sys/class/net. */
export function classNetFile(
  { devices }: NetStack,
  [name, file, more, ...rest]: readonly string[],
): KernelFile | undefined {
  if (name === undefined) return folder(devices.list().map((each) => each.name))
  const dev = devices.byName(name)
  if (dev?.name !== name || rest.length > 0) return undefined
  if (file === undefined) return folder([...Object.keys(ATTRIBUTES), 'statistics'])
  if (file === 'statistics') {
    if (more === undefined) return folder(STATISTICS)
    return STATISTICS.includes(more) ? { mode: 0o444, read: () => '0\n' } : undefined
  }
  const attribute = Object.hasOwn(ATTRIBUTES, file) ? ATTRIBUTES[file] : undefined
  if (!attribute || more !== undefined) return undefined
  const [show, store] = attribute
  return {
    mode: store ? 0o644 : 0o444,
    read: () => `${show(dev)}\n`,
    ...(store ? { write: (text: string) => store(dev, text) } : {}),
  }
}
