/**
 * RTM_NEWNEIGH, RTM_DELNEIGH and RTM_GETNEIGH of ARP and neighbour discovery.
 *
 * Kernel: net/core/neighbour.c neigh_add(), neigh_delete(), neigh_get(), neigh_dump_info()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { ndmsg, neighAttrs } from '../../families/rt-neigh.ts'
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
} from '../../families/rtnetlink.ts'
import {
  attrs,
  binary,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
  u32,
} from '../../schema/index.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import { NLM_F_DUMP_FILTERED } from '../../wire/constants.ts'
import type { Ipv4, Ipv6 } from '../net/address.ts'
import { NTF_PROXY } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import type { Neighbour, NeighbourRequest, NeighbourTable } from '../net/neighbour.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { refusalOf } from '../netlink/extack.ts'
import { NTF_EXT_SHIFT, putNeighbour } from './neigh-fill.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize, wholeEnd } from './parse.ts'
import { in6Addr, inAddr } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct ndmsg). */
const HEADER_SIZE = 12
const NDA_DST = 1
/** Where its flags are. */
const FLAGS_AT = 10
const header = ['family', 'ifindex', 'state', 'flags', 'type']

/** NTF_EXT_*: what NDA_FLAGS_EXT may hold. */
const NTF_EXT_MASK = 0x7

/** nda_policy. */
const neigh = message(
  ndmsg,
  attrs('NDA_', {
    ...neighAttrs.definitions,
    dst: [1, binary.max(32)],
    lladdr: [2, binary.max(32)],
    flagsExt: [15, u32.mask(NTF_EXT_MASK)],
  }),
)
type Decoded = ReturnType<typeof neigh.decode>

export function registerNeighbours(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_NEWNEIGH, { doit: newNeigh })
  table.register(AF_UNSPEC, RTM_DELNEIGH, { doit: deleteNeigh })
  table.register(AF_UNSPEC, RTM_GETNEIGH, { doit: getNeigh, dumpit: neighDump })
}

/** neigh_find_table(). */
function tableOf(stack: NetStack, family: number): NeighbourTable | undefined {
  if (family === AF_INET) return stack.arp
  return family === AF_INET6 ? stack.ndisc : undefined
}

/** neigh_add(). @throws NetlinkError EINVAL, ENODEV, ENOENT, EEXIST, EAFNOSUPPORT */
function newNeigh(ctx: RequestContext): void {
  const { request, table } = parse(ctx)
  table.add(request, ctx.flags, ctx)
}

/** neigh_delete(). @throws NetlinkError EINVAL, ENODEV, ENOENT, EAFNOSUPPORT */
function deleteNeigh(ctx: RequestContext): void {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
  const { view, payload, end } = ctx
  const dst = addressOf(ctx)
  if (!dst) invalid('Network address not specified')
  const { family, ifindex, state, flags } = ndmsg.get(view, payload, end)
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  if (ifindex !== 0) deviceOf(stack, ifindex)
  const table = tableOf(stack, family)
  if (!table) throw new NetlinkError('EAFNOSUPPORT')
  table.delete({ ifindex, dst: keyOf(dst, family), state, flags } as NeighbourRequest, ctx)
}

/** nlmsg_find_attr(): the first NDA_DST; nothing else is looked at, or judged. */
function addressOf({ view, payload, end }: RequestContext): Uint8Array | undefined {
  const at = payload + HEADER_SIZE
  const walker = new AttributeWalker(view, at, wholeEnd(view, at, end))
  while (walker.next()) {
    if (walker.type !== NDA_DST) continue
    return new Uint8Array(
      view.buffer,
      view.byteOffset + walker.payload,
      walker.end - walker.payload,
    )
  }
  return undefined
}

/** What neigh_add() finds out before it looks at the table, in its order. */
function parse(ctx: RequestContext): { request: NeighbourRequest; table: NeighbourTable } {
  const message = ctx.decode(neigh, NL_VALIDATE_LIBERAL)
  const { dst, ifindex, family, lladdr } = message
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  if (dst === undefined) invalid('Network address not specified')
  const dev = ifindex === 0 ? undefined : deviceOf(stack, ifindex)
  if (dev && lladdr && lladdr.length < dev.address.length) invalid('Invalid link address')
  const table = tableOf(stack, family)
  if (!table) throw new NetlinkError('EAFNOSUPPORT')
  return { request: describeRequest(message, keyOf(dst, family)), table }
}

function deviceOf(stack: NetStack, ifindex: number): NetDevice {
  const dev = stack.devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV')
  return dev
}

/** The address that a table looks for. @throws NetlinkError EINVAL */
function keyOf(bytes: Uint8Array, family: number): Ipv4 | Ipv6 {
  const { get, size } = family === AF_INET ? inAddr : in6Addr
  if (bytes.length < (size as number)) invalid('Invalid network address')
  return get(new DataView(bytes.buffer, bytes.byteOffset), 0, size as number)
}

function describeRequest(request: Decoded, dst: Ipv4 | Ipv6): NeighbourRequest {
  const { ifindex, lladdr, state, protocol, flagsExt = 0 } = request
  const flags = request.flags | (flagsExt << NTF_EXT_SHIFT)
  return { ifindex, dst, lladdr, state, flags, protocol }
}

/** neigh_get(). @throws NetlinkError EINVAL, ENODEV, ENOENT, EAFNOSUPPORT */
function getNeigh(ctx: RequestContext): void {
  const { family, ifindex, flags, dst } = parseGet(ctx)
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  const table = tableOf(stack, family)
  if (!table) {
    const text = 'Unsupported family in header for neighbor get request'
    throw new NetlinkError('EAFNOSUPPORT', text)
  }
  if (dst === undefined) throw new NetlinkError('EINVAL', { extack: { missing: 'dst' } })
  if (dst.length !== (family === AF_INET ? inAddr : in6Addr).size) {
    invalid('Invalid network address in neighbor get request')
  }
  const key = keyOf(dst, family)
  const dev = ifindex === 0 ? undefined : stack.devices.byIndex(ifindex)
  if (ifindex !== 0 && !dev) throw new NetlinkError('ENODEV', 'Unknown device ifindex')
  const isProxy = (flags & NTF_PROXY) !== 0
  const found = isProxy ? table.findProxy(key, dev) : dev && table.find(key, dev)
  if (!found) {
    const what = isProxy ? 'Proxy neighbour entry' : 'Neighbour entry'
    throw new NetlinkError('ENOENT', `${what} not found`)
  }
  ctx.reply(RTM_NEWNEIGH, (w) => putNeighbour(w, found, stack))
}

/** neigh_valid_get_req(): strict, whatever the socket says. */
function parseGet(ctx: RequestContext): Decoded {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for neighbor get request')
  if (hasHeaderValues(ctx, 1, 3) || hasHeaderValues(ctx, 8, 2) || hasHeaderValues(ctx, 11, 1)) {
    invalid('Invalid values in header for neighbor get request')
  }
  const flags = ctx.view.getUint8(ctx.payload + FLAGS_AT)
  if (flags & ~NTF_PROXY) invalid('Invalid flags in header for neighbor get request')
  if (!(flags & NTF_PROXY) && !hasHeaderValues(ctx, 4, 4)) invalid('No device specified')
  const request = ctx.decode(neigh, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(request, [...header, 'dst'])) {
    invalid('Unsupported attribute in neighbor get request')
  }
  return request
}

/** What a dump shows. */
interface Filter {
  readonly family: number
  readonly proxies: boolean
  readonly ifindex: number
  readonly master: number
}

const neighDump: DumpSource<Neighbour> = {
  name: 'RTM_GETNEIGH',
  type: RTM_NEWNEIGH,
  *items(ctx) {
    const filter = parseDump(ctx)
    const stack = ctx.kernel.rtnl.stackOf(ctx.net)
    if (filter.ifindex !== 0 || filter.master !== 0) ctx.messageFlags |= NLM_F_DUMP_FILTERED
    for (const [family, table] of [
      [AF_INET, stack.arp],
      [AF_INET6, stack.ndisc],
    ] as const) {
      if (filter.family !== AF_UNSPEC && filter.family !== family) continue
      for (const each of [...(filter.proxies ? table.proxies() : table.list())]) {
        if (!each.isGone && isWanted(each, filter)) yield each
      }
    }
  },
  put: (w, each, ctx) => putNeighbour(w, each, ctx.kernel.rtnl.stackOf(ctx.net)),
}

function isWanted({ dev }: Neighbour, { ifindex, master }: Filter): boolean {
  if (ifindex !== 0 && dev?.ifindex !== ifindex) return false
  return master === 0 || dev?.master?.ifindex === master
}

function parseDump(ctx: RequestContext): Filter {
  const family = ctx.view.getUint8(ctx.payload)
  const isWhole = payloadSize(ctx) >= HEADER_SIZE
  const proxies = isWhole && ctx.view.getUint8(ctx.payload + FLAGS_AT) === NTF_PROXY
  const request = ctx.strict ? parseStrictDump(ctx) : glance(ctx)
  const { viaIfindex: ifindex = 0, master = 0 } = request
  return { family, proxies, ifindex, master }
}

/** neigh_valid_dump_req(). */
function parseStrictDump(ctx: RequestContext): Decoded {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for neighbor dump request')
  if (hasHeaderValues(ctx, 1, 9) || hasHeaderValues(ctx, 11, 1)) {
    invalid('Invalid values in header for neighbor dump request')
  }
  if (ctx.view.getUint8(ctx.payload + FLAGS_AT) & ~NTF_PROXY) {
    invalid('Invalid flags in header for neighbor dump request')
  }
  const request = ctx.decode(neigh, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(request, [...header, 'viaIfindex', 'master'])) {
    invalid('Unsupported attribute in neighbor dump request')
  }
  return request
}

/** What is wrong with a lax request is told with its success. */
function glance(ctx: RequestContext): Partial<Decoded> {
  try {
    return ctx.decode(neigh, NL_VALIDATE_LIBERAL)
  } catch (error) {
    ctx.warning = refusalOf(ctx, error).extack?.message
    return {}
  }
}
