/**
 * IFLA_AF_SPEC of requests: sysctls of IPv4, how IPv6 makes its addresses.
 *
 * Kernel: net/ipv4/devinet.c inet_validate_link_af(), inet_set_link_af(); net/ipv6/addrconf.c
 * inet6_validate_link_af(), inet6_set_link_af() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { AF_INET, AF_INET6 } from '../../families/rtnetlink.ts'
import { attrs, message, u8 } from '../../schema/index.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import { HOST_LE } from '../../wire/order.ts'
import { devconf4Names } from '../net/devconf4.ts'
import type { NetDevice } from '../net/device.ts'
import type { RequestContext } from '../netlink/context.ts'
import { parseNested, wholeEnd } from './parse.ts'
import { in6Addr, nested, type Span } from './policy-types.ts'

const inetPart = message(attrs('IFLA_INET_', { conf: [1, nested] }))
const inet6Part = message(attrs('IFLA_INET6_', { token: [7, in6Addr], addrGenMode: [8, u8] }))

/** IN6_ADDR_GEN_MODE_*; stable privacy wants a secret that no simulated link has. */
const GEN_MODES: ReadonlySet<number> = new Set([0, 1, 3])

/** Calls `part` for the nest of each address family. */
function eachFamily(
  { view }: RequestContext,
  { at, end }: Span,
  part: (family: number, span: Span) => void,
): void {
  const walker = new AttributeWalker(view, at, wholeEnd(view, at, end))
  while (walker.next()) part(walker.type, { at: walker.payload, end: walker.end })
}

/** What a link that exists is asked for. @throws NetlinkError EAFNOSUPPORT, EINVAL */
export function validateAfSpec(ctx: RequestContext, dev: NetDevice, span: Span): void {
  eachFamily(ctx, span, (family, part) => {
    if (family === AF_INET && dev.inet) validateInet(ctx, part)
    else if (family === AF_INET6 && dev.inet6) validateInet6(ctx, part)
    else throw new NetlinkError('EAFNOSUPPORT')
  })
}

/** What a link that is to be made is asked for; none of it is done. */
export function validateNewAfSpec(ctx: RequestContext, span: Span): void {
  eachFamily(ctx, span, (family, part) => {
    if (family === AF_INET) validateInet(ctx, part)
    else if (family === AF_INET6) validateInet6(ctx, part)
    else throw new NetlinkError('EAFNOSUPPORT')
  })
}

function validateInet(ctx: RequestContext, span: Span): void {
  const { conf } = parseNested(ctx, span, inetPart)
  if (!conf) return
  eachFamily(ctx, conf, (id, { at, end }) => {
    if (end - at < 4 || id < 1 || id > devconf4Names.length) throw new NetlinkError('EINVAL')
  })
}

function validateInet6(ctx: RequestContext, span: Span): void {
  const { token, addrGenMode } = parseNested(ctx, span, inet6Part)
  if (token === undefined && addrGenMode === undefined) throw new NetlinkError('EINVAL')
  if (addrGenMode !== undefined && !GEN_MODES.has(addrGenMode)) throw new NetlinkError('EINVAL')
}

/** Does what `validateAfSpec` let pass. */
export function setAfSpec(ctx: RequestContext, dev: NetDevice, span: Span): void {
  eachFamily(ctx, span, (family, part) => {
    if (family === AF_INET) setInet(ctx, dev, part)
    else setInet6(ctx, dev, part)
  })
}

function setInet(ctx: RequestContext, { inet }: NetDevice, span: Span): void {
  const { conf } = parseNested(ctx, span, inetPart)
  if (!conf || !inet) return
  eachFamily(ctx, conf, (id, { at }) => {
    const name = devconf4Names[id - 1]
    if (!name) return
    inet.conf.set(name, ctx.view.getInt32(at, HOST_LE))
    inet.conf.pin(name)
  })
}

/** The mode counts for link-local addresses that are still to be made. */
function setInet6(ctx: RequestContext, { inet6 }: NetDevice, span: Span): void {
  const { addrGenMode } = parseNested(ctx, span, inet6Part)
  if (inet6 && addrGenMode !== undefined) inet6.conf.set('addrGenMode', addrGenMode)
}
