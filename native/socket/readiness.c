/**
 * Readiness of many descriptors through one thread.
 *
 * A descriptor is armed once and reported once, with the id that it was armed with; ids are never
 * used twice, so that a report that was under way when its descriptor was closed reaches nobody.
 * The thread only waits and reports; JavaScript receives. An error or a hang-up is readiness too.
 * Where an answer is a few microseconds away JavaScript itself waits, for a bounded time: waking it
 * through the thread would cost more than the answer.
 */
#include "addon.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/** Events that the thread takes from the kernel at once. */
#define EVENTS_MAX 64
/** What the wake-up descriptor is known by; ids have 32 bits. */
#define WAKE UINT64_MAX

struct report {
  int32_t id;
  int32_t events;
};

struct readiness {
  pthread_t thread;
  int epoll;
  /** An eventfd that ends the thread's wait. */
  int wake;
  /** An eventfd that ends JavaScript's own wait. */
  int nudge;
  napi_threadsafe_function reporter;
  /** The Int32Array that reports are copied into. */
  napi_ref batch;
  /** Guards what follows. */
  pthread_mutex_t mutex;
  size_t capacity;
  size_t count;
  /** JavaScript has been called and has not yet fetched. */
  bool is_called;
  /** JavaScript itself waits, and is to be nudged. */
  bool is_waiting;
  /** The thread waits for room. */
  bool is_starved;
  bool is_stopping;
  struct report reports[];
};

static void ring(int event) {
  uint64_t one = 1;
  while (write(event, &one, sizeof one) < 0 && errno == EINTR) continue;
}

static void sleep_until_woken(struct readiness *readiness) {
  uint64_t count;
  while (read(readiness->wake, &count, sizeof count) < 0 && errno == EINTR) continue;
}

/** Room for reports; 0 when the thread shall end. Waits while JavaScript has not fetched. */
static size_t wait_for_room(struct readiness *readiness) {
  for (;;) {
    pthread_mutex_lock(&readiness->mutex);
    size_t room = readiness->is_stopping ? 0 : readiness->capacity - readiness->count;
    bool is_stopping = readiness->is_stopping;
    readiness->is_starved = room == 0;
    pthread_mutex_unlock(&readiness->mutex);
    if (room > 0 || is_stopping) return room;
    sleep_until_woken(readiness);
  }
}

/** Hands events over; false when the environment takes no more. */
static bool hand_over(struct readiness *readiness, const struct epoll_event *events, int count) {
  pthread_mutex_lock(&readiness->mutex);
  for (int i = 0; i < count; i++) {
    if (events[i].data.u64 == WAKE) {
      sleep_until_woken(readiness);
      continue;
    }
    readiness->reports[readiness->count++] = (struct report){
        .id = (int32_t)events[i].data.u64, .events = (int32_t)events[i].events};
  }
  bool has_to_call = readiness->count > 0 && !readiness->is_called;
  bool has_to_nudge = has_to_call && readiness->is_waiting;
  readiness->is_called |= has_to_call;
  if (has_to_nudge) readiness->is_waiting = false;
  pthread_mutex_unlock(&readiness->mutex);
  if (has_to_nudge) ring(readiness->nudge);
  return !has_to_call || napi_call_threadsafe_function(readiness->reporter, NULL,
                                                       napi_tsfn_nonblocking) == napi_ok;
}

static void *watch(void *data) {
  struct readiness *readiness = data;
  struct epoll_event events[EVENTS_MAX];
  size_t room;
  while ((room = wait_for_room(readiness)) > 0) {
    int most = room < EVENTS_MAX ? (int)room : EVENTS_MAX;
    int count = epoll_wait(readiness->epoll, events, most, -1);
    if (count < 0 && errno != EINTR) break;
    if (count > 0 && !hand_over(readiness, events, count)) break;
  }
  return NULL;
}

/** Copies what is ready into JavaScript's array; how many reports. */
static size_t fetch(struct readiness *readiness, struct report *into) {
  pthread_mutex_lock(&readiness->mutex);
  size_t count = readiness->count;
  for (size_t i = 0; i < count; i++) into[i] = readiness->reports[i];
  readiness->count = 0;
  readiness->is_called = false;
  bool is_starved = readiness->is_starved;
  readiness->is_starved = false;
  pthread_mutex_unlock(&readiness->mutex);
  if (is_starved) ring(readiness->wake);
  return count;
}

/** Runs on JavaScript's thread; without `env` when the environment is being torn down. */
static void report(napi_env env, napi_value callback, void *context, void *data) {
  struct readiness *readiness = context;
  napi_value batch;
  napi_value undefined;
  napi_value count;
  void *into;
  size_t length;
  (void)data;
  if (env == NULL || callback == NULL) return;
  if (napi_get_reference_value(env, readiness->batch, &batch) != napi_ok ||
      napi_get_typedarray_info(env, batch, NULL, &length, &into, NULL, NULL) != napi_ok ||
      length < 2 * readiness->capacity)
    return;
  napi_create_uint32(env, (uint32_t)fetch(readiness, into), &count);
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, callback, 1, &count, NULL);
}

static void readiness_free(napi_env env, struct readiness *readiness) {
  if (readiness->batch != NULL) napi_delete_reference(env, readiness->batch);
  if (readiness->wake >= 0) close(readiness->wake);
  if (readiness->nudge >= 0) close(readiness->nudge);
  if (readiness->epoll >= 0) close(readiness->epoll);
  pthread_mutex_destroy(&readiness->mutex);
  free(readiness);
}

void readiness_stop(napi_env env, struct readiness *readiness) {
  pthread_mutex_lock(&readiness->mutex);
  readiness->is_stopping = true;
  pthread_mutex_unlock(&readiness->mutex);
  ring(readiness->wake);
  pthread_join(readiness->thread, NULL);
  readiness_free(env, readiness);
}

static int open_descriptors(struct readiness *readiness) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE};
  readiness->epoll = epoll_create1(EPOLL_CLOEXEC);
  readiness->wake = eventfd(0, EFD_CLOEXEC);
  readiness->nudge = eventfd(0, EFD_CLOEXEC);
  if (readiness->epoll < 0 || readiness->wake < 0 || readiness->nudge < 0) return -errno;
  return (int)outcome(epoll_ctl(readiness->epoll, EPOLL_CTL_ADD, readiness->wake, &event));
}

static bool open_reporter(const struct call *call, struct readiness *readiness) {
  napi_env env = call->env;
  napi_value name;
  return napi_create_string_utf8(env, "nlkit:readiness", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_reference(env, call->arguments[0], 1, &readiness->batch) == napi_ok &&
         napi_create_threadsafe_function(env, call->arguments[1], NULL, name, 0, 1, NULL, NULL,
                                         readiness, report, &readiness->reporter) == napi_ok &&
         napi_unref_threadsafe_function(env, readiness->reporter) == napi_ok;
}

static int open_thread(struct readiness *readiness) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int failure = pthread_create(&readiness->thread, NULL, watch, readiness);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -failure;
}

napi_value start_readiness(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory batch;
  if (!call_begin(env, info, 2, &call) ||
      !argument_memory(&call, 0, napi_int32_array, 2, &batch))
    return NULL;
  if (call.environment->readiness != NULL) return answer(&call, -EALREADY);
  size_t capacity = batch.length / 2;
  struct readiness *readiness =
      calloc(1, sizeof *readiness + capacity * sizeof readiness->reports[0]);
  if (readiness == NULL) return answer(&call, -ENOMEM);
  readiness->capacity = capacity;
  pthread_mutex_init(&readiness->mutex, NULL);
  int result = open_descriptors(readiness);
  if (result == 0 && !open_reporter(&call, readiness)) result = -EINVAL;
  if (result == 0) result = open_thread(readiness);
  if (result < 0) {
    if (readiness->reporter != NULL)
      napi_release_threadsafe_function(readiness->reporter, napi_tsfn_abort);
    readiness_free(env, readiness);
    return answer(&call, result);
  }
  call.environment->readiness = readiness;
  // Hooks run in reverse order: the thread has to end before the reporter does.
  napi_remove_env_cleanup_hook(env, environment_end, call.environment);
  napi_add_env_cleanup_hook(env, environment_end, call.environment);
  return answer(&call, 0);
}

napi_value arm(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  int id;
  int events;
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &fd) ||
      !argument_int(&call, 1, &id) || !argument_int(&call, 2, &events))
    return NULL;
  if (call.environment->readiness == NULL) return answer(&call, -EINVAL);
  struct epoll_event event = {.events = (uint32_t)events | EPOLLONESHOT,
                              .data.u64 = (uint32_t)id};
  int epoll = call.environment->readiness->epoll;
  int result = epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  if (result < 0 && errno == ENOENT) result = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  return answer(&call, outcome(result));
}

napi_value disarm(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &fd)) return NULL;
  if (call.environment->readiness == NULL) return answer(&call, 0);
  int64_t result =
      outcome(epoll_ctl(call.environment->readiness->epoll, EPOLL_CTL_DEL, fd, NULL));
  return answer(&call, result == -ENOENT ? 0 : result);
}

napi_value hold(napi_env env, napi_callback_info info) {
  struct call call;
  bool is_held;
  if (!call_begin(env, info, 1, &call)) return NULL;
  if (call.environment->readiness == NULL) return answer(&call, -EINVAL);
  if (napi_get_value_bool(env, call.arguments[0], &is_held) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected a boolean");
    return NULL;
  }
  napi_threadsafe_function reporter = call.environment->readiness->reporter;
  if (is_held) napi_ref_threadsafe_function(env, reporter);
  else napi_unref_threadsafe_function(env, reporter);
  return answer(&call, 0);
}

/** What wait() answers when other descriptors are ready; poll(2) has no such bit. */
#define OTHERS 0x10000
/** Longest that a call may hold JavaScript up, microseconds. */
#define WAIT_MAX 1000000

bool readiness_is_reported(struct readiness *readiness) {
  if (readiness == NULL) return false;
  pthread_mutex_lock(&readiness->mutex);
  bool is_reported = readiness->is_called;
  pthread_mutex_unlock(&readiness->mutex);
  return is_reported;
}

/** Whether a report is on its way to JavaScript; if none is, the thread will nudge. */
static bool expect_nudge(struct readiness *readiness) {
  pthread_mutex_lock(&readiness->mutex);
  bool is_reported = readiness->is_called;
  readiness->is_waiting = !is_reported;
  pthread_mutex_unlock(&readiness->mutex);
  return is_reported;
}

/** Ends what expect_nudge() began; whether there was a nudge. */
static bool take_nudge(struct readiness *readiness) {
  uint64_t count;
  pthread_mutex_lock(&readiness->mutex);
  bool is_nudged = !readiness->is_waiting;
  readiness->is_waiting = false;
  pthread_mutex_unlock(&readiness->mutex);
  if (is_nudged)
    while (read(readiness->nudge, &count, sizeof count) < 0 && errno == EINTR) continue;
  return is_nudged;
}

napi_value wait_ready(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  int events;
  int microseconds;
  int others = 0;
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &fd) ||
      !argument_int(&call, 1, &events) || !argument_int(&call, 2, &microseconds) ||
      (argument_is_given(&call, 3) && !argument_int(&call, 3, &others)))
    return NULL;
  if (microseconds < 0 || microseconds > WAIT_MAX) return answer(&call, -EINVAL);
  struct readiness *readiness = others != 0 ? call.environment->readiness : NULL;
  if (readiness != NULL && expect_nudge(readiness)) return answer(&call, OTHERS);
  struct pollfd polled[2] = {
      {.fd = fd, .events = (short)events},
      {.fd = readiness == NULL ? -1 : readiness->nudge, .events = POLLIN}};
  struct timespec limit = {.tv_sec = microseconds / WAIT_MAX,
                           .tv_nsec = microseconds % WAIT_MAX * 1000L};
  int count = ppoll(polled, readiness == NULL ? 1 : 2, &limit, NULL);
  int failure = count < 0 && errno != EINTR ? errno : 0;
  int result = count <= 0 ? 0 : (unsigned short)polled[0].revents;
  if (readiness != NULL && take_nudge(readiness)) result |= OTHERS;
  return answer(&call, failure != 0 ? -failure : result);
}
