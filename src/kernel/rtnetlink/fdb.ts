/**
 * RTM_GETNEIGH of AF_BRIDGE: the forwarding entries of bridges.
 *
 * Kernel: net/core/rtnetlink.c rtnl_fdb_dump(), net/bridge/br_fdb.c br_fdb_dump() (Linux 6.18).
 */
import { AF_BRIDGE, RTM_GETNEIGH, RTM_NEWNEIGH } from '../../families/rtnetlink.ts'
import type { FdbEntry } from '../net/fdb.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { putFdbEntry } from './neigh-fill.ts'
import type { RtnlTable } from './table.ts'

export function registerFdb(table: RtnlTable): void {
  table.register(AF_BRIDGE, RTM_GETNEIGH, { dumpit: fdbDump })
}

const fdbDump: DumpSource<FdbEntry> = {
  name: 'RTM_GETNEIGH of AF_BRIDGE',
  type: RTM_NEWNEIGH,
  doneAlone: true,
  *items(ctx) {
    const { devices } = ctx.kernel.rtnl.stackOf(ctx.net)
    for (let dev = devices.after(0); dev; dev = devices.after(dev.ifindex)) {
      if (dev instanceof BridgeDevice) yield* [...dev.fdb.list()]
    }
  },
  put: (w, entry, ctx) => putFdbEntry(w, entry, ctx.kernel.rtnl.stackOf(ctx.net)),
}
