/** What a configuration says of the bus's own process: the file with its id, and whose rights it has. */
import { existsSync, unlinkSync, writeFileSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import type { Identities } from '../policy/rule.ts'
import { systemIdentities } from './identities.ts'

/** A bus cannot start as its configuration wants it to. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code = 'DBUS_START'
}

/** @throws StartError when there is such a file: another bus may run. */
export function checkPidFile(path: string): void {
  if (!existsSync(path)) return
  throw new StartError(
    `The pid file "${path}" exists, if the message bus is not running, remove this file`,
  )
}

/** Writes this process's id; what it returns removes the file. @throws StartError */
export function writePidFile(path: string): () => void {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o644 })
  } catch (error) {
    const { errno = 0, message } = error as NodeJS.ErrnoException
    const reason = REASONS[getSystemErrorName(errno)] ?? message
    throw new StartError(`Failed to open "${path}": ${reason}`)
  }
  return () => {
    try {
      unlinkSync(path)
    } catch {
      // Somebody else has removed it, or may not be asked to.
    }
  }
}

/** strerror(3), of what is usual here. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EEXIST: 'File exists',
  EROFS: 'Read-only file system',
}

/** A user's number. @throws StartError when nobody is called so. */
export function daemonUid(user: string, identities: Identities = systemIdentities()): number {
  const uid = identities.uidOf(user)
  if (uid !== undefined) return uid
  throw new StartError(`Could not get UID and GID for username "${user}"`)
}

/** Takes the rights of `user`, its groups alone (_dbus_change_to_daemon_user()). @throws StartError */
export function becomeUser(user: string): void {
  const identities = systemIdentities()
  const uid = daemonUid(user, identities)
  const [gid] = identities.groupsOf(uid)
  if (gid === undefined) throw new StartError(`Could not get UID and GID for username "${user}"`)
  try {
    process.setgroups?.([])
  } catch {
    // The reference goes on with the groups that it has.
  }
  try {
    process.setgid?.(gid)
  } catch (error) {
    throw new StartError(`Failed to set GID to ${gid}: ${(error as Error).message}`)
  }
  try {
    process.setuid?.(uid)
  } catch (error) {
    throw new StartError(`Failed to set UID to ${uid}: ${(error as Error).message}`)
  }
}
