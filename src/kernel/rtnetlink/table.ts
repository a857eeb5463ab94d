/**
 * The table of rtnetlink: who answers a message type for an address family.
 *
 * Kernel: net/core/rtnetlink.c rtnl_register_internal(), rtnl_unregister(), rtnl_get_link()
 * (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { RTM_BASE, RTM_MAX, RTNL_FAMILY_IP6MR } from '../../families/rtnetlink.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'

/** The largest address family that has a table of its own. */
const RTNL_FAMILY_MAX = RTNL_FAMILY_IP6MR

/** What answers one message type of one address family. */
export interface RtnlHandlers {
  /**
   * Does what a request asks for, and replies through `ctx.reply`. Synchronous: changes and their
   * notifications are in one order, as under the RTNL lock. @throws NetlinkError
   */
  readonly doit?: ((ctx: RequestContext) => void) | undefined
  /** What a dump consists of. */
  readonly dumpit?: DumpSource | undefined
  /** RTNL_FLAG_BULK_DEL_SUPPORTED: a deletion may have NLM_F_BULK. */
  readonly bulkDelete?: boolean | undefined
}

export class RtnlTable {
  readonly #families = new Map<number, Map<number, RtnlHandlers>>()

  /**
   * rtnl_register(): fills the slot. What was there of the other kind stays, what was there of the
   * same kind is replaced.
   * @throws TypeError for a family or a type that no message can have.
   */
  register(family: number, type: number, handlers: RtnlHandlers): void {
    if (!Number.isInteger(family) || family < 0 || family > RTNL_FAMILY_MAX) {
      throw new TypeError(`address family ${family} is not between 0 and ${RTNL_FAMILY_MAX}`)
    }
    if (!Number.isInteger(type) || type < RTM_BASE || type > RTM_MAX) {
      throw new TypeError(`message type ${type} is not between ${RTM_BASE} and ${RTM_MAX}`)
    }
    const types = this.#families.get(family) ?? new Map<number, RtnlHandlers>()
    this.#families.set(family, types)
    const old = types.get(type)
    types.set(type, {
      doit: handlers.doit ?? old?.doit,
      dumpit: handlers.dumpit ?? old?.dumpit,
      bulkDelete: (handlers.bulkDelete ?? false) || (old?.bulkDelete ?? false),
    })
  }
  /**
   * rtnl_unregister(): empties the slot, an empty one too.
   * @throws NetlinkError ENOENT when nothing was ever registered for the family.
   */
  unregister(family: number, type: number): void {
    const types = this.#families.get(family)
    if (!types) throw new NetlinkError('ENOENT')
    types.delete(type)
  }
  /** Who does `type` for `family`; where the family has nobody, who does it for all. */
  doer(family: number, type: number): RtnlHandlers | undefined {
    const own = this.get(family, type)
    if (own?.doit) return own
    const general = this.get(0, type)
    return general?.doit && general
  }
  /** What is dumped for `family`; where the family has nothing, what is dumped for all. */
  dumper(family: number, type: number): DumpSource | undefined {
    return this.get(family, type)?.dumpit ?? this.get(0, type)?.dumpit
  }
  /** Exactly what is registered. */
  get(family: number, type: number): RtnlHandlers | undefined {
    return this.#families.get(family)?.get(type)
  }
  /** The families that have a table, ascending. */
  families(): number[] {
    return [...this.#families.keys()].sort((a, b) => a - b)
  }
}
