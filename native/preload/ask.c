/**
 * Requests to the kernel and their answers, each over a control connection that is standing by.
 *
 * A connection is taken for the time of one request, so threads and signal handlers use different
 * ones. Those of another process (after fork) are not used. A request is not given up once it is
 * on its way: as a system call would, it ends when the kernel has answered.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

/** Connections that stand by at most; more requests at a time make connections for themselves. */
#define CONNECTIONS 64
/** Control connections have high numbers, for programs that count on low ones. */
#define FIRST_NUMBER 600

static struct connection {
  atomic_bool is_busy;
  pid_t pid;
  int fd;
  uint64_t inode;
  uint64_t namespace;
} connections[CONNECTIONS];

static int make_connection(uint64_t namespace) {
  char name[SHIM_NAMESPACE_SIZE];
  struct shim_request hello = {.op = SHIM_CONTROL};
  int fd = shim_dial(SOCK_CLOEXEC);
  if (fd < 0) return fd;
  int high = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FIRST_NUMBER);
  if (high >= 0) {
    syscall(SYS_close, fd);
    fd = high;
  }
  shim_describe_namespace(namespace, name);
  int greeted = shim_greet(fd, &hello, name);
  if (greeted >= 0) return fd;
  syscall(SYS_close, fd);
  return greeted;
}

/** Whether it is ours to use, and still the connection that it was. */
static bool is_usable(const struct connection *connection, pid_t pid) {
  return connection->pid == pid && connection->inode != 0 &&
         shim_inode(connection->fd) == connection->inode;
}

/** Takes a slot: one of this process, or an unused one, or one that another process left behind. */
static struct connection *take_slot(pid_t pid) {
  struct connection *unused = NULL;
  for (int i = 0; i < CONNECTIONS; i++) {
    struct connection *slot = &connections[i];
    if (slot->pid == pid && !atomic_exchange(&slot->is_busy, true)) {
      if (slot->pid == pid) return slot;
      atomic_store(&slot->is_busy, false);
    }
    if (!unused && slot->pid == 0) unused = slot;
  }
  if (unused && !atomic_exchange(&unused->is_busy, true)) {
    unused->pid = pid;
    unused->inode = 0;
    return unused;
  }
  return NULL;
}

/** Forgets the connections of whoever had this memory before: the process is a child. */
static void forget_others(pid_t pid) {
  for (int i = 0; i < CONNECTIONS; i++) {
    struct connection *slot = &connections[i];
    if (slot->pid == 0 || slot->pid == pid) continue;
    if (slot->inode != 0 && shim_inode(slot->fd) == slot->inode) syscall(SYS_close, slot->fd);
    slot->inode = 0;
    slot->pid = 0;
    atomic_store(&slot->is_busy, false);
  }
}

/** A connection for one request: in `fd`, and the slot that it is to be given back to, if any. */
static struct connection *take(bool is_local, int *fd) {
  pid_t pid = (pid_t)syscall(SYS_getpid);
  struct connection *slot = take_slot(pid);
  if (!slot) {
    forget_others(pid);
    slot = take_slot(pid);
  }
  bool is_there = slot && is_usable(slot, pid);
  uint64_t namespace = is_local || !is_there ? shim_namespace() : slot->namespace;
  if (is_there && slot->namespace == namespace) {
    *fd = slot->fd;
    return slot;
  }
  if (is_there) syscall(SYS_close, slot->fd);
  *fd = make_connection(namespace);
  if (!slot) return NULL;
  slot->namespace = namespace;
  slot->fd = *fd;
  slot->inode = *fd < 0 ? 0 : shim_inode(*fd);
  return slot;
}

static void give_back(struct connection *slot, int fd, bool is_broken) {
  if (fd >= 0 && (is_broken || !slot)) syscall(SYS_close, fd);
  if (!slot) return;
  if (is_broken) slot->inode = 0;
  atomic_store(&slot->is_busy, false);
}

/** Sends the request: 0, or a negative errno. */
static int put(int fd, const struct shim_call *call) {
  struct iovec parts[SHIM_PARTS + 1];
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 1 + call->out_count};
  parts[0].iov_base = (void *)&call->request;
  parts[0].iov_len = sizeof call->request;
  for (size_t i = 0; i < call->out_count; i++) parts[1 + i] = call->out[i];
  for (;;) {
    if (syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL) >= 0) return 0;
    if (errno != EINTR) return -errno;
  }
}

/** A signal came while the kernel's side waits for us: it ends the wait, and answers so. */
static void cancel(int fd) {
  struct shim_request request = {.op = SHIM_CANCEL};
  syscall(SYS_sendto, fd, &request, sizeof request, MSG_NOSIGNAL, NULL, 0);
}

/** Waits for the answer: 0, or a negative errno; -EFAULT when it was lost to a bad pointer. */
static int get(int fd, struct shim_call *call) {
  struct iovec parts[SHIM_PARTS + 1];
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 1 + call->in_count};
  bool may_cancel = call->request.flags & SHIM_WAIT;
  parts[0].iov_base = &call->answer;
  parts[0].iov_len = sizeof call->answer;
  for (size_t i = 0; i < call->in_count; i++) parts[1 + i] = call->in[i];
  for (;;) {
    ssize_t got = syscall(SYS_recvmsg, fd, &message, 0);
    if (got < 0 && errno == EINTR) {
      if (may_cancel) cancel(fd);
      may_cancel = false;
      continue;
    }
    if (got < 0) return -errno;
    if ((size_t)got < sizeof call->answer) return -ECONNRESET;
    call->received = (size_t)got - sizeof call->answer;
    return 0;
  }
}

int64_t shim_ask(struct shim_call *call) {
  int before = errno;
  int fd;
  if (call->out_count > SHIM_PARTS || call->in_count > SHIM_PARTS) return -EMSGSIZE;
  struct connection *slot = take(call->is_local, &fd);
  int failure = fd < 0 ? fd : put(fd, call);
  bool is_broken = failure == -EPIPE || failure == -ECONNRESET || failure == -ENOTCONN;
  if (failure == 0) {
    failure = get(fd, call);
    is_broken = failure != 0 && failure != -EFAULT;
  }
  give_back(slot, fd, is_broken);
  errno = before;
  if (fd < 0 || is_broken) return -ECONNRESET;
  return failure != 0 ? failure : call->answer.result;
}

/** Takes one token off: its number, 0 if there is none. */
static uint32_t take_token(int fd, int flags) {
  uint32_t token = 0;
  ssize_t got = syscall(SYS_recvfrom, fd, &token, sizeof token, MSG_DONTWAIT | flags, NULL, NULL);
  return got == sizeof token ? token : 0;
}

/** Whether `token` was given out behind `other`; numbers wrap. */
static bool is_newer(uint32_t token, uint32_t other) { return (int32_t)(token - other) > 0; }

void shim_retire(int fd, uint64_t socket, const struct shim_answer *answer) {
  int before = errno;
  if (!(answer->flags & SHIM_RETIRED)) {
    uint32_t seen = take_token(fd, MSG_PEEK);
    if (seen == 0 || is_newer(seen, answer->token)) {
      errno = before;
      return;
    }
  }
  uint32_t taken = take_token(fd, 0);
  if (taken != 0 && is_newer(taken, answer->token)) {
    struct shim_call call = {.request = {.op = SHIM_RETURN, .a = taken, .socket = socket}};
    shim_ask(&call);
  }
  errno = before;
}
