/** A dump of the kernel's own objects, for what libc asks the kernel about by itself. */
#include "dump.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/** Bytes of one datagram at most: what a kernel fills with one buffer. */
#define ROOM 32768

/** Gives each message of a datagram to `take`: 1 to go on, 0 at the end, or a negative errno. */
static int read_messages(const char *bytes, size_t length, shim_take take, void *context) {
  for (size_t at = 0; length - at >= sizeof(struct nlmsghdr);) {
    const struct nlmsghdr *header = (const struct nlmsghdr *)(bytes + at);
    if (header->nlmsg_len < sizeof *header || header->nlmsg_len > length - at) return -EIO;
    if (header->nlmsg_type == NLMSG_DONE) return 0;
    if (header->nlmsg_type == NLMSG_ERROR) {
      if (header->nlmsg_len < NLMSG_LENGTH(sizeof(int))) return -EIO;
      return *(const int *)NLMSG_DATA(header);
    }
    int refused = take(header, context);
    if (refused < 0) return refused;
    at += NLMSG_ALIGN(header->nlmsg_len);
    if (at > length) break;
  }
  return 1;
}

int shim_dump(uint16_t type, shim_take take, void *context) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg body;
  } request = {
      .header = {.nlmsg_len = sizeof request,
                 .nlmsg_type = type,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                 .nlmsg_seq = 1},
  };
  struct iovec part = {&request, sizeof request};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  uint64_t socket = shim_socket_of(fd);
  char *bytes = malloc(ROOM);
  int64_t result = bytes ? shim_send(fd, socket, &message, 0) : -ENOMEM;
  part = (struct iovec){bytes, ROOM};
  int more = result < 0 ? (int)result : 1;
  while (more > 0) {
    result = shim_receive(fd, socket, &message, 0);
    more = result < 0 ? (int)result : read_messages(bytes, (size_t)result, take, context);
  }
  free(bytes);
  close(fd);
  return more;
}

bool shim_attribute(const char **at, const char *end, struct rtattr *attribute) {
  if (end - *at < (ptrdiff_t)sizeof *attribute) return false;
  memcpy(attribute, *at, sizeof *attribute);
  return attribute->rta_len >= sizeof *attribute && attribute->rta_len <= end - *at;
}
