/** Raw notifier chains: no lock of their own, for callers that have one, such as RTNL. */
import type { ChainCall, ChainOptions, DataOf, EventOf, NotifierBlock } from './block.ts'
import { NotifierList } from './chain.ts'
import { claimChain } from './owner.ts'

/**
 * RAW_NOTIFIER_HEAD. Synchronous: a block that returns a promise is an error (EINVAL, thrown from
 * the call). A block may register and unregister, itself too, during a call.
 */
export class RawNotifierChain<Events = number, Data = unknown> {
  readonly type = 'raw'
  readonly #list: NotifierList

  constructor(name = 'raw_notifier_chain', options?: ChainOptions) {
    this.#list = new NotifierList(name, options, {
      install: (call) => Object.assign(this, { call }),
    })
    claimChain(this)
  }

  get name(): string {
    return this.#list.name
  }

  /**
   * raw_notifier_chain_register(). The result takes the block out again and is harmless when the
   * block is out already.
   * @throws NetlinkError EEXIST when it is registered here, EINVAL when it is no block.
   */
  register(block: NotifierBlock<Events, Data>): () => void {
    this.#list.register(block)
    return () => {
      if (this.#list.has(block)) this.#list.unregister(block)
    }
  }

  /**
   * raw_notifier_chain_unregister().
   * @throws NetlinkError ENOENT when it is not registered here.
   */
  unregister(block: NotifierBlock<Events, Data>): void {
    this.#list.unregister(block)
  }

  /**
   * raw_notifier_call_chain(). At most `nrToCall` blocks are called, -1 is all; `counter.calls`
   * grows by as many as were.
   * @returns the last block's answer.
   * @throws what a block throws; those behind it are not called.
   */
  readonly call!: ChainCall<Events, Data, number>

  /**
   * raw_notifier_call_chain_robust(): when a block stops `up`, or throws, those before it hear
   * `down`, from the head on.
   * @returns what `up` answered.
   */
  callRobust<Up extends EventOf<Events>, Down extends EventOf<Events>>(
    up: Up,
    down: Down,
    data: DataOf<Events, Data, Up> & DataOf<Events, Data, Down>,
  ): number {
    return this.#list.robust(up, down, data) as number
  }

  /** The blocks in the order in which they are called. */
  blocks(): NotifierBlock<Events, Data>[] {
    return this.#list.blocks()
  }
}
