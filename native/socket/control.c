/** Descriptors and credentials beside the bytes (unix(7)). */
#include "control.h"

#include <string.h>
#include <unistd.h>

#include "addon.h"

/** Linux 6.5, include/linux/socket.h; not in every libc's headers. */
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

/** SCM_MAX_FD of include/net/scm.h. */
#define DESCRIPTORS_MAX 253

/** Words of the array that describes what came with a message. */
enum {
  CONTROL_FLAGS,
  CONTROL_PID,
  CONTROL_UID,
  CONTROL_GID,
  CONTROL_COUNT,
  CONTROL_DESCRIPTORS,
};

union ancillary {
  struct cmsghdr aligned;
  char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

bool control_next(const struct msghdr *message, struct control *part) {
  struct cmsghdr header;
  size_t at = part->next;
  if (message->msg_controllen < at + sizeof header) return false;
  memcpy(&header, (const char *)message->msg_control + at, sizeof header);
  if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > message->msg_controllen - at)
    return false;
  part->level = header.cmsg_level;
  part->type = header.cmsg_type;
  part->data = (const char *)message->msg_control + at + CMSG_LEN(0);
  part->length = header.cmsg_len - CMSG_LEN(0);
  part->next = at + CMSG_SPACE(part->length);
  return true;
}

size_t control_descriptors(const struct control *part) {
  bool has = part->level == SOL_SOCKET && (part->type == SCM_RIGHTS || part->type == SCM_PIDFD);
  return has ? part->length / sizeof(int) : 0;
}

int control_descriptor(const struct control *part, size_t index) {
  int fd;
  memcpy(&fd, part->data + index * sizeof fd, sizeof fd);
  return fd;
}

void control_close(const struct control *part) {
  for (size_t i = 0; i < control_descriptors(part); i++) {
    int fd = control_descriptor(part, i);
    if (fd >= 0) close(fd);
  }
}

/** Appends one part to the message's ancillary data. */
static void control_put(struct msghdr *message, int type, const void *data, size_t length) {
  struct cmsghdr header = {
      .cmsg_level = SOL_SOCKET, .cmsg_type = type, .cmsg_len = CMSG_LEN(length)};
  char *at = (char *)message->msg_control + message->msg_controllen;
  memset(at, 0, CMSG_SPACE(length));
  memcpy(at, &header, sizeof header);
  memcpy(at + CMSG_LEN(0), data, length);
  message->msg_controllen += CMSG_SPACE(length);
}

napi_value send_control(napi_env env, napi_callback_info info) {
  struct call call;
  struct iovec parts[PARTS_MAX];
  struct memory descriptors = {0};
  struct memory credentials = {0};
  union ancillary ancillary;
  size_t count;
  int fd;
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &fd) ||
      !argument_parts(&call, 1, parts, &count) ||
      (argument_is_given(&call, 2) &&
       !argument_memory(&call, 2, napi_int32_array, 0, &descriptors)) ||
      (argument_is_given(&call, 3) &&
       !argument_memory(&call, 3, napi_int32_array, 3, &credentials)))
    return NULL;
  if (descriptors.length > DESCRIPTORS_MAX) return answer(&call, -ETOOMANYREFS);
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = count, .msg_control = &ancillary};
  if (credentials.length > 0)
    control_put(&message, SCM_CREDENTIALS, credentials.data, sizeof(struct ucred));
  if (descriptors.length > 0)
    control_put(&message, SCM_RIGHTS, descriptors.data, descriptors.length * sizeof(int));
  ssize_t sent;
  do sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return answer(&call, outcome(sent));
}

/** Owns as many descriptors as there is room for, closes the others. */
static void take(struct environment *environment, const struct control *part, int32_t *control,
                 size_t room) {
  for (size_t i = 0; i < control_descriptors(part); i++) {
    int fd = control_descriptor(part, i);
    bool fits = part->type == SCM_RIGHTS && (size_t)control[CONTROL_COUNT] < room;
    if (fits && owned_add(environment, fd) >= 0) {
      control[CONTROL_DESCRIPTORS + control[CONTROL_COUNT]++] = fd;
      continue;
    }
    if (!fits) close(fd);
    control[CONTROL_FLAGS] |= MSG_CTRUNC;
  }
}

/** Writes what came with the message into `control`. */
static void unpack(struct environment *environment, struct msghdr *message, int32_t *control,
                   size_t room) {
  struct control part = {0};
  control[CONTROL_FLAGS] = message->msg_flags & ~MSG_CMSG_CLOEXEC;
  control[CONTROL_PID] = control[CONTROL_UID] = control[CONTROL_GID] = -1;
  control[CONTROL_COUNT] = 0;
  while (control_next(message, &part)) {
    if (part.level == SOL_SOCKET && part.type == SCM_CREDENTIALS &&
        part.length >= sizeof(struct ucred))
      memcpy(&control[CONTROL_PID], part.data, sizeof(struct ucred));
    else
      take(environment, &part, control, room);
  }
}

napi_value receive_control(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory buffer;
  struct memory control;
  union ancillary ancillary;
  int fd;
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, 0, &buffer) ||
      !argument_memory(&call, 2, napi_int32_array, CONTROL_DESCRIPTORS, &control))
    return NULL;
  size_t room = control.length - CONTROL_DESCRIPTORS;
  if (room > DESCRIPTORS_MAX) room = DESCRIPTORS_MAX;
  struct iovec part = {.iov_base = buffer.data, .iov_len = buffer.length};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &ancillary,
                           .msg_controllen = CMSG_SPACE(sizeof(struct ucred)) +
                                             (room == 0 ? 0 : CMSG_SPACE(room * sizeof(int)))};
  ssize_t received;
  do received = recvmsg(fd, &message, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  if (received < 0) return answer(&call, -errno);
  unpack(call.environment, &message, control.data, room);
  return answer(&call, received);
}
