/**
 * Filters as objects: blocks have chains, chains have filters of one kind, priority and protocol.
 *
 * Kernel: include/net/sch_generic.h struct tcf_block, struct tcf_chain, struct tcf_proto;
 * net/sched/cls_api.c tcf_chain_get(), tcf_chain_put(), tcf_block_put() (Linux 6.12).
 */
import type { Writer } from '../../wire/writer.ts'
import type { Qdisc, TcClass } from './qdisc.ts'
import type { TcRequest } from './request.ts'
import type { SchedNet } from './sched-net.ts'

/** What a filter of a kind is; the rest is the kind's own. */
export interface Filter {
  readonly handle: number
  /** The class that it leads to, and that class where it is bound to it. */
  readonly classid?: number | undefined
  bound?: TcClass | undefined
}

/** A request for a filter. */
export interface FilterRequest {
  readonly tc: TcRequest
  readonly handle: number
  readonly net: SchedNet
}

/** One kind of filter (struct tcf_proto_ops). */
export interface FilterOps {
  readonly kind: string
  /** Sets `tp.state`. */
  init(tp: Proto): void
  get(tp: Proto, handle: number): Filter | undefined
  /** Makes a filter, or puts another in place of `old`. @throws NetlinkError */
  change(tp: Proto, request: FilterRequest, old: Filter | undefined): Filter | undefined
  /** @returns whether it was the last. @throws NetlinkError */
  delete(tp: Proto, filter: Filter): boolean
  walk(tp: Proto): Iterable<Filter>
  /** What is left to do where all of them end. */
  destroy(tp: Proto): void
  /** TCA_OPTIONS. */
  put(w: Writer, tp: Proto, filter: Filter): void
  /** Nothing of a new filter is told but that there is one. */
  readonly hidesNew?: boolean
  /** Whether a filter that cannot be made takes an empty `tp` with it, which others made. */
  readonly deletesEmpty?: boolean
  /** A chain may ask for filters of this kind alone: what its template is. @throws NetlinkError */
  template?(tc: TcRequest, net: SchedNet): Template
}

export interface Template {
  readonly ops: FilterOps
  put(w: Writer): void
}

/** Filters of one kind, priority and protocol. */
export class Proto {
  readonly chain: Chain
  readonly ops: FilterOps
  /** In the upper half. */
  readonly prio: number
  /** An Ethernet protocol, in network order. */
  readonly protocol: number
  state: unknown

  constructor(chain: Chain, ops: FilterOps, prio: number, protocol: number) {
    this.chain = chain
    this.ops = ops
    this.prio = prio
    this.protocol = protocol
    ops.init(this)
  }
}

export class Chain {
  readonly block: Block
  readonly index: number
  /** In the order of their priorities. */
  readonly protos: Proto[] = []
  isExplicit = false
  template: Template | undefined
  /** How many actions go to it. */
  actions = 0
  /** Whether it was told of. */
  isKnown = false

  constructor(block: Block, index: number) {
    this.block = block
    this.index = index
  }

  /** tcf_chain_held_by_acts_only(). */
  get isOfActionsOnly(): boolean {
    return !this.isExplicit && this.protos.length === 0
  }

  /** tcf_chain_put(): when nothing holds it any more, it goes. */
  settle(): void {
    if (!this.isOfActionsOnly) return
    if (this.isKnown) {
      this.isKnown = false
      this.block.net.announceChain(this, true)
      this.template = undefined
    }
    if (this.actions === 0) this.block.chains.delete(this.index)
  }

  /** tcf_chain_flush(). */
  flush(): void {
    for (const tp of this.protos.splice(0)) tp.ops.destroy(tp)
  }
}

export class Block {
  readonly net: SchedNet
  /** 0: nobody shares it. */
  readonly index: number
  /** Whose it is when nobody shares it. */
  readonly q: Qdisc | undefined
  /** Where filters were added last (block->classid). */
  classid = 0
  readonly chains = new Map<number, Chain>()
  /** How many disciplines share it. */
  owners = 0

  constructor(net: SchedNet, q: Qdisc | undefined, index: number) {
    this.net = net
    this.q = q
    this.index = index
  }

  /** What filters of this block may have in common with those of others: the discipline. */
  get owner(): object {
    return this.q ?? this
  }

  /** tcf_chain_get(): the chain, made and told of when it is new. */
  chain(index: number): Chain {
    const chain = this.chainFor(index)
    if (!chain.isKnown) {
      chain.isKnown = true
      this.net.announceChain(chain, false)
    }
    return chain
  }

  /** The chain without a word, as actions take it (tcf_chain_get_by_act()). */
  chainFor(index: number): Chain {
    const chain = this.chains.get(index) ?? new Chain(this, index)
    this.chains.set(index, chain)
    return chain
  }

  /** tcf_block_put(): all that is in it goes, if nobody else has it. */
  put(): void {
    this.owners--
    if (this.owners > 0) return
    if (this.index !== 0) this.net.blocks.delete(this.index)
    for (const chain of [...this.chains.values()]) {
      chain.flush()
      chain.isExplicit = false
      chain.settle()
    }
  }

  /** Filters of all chains. */
  *filters(): Iterable<Filter> {
    for (const { protos } of this.chains.values()) {
      for (const tp of protos) yield* tp.ops.walk(tp)
    }
  }
}
