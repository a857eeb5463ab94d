/** Sockets and network namespaces. The thread of JavaScript never changes its own namespace. */
#include "addon.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

/** What a short-lived thread does in a namespace of its own. */
struct errand {
  void (*run)(struct errand *errand);
  int netns;
  int domain;
  int type;
  int protocol;
  /** A descriptor, or a negative errno. */
  int64_t result;
};

static void make_socket(struct errand *errand) {
  int type = errand->type | SOCK_CLOEXEC | SOCK_NONBLOCK;
  errand->result = outcome(socket(errand->domain, type, errand->protocol));
}

static void make_socket_there(struct errand *errand) {
  errand->result = outcome(setns(errand->netns, CLONE_NEWNET));
  if (errand->result == 0) make_socket(errand);
}

static void make_netns(struct errand *errand) {
  errand->result = outcome(unshare(CLONE_NEWNET));
  if (errand->result == 0)
    errand->result = outcome(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

static void *on_thread(void *data) {
  struct errand *errand = data;
  errand->run(errand);
  return NULL;
}

/** Runs the errand to its end on a thread of its own, which no signal handler interrupts. */
static void send_out(struct errand *errand) {
  sigset_t all;
  sigset_t before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int failure = pthread_create(&thread, NULL, on_thread, errand);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failure == 0) pthread_join(thread, NULL);
  else errand->result = -failure;
}

napi_value open_socket(napi_env env, napi_callback_info info) {
  struct call call;
  struct errand errand = {.run = make_socket_there};
  if (!call_begin(env, info, 3, &call) || !argument_int(&call, 0, &errand.domain) ||
      !argument_int(&call, 1, &errand.type) || !argument_int(&call, 2, &errand.protocol))
    return NULL;
  if (!argument_is_given(&call, 3)) make_socket(&errand);
  else if (argument_int(&call, 3, &errand.netns)) send_out(&errand);
  else return NULL;
  return answer(&call, owned_add(call.environment, errand.result));
}

napi_value new_netns(napi_env env, napi_callback_info info) {
  struct call call;
  struct errand errand = {.run = make_netns};
  if (!call_begin(env, info, 0, &call)) return NULL;
  send_out(&errand);
  return answer(&call, owned_add(call.environment, errand.result));
}
