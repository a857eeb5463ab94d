/** What Ethernet kinds have in common. Kernel: net/ethernet/eth.c. */
import { NetlinkError } from '../../../errors.ts'
import { ETH_ALEN } from '../constants.ts'
import { isValidEtherAddress, NetDevice } from '../device.ts'
import type { LinkRequest } from '../link-kind.ts'

/** A device that will not go up without a proper MAC address. */
export class EtherDevice extends NetDevice {
  override validateAddress(): void {
    if (!isValidEtherAddress(this.address)) throw new NetlinkError('EADDRNOTAVAIL')
  }
}

/** A kind's validate(). @throws NetlinkError EINVAL for a bad length, EADDRNOTAVAIL */
export function validateEtherLink({ address }: LinkRequest): void {
  if (!address) return
  if (address.length !== ETH_ALEN) throw new NetlinkError('EINVAL')
  if (!isValidEtherAddress(address)) throw new NetlinkError('EADDRNOTAVAIL')
}
