/** Sending and receiving: the hot paths. */
#include "addon.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include "control.h"

/** Most datagrams in one sendmmsg or recvmmsg. */
#define BATCH_MAX 64

/** Words of the array that describes a datagram's sender. */
enum { FROM_PORTID, FROM_GROUP, FROM_NSID, FROM_WORDS };
/** Words of the array that describes each datagram of a batch: the length comes first. */
enum { SLOT_LENGTH, SLOT_FROM, SLOT_WORDS = SLOT_FROM + FROM_WORDS };

#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL)
/** MSG_TRUNC asks for the datagram's real length; streams ignore it. */
#define RECEIVE_FLAGS (MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC)

/** Room for NETLINK_PKTINFO, NETLINK_LISTEN_ALL_NSID and SCM_CREDENTIALS. */
union ancillary {
  struct cmsghdr aligned;
  char bytes[128];
};

/** Reads portid and groups at `index`, absent on a connected socket. */
static bool argument_destination(const struct call *call, size_t index, struct sockaddr_nl *to,
                                 bool *is_given) {
  int portid;
  int groups;
  *is_given = argument_is_given(call, index);
  if (!*is_given) return true;
  if (call->count < index + 2) {
    napi_throw_type_error(call->env, "ERR_INVALID_ARG_TYPE", "too few arguments");
    return false;
  }
  if (!argument_int(call, index, &portid) || !argument_int(call, index + 1, &groups)) return false;
  *to = (struct sockaddr_nl){
      .nl_family = AF_NETLINK, .nl_pid = (uint32_t)portid, .nl_groups = (uint32_t)groups};
  return true;
}

static int64_t send_to(int fd, struct iovec *parts, size_t count, struct sockaddr_nl *to) {
  struct msghdr message = {.msg_name = to,
                           .msg_namelen = to == NULL ? 0 : sizeof *to,
                           .msg_iov = parts,
                           .msg_iovlen = count};
  ssize_t sent;
  do
    sent = count == 1 && to == NULL ? send(fd, parts->iov_base, parts->iov_len, SEND_FLAGS)
                                    : sendmsg(fd, &message, SEND_FLAGS);
  while (sent < 0 && errno == EINTR);
  return outcome(sent);
}

napi_value send_parts(napi_env env, napi_callback_info info) {
  struct call call;
  struct iovec parts[PARTS_MAX];
  struct sockaddr_nl to;
  size_t count;
  int fd;
  bool is_given;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_parts(&call, 1, parts, &count) ||
      !argument_destination(&call, 2, &to, &is_given))
    return NULL;
  return answer(&call, send_to(fd, parts, count, is_given ? &to : NULL));
}

napi_value send_first(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory bytes;
  int fd;
  int length;
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, 0, &bytes) ||
      !argument_int(&call, 2, &length))
    return NULL;
  if (length < 0 || (size_t)length > bytes.length) return answer(&call, -EINVAL);
  struct iovec part = {.iov_base = bytes.data, .iov_len = (size_t)length};
  return answer(&call, send_to(fd, &part, 1, NULL));
}

napi_value send_many(napi_env env, napi_callback_info info) {
  struct call call;
  struct iovec parts[PARTS_MAX];
  struct mmsghdr messages[BATCH_MAX];
  struct sockaddr_nl to;
  size_t count;
  int fd;
  int sent;
  bool is_given;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_parts(&call, 1, parts, &count) ||
      !argument_destination(&call, 2, &to, &is_given))
    return NULL;
  if (count > BATCH_MAX) count = BATCH_MAX;
  memset(messages, 0, count * sizeof messages[0]);
  for (size_t i = 0; i < count; i++) {
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = is_given ? &to : NULL;
    messages[i].msg_hdr.msg_namelen = is_given ? sizeof to : 0;
  }
  do sent = sendmmsg(fd, messages, (unsigned int)count, SEND_FLAGS);
  while (sent < 0 && errno == EINTR);
  return answer(&call, outcome(sent));
}

/** The number of the lowest group in a mask, 0 for none: what the kernel itself sends to. */
static uint32_t group_of(uint32_t mask) {
  return mask == 0 ? 0 : (uint32_t)__builtin_ctz(mask) + 1;
}

static void describe_sender(const struct sockaddr_nl *sender, socklen_t length, uint32_t *from) {
  bool is_netlink = length == sizeof *sender && sender->nl_family == AF_NETLINK;
  from[FROM_PORTID] = is_netlink ? sender->nl_pid : 0;
  from[FROM_GROUP] = is_netlink ? group_of(sender->nl_groups) : 0;
}

/** Writes who sent a datagram into FROM_WORDS words. */
static void describe(struct msghdr *message, const struct sockaddr_nl *sender, uint32_t *from) {
  describe_sender(sender, message->msg_namelen, from);
  from[FROM_NSID] = (uint32_t)-1;
  struct control part = {0};
  while (control_next(message, &part)) {
    bool is_word = part.level == SOL_NETLINK && part.length >= sizeof from[0];
    if (is_word && part.type == NETLINK_PKTINFO)
      memcpy(&from[FROM_GROUP], part.data, sizeof from[0]);
    else if (is_word && part.type == NETLINK_LISTEN_ALL_NSID)
      memcpy(&from[FROM_NSID], part.data, sizeof from[0]);
    else
      control_close(&part);
  }
}

/** Without the third word of `from`, or all of it, the kernel has less to write, and is faster. */
static int64_t receive_plain(int fd, const struct memory *buffer, uint32_t *from) {
  struct sockaddr_nl sender;
  socklen_t length = sizeof sender;
  struct sockaddr *name = from == NULL ? NULL : (struct sockaddr *)&sender;
  ssize_t received;
  do
    received = recvfrom(fd, buffer->data, buffer->length, RECEIVE_FLAGS, name,
                        name == NULL ? NULL : &length);
  while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;
  if (from != NULL) describe_sender(&sender, length, from);
  return received;
}

static int64_t receive_from(int fd, const struct memory *buffer, const struct memory *from) {
  if (from->length < FROM_WORDS) return receive_plain(fd, buffer, from->data);
  struct sockaddr_nl sender;
  struct iovec part = {.iov_base = buffer->data, .iov_len = buffer->length};
  union ancillary ancillary;
  struct msghdr message = {.msg_name = &sender,
                           .msg_namelen = sizeof sender,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &ancillary,
                           .msg_controllen = sizeof ancillary};
  ssize_t received;
  do received = recvmsg(fd, &message, RECEIVE_FLAGS);
  while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;
  describe(&message, &sender, from->data);
  return received;
}

/** The array for the sender, which may be absent. */
static bool argument_from(const struct call *call, size_t index, struct memory *from) {
  *from = (struct memory){0};
  return index >= call->count ||
         argument_memory(call, index, napi_uint32_array, FROM_NSID, from);
}

napi_value receive_one(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory buffer;
  struct memory from;
  int fd;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, 0, &buffer) ||
      !argument_from(&call, 2, &from))
    return NULL;
  return answer(&call, receive_from(fd, &buffer, &from));
}

/** What converse() answers when other descriptors are ready: longer than any datagram. */
#define OTHERS 0x40000000
/** What is taken off the errno of a failed send, to tell it from that of a receive. */
#define UNSENT 0x10000

/** recv(2) as patient as the descriptor is, unless others want something. */
static int64_t receive_patiently(const struct call *call, int fd, const struct memory *buffer,
                                 bool heeds_others) {
  if (heeds_others && readiness_is_reported(call->environment->readiness)) return OTHERS;
  return outcome(recv(fd, buffer->data, buffer->length, MSG_TRUNC));
}

napi_value converse(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory bytes;
  struct memory buffer;
  int fd;
  int length;
  int others = 0;
  if (!call_begin(env, info, 4, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, 0, &bytes) ||
      !argument_int(&call, 2, &length) ||
      !argument_memory(&call, 3, napi_uint8_array, 0, &buffer) ||
      (call.count > 4 && !argument_int(&call, 4, &others)))
    return NULL;
  if (length < 0 || (size_t)length > bytes.length) return answer(&call, -EINVAL - UNSENT);
  struct iovec part = {.iov_base = bytes.data, .iov_len = (size_t)length};
  int64_t sent = length == 0 ? 0 : send_to(fd, &part, 1, NULL);
  return answer(&call,
                sent < 0 ? sent - UNSENT : receive_patiently(&call, fd, &buffer, others != 0));
}

napi_value receive_many(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory buffer;
  struct memory slots;
  int fd;
  int size;
  int is_bare = 0;
  if (!call_begin(env, info, 4, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, 0, &buffer) ||
      !argument_int(&call, 2, &size) ||
      !argument_memory(&call, 3, napi_uint32_array, SLOT_WORDS, &slots) ||
      (call.count > 4 && !argument_int(&call, 4, &is_bare)))
    return NULL;
  if (size <= 0 || (size_t)size > buffer.length) return answer(&call, -EINVAL);
  size_t count = buffer.length / (size_t)size;
  if (count > slots.length / SLOT_WORDS) count = slots.length / SLOT_WORDS;
  if (count > BATCH_MAX) count = BATCH_MAX;
  struct mmsghdr messages[BATCH_MAX];
  struct iovec parts[BATCH_MAX];
  struct sockaddr_nl senders[BATCH_MAX];
  union ancillary ancillaries[BATCH_MAX];
  for (size_t i = 0; i < count; i++) {
    parts[i] = (struct iovec){.iov_base = (char *)buffer.data + i * (size_t)size,
                              .iov_len = (size_t)size};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    if (is_bare) continue;
    messages[i].msg_hdr.msg_name = &senders[i];
    messages[i].msg_hdr.msg_namelen = sizeof senders[i];
    messages[i].msg_hdr.msg_control = &ancillaries[i];
    messages[i].msg_hdr.msg_controllen = sizeof ancillaries[i];
  }
  int received;
  do received = recvmmsg(fd, messages, (unsigned int)count, RECEIVE_FLAGS, NULL);
  while (received < 0 && errno == EINTR);
  if (received < 0) return answer(&call, -errno);
  uint32_t *slot = slots.data;
  for (int i = 0; i < received; i++, slot += SLOT_WORDS) {
    slot[SLOT_LENGTH] = messages[i].msg_len;
    if (!is_bare) describe(&messages[i].msg_hdr, &senders[i], &slot[SLOT_FROM]);
  }
  return answer(&call, received);
}

napi_value exchange(napi_env env, napi_callback_info info) {
  struct call call;
  struct iovec parts[PARTS_MAX];
  struct memory buffer;
  struct memory from;
  size_t count;
  int fd;
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &fd) ||
      !argument_parts(&call, 1, parts, &count) ||
      !argument_memory(&call, 2, napi_uint8_array, 0, &buffer) ||
      !argument_from(&call, 3, &from))
    return NULL;
  int64_t sent = send_to(fd, parts, count, NULL);
  return answer(&call, sent < 0 ? sent : receive_from(fd, &buffer, &from));
}
