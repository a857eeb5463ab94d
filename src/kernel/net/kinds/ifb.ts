/** ifb: a queue that packets are redirected to. Kernel: drivers/net/ifb.c. */
import { NetlinkError } from '../../../errors.ts'
import { IFF_BROADCAST, IFF_NOARP } from '../constants.ts'
import { setRandomAddress } from '../device.ts'
import type { LinkKind } from '../link-kind.ts'
import { EtherDevice, validateEtherLink } from './ether.ts'

class IfbDevice extends EtherDevice {
  override flags = IFF_BROADCAST | IFF_NOARP
  override minMtu = 0
  override maxMtu = 0
  override txQueueLength = 32
  override defaultQdisc = 'pfifo_fast'

  override changeAddress(): void {
    throw new NetlinkError('EOPNOTSUPP')
  }
}

export const ifb: LinkKind = {
  kind: 'ifb',
  validate: validateEtherLink,
  setup(stack, name) {
    const dev = new IfbDevice(stack, name, ifb)
    setRandomAddress(dev)
    return dev
  },
}
