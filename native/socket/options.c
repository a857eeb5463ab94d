/** Socket options, filters, and what is still unsent. */
#include "addon.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/time.h>

/** Longest that a call may hold JavaScript up, milliseconds. */
#define PATIENCE_MAX 999

struct option {
  int fd;
  int level;
  int name;
};

static bool argument_option(const struct call *call, struct option *option) {
  return argument_int(call, 0, &option->fd) && argument_int(call, 1, &option->level) &&
         argument_int(call, 2, &option->name);
}

napi_value set_option(napi_env env, napi_callback_info info) {
  struct call call;
  struct option option;
  if (!call_begin(env, info, 4, &call) || !argument_option(&call, &option)) return NULL;
  napi_valuetype type;
  int number;
  struct memory value = {.data = &number, .length = sizeof number};
  napi_typeof(env, call.arguments[3], &type);
  if (type == napi_number ? !argument_int(&call, 3, &number)
                          : !argument_memory(&call, 3, napi_uint8_array, 0, &value))
    return NULL;
  int result = setsockopt(option.fd, option.level, option.name, value.data,
                          (socklen_t)value.length);
  return answer(&call, outcome(result));
}

napi_value get_option(napi_env env, napi_callback_info info) {
  struct call call;
  struct option option;
  struct memory value;
  if (!call_begin(env, info, 4, &call) || !argument_option(&call, &option) ||
      !argument_memory(&call, 3, napi_uint8_array, 0, &value))
    return NULL;
  socklen_t length = (socklen_t)value.length;
  int64_t result = outcome(getsockopt(option.fd, option.level, option.name, value.data, &length));
  return answer(&call, result < 0 ? result : (int64_t)length);
}

napi_value attach_filter(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory program;
  int fd;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, 0, &program))
    return NULL;
  size_t count = program.length / sizeof(struct sock_filter);
  if (count > UINT16_MAX || program.length % sizeof(struct sock_filter) != 0)
    return answer(&call, -EINVAL);
  struct sock_fprog filter = {.len = (unsigned short)count, .filter = program.data};
  int result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
  return answer(&call, outcome(result));
}

napi_value unsent(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  int bytes = 0;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &fd)) return NULL;
  int64_t result = outcome(ioctl(fd, SIOCOUTQ, &bytes));
  return answer(&call, result < 0 ? result : bytes);
}

napi_value be_patient(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  int milliseconds;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_int(&call, 1, &milliseconds))
    return NULL;
  if (milliseconds <= 0 || milliseconds > PATIENCE_MAX) return answer(&call, -EINVAL);
  struct timeval limit = {.tv_usec = milliseconds * 1000L};
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0)
    return answer(&call, -errno);
  return answer(&call, outcome(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK)));
}
