/**
 * Notifier chains, the core: a list of blocks by priority, and the walk that calls them.
 *
 * The skins (raw, atomic, blocking, srcu) add their rules of locking. Kernel: kernel/notifier.c.
 */
import { NetlinkError } from '../../errors.ts'
import { guardTarget, isThenable, refusal, settle } from './answer.ts'
import {
  type Answer,
  type AnyBlock,
  blockName,
  type CallCounter,
  type ChainOptions,
  checkBlock,
  type OnThrow,
} from './block.ts'
import {
  CHUNK,
  DISPATCHES_TO_COMPILE,
  type Dispatch,
  type Entry,
  makeEntry,
  unroll,
} from './compile.ts'
import { NOTIFY_DONE, NOTIFY_STOP_MASK } from './constants.ts'
import { type Target, targetOf } from './owner.ts'
import type { ChainRules, ReadSide } from './skin.ts'
import { isOnStack, seesStack } from './stack.ts'
import { makeTail, type Tail, type TailHost, WAITS_TO_COMPILE } from './tail.ts'

/** One place in the list. A node that was taken out keeps its `next`: a walk on it goes on. */
export interface ChainNode {
  readonly block: AnyBlock
  /** What is called: the block, or the guard around it. */
  readonly target: Target
  next: ChainNode | undefined
}

/** A walk that met something: where it goes on, and with what. */
interface Rest {
  event: unknown
  data: unknown
  next: ChainNode | undefined
  left: number
  counter: CallCounter | undefined
}

/** The ordered list of blocks and the walk, without a word on locking. */
export class NotifierList {
  /** What the chain is called, such as `netdev_chain`. */
  readonly name: string
  head: ChainNode | undefined
  /** A callback of this chain is on the stack, in a walk that marks it; raw chains do not ask. */
  isInside = false
  readonly #rules: ChainRules
  readonly #onThrow: OnThrow | undefined
  /** The walk as straight-line code, when it was worth it. */
  #dispatch: Dispatch | undefined
  #isHeld = false
  #isEntered = false
  /** call() as it was made, and whether the blocks that it calls itself are still the chain's. */
  #entry: Entry | undefined
  #isAsEntered = false
  /** The name of call() on the stack: compiled walks leave no other mark. */
  #entryName = ''
  #mayBeOnStack = false
  #dispatches = 0
  /** The rest of a walk that waits, as straight-line code, when it was worth it. */
  #tail: Tail | undefined
  #waits = 0
  /** What compiled walks of the list as it is call. */
  #nodes: ChainNode[] | undefined

  constructor(name: string, options: ChainOptions = {}, rules: ChainRules = {}) {
    this.name = name
    this.#onThrow = options.onThrow
    this.#rules = rules
    rules.install?.(this.#call)
  }

  /**
   * Inserts `block` before the first of lower priority, as notifier_chain_register().
   * @throws NetlinkError EINVAL for what is no block or no s32 priority; EEXIST when the block is
   * in the list already, wherever it stands (Linux misses it when its priority was raised
   * meanwhile, and loops); EBUSY when `unique` and its priority is taken.
   */
  register(block: AnyBlock, unique = false): void {
    checkBlock(this.name, block)
    const priority = block.priority ?? 0
    let before: ChainNode | undefined
    let placed = false
    for (let node = this.head; node; node = node.next) {
      if (node.block === block) throw this.refusal('EEXIST', block, 'already registered')
      const other = node.block.priority ?? 0
      if (unique && other === priority) throw this.refusal('EBUSY', block, 'priority is taken')
      placed ||= other < priority
      if (!placed) before = node
    }
    const called = targetOf(this.name, block)
    const mayWait = this.#rules.readSide !== undefined
    const target = this.#onThrow
      ? guardTarget(this.name, block, called, this.#onThrow, mayWait)
      : called
    const node = { block, target, next: before ? before.next : this.head }
    if (before) before.next = node
    else this.head = node
    this.#changed()
  }

  /** @throws NetlinkError ENOENT when the block is not in the list. */
  unregister(block: AnyBlock): void {
    let before: ChainNode | undefined
    for (let node = this.head; node; before = node, node = node.next) {
      if (node.block !== block) continue
      if (before) before.next = node.next
      else this.head = node.next
      this.#changed()
      return
    }
    throw this.refusal('ENOENT', block, 'not registered')
  }

  has(block: AnyBlock): boolean {
    for (let node = this.head; node; node = node.next) if (node.block === block) return true
    return false
  }

  /** The blocks in the order in which they are called. */
  blocks<Block>(): Block[] {
    const blocks: AnyBlock[] = []
    for (let node = this.head; node; node = node.next) blocks.push(node.block)
    return blocks as Block[]
  }

  /** The same blocks in a list of its own, for changes that are not to be seen yet. */
  copy(): NotifierList {
    const copy = new NotifierList(this.name)
    let last: ChainNode | undefined
    for (let node = this.head; node; node = node.next) {
      const twin: ChainNode = { block: node.block, target: node.target, next: undefined }
      if (last) last.next = twin
      else copy.head = twin
      last = twin
    }
    return copy
  }

  /**
   * notifier_call_chain(): the answer is the last block's, NOTIFY_DONE when none was called.
   * `nrToCall` bounds the calls, -1 is no bound. The next block is read before a call: a block may
   * take itself out, and one put in right behind it is not seen.
   */
  walk(event: unknown, data: unknown, nrToCall: number, counter?: CallCounter): Answer {
    if (nrToCall === -1 && counter === undefined) {
      if (this.#dispatch) return this.#dispatch(event, data) as Answer
      if (++this.#dispatches >= DISPATCHES_TO_COMPILE) this.#compile()
    }
    return this.#loop(NOTIFY_DONE, { event, data, next: this.head, left: nrToCall, counter })
  }

  /** A walk whose callbacks are known to be on the stack. */
  enter(event: unknown, data: unknown, nrToCall: number, counter?: CallCounter): Answer {
    if (this.isInside) return this.walk(event, data, nrToCall, counter)
    this.isInside = true
    try {
      return this.walk(event, data, nrToCall, counter)
    } finally {
      this.isInside = false
    }
  }

  readonly #call = (
    event: unknown,
    data: unknown,
    nrToCall = -1,
    counter?: CallCounter,
    isEntered = false,
  ) => {
    if (!this.#isEntered) this.#makeEntry()
    const { call, isTracked } = this.#rules
    if (call) return call(event, data, nrToCall, counter, isEntered) as number
    const answer = isTracked
      ? this.enter(event, data, nrToCall, counter)
      : this.walk(event, data, nrToCall, counter)
    return answer as number
  }

  /** While held, no call takes the short way: the skin decides about each. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#entry?.open(this.#isAsEntered && !isHeld)
    this.#entry?.take(isHeld ? undefined : this.#dispatch)
  }

  /**
   * notifier_call_chain_robust(): when a block stops `up` or throws, those before it hear `down`,
   * from the head on.
   * @returns what `up` answered.
   */
  robust(up: unknown, down: unknown, data: unknown): Answer {
    const counter = { calls: 0 }
    const rollback = (): Answer => this.enter(down, data, counter.calls - 1)
    let answer: Answer
    try {
      answer = this.enter(up, data, -1, counter)
    } catch (error) {
      const undone = rollback()
      if (typeof undone === 'number') throw error
      return undone.then(() => Promise.reject(error))
    }
    if (typeof answer !== 'number') return this.#robustLater(answer, rollback)
    if (!(answer & NOTIFY_STOP_MASK)) return answer
    const undone = rollback()
    return typeof undone === 'number' ? answer : undone.then(() => answer)
  }

  /**
   * Refuses what would wait for the callback that asks for it. `isEntered`: the call that asks is
   * on the stack too.
   * @throws NetlinkError EDEADLK
   */
  refuseInside(what: string, block?: AnyBlock, isEntered = false): void {
    if (!this.isInside && !this.#isOnStack(isEntered ? 2 : 1)) return
    const whose = block ? `notifier callback ${blockName(block)} ` : ''
    const message = `${this.name}: ${whose}${what} from a callback of this chain waits for itself`
    throw new NetlinkError('EDEADLK', { message })
  }

  refusal(code: string, block: AnyBlock, why: string): NetlinkError {
    return refusal(this.name, code, block, why)
  }

  #loop(answer: number, rest: Rest): Answer {
    const { event, data, counter } = rest
    let node = rest.next
    let left = rest.left
    while (node && left !== 0) {
      const { target, next }: ChainNode = node
      left--
      if (counter) counter.calls++
      const given = target.call(event, data)
      if (typeof given === 'number') answer = given
      else if (given === undefined) answer = NOTIFY_DONE
      else return this.#sleep(given, node, { event, data, next, left, counter })
      if (answer & NOTIFY_STOP_MASK) break
      node = next
    }
    return answer
  }

  /** What is left of a compiled walk when a block stopped it, waits, or changed the list. */
  #resume(nodes: readonly ChainNode[], at: number, given: unknown, event: unknown, data: unknown) {
    const waits = given instanceof Promise && nodes === this.#nodes
    if (waits && this.#tail) return this.#tail(at, given, event, data)
    const next = nodes[at + 1]
    const rest = { event, data, next, left: -1, counter: undefined }
    if (typeof given !== 'number' && given !== undefined) {
      const readSide = this.#rules.readSide
      if (waits && readSide && ++this.#waits === WAITS_TO_COMPILE)
        this.#compileTail(nodes, readSide)
      return this.#sleep(given, nodes[at] as ChainNode, rest)
    }
    const answer = given ?? NOTIFY_DONE
    return answer & NOTIFY_STOP_MASK ? answer : this.#loop(answer, rest)
  }

  #sleep(given: unknown, { block }: ChainNode, rest: Rest): Promise<number> {
    const readSide = this.#rules.readSide
    if (readSide && isThenable(given)) return this.#later(given, block, rest, readSide)
    if (isThenable(given)) given.then(undefined, () => {})
    return settle(this.name, given, block) as never
  }

  async #later(
    given: PromiseLike<unknown> | number,
    block: AnyBlock,
    rest: Rest,
    readSide: ReadSide<unknown>,
  ): Promise<number> {
    const token = readSide.enter()
    const { event, data, counter } = rest
    let { next, left } = rest
    try {
      let answer = settle(this.name, await given, block)
      while (next && left !== 0 && !(answer & NOTIFY_STOP_MASK)) {
        const node: ChainNode = next
        next = node.next
        left--
        if (counter) counter.calls++
        const got = this.#step(node, event, data)
        if (typeof got === 'number') answer = got
        else answer = settle(this.name, await got, node.block)
      }
      return answer
    } finally {
      readSide.leave(token)
    }
  }

  #step({ target }: ChainNode, event: unknown, data: unknown): unknown {
    this.isInside = true
    try {
      return target.call(event, data)
    } finally {
      this.isInside = false
    }
  }

  async #robustLater(pending: Promise<number>, rollback: () => Answer): Promise<number> {
    let answer: number
    try {
      answer = await pending
    } catch (error) {
      await rollback()
      throw error
    }
    if (answer & NOTIFY_STOP_MASK) await rollback()
    return answer
  }

  /** Whether a compiled walk is on the stack. */
  #isOnStack(times: number): boolean {
    if (!this.#mayBeOnStack) return false
    if (isOnStack(this.#entryName, times)) return true
    if (times > 1) return false
    this.#mayBeOnStack = this.#dispatch !== undefined || this.#isAsEntered
    return false
  }

  #compile(): void {
    if (!this.#mayGoUnmarked) return
    this.#dispatch = unroll(...this.#walked())
    this.#mayBeOnStack ||= this.#dispatch !== undefined
    this.hold(this.#isHeld)
  }

  /** Whether a walk need not mark that it is under way. */
  get #mayGoUnmarked(): boolean {
    return !this.#rules.isTracked || seesStack()
  }

  /** What is to be called, and what goes on where compiled code cannot. */
  #walked(): Parameters<typeof unroll> {
    const nodes: ChainNode[] = this.#nodes ?? []
    if (!this.#nodes) for (let node = this.head; node; node = node.next) nodes.push(node)
    this.#nodes = nodes
    return [
      nodes.map(({ target }) => target),
      (at, given, event, data) => this.#resume(nodes, at, given, event, data),
    ]
  }

  #compileTail(nodes: readonly ChainNode[], readSide: ReadSide<unknown>): void {
    const blockAt = (at: number) => (nodes[at] as ChainNode).block
    const host: TailHost = {
      list: this,
      settle: (given, at) => settle(this.name, given, blockAt(at)),
      goOn: (at, answer, event, data) => {
        const rest = { event, data, next: nodes[at + 1], left: -1, counter: undefined }
        return this.#later(answer, blockAt(at), rest, readSide)
      },
    }
    const targets = nodes.map(({ target }) => target)
    this.#tail = makeTail(targets, host, readSide)
  }

  /** At the first call: the engine learns at each place that calls, and must not learn two. */
  #makeEntry(): void {
    this.#isEntered = true
    const [targets, resume] = this.#walked()
    const own = this.#mayGoUnmarked && targets.length <= CHUNK ? targets : []
    const entry = makeEntry(this.#call, own, resume)
    if (!entry) return
    this.#entry = entry
    this.#entryName = entry.call.name
    this.#isAsEntered = own.length > 0
    this.#mayBeOnStack = this.#isAsEntered
    if (this.#isHeld) this.hold(true)
    this.#rules.install?.(entry.call)
  }

  #changed(): void {
    this.#dispatches = 0
    this.#nodes = undefined
    this.#waits = 0
    this.#tail?.end()
    this.#tail = undefined
    if (this.#isAsEntered) {
      this.#isAsEntered = false
      this.#entry?.end()
      this.#entry?.open(false)
    }
    if (!this.#dispatch) return
    this.#dispatch.end()
    this.#dispatch = undefined
    this.#entry?.take(undefined)
  }
}
