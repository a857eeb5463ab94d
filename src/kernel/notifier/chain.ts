/**
 * Notifier chains, the core: a list of blocks by priority, and the walk that calls them.
 *
 * The skins (raw, blocking) add their rules of locking. Kernel: kernel/notifier.c.
 */
import { NetlinkError } from '../../errors.ts'
import { NOTIFY_DONE, NOTIFY_STOP_MASK } from './constants.ts'

/** Someone who wants to know (struct notifier_block). */
export interface NotifierBlock<Event, Data, Answer = number> {
  /** Higher is called first; equals in order of registration. 0 when absent. */
  readonly priority?: number
  /** What error texts and lists of a chain call it. */
  readonly name?: string
  /** Answers NOTIFY_DONE, NOTIFY_OK, or a value with NOTIFY_STOP_MASK, which ends the walk. */
  call(event: Event, data: Data): Answer
}

/** Counts the calls of one walk, as notifier_call_chain()'s `nr_calls` does. */
export interface CallCounter {
  calls: number
}

/** One place in the list. A node that was taken out keeps its `next`: a walk on it goes on. */
export interface ChainNode<Block> {
  readonly block: Block
  next: ChainNode<Block> | undefined
}

/** The ordered list of blocks, without a word on locking. */
export class NotifierList<Event, Data, Answer = number> {
  /** What the chain is called, such as `netdev_chain`. */
  readonly name: string
  #head: ChainNode<NotifierBlock<Event, Data, Answer>> | undefined

  constructor(name: string) {
    this.name = name
  }

  get head(): ChainNode<NotifierBlock<Event, Data, Answer>> | undefined {
    return this.#head
  }

  /**
   * Inserts `block` before the first of lower priority, as notifier_chain_register().
   * @throws NetlinkError EEXIST when the block is in the list already, wherever it stands (Linux
   * misses it when its priority was raised meanwhile, and loops); EBUSY when `unique` and its
   * priority is taken.
   */
  register(block: NotifierBlock<Event, Data, Answer>, unique = false): void {
    const priority = block.priority ?? 0
    let before: ChainNode<NotifierBlock<Event, Data, Answer>> | undefined
    let placed = false
    for (let node = this.#head; node; node = node.next) {
      if (node.block === block) throw this.#refusal('EEXIST', block, 'already registered')
      const other = node.block.priority ?? 0
      if (unique && other === priority) throw this.#refusal('EBUSY', block, 'priority is taken')
      placed ||= other < priority
      if (!placed) before = node
    }
    if (before) before.next = { block, next: before.next }
    else this.#head = { block, next: this.#head }
  }

  /** @throws NetlinkError ENOENT when the block is not in the list. */
  unregister(block: NotifierBlock<Event, Data, Answer>): void {
    let before: ChainNode<NotifierBlock<Event, Data, Answer>> | undefined
    for (let node = this.#head; node; before = node, node = node.next) {
      if (node.block !== block) continue
      if (before) before.next = node.next
      else this.#head = node.next
      return
    }
    throw this.#refusal('ENOENT', block, 'not registered')
  }

  has(block: NotifierBlock<Event, Data, Answer>): boolean {
    for (let node = this.#head; node; node = node.next) if (node.block === block) return true
    return false
  }

  /** The blocks in the order in which they are called. */
  blocks(): NotifierBlock<Event, Data, Answer>[] {
    const blocks: NotifierBlock<Event, Data, Answer>[] = []
    for (let node = this.#head; node; node = node.next) blocks.push(node.block)
    return blocks
  }

  #refusal(code: string, block: NotifierBlock<Event, Data, Answer>, why: string): NetlinkError {
    const message = `${this.name}: notifier callback ${block.name ?? block.call.name} ${why}`
    return new NetlinkError(code, { message })
  }
}

/**
 * Calls the blocks from `node` on, as notifier_call_chain(): the answer is the last block's,
 * NOTIFY_DONE when none was called. `nrToCall` bounds the calls, -1 is no bound. The next block is
 * read before a call: a block may take itself out, and one put in right behind it is not seen.
 */
export function notifierCallChain<Event, Data>(
  node: ChainNode<NotifierBlock<Event, Data>> | undefined,
  event: Event,
  data: Data,
  nrToCall = -1,
  counter?: CallCounter,
): number {
  let answer: number = NOTIFY_DONE
  let left = nrToCall
  while (node && left !== 0) {
    const next = node.next
    answer = node.block.call(event, data)
    if (counter) counter.calls++
    if (answer & NOTIFY_STOP_MASK) break
    node = next
    left--
  }
  return answer
}
