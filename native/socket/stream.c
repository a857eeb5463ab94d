/**
 * Many stream sockets at once: one call waits for them and reads them, another writes them.
 *
 * Bytes are read into and sent from one memory that JavaScript gives; what happened is said in two
 * arrays of words. libuv is told to call back when a socket is ready. While there is work JavaScript
 * stays, and waits here for sockets and libuv alike: that costs less than a turn of libuv's loop
 * for each message. libuv's own functions are declared here: its header is not everywhere where
 * Node is, and its ABI stands.
 */
#include "addon.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "control.h"

#define WEAK __attribute__((weak))
#define UV_READABLE 1
/** UV_POLL of uv_handle_type. */
#define UV_POLL_TYPE 8

struct uv_loop_s;
typedef struct uv_handle uv_handle;
WEAK size_t uv_handle_size(int type);
WEAK void uv_handle_set_data(uv_handle *handle, void *data);
WEAK void *uv_handle_get_data(const uv_handle *handle);
WEAK int uv_poll_init(struct uv_loop_s *loop, uv_handle *handle, int fd);
WEAK int uv_poll_start(uv_handle *handle, int events, void (*call)(uv_handle *, int, int));
WEAK int uv_poll_stop(uv_handle *handle);
WEAK void uv_unref(uv_handle *handle);
WEAK void uv_close(uv_handle *handle, void (*closed)(uv_handle *));
WEAK int uv_backend_fd(const struct uv_loop_s *loop);
WEAK int uv_backend_timeout(const struct uv_loop_s *loop);
WEAK void uv_update_time(struct uv_loop_s *loop);

/** Sockets that one turn serves. */
#define EVENTS_MAX 64
/** Most bytes that are read from one socket in a turn, and the least worth reading. */
#define READ_MOST (64 * 1024)
#define READ_LEAST (16 * 1024)
/** SCM_MAX_FD of include/net/scm.h. */
#define DESCRIPTORS_MAX 253

/** Words that describe each event. */
enum { EVENT_FD, EVENT_EVENTS, EVENT_RESULT, EVENT_AT, EVENT_FDS_AT, EVENT_FDS, EVENT_WORDS };
/** What is done with a socket that is ready: nothing, read, read with descriptors. */
enum { KIND_REPORT, KIND_READ, KIND_READ_FDS };
/** Bit of turn's answer: libuv has something to do. */
#define LOOP_WAITS 0x10000
/** What libuv's own descriptor is known by. */
#define LOOP UINT64_MAX

struct streams {
  napi_env env;
  struct environment *environment;
  struct uv_loop_s *loop;
  uv_handle *poll;
  napi_async_cleanup_hook_handle cleanup;
  napi_ref on_ready;
  napi_ref arrays[4];
  int epoll;
  /** libuv's descriptor is among ours, and ours is not among libuv's. */
  bool is_inside;
  unsigned char *memory;
  size_t memory_length;
  /** The first bytes of the memory are read into. */
  size_t read_length;
  int32_t *events;
  size_t events_max;
  int32_t *descriptors;
  size_t descriptors_length;
  int32_t *plan;
  size_t plan_length;
};

union ancillary {
  struct cmsghdr aligned;
  char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

static void on_ready(uv_handle *handle, int status, int events) {
  struct streams *streams = uv_handle_get_data(handle);
  napi_env env = streams->env;
  napi_handle_scope scope;
  napi_value callback;
  napi_value global;
  (void)status;
  (void)events;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, streams->on_ready, &callback) == napi_ok &&
      napi_get_global(env, &global) == napi_ok &&
      napi_make_callback(env, NULL, global, callback, 0, NULL, NULL) == napi_pending_exception) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok)
      napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

static void closed(uv_handle *handle) {
  struct streams *streams = uv_handle_get_data(handle);
  close(streams->epoll);
  napi_remove_async_cleanup_hook(streams->cleanup);
  free(streams);
  free(handle);
}

static void end_streams(napi_async_cleanup_hook_handle handle, void *data) {
  struct streams *streams = data;
  (void)handle;
  napi_delete_reference(streams->env, streams->on_ready);
  for (size_t i = 0; i < sizeof streams->arrays / sizeof streams->arrays[0]; i++)
    napi_delete_reference(streams->env, streams->arrays[i]);
  uv_poll_stop(streams->poll);
  uv_close(streams->poll, closed);
}

/** libuv calls back when a socket is ready. */
static int watch_from_libuv(struct streams *streams) {
  return uv_poll_start(streams->poll, UV_READABLE, on_ready);
}

static int open_poll(struct streams *streams) {
  if (uv_handle_size == NULL || uv_poll_init == NULL || uv_backend_fd == NULL) return -ENOSYS;
  if (napi_get_uv_event_loop(streams->env, &streams->loop) != napi_ok) return -ENOSYS;
  streams->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (streams->epoll < 0) return -errno;
  streams->poll = calloc(1, uv_handle_size(UV_POLL_TYPE));
  int result = streams->poll == NULL ? -ENOMEM
                                     : uv_poll_init(streams->loop, streams->poll, streams->epoll);
  if (result < 0) {
    free(streams->poll);
    close(streams->epoll);
    return result;
  }
  uv_handle_set_data(streams->poll, streams);
  uv_unref(streams->poll);
  return watch_from_libuv(streams);
}

napi_value start_streams(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory memory[4];
  if (!call_begin(env, info, 5, &call) ||
      !argument_memory(&call, 0, napi_uint8_array, 4 * READ_MOST, &memory[0]) ||
      !argument_memory(&call, 1, napi_int32_array, EVENT_WORDS, &memory[1]) ||
      !argument_memory(&call, 2, napi_int32_array, DESCRIPTORS_MAX, &memory[2]) ||
      !argument_memory(&call, 3, napi_int32_array, 4, &memory[3]))
    return NULL;
  if (call.environment->streams != NULL) return answer(&call, -EALREADY);
  struct streams *streams = calloc(1, sizeof *streams);
  if (streams == NULL) return answer(&call, -ENOMEM);
  *streams = (struct streams){.env = env,
                              .environment = call.environment,
                              .memory = memory[0].data,
                              .memory_length = memory[0].length,
                              .read_length = memory[0].length / 2,
                              .events = memory[1].data,
                              .events_max = memory[1].length / EVENT_WORDS,
                              .descriptors = memory[2].data,
                              .descriptors_length = memory[2].length,
                              .plan = memory[3].data,
                              .plan_length = memory[3].length};
  int result = open_poll(streams);
  if (result < 0) {
    free(streams);
    return answer(&call, result);
  }
  napi_create_reference(env, call.arguments[4], 1, &streams->on_ready);
  for (size_t i = 0; i < 4; i++)
    napi_create_reference(env, call.arguments[i], 1, &streams->arrays[i]);
  napi_add_async_cleanup_hook(env, end_streams, streams, &streams->cleanup);
  call.environment->streams = streams;
  return answer(&call, 0);
}

napi_value watch_stream(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  int kind;
  int events;
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &fd) ||
      !argument_int(&call, 1, &kind) || !argument_int(&call, 2, &events))
    return NULL;
  if (call.environment->streams == NULL || fd < 0) return answer(&call, -EINVAL);
  int epoll = call.environment->streams->epoll;
  struct epoll_event event = {.events = (uint32_t)events,
                              .data.u64 = (uint32_t)fd | (uint64_t)(uint32_t)kind << 32};
  int result = epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  if (result < 0 && errno == ENOENT) result = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  return answer(&call, outcome(result));
}

napi_value unwatch_stream(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &fd)) return NULL;
  if (call.environment->streams == NULL) return answer(&call, 0);
  int64_t result = outcome(epoll_ctl(call.environment->streams->epoll, EPOLL_CTL_DEL, fd, NULL));
  return answer(&call, result == -ENOENT ? 0 : result);
}

/** Owns the descriptors that came; how many. Without room for one, `result` says so. */
static size_t take_descriptors(struct streams *streams, const struct msghdr *message,
                               int32_t *into, int64_t *result) {
  struct control part = {0};
  size_t count = 0;
  if (message->msg_flags & MSG_CTRUNC) *result = -EMFILE;
  while (control_next(message, &part)) {
    if (part.level != SOL_SOCKET || part.type != SCM_RIGHTS) {
      control_close(&part);
      continue;
    }
    for (size_t i = 0; i < control_descriptors(&part); i++) {
      int fd = control_descriptor(&part, i);
      if (owned_add(streams->environment, fd) >= 0) into[count++] = fd;
      else *result = -ENOMEM;
    }
  }
  return count;
}

static int64_t read_bytes(int fd, unsigned char *into, size_t room) {
  ssize_t count;
  do count = recv(fd, into, room, MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  return outcome(count);
}

static int64_t read_with_descriptors(struct streams *streams, int fd, unsigned char *into,
                                     size_t room, int32_t *descriptors, size_t *taken) {
  union ancillary ancillary;
  struct iovec part = {.iov_base = into, .iov_len = room};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &ancillary,
                           .msg_controllen = sizeof ancillary};
  ssize_t count;
  do count = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  *taken = 0;
  if (count < 0) return -errno;
  int64_t result = count;
  if (message.msg_controllen > 0)
    *taken = take_descriptors(streams, &message, descriptors, &result);
  return result;
}

/** Reads what is ready; how many events are told. Those without room stay ready. */
static size_t read_ready(struct streams *streams, const struct epoll_event *ready, size_t count) {
  size_t told = 0;
  size_t at = 0;
  size_t fds_at = 0;
  for (size_t i = 0; i < count; i++) {
    if (ready[i].data.u64 == LOOP) continue;
    int fd = (int)(uint32_t)ready[i].data.u64;
    int kind = (int)(ready[i].data.u64 >> 32);
    bool is_read = kind != KIND_REPORT && (ready[i].events & ~(uint32_t)EPOLLOUT) != 0;
    int32_t *event = streams->events + told * EVENT_WORDS;
    size_t fds = 0;
    int64_t result = -EAGAIN;
    if (is_read) {
      size_t room = streams->read_length - at;
      if (room > READ_MOST) room = READ_MOST;
      if (room < READ_LEAST || streams->descriptors_length - fds_at < DESCRIPTORS_MAX) continue;
      result = kind == KIND_READ
                   ? read_bytes(fd, streams->memory + at, room)
                   : read_with_descriptors(streams, fd, streams->memory + at, room,
                                           streams->descriptors + fds_at, &fds);
    }
    event[EVENT_FD] = fd;
    event[EVENT_EVENTS] = (int32_t)ready[i].events;
    event[EVENT_RESULT] = (int32_t)result;
    event[EVENT_AT] = (int32_t)at;
    event[EVENT_FDS_AT] = (int32_t)fds_at;
    event[EVENT_FDS] = (int32_t)fds;
    if (result > 0) at += ((size_t)result + 63) & ~(size_t)63;
    if (at > streams->read_length) at = streams->read_length;
    fds_at += fds;
    told++;
  }
  return told;
}

/** From now on we wait for libuv, and not libuv for us; false when that cannot be. */
static bool go_inside(struct streams *streams) {
  if (streams->is_inside) return true;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = LOOP};
  uv_poll_stop(streams->poll);
  int result =
      epoll_ctl(streams->epoll, EPOLL_CTL_ADD, uv_backend_fd(streams->loop), &event);
  if (result < 0) {
    watch_from_libuv(streams);
    return false;
  }
  streams->is_inside = true;
  return true;
}

static void go_outside(struct streams *streams) {
  if (!streams->is_inside) return;
  epoll_ctl(streams->epoll, EPOLL_CTL_DEL, uv_backend_fd(streams->loop), NULL);
  streams->is_inside = false;
  watch_from_libuv(streams);
}

/** How long we may wait, milliseconds; 0 when libuv has something to do. */
static int patience(struct streams *streams) {
  if (!go_inside(streams)) return 0;
  uv_update_time(streams->loop);
  return uv_backend_timeout(streams->loop);
}

napi_value turn_streams(napi_env env, napi_callback_info info) {
  struct call call;
  struct epoll_event ready[EVENTS_MAX];
  int waits;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &waits)) return NULL;
  struct streams *streams = call.environment->streams;
  if (streams == NULL) return answer(&call, -EINVAL);
  int most = streams->events_max < EVENTS_MAX ? (int)streams->events_max : EVENTS_MAX;
  int timeout = waits ? patience(streams) : 0;
  int count = epoll_wait(streams->epoll, ready, most, timeout);
  if (count < 0) count = 0;
  bool leaves = waits && (timeout == 0 || count == 0);
  for (int i = 0; i < count; i++) leaves |= ready[i].data.u64 == LOOP;
  size_t told = read_ready(streams, ready, (size_t)count);
  if (leaves) go_outside(streams);
  return answer(&call, (int64_t)told | (leaves ? LOOP_WAITS : 0));
}

napi_value leave_streams(napi_env env, napi_callback_info info) {
  struct call call;
  if (!call_begin(env, info, 0, &call)) return NULL;
  if (call.environment->streams != NULL) go_outside(call.environment->streams);
  return answer(&call, 0);
}

/** Sends `count` parts of the memory; bytes that went, or a negative errno if none did. */
static int64_t send_plan(struct streams *streams, int fd, const int32_t *parts, size_t count) {
  struct iovec vectors[PARTS_MAX];
  int64_t total = 0;
  for (size_t done = 0; done < count;) {
    size_t length = 0;
    size_t some = 0;
    for (; some < PARTS_MAX && done + some < count; some++) {
      const int32_t *part = parts + 2 * (done + some);
      size_t at = (size_t)part[0];
      size_t bytes = (size_t)part[1];
      if (part[0] < 0 || part[1] < 0 || at + bytes > streams->memory_length) return -EFAULT;
      vectors[some] = (struct iovec){.iov_base = streams->memory + at, .iov_len = bytes};
      length += bytes;
    }
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = some};
    ssize_t sent;
    do sent = some == 1 ? send(fd, vectors[0].iov_base, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                        : sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return total > 0 ? total : -errno;
    total += sent;
    if ((size_t)sent < length) break;
    done += some;
  }
  return total;
}

napi_value send_streams(napi_env env, napi_callback_info info) {
  struct call call;
  int length;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &length)) return NULL;
  struct streams *streams = call.environment->streams;
  if (streams == NULL || length < 0 || (size_t)length > streams->plan_length)
    return answer(&call, -EINVAL);
  size_t end = (size_t)length;
  for (size_t at = 0; at + 2 <= end;) {
    int32_t *entry = streams->plan + at;
    if (entry[1] < 0 || (size_t)entry[1] > (end - at - 2) / 2) return answer(&call, -EINVAL);
    size_t parts = (size_t)entry[1];
    entry[0] = (int32_t)send_plan(streams, entry[0], entry + 2, parts);
    at += 2 + 2 * parts;
  }
  return answer(&call, 0);
}
