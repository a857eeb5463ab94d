/**
 * Traffic control of one namespace: the disciplines of its devices, shared blocks, actions, and who
 * is told of changes.
 *
 * Kernel: net/sched/sch_generic.c dev_activate(), dev_shutdown(); net/sched/cls_api.c struct tcf_net.
 */
import { RTM_DELCHAIN, RTM_NEWCHAIN, RTNLGRP_TC } from '../../families/rtnetlink.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../wire/constants.ts'
import type { NetDevice } from '../net/device.ts'
import type { NetStack } from '../net/stack.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { notify } from '../rtnetlink/notify.ts'
import { ActionTable } from './action.ts'
import { Block, type Chain } from './block.ts'
import { putChain } from './chain-fill.ts'
import { GOODSIZE, TC_H_ROOT } from './constants.ts'
import { Qdisc } from './qdisc.ts'
import { QdiscSet } from './qdisc-set.ts'
import { fqCodel } from './qdiscs/codel.ts'
import { mq, noqueue, pfifoFast } from './qdiscs/default.ts'

/** The disciplines that a device may have by itself. */
const DEFAULTS = new Map([noqueue, pfifoFast, mq, fqCodel].map((ops) => [ops.kind, ops]))

export class SchedNet {
  readonly stack: NetStack
  readonly sock: KernelSocket
  /** Shared blocks, by index. */
  readonly blocks = new Map<number, Block>()
  readonly actions = new ActionTable()
  readonly #sets = new Map<NetDevice, QdiscSet>()

  constructor(stack: NetStack, sock: KernelSocket) {
    this.stack = stack
    this.sock = sock
    stack.chains.netdev.register({
      name: 'dev_activate',
      call: (event, { dev }) => {
        if (event === 'NETDEV_UP') this.#activate(this.setOf(dev))
        else if (event === 'NETDEV_UNREGISTER') this.#shutdown(dev)
        return NOTIFY_DONE
      },
    })
  }

  setOf(dev: NetDevice): QdiscSet {
    const found = this.#sets.get(dev)
    if (found) return found
    const set = new QdiscSet(dev, this)
    this.#sets.set(dev, set)
    if (dev.isUp) this.#activate(set)
    return set
  }

  /** attach_default_qdiscs(): a device that is up sends through something. */
  #activate(set: QdiscSet): void {
    const { dev } = set
    if (!set.root) {
      const kind = dev.defaultQdisc === 'noqueue' || dev.txQueues < 2 ? dev.defaultQdisc : 'mq'
      const ops = DEFAULTS.get(kind) ?? noqueue
      const root = new Qdisc(set, ops, 0, TC_H_ROOT)
      set.root = root
      ops.init?.(root, undefined)
    }
    dev.qdisc = set.root.ops.kind
  }

  /** The root of a device has changed. */
  settle(set: QdiscSet): void {
    if (set.dev.isUp) this.#activate(set)
    else set.dev.qdisc = set.root?.ops.kind ?? 'noop'
  }

  #shutdown(dev: NetDevice): void {
    this.#sets.get(dev)?.clear()
    this.#sets.delete(dev)
    this.actions.forget(dev)
  }

  /** tcf_block_get_ext(): the shared block `index`, made when nobody has it. */
  sharedBlock(index: number): Block {
    const block = this.blocks.get(index) ?? new Block(this, undefined, index)
    this.blocks.set(index, block)
    block.owners++
    return block
  }

  /** A block that `q` has for itself. */
  ownBlock(q: Qdisc): Block {
    const block = new Block(this, q, 0)
    block.owners = 1
    return block
  }

  /** tc_chain_notify(), tc_chain_notify_delete(): nobody's request, whoever caused it. */
  announceChain(chain: Chain, isGone: boolean): void {
    const type = isGone ? RTM_DELCHAIN : RTM_NEWCHAIN
    const flags = isGone ? 0 : NLM_F_CREATE | NLM_F_EXCL
    notify(this.sock, { type, flags, group: RTNLGRP_TC, seq: 0, size: GOODSIZE }, (w) =>
      putChain(w, chain),
    )
  }
}
