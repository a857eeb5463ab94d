/**
 * RTM_NEWVLAN, RTM_DELVLAN and RTM_GETVLAN: the VLANs of bridges and ports, one by one.
 *
 * Kernel: net/bridge/br_vlan.c br_vlan_rtm_dump(), br_vlan_rtm_process(), br_vlan_fill_vids(),
 * br_vlan_notify(); br_vlan_options.c (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import {
  AF_BRIDGE,
  RTM_DELVLAN,
  RTM_GETVLAN,
  RTM_NEWVLAN,
  RTNLGRP_BRVLAN,
} from '../../families/rtnetlink.ts'
import {
  attrs,
  message,
  multi,
  NL_VALIDATE_STRICT,
  nest,
  s32,
  struct,
  u8,
  u16,
  u32,
} from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { BrvlanNotice } from '../net/chains.ts'
import type { NetDevice } from '../net/device.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import {
  addBridgeVlan,
  addPortVlan,
  announceVlan,
  BRIDGE_VLAN_INFO_BRENTRY,
  BRIDGE_VLAN_INFO_PVID,
  BRIDGE_VLAN_INFO_UNTAGGED,
  type BridgeVlan,
  checkVid,
  deleteBridgeVlan,
  deletePortVlan,
  type VlanGroup,
} from '../net/kinds/bridge-vlan.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { changeGlobals, globalAttrs, putGlobals } from './brvlan-global.ts'
import { notify } from './notify.ts'
import { hasHeaderValues, invalid, payloadSize } from './parse.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct br_vlan_msg). */
const HEADER_SIZE = 8
const SIZE = 200
const BRIDGE_VLANDB_DUMPF_STATS = 0x1
const BRIDGE_VLANDB_DUMPF_GLOBAL = 0x2
const BRIDGE_VLAN_INFO_ONLY_OPTS = 0x40
const BR_STATE_BLOCKING = 4

const header = struct('br_vlan_msg', { family: u8, pad1: 1, pad2: 2, ifindex: s32 })
const info = struct('bridge_vlan_info', { flags: u16, vid: u16 })
const entryAttrs = attrs('BRIDGE_VLANDB_ENTRY_', {
  info: [1, info],
  range: [2, u16],
  state: [3, u8],
  mcastRouter: [6, u8],
  mcastNGroups: [7, u32],
  mcastMaxGroups: [8, u32],
  neighSuppress: [9, u8],
})
const vlandb = message(
  header,
  attrs('BRIDGE_VLANDB_', {
    entry: [1, multi(nest(entryAttrs))],
    global: [2, multi(nest(globalAttrs))],
  }),
)
const dumpRequest = message(header, attrs('BRIDGE_VLANDB_DUMP_', { flags: [1, u32] }))

type Entry = ReturnType<typeof vlandb.decode>['entry'] extends (infer E)[] | undefined ? E : never

export function registerBrvlans(table: RtnlTable): void {
  table.register(AF_BRIDGE, RTM_NEWVLAN, { doit: (ctx) => change(ctx, true) })
  table.register(AF_BRIDGE, RTM_DELVLAN, { doit: (ctx) => change(ctx, false) })
  table.register(AF_BRIDGE, RTM_GETVLAN, { dumpit: vlanDump })
}

/** br_vlan_notify(). */
export function notifyBrvlans(stack: NetStack, sock: KernelSocket): void {
  stack.chains.brvlan.register({
    name: 'br_vlan_notify',
    call(event, { dev, group, vid, last, isGlobal }: BrvlanNotice) {
      const type = event === 'NEWVLAN' ? RTM_NEWVLAN : RTM_DELVLAN
      const vlan = group.find(vid)
      notify(sock, { type, group: RTNLGRP_BRVLAN, size: SIZE }, (w) => {
        if (isGlobal) {
          putGlobals(w, dev as BridgeDevice, vid, last)
          return
        }
        const entry = type === RTM_NEWVLAN && vlan ? describe(group, vlan, last) : plain(vid, last)
        vlandb.encode(w, { family: AF_BRIDGE, ifindex: dev.ifindex, entry: [entry] })
      })
      return NOTIFY_DONE
    },
  })
}

function plain(vid: number, last: number): Entry {
  return { info: { flags: 0, vid }, range: last > vid ? last : undefined } as Entry
}

/** br_vlan_fill_vids(). */
function describe(group: VlanGroup, vlan: BridgeVlan, last: number): Entry {
  const { vid, isUntagged, state, mcastRouter, neighSuppress } = vlan
  return {
    info: { vid, flags: flagsOf(group, vid, isUntagged) },
    range: last > vid ? last : undefined,
    state,
    mcastRouter,
    neighSuppress: Number(neighSuppress),
  } as Entry
}

function flagsOf(group: VlanGroup, vid: number, isUntagged: boolean): number {
  const pvid = vid === group.pvid ? BRIDGE_VLAN_INFO_PVID : 0
  return pvid | (isUntagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0)
}

/** br_vlan_can_enter_range(). */
function isAlike(a: BridgeVlan, b: BridgeVlan | undefined): boolean {
  return (
    b?.vid === a.vid + 1 &&
    a.isUntagged === b.isUntagged &&
    a.state === b.state &&
    a.mcastRouter === b.mcastRouter &&
    a.neighSuppress === b.neighSuppress
  )
}

/** br_vlan_dump_dev(): alike ones in a row are one entry, the PVID alone. */
function entriesOf(group: VlanGroup): Entry[] {
  const entries: Entry[] = []
  const all = group.usable
  for (let i = 0; i < all.length; ) {
    const first = all[i] as BridgeVlan
    let last = i
    const joins = (at: number): boolean =>
      isAlike(all[at] as BridgeVlan, all[at + 1]) && all[at + 1]?.vid !== group.pvid
    if (first.vid !== group.pvid) while (joins(last)) last++
    entries.push(describe(group, first, (all[last] as BridgeVlan).vid))
    i = last + 1
  }
  return entries
}

const groupOf = (dev: NetDevice): VlanGroup | undefined =>
  dev.bridgePort?.vlans ?? (dev instanceof BridgeDevice ? dev.vlans : undefined)

const vlanDump: DumpSource<{ readonly dev: NetDevice; readonly isGlobal: boolean }> = {
  name: 'RTM_GETVLAN',
  type: RTM_NEWVLAN,
  *items(ctx) {
    const { ifindex, flags = 0 } = parseDump(ctx)
    const isGlobal = (flags & BRIDGE_VLANDB_DUMPF_GLOBAL) !== 0
    const { devices, hasBridgeVlans } = ctx.kernel.rtnl.stackOf(ctx.net)
    if (!hasBridgeVlans) throw new NetlinkError('EOPNOTSUPP')
    if (ifindex !== 0) {
      const dev = devices.byIndex(ifindex)
      if (!dev) throw new NetlinkError('ENODEV')
      if (!groupOf(dev))
        throw new NetlinkError('EINVAL', 'bridge: The device is not a valid bridge or bridge port')
      if (!isGlobal || dev instanceof BridgeDevice) yield { dev, isGlobal }
      return
    }
    for (let dev = devices.after(0); dev; dev = devices.after(dev.ifindex)) {
      if (
        isGlobal
          ? dev instanceof BridgeDevice && dev.vlans.list.length
          : groupOf(dev)?.usable.length
      )
        yield { dev, isGlobal }
    }
  },
  put(w: Writer, { dev, isGlobal }) {
    if (isGlobal) {
      putGlobals(w, dev as BridgeDevice)
      return
    }
    const entry = entriesOf(groupOf(dev) as VlanGroup)
    vlandb.encode(w, { family: AF_BRIDGE, ifindex: dev.ifindex, entry })
  },
}

/** br_vlan_rtm_dump(): strict, whatever the socket says. */
function parseDump(ctx: RequestContext): { ifindex: number; flags?: number | undefined } {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
  const request = ctx.decode(dumpRequest, NL_VALIDATE_STRICT)
  if (hasHeaderValues(ctx, 1, 3)) invalid('bridge: Invalid values in header for vlan request')
  if ((request.flags ?? 0) & ~(BRIDGE_VLANDB_DUMPF_STATS | BRIDGE_VLANDB_DUMPF_GLOBAL)) {
    throw new NetlinkError('EINVAL')
  }
  return request
}

/** br_vlan_rtm_process(): each entry adds, deletes or changes a range of VLANs. */
function change(ctx: RequestContext, isNew: boolean): void {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
  const request = ctx.decode(vlandb, NL_VALIDATE_STRICT)
  if (hasHeaderValues(ctx, 1, 3)) invalid('bridge: Invalid values in header for vlan request')
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  if (!stack.hasBridgeVlans) throw new NetlinkError('EOPNOTSUPP')
  const dev = stack.devices.byIndex(request.ifindex)
  if (!dev) throw new NetlinkError('ENODEV')
  const group = groupOf(dev)
  if (!group) invalid('bridge: The device is not a valid bridge or bridge port')
  for (const entry of request.entry ?? []) changeRange(dev, group, entry, isNew)
  for (const each of request.global ?? []) changeGlobals(dev, each, isNew)
  if (!request.entry?.length && !request.global?.length)
    invalid('bridge: No vlan entries to process')
}

function changeRange(dev: NetDevice, group: VlanGroup, entry: Entry, isNew: boolean): void {
  if (!entry.info) invalid('bridge: Missing vlan entry info')
  const { vid, flags } = entry.info
  checkVid(vid)
  const last = entry.range ?? vid
  if (last < vid || (entry.range !== undefined && last === vid)) {
    invalid('bridge: End vlan id is less than or equal to start vlan id')
  }
  checkVid(last)
  if (last > vid && flags & BRIDGE_VLAN_INFO_PVID) invalid("bridge: Pvid isn't allowed in a range")
  const of = dev.bridgePort ?? (dev as BridgeDevice)
  const changed: number[] = []
  for (let each = vid; each <= last; each++) {
    if (flags & BRIDGE_VLAN_INFO_ONLY_OPTS) {
      if (setOptions(group, each, entry)) changed.push(each)
    } else if (applyOne(of, each, flags, isNew)) changed.push(each)
    if (isNew && !(flags & BRIDGE_VLAN_INFO_ONLY_OPTS)) setOptions(group, each, entry)
  }
  for (let i = 0; i < changed.length; ) {
    let end = i
    while (changed[end + 1] === (changed[end] as number) + 1) end++
    announceVlan(isNew ? 'NEWVLAN' : 'DELVLAN', of, changed[i] as number, changed[end])
    i = end + 1
  }
}

function applyOne(
  of: NonNullable<NetDevice['bridgePort']> | BridgeDevice,
  vid: number,
  flags: number,
  isNew: boolean,
): boolean {
  if (of instanceof BridgeDevice) {
    return isNew
      ? addBridgeVlan(of, vid, flags | BRIDGE_VLAN_INFO_BRENTRY)
      : deleteBridgeVlan(of, vid)
  }
  return isNew ? addPortVlan(of, vid, flags) : deletePortVlan(of, vid)
}

/** What can be set of a VLAN of a bridge or a port. */
const OPTIONS = ['state', 'mcastRouter', 'neighSuppress'] as const

/** br_vlan_process_options(): whether one changed. */
function setOptions(group: VlanGroup, vid: number, entry: Entry): boolean {
  const vlan = group.find(vid)
  if (!vlan?.isUsable) throw new NetlinkError('ENOENT', 'bridge: VLAN is not configured')
  const { state, mcastRouter, neighSuppress } = entry
  const before = { ...vlan }
  if (state !== undefined) {
    if (state > BR_STATE_BLOCKING) invalid('bridge: Invalid vlan state')
    vlan.state = state
  }
  if (mcastRouter !== undefined) {
    if (mcastRouter > 3) throw new NetlinkError('EINVAL')
    vlan.mcastRouter = mcastRouter
  }
  if (neighSuppress !== undefined) vlan.neighSuppress = neighSuppress !== 0
  return OPTIONS.some((name) => before[name] !== vlan[name])
}
