/** socket, bind, connect and the names of both ends. */
#include <fcntl.h>
#include <string.h>

#include "shim.h"

/** socket(2) of AF_NETLINK: a descriptor, or a negative errno. */
static int open_socket(int type, int protocol) {
  struct shim_request hello = {.op = SHIM_DATA, .flags = (uint8_t)(type & 0xf), .c = protocol};
  if (type & ~(0xf | SOCK_CLOEXEC | SOCK_NONBLOCK)) return -EINVAL;
  int fd = shim_dial(type & SOCK_CLOEXEC);
  if (fd < 0) return fd == -EMFILE || fd == -ENFILE ? fd : -EPROTONOSUPPORT;
  hello.socket = shim_inode(fd);
  char name[SHIM_NAMESPACE_SIZE];
  shim_describe_namespace(shim_namespace(), name);
  int greeted = shim_greet(fd, &hello, name);
  if (greeted < 0) {
    syscall(SYS_close, fd);
    return greeted;
  }
  if (type & SOCK_NONBLOCK) syscall(SYS_fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK);
  shim_remember(fd, hello.socket);
  return fd;
}

EXPORT int socket(int domain, int type, int protocol) {
  if (domain != AF_NETLINK || !shim_is_on()) return LIBC(socket)(domain, type, protocol);
  int before = errno;
  int fd = open_socket(type, protocol);
  if (fd >= 0) errno = before;
  return (int)shim_outcome(fd);
}

EXPORT int socketpair(int domain, int type, int protocol, int ends[2]) {
  if (domain != AF_NETLINK || !shim_is_on()) return LIBC(socketpair)(domain, type, protocol, ends);
  return (int)shim_outcome(-EOPNOTSUPP);
}

/** A call whose argument is an address. */
static int with_address(uint64_t socket, uint8_t op, const struct sockaddr *address,
                        socklen_t length) {
  struct sockaddr_storage most;
  struct iovec part = {.iov_base = (void *)address, .iov_len = length};
  struct shim_call call = {
      .request = {.op = op, .socket = socket}, .out = &part, .out_count = 1};
  if ((int)length < 0 || length > sizeof most) return (int)shim_outcome(-EINVAL);
  return (int)shim_outcome(shim_ask(&call));
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(bind)(fd, address, length);
  return with_address(socket, SHIM_BIND, address, length);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(connect)(fd, address, length);
  return with_address(socket, SHIM_CONNECT, address, length);
}

/** getsockname(2) or getpeername(2): as much of the address as fits, and its whole length. */
static int get_name(uint64_t socket, uint8_t op, struct sockaddr *address, socklen_t *length) {
  char name[SHIM_NAME_SIZE];
  struct iovec part = {.iov_base = name, .iov_len = sizeof name};
  struct shim_call call = {.request = {.op = op, .socket = socket}, .in = &part, .in_count = 1};
  if ((int)*length < 0) return (int)shim_outcome(-EINVAL);
  int64_t result = shim_ask(&call);
  if (result < 0) return (int)shim_outcome(result);
  socklen_t copied = *length < call.received ? *length : (socklen_t)call.received;
  memcpy(address, name, copied);
  *length = (socklen_t)call.received;
  return 0;
}

EXPORT int getsockname(int fd, struct sockaddr *address, socklen_t *length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(getsockname)(fd, address, length);
  return get_name(socket, SHIM_GETSOCKNAME, address, length);
}

EXPORT int getpeername(int fd, struct sockaddr *address, socklen_t *length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(getpeername)(fd, address, length);
  return get_name(socket, SHIM_GETPEERNAME, address, length);
}

EXPORT int listen(int fd, int backlog) {
  if (shim_socket_of(fd) == 0) return LIBC(listen)(fd, backlog);
  return (int)shim_outcome(-EOPNOTSUPP);
}

EXPORT int accept(int fd, struct sockaddr *address, socklen_t *length) {
  if (shim_socket_of(fd) == 0) return LIBC(accept)(fd, address, length);
  return (int)shim_outcome(-EOPNOTSUPP);
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  if (shim_socket_of(fd) == 0) return LIBC(accept4)(fd, address, length, flags);
  return (int)shim_outcome(-EOPNOTSUPP);
}

EXPORT int shutdown(int fd, int how) {
  if (shim_socket_of(fd) == 0) return LIBC(shutdown)(fd, how);
  return (int)shim_outcome(-EOPNOTSUPP);
}
