/**
 * nlkit's socket addon: system calls on AF_NETLINK and AF_UNIX sockets, and readiness.
 *
 * Each function makes one system call, or sends and then receives (readiness apart), and answers
 * with its result, or with a negative errno; stream.c makes those of many sockets at once, uring.c sends and receives in one. Nothing
 * here parses a payload or keeps a queue of data.
 * Three functions block, for as long as they are told: wait(), converse() and turnStreams(). A wrong
 * argument is a TypeError, thrown before the call is made.
 */
#ifndef NLKIT_ADDON_H
#define NLKIT_ADDON_H

#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/** Raised whenever a function's meaning changes; src/transport/addon.ts expects this number. */
#define ADDON_VERSION 2

/** Most parts in one datagram: UIO_MAXIOV, more than which sendmsg(2) refuses. */
#define PARTS_MAX 1024

/** Typed arrays whose memory an environment remembers. */
#define PINS_MAX 21

struct readiness;
struct streams;
struct uring;

/** Memory of a typed array, valid until control returns to JavaScript. */
struct memory {
  void *data;
  /** Elements: bytes of a Uint8Array, words of the others. */
  size_t length;
};

/** Memory that is used again and again: to find it anew costs a fortieth of a round trip. */
struct pin {
  /** Keeps the array alive; NULL when the slot is free. */
  napi_ref array;
  struct memory memory;
  napi_typedarray_type type;
};

/** What one JavaScript environment (the main thread or a worker) holds. */
struct environment {
  napi_env env;
  /** One bit a descriptor: those that close() may close, and that the end of the environment does. */
  uint64_t *owned;
  size_t owned_words;
  struct pin pins[PINS_MAX];
  /** NULL until the first use. */
  struct readiness *readiness;
  struct streams *streams;
  /** NULL until many trips were made, and where io_uring is not to be had. */
  struct uring *uring;
  unsigned trips;
};

#define ARGUMENTS_MAX 5

/** A call from JavaScript. */
struct call {
  napi_env env;
  struct environment *environment;
  size_t count;
  napi_value arguments[ARGUMENTS_MAX];
};

/* arguments.c: each returns false after throwing. */
bool call_begin(napi_env env, napi_callback_info info, size_t least, struct call *call);
bool argument_is_given(const struct call *call, size_t index);
bool argument_int(const struct call *call, size_t index, int *value);
/** A typed array, or the number of a pinned one. */
bool argument_memory(const struct call *call, size_t index, napi_typedarray_type type,
                     size_t least, struct memory *memory);
/** A Uint8Array, the number of a pinned one, or an array of at most PARTS_MAX; sets `count`. */
bool argument_parts(const struct call *call, size_t index, struct iovec *parts, size_t *count);
napi_value answer(const struct call *call, int64_t result);
/** `result` of a system call, or -errno when it is -1. */
int64_t outcome(int64_t result);

/* module.c: the clean-up hook of an environment. */
void environment_end(void *environment);

/* readiness.c: ends the thread; nothing calls into the environment afterwards. */
void readiness_stop(napi_env env, struct readiness *readiness);
/** Whether a report is on its way to JavaScript. */
bool readiness_is_reported(struct readiness *readiness);

/* uring.c: NULL where there is no io_uring; uring_end(NULL) is harmless. */
struct uring *uring_start(void);
void uring_end(struct uring *uring);
/** Sends, then receives; false when nothing was done, and the ring is of no use any more. */
bool uring_trip(struct uring *uring, int fd, const struct iovec *request, const struct memory *buffer,
                int64_t *result);

/* owned.c */
bool owned_has(const struct environment *environment, int fd);
/** Owns `fd`, or closes it and returns -ENOMEM; a negative `fd` passes through. */
int64_t owned_add(struct environment *environment, int64_t fd);
void owned_remove(struct environment *environment, int fd);
void owned_close_all(struct environment *environment);

/* What JavaScript calls: src/transport/native-socket.ts describes each. */
napi_value close_owned(napi_env env, napi_callback_info info);
napi_value release_owned(napi_env env, napi_callback_info info);
napi_value round_trip(napi_env env, napi_callback_info info);
napi_value pin_memory(napi_env env, napi_callback_info info);
napi_value open_socket(napi_env env, napi_callback_info info);
napi_value new_netns(napi_env env, napi_callback_info info);
napi_value bind_socket(napi_env env, napi_callback_info info);
napi_value connect_socket(napi_env env, napi_callback_info info);
napi_value listen_socket(napi_env env, napi_callback_info info);
napi_value accept_socket(napi_env env, napi_callback_info info);
napi_value get_socket_name(napi_env env, napi_callback_info info);
napi_value set_option(napi_env env, napi_callback_info info);
napi_value get_option(napi_env env, napi_callback_info info);
napi_value attach_filter(napi_env env, napi_callback_info info);
napi_value unsent(napi_env env, napi_callback_info info);
napi_value be_patient(napi_env env, napi_callback_info info);
napi_value send_parts(napi_env env, napi_callback_info info);
napi_value send_first(napi_env env, napi_callback_info info);
napi_value send_many(napi_env env, napi_callback_info info);
napi_value receive_one(napi_env env, napi_callback_info info);
napi_value receive_many(napi_env env, napi_callback_info info);
napi_value converse(napi_env env, napi_callback_info info);
napi_value exchange(napi_env env, napi_callback_info info);
napi_value send_control(napi_env env, napi_callback_info info);
napi_value receive_control(napi_env env, napi_callback_info info);
napi_value start_readiness(napi_env env, napi_callback_info info);
napi_value arm(napi_env env, napi_callback_info info);
napi_value disarm(napi_env env, napi_callback_info info);
napi_value hold(napi_env env, napi_callback_info info);
napi_value wait_ready(napi_env env, napi_callback_info info);
napi_value start_streams(napi_env env, napi_callback_info info);
napi_value watch_stream(napi_env env, napi_callback_info info);
napi_value unwatch_stream(napi_env env, napi_callback_info info);
napi_value turn_streams(napi_env env, napi_callback_info info);
napi_value leave_streams(napi_env env, napi_callback_info info);
napi_value send_streams(napi_env env, napi_callback_info info);

#endif
