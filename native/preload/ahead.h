/** Answers that were fetched with their requests: see ahead.c. */
#ifndef NLKIT_AHEAD_H
#define NLKIT_AHEAD_H

#include "shim.h"

/**
 * How long a datagram may be that is fetched with a request, and where it goes; 0 for none. Unless
 * it is 0, `ahead_keep` must follow, as the socket is locked.
 */
size_t ahead_room(uint64_t socket, struct iovec *into);
/** Keeps what came with the answer, if anything; without a call nothing came. */
void ahead_keep(int fd, uint64_t socket, const struct shim_call *call);
/**
 * A process receives: whether something was fetched for it, and if so, its length. If not,
 * `ahead_waited` must follow once it has waited.
 */
bool ahead_take(uint64_t socket, const struct msghdr *message, size_t room, int flags,
                struct shim_answer *answer, int64_t *length);
void ahead_waited(uint64_t socket);
/** The process is about to wait for readiness. */
void ahead_wait(void);

#endif
