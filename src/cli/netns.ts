/** Moving a link: a network namespace of this machine, by name or by the id of a process in it. */
import { closeSync, openSync } from 'node:fs'
import { UsageError } from './exit.ts'

/** Where iproute2 keeps namespaces that have a name. */
const DIRECTORY = '/run/netns'

/** What RTM_NEWLINK takes for the namespace; `close` when it was asked. */
interface Destination {
  readonly attributes: { readonly netNsPid?: number; readonly netNsFd?: number }
  close(): void
}

/** @throws UsageError when there is no namespace of that name. */
export function openDestination(which: string | undefined): Destination {
  if (which === undefined) return { attributes: {}, close: () => undefined }
  if (/^\d+$/.test(which))
    return { attributes: { netNsPid: Number(which) }, close: () => undefined }
  const path = which.startsWith('/') ? which : `${DIRECTORY}/${which}`
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw new UsageError(`netns: there is no namespace ${which}: ${(error as Error).message}`)
  }
  return { attributes: { netNsFd: fd }, close: () => closeSync(fd) }
}
