/** Raw notifier chains: no lock of their own, for callers that have one, such as RTNL. */
import { type CallCounter, type NotifierBlock, NotifierList, notifierCallChain } from './chain.ts'
import { NOTIFY_STOP_MASK } from './constants.ts'

/**
 * RAW_NOTIFIER_HEAD. Synchronous; a block may register and unregister, itself too, during a call.
 */
export class RawNotifierChain<Event = number, Data = unknown> {
  readonly #list: NotifierList<Event, Data>

  constructor(name = 'raw_notifier_chain') {
    this.#list = new NotifierList(name)
  }

  get name(): string {
    return this.#list.name
  }

  /**
   * raw_notifier_chain_register(). The result takes the block out again and is harmless when the
   * block is out already.
   * @throws NetlinkError EEXIST when it is registered here.
   */
  register(block: NotifierBlock<Event, Data>): () => void {
    this.#list.register(block)
    return () => {
      if (this.#list.has(block)) this.#list.unregister(block)
    }
  }

  /**
   * raw_notifier_chain_unregister().
   * @throws NetlinkError ENOENT when it is not registered here.
   */
  unregister(block: NotifierBlock<Event, Data>): void {
    this.#list.unregister(block)
  }

  /**
   * raw_notifier_call_chain(). At most `nrToCall` blocks are called, -1 is all; `counter.calls`
   * grows by as many as were.
   * @returns the last block's answer.
   */
  call(event: Event, data: Data, nrToCall = -1, counter?: CallCounter): number {
    return notifierCallChain(this.#list.head, event, data, nrToCall, counter)
  }

  /**
   * raw_notifier_call_chain_robust(): when a block stops `up`, those before it hear `down`, from
   * the head on.
   * @returns what `up` answered.
   */
  callRobust(up: Event, down: Event, data: Data): number {
    const counter = { calls: 0 }
    const answer = this.call(up, data, -1, counter)
    if (answer & NOTIFY_STOP_MASK) this.call(down, data, counter.calls - 1)
    return answer
  }

  /** The blocks in the order in which they are called. */
  blocks(): NotifierBlock<Event, Data>[] {
    return this.#list.blocks()
  }
}
