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
} from '../../schema/index.ts'
import type { Ipv4, Ipv6 } from '../net/address.ts'
import { NTF_PROXY } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import type { Neighbour, NeighbourRequest, NeighbourTable } from '../net/neighbour.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { NTF_EXT_SHIFT, putNeighbour } from './neigh-fill.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'
import { in6Addr, inAddr } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct ndmsg). */
const HEADER_SIZE = 12

const neigh = message(
  ndmsg,
  attrs('NDA_', { ...neighAttrs.definitions, dst: [1, binary], lladdr: [2, binary.max(32)] }),
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
  const { request, table } = parse(ctx)
  table.delete(request, ctx)
}

/** What neigh_add() and neigh_delete() find out before they look at the table, in their order. */
function parse(ctx: RequestContext): { request: NeighbourRequest; table: NeighbourTable } {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
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
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for neighbor get request')
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  const request = ctx.decode(neigh, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasHeaderValues(ctx, 1, 3) || request.state !== 0 || request.type !== 0) {
    invalid('Invalid values in header for neighbor get request')
  }
  if (request.flags & ~NTF_PROXY) invalid('Invalid flags in header for neighbor get request')
  const table = tableOf(stack, request.family)
  if (!table)
    throw new NetlinkError('EAFNOSUPPORT', 'Unsupported family in header for neighbor get request')
  const { family, ifindex, state: _state, flags, type: _type, dst, ...rest } = request
  if (hasOthers(rest, [])) invalid('Unsupported attribute in neighbor get request')
  if (dst === undefined) invalid('Network address not specified')
  const dev = ifindex === 0 ? undefined : stack.devices.byIndex(ifindex)
  if (ifindex !== 0 && !dev) throw new NetlinkError('ENODEV', 'Unknown device ifindex')
  const key = keyOf(dst, family)
  const found = flags & NTF_PROXY ? table.findProxy(key, dev) : findEntry(table, key, dev)
  if (!found) {
    const what = flags & NTF_PROXY ? 'Proxy neighbour entry' : 'Neighbour entry'
    throw new NetlinkError('ENOENT', `${what} not found`)
  }
  ctx.reply(RTM_NEWNEIGH, (w) => putNeighbour(w, found, stack))
}

function findEntry(
  table: NeighbourTable,
  key: Ipv4 | Ipv6,
  dev: NetDevice | undefined,
): Neighbour | undefined {
  if (!dev) invalid('No device specified')
  return table.find(key, dev)
}

/** What a dump shows. */
interface Filter {
  readonly family: number
  readonly proxies: boolean
  readonly ifindex: number
  readonly master: number
}

export const neighDump: DumpSource<Neighbour> = {
  name: 'RTM_GETNEIGH',
  type: RTM_NEWNEIGH,
  *items(ctx) {
    const filter = parseDump(ctx)
    const stack = ctx.kernel.rtnl.stackOf(ctx.net)
    if (filter.ifindex !== 0 || filter.master !== 0) ctx.filtered = true
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

/** neigh_valid_dump_req(). */
function parseDump(ctx: RequestContext): Filter {
  const size = payloadSize(ctx)
  const family = size > 0 ? ctx.view.getUint8(ctx.payload) : AF_UNSPEC
  if (size < HEADER_SIZE) {
    if (ctx.strict) invalid('Invalid header for neighbor dump request')
    return { family, proxies: false, ifindex: 0, master: 0 }
  }
  const level = ctx.strict ? NL_VALIDATE_DEPRECATED_STRICT : NL_VALIDATE_LIBERAL
  if (ctx.strict) checkDumpHeader(ctx)
  const request = ctx.decode(neigh, level)
  const { viaIfindex = 0, master = 0, flags, ...rest } = request
  if (ctx.strict && hasOthers(rest, ['family', 'ifindex', 'state', 'type'])) {
    invalid('Unsupported attribute in neighbor dump request')
  }
  return { family, proxies: flags === NTF_PROXY, ifindex: viaIfindex, master }
}

function checkDumpHeader(ctx: RequestContext): void {
  const { view, payload } = ctx
  if (hasHeaderValues(ctx, 1, 9) || view.getUint8(payload + 11) !== 0) {
    invalid('Invalid values in header for neighbor dump request')
  }
  if (view.getUint8(payload + 10) & ~NTF_PROXY) {
    invalid('Invalid flags in header for neighbor dump request')
  }
}
