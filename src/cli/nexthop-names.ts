/** Next hops by id: what `-d` tells of those that routes and groups refer to. */
import { isNetlinkError, type Nexthop } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { showNexthop } from './nexthop-show.ts'
import type { Printer } from './printer.ts'
import type { Connection } from './session.ts'

export class NexthopNames {
  readonly #hops = new Map<number, Nexthop>()

  /** All next hops; none of a kernel that knows no such things. */
  static async load(nl: Connection): Promise<NexthopNames> {
    const found = new NexthopNames()
    try {
      for (const hop of await nl.nexthops.list().toArray()) found.#hops.set(hop.id, hop)
    } catch (error) {
      if (!isNetlinkError(error, 'EOPNOTSUPP')) throw error
    }
    return found
  }

  /** Follows what an event says. */
  learn(hop: Nexthop): void {
    this.#hops.set(hop.id, hop)
  }
  forget({ id }: Nexthop): void {
    this.#hops.delete(id)
  }

  /** Tells of one, and of the members of a group, each on a line of its own. */
  show(names: LinkNames): (p: Printer, id: number) => void {
    return (p, id) => {
      const hop = this.#hops.get(id)
      if (!hop) return
      p.text('\n\tnh_info ')
      p.open('nh_info')
      showNexthop(p, hop, names, true)
      p.close()
    }
  }

  get(id: number): Nexthop | undefined {
    return this.#hops.get(id)
  }
}
