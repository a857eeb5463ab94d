/**
 * xfrm: what IPsec protects, as a link, found by a number of its policies.
 *
 * Kernel: net/xfrm/xfrm_interface_core.c xfrmi_newlink(), xfrmi_changelink(), xfrmi_locate()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import { ARPHRD_NONE, ETH_DATA_LEN, ETH_MIN_MTU } from '../constants.ts'
import type { NetDevice } from '../device.ts'
import { notifyStateChange } from '../device-flags.ts'
import { registerDevice } from '../device-registry.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import type { NetStack } from '../stack.ts'
import { TunnelDevice, tunnelsOf } from './tunnel.ts'

const NONE = new Uint8Array(0)

/** IFLA_XFRM_*. */
export interface XfrmData {
  readonly link?: number
  readonly ifId?: number
  readonly collectMetadata?: unknown
}

export class XfrmDevice extends TunnelDevice {
  override type = ARPHRD_NONE
  override mtu = ETH_DATA_LEN
  override minMtu = ETH_MIN_MTU
  override address: Uint8Array = NONE
  override broadcast: Uint8Array = NONE
  override permanentAddress: Uint8Array = NONE
  override link = 0
  ifId = 0
}

function refuse(text: string): never {
  throw new NetlinkError('EINVAL', text)
}

/** xfrmi_locate(). */
function find(stack: NetStack, ifId: number): XfrmDevice | undefined {
  const all = [...tunnelsOf(stack, 'xfrm')] as XfrmDevice[]
  return all.find((each) => !each.isExternal && each.ifId === ifId)
}

/** xfrmi_newlink(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as XfrmDevice
  const { link = 0, ifId = 0, collectMetadata } = (request.data ?? {}) as XfrmData
  dev.home = request.linkStack ?? dev.stack
  dev.isExternal = Boolean(collectMetadata)
  const all = tunnelsOf(dev.home, 'xfrm')
  if (dev.isExternal) {
    if (link || ifId) refuse('link and if_id must be zero')
    if ([...all].some(({ isExternal }) => isExternal)) throw new NetlinkError('EEXIST')
    dev.isNetnsLocal = true
  } else {
    if (!ifId) refuse('if_id must be non zero')
    if (find(dev.home, ifId)) throw new NetlinkError('EEXIST')
  }
  dev.link = link
  dev.ifId = ifId
  registerDevice(dev)
  all.add(dev)
}

/** xfrmi_changelink(). @throws NetlinkError EINVAL, EEXIST */
function changelink(changed: NetDevice, request: unknown): void {
  const dev = changed as XfrmDevice
  const { link = 0, ifId = 0, collectMetadata } = (request ?? {}) as XfrmData
  if (!ifId) refuse('if_id must be non zero')
  if (collectMetadata) refuse("collect_md can't be changed")
  const other = find(dev.home, ifId)
  if (other && other !== dev) throw new NetlinkError('EEXIST')
  if (dev.link !== link) throw new NetlinkError('EINVAL')
  dev.ifId = ifId
  notifyStateChange(dev)
}

export const xfrm: LinkKind = {
  kind: 'xfrm',
  setup: (stack, name) => new XfrmDevice(stack, name, xfrm),
  newlink,
  changelink,
}
