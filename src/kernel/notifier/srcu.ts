/** SRCU notifier chains: blocks may wait, and the list changes under the feet of those who walk it. */
import type { Answer, ChainCall, ChainOptions, NotifierBlock } from './block.ts'
import { NotifierList } from './chain.ts'
import { GracePeriods } from './grace.ts'
import { claimChain } from './owner.ts'

type Block<Events, Data> = NotifierBlock<Events, Data, Answer>

/**
 * SRCU_NOTIFIER_INIT. Calls never wait for a change. A block that is taken out may be called once
 * more by a call under way; unregister() resolves when no such call is left.
 *
 * A block may register others during a call, but take none out: that waits for the calls under
 * way, and so for itself (EDEADLK). This is seen in the part of a callback before its first
 * `await`; behind it, awaiting such a change waits forever, as in Linux.
 */
export class SrcuNotifierChain<Events = number, Data = unknown> {
  readonly type = 'srcu'
  readonly #readers = new GracePeriods()
  readonly #list: NotifierList

  constructor(name = 'srcu_notifier_chain', options?: ChainOptions) {
    this.#list = new NotifierList(name, options, {
      readSide: this.#readers,
      isTracked: true,
      install: (call) => Object.assign(this, { call }),
    })
    claimChain(this)
  }

  get name(): string {
    return this.#list.name
  }

  /**
   * srcu_notifier_chain_register(), at once. The result takes the block out again and is harmless
   * when it is out already.
   * @throws NetlinkError EEXIST when it is registered here, EINVAL when it is no block.
   */
  register(block: Block<Events, Data>): () => Promise<void> {
    this.#list.register(block)
    return async () => {
      if (this.#list.has(block)) await this.unregister(block)
    }
  }

  /**
   * srcu_notifier_chain_unregister(). Calls to come do not reach the block; resolves when those
   * under way have ended.
   * @throws NetlinkError, at once: ENOENT when it is not registered here, EDEADLK from a callback
   * of this chain.
   */
  unregister(block: Block<Events, Data>): Promise<void> {
    this.#list.refuseInside('taken out', block)
    this.#list.unregister(block)
    return this.#readers.synchronize()
  }

  /**
   * srcu_notifier_call_chain(). At most `nrToCall` blocks are called, -1 is all; `counter.calls`
   * grows by as many as were.
   * @returns the last block's answer; a promise of it only when a block returned a promise.
   * @throws what a block throws before anybody waited, otherwise the promise rejects with it;
   * those behind it are not called.
   */
  readonly call!: ChainCall<Events, Data, Answer>

  /** The blocks in the order in which they are called. */
  blocks(): Block<Events, Data>[] {
    return this.#list.blocks()
  }

  /** srcu_cleanup_notifier_head(): resolves when no call is under way. */
  cleanup(): Promise<void> {
    this.#list.refuseInside('cleaning up')
    return this.#readers.synchronize()
  }
}
