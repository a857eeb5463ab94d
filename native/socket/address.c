/** Names of sockets. Addresses are struct sockaddr bytes that JavaScript made or will read. */
#include "addon.h"

typedef int (*with_address)(int fd, const struct sockaddr *address, socklen_t length);

static napi_value give_address(napi_env env, napi_callback_info info, with_address give) {
  struct call call;
  struct memory address;
  int fd;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, sizeof(sa_family_t), &address))
    return NULL;
  return answer(&call, outcome(give(fd, address.data, (socklen_t)address.length)));
}

napi_value bind_socket(napi_env env, napi_callback_info info) {
  return give_address(env, info, bind);
}

napi_value connect_socket(napi_env env, napi_callback_info info) {
  return give_address(env, info, connect);
}

napi_value listen_socket(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  int backlog;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_int(&call, 1, &backlog))
    return NULL;
  return answer(&call, outcome(listen(fd, backlog)));
}

napi_value accept_socket(napi_env env, napi_callback_info info) {
  struct call call;
  int fd;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &fd)) return NULL;
  int64_t accepted = outcome(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
  return answer(&call, owned_add(call.environment, accepted));
}

napi_value get_socket_name(napi_env env, napi_callback_info info) {
  struct call call;
  struct memory address;
  int fd;
  if (!call_begin(env, info, 2, &call) || !argument_int(&call, 0, &fd) ||
      !argument_memory(&call, 1, napi_uint8_array, 0, &address))
    return NULL;
  socklen_t length = (socklen_t)address.length;
  int64_t result = outcome(getsockname(fd, address.data, &length));
  return answer(&call, result < 0 ? result : (int64_t)length);
}
