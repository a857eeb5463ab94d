/** Numbers by which the scheduler goes. */

/** Times that a read is asked again after a loss. */
export const MOST_REPEATS = 3
/** Bytes of receive buffer asked for; the kernel grants what it may. */
export const RECEIVE_BUFFER = 1 << 20
/** Milliseconds until a send that was refused for want of room is tried again. */
export const PAUSE = 2
/** Bytes of an error beside the request that it repeats. */
export const ERROR_ROOM = 4096
