/** What the addon exports, one set for each environment that loads it. */
#include "addon.h"

#include <stdlib.h>

/** scripts/build-native.mjs looks for this in the binary, to see whether it is up to date. */
#ifndef NLKIT_SOURCES
#define NLKIT_SOURCES "unknown"
#endif

static const struct {
  const char *name;
  napi_callback run;
} functions[] = {
    {"socket", open_socket},
    {"newNetns", new_netns},
    {"close", close_owned},
    {"release", release_owned},
    {"pin", pin_memory},
    {"bind", bind_socket},
    {"connect", connect_socket},
    {"listen", listen_socket},
    {"accept", accept_socket},
    {"getsockname", get_socket_name},
    {"setsockopt", set_option},
    {"getsockopt", get_option},
    {"attachFilter", attach_filter},
    {"unsent", unsent},
    {"bePatient", be_patient},
    {"send", send_parts},
    {"sendFirst", send_first},
    {"sendMany", send_many},
    {"receive", receive_one},
    {"receiveMany", receive_many},
    {"converse", converse},
    {"exchange", exchange},
    {"roundTrip", round_trip},
    {"sendControl", send_control},
    {"receiveControl", receive_control},
    {"startReadiness", start_readiness},
    {"arm", arm},
    {"disarm", disarm},
    {"hold", hold},
    {"wait", wait_ready},
    {"startStreams", start_streams},
    {"watchStream", watch_stream},
    {"unwatchStream", unwatch_stream},
    {"turnStreams", turn_streams},
    {"leaveStreams", leave_streams},
    {"sendStreams", send_streams},
};

void environment_end(void *data) {
  struct environment *environment = data;
  if (environment->readiness != NULL) readiness_stop(environment->env, environment->readiness);
  uring_end(environment->uring);
  for (size_t i = 0; i < PINS_MAX; i++)
    if (environment->pins[i].array != NULL)
      napi_delete_reference(environment->env, environment->pins[i].array);
  owned_close_all(environment);
  free(environment);
}

NAPI_MODULE_INIT() {
  struct environment *environment = calloc(1, sizeof *environment);
  if (environment == NULL) return NULL;
  environment->env = env;
  napi_add_env_cleanup_hook(env, environment_end, environment);
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].run,
                             environment, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
      return NULL;
  }
  napi_value version;
  napi_value sources;
  napi_create_int32(env, ADDON_VERSION, &version);
  napi_create_string_utf8(env, "nlkit-sources:" NLKIT_SOURCES, NAPI_AUTO_LENGTH, &sources);
  napi_set_named_property(env, exports, "version", version);
  napi_set_named_property(env, exports, "sources", sources);
  return exports;
}
