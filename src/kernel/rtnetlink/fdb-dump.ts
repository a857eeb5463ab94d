/**
 * Dumps of forwarding entries: those of bridges, and the addresses that devices take packets for.
 *
 * Kernel: net/core/rtnetlink.c rtnl_fdb_dump(), ndo_dflt_fdb_dump(); net/bridge/br_fdb.c
 * br_fdb_dump() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { ndmsg, neighAttrs } from '../../families/rt-neigh.ts'
import { RTM_NEWNEIGH } from '../../families/rtnetlink.ts'
import { message, NL_VALIDATE_DEPRECATED_STRICT, NL_VALIDATE_LIBERAL } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import { ARPHRD_ETHER, NUD_PERMANENT } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { linkRequest } from './link-policy.ts'
import { putFdbEntry, putRemoteEntry, putSelfEntry } from './neigh-fill.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'

/** sizeof(struct ndmsg), and the same with an index behind it. */
const HEADER_SIZE = 12
const WITH_INDEX = 20

const neigh = message(ndmsg, neighAttrs)

/** What writes one message. */
type Item = (w: Writer) => void

interface Filter {
  /** Of a bridge; 0: of any. */
  readonly bridge: number
  readonly port: number
}

export const fdbDump: DumpSource<Item> = {
  name: 'RTM_GETNEIGH of AF_BRIDGE',
  type: RTM_NEWNEIGH,
  doneAlone: true,
  *items(ctx) {
    const { bridge, port } = ctx.strict ? parseStrict(ctx) : parseLax(ctx)
    const { devices } = ctx.kernel.rtnl.stackOf(ctx.net)
    if (bridge !== 0 && !devices.byIndex(bridge)) throw new NetlinkError('ENODEV')
    for (let dev = devices.after(0); dev; dev = devices.after(dev.ifindex)) {
      if (port !== 0 && dev.ifindex !== port) continue
      if (bridge !== 0 && dev.ifindex !== bridge && dev.bridgePort?.bridge.ifindex !== bridge) {
        continue
      }
      yield* entriesOf(dev)
    }
  },
  put: (w, item) => item(w),
}

/** What a bridge knows behind `dev`, then what `dev` has itself. */
function* entriesOf(dev: NetDevice): Generator<Item> {
  const { bridgePort, stack } = dev
  for (const entry of bridgePort?.bridge.fdb.list() ?? []) {
    if (entry.port === dev) yield (w) => putFdbEntry(w, entry, stack)
  }
  if (dev.fdbOps) {
    for (const entry of [...dev.fdbOps.items()]) yield (w) => putRemoteEntry(w, entry, stack)
    return
  }
  if (dev.type === ARPHRD_ETHER) {
    for (const address of [...dev.unicast.list(), ...dev.multicast.list()]) {
      yield (w) => putSelfEntry(w, { ifindex: dev.ifindex, address, state: NUD_PERMANENT })
    }
  }
  if (!(dev instanceof BridgeDevice)) return
  for (const entry of dev.fdb.list()) {
    if (!entry.port) yield (w) => putFdbEntry(w, entry, stack)
  }
}

/** valid_fdb_dump_strict(). */
function parseStrict(ctx: RequestContext): Filter {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for fdb dump request')
  if (hasHeaderValues(ctx, 1, 3) || hasHeaderValues(ctx, 8, 4)) {
    invalid('Invalid values in header for fdb dump request')
  }
  const request = ctx.decode(neigh, NL_VALIDATE_DEPRECATED_STRICT)
  const allowed = ['family', 'ifindex', 'state', 'flags', 'type', 'viaIfindex', 'master']
  if (hasOthers(request, allowed)) invalid('Unsupported attribute in fdb dump request')
  return { bridge: request.master ?? 0, port: request.viaIfindex ?? request.ifindex }
}

/** valid_fdb_dump_legacy(): old programs send a struct ifinfomsg, with IFLA_MASTER. */
function parseLax(ctx: RequestContext): Filter {
  const size = payloadSize(ctx)
  if (size === HEADER_SIZE || size === WITH_INDEX) return { bridge: 0, port: 0 }
  const { master = 0, ifindex } = ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  return { bridge: master, port: ifindex }
}
