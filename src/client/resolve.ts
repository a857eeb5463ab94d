/**
 * Generic netlink families by name: their numbers, which differ from boot to boot, and change when a
 * module is loaded anew. What nlctrl says of that is heard on a socket of its own, read whenever a
 * number is about to be used: once for all requests that are made in one turn.
 */
import { isNetlinkError, NetlinkError } from '../errors.ts'
import { nlctrl } from '../families/nlctrl.ts'
import type { Reply } from '../schema/index.ts'
import { GENL_ID_CTRL } from '../wire/index.ts'
import { makeCall } from './call.ts'
import type { Endpoint } from './endpoint.ts'
import { FamilyNews } from './family-news.ts'
import { didYouMean } from './nearest.ts'

const turn = Promise.resolve()

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
  /** What is known, and what is being asked. */
  readonly #known = new Map<string, ResolvedFamily>()
  readonly #asked = new Map<string, Promise<ResolvedFamily>>()
  readonly #news: FamilyNews
  #isFresh = false

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
    this.#news = new FamilyNews(endpoint.session, {
      came: (family) => this.#known.set(family.familyName, describe(family)),
      went: (name) => this.#known.delete(name),
      lost: () => this.#known.clear(),
    })
  }

  /**
   * Looks a family up, once; those who ask at the same time share the answer. A failure is not
   * remembered.
   * @throws NetlinkError NETLINK_FAMILY when the kernel has none of that name.
   */
  find(name: string): Promise<ResolvedFamily> {
    const known = this.current(name)
    if (known) return Promise.resolve(known)
    return this.#asked.get(name) ?? this.ask(name)
  }

  /** What is known of a family after all news; undefined when it has to be asked for. */
  current(name: string): ResolvedFamily | undefined {
    if (!this.#isFresh) {
      this.#isFresh = true
      void turn.then(this.#age)
      this.#news.read()
    }
    return this.#known.get(name)
  }

  /** Asks the kernel, whatever is known. */
  ask(name: string): Promise<ResolvedFamily> {
    this.#known.delete(name)
    const asked = this.#ask(name)
    this.#asked.set(name, asked)
    const over = (): void => {
      if (this.#asked.get(name) === asked) this.#asked.delete(name)
    }
    asked.then((family) => {
      over()
      this.#known.set(name, family)
    }, over)
    return asked
  }

  readonly #age = (): void => {
    this.#isFresh = false
  }

  close(): void {
    this.#news.close()
  }

  async #ask(name: string): Promise<ResolvedFamily> {
    await this.#news.open()
    try {
      const reply = await this.#endpoint.request(this.#get, { familyName: name })
      return describe(reply as Description)
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

/** What GETFAMILY, and NEWFAMILY, say. */
export function describe(family: Description): ResolvedFamily {
  const { familyId, version, hdrsize, ops, mcastGroups } = family
  return {
    id: familyId,
    version,
    hdrsize,
    ops: new Map(ops?.map(({ id = 0, flags = 0 }) => [id, flags])),
    groups: new Map(mcastGroups?.map(({ name = '', id = 0 }) => [name, id])),
  }
}
