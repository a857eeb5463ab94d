/** Blocking notifier chains: blocks may wait, and the list changes only while nobody walks it. */
import type {
  Answer,
  CallCounter,
  ChainCall,
  ChainOptions,
  DataOf,
  EventOf,
  NotifierBlock,
} from './block.ts'
import { NotifierList } from './chain.ts'
import { NOTIFY_DONE } from './constants.ts'
import { ReadWriteLock } from './lock.ts'
import { claimChain } from './owner.ts'

type Block<Events, Data> = NotifierBlock<Events, Data, Answer>

const done = Promise.resolve()

/**
 * BLOCKING_NOTIFIER_HEAD. Calls share the chain; register, unregister and robust calls have it
 * alone, and who comes behind one that waits, waits too, as with the kernel's rw_semaphore.
 *
 * What would wait for the callback that asks for it is refused with EDEADLK: a change or a robust
 * call from a callback, and a call from a callback behind one that waits. This is seen in the part
 * of a callback before its first `await`; behind it, nobody can tell a callback from others, and
 * awaiting such a change waits forever, as in Linux.
 */
export class BlockingNotifierChain<Events = number, Data = unknown> {
  readonly type = 'blocking'
  readonly #lock = new ReadWriteLock((isContended) => this.#list.hold(isContended))
  readonly #list: NotifierList
  /** The list as it will be when the changes that wait are done. */
  #future: NotifierList | undefined
  #changes = 0

  constructor(name = 'blocking_notifier_chain', options?: ChainOptions) {
    this.#list = new NotifierList(name, options, {
      readSide: this.#lock,
      isTracked: true,
      install: (call) => Object.assign(this, { call }),
      call: (...args) => this.#call(...args),
    })
    claimChain(this)
  }

  get name(): string {
    return this.#list.name
  }

  /**
   * blocking_notifier_chain_register(). At once, or when the calls under way have ended: a call
   * made after this one finds the block. The result takes the block out again and is harmless
   * when it is out already.
   * @throws NetlinkError EEXIST when it is registered here, EINVAL when it is no block, EDEADLK
   * from a callback of this chain.
   */
  register(block: Block<Events, Data>): () => Promise<void> {
    return this.#register(block, false)
  }

  /**
   * blocking_notifier_chain_register_unique_prio().
   * @throws NetlinkError as register(), and EBUSY when another block has its priority.
   */
  registerUniquePrio(block: Block<Events, Data>): () => Promise<void> {
    return this.#register(block, true)
  }

  /**
   * blocking_notifier_chain_unregister(). Resolves when no call can reach the block any more.
   * @throws NetlinkError, at once: ENOENT when it is not registered here, EDEADLK from a callback
   * of this chain.
   */
  unregister(block: Block<Events, Data>): Promise<void> {
    this.#list.refuseInside('taken out', block)
    if (!this.#lock.isHeld) {
      this.#list.unregister(block)
      return done
    }
    this.#planned().unregister(block)
    return new Promise((resolve) => {
      this.#change(() => {
        this.#list.unregister(block)
        resolve()
      })
    })
  }

  /**
   * blocking_notifier_call_chain(). At most `nrToCall` blocks are called, -1 is all;
   * `counter.calls` grows by as many as were.
   * @returns the last block's answer; a promise of it only when a block returned a promise, or a
   * change was waiting.
   * @throws what a block throws before anybody waited, otherwise the promise rejects with it;
   * those behind it are not called. NetlinkError EDEADLK, see above.
   */
  readonly call!: ChainCall<Events, Data, Answer>

  /**
   * blocking_notifier_call_chain_robust(): when a block stops `up`, or throws, those before it
   * hear `down`, from the head on, before anybody else may call or change the chain.
   * @returns what `up` answered, as call().
   */
  callRobust<Up extends EventOf<Events>, Down extends EventOf<Events>>(
    up: Up,
    down: Down,
    data: DataOf<Events, Data, Up> & DataOf<Events, Data, Down>,
  ): Answer {
    if (!this.#list.head) return NOTIFY_DONE
    this.#list.refuseInside('a robust call')
    if (this.#lock.isHeld) {
      return this.#lock.write().then(() => this.#robust(up, down, data))
    }
    this.#lock.enterWrite()
    return this.#robust(up, down, data)
  }

  /** The blocks in the order in which they are called. */
  blocks(): Block<Events, Data>[] {
    return this.#list.blocks()
  }

  #call(
    event: unknown,
    data: unknown,
    nrToCall: number,
    counter: CallCounter | undefined,
    isEntered: boolean,
  ): Answer {
    const list = this.#list
    if (!list.head) return NOTIFY_DONE
    if (!this.#lock.isContended) return list.enter(event, data, nrToCall, counter)
    list.refuseInside(
      'a call behind a change that waits, or in a robust call,',
      undefined,
      isEntered,
    )
    return this.#callLater(event, data, nrToCall, counter)
  }

  #register(block: Block<Events, Data>, unique: boolean): () => Promise<void> {
    this.#list.refuseInside('registered', block)
    if (this.#lock.isHeld) {
      this.#planned().register(block, unique)
      this.#change(() => this.#list.register(block))
    } else {
      this.#list.register(block, unique)
    }
    return async () => {
      if ((this.#future ?? this.#list).has(block)) await this.unregister(block)
    }
  }

  #planned(): NotifierList {
    this.#future ??= this.#list.copy()
    return this.#future
  }

  #change(apply: () => void): void {
    this.#changes++
    this.#lock.queueChange(() => {
      if (--this.#changes === 0) this.#future = undefined
      apply()
    })
  }

  async #callLater(event: unknown, data: unknown, nrToCall: number, counter?: CallCounter) {
    await this.#lock.read()
    try {
      return await this.#list.enter(event, data, nrToCall, counter)
    } finally {
      this.#lock.leave()
    }
  }

  #robust(up: unknown, down: unknown, data: unknown): Answer {
    let answer: Answer
    try {
      answer = this.#list.robust(up, down, data)
    } catch (error) {
      this.#lock.leaveWrite()
      throw error
    }
    if (typeof answer !== 'number') return answer.finally(() => this.#lock.leaveWrite())
    this.#lock.leaveWrite()
    return answer
  }
}
