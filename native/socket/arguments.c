/** Arguments from JavaScript, and answers to it. */
#include "addon.h"

static bool refuse(napi_env env, const char *sentence) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", sentence);
  return false;
}

bool call_begin(napi_env env, napi_callback_info info, size_t least, struct call *call) {
  call->env = env;
  call->count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &call->count, call->arguments, NULL,
                       (void **)&call->environment) != napi_ok ||
      call->count < least)
    return refuse(env, "too few arguments");
  return true;
}

bool argument_is_given(const struct call *call, size_t index) {
  napi_valuetype type;
  return index < call->count &&
         napi_typeof(call->env, call->arguments[index], &type) == napi_ok &&
         type != napi_undefined;
}

bool argument_int(const struct call *call, size_t index, int *value) {
  if (napi_get_value_int32(call->env, call->arguments[index], value) == napi_ok) return true;
  return refuse(call->env, "expected a number");
}

/** Finds memory by the number it was pinned under. */
static bool pinned(const struct call *call, napi_value value, struct pin *pin) {
  uint32_t slot;
  if (napi_get_value_uint32(call->env, value, &slot) != napi_ok || slot >= PINS_MAX) return false;
  *pin = call->environment->pins[slot];
  return pin->array != NULL;
}

/** A typed array, or the number of a pinned one. */
static bool memory_of(const struct call *call, napi_value value, napi_typedarray_type type,
                      struct memory *memory) {
  struct pin pin;
  napi_valuetype kind;
  bool is_known;
  napi_typeof(call->env, value, &kind);
  if (kind == napi_number)
    is_known = pinned(call, value, &pin);
  else
    is_known = napi_get_typedarray_info(call->env, value, &pin.type, &pin.memory.length,
                                        &pin.memory.data, NULL, NULL) == napi_ok;
  if (!is_known || pin.type != type) return false;
  *memory = pin.memory;
  return true;
}

bool argument_memory(const struct call *call, size_t index, napi_typedarray_type type,
                     size_t least, struct memory *memory) {
  if (!memory_of(call, call->arguments[index], type, memory))
    return refuse(call->env, "expected a typed array of another kind");
  if (memory->length < least) return refuse(call->env, "the typed array is too short");
  return true;
}

static bool part_of(const struct call *call, napi_value value, struct iovec *part) {
  struct memory memory;
  if (!memory_of(call, value, napi_uint8_array, &memory))
    return refuse(call->env, "expected a Uint8Array or an array of them");
  *part = (struct iovec){.iov_base = memory.data, .iov_len = memory.length};
  return true;
}

bool argument_parts(const struct call *call, size_t index, struct iovec *parts, size_t *count) {
  napi_value value = call->arguments[index];
  bool is_array = false;
  *count = 1;
  napi_is_array(call->env, value, &is_array);
  if (!is_array) return part_of(call, value, parts);
  uint32_t length = 0;
  napi_get_array_length(call->env, value, &length);
  if (length > PARTS_MAX) return refuse(call->env, "more than 1024 parts");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(call->env, value, i, &element) != napi_ok) return false;
    if (!part_of(call, element, &parts[i])) return false;
  }
  *count = length;
  return true;
}

napi_value pin_memory(napi_env env, napi_callback_info info) {
  struct call call;
  struct pin pin = {0};
  int slot;
  if (!call_begin(env, info, 1, &call) || !argument_int(&call, 0, &slot)) return NULL;
  if (slot < 0 || slot >= PINS_MAX) return answer(&call, -EINVAL);
  if (argument_is_given(&call, 1)) {
    napi_value array = call.arguments[1];
    if (napi_get_typedarray_info(env, array, &pin.type, &pin.memory.length, &pin.memory.data,
                                 NULL, NULL) != napi_ok ||
        napi_create_reference(env, array, 1, &pin.array) != napi_ok) {
      refuse(env, "expected a typed array");
      return NULL;
    }
  }
  napi_ref before = call.environment->pins[slot].array;
  call.environment->pins[slot] = pin;
  if (before != NULL) napi_delete_reference(env, before);
  return answer(&call, slot);
}

napi_value answer(const struct call *call, int64_t result) {
  napi_value value = NULL;
  napi_create_int32(call->env, (int32_t)result, &value);
  return value;
}

int64_t outcome(int64_t result) {
  return result < 0 ? -errno : result;
}
