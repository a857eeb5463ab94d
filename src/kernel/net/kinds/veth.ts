/** veth: a cable with a device at each end, also across namespaces. Kernel: drivers/net/veth.c. */
import { NetlinkError } from '../../../errors.ts'
import { ETH_MAX_MTU, ETH_MIN_MTU } from '../constants.ts'
import { NetDevice } from '../device.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import { allocateLink, configureLink, ensureAddress } from '../link-create.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import { setCarrier } from '../link-watch.ts'
import { validateEtherLink } from './ether.ts'

/** What a veth is made of beside itself (VETH_INFO_PEER). */
export interface VethData {
  /** The other end; absent: like this end, with a name of the pattern `veth%d`. */
  readonly peer?: LinkRequest | undefined
}

/** One end. */
export class VethDevice extends NetDevice {
  override speed = 10_000
  /** The other end, while there is one. */
  peer: VethDevice | undefined

  override get lower(): NetDevice | undefined {
    return this.peer
  }

  override open(): void {
    if (!this.peer) throw new NetlinkError('ENOTCONN')
    if (!this.peer.isUp) return
    setCarrier(this, true)
    setCarrier(this.peer, true)
  }

  override stop(): void {
    setCarrier(this, false)
    if (this.peer) setCarrier(this.peer, false)
  }
}

function validate(request: LinkRequest): void {
  validateEtherLink(request)
  const { mtu } = request
  if (mtu !== undefined && (mtu < ETH_MIN_MTU || mtu > ETH_MAX_MTU)) {
    throw new NetlinkError('EINVAL')
  }
}

/** The other end comes first, and is announced first. */
function newlink(dev: NetDevice, request: LinkRequest): void {
  const given = (request.data as VethData | undefined)?.peer
  if (given) validate(given)
  const asked: LinkRequest = given ?? { ...request, name: undefined, flags: 0, change: 0 }
  const peer = allocateLink(asked.stack ?? dev.stack, veth, asked.name ?? 'veth%d', asked)
  if (!given?.address) ensureAddress(peer, {})
  if (given && dev.ifindex !== 0) peer.ifindex = given.ifindex ?? 0
  registerDevice(peer)
  setCarrier(peer, false)
  try {
    configureLink(peer, given ?? {})
    ensureAddress(dev, request)
    registerDevice(dev)
  } catch (error) {
    unregisterDevices([peer])
    throw error
  }
  setCarrier(dev, false)
  ;(dev as VethDevice).peer = peer as VethDevice
  ;(peer as VethDevice).peer = dev as VethDevice
}

export const veth: LinkKind = {
  kind: 'veth',
  /** One a processor; the machine that is simulated has two. */
  queues: 2,
  validate,
  setup: (stack, name) => new VethDevice(stack, name, veth),
  newlink,
  dellink(dev) {
    const { peer } = dev as VethDevice
    ;(dev as VethDevice).peer = undefined
    if (!peer) return [dev]
    peer.peer = undefined
    return [dev, peer]
  },
}
