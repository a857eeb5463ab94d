/** Blocking notifier chains: blocks may wait, and the list changes only while nobody walks it. */
import { NetlinkError } from '../../errors.ts'
import { type CallCounter, type NotifierBlock, NotifierList } from './chain.ts'
import { NOTIFY_DONE, NOTIFY_STOP_MASK } from './constants.ts'

type Block<Event, Data> = NotifierBlock<Event, Data, number | Promise<number>>

/**
 * BLOCKING_NOTIFIER_HEAD. Walks share the chain; a change of the list waits until they have left,
 * and walks that begin meanwhile wait for the change, as with the kernel's rw_semaphore.
 */
export class BlockingNotifierChain<Event = number, Data = unknown> {
  readonly #list: NotifierList<Event, Data, number | Promise<number>>
  #walking = 0
  readonly #changes: (() => void)[] = []
  readonly #joining = new Set<Block<Event, Data>>()
  readonly #waiting: (() => void)[] = []

  constructor(name = 'blocking_notifier_chain') {
    this.#list = new NotifierList(name)
  }

  get name(): string {
    return this.#list.name
  }

  /**
   * blocking_notifier_chain_register(). At once, or when the walks under way have ended. The
   * result takes the block out again and is harmless when it is out already.
   * @throws NetlinkError EEXIST when it is registered here.
   */
  register(block: Block<Event, Data>): () => Promise<void> {
    if (this.#joining.has(block)) throw new NetlinkError('EEXIST')
    if (this.#walking === 0 || this.#list.has(block)) {
      this.#list.register(block)
    } else {
      this.#joining.add(block)
      this.#changes.push(() => {
        this.#joining.delete(block)
        this.#list.register(block)
      })
    }
    return async () => {
      if (this.#list.has(block) || this.#joining.has(block)) await this.unregister(block)
    }
  }

  /**
   * blocking_notifier_chain_unregister(). Resolves when no walk can call the block any more: a
   * block that awaits its own end from within its call waits forever, as in Linux.
   * @throws NetlinkError ENOENT, at once, when it is not registered here.
   */
  unregister(block: Block<Event, Data>): Promise<void> {
    if (this.#walking === 0 || !(this.#list.has(block) || this.#joining.has(block))) {
      this.#list.unregister(block)
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      this.#changes.push(() => {
        try {
          resolve(this.#list.unregister(block))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /**
   * blocking_notifier_call_chain(). Blocks that do not wait have run when this returns, unless a
   * change of the list is pending. At most `nrToCall` are called, -1 is all.
   * @returns the last block's answer.
   */
  async call(event: Event, data: Data, nrToCall = -1, counter?: CallCounter): Promise<number> {
    if (!this.#list.head) return NOTIFY_DONE
    if (this.#changes.length > 0) await new Promise<void>((resume) => this.#waiting.push(resume))
    else this.#walking++
    try {
      return await this.#walk(event, data, nrToCall, counter)
    } finally {
      this.#leave()
    }
  }

  /**
   * blocking_notifier_call_chain_robust(): when a block stops `up`, those before it hear `down`,
   * from the head on, in the same walk.
   * @returns what `up` answered.
   */
  async callRobust(up: Event, down: Event, data: Data): Promise<number> {
    if (!this.#list.head) return NOTIFY_DONE
    if (this.#changes.length > 0) await new Promise<void>((resume) => this.#waiting.push(resume))
    else this.#walking++
    try {
      const counter = { calls: 0 }
      const answer = await this.#walk(up, data, -1, counter)
      if (answer & NOTIFY_STOP_MASK) await this.#walk(down, data, counter.calls - 1)
      return answer
    } finally {
      this.#leave()
    }
  }

  /** The blocks in the order in which they are called. */
  blocks(): Block<Event, Data>[] {
    return this.#list.blocks()
  }

  async #walk(event: Event, data: Data, nrToCall: number, counter?: CallCounter): Promise<number> {
    let answer: number = NOTIFY_DONE
    let node = this.#list.head
    for (let left = nrToCall; node && left !== 0; left--) {
      const given = node.block.call(event, data)
      answer = typeof given === 'number' ? given : await given
      if (counter) counter.calls++
      if (answer & NOTIFY_STOP_MASK) break
      node = node.next
    }
    return answer
  }

  #leave(): void {
    if (--this.#walking > 0) return
    for (const change of this.#changes.splice(0)) change()
    const waiting = this.#waiting.splice(0)
    this.#walking += waiting.length
    for (const resume of waiting) resume()
  }
}
