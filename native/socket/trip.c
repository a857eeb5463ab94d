/**
 * One request and its answer in one call that takes no arguments: what follows a system call runs
 * slowly at first, so that each argument that has to be asked for costs more than it seems.
 */
#include "addon.h"


/** The pin of the words that say what to do, and these. */
#define PIN_TRIP 20
enum { TRIP_FD, TRIP_REQUEST, TRIP_LENGTH, TRIP_BUFFER, TRIP_IS_PLAIN, TRIP_RESULT, TRIP_WORDS };

/** Trips after which it pays to set up io_uring. */
#define MANY_TRIPS 64

static int64_t trip_by_calls(int fd, const struct iovec *request, const struct memory *buffer) {
  int64_t done;
  do done = send(fd, request->iov_base, request->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (done < 0 && errno == EINTR);
  if (done < 0) return -errno;
  do done = recv(fd, buffer->data, buffer->length, MSG_DONTWAIT | MSG_TRUNC);
  while (done < 0 && errno == EINTR);
  return outcome(done);
}

static int64_t trip(struct environment *environment, int fd, const struct iovec *request,
                    const struct memory *buffer, bool is_plain) {
  int64_t result;
  if (is_plain || environment->trips < MANY_TRIPS) {
    environment->trips++;
    return trip_by_calls(fd, request, buffer);
  }
  if (environment->trips == MANY_TRIPS) {
    environment->uring = uring_start();
    environment->trips++;
  }
  if (environment->uring == NULL) return trip_by_calls(fd, request, buffer);
  if (uring_trip(environment->uring, fd, request, buffer, &result)) return result;
  uring_end(environment->uring);
  environment->uring = NULL;
  return trip_by_calls(fd, request, buffer);
}

/** The pinned bytes that a word names. */
static bool bytes_of(const struct environment *environment, int32_t slot, struct memory *memory) {
  if (slot < 0 || slot >= PINS_MAX) return false;
  const struct pin *pin = &environment->pins[slot];
  *memory = pin->memory;
  return pin->array != NULL && pin->type == napi_uint8_array;
}

napi_value round_trip(napi_env env, napi_callback_info info) {
  struct environment *environment;
  struct memory request;
  struct memory buffer;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, (void **)&environment) != napi_ok) return NULL;
  const struct pin *pin = &environment->pins[PIN_TRIP];
  int32_t *words = pin->memory.data;
  if (pin->array == NULL || pin->type != napi_int32_array || pin->memory.length < TRIP_WORDS ||
      !bytes_of(environment, words[TRIP_REQUEST], &request) ||
      !bytes_of(environment, words[TRIP_BUFFER], &buffer)) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "the trip's words name no pinned bytes");
    return NULL;
  }
  struct iovec part = {.iov_base = request.data, .iov_len = (size_t)words[TRIP_LENGTH]};
  if (words[TRIP_LENGTH] < 0 || part.iov_len > request.length)
    words[TRIP_RESULT] = -EINVAL;
  else
    words[TRIP_RESULT] = (int32_t)trip(environment, words[TRIP_FD], &part, &buffer,
                                       words[TRIP_IS_PLAIN] != 0);
  return NULL;
}
