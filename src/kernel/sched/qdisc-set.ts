/**
 * The disciplines of one device: its root, what its ingress has, and those below.
 *
 * Kernel: net/sched/sch_api.c qdisc_lookup(), qdisc_hash_add();
 * net/sched/sch_generic.c attach_default_qdiscs(), dev_shutdown() (Linux 6.12).
 */
import type { NetDevice } from '../net/device.ts'
import { TC_H_ROOT } from './constants.ts'
import { Qdisc, type QdiscOps } from './qdisc.ts'
import type { SchedNet } from './sched-net.ts'

/** Buckets of dev->qdisc_hash: a dump goes through them in order. */
const HASH_BITS = 4
const GOLDEN_RATIO = 0x61c88647

function bucketOf(handle: number): number {
  return Math.imul(handle, GOLDEN_RATIO) >>> (32 - HASH_BITS)
}

export class QdiscSet {
  readonly dev: NetDevice
  readonly net: SchedNet
  /** dev->qdisc; undefined: noop. */
  root: Qdisc | undefined
  /** What the queue of what comes in has. */
  ingress: Qdisc | undefined
  /** Something was there, or was to be: the queue stays (dev_ingress_queue_create()). */
  hasIngressQueue = false
  readonly #buckets = Array.from({ length: 1 << HASH_BITS }, (): Qdisc[] => [])

  constructor(dev: NetDevice, net: SchedNet) {
    this.dev = dev
    this.net = net
  }

  /** qdisc_hash_add(): the root and ingress are not in it. */
  add(q: Qdisc): void {
    if (q.parent === TC_H_ROOT || q.ops.isIngress) return
    this.#buckets[bucketOf(q.handle)]?.unshift(q)
  }

  /** A discipline that comes by itself, below `parent` (qdisc_create_dflt()). */
  addDefault(ops: QdiscOps, parent: number): Qdisc {
    const q = new Qdisc(this, ops, 0, parent)
    q.isInvisible = true
    ops.init?.(q, undefined)
    this.add(q)
    return q
  }

  /** qdisc_destroy(): `q`, with all that is below. */
  destroy(q: Qdisc | undefined): void {
    if (!q) return
    const { classes } = q.ops
    for (const cl of classes ? [...classes.walk(q)] : []) {
      const leaf: Qdisc | 'noop' | undefined = classes?.leaf?.(q, cl)
      if (leaf && leaf !== 'noop') this.destroy(leaf)
    }
    q.ops.destroy?.(q)
    const bucket = this.#buckets[bucketOf(q.handle)]
    const at = bucket?.indexOf(q) ?? -1
    if (at >= 0) bucket?.splice(at, 1)
    if (this.root === q) this.root = undefined
    if (this.ingress === q) this.ingress = undefined
  }

  /** qdisc_lookup(). */
  byHandle(handle: number): Qdisc | undefined {
    if (handle === 0) return undefined
    if (this.root?.handle === handle) return this.root
    const below = this.#buckets[bucketOf(handle)]?.find((each) => each.handle === handle)
    return below ?? (this.ingress?.handle === handle ? this.ingress : undefined)
  }

  /** In the order of a dump: the root, those below, ingress. */
  *all(): Iterable<Qdisc> {
    if (this.root) yield this.root
    for (const bucket of this.#buckets) yield* bucket
    if (this.ingress) yield this.ingress
  }

  /** dev_shutdown(): without a word. */
  clear(): void {
    this.destroy(this.root)
    this.destroy(this.ingress)
  }
}
