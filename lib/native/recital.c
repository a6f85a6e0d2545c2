// Kernels of recital/compute/assembly once more, as machine code for this very machine: `npm run native` compiles this
// file, `setCompute({ native: true })` uses it. They work in place on the shared memory, with the same arguments;
// addresses are byte offsets into it. The list of kernels is `kernels` below.
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

/** The address that argument i gives; NULL for 0. */
static void *at(const Instance *self, int i) {
  const uint32_t offset = (uint32_t)self->args[i];
  return offset ? self->memory + offset : NULL;
}

static Matrix matrix(const Instance *self, int i) { return (Matrix){at(self, i), (long)self->args[i + 1], (long)self->args[i + 2]}; }

static Coefficients coefficients(const double *a) { return (Coefficients){a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]}; }

// A kernel over n rows, as a task for each thread. False: there was no memory for it.

static bool adamRange(const Instance *self, const double *a, int n, int threads) {
  return overRows(adamTask,
                  (Rows){.n = n, .x = at(self, 0), .g = at(self, 1), .m = at(self, 2), .v = at(self, 3), .k = coefficients(a + 4)},
                  n, 1, threads);
}

static bool adamTable(const Instance *self, const double *a, int n, int threads) {
  const Rows rows = {.n = n, .width = (int)a[0], .index = at(self, 1), .x = at(self, 2), .g = at(self, 3),
                     .m = at(self, 4), .v = at(self, 5), .k = coefficients(a + 6)};
  return overRows(adamTableTask, rows, n, (long)a[0], threads);
}

// Columns are split: so many that a task reads lines of the cache that follow each other.
static bool columnSums(const Instance *self, const double *a, int n, int threads) {
  const int part = smaller(1024, larger(64, ceilTo(n / (2 * threads) + 1, 64)));
  const Rows rows = {.n = (int)a[0], .part = part, .width = n, .x = at(self, 1), .out = at(self, 2)};
  return overRows(columnSumsTask, rows, n, (long)a[0], threads);
}

static bool crossEntropyRows(const Instance *self, const double *a, int n, int threads) {
  const Rows rows = {.n = n, .width = (int)a[0], .x = at(self, 1), .index = at(self, 2),
                     .parts = at(self, 3), .out = at(self, 4), .scales = at(self, 5)};
  return overRows(crossEntropyTask, rows, n, (long)a[0], threads);
}

static bool product(const Instance *self, const double *a, int m, int n, int threads) {
  return gemm((Product){.m = m, .n = n, .k = (int)a[1], .threads = threads, .a = matrix(self, 2),
                        .b = matrix(self, 5), .c = {at(self, 8), (long)a[9], at(self, 11), a[10] != 0}});
}

static bool gemmColumns(const Instance *self, const double *a, int n, int threads) {
  return product(self, a, (int)a[0], n, threads);
}

static bool gemmRows(const Instance *self, const double *a, int n, int threads) {
  return product(self, a, n, (int)a[0], threads);
}

/** A layer whose arrays are arguments 3 to 2 + arrays. */
static Layer layer(const Instance *self, const double *a, int n, int arrays) {
  Layer l = {.size = n, .steps = (int)a[0], .H = (int)a[1], .sizes = at(self, 2)};
  for (int i = 1; i <= arrays; i++) l.x[i] = at(self, 3 + i);
  return l;
}

static bool gruBackward(const Instance *self, const double *a, int n, int threads) { // x, u, h, dh
  return recurrent(layer(self, a, n, 4), gruBackwardTask, 3, at(self, 3), true, threads);
}

static bool gruForward(const Instance *self, const double *a, int n, int threads) { // b, x, u, h
  return recurrent(layer(self, a, n, 4), gruForwardTask, 3, at(self, 3), false, threads);
}

static bool lstmBackward(const Instance *self, const double *a, int n, int threads) { // z, c, t, dh, dc
  return recurrent(layer(self, a, n, 5), lstmBackwardTask, 4, at(self, 3), true, threads);
}

static bool lstmForward(const Instance *self, const double *a, int n, int threads) { // z, c, t, h
  return recurrent(layer(self, a, n, 5), lstmForwardTask, 4, at(self, 3), false, threads);
}

static bool zero(const Instance *self, const double *a, int n, int threads) {
  (void)a;
  return overRows(zeroTask, (Rows){.n = n, .part = 65536, .out = at(self, 0)}, n, 1, threads);
}

#define KERNEL(name) {#name, name}
static const struct {
  const char *name;
  bool (*run)(const Instance *, const double *, int, int);
} kernels[] = {
    KERNEL(adamRange),   KERNEL(adamTable), KERNEL(columnSums),  KERNEL(crossEntropyRows),
    KERNEL(gemmColumns), KERNEL(gemmRows),  KERNEL(gruBackward), KERNEL(gruForward),
    KERNEL(lstmBackward), KERNEL(lstmForward), KERNEL(zero),
};
#define KERNELS ((int)(sizeof kernels / sizeof *kernels))

/** Runs a kernel over n rows. Returns what went wrong, or NULL. */
static const char *call(const Instance *self, int kernel, int n, int threads) {
  if (n <= 0) return NULL;
  if (kernel < 0 || kernel >= KERNELS) return "The native kernel does not know this kernel.";
  return kernels[kernel].run(self, self->args, n, threads) ? NULL : "Out of memory in the native kernel.";
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
  napi_value names;
  napi_create_array(env, &names);
  for (int i = 0; i < KERNELS; i++) {
    napi_value name;
    napi_create_string_utf8(env, kernels[i].name, strlen(kernels[i].name), &name);
    napi_set_element(env, names, (uint32_t)i, name);
  }
  napi_set_named_property(env, exports, "names", names);
  return exports;
}
