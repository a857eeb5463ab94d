/** The forms that programs call which were built with _FORTIFY_SOURCE. */
#include <stdlib.h>

#include "shim.h"

/* libc's, which its headers declare only for such programs. */
ssize_t __recv_chk(int fd, void *bytes, size_t length, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *bytes, size_t length, size_t room, int flags,
                       struct sockaddr *from, socklen_t *from_length);
ssize_t __read_chk(int fd, void *bytes, size_t length, size_t room);

/** Ours check as libc's do; what is wrong is left to libc's, which knows how to say it. */
EXPORT ssize_t __recv_chk(int fd, void *bytes, size_t length, size_t room, int flags) {
  if (length > room) return LIBC(__recv_chk)(fd, bytes, length, room, flags);
  return recv(fd, bytes, length, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *bytes, size_t length, size_t room, int flags,
                              struct sockaddr *from, socklen_t *from_length) {
  if (length > room) return LIBC(__recvfrom_chk)(fd, bytes, length, room, flags, from, from_length);
  return recvfrom(fd, bytes, length, flags, from, from_length);
}

EXPORT ssize_t __read_chk(int fd, void *bytes, size_t length, size_t room) {
  if (length > room) return LIBC(__read_chk)(fd, bytes, length, room);
  return read(fd, bytes, length);
}
