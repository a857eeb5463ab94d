/** Next hops: where a route's packets are handed on to. */
import { EncodeError } from '../../errors.ts'
import { nexthop, RTNH_F_ONLINK, type rtRoute } from '../../families/rt-route.ts'
import { makeCopier, type Reply, type RequestInput } from '../../schema/index.ts'
import type { CallOptions } from '../options.ts'
import { defined, type LinkName, type Links } from './door.ts'
import { familyNumber, familyOf, type IpFamily } from './prefix.ts'

type DecodedHop = NonNullable<Reply<typeof rtRoute, 'getRoute'>['multipath']>[number]
type RequestHop = NonNullable<RequestInput<typeof rtRoute, 'newRoute'>['multipath']>[number]

/** One of several next hops. */
export interface NextHop extends Omit<DecodedHop, 'hops' | 'ifindex' | 'via'> {
  /** Index of the link. */
  oif: number
  /** Its share, beside the others' shares: 1 to 256. */
  weight: number
  /** RTNH_F_*. */
  flags: number
}

/** One of several next hops to be. */
export interface NewNextHop extends Omit<RequestHop, 'hops' | 'ifindex' | 'via' | 'gateway'> {
  readonly gateway?: string | undefined
  readonly oif?: LinkName | undefined
  readonly weight?: number | undefined
  readonly onlink?: boolean | undefined
}

const TRANSLATED: ReadonlySet<string> = new Set([
  'hops',
  'ifindex',
  'via',
  'gateway',
] satisfies (keyof DecodedHop)[])

const copyRest = makeCopier(nexthop, TRANSLATED)

/** A next hop as its message says. */
export function toNextHop(decoded: DecodedHop): NextHop {
  const { gateway = decoded.via?.address } = decoded
  const hop: Partial<NextHop> = gateway === undefined ? {} : { gateway }
  hop.oif = decoded.ifindex
  hop.weight = decoded.hops + 1
  copyRest(hop, decoded)
  return hop as NextHop
}

/** A next hop as RTA_MULTIPATH has it. @throws EncodeError at `path` */
export async function describeNextHop(
  hop: NewNextHop,
  family: IpFamily | 'mpls',
  path: string,
  links: Links,
  options: CallOptions,
): Promise<object> {
  const { gateway, oif, weight = 1, onlink, flags = 0, unknown, tail, ...rest } = hop
  if (!(weight >= 1 && weight <= 256))
    throw new EncodeError(`${weight} is not within 1..256`, `${path}.weight`)
  return defined({
    ...rest,
    flags: (flags & RTNH_F_ONLINK) | (onlink ? RTNH_F_ONLINK : 0),
    hops: weight - 1,
    ifindex: await links.indexIfAny(oif, `${path}.oif`, options),
    ...towards(gateway, family, `${path}.gateway`),
  })
}

/** RTA_GATEWAY, or RTA_VIA for a gateway of another family than the route's. */
export function towards(
  gateway: string | undefined,
  family: IpFamily | 'mpls',
  path: string,
): object {
  if (gateway === undefined) return {}
  const own = familyOf(gateway, path)
  if (own === family) return { gateway }
  return { via: { family: familyNumber(own), address: gateway } }
}
