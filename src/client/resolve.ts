/** Generic netlink families by name: their numbers, which differ from boot to boot. */
import { isNetlinkError, NetlinkError } from '../errors.ts'
import { nlctrl } from '../families/nlctrl.ts'
import type { Reply } from '../schema/index.ts'
import { GENL_ID_CTRL } from '../wire/index.ts'
import { makeCall } from './call.ts'
import type { Endpoint } from './endpoint.ts'
import { didYouMean } from './nearest.ts'

type Description = Reply<typeof nlctrl, 'getFamily'>

/** What the kernel says of a family. */
export interface ResolvedFamily {
  /** nlmsg_type of its messages. */
  readonly id: number
  readonly version: number
  /** Bytes of a header of its own, behind genlmsghdr. */
  readonly hdrsize: number
  /** GENL_CMD_CAP_* and permissions of each command. */
  readonly ops: ReadonlyMap<number, number>
  /** Numbers of its groups. */
  readonly groups: ReadonlyMap<string, number>
}

export class Resolver {
  readonly #endpoint: Endpoint
  readonly #get = makeCall(nlctrl, 'getFamily', 'do', GENL_ID_CTRL)
  readonly #list = makeCall(nlctrl, 'getFamily', 'dump', GENL_ID_CTRL)
  readonly #known = new Map<string, Promise<ResolvedFamily>>()

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
  }

  /**
   * Looks a family up, once; those who ask at the same time share the answer. A failure is not
   * remembered.
   * @throws NetlinkError NETLINK_FAMILY when the kernel has none of that name.
   */
  find(name: string): Promise<ResolvedFamily> {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const asked = this.#ask(name)
    this.#known.set(name, asked)
    asked.catch(() => this.#known.delete(name))
    return asked
  }

  async #ask(name: string): Promise<ResolvedFamily> {
    try {
      const reply = await this.#endpoint.request(this.#get, { familyName: name })
      return resolved(reply as Description)
    } catch (error) {
      if (!isNetlinkError(error, 'ENOENT')) throw error
      throw new NetlinkError('NETLINK_FAMILY', {
        message: `this kernel has no generic netlink family named ${name}`,
        hint: (await this.#nearest(name)) ?? 'the module that registers it may not be loaded',
        cause: error,
      })
    }
  }

  async #nearest(name: string): Promise<string | undefined> {
    const map = ({ familyName }: Description): string => familyName
    const names = this.#endpoint.dump(this.#list, { value: () => ({}), map })
    return didYouMean(name, await names.toArray().catch(() => []))
  }
}

function resolved({ familyId, version, hdrsize, ops, mcastGroups }: Description): ResolvedFamily {
  return {
    id: familyId,
    version,
    hdrsize,
    ops: new Map(ops?.map(({ id = 0, flags = 0 }) => [id, flags])),
    groups: new Map(mcastGroups?.map(({ name = '', id = 0 }) => [name, id])),
  }
}
