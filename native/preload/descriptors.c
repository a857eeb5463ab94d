/** close, dup and fcntl: where descriptors come from, and go to. */
#include <fcntl.h>
#include <stdarg.h>

#include "files.h"

/**
 * close(2). The kernel's side hears of it by itself, but later: a program that closes a socket and
 * takes its port again must find it free. So it looks, before this returns, whether it was the
 * last descriptor.
 */
EXPORT int close(int fd) {
  uint64_t socket = shim_socket_of(fd);
  int failure = file_commit(fd);
  int result = LIBC(close)(fd);
  if (failure < 0 && result == 0) return (int)shim_outcome(failure);
  if (socket == 0 || result < 0) return result;
  struct shim_call call = {.request = {.op = SHIM_RELEASE, .socket = socket}};
  shim_ask(&call);
  return result;
}

EXPORT int dup(int fd) {
  int copy = LIBC(dup)(fd);
  if (copy >= 0) shim_copied(fd, copy);
  return copy;
}

EXPORT int dup2(int fd, int to) {
  file_commit(to);
  int copy = LIBC(dup2)(fd, to);
  if (copy >= 0 && fd != to) shim_copied(fd, copy);
  return copy;
}

EXPORT int dup3(int fd, int to, int flags) {
  file_commit(to);
  int copy = LIBC(dup3)(fd, to, flags);
  if (copy >= 0) shim_copied(fd, copy);
  return copy;
}

static int is_dup(int command) { return command == F_DUPFD || command == F_DUPFD_CLOEXEC; }

EXPORT int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  int result = LIBC(fcntl)(fd, command, argument);
  if (result >= 0 && is_dup(command)) shim_copied(fd, result);
  return result;
}

EXPORT int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  int result = LIBC(fcntl64)(fd, command, argument);
  if (result >= 0 && is_dup(command)) shim_copied(fd, result);
  return result;
}
