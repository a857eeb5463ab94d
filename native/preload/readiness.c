/** Whoever waits for readiness finds it ready what was fetched ahead: then the system's own waits. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "ahead.h"

EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout) {
  ahead_wait();
  return LIBC(poll)(fds, count, timeout);
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask) {
  ahead_wait();
  return LIBC(ppoll)(fds, count, timeout, mask);
}

EXPORT int select(int count, fd_set *reads, fd_set *writes, fd_set *others,
                  struct timeval *timeout) {
  ahead_wait();
  return LIBC(select)(count, reads, writes, others, timeout);
}

EXPORT int pselect(int count, fd_set *reads, fd_set *writes, fd_set *others,
                   const struct timespec *timeout, const sigset_t *mask) {
  ahead_wait();
  return LIBC(pselect)(count, reads, writes, others, timeout, mask);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int count, int timeout) {
  ahead_wait();
  return LIBC(epoll_wait)(fd, events, count, timeout);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout,
                       const sigset_t *mask) {
  ahead_wait();
  return LIBC(epoll_pwait)(fd, events, count, timeout, mask);
}

/* libc's, which its headers declare only for programs built with _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);

EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room) {
  ahead_wait();
  return LIBC(__poll_chk)(fds, count, timeout, room);
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                       const sigset_t *mask, size_t room) {
  ahead_wait();
  return LIBC(__ppoll_chk)(fds, count, timeout, mask, room);
}
