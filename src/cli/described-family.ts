/** The description of the family that a command line names, and what a kernel says of one. */
import { didYouMean } from '../client/nearest.ts'
import { nlctrl } from '../families/nlctrl.ts'
import { familyNames, loadFamily } from '../families/registry.ts'
import { isNetlinkError, NetlinkError } from '../index.ts'
import type { Family, Reply } from '../schema/index.ts'
import type { Call } from './command.ts'
import { UsageError } from './exit.ts'

/** What nlctrl says of a family. @throws NetlinkError NETLINK_FAMILY with the nearest name there is. */
export async function familyInfo(
  call: Pick<Call, 'open'>,
  name: string,
): Promise<Reply<typeof nlctrl, 'getFamily'>> {
  const nl = await call.open()
  const ctrl = await nl.family(nlctrl)
  try {
    return await ctrl.do('getFamily', { familyName: name })
  } catch (error) {
    if (!isNetlinkError(error, 'ENOENT')) throw error
    const all = await ctrl.dump('getFamily').toArray()
    const known = all.map(({ familyName }) => familyName)
    throw new NetlinkError('NETLINK_FAMILY', {
      message: `this kernel has no generic netlink family named ${name}`,
      hint: didYouMean(name, [...known, ...familyNames]) ?? `it has ${known.join(', ')}`,
      cause: error,
    })
  }
}

/**
 * @throws NetlinkError NETLINK_FAMILY for one that neither nlkit nor the kernel knows; UsageError for
 * one of the kernel's that nlkit has no description of.
 */
export async function describedFamily(call: Pick<Call, 'open'>, name: string): Promise<Family> {
  const family = await loadFamily(name)
  if (family) return family
  await familyInfo(call, name)
  throw new UsageError(
    `nlkit has no description of the family "${name}"`,
    `nlkit call --spec FILE takes Linux's; nlkit describes ${familyNames.join(', ')}`,
  )
}
