/**
 * A send and the receive of its answer in one system call, by io_uring. A system call empties what
 * the processor has learnt, on some machines for as long as a third of a netlink round trip.
 *
 * Both are done within io_uring_enter(2), one after the other, for neither may wait.
 */
#include "addon.h"

#if defined(__has_include) && __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(IORING_OFF_SQES) && defined(SYS_io_uring_setup)

/** A trip is two entries, so that each has its place for good. */
enum { SEND, RECEIVE, ENTRIES };

struct uring {
  int fd;
  void *rings;
  size_t rings_size;
  struct io_uring_sqe *entries;
  size_t entries_size;
  unsigned *submitted;
  unsigned *head;
  unsigned *tail;
  unsigned mask;
  struct io_uring_cqe *completions;
};

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static void *map(int fd, size_t size, off_t offset) {
  void *memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
  return memory == MAP_FAILED ? NULL : memory;
}

static void describe_entry(struct io_uring_sqe *entry, int operation, unsigned flags) {
  *entry = (struct io_uring_sqe){
      .opcode = (unsigned char)operation, .msg_flags = flags, .user_data = RECEIVE};
}

void uring_end(struct uring *uring) {
  if (uring == NULL) return;
  if (uring->entries != NULL) munmap(uring->entries, uring->entries_size);
  if (uring->rings != NULL) munmap(uring->rings, uring->rings_size);
  close(uring->fd);
  free(uring);
}

/** Needs Linux 5.6, and a single map for both rings (5.4). */
static bool uring_map(struct uring *uring, const struct io_uring_params *is) {
  if ((is->features & IORING_FEAT_SINGLE_MMAP) == 0 || is->sq_entries != ENTRIES) return false;
  uring->rings_size = larger(is->sq_off.array + is->sq_entries * sizeof(unsigned),
                             is->cq_off.cqes + is->cq_entries * sizeof(struct io_uring_cqe));
  uring->entries_size = ENTRIES * sizeof(struct io_uring_sqe);
  uring->rings = map(uring->fd, uring->rings_size, IORING_OFF_SQ_RING);
  uring->entries = map(uring->fd, uring->entries_size, IORING_OFF_SQES);
  if (uring->rings == NULL || uring->entries == NULL) return false;
  char *rings = uring->rings;
  unsigned *order = (unsigned *)(rings + is->sq_off.array);
  for (unsigned i = 0; i < ENTRIES; i++) order[i] = i;
  uring->submitted = (unsigned *)(rings + is->sq_off.tail);
  uring->head = (unsigned *)(rings + is->cq_off.head);
  uring->tail = (unsigned *)(rings + is->cq_off.tail);
  uring->mask = is->cq_entries - 1;
  uring->completions = (struct io_uring_cqe *)(rings + is->cq_off.cqes);
  describe_entry(&uring->entries[SEND], IORING_OP_SEND, MSG_DONTWAIT | MSG_NOSIGNAL);
  describe_entry(&uring->entries[RECEIVE], IORING_OP_RECV, MSG_DONTWAIT | MSG_TRUNC);
  uring->entries[SEND].user_data = SEND;
  return true;
}

struct uring *uring_start(void) {
  struct io_uring_params is = {0};
  struct uring *uring = calloc(1, sizeof *uring);
  if (uring == NULL) return NULL;
  uring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &is);
  if (uring->fd < 0) {
    free(uring);
    return NULL;
  }
  if (uring_map(uring, &is)) return uring;
  uring_end(uring);
  return NULL;
}

/** Takes what is completed. @returns a bit for each of SEND and RECEIVE. */
static unsigned reap(struct uring *uring, int results[ENTRIES]) {
  unsigned done = 0;
  unsigned head = *uring->head;
  for (; head != __atomic_load_n(uring->tail, __ATOMIC_ACQUIRE); head++) {
    const struct io_uring_cqe *completion = &uring->completions[head & uring->mask];
    results[completion->user_data] = completion->res;
    done |= 1u << completion->user_data;
  }
  __atomic_store_n(uring->head, head, __ATOMIC_RELEASE);
  return done;
}

bool uring_trip(struct uring *uring, int fd, const struct iovec *request, const struct memory *buffer,
                int64_t *result) {
  const unsigned all = 1u << SEND | 1u << RECEIVE;
  struct io_uring_sqe *entries = uring->entries;
  int results[ENTRIES];
  entries[SEND].fd = entries[RECEIVE].fd = fd;
  entries[SEND].addr = (uintptr_t)request->iov_base;
  entries[SEND].len = (uint32_t)request->iov_len;
  entries[RECEIVE].addr = (uintptr_t)buffer->data;
  entries[RECEIVE].len = (uint32_t)buffer->length;
  __atomic_store_n(uring->submitted, *uring->submitted + ENTRIES, __ATOMIC_RELEASE);
  long taken;
  do taken = syscall(SYS_io_uring_enter, uring->fd, ENTRIES, 0, 0, NULL, 0);
  while (taken < 0 && errno == EINTR);
  if (taken <= 0) return false;
  unsigned done = reap(uring, results);
  if (taken == ENTRIES)
    while (done != all) {
      long waited = syscall(SYS_io_uring_enter, uring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
      if (waited < 0 && errno != EINTR) break;
      done |= reap(uring, results);
    }
  bool is_sent = (done & 1u << SEND) != 0 && results[SEND] >= 0;
  if (!is_sent) *result = done & 1u << SEND ? results[SEND] : -EIO;
  else *result = done & 1u << RECEIVE ? results[RECEIVE] : -EAGAIN;
  return true;
}

#else

struct uring *uring_start(void) {
  return NULL;
}
void uring_end(struct uring *uring) {
  (void)uring;
}
bool uring_trip(struct uring *uring, int fd, const struct iovec *request, const struct memory *buffer,
                int64_t *result) {
  (void)uring, (void)fd, (void)request, (void)buffer, (void)result;
  return false;
}

#endif
