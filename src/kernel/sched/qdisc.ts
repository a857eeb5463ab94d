/**
 * Queueing disciplines and their classes as objects: what a device is said to send through. Nothing
 * is queued here.
 *
 * Kernel: include/net/sch_generic.h struct Qdisc, struct Qdisc_ops, struct Qdisc_class_ops.
 */
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import type { Block } from './block.ts'
import type { QdiscSet } from './qdisc-set.ts'
import type { TcRequest } from './request.ts'

/** One discipline. `state` is its kind's own. */
export class Qdisc {
  readonly dev: NetDevice
  readonly set: QdiscSet
  readonly ops: QdiscOps
  /** Major number in the upper half; 0: made by itself. */
  handle: number
  /** TC_H_ROOT, TC_H_INGRESS, or the class that it is under. */
  parent: number
  /** TCQ_F_INVISIBLE: made by itself, shown to who asks. */
  isInvisible = false
  depth = 0
  /** TCA_STAB: struct tc_sizespec and its table. */
  stab: { readonly base: Uint8Array; readonly data: Uint8Array | undefined } | undefined
  /** Indexes of shared blocks, 0 for none. */
  ingressBlock = 0
  egressBlock = 0
  state: unknown

  constructor(set: QdiscSet, ops: QdiscOps, handle: number, parent: number) {
    this.set = set
    this.dev = set.dev
    this.ops = ops
    this.handle = handle
    this.parent = parent
  }
}

/** A class: a place in a discipline, with a discipline of its own below. */
export interface TcClass {
  readonly classid: number
}

/** What a class's message says in struct tcmsg. */
export interface ClassHeader {
  parent: number
  handle: number
  /** The leaf's handle. */
  info: number
}

export interface ClassOps {
  /** The class `classid` of `q`, and undefined where there is none. */
  find(q: Qdisc, classid: number): TcClass | undefined
  /** What is below a class, `noop` where nothing was put yet; absent: nothing can be there. */
  leaf?(q: Qdisc, cl: TcClass): Qdisc | 'noop' | undefined
  /** Puts `next` below `cl`, or the default; the result was there. @throws NetlinkError */
  graft?(q: Qdisc, cl: TcClass, next: Qdisc | undefined): Qdisc | undefined
  /** Makes a class, or changes `existing`. @throws NetlinkError */
  change?(q: Qdisc, request: ClassRequest, existing: TcClass | undefined): TcClass
  /** @throws NetlinkError */
  delete?(q: Qdisc, cl: TcClass): void
  /** In the order in which they are dumped. */
  walk(q: Qdisc): Iterable<TcClass>
  /** Attributes of its options; `header` is what struct tcmsg will say. */
  put?(w: Writer, q: Qdisc, cl: TcClass): void
  header?(q: Qdisc, cl: TcClass, header: ClassHeader): void
  /** Bytes of TCA_XSTATS. */
  xstats?(cl: TcClass): Uint8Array
  /** No statistics at all. */
  readonly hasNoStats?: boolean
  /** The filters of `q`, or of `cl`. @throws NetlinkError */
  block?(q: Qdisc, cl: TcClass | undefined): Block | undefined
}

/** A request for a class. */
export interface ClassRequest {
  readonly classid: number
  readonly parentid: number
  readonly tc: TcRequest
}

/** One kind of discipline. */
export interface QdiscOps {
  readonly kind: string
  readonly isIngress?: boolean
  /** TCQ_F_MQROOT: it has a discipline for each queue of the device. */
  readonly isMq?: boolean
  /** Sets `q.state`. @throws NetlinkError */
  init?(q: Qdisc, tc: TcRequest | undefined): void
  /** Takes other options. @throws NetlinkError */
  change?(q: Qdisc, tc: TcRequest): void
  /** What is left to do where it ends. */
  destroy?(q: Qdisc): void
  /** TCA_OPTIONS. */
  put?(w: Writer, q: Qdisc): void
  /** Bytes of TCA_XSTATS. */
  xstats?(q: Qdisc): Uint8Array
  readonly classes?: ClassOps
  /** Takes shared blocks on its sides. */
  readonly sharesIngress?: boolean
  readonly sharesEgress?: boolean
}
