/** All forms of sending. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "ahead.h"
#include "files.h"

/** Linux: UIO_MAXIOV. */
#define MOST_PARTS 1024

/** What stands beside the data: 0, or the errno that Linux has for it. */
static int read_control(const struct msghdr *message, struct ucred *credentials, bool *given) {
  if (!message->msg_control || message->msg_controllen < sizeof(struct cmsghdr)) return 0;
  struct msghdr rest = *message;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&rest); part; part = CMSG_NXTHDR(&rest, part)) {
    if (part->cmsg_len < CMSG_LEN(0)) return -EINVAL;
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type != SCM_CREDENTIALS) return -EINVAL;
    if (part->cmsg_len != CMSG_LEN(sizeof *credentials)) return -EINVAL;
    memcpy(credentials, CMSG_DATA(part), sizeof *credentials);
    *given = true;
  }
  return 0;
}

/** Milliseconds until SO_SNDTIMEO is over, -1 for never. */
static int32_t patience(int fd) {
  struct timeval limit = {0};
  socklen_t length = sizeof limit;
  if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length) < 0) return -1;
  if (limit.tv_sec == 0 && limit.tv_usec == 0) return -1;
  int64_t milliseconds = (int64_t)limit.tv_sec * 1000 + (limit.tv_usec + 999) / 1000;
  return milliseconds > INT32_MAX ? INT32_MAX : (int32_t)milliseconds;
}

/** Asks again where the receiver's queue is full and the sender may wait: the kernel waits then. */
static int64_t ask_patiently(int fd, struct shim_call *call, int flags) {
  struct iovec into;
  size_t room = ahead_room(call->request.socket, &into);
  call->request.b = (uint32_t)room;
  call->in = &into;
  call->in_count = room ? 1 : 0;
  int64_t result = shim_ask(call);
  if (room) ahead_keep(fd, call->request.socket, result < 0 ? NULL : call);
  call->request.b = 0;
  call->in_count = 0;
  if (result != -EAGAIN || flags & MSG_DONTWAIT) return result;
  if (LIBC(fcntl)(fd, F_GETFL) & O_NONBLOCK) return result;
  call->request.flags |= SHIM_WAIT;
  call->request.c = patience(fd);
  return shim_ask(call);
}

/** `message` with its parts put together: NULL when there is no memory. */
static void *together(const struct msghdr *message, size_t length) {
  char *all = malloc(length ? length : 1);
  size_t at = 0;
  for (size_t i = 0; all && i < message->msg_iovlen; i++) {
    memcpy(all + at, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    at += message->msg_iov[i].iov_len;
  }
  return all;
}

int64_t shim_send(int fd, uint64_t socket, const struct msghdr *message, int flags) {
  struct ucred credentials;
  bool has_credentials = false;
  struct iovec parts[SHIM_PARTS];
  size_t count = 0;
  size_t length = 0;
  void *copy = NULL;
  if (message->msg_iovlen > MOST_PARTS) return -EMSGSIZE;
  for (size_t i = 0; i < message->msg_iovlen; i++) length += message->msg_iov[i].iov_len;
  if (flags & MSG_OOB) return -EOPNOTSUPP;
  if (length == 0) return -ENODATA;
  int refused = read_control(message, &credentials, &has_credentials);
  if (refused < 0) return refused;
  if (length > SHIM_PAYLOAD_MAX - 256) return -EMSGSIZE;

  struct shim_call call = {.request = {.op = SHIM_SEND, .a = (uint32_t)flags, .socket = socket}};
  if (message->msg_name && message->msg_namelen > 0) {
    if (message->msg_namelen > sizeof(struct sockaddr_storage)) return -EINVAL;
    call.request.flags |= SHIM_HAS_NAME;
    call.request.name_length = (uint16_t)message->msg_namelen;
    parts[count++] = (struct iovec){message->msg_name, message->msg_namelen};
  }
  if (has_credentials) {
    call.request.flags |= SHIM_HAS_CREDENTIALS;
    parts[count++] = (struct iovec){&credentials, sizeof credentials};
  }
  if (message->msg_iovlen <= SHIM_PARTS - 2) {
    for (size_t i = 0; i < message->msg_iovlen; i++) parts[count++] = message->msg_iov[i];
  } else {
    copy = together(message, length);
    if (!copy) return -ENOBUFS;
    parts[count++] = (struct iovec){copy, length};
  }
  call.out = parts;
  call.out_count = count;
  int64_t result = ask_patiently(fd, &call, flags);
  free(copy);
  return result;
}

/** The program's parts, as a message without a name. */
static int64_t send_parts(int fd, uint64_t socket, const struct iovec *parts, size_t count) {
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = count};
  return shim_outcome(shim_send(fd, socket, &message, 0));
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(sendmsg)(fd, message, flags);
  return shim_outcome(shim_send(fd, socket, message, flags));
}

EXPORT ssize_t sendto(int fd, const void *bytes, size_t length, int flags,
                      const struct sockaddr *to, socklen_t to_length) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(sendto)(fd, bytes, length, flags, to, to_length);
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (to) {
    message.msg_name = (void *)to;
    message.msg_namelen = to_length;
  }
  return shim_outcome(shim_send(fd, socket, &message, flags));
}

EXPORT ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(send)(fd, bytes, length, flags);
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  return shim_outcome(shim_send(fd, socket, &message, flags));
}

EXPORT ssize_t write(int fd, const void *bytes, size_t length) {
  uint64_t socket = shim_socket_of(fd);
  char full[FILE_PATH];
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
  if (socket == 0 && file_is_written(fd, full)) return shim_outcome(file_write(full, &part, 1));
  if (socket == 0) return LIBC(write)(fd, bytes, length);
  return send_parts(fd, socket, &part, 1);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count) {
  uint64_t socket = shim_socket_of(fd);
  char full[FILE_PATH];
  if (socket == 0 && count > 0 && file_is_written(fd, full))
    return shim_outcome(file_write(full, parts, (size_t)count));
  if (socket == 0) return LIBC(writev)(fd, parts, count);
  if (count < 0) return shim_outcome(-EINVAL);
  return send_parts(fd, socket, parts, (size_t)count);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
  uint64_t socket = shim_socket_of(fd);
  if (socket == 0) return LIBC(sendmmsg)(fd, messages, count, flags);
  unsigned int sent = 0;
  for (; sent < count && sent < MOST_PARTS; sent++) {
    int64_t result = shim_send(fd, socket, &messages[sent].msg_hdr, flags);
    if (result < 0 && sent == 0) return (int)shim_outcome(result);
    if (result < 0) break;
    messages[sent].msg_len = (unsigned int)result;
  }
  return (int)sent;
}
