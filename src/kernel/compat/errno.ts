/** Errors as the kernel's C returns them: a negative errno, 0 for none. */
import { isNetlinkError } from '../../errors.ts'

/** Runs `run`; the negative errno of what it refuses, otherwise 0. @throws what is no refusal. */
export function errnoOf(run: () => unknown): number {
  try {
    run()
    return 0
  } catch (error) {
    return negativeErrno(error)
  }
}

/** The same where there is something to wait for. */
export async function errnoAfter(run: () => Promise<unknown>): Promise<number> {
  try {
    await run()
    return 0
  } catch (error) {
    return negativeErrno(error)
  }
}

function negativeErrno(error: unknown): number {
  const errno = isNetlinkError(error) ? error.errno : undefined
  if (errno === undefined) throw error
  return errno
}
