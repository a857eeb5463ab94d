/**
 * netdev: XDP, queues, NAPI instances and page pools of network devices.
 *
 * Kernel: include/uapi/linux/netdev.h; net/core/netdev-genl.c (Linux 6.18).
 */
import { attrs, genlFamily, message, u32, u64, uint } from '../schema/index.ts'

export const NETDEV_CMD_DEV_GET = 1
export const NETDEV_CMD_DEV_ADD_NTF = 2
export const NETDEV_CMD_DEV_DEL_NTF = 3
export const NETDEV_CMD_DEV_CHANGE_NTF = 4
export const NETDEV_CMD_PAGE_POOL_GET = 5
export const NETDEV_CMD_QUEUE_GET = 10
export const NETDEV_CMD_NAPI_GET = 11
export const NETDEV_CMD_QSTATS_GET = 12

export const devAttrs = attrs('NETDEV_A_DEV_', {
  ifindex: [1, u32.min(1)],
  /** NETDEV_XDP_ACT_* */
  xdpFeatures: [3, u64],
  xdpZcMaxSegs: [4, u32],
  /** NETDEV_XDP_RX_METADATA_* */
  xdpRxMetadataFeatures: [5, u64],
  /** NETDEV_XSK_FLAGS_* */
  xskFeatures: [6, u64],
})

export const pagePoolAttrs = attrs('NETDEV_A_PAGE_POOL_', {
  id: [1, uint.min(1n).max(0xffffffffn)],
  /** 0 of a device that is gone. */
  ifindex: [2, u32],
  napiId: [3, uint],
  /** Pages that are out, and their bytes. */
  inflight: [4, uint],
  inflightMem: [5, uint],
  /** Seconds since boot. */
  detachTime: [6, uint],
  dmabuf: [7, u32],
})

export const napiAttrs = attrs('NETDEV_A_NAPI_', {
  ifindex: [1, u32.min(1)],
  id: [2, u32],
  irq: [3, u32],
  /** Of its thread, if it has one. */
  pid: [4, u32],
})

export const queueAttrs = attrs('NETDEV_A_QUEUE_', {
  id: [1, u32],
  ifindex: [2, u32.min(1)],
  /** 0 receives, 1 sends. */
  type: [3, u32.max(1)],
  napiId: [4, u32],
  dmabuf: [5, u32],
})

export const qstatsAttrs = attrs('NETDEV_A_QSTATS_', {
  ifindex: [1, u32.min(1)],
  queueType: [2, u32],
  queueId: [3, u32],
  /** 1: queue by queue. */
  scope: [4, uint.max(1n)],
  rxPackets: [8, uint],
  rxBytes: [9, uint],
  txPackets: [10, uint],
  txBytes: [11, uint],
  rxAllocFail: [12, uint],
})

const dev = message(devAttrs)
const pagePool = message(pagePoolAttrs)
const napi = message(napiAttrs)
const queue = message(queueAttrs)
const qstats = message(qstatsAttrs)

export const netdev = genlFamily({
  name: 'netdev',
  version: 1,
  groups: ['mgmt', 'page-pool'],
  ops: {
    devGet: {
      cmd: NETDEV_CMD_DEV_GET,
      constant: 'NETDEV_CMD_DEV_GET',
      do: { request: message(devAttrs.only('ifindex!')), reply: dev },
      dump: { reply: dev },
    },
    pagePoolGet: {
      cmd: NETDEV_CMD_PAGE_POOL_GET,
      constant: 'NETDEV_CMD_PAGE_POOL_GET',
      do: { request: message(pagePoolAttrs.only('id!')), reply: pagePool },
      dump: { reply: pagePool },
    },
    queueGet: {
      cmd: NETDEV_CMD_QUEUE_GET,
      constant: 'NETDEV_CMD_QUEUE_GET',
      do: { request: message(queueAttrs.only('id!', 'ifindex!', 'type!')), reply: queue },
      dump: { request: message(queueAttrs.only('ifindex')), reply: queue },
    },
    napiGet: {
      cmd: NETDEV_CMD_NAPI_GET,
      constant: 'NETDEV_CMD_NAPI_GET',
      do: { request: message(napiAttrs.only('id!')), reply: napi },
      dump: { request: message(napiAttrs.only('ifindex')), reply: napi },
    },
    qstatsGet: {
      cmd: NETDEV_CMD_QSTATS_GET,
      constant: 'NETDEV_CMD_QSTATS_GET',
      dump: { request: message(qstatsAttrs.only('ifindex', 'scope')), reply: qstats },
    },
  },
  notifications: {
    devAddNtf: { cmd: NETDEV_CMD_DEV_ADD_NTF, group: 'mgmt', body: dev },
    devDelNtf: { cmd: NETDEV_CMD_DEV_DEL_NTF, group: 'mgmt', body: dev },
    devChangeNtf: { cmd: NETDEV_CMD_DEV_CHANGE_NTF, group: 'mgmt', body: dev },
  },
})
