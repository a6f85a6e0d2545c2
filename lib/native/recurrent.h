// One layer of an LSTM or GRU over whole sequences. A task goes through all time steps of its own rows of the batch, which do not depend on each other. How
// sequences are packed, and what the arrays hold, is written in ../assembly/lstm.ts and gru.ts, whose arguments these are.

typedef struct {
  int size, part, steps, H;
  const int32_t *sizes;
  float *x[6];   // the arrays, in the order of the arguments
  float *packed; // W
} Layer;

static _Thread_local Room weightsRoom;

/** What happens to the n values at o of a row (all VL of them, or fewer at its end). `before`: those of the step before; NULL at first. */
#define GET(p) (n == VL ? load((p) + o) : loadPart((p) + o, n))
#define PUT(p, v) (n == VL ? store((p) + o, v) : storePart((p) + o, v, n))

INLINE void lstmStep(float *z, int H, const float *before, float *c, float *t, float *h, int o, int n) {
  const vf i = sigmoidv(GET(z)), f = sigmoidv(GET(z + H)), g = tanhv(GET(z + 2 * H)), out = sigmoidv(GET(z + 3 * H));
  const vf cell = before ? f * GET(before) + i * g : i * g, squashed = tanhv(cell);
  PUT(z, i);
  PUT(z + H, f);
  PUT(z + 2 * H, g);
  PUT(z + 3 * H, out);
  PUT(c, cell);
  PUT(t, squashed);
  PUT(h, out * squashed);
}

INLINE void lstmStepBack(float *z, int H, const float *before, const float *t, const float *dh, float *dc, int o, int n) {
  const vf i = GET(z), f = GET(z + H), g = GET(z + 2 * H), out = GET(z + 3 * H), squashed = GET(t), d = GET(dh);
  const vf cell = GET(dc) + d * out * (1.f - squashed * squashed);
  PUT(z, cell * g * (i * (1.f - i)));
  PUT(z + H, before ? cell * GET(before) * (f * (1.f - f)) : (vf){0});
  PUT(z + 2 * H, cell * i * (1.f - g * g));
  PUT(z + 3 * H, d * squashed * (out * (1.f - out)));
  PUT(dc, cell * f);
}

INLINE void gruStep(float *x, const float *u, int H, const float *before, float *h, int o, int n) {
  const vf r = sigmoidv(GET(x) + GET(u)), z = sigmoidv(GET(x + H) + GET(u + H)), fresh = tanhv(GET(x + 2 * H) + r * GET(u + 2 * H));
  PUT(x, r);
  PUT(x + H, z);
  PUT(x + 2 * H, fresh);
  PUT(h, before ? (1.f - z) * fresh + z * GET(before) : (1.f - z) * fresh);
}

INLINE void gruStepBack(float *x, float *u, int H, const float *before, const float *dh, float *dBefore, int o, int n) {
  const vf r = GET(x), z = GET(x + H), fresh = GET(x + 2 * H), d = GET(dh);
  const vf dn = d * (1.f - z) * (1.f - fresh * fresh), dr = dn * GET(u + 2 * H) * (r * (1.f - r));
  const vf dz = d * (before ? GET(before) - fresh : -fresh) * (z * (1.f - z));
  PUT(x, dr);
  PUT(x + H, dz);
  PUT(x + 2 * H, dn);
  PUT(u, dr);
  PUT(u + H, dz);
  PUT(u + 2 * H, dn * r);
  if (before) PUT(dBefore, GET(dBefore) + d * z);
}

/** Does something to all values of the rows 0 … rows−1, VL at a time. */
#define FOR_VALUES(rows, H, CALL)                                \
  for (long r = 0; r < (rows); r++) {                             \
    int o = 0;                                                    \
    for (const int n = VL; o + VL <= (H); o += VL) CALL;          \
    for (const int n = (H) - o; o < (H); o += VL) CALL;           \
  }

INLINE long rowsInAll(const Layer *l) {
  long n = 0;
  for (int s = 0; s < l->steps; s++) n += l->sizes[s];
  return n;
}

INLINE void forward(const Layer *l, int task, float *scratch, const bool gru) {
  const int H = l->H, from = task * l->part, to = smaller(l->size, from + l->part), gates = gru ? 3 : 4;
  long start = 0, last = 0;
  for (int s = 0; s < l->steps; s++) {
    const int rows = smaller(to, l->sizes[s]) - from;
    if (rows <= 0) return;
    const long at = (start + from) * H, before = (last + from) * H;
    float *h = l->x[4], *sums = gru ? l->x[3] : l->x[1];
    if (gru)
      for (int r = 0; r < rows; r++) memcpy(sums + 3 * (at + (long)r * H), l->x[1], 12 * (size_t)H);
    if (s > 0) multiplyRows((Matrix){h + before, H, 1}, l->packed, rows, gates * H, H, (Target){sums + gates * at, gates * H, NULL, true}, scratch);
    if (gru) {
      float *x = l->x[2] + 3 * at, *u = sums + 3 * at;
      if (s > 0) FOR_VALUES(rows, H, gruStep(x + 3 * r * H, u + 3 * r * H, H, h + before + r * H, h + at + r * H, o, n))
      else FOR_VALUES(rows, H, gruStep(x + 3 * r * H, u + 3 * r * H, H, NULL, h + at + r * H, o, n))
    } else {
      float *z = sums + 4 * at, *c = l->x[2], *t = l->x[3] + at;
      if (s > 0) FOR_VALUES(rows, H, lstmStep(z + 4 * r * H, H, c + before + r * H, c + at + r * H, t + r * H, h + at + r * H, o, n))
      else FOR_VALUES(rows, H, lstmStep(z + 4 * r * H, H, NULL, c + at + r * H, t + r * H, h + at + r * H, o, n))
    }
    last = start;
    start += l->sizes[s];
  }
}

INLINE void backward(const Layer *l, int task, float *scratch, const bool gru) {
  const int H = l->H, from = task * l->part, to = smaller(l->size, from + l->part), gates = gru ? 3 : 4;
  if (!gru) memset(l->x[5] + (long)from * H, 0, 4 * (size_t)(to - from) * (size_t)H);
  long start = rowsInAll(l);
  for (int s = l->steps - 1; s >= 0; s--) {
    start -= l->sizes[s];
    const int rows = smaller(to, l->sizes[s]) - from;
    if (rows <= 0) continue;
    const long at = (start + from) * H, before = s > 0 ? (start - l->sizes[s - 1] + from) * H : 0;
    float *z = gru ? l->x[2] : l->x[1], *dh = l->x[4];
    if (gru) {
      float *x = l->x[1] + 3 * at, *u = z + 3 * at, *h = l->x[3];
      if (s > 0) FOR_VALUES(rows, H, gruStepBack(x + 3 * r * H, u + 3 * r * H, H, h + before + r * H, dh + at + r * H, dh + before + r * H, o, n))
      else FOR_VALUES(rows, H, gruStepBack(x + 3 * r * H, u + 3 * r * H, H, NULL, dh + at + r * H, NULL, o, n))
    } else {
      float *c = l->x[2], *t = l->x[3] + at, *dc = l->x[5] + (long)from * H;
      if (s > 0) FOR_VALUES(rows, H, lstmStepBack(z + 4 * (at + r * H), H, c + before + r * H, t + r * H, dh + at + r * H, dc + r * H, o, n))
      else FOR_VALUES(rows, H, lstmStepBack(z + 4 * (at + r * H), H, NULL, t + r * H, dh + at + r * H, dc + r * H, o, n))
    }
    if (s > 0) multiplyRows((Matrix){z + gates * at, gates * H, 1}, l->packed, rows, H, gates * H, (Target){dh + before, H, NULL, true}, scratch);
  }
}

static void lstmForwardTask(void *job, int task, float *scratch) { forward(job, task, scratch, false); }
static void lstmBackwardTask(void *job, int task, float *scratch) { backward(job, task, scratch, false); }
static void gruForwardTask(void *job, int task, float *scratch) { forward(job, task, scratch, true); }
static void gruBackwardTask(void *job, int task, float *scratch) { backward(job, task, scratch, true); }

/** Runs a layer on so many threads. W: gates·H × H, transposed on the way forward. False: out of memory. */
static bool recurrent(Layer l, Work work, int gates, float *W, bool back, int threads) {
  const int k = back ? gates * l.H : l.H, n = back ? l.H : gates * l.H;
  if (!reserve(&weightsRoom, (size_t)ceilTo(n, VL) * k)) return false;
  l.packed = weightsRoom.data;
  packAllB(back ? (Matrix){W, l.H, 1} : (Matrix){W, 1, l.H}, k, n, l.packed);
  l.part = partOf(l.size, MR, k, threads);
  return run(work, &l, (l.size + l.part - 1) / l.part, threads, (size_t)l.part * smaller(k, KC));
}
