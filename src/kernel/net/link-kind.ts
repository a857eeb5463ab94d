/**
 * Kinds of links, and what is asked of one that is to be made.
 *
 * Kernel: include/net/rtnetlink.h struct rtnl_link_ops.
 */
import type { NetDevice } from './device.ts'
import type { OffloadRequest } from './device-offload.ts'
import type { NetStack } from './stack.ts'

/** What a new link is to be; what is absent has the kind's default. */
export interface LinkRequest {
  /** `veth%d` takes the first free number; absent: the kind's own pattern. */
  readonly name?: string | undefined
  /** 0 or absent: the next free one. */
  readonly ifindex?: number | undefined
  readonly address?: Uint8Array | undefined
  readonly broadcast?: Uint8Array | undefined
  /** Bytes. */
  readonly mtu?: number | undefined
  readonly txQueueLength?: number | undefined
  /** IF_OPER_*. */
  readonly operstate?: number | undefined
  readonly linkMode?: number | undefined
  readonly group?: number | undefined
  readonly txQueues?: number | undefined
  readonly rxQueues?: number | undefined
  /** Limits of segmentation. */
  readonly offload?: OffloadRequest | undefined
  /** IFF_* to set, and which of them: 0 with flags means all. */
  readonly flags?: number | undefined
  readonly change?: number | undefined
  /** The namespace to make it in, where it is not its creator's. */
  readonly stack?: NetStack | undefined
  /** The index of the device to stand on (IFLA_LINK). */
  readonly link?: number | undefined
  /** The namespace that `link` is in, where it is not the new link's. */
  readonly linkStack?: NetStack | undefined
  /** What only its kind understands: a VethData, a BridgeOptions. */
  readonly data?: unknown
}

/** One kind. */
export interface LinkKind {
  readonly kind: string
  /** Queues of each direction where none are asked for. */
  readonly queues?: number
  /** An unregistered device, set up. */
  setup(stack: NetStack, name: string): NetDevice
  /**
   * Whether the kind can be what is asked for, also of a link that exists; of `data` it sees what
   * the request says. @throws NetlinkError
   */
  validate?(request: LinkRequest): void
  /** Registers `dev` and what belongs to it; absent: `dev` alone. */
  newlink?(dev: NetDevice, request: LinkRequest): void
  /** Takes new values of `data`. Absent: EOPNOTSUPP. */
  changelink?(dev: NetDevice, data: unknown): void
  /** Takes new values for a port of `dev`. Absent: EOPNOTSUPP. */
  slaveChangelink?(dev: NetDevice, port: NetDevice, data: unknown): void
  /** Prepares the end; all that has to go. Absent: `dev` alone. */
  dellink?(dev: NetDevice): readonly NetDevice[]
}
