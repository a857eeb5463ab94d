/** The way to what manages a kernel: the family `nlkit` of the one that is served. */
import type { FamilyClient } from '../client/family.ts'
import { nlkit } from '../families/nlkit.ts'
import { isNetlinkError, NetlinkError } from '../index.ts'
import type { Call } from './command.ts'
import { SERVED } from './session.ts'

/** Opens it. @throws NetlinkError NETLINK_KERNEL where the kernel is none of nlkit's. */
export async function openControl(call: Call): Promise<FamilyClient<typeof nlkit>> {
  const nl = await call.open(SERVED)
  try {
    return await nl.family(nlkit)
  } catch (error) {
    if (!isNetlinkError(error, 'NETLINK_FAMILY')) throw error
    throw new NetlinkError('NETLINK_KERNEL', {
      message: 'this kernel is not served by nlkit',
      hint: 'nlkit kernel start serves one; --kernel unix:PATH names it',
      cause: error,
    })
  }
}
