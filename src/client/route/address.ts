/** Addresses of links. */
import { EncodeError } from '../../errors.ts'
import { INFINITY_LIFE_TIME, rtAddr } from '../../families/rt-addr.ts'
import type { Reply } from '../../schema/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, found, type LinkName, type Links, withRest } from './door.ts'
import { addressSubject } from './live.ts'
import { type AddressFlag, addressFlags, type Scope, scopes } from './names.ts'
import { familyNumber, familyOf, type IpFamily, ipFamily, parsePrefix } from './prefix.ts'

type Decoded = Reply<typeof rtAddr, 'getAddr'>

/** An address, with all that the kernel says of it. */
export interface Address extends Omit<Decoded, 'family' | 'scope' | 'ifaFlags' | 'flags'> {
  family: IpFamily
  /** The link that has it. */
  ifindex: number
  /** Bits of the prefix that the link reaches. */
  prefixlen: number
  /** The address; of a point-to-point link the other end's. */
  address?: string
  /** The link's own (IPv4 always, IPv6 only beside another end's). */
  local?: string
  scope: Scope | number
  /** IFA_F_*. */
  flags: number
}

/** Which addresses to list. Links and families are sorted out by the kernel. */
export interface AddressFilter {
  readonly link?: LinkName | undefined
  readonly family?: IpFamily | undefined
  readonly scope?: Scope | number | undefined
}

/** Which address is meant: one that was listed will do. */
export interface AddressName {
  /** The link, or its index in `ifindex`. */
  readonly link?: LinkName | undefined
  readonly ifindex?: number | undefined
  /** `10.0.0.1/24`; beside `local` the other end's. */
  readonly address?: string | undefined
  /** Bits, where `address` does not say. */
  readonly prefixlen?: number | undefined
  readonly local?: string | undefined
  readonly label?: string | undefined
}

/** An address to be had. */
export interface NewAddress extends AddressName {
  readonly broadcast?: string | undefined
  readonly scope?: Scope | number | undefined
  /** IFA_F_*, or their names: `['nodad', 'noprefixroute']`. */
  readonly flags?: number | readonly AddressFlag[] | undefined
  /** Seconds until it ends, and until it is not preferred any more; for ever unless given. */
  readonly valid?: number | undefined
  readonly preferred?: number | undefined
  /** Metric of the prefix route. */
  readonly rtPriority?: number | undefined
}

const TRANSLATED: ReadonlySet<string> = new Set(['family', 'scope', 'ifaFlags', 'flags'])

/** An address as its message says; undefined for families other than IPv4 and IPv6. */
export function toAddress(decoded: Decoded): Address | undefined {
  const { scope, flags = decoded.ifaFlags } = decoded
  const family = ipFamily(decoded.family)
  if (family === undefined) return undefined
  return withRest<Address>({ family, scope: scopes.name(scope), flags }, decoded, TRANSLATED)
}

export class AddressDoor {
  readonly #links: Links
  readonly #calls = {
    list: makeCall(rtAddr, 'getAddr', 'dump'),
    new: makeCall(rtAddr, 'newAddr', 'do'),
    delete: makeCall(rtAddr, 'delAddr', 'do'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<Address> = {}, options: LiveOptions = {}): Live<Address> {
    const { session } = this.#links.endpoint
    return new Live(session, addressSubject(this, toAddress), checkMatch(match), options)
  }

  list(filter: AddressFilter = {}, options: DumpOptions = {}): Dump<Address> {
    let scope: number | undefined
    let family: number | undefined
    let ifindex: number | undefined
    const value = async () => {
      scope = filter.scope === undefined ? undefined : scopes.number(filter.scope, 'scope')
      family = filter.family === undefined ? undefined : familyNumber(filter.family)
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      return defined({ family, ifindex })
    }
    const map = (decoded: Decoded): Address | undefined => {
      const isWanted =
        (ifindex === undefined || decoded.ifindex === ifindex) &&
        (family === undefined || decoded.family === family) &&
        (scope === undefined || decoded.scope === scope)
      return isWanted ? toAddress(decoded) : undefined
    }
    return this.#links.endpoint.dump(this.#calls.list, { value, map }, options)
  }

  /** One address of a link. @throws NetlinkError EADDRNOTAVAIL when the link does not have it. */
  async get(name: AddressName, options: CallOptions = {}): Promise<Address> {
    const wanted = nameOf(name)
    const { link, ifindex, label } = name
    const all = this.list({ link: link ?? ifindex, family: wanted.family }, options)
    const isIt = (a: Address): boolean =>
      (a.local ?? a.address) === wanted.own &&
      (wanted.other === undefined || a.address === wanted.other) &&
      (wanted.length === undefined || a.prefixlen === wanted.length) &&
      (label === undefined || a.label === label)
    const message = `no link has the address ${wanted.own}`
    return found((await all.toArray()).find(isIt), 'EADDRNOTAVAIL', message)
  }

  /** Gives a link an address. @throws NetlinkError EEXIST and what the kernel refuses */
  add(address: NewAddress, options: CallOptions = {}): Promise<void> {
    return this.#change(address, NLM_F_CREATE | NLM_F_EXCL, options)
  }
  /** Changes an address that is there: lifetimes, flags, metric. */
  set(address: NewAddress, options: CallOptions = {}): Promise<void> {
    return this.#change(address, NLM_F_REPLACE, options)
  }
  /** Adds it, or changes it when it is there. */
  replace(address: NewAddress, options: CallOptions = {}): Promise<void> {
    return this.#change(address, NLM_F_CREATE | NLM_F_REPLACE, options)
  }
  /** Takes an address away. @throws NetlinkError EADDRNOTAVAIL when the link does not have it. */
  async delete(address: AddressName, options: CallOptions = {}): Promise<void> {
    const value = {
      ...(await this.#describe(address, options)),
      ...defined({ label: address.label }),
    }
    await this.#links.endpoint.request(this.#calls.delete, value, options)
  }

  async #change(wanted: NewAddress, flags: number, options: CallOptions): Promise<void> {
    const { broadcast, label, scope, valid, preferred, rtPriority } = wanted
    const value = {
      ...(await this.#describe(wanted, options)),
      scope: scope === undefined ? defaultScope(nameOf(wanted).own) : scopes.number(scope, 'scope'),
      ...defined({
        broadcast,
        label,
        flags: wanted.flags === undefined ? undefined : addressFlags.bits(wanted.flags, 'flags'),
        rtPriority,
        cacheinfo:
          valid === undefined && preferred === undefined
            ? undefined
            : {
                prefered: preferred ?? valid ?? INFINITY_LIFE_TIME,
                valid: valid ?? INFINITY_LIFE_TIME,
              },
      }),
    }
    await this.#links.endpoint.request(this.#calls.new, value, { ...options, flags })
  }

  async #describe(name: AddressName, options: CallOptions): Promise<object> {
    const { own, other, family, length } = nameOf(name)
    const link = name.link ?? name.ifindex
    if (link === undefined) throw new EncodeError('required', 'link')
    return {
      family: familyNumber(family),
      prefixlen: length ?? (family === 'inet' ? 32 : 128),
      ifindex: await this.#links.indexOf(link, 'link', options),
      local: own,
      address: other ?? own,
    }
  }
}

/** The link's own address, the other end's if there is one, and the prefix. */
function nameOf({ address, local, prefixlen }: AddressName) {
  const text = address ?? local
  if (text === undefined) throw new EncodeError('required', 'address')
  const prefix = parsePrefix(text, address === undefined ? 'local' : 'address')
  const own = local === undefined ? prefix.address : parsePrefix(local, 'local').address
  return {
    own,
    other: address === undefined || own === prefix.address ? undefined : prefix.address,
    family: familyOf(own, 'local'),
    length: text.includes('/') ? prefix.length : prefixlen,
  }
}

/** What iproute2 assumes: 127.0.0.0/8 is nobody else's business. */
function defaultScope(own: string): number {
  return scopes.number(own.startsWith('127.') ? 'host' : 'universe', 'scope')
}
