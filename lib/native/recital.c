// Kernels of ../assembly once more, as machine code for this very machine: `npm run native` compiles this file, `setCompute({ native: true })` uses it. They
// work in place on the shared memory, with the same arguments; addresses are byte offsets into it. Which kernels there are: `names` in native.ts.
#define _GNU_SOURCE // for dladdr
#include <math.h>

#include "node-api.h"
#include "pool.h"
#include "vector.h"

#include "gemm.h"
#include "recurrent.h"
#include "rows.h"

/** Where the shared memory and the arguments of a call lie: of each thread of Node that loads this. */
typedef struct {
  char *memory;
  const double *args;
} Instance;

enum { ADAM_RANGE, ADAM_TABLE, COLUMN_SUMS, CROSS_ENTROPY_ROWS, GEMM_COLUMNS, GEMM_ROWS, GRU_BACKWARD, GRU_FORWARD, LSTM_BACKWARD, LSTM_FORWARD, ZERO };

/** The address that argument i gives; NULL for 0. */
static void *at(const Instance *self, int i) {
  const uint32_t offset = (uint32_t)self->args[i];
  return offset ? self->memory + offset : NULL;
}

static Matrix matrix(const Instance *self, int i) { return (Matrix){at(self, i), (long)self->args[i + 1], (long)self->args[i + 2]}; }

static Coefficients coefficients(const double *a) { return (Coefficients){a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]}; }

/** Runs a kernel over n rows. Returns what went wrong, or NULL. */
static const char *call(const Instance *self, int kernel, int n, int threads) {
  const double *a = self->args;
  bool done = false;
  if (n <= 0) return NULL;
  switch (kernel) {
    case ADAM_RANGE:
      done = overRows(adamTask, (Rows){.n = n, .x = at(self, 0), .g = at(self, 1), .m = at(self, 2), .v = at(self, 3), .k = coefficients(a + 4)}, n, 1, threads);
      break;
    case ADAM_TABLE:
      done = overRows(adamTableTask,
                      (Rows){.n = n, .width = (int)a[0], .index = at(self, 1), .x = at(self, 2), .g = at(self, 3), .m = at(self, 4), .v = at(self, 5),
                             .k = coefficients(a + 6)},
                      n, (long)a[0], threads);
      break;
    case COLUMN_SUMS: // columns are split: so many that a task reads lines of the cache that follow each other
      done = overRows(columnSumsTask, (Rows){.n = (int)a[0], .part = smaller(1024, larger(64, ceilTo(n / (2 * threads) + 1, 64))), .width = n, .x = at(self, 1), .out = at(self, 2)}, n, (long)a[0], threads);
      break;
    case CROSS_ENTROPY_ROWS:
      done = overRows(crossEntropyTask,
                      (Rows){.n = n, .width = (int)a[0], .x = at(self, 1), .index = at(self, 2), .parts = at(self, 3), .out = at(self, 4), .scales = at(self, 5)},
                      n, (long)a[0], threads);
      break;
    case GEMM_COLUMNS:
    case GEMM_ROWS: {
      const bool rows = kernel == GEMM_ROWS;
      done = gemm((Product){.m = rows ? n : (int)a[0], .n = rows ? (int)a[0] : n, .k = (int)a[1], .threads = threads, .a = matrix(self, 2),
                            .b = matrix(self, 5), .c = {at(self, 8), (long)a[9], at(self, 11), a[10] != 0}});
      break;
    }
    case LSTM_FORWARD:
    case LSTM_BACKWARD: {
      Layer l = {.size = n, .steps = (int)a[0], .H = (int)a[1], .sizes = at(self, 2)};
      for (int i = 1; i < 6; i++) l.x[i] = at(self, 3 + i); // z, c, t, h or dh, dc
      const bool back = kernel == LSTM_BACKWARD;
      done = recurrent(l, back ? lstmBackwardTask : lstmForwardTask, 4, at(self, 3), back, threads);
      break;
    }
    case GRU_FORWARD:
    case GRU_BACKWARD: {
      Layer l = {.size = n, .steps = (int)a[0], .H = (int)a[1], .sizes = at(self, 2)};
      for (int i = 1; i < 5; i++) l.x[i] = at(self, 3 + i); // b, x, u, h or x, u, h, dh
      const bool back = kernel == GRU_BACKWARD;
      done = recurrent(l, back ? gruBackwardTask : gruForwardTask, 3, at(self, 3), back, threads);
      break;
    }
    case ZERO:
      done = overRows(zeroTask, (Rows){.n = n, .part = 65536, .out = at(self, 0)}, n, 1, threads);
      break;
    default:
      return "The native kernel does not know this kernel.";
  }
  return done ? NULL : "Out of memory in the native kernel.";
}

/** run(kernel, rows, threads), with further arguments in the array that was attached. */
static napi_value Run(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value given[3];
  int32_t numbers[3];
  Instance *self;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  if (napi_get_instance_data(env, (void **)&self) || !self || !self->memory || count < 3) {
    napi_throw_error(env, NULL, "run(kernel, rows, threads) was expected, after attach(memory, args).");
    return NULL;
  }
  for (int i = 0; i < 3; i++) {
    if (napi_get_value_int32(env, given[i], &numbers[i])) {
      napi_throw_error(env, NULL, "run(kernel, rows, threads) needs three numbers.");
      return NULL;
    }
  }
  const char *wrong = call(self, numbers[0], numbers[1], numbers[2]);
  if (wrong) napi_throw_error(env, NULL, wrong);
  return NULL;
}

/** attach(memory: Uint8Array, args: Float64Array): both on shared memory that never moves. */
static napi_value Attach(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2];
  Instance *self;
  void *memory = NULL, *args = NULL;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  if (napi_get_instance_data(env, (void **)&self) || !self || count < 2 || napi_get_typedarray_info(env, given[0], NULL, NULL, &memory, NULL, NULL) ||
      napi_get_typedarray_info(env, given[1], NULL, NULL, &args, NULL, NULL)) {
    napi_throw_error(env, NULL, "attach(memory, args) needs two typed arrays.");
    return NULL;
  }
  self->memory = memory;
  self->args = args;
  return NULL;
}

static void drop(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback callback;
  } functions[] = {{"attach", Attach}, {"run", Run}};
  napi_set_instance_data(env, calloc(1, sizeof(Instance)), drop, NULL);
  for (int i = 0; i < 2; i++) {
    napi_value f;
    napi_create_function(env, functions[i].name, strlen(functions[i].name), functions[i].callback, NULL, &f);
    napi_set_named_property(env, exports, functions[i].name, f);
  }
  return exports;
}
