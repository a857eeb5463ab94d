/**
 * Queueing disciplines as objects: what a device is said to send through. Nothing is queued here.
 *
 * Kernel: net/sched/sch_api.c tc_modify_qdisc(), tc_get_qdisc(), qdisc_graft(), qdisc_create(),
 * qdisc_alloc_handle() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import type { Origin } from './chains.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './constants.ts'
import type { NetDevice } from './device.ts'
import type { NetStack } from './stack.ts'

const TC_H_ROOT = 0xffffffff
const TC_H_INGRESS = 0xfffffff1
const INGRESS_HANDLE = 0xffff0000
/** Handles that are given by themselves begin behind this one. */
const AUTO_FIRST = 0x80000000
const MAJOR = 0xffff0000

/** One discipline (struct Qdisc). `options` are its kind's own. */
export interface Qdisc {
  readonly dev: NetDevice
  readonly kind: string
  /** Major number in the upper half; 0: the device's default. */
  readonly handle: number
  /** TC_H_ROOT, TC_H_INGRESS, or a class of another. */
  readonly parent: number
  readonly isIngress: boolean
  options: unknown
}

/** What is asked for. */
export interface QdiscRequest {
  readonly dev: NetDevice
  readonly handle: number
  readonly parent: number
  readonly kind: string | undefined
  readonly origin?: Origin
  /** The options of a discipline of `kind` that is made. @throws NetlinkError */
  make(kind: string): { readonly options: unknown; readonly isIngress: boolean }
  /** Those of one that is changed. @throws NetlinkError */
  change(qdisc: Qdisc): unknown
}

/** What a device has; the default discipline is none of them. */
interface Attached {
  root: Qdisc | undefined
  ingress: Qdisc | undefined
}

export class QdiscTable {
  readonly #stack: NetStack
  readonly #devices = new Map<NetDevice, Attached>()
  #auto = AUTO_FIRST

  constructor(stack: NetStack) {
    this.#stack = stack
    stack.chains.netdev.register({
      name: 'qdisc_table',
      call: (event, { dev }) => {
        const { root } = this.#attached(dev)
        if (event === 'NETDEV_UNREGISTER') this.#devices.delete(dev)
        else if (event === 'NETDEV_UP' && root) dev.qdisc = root.kind
        return NOTIFY_DONE
      },
    })
  }

  /** Those of a device, its default included, as a dump shows them. */
  of(dev: NetDevice): Qdisc[] {
    const { root, ingress } = this.#attached(dev)
    return [root ?? this.#default(dev), ingress].filter((each) => each !== undefined)
  }

  /** tc_modify_qdisc(). @throws NetlinkError ENOENT, EEXIST, EINVAL */
  modify(request: QdiscRequest, flags: number): void {
    const { dev, handle, parent, kind } = request
    if (parent === 0) {
      if (handle === 0) refuse('EINVAL', 'Handle cannot be zero')
      this.#change(this.#byHandle(dev, handle), request, flags)
      return
    }
    const found = this.#under(dev, parent, 'Failed to find specified qdisc')
    if (found && (handle === 0 || found.handle === handle)) {
      const isOther = kind !== undefined && kind !== found.kind
      const isMaking = (flags & NLM_F_CREATE) !== 0 && (flags & (NLM_F_REPLACE | NLM_F_EXCL)) !== 0
      const isNew = handle === 0 && isMaking && isOther
      if (!isNew) {
        this.#change(found, request, flags)
        return
      }
    } else if (handle !== 0) {
      if (found && !(flags & NLM_F_REPLACE)) {
        refuse('EEXIST', 'NLM_F_REPLACE needed to override')
      }
      if (handle & 0xffff) refuse('EINVAL', 'Invalid minor handle')
      const other = this.#byHandle(dev, handle)
      if (other && flags & NLM_F_EXCL) {
        refuse('EEXIST', 'Exclusivity flag on, cannot override')
      }
      if (other && kind !== undefined && kind !== other.kind) {
        refuse('EINVAL', 'Invalid qdisc name: must match existing qdisc')
      }
      if (other?.isIngress) refuse('EINVAL', 'Cannot regraft ingress or clsact Qdiscs')
    }
    this.#create(request, flags)
  }

  /** tc_get_qdisc(). @throws NetlinkError ENOENT, EINVAL */
  find({
    dev,
    handle,
    parent,
    kind,
  }: Pick<QdiscRequest, 'dev' | 'handle' | 'parent' | 'kind'>): Qdisc {
    const qdisc =
      parent === 0
        ? this.#byHandle(dev, handle)
        : (this.#under(dev, parent, 'Failed to find qdisc with specified classid') ??
          (parent === TC_H_ROOT ? this.#default(dev) : undefined))
    if (!qdisc && parent === 0) refuse('ENOENT', 'Failed to find qdisc with specified handle')
    if (!qdisc) refuse('ENOENT', 'Cannot find specified qdisc on specified device')
    if (handle && qdisc.handle !== handle) refuse('EINVAL', 'Invalid handle')
    if (kind !== undefined && kind !== qdisc.kind) refuse('EINVAL', 'Invalid qdisc name')
    return qdisc
  }

  /** RTM_DELQDISC. @throws NetlinkError ENOENT, EINVAL */
  delete(request: Pick<QdiscRequest, 'dev' | 'handle' | 'parent' | 'kind'>, origin?: Origin): void {
    const qdisc = this.find(request)
    const { dev } = request
    if (request.parent === 0) refuse('EINVAL', 'Classid cannot be zero')
    if (qdisc.handle === 0) refuse('ENOENT', 'Cannot delete qdisc with handle of zero')
    const attached = this.#attached(dev)
    if (qdisc.isIngress) attached.ingress = undefined
    else {
      attached.root = undefined
      dev.qdisc = dev.isActive ? dev.defaultQdisc : 'noop'
    }
    this.#announce('DELQDISC', qdisc, 0, origin)
    this.#devices.set(dev, attached)
  }

  #attached(dev: NetDevice): Attached {
    return this.#devices.get(dev) ?? { root: undefined, ingress: undefined }
  }

  /** What a device has by itself, once it was up. */
  #default(dev: NetDevice): Qdisc | undefined {
    if (dev.qdisc === 'noop') return undefined
    const kind = dev.qdisc
    return { dev, kind, handle: 0, parent: TC_H_ROOT, isIngress: false, options: undefined }
  }

  #byHandle(dev: NetDevice, handle: number): Qdisc | undefined {
    const { root, ingress } = this.#attached(dev)
    return [root, ingress].find((each) => each?.handle === (handle & MAJOR) >>> 0)
  }

  /** What is under `parent`, the default left aside. */
  #under(dev: NetDevice, parent: number, text: string): Qdisc | undefined {
    const { root, ingress } = this.#attached(dev)
    if (parent === TC_H_ROOT) return root
    if (parent === TC_H_INGRESS) return ingress
    if (!this.#byHandle(dev, parent)) refuse('ENOENT', text)
    throw new NetlinkError('EOPNOTSUPP', 'Parent qdisc is not classful')
  }

  #change(qdisc: Qdisc | undefined, request: QdiscRequest, flags: number): void {
    if (!qdisc) refuse('ENOENT', 'Specified qdisc not found')
    if (flags & NLM_F_EXCL) refuse('EEXIST', 'Exclusivity flag on, cannot modify')
    if (request.kind !== undefined && request.kind !== qdisc.kind) {
      refuse('EINVAL', 'Invalid qdisc name: must match existing qdisc')
    }
    qdisc.options = request.change(qdisc)
    this.#announce('NEWQDISC', qdisc, 0, request.origin)
  }

  /** qdisc_create(), qdisc_graft(). */
  #create(request: QdiscRequest, flags: number): void {
    const { dev, parent, kind = '' } = request
    if (!(flags & NLM_F_CREATE)) {
      refuse('ENOENT', 'Qdisc not found. To create specify NLM_F_CREATE flag')
    }
    const { options, isIngress } = request.make(kind)
    if (parent === TC_H_INGRESS && !isIngress) {
      refuse('EINVAL', 'Specified parent ID is reserved for ingress and clsact Qdiscs')
    }
    if (parent !== TC_H_INGRESS && isIngress) refuse('EOPNOTSUPP', undefined)
    const handle = isIngress ? INGRESS_HANDLE : request.handle || this.#autoHandle(dev)
    const qdisc: Qdisc = { dev, kind, handle, parent, isIngress, options }
    const attached = this.#attached(dev)
    const old = isIngress ? attached.ingress : (attached.root ?? this.#default(dev))
    if (isIngress) attached.ingress = qdisc
    else {
      attached.root = qdisc
      dev.qdisc = kind
    }
    this.#devices.set(dev, attached)
    if (old) this.#announce('DELQDISC', old, 0, request.origin)
    this.#announce('NEWQDISC', qdisc, old ? NLM_F_REPLACE : 0, request.origin)
  }

  #autoHandle(dev: NetDevice): number {
    do {
      this.#auto += 0x10000
      if (this.#auto >= MAJOR >>> 0) this.#auto = AUTO_FIRST + 0x10000
    } while (this.#byHandle(dev, this.#auto))
    return this.#auto
  }

  #announce(event: 'NEWQDISC' | 'DELQDISC', qdisc: Qdisc, flags: number, origin: Origin): void {
    this.#stack.chains.qdisc.call(event, { qdisc, flags, origin })
  }
}

function refuse(
  code: 'EINVAL' | 'ENOENT' | 'EEXIST' | 'EOPNOTSUPP',
  text: string | undefined,
): never {
  throw new NetlinkError(code, text ?? {})
}
