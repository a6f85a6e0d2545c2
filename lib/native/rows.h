// Kernels that pass over rows once: their speed is the memory's. What they compute is written in assembly/losses.ts, optimizers.ts and layers.ts, whose
// arguments these are.

/** Coefficients of a step of Adam, in the order of the arguments. */
typedef struct {
  float keep, l2, b1, d1, b2, d2, step, unbias, eps;
} Coefficients;

typedef struct {
  int n, part, width;
  const int32_t *index; // classes, or slots
  float *x, *out, *g, *m, *v, *scales;
  double *parts;
  Coefficients k;
} Rows;

INLINE float flushed(float x) { return x < TINY && x > -TINY ? 0 : x; }

/** n values with gradients g, or without: NULL. */
static void adam(long n, float *restrict w, const float *restrict g, float *restrict m, float *restrict v, Coefficients k) {
#define STEP(gradient)                                                                       \
  for (long i = 0; i < n; i++) {                                                             \
    const float p = w[i], d = (gradient) + k.l2 * p;                                         \
    const float m1 = flushed(k.b1 * m[i] + k.d1 * d), v1 = flushed(k.b2 * v[i] + k.d2 * (d * d)); \
    m[i] = m1;                                                                               \
    v[i] = v1;                                                                               \
    w[i] = p * k.keep - k.step * m1 / (sqrtf(v1) * k.unbias + k.eps);                        \
  }
  if (g) STEP(g[i])
  else STEP(0.f)
#undef STEP
}

static void adamTask(void *job, int task, float *scratch) {
  (void)scratch;
  const Rows *a = job;
  const long from = (long)task * a->part;
  adam(smaller(a->part, a->n - (int)from), a->x + from, a->g + from, a->m + from, a->v + from, a->k);
}

static void adamTableTask(void *job, int task, float *scratch) {
  (void)scratch;
  const Rows *a = job;
  const long width = a->width, to = smaller(a->n, (task + 1) * a->part);
  for (long r = (long)task * a->part, start = r; r < to; start = r) {
    const int slot = a->index[r++];
    if (slot < 0)
      while (r < to && a->index[r] < 0) r++; // runs of rows without gradient in one go
    const long o = start * width;
    adam((r - start) * width, a->x + o, slot < 0 ? NULL : a->g + slot * width, a->m + o, a->v + o, a->k);
  }
}

/** The largest of n floats, beside NaN, which shows in what is made of it. Four at a time: a comparison need not wait for the last one. */
INLINE float largest(const float *x, int n) {
  vf most[4] = {splat(-INFINITY), splat(-INFINITY), splat(-INFINITY), splat(-INFINITY)};
  int o = 0;
  for (; o + 4 * VL <= n; o += 4 * VL) {
    for (int i = 0; i < 4; i++) {
      const vf y = load(x + o + i * VL);
      most[i] = choose(y > most[i], y, most[i]);
    }
  }
  float lanes[4 * VL], m = -INFINITY;
  memcpy(lanes, most, sizeof lanes);
  for (int i = 0; i < 4 * VL; i++) m = lanes[i] > m ? lanes[i] : m;
  for (; o < n; o++) m = x[o] > m ? x[o] : m;
  return m;
}

/** Σ e^(x − m), and each of them in `out` unless that is NULL. 64 vectors at a time are summed in float32. */
INLINE double exponentials(const float *x, int n, float m, float *out) {
  double total = 0;
  for (int o = 0; o < n;) {
    vf partial = {0};
    const int end = smaller(n, o + 64 * VL);
    for (; o + VL <= end; o += VL) {
      const vf e = flush(expv(load(x + o) - m));
      if (out) store(out + o, e);
      partial += e;
    }
    if (o < end) { // the tail of the row: what lies beyond it counts as nothing
      const int rest = end - o;
      const vf e = flush(expv(loadPart(x + o, rest) - m));
      if (out) storePart(out + o, e, rest);
      vf counted = {0};
      memcpy(&counted, &e, 4 * (size_t)rest);
      partial += counted;
      o = end;
    }
    total += sum(partial);
  }
  return total;
}

static void crossEntropyTask(void *job, int task, float *scratch) {
  (void)scratch;
  const Rows *a = job;
  for (long r = (long)task * a->part, to = smaller(a->n, (task + 1) * a->part); r < to; r++) {
    const float *x = a->x + r * a->width;
    float *out = a->out ? a->out + r * a->width : NULL;
    const int class = a->index[r];
    if (class < 0) {
      a->parts[2 * r] = 1;
      a->parts[2 * r + 1] = 0;
      if (out) memset(out, 0, 4 * (size_t)a->width);
      continue;
    }
    const float m = largest(x, a->width), known = x[class];
    const double total = out ? exponentials(x, a->width, m, out) : exponentials(x, a->width, m, NULL);
    a->parts[2 * r] = total;
    a->parts[2 * r + 1] = (double)m - known;
    if (!out) continue;
    const float scale = a->scales[r], k = (float)(scale / total);
    for (int o = 0; o < a->width; o++) out[o] *= k;
    out[class] -= scale;
  }
}

/** Adds columns [from, to) of the rows to x, row by row. */
static void columnSumsTask(void *job, int task, float *scratch) {
  (void)scratch;
  const Rows *a = job;
  const int from = task * a->part, to = smaller(a->width, from + a->part);
  for (long r = 0; r < a->n; r++) {
    const float *restrict x = a->x + r * a->width;
    float *restrict sums = a->out;
    for (int j = from; j < to; j++) sums[j] += x[j];
  }
}

static void zeroTask(void *job, int task, float *scratch) {
  (void)scratch;
  const Rows *a = job;
  const long from = (long)task * a->part;
  memset(a->out + from, 0, 4 * (size_t)smaller(a->part, a->n - (int)from));
}

/** Splits n rows of so many values each into tasks of about 16,384 values, unless `part` says how many rows a task has, and runs them. */
static bool overRows(Work work, Rows rows, int n, long values, int threads) {
  if (rows.part == 0) rows.part = larger(1, (int)((16384 + values - 1) / larger(1, (int)values)));
  return run(work, &rows, (n + rows.part - 1) / rows.part, (double)n * values < 50000 ? 1 : threads, 0);
}
