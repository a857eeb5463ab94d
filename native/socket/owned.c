/**
 * Which descriptors an environment owns, so that a worker that is terminated leaks none and a
 * descriptor is closed once only: its number may be another's by the second time.
 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORD_BITS 64

static uint64_t bit(int fd) {
  return (uint64_t)1 << (fd % WORD_BITS);
}

bool owned_has(const struct environment *environment, int fd) {
  if (fd < 0) return false;
  size_t word = (size_t)fd / WORD_BITS;
  return word < environment->owned_words && (environment->owned[word] & bit(fd)) != 0;
}

static bool owned_grow(struct environment *environment, size_t words) {
  uint64_t *owned = realloc(environment->owned, words * sizeof(uint64_t));
  if (owned == NULL) return false;
  memset(owned + environment->owned_words, 0,
         (words - environment->owned_words) * sizeof(uint64_t));
  environment->owned = owned;
  environment->owned_words = words;
  return true;
}

int64_t owned_add(struct environment *environment, int64_t fd) {
  if (fd < 0) return fd;
  size_t word = (size_t)fd / WORD_BITS;
  if (word >= environment->owned_words && !owned_grow(environment, word * 2 + 1)) {
    close((int)fd);
    return -ENOMEM;
  }
  environment->owned[word] |= bit((int)fd);
  return fd;
}

void owned_remove(struct environment *environment, int fd) {
  if (owned_has(environment, fd)) environment->owned[fd / WORD_BITS] &= ~bit(fd);
}

void owned_close_all(struct environment *environment) {
  for (size_t word = 0; word < environment->owned_words; word++)
    for (int at = 0; at < WORD_BITS; at++)
      if ((environment->owned[word] >> at) & 1) close((int)(word * WORD_BITS) + at);
  free(environment->owned);
  environment->owned = NULL;
  environment->owned_words = 0;
}

napi_value close_owned(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &fd)) return NULL;
  if (!owned_has(call.environment, fd)) return answer(&call, -EBADF);
  owned_remove(call.environment, fd);
  return answer(&call, outcome(close(fd)));
}

napi_value release_owned(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &fd)) return NULL;
  if (!owned_has(call.environment, fd)) return answer(&call, -EBADF);
  owned_remove(call.environment, fd);
  return answer(&call, fd);
}
