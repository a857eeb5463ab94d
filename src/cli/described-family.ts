/** The description of the family that a command line names. */
import { didYouMean } from '../client/nearest.ts'
import { familyNames, loadFamily } from '../families/registry.ts'
import type { Family } from '../schema/index.ts'
import { UsageError } from './exit.ts'

/** @throws UsageError for a family that nlkit has no description of. */
export async function describedFamily(name: string): Promise<Family> {
  const family = await loadFamily(name)
  if (family) return family
  throw new UsageError(
    `there is no description of a family "${name}"`,
    didYouMean(name, familyNames) ?? `there are ${familyNames.join(', ')}`,
  )
}
