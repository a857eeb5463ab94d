/** Which network namespaces with a name have a number here: what ip(8) prints instead of numbers. */
import { closeSync, openSync, readdirSync } from 'node:fs'
import { NETNSA_NSID_NOT_ASSIGNED } from '../families/rt-nsid.ts'
import { isNetlinkError } from '../index.ts'
import type { Connection } from './session.ts'

/** Where iproute2 keeps namespaces that have a name. */
const DIRECTORY = '/run/netns'

/** Namespaces of this machine that have names. */
export function namespacesWithNames(): string[] {
  try {
    return readdirSync(DIRECTORY)
  } catch {
    return []
  }
}

/** The number that one of them has here, if it has any. */
export async function idOf(nl: Connection, name: string): Promise<number | undefined> {
  let fd: number
  try {
    fd = openSync(`${DIRECTORY}/${name}`, 'r')
  } catch {
    return undefined
  }
  try {
    const { nsid } = await nl.namespaces.get({ fd })
    return nsid === undefined || nsid === NETNSA_NSID_NOT_ASSIGNED ? undefined : nsid
  } catch (error) {
    if (isNetlinkError(error)) return undefined
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Names by number. */
export async function namespaceNames(nl: Connection): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>()
  for (const name of namespacesWithNames()) {
    const id = await idOf(nl, name)
    if (id !== undefined) found.set(id, name)
  }
  return found
}
