/**
 * The answer to a request, fetched together with the request's own: one way to the kernel and back
 * instead of two.
 *
 * Only for a socket whose process has sent and received by turns, without waiting for readiness in
 * between. What was fetched is this process' alone until it is received; whoever waits for
 * readiness first has the kernel's side make the descriptor ready.
 */
#include "ahead.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** Sockets that this is done for at a time. */
#define SLOTS 32
/** Turns of sending and receiving until it is done. */
#define PRACTICE 3
/** The longest datagram that is fetched ahead. */
#define ROOM_MAX 65536

static struct slot {
  atomic_flag is_busy;
  /** Whose it is: a process, and the thread that has locked it. */
  pid_t pid;
  _Atomic(const void *) owner;
  uint64_t socket;
  /** Turns so far, and the thread that sent last. */
  int turns;
  const void *sender;
  /** Who waits for a datagram: what comes is theirs. */
  int waiting;
  /** Size of the last receive's buffer. */
  size_t room;
  size_t capacity;
  char *bytes;
  /** What was fetched, and whether its descriptor was made ready. */
  bool is_held;
  bool is_ready;
  int fd;
  size_t length;
  struct shim_answer answer;
} slots[SLOTS];

/** How many datagrams are held whose descriptors are not ready. */
static atomic_int hidden;

/** Its address tells threads apart. */
static __thread char self;

/** False in a signal handler of the thread that has it. */
static bool lock(struct slot *slot) {
  struct timespec pause = {.tv_nsec = 50000};
  if (atomic_load(&slot->owner) == &self) return false;
  while (atomic_flag_test_and_set(&slot->is_busy)) syscall(SYS_nanosleep, &pause, NULL);
  atomic_store(&slot->owner, &self);
  return true;
}

static void unlock(struct slot *slot) {
  atomic_store(&slot->owner, NULL);
  atomic_flag_clear(&slot->is_busy);
}

/** The process is another than the slot's: a child, which has its memory. */
static void inherit(struct slot *slot, pid_t pid) {
  if (slot->is_held && !slot->is_ready) atomic_fetch_sub(&hidden, 1);
  slot->pid = pid;
  slot->socket = 0;
  slot->is_held = false;
  unlock(slot);
}

/** The socket's slot, locked; NULL where another socket of this process has it. */
static struct slot *find(uint64_t socket) {
  pid_t pid = (pid_t)syscall(SYS_getpid);
  struct slot *slot = &slots[(socket ^ socket >> 5) % SLOTS];
  if (slot->pid != pid) inherit(slot, pid);
  if (!lock(slot)) return NULL;
  if (slot->socket == socket) return slot;
  if (slot->is_held || slot->waiting > 0) {
    unlock(slot);
    return NULL;
  }
  slot->socket = socket;
  slot->turns = slot->waiting = 0;
  slot->sender = NULL;
  return slot;
}

size_t ahead_room(uint64_t socket, struct iovec *into) {
  struct slot *slot = find(socket);
  size_t room = 0;
  if (!slot) return 0;
  if (slot->sender) slot->turns = 0;
  slot->sender = &self;
  bool is_apt = slot->turns >= PRACTICE && slot->room > 0 && slot->room <= ROOM_MAX;
  if (is_apt && !slot->is_held && slot->waiting == 0) {
    if (slot->capacity < slot->room) {
      free(slot->bytes);
      slot->bytes = malloc(slot->room);
      slot->capacity = slot->bytes ? slot->room : 0;
    }
    room = slot->bytes ? slot->room : 0;
  }
  *into = (struct iovec){slot->bytes, room};
  if (room == 0) unlock(slot);
  return room;
}

void ahead_keep(int fd, uint64_t socket, const struct shim_call *call) {
  struct slot *slot = &slots[(socket ^ socket >> 5) % SLOTS];
  if (call && call->answer.flags & SHIM_TAKEN) {
    slot->is_held = true;
    slot->is_ready = false;
    slot->fd = fd;
    slot->length = call->received;
    slot->answer = call->answer;
    atomic_fetch_add(&hidden, 1);
  }
  unlock(slot);
}

/** What was fetched is received: its token is of no use any more. */
static void make_unready(const struct slot *slot) {
  struct shim_call call = {.request = {.op = SHIM_UNREADY, .socket = slot->socket}};
  if (shim_ask(&call) >= 0) shim_retire(slot->fd, slot->socket, &call.answer);
}

bool ahead_take(uint64_t socket, const struct msghdr *message, size_t room, int flags,
                struct shim_answer *answer, int64_t *length) {
  struct slot *slot = find(socket);
  if (!slot) return false;
  slot->turns = slot->sender == &self ? slot->turns + 1 : 0;
  slot->sender = NULL;
  slot->room = room;
  bool is_held = slot->is_held;
  if (!is_held) slot->waiting++;
  else {
    const char *bytes = slot->bytes;
    size_t left = slot->length;
    for (size_t i = 0; i < message->msg_iovlen && left > 0; i++) {
      size_t size = message->msg_iov[i].iov_len < left ? message->msg_iov[i].iov_len : left;
      memcpy(message->msg_iov[i].iov_base, bytes, size);
      bytes += size;
      left -= size;
    }
    *answer = slot->answer;
    *length = (int64_t)slot->length;
    if (!(flags & MSG_PEEK)) {
      slot->is_held = false;
      if (slot->is_ready) make_unready(slot);
      else atomic_fetch_sub(&hidden, 1);
    }
  }
  unlock(slot);
  return is_held;
}

void ahead_waited(uint64_t socket) {
  struct slot *slot = find(socket);
  if (!slot) return;
  if (slot->waiting > 0) slot->waiting--;
  unlock(slot);
}

void ahead_wait(void) {
  if (atomic_load_explicit(&hidden, memory_order_relaxed) == 0) return;
  pid_t pid = (pid_t)syscall(SYS_getpid);
  for (int i = 0; i < SLOTS; i++) {
    struct slot *slot = &slots[i];
    if (slot->pid != pid || !lock(slot)) continue;
    if (slot->is_held && !slot->is_ready) {
      struct shim_call call = {.request = {.op = SHIM_READY, .socket = slot->socket}};
      shim_ask(&call);
      slot->is_ready = true;
      slot->turns = -1000;
      atomic_fetch_sub(&hidden, 1);
    }
    unlock(slot);
  }
}
