// The few functions of Node-API that recital.c uses. Their binary interface is stable by contract (https://nodejs.org/api/n-api.html), so that neither Node's
// headers nor a build for each version of Node is needed.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef void (*napi_finalize)(napi_env, void *data, void *hint);
typedef int napi_status; // 0: done
typedef int napi_typedarray_type;

napi_status napi_create_function(napi_env, const char *name, size_t length, napi_callback, void *data, napi_value *result);
napi_status napi_create_array(napi_env, napi_value *result);
napi_status napi_create_string_utf8(napi_env, const char *text, size_t length, napi_value *result);
napi_status napi_set_element(napi_env, napi_value array, uint32_t index, napi_value value);
napi_status napi_set_named_property(napi_env, napi_value object, const char *name, napi_value value);
napi_status napi_get_cb_info(napi_env, napi_callback_info, size_t *argc, napi_value *argv, napi_value *self, void **data);
napi_status napi_get_value_int32(napi_env, napi_value, int32_t *result);
napi_status napi_get_typedarray_info(
    napi_env, napi_value, napi_typedarray_type *, size_t *length, void **data, napi_value *arraybuffer, size_t *byteOffset);
napi_status napi_set_instance_data(napi_env, void *data, napi_finalize, void *hint);
napi_status napi_get_instance_data(napi_env, void **data);
napi_status napi_throw_error(napi_env, const char *code, const char *message);

#define EXPORT __attribute__((visibility("default")))
EXPORT napi_value napi_register_module_v1(napi_env, napi_value exports);
