/**
 * Which descriptors are ours.
 *
 * The table says which descriptors may be; the inode decides, for the program can close and copy
 * descriptors in ways that nobody sees. An entry may be out of date, and nothing depends on its
 * being removed: a child after vfork shares the table with its parent, and must not change it.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "files.h"
#include "shim.h"

/** Descriptors with a higher number cannot be ours: a limit of 65,536 is a high one. */
#define DESCRIPTORS 65536

static _Atomic uint64_t sockets[DESCRIPTORS];

uint64_t shim_inode(int fd) {
  struct stat stat;
  int before = errno;
  bool is_socket = syscall(SYS_fstat, fd, &stat) == 0 && S_ISSOCK(stat.st_mode);
  errno = before;
  return is_socket ? stat.st_ino : 0;
}

uint64_t shim_socket_of(int fd) {
  if (fd < 0 || fd >= DESCRIPTORS) return 0;
  uint64_t socket = atomic_load_explicit(&sockets[fd], memory_order_relaxed);
  return socket != 0 && shim_inode(fd) == socket ? socket : 0;
}

void shim_remember(int fd, uint64_t socket) {
  if (fd >= 0 && fd < DESCRIPTORS)
    atomic_store_explicit(&sockets[fd], socket, memory_order_relaxed);
}

void shim_copied(int from, int to) {
  uint64_t socket = shim_socket_of(from);
  if (socket != 0) shim_remember(to, socket);
  else if (file_is_written(from, (char[FILE_PATH]){0})) file_adopt(to);
}

void shim_adopt(int fd) {
  struct sockaddr_un peer;
  struct sockaddr_un ours;
  socklen_t length = sizeof peer;
  if (fd < 0 || fd >= DESCRIPTORS || !shim_is_on()) return;
  int before = errno;
  if (syscall(SYS_getpeername, fd, &peer, &length) == 0 && peer.sun_family == AF_UNIX) {
    socklen_t wanted = shim_address(&ours);
    if (length == wanted && memcmp(&peer, &ours, length) == 0) shim_remember(fd, shim_inode(fd));
  } else if (errno == ENOTSOCK) {
    file_adopt(fd);
  }
  errno = before;
}

void shim_adopt_passed(struct msghdr *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const unsigned char *bytes = CMSG_DATA(part);
    for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len; at += sizeof(int)) {
      int fd;
      memcpy(&fd, bytes + at, sizeof fd);
      shim_adopt(fd);
    }
  }
}
