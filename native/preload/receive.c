/** All forms of receiving. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ahead.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif
#define CMSG_PKTINFO 3
#define CMSG_NSID 8
#define MOST_MESSAGES 1024

/**
 * Waits until there is something, as long as the socket's flags and options say: the token is
 * looked at, not taken. 0, or a negative errno.
 */
static int await(int fd, int flags) {
  uint32_t token;
  int wait = MSG_PEEK | (flags & MSG_DONTWAIT);
  ssize_t seen = LIBC(recv)(fd, &token, sizeof token, wait);
  if (seen < 0) return -errno;
  return seen == sizeof token ? 0 : -ECONNRESET;
}

/** Puts something beside the data, as put_cmsg() does. */
static void put_control(struct msghdr *message, size_t *used, size_t room, int level, int type,
                        const void *data, size_t length) {
  struct cmsghdr header = {
      .cmsg_len = CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type};
  size_t left = room - *used;
  if (!message->msg_control || left < sizeof header) {
    message->msg_flags |= MSG_CTRUNC;
    return;
  }
  if (left < header.cmsg_len) {
    message->msg_flags |= MSG_CTRUNC;
    header.cmsg_len = left;
  }
  char *at = (char *)message->msg_control + *used;
  memcpy(at, &header, sizeof header);
  memcpy(at + CMSG_LEN(0), data, header.cmsg_len - CMSG_LEN(0));
  size_t space = CMSG_SPACE(length);
  *used += space < left ? space : left;
}

/** Says what the answer says of the datagram: its sender, and what comes beside it. */
static void describe(struct msghdr *message, const struct shim_answer *answer) {
  struct {
    uint16_t family;
    uint16_t pad;
    uint32_t portid;
    uint32_t groups;
  } name = {.family = AF_NETLINK, .portid = answer->portid, .groups = answer->groups};
  if (message->msg_name) {
    size_t room = message->msg_namelen;
    memcpy(message->msg_name, &name, room < sizeof name ? room : sizeof name);
    message->msg_namelen = sizeof name;
  }
  size_t room = message->msg_controllen;
  size_t used = 0;
  if (answer->flags & SHIM_PKTINFO)
    put_control(message, &used, room, SOL_NETLINK, CMSG_PKTINFO, &answer->group, 4);
  if (answer->flags & SHIM_NSID)
    put_control(message, &used, room, SOL_NETLINK, CMSG_NSID, &answer->nsid, 4);
  if (answer->flags & SHIM_CREDENTIALS) {
    struct ucred who = {
        .pid = (pid_t)answer->pid, .uid = answer->uid, .gid = answer->gid};
    put_control(message, &used, room, SOL_SOCKET, SCM_CREDENTIALS, &who, sizeof who);
  }
  message->msg_controllen = used;
}

/** Copies what came into many parts. */
static void scatter(const struct msghdr *message, const char *bytes, size_t length) {
  for (size_t i = 0; i < message->msg_iovlen && length > 0; i++) {
    size_t size = message->msg_iov[i].iov_len < length ? message->msg_iov[i].iov_len : length;
    memcpy(message->msg_iov[i].iov_base, bytes, size);
    bytes += size;
    length -= size;
  }
}

/** Asks for the datagram in front: its whole length, or a negative errno. */
static int64_t ask(uint64_t socket, struct msghdr *message, size_t room, int flags,
                   struct shim_call *call) {
  struct iovec one = {.iov_len = room};
  bool is_many = message->msg_iovlen > SHIM_PARTS;
  *call = (struct shim_call){.request = {.op = SHIM_RECEIVE,
                                         .a = (uint32_t)flags,
                                         .c = (int32_t)room,
                                         .socket = socket},
                             .in = message->msg_iov,
                             .in_count = message->msg_iovlen};
  if (is_many) {
    one.iov_base = malloc(room ? room : 1);
    if (!one.iov_base) return -ENOMEM;
    call->in = &one;
    call->in_count = 1;
  }
  int64_t result = shim_ask(call);
  if (is_many) {
    if (result >= 0) scatter(message, one.iov_base, call->received);
    free(one.iov_base);
  }
  return result;
}

/** Waits for a datagram and takes it: its whole length, or a negative errno. */
static int64_t await_and_ask(int fd, uint64_t socket, struct msghdr *message, size_t room,
                             int flags, struct shim_call *call) {
  int64_t result;
  do {
    result = await(fd, flags);
    if (result < 0) return result;
    result = ask(socket, message, room, flags, call);
    if (result != -ECONNRESET && result != -EFAULT) shim_retire(fd, socket, &call->answer);
  } while (result == -EAGAIN);
  return result;
}

int64_t shim_receive(int fd, uint64_t socket, struct msghdr *message, int flags) {
  struct shim_call call;
  size_t room = 0;
  int64_t result;
  if (flags & MSG_OOB) return -EOPNOTSUPP;
  if (message->msg_iovlen > MOST_MESSAGES) return -EMSGSIZE;
  for (size_t i = 0; i < message->msg_iovlen; i++) room += message->msg_iov[i].iov_len;
  if (room > SHIM_PAYLOAD_MAX - 256) room = SHIM_PAYLOAD_MAX - 256;
  if (!ahead_take(socket, message, room, flags, &call.answer, &result)) {
    result = await_and_ask(fd, socket, message, room, flags, &call);
    ahead_waited(socket);
  }
  if (result < 0) return result;
  message->msg_flags = (size_t)result > room ? MSG_TRUNC : 0;
  describe(message, &call.answer);
  return flags & MSG_TRUNC || (size_t)result <= room ? result : (int64_t)room;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  uint64_t socket = shim_socket_of(fd);
  if (socket != 0) return shim_outcome(shim_receive(fd, socket, message, flags));
  ssize_t got = LIBC(recvmsg)(fd, message, flags);
  if (got >= 0 && message->msg_control && shim_is_on()) shim_adopt_passed(message);
  return got;
}

/** Into one buffer, with the sender's address. */
static ssize_t receive_into(int fd, uint64_t socket, void *bytes, size_t length, int flags,
                            struct sockaddr *from, socklen_t *from_length) {
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (from) {
    message.msg_name = from;
    message.msg_namelen = from_length ? *from_length : 0;
  }
  int64_t result = shim_receive(fd, socket, &message, flags);
  if (result >= 0 && from && from_length) *from_length = message.msg_namelen;
  return shim_outcome(result);
}

EXPORT ssize_t recvfrom(int fd, void *bytes, size_t length, int flags, struct sockaddr *from,
                        socklen_t *from_length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(recvfrom)(fd, bytes, length, flags, from, from_length);
  return receive_into(fd, socket, bytes, length, flags, from, from_length);
}

EXPORT ssize_t recv(int fd, void *bytes, size_t length, int flags) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(recv)(fd, bytes, length, flags);
  return receive_into(fd, socket, bytes, length, flags, NULL, NULL);
}

EXPORT ssize_t read(int fd, void *bytes, size_t length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(read)(fd, bytes, length);
  return length == 0 ? 0 : receive_into(fd, socket, bytes, length, 0, NULL, NULL);
}

EXPORT ssize_t readv(int fd, const struct iovec *parts, int count) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(readv)(fd, parts, count);
  if (count < 0) return shim_outcome(-EINVAL);
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
  return shim_outcome(shim_receive(fd, socket, &message, 0));
}

/** What is left of `limit` since `start`: whether there is something left. */
static bool is_over(const struct timespec *start, const struct timespec *limit) {
  struct timespec now;
  if (!limit) return false;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  int64_t passed = (now.tv_sec - start->tv_sec) * 1000000000LL + now.tv_nsec - start->tv_nsec;
  return passed >= limit->tv_sec * 1000000000LL + limit->tv_nsec;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
                    struct timespec *limit) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(recvmmsg)(fd, messages, count, flags, limit);
  struct timespec start;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &start);
  unsigned int got = 0;
  while (got < count && got < MOST_MESSAGES) {
    int64_t result = shim_receive(fd, socket, &messages[got].msg_hdr, flags & ~MSG_WAITFORONE);
    if (result < 0 && got == 0) return (int)shim_outcome(result);
    if (result < 0) break;
    messages[got++].msg_len = (unsigned int)result;
    if (flags & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
    if (is_over(&start, limit)) break;
  }
  return (int)got;
}
