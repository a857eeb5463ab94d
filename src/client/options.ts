/** What every call takes, and what is assumed where nothing is said. */
import { type Extack, NetlinkError } from '../errors.ts'

/** How long a call may take, and who may end it. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason, unchanged. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds to wait for the kernel, or Infinity; 5,000 unless open() was told otherwise. For
   * dumps: for each datagram. Then the call rejects with NETLINK_TIMEOUT.
   */
  readonly timeout?: number | undefined
  /** Told of an extack on success: what the kernel warns of. */
  readonly onWarning?: ((warning: Extack) => void) | undefined
}

/** How one request differs from what its operation says. */
export interface RequestOptions extends CallOptions {
  /** NLM_F_CREATE and kin, beside NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags?: number | undefined
  /**
   * Whether an acknowledgement ends it, as it does for operations without a reply. Otherwise the
   * first reply does.
   */
  readonly ack?: boolean | undefined
  /**
   * Whether the acknowledgement of a later request will do: the kernel takes them in order, and says
   * at once what fails.
   */
  readonly isQuiet?: boolean | undefined
}

/** Milliseconds. */
export const DEFAULT_TIMEOUT = 5_000
/** The longest that a timer can wait; more is for ever. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** @throws NetlinkError NETLINK_INVALID unless `timeout` is a number of milliseconds above 0. */
export function checkTimeout(timeout: number): number {
  if (typeof timeout !== 'number' || !(timeout > 0)) {
    throw new NetlinkError('NETLINK_INVALID', {
      message: `timeout is ${String(timeout)}: a number of milliseconds above 0 expected, or Infinity`,
    })
  }
  return timeout > LONGEST_TIMEOUT ? Number.POSITIVE_INFINITY : timeout
}
