/**
 * BRIDGE_VLANDB_GLOBAL_OPTIONS: what a bridge's VLANs have for all ports, its multicast settings.
 *
 * Kernel: net/bridge/br_vlan_options.c br_vlan_global_opts_fill(),
 * br_vlan_rtm_process_global_options() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { AF_BRIDGE } from '../../families/rtnetlink.ts'
import { attrs, message, multi, nest, s32, struct, u8, u16, u32, u64 } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import { type BridgeVlan, checkVid, type VlanGlobals } from '../net/kinds/bridge-vlan.ts'
import { invalid } from './parse.ts'

const header = struct('br_vlan_msg', { family: u8, pad1: 1, pad2: 2, ifindex: s32 })
export const globalAttrs = attrs('BRIDGE_VLANDB_GOPTS_', {
  id: [1, u16],
  range: [2, u16],
  mcastSnooping: [3, u8],
  mcastLastMemberCnt: [6, u32],
  mcastStartupQueryCnt: [7, u32],
  mcastQuerier: [15, u8],
  mcastIgmpVersion: [4, u8],
  mcastLastMemberIntvl: [8, u64],
  mcastMembershipIntvl: [10, u64],
  mcastQuerierIntvl: [11, u64],
  mcastQueryIntvl: [12, u64],
  mcastQueryResponseIntvl: [13, u64],
  mcastStartupQueryIntvl: [14, u64],
  mcastMldVersion: [5, u8],
  msti: [18, u16],
})
const globals = message(header, attrs('BRIDGE_VLANDB_', { global: [2, multi(nest(globalAttrs))] }))

export type GlobalRequest = NonNullable<ReturnType<typeof globals.decode>['global']>[number]

/** br_vlan_global_opts_can_enter_range(). */
function isAlike(a: BridgeVlan, b: BridgeVlan | undefined): boolean {
  if (b?.vid !== a.vid + 1) return false
  const names = Object.keys(a.globals) as (keyof VlanGlobals)[]
  return names.every((name) => a.globals[name] === b.globals[name])
}

/** The VLANs of `bridge` from `first` to `last`: alike ones in a row are one entry. */
export function putGlobals(w: Writer, bridge: BridgeDevice, first = 1, last = 4094): void {
  const entries: GlobalRequest[] = []
  const all = bridge.vlans.list.filter(({ vid }) => vid >= first && vid <= last)
  for (let i = 0; i < all.length; ) {
    const vlan = all[i] as BridgeVlan
    let end = i
    while (isAlike(all[end] as BridgeVlan, all[end + 1])) end++
    const range = end > i ? (all[end] as BridgeVlan).vid : undefined
    entries.push({ id: vlan.vid, range, ...vlan.globals } as GlobalRequest)
    i = end + 1
  }
  globals.encode(w, { family: AF_BRIDGE, ifindex: bridge.ifindex, global: entries })
}

/** br_vlan_rtm_process_global_options(): tells of what changed. @throws NetlinkError EINVAL, ENOENT */
export function changeGlobals(dev: NetDevice, wanted: GlobalRequest, isNew: boolean): void {
  if (!isNew) invalid('bridge: Global vlan operation not supported')
  const { id, range, ...settings } = wanted
  if (id === undefined) invalid('bridge: Missing vlan entry id')
  checkVid(id)
  if (!(dev instanceof BridgeDevice))
    invalid('bridge: Global vlan options can only be set on bridge device')
  if (range !== undefined) {
    checkVid(range)
    if (id >= range) invalid('bridge: End vlan id is less than or equal to start vlan id')
  }
  let changed: [number, number] | undefined
  const tell = (): void => {
    if (changed) announce(dev, ...changed)
    changed = undefined
  }
  try {
    for (let vid = id; vid <= (range ?? id); vid++) {
      const vlan = dev.vlans.find(vid)
      if (!vlan) {
        const what = "bridge: Vlan in range doesn't exist, can't process global options"
        throw new NetlinkError('ENOENT', what)
      }
      if (!setGlobals(vlan, settings)) tell()
      else changed = [changed?.[0] ?? vid, vid]
    }
  } finally {
    tell()
  }
}

function announce(dev: BridgeDevice, vid: number, last: number): void {
  dev.stack.chains.brvlan.call('NEWVLAN', { dev, group: dev.vlans, vid, last, isGlobal: true })
}

function setGlobals(vlan: BridgeVlan, settings: Partial<VlanGlobals>): boolean {
  let isChanged = false
  for (const name of Object.keys(vlan.globals) as (keyof VlanGlobals)[]) {
    const value = settings[name]
    if (value === undefined || value === vlan.globals[name]) continue
    if (name === 'mcastIgmpVersion' && value !== 2 && value !== 3) throw new NetlinkError('EINVAL')
    if (name === 'mcastMldVersion' && value !== 1 && value !== 2) throw new NetlinkError('EINVAL')
    Object.assign(vlan.globals, { [name]: value })
    isChanged = true
  }
  return isChanged
}
