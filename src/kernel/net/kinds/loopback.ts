/** lo: the device that is there from the start. Kernel: drivers/net/loopback.c. */
import { ARPHRD_LOOPBACK, ETH_ALEN, IFF_LOOPBACK } from '../constants.ts'
import { NetDevice } from '../device.ts'
import { registerDevice } from '../device-registry.ts'
import type { NetStack } from '../stack.ts'

class LoopbackDevice extends NetDevice {
  override type = ARPHRD_LOOPBACK
  override flags = IFF_LOOPBACK
  override mtu = 65536
  override minMtu = 0
  override maxMtu = 0
  override broadcast: Uint8Array = new Uint8Array(ETH_ALEN)
  override isNetnsLocal = true
  override isVlanChallenged = true
}

/** Registers lo, as the first device of `stack`: down, index 1. */
export function createLoopback(stack: NetStack): NetDevice {
  const dev = new LoopbackDevice(stack, 'lo')
  registerDevice(dev)
  return dev
}
