/**
 * Traffic control: disciplines, classes, filters, chains and actions as objects, over the devices of
 * each namespace.
 *
 * Kernel: net/sched/sch_api.c pktsched_init(), net/sched/cls_api.c tc_filter_init(),
 * net/sched/act_api.c tc_action_init() (Linux 6.12).
 */
import {
  AF_UNSPEC,
  RTM_DELACTION,
  RTM_DELCHAIN,
  RTM_DELQDISC,
  RTM_DELTCLASS,
  RTM_DELTFILTER,
  RTM_GETACTION,
  RTM_GETCHAIN,
  RTM_GETQDISC,
  RTM_GETTCLASS,
  RTM_GETTFILTER,
  RTM_NEWACTION,
  RTM_NEWCHAIN,
  RTM_NEWQDISC,
  RTM_NEWTCLASS,
  RTM_NEWTFILTER,
} from '../../families/rtnetlink.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { Pernet } from '../pernet.ts'
import { actionDump, controlAction } from './action-request.ts'
import { chainDump, controlChain } from './chain-request.ts'
import { classDump, controlClass } from './class-request.ts'
import { major } from './constants.ts'
import { deleteFilter, filterDump, getFilter, newFilter } from './filter-request.ts'
import { getQdisc, newQdisc, qdiscDump } from './qdisc-request.ts'
import type { QdiscSet } from './qdisc-set.ts'
import { SchedNet } from './sched-net.ts'

/** Handles that are given by themselves begin behind this one. */
const AUTO_FIRST = 0x80000000
const AUTO_STEP = 0x10000
const AUTO_END = 0xffff0000

export class Sched {
  readonly #nets: Pernet<SchedNet>
  #auto = AUTO_FIRST

  constructor(kernel: Kernel) {
    const { rtnl } = kernel
    this.#nets = kernel.registerPernet<SchedNet>({
      init: (net) => new SchedNet(rtnl.stackOf(net), rtnl.socketOf(net)),
    })
    this.#serve(kernel, [RTM_NEWQDISC], newQdisc)
    this.#serve(kernel, [RTM_DELQDISC, RTM_GETQDISC], getQdisc, qdiscDump(this))
    this.#serve(
      kernel,
      [RTM_NEWTCLASS, RTM_DELTCLASS, RTM_GETTCLASS],
      controlClass,
      classDump(this),
    )
    this.#serve(kernel, [RTM_NEWTFILTER], newFilter)
    this.#serve(kernel, [RTM_DELTFILTER], deleteFilter)
    this.#serve(kernel, [RTM_GETTFILTER], getFilter, filterDump(this))
    this.#serve(kernel, [RTM_NEWCHAIN, RTM_DELCHAIN, RTM_GETCHAIN], controlChain, chainDump(this))
    this.#serve(
      kernel,
      [RTM_NEWACTION, RTM_DELACTION, RTM_GETACTION],
      controlAction,
      actionDump(this),
    )
  }

  /** Registers who does `types`; the last of them is what can be dumped. */
  #serve(
    { rtnl }: Kernel,
    types: readonly number[],
    doit: (sched: Sched, ctx: RequestContext) => void,
    dumpit?: DumpSource,
  ): void {
    for (const type of types) {
      const dump = type === types.at(-1) ? dumpit : undefined
      rtnl.register(AF_UNSPEC, type, { doit: (ctx) => doit(this, ctx), dumpit: dump })
    }
  }

  netOf(net: Net): SchedNet {
    return this.#nets.of(net)
  }

  /** qdisc_alloc_handle(): the next one that is free, of all devices; 0 when none is. */
  allocateHandle(set: QdiscSet): number {
    for (let tries = 0; tries < 0x8000; tries++) {
      this.#auto += AUTO_STEP
      if (this.#auto === AUTO_END) this.#auto = AUTO_FIRST
      if (!set.byHandle(major(this.#auto))) return this.#auto
    }
    return 0
  }
}
