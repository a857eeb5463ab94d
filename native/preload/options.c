/** getsockopt and setsockopt. */
#include <linux/filter.h>
#include <string.h>

#include "shim.h"

/** include/uapi/asm-generic/socket.h: both widths of time. */
static bool is_timeout(int level, int option) {
  if (level != SOL_SOCKET) return false;
  return option == 20 || option == 21 || option == 66 || option == 67;
}

/** The most that an option's value has, but for a filter. */
#define MOST_BYTES 4096

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0 || is_timeout(level, option))
    return LIBC(setsockopt)(fd, level, option, value, length);
  struct iovec part = {.iov_base = (void *)value, .iov_len = length};
  struct shim_call call = {.request = {.op = SHIM_SETSOCKOPT,
                                       .a = (uint32_t)level,
                                       .b = (uint32_t)option,
                                       .c = (int32_t)length,
                                       .socket = socket},
                           .out = &part,
                           .out_count = 1};
  if ((int)length < 0) return (int)shim_outcome(-EINVAL);
  if (level == SOL_SOCKET && option == SO_ATTACH_FILTER) {
    struct sock_fprog filter;
    if (length != sizeof filter) return (int)shim_outcome(-EINVAL);
    memcpy(&filter, value, sizeof filter);
    part = (struct iovec){filter.filter, filter.len * sizeof(struct sock_filter)};
  } else if (part.iov_len > MOST_BYTES) part.iov_len = MOST_BYTES;
  int64_t result = shim_ask(&call);
  if (result != -ECONNRESET) shim_retire(fd, socket, &call.answer);
  return (int)shim_outcome(result);
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0 || is_timeout(level, option))
    return LIBC(getsockopt)(fd, level, option, value, length);
  struct iovec part = {.iov_base = value, .iov_len = *length};
  struct shim_call call = {.request = {.op = SHIM_GETSOCKOPT,
                                       .a = (uint32_t)level,
                                       .b = (uint32_t)option,
                                       .c = (int32_t)*length,
                                       .socket = socket},
                           .in = &part,
                           .in_count = 1};
  if ((int)*length < 0) return (int)shim_outcome(-EINVAL);
  int64_t result = shim_ask(&call);
  if (result != -ECONNRESET) shim_retire(fd, socket, &call.answer);
  if (result < 0) return (int)shim_outcome(result);
  *length = (socklen_t)result;
  return 0;
}
