/** What a notifier block answers, and errnos folded into such answers (include/linux/notifier.h). */
import { type ErrnoName, errnoName, errnoNumber } from '../../errno.ts'
import { NetlinkError } from '../../errors.ts'

/** Not interested. */
export const NOTIFY_DONE = 0x0000
/** Suits me. */
export const NOTIFY_OK = 0x0001
/** Call nobody after me. */
export const NOTIFY_STOP_MASK = 0x8000
/** A veto: stop, and -EPERM to those who ask for an errno. */
export const NOTIFY_BAD = NOTIFY_STOP_MASK | 0x0002
/** Done, and nobody else needs to know. */
export const NOTIFY_STOP = NOTIFY_OK | NOTIFY_STOP_MASK

/**
 * The answer that stops a chain with `code`; NOTIFY_OK without one. As notifier_from_errno(),
 * which takes the errno itself: positive and negative spellings are both understood.
 */
export function notifierFromErrno(error: ErrnoName | number | undefined): number {
  const errno = typeof error === 'number' ? Math.abs(error) : errnoNumber(error ?? '')
  return errno ? NOTIFY_STOP_MASK | (NOTIFY_OK + errno) : NOTIFY_OK
}

/** The negative errno in an answer, 0 when there is none. As notifier_to_errno(). */
export function notifierToErrno(answer: number): number {
  const value = answer & ~NOTIFY_STOP_MASK
  return value > NOTIFY_OK ? NOTIFY_OK - value : 0
}

/** Throws the errno in an answer, if there is one: how a caller lets a block veto. */
export function throwNotifierErrno(answer: number): void {
  const errno = notifierToErrno(answer)
  if (errno !== 0) throw new NetlinkError(errnoName(-errno))
}
