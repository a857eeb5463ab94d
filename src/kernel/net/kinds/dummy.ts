/** dummy: swallows what it is given. Kernel: drivers/net/dummy.c. */
import { IFF_BROADCAST, IFF_NOARP } from '../constants.ts'
import { setRandomAddress } from '../device.ts'
import type { LinkKind } from '../link-kind.ts'
import { setCarrier } from '../link-watch.ts'
import { EtherDevice, validateEtherLink } from './ether.ts'

class DummyDevice extends EtherDevice {
  override flags = IFF_BROADCAST | IFF_NOARP
  override minMtu = 0
  override maxMtu = 0

  override changeCarrier(on: boolean): void {
    setCarrier(this, on)
  }
}

export const dummy: LinkKind = {
  kind: 'dummy',
  validate: validateEtherLink,
  setup(stack, name) {
    const dev = new DummyDevice(stack, name, dummy)
    setRandomAddress(dev)
    return dev
  },
}
