/**
 * Neighbours and forwarding entries as messages, and the group that hears of changes.
 *
 * Kernel: net/core/neighbour.c neigh_fill_info(), pneigh_fill_info(), __neigh_notify();
 * net/bridge/br_fdb.c fdb_fill_info(), fdb_notify() (Linux 6.18).
 */
import { ndmsg, neighAttrs } from '../../families/rt-neigh.ts'
import { AF_BRIDGE, RTM_DELNEIGH, RTM_NEWNEIGH, RTNLGRP_NEIGH } from '../../families/rtnetlink.ts'
import { attrs, binary, message } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { Ipv4, Ipv6 } from '../net/address.ts'
import {
  NTF_EXT_LEARNED,
  NTF_PROXY,
  NTF_SELF,
  NTF_STICKY,
  NUD_NONE,
  RTN_UNICAST,
} from '../net/constants.ts'
import type { FdbEntry } from '../net/fdb.ts'
import type { RemoteEntry } from '../net/fdb-ops.ts'
import type { Neighbour } from '../net/neighbour.ts'
import type { NetStack } from '../net/stack.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { notify } from './notify.ts'
import { fibAddress } from './policy-types.ts'

/** Where NDA_FLAGS_EXT begins among a neighbour's flags. */
export const NTF_EXT_SHIFT = 8
/** neigh_nlmsg_size() and fdb_nlmsg_size(), without the nlmsghdr. */
const NEIGH_SIZE = 112
const FDB_SIZE = 72

const neigh = message(
  ndmsg,
  attrs('NDA_', { ...neighAttrs.definitions, dst: [1, fibAddress], lladdr: [2, binary] }),
)

/** Announces what happens to the neighbours of `stack`, and to its bridges, through `sock`. */
export function notifyNeighbours(stack: NetStack, sock: KernelSocket): void {
  stack.chains.neigh.register({
    name: '__neigh_notify',
    call(event, { neigh: changed, origin }) {
      const type = event === 'NEWNEIGH' ? RTM_NEWNEIGH : RTM_DELNEIGH
      const isFdb = changed.family === AF_BRIDGE
      const what = {
        type,
        group: RTNLGRP_NEIGH,
        origin,
        seq: 0,
        size: isFdb ? FDB_SIZE : NEIGH_SIZE,
      }
      notify(sock, what, (w) => {
        if (isFdb) putFdbEntry(w, changed as FdbEntry, stack)
        else putNeighbour(w, changed as Neighbour, stack)
      })
      return NOTIFY_DONE
    },
  })
  stack.chains.remoteFdb.register({
    name: 'vxlan_fdb_notify',
    call(event, entry) {
      const type = event === 'NEWNEIGH' ? RTM_NEWNEIGH : RTM_DELNEIGH
      notify(sock, { type, group: RTNLGRP_NEIGH, size: NEIGH_SIZE }, (w) =>
        putRemoteEntry(w, entry, stack),
      )
      return NOTIFY_DONE
    },
  })
}

/** Milliseconds as hundredths of a second since `time`. */
function since(stack: NetStack, time: number): number {
  return Math.max(0, Math.floor((stack.now() - time) / 10))
}

/** neigh_fill_info() and pneigh_fill_info(): what stands behind the nlmsghdr. */
export function putNeighbour(w: Writer, of: Neighbour, stack: NetStack): void {
  const { isProxy, family, flags, dst } = of
  const flagsExt = flags >>> NTF_EXT_SHIFT
  neigh.encode(w, {
    family,
    ifindex: of.dev?.ifindex ?? 0,
    state: isProxy ? NUD_NONE : of.state,
    flags: (flags & 0xff) | (isProxy ? NTF_PROXY : 0),
    type: isProxy ? RTN_UNICAST : of.type,
    dst,
    ...(isProxy ? {} : describeEntry(of, stack)),
    protocol: of.protocol || undefined,
    flagsExt: flagsExt || undefined,
  })
}

function describeEntry(of: Neighbour, stack: NetStack) {
  return {
    lladdr: of.isValid ? of.lladdr : undefined,
    probes: of.probes,
    cacheinfo: {
      confirmed: since(stack, of.confirmed),
      used: since(stack, of.used),
      updated: since(stack, of.updated),
      refcnt: of.references,
    },
  }
}

/** fdb_fill_info(): what stands behind the nlmsghdr. */
export function putFdbEntry(w: Writer, of: FdbEntry, stack: NetStack): void {
  neigh.encode(w, {
    family: AF_BRIDGE,
    ifindex: (of.port ?? of.bridge).ifindex,
    state: of.state,
    flags: (of.isExtLearned ? NTF_EXT_LEARNED : 0) | (of.isSticky ? NTF_STICKY : 0),
    lladdr: of.address,
    master: of.bridge.ifindex,
    flagsExt: 0,
    cacheinfo: { used: since(stack, of.used), updated: since(stack, of.updated) },
    vlan: of.vlan || undefined,
  })
}

/** nlmsg_populate_fdb_fill(): an address that a device takes packets for. */
export function putSelfEntry(
  w: Writer,
  { ifindex, address, state }: { ifindex: number; address: Uint8Array; state: number },
): void {
  neigh.encode(w, { family: AF_BRIDGE, ifindex, state, flags: NTF_SELF, lladdr: address })
}

/** vxlan_fdb_info(): a way to an address on another host. */
export function putRemoteEntry(w: Writer, of: RemoteEntry, stack: NetStack): void {
  const { dev, dst, port, vni, srcVni, viaIfindex, nhId, state, flags } = of
  neigh.encode(w, {
    family: AF_BRIDGE,
    ifindex: dev.ifindex,
    state,
    flags,
    type: RTN_UNICAST,
    lladdr: of.address,
    nhId,
    dst: dst && addressOf(dst),
    port,
    vni,
    viaIfindex,
    srcVni,
    cacheinfo: { used: since(stack, of.used), updated: since(stack, of.updated) },
  })
}

function addressOf(bytes: Uint8Array): Ipv4 | Ipv6 | undefined {
  return fibAddress.get(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length)
}
