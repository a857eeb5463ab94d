/**
 * RTM_DELNEIGH of AF_BRIDGE with NLM_F_BULK: many forwarding entries at once.
 *
 * Kernel: net/bridge/br_fdb.c br_fdb_delete_bulk() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { ndmsg } from '../../families/rt-neigh.ts'
import { attrs, message, NL_VALIDATE_LIBERAL, s32, u8, u16 } from '../../schema/index.ts'
import {
  NTF_EXT_LEARNED,
  NTF_MASTER,
  NTF_SELF,
  NTF_STICKY,
  NTF_USE,
  NUD_NOARP,
  NUD_PERMANENT,
} from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import type { FdbFlush } from '../net/fdb.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import type { RequestContext } from '../netlink/context.ts'
import { invalid } from './parse.ts'

const NTF_OFFLOADED = 0x20
const FLAGS = NTF_USE | NTF_EXT_LEARNED | NTF_STICKY | NTF_OFFLOADED
const STATES = NUD_PERMANENT | NUD_NOARP

/** br_fdb_del_bulk_policy. */
const flush = message(
  ndmsg,
  attrs('NDA_', {
    vlan: [5, u16.min(1).max(4094)],
    viaIfindex: [8, s32.min(1), 'NDA_IFINDEX'],
    stateMask: [16, u16, 'NDA_NDM_STATE_MASK'],
    flagsMask: [17, u8, 'NDA_NDM_FLAGS_MASK'],
  }),
)

/** Of the bridge that `dev` is, or is a port of. @throws NetlinkError EINVAL, ENODEV */
export function flushFdb(ctx: RequestContext, dev: NetDevice): void {
  const bridge = dev instanceof BridgeDevice ? dev : dev.bridgePort?.bridge
  if (!bridge) invalid('Device is not a bridge port')
  const {
    state,
    flags: given,
    vlan,
    viaIfindex,
    stateMask = 0,
    flagsMask = 0,
  } = ctx.decode(flush, NL_VALIDATE_LIBERAL)
  const flags = given & ~(NTF_MASTER | NTF_SELF)
  if (flags & ~FLAGS) invalid('Unsupported fdb flush ndm flag bits set')
  if (state & ~STATES) invalid('Unsupported fdb flush ndm state bits set')
  if (stateMask & ~STATES) invalid('Unsupported fdb flush ndm state mask bits set')
  if (flagsMask & ~FLAGS) invalid('Unsupported fdb flush ndm flag mask bits set')
  const wants = (mask: number, value: number, bit: number): boolean | undefined =>
    mask & bit ? (value & bit) !== 0 : undefined
  const what: FdbFlush = {
    port: portOf(bridge, dev, viaIfindex),
    isToBridge: viaIfindex === bridge.ifindex,
    vlan,
    isLocal: wants(stateMask, state, NUD_PERMANENT),
    isStatic: wants(stateMask, state, NUD_NOARP),
    isByUser: wants(flagsMask, flags, NTF_USE),
    isExtLearned: wants(flagsMask, flags, NTF_EXT_LEARNED),
    isSticky: wants(flagsMask, flags, NTF_STICKY),
  }
  bridge.fdb.flush(what)
}

/** __br_fdb_flush_validate_ifindex(). */
function portOf(
  bridge: BridgeDevice,
  dev: NetDevice,
  ifindex: number | undefined,
): NetDevice | undefined {
  if (ifindex === undefined) return dev === bridge ? undefined : dev
  if (ifindex === bridge.ifindex) return undefined
  const found = bridge.stack.devices.byIndex(ifindex)
  if (!found) throw new NetlinkError('ENODEV', 'Unknown flush device ifindex')
  if (!found.bridgePort) invalid('Flush device is not a bridge port')
  if (found.bridgePort.bridge !== bridge) invalid('Flush device is not a port of this bridge')
  return found
}
