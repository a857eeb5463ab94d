/** Atomic notifier chains: called where nobody may wait. */
import type { ChainCall, ChainOptions, NotifierBlock } from './block.ts'
import { NotifierList } from './chain.ts'
import { claimChain } from './owner.ts'

/**
 * ATOMIC_NOTIFIER_HEAD. Synchronous: a block that returns a promise is an error (EINVAL, thrown
 * from the call). A block may register others during a call, but take none out: in Linux that
 * waits for the calls under way, and so for itself.
 */
export class AtomicNotifierChain<Events = number, Data = unknown> {
  readonly type = 'atomic'
  readonly #list: NotifierList

  constructor(name = 'atomic_notifier_chain', options?: ChainOptions) {
    this.#list = new NotifierList(name, options, {
      install: (call) => Object.assign(this, { call }),
      isTracked: true,
    })
    claimChain(this)
  }

  get name(): string {
    return this.#list.name
  }

  /**
   * atomic_notifier_chain_register(). The result takes the block out again and is harmless when
   * the block is out already.
   * @throws NetlinkError EEXIST when it is registered here, EINVAL when it is no block.
   */
  register(block: NotifierBlock<Events, Data>): () => void {
    this.#list.register(block)
    return () => this.#undo(block)
  }

  /**
   * atomic_notifier_chain_register_unique_prio().
   * @throws NetlinkError as register(), and EBUSY when another block has its priority.
   */
  registerUniquePrio(block: NotifierBlock<Events, Data>): () => void {
    this.#list.register(block, true)
    return () => this.#undo(block)
  }

  /**
   * atomic_notifier_chain_unregister().
   * @throws NetlinkError ENOENT when it is not registered here, EDEADLK from a callback of this
   * chain.
   */
  unregister(block: NotifierBlock<Events, Data>): void {
    this.#list.refuseInside('taken out', block)
    this.#list.unregister(block)
  }

  /**
   * atomic_notifier_call_chain(). At most `nrToCall` blocks are called, -1 is all; `counter.calls`
   * grows by as many as were.
   * @returns the last block's answer.
   * @throws what a block throws; those behind it are not called.
   */
  readonly call!: ChainCall<Events, Data, number>

  /** The blocks in the order in which they are called. */
  blocks(): NotifierBlock<Events, Data>[] {
    return this.#list.blocks()
  }

  #undo(block: NotifierBlock<Events, Data>): void {
    if (this.#list.has(block)) this.unregister(block)
  }
}
