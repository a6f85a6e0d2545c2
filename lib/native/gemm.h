// C = A·B (+ C), float32, the Goto/BLIS way: A and B are packed in panels that the inner loop reads in order, and a tile of C stays in registers. Element
// (i, k) of A lies at a[i·rows + k·columns], so that A or B may be transposed. An element of C is a sum over blocks of KC products, each added in the order
// of k: its bits depend on K alone, not on M, N or the number of threads.

enum { MR = REGISTERS == 32 ? 8 : 4, NV = 3, NR = NV * VL, KC = 512 };

/** A matrix where it lies. */
typedef struct {
  float *at;
  long rows, columns; // strides
} Matrix;

INLINE int smaller(int a, int b) { return a < b ? a : b; }
INLINE int larger(int a, int b) { return a > b ? a : b; }
INLINE int ceilTo(int n, int step) { return (n + step - 1) / step * step; }
INLINE const float *element(Matrix m, long i, long k) { return m.at + i * m.rows + k * m.columns; }

/** Shuffles n vectors (a power of two) so that their first elements come first, then their second ones, … For n = VL that is the transpose. */
INLINE void interleave(vf *x, int n) {
  vf y[VL];
  for (int stage = 1; stage < n; stage *= 2) {
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; i++) {
      y[2 * i] = lowHalves(x[i], x[i + n / 2]);
      y[2 * i + 1] = highHalves(x[i], x[i + n / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; i++) x[i] = y[i];
  }
}

/** Packs m × k of A into panels of MR rows, zero-padded: first all first elements of the rows, then all second ones, … */
static void packA(Matrix a, int m, int k, float *out) {
  for (int i = 0; i < m; i += MR, out += (long)MR * k) {
    const int rows = smaller(MR, m - i);
    int j = 0;
    if (rows == MR && a.columns == 1) {
      for (; j + VL <= k; j += VL) {
        vf x[MR];
#pragma GCC unroll 8
        for (int r = 0; r < MR; r++) x[r] = load(element(a, i + r, j));
        interleave(x, MR);
#pragma GCC unroll 8
        for (int r = 0; r < MR; r++) store(out + (long)j * MR + r * VL, x[r]);
      }
    } else if (rows == MR && a.rows == 1) {
      for (; j < k; j++) memcpy(out + (long)j * MR, element(a, i, j), 4 * MR);
    }
    for (; j < k; j++)
      for (int r = 0; r < MR; r++) out[(long)j * MR + r] = r < rows ? *element(a, i + r, j) : 0;
  }
}

/** Vectors of the panel that begins with vector v of `all`: 3, or 2 and 2 in place of 3 and 1 at the end. */
INLINE int panelWidth(int v, int all) {
  const int left = all - v;
  return left == 4 || left == 2 ? 2 : smaller(left, NV);
}

/** Packs k × n of B into panels of up to NR columns, zero-padded: first the first row of the panel, then the second, … */
static void packB(Matrix b, int k, int n, float *out) {
  const int all = (n + VL - 1) / VL;
  for (int v = 0, wide; v < all; v += wide) {
    wide = panelWidth(v, all);
    float *panel = out + (long)v * VL * k;
    for (int u = 0; u < wide; u++) {
      const int column = (v + u) * VL, columns = smaller(VL, n - column), step = wide * VL;
      float *to = panel + u * VL;
      int j = 0;
      if (columns == VL && b.columns == 1) {
        for (; j < k; j++) store(to + (long)j * step, load(element(b, j, column)));
      } else if (columns == VL && b.rows == 1) {
        for (; j + VL <= k; j += VL) {
          vf x[VL];
#pragma GCC unroll 16
          for (int c = 0; c < VL; c++) x[c] = load(element(b, j, column + c));
          interleave(x, VL);
#pragma GCC unroll 16
          for (int c = 0; c < VL; c++) store(to + (long)(j + c) * step, x[c]);
        }
      } else if (b.columns == 1) {
        for (; j < k; j++) store(to + (long)j * step, loadPart(element(b, j, column), columns));
      }
      for (; j < k; j++)
        for (int c = 0; c < VL; c++) to[(long)j * step + c] = c < columns ? *element(b, j, column + c) : 0;
    }
  }
}

/** Where sums go: to C, whose rows lie `row` floats apart, added to what it holds, or to a row of their own (bias), or to nothing. */
typedef struct {
  float *c;
  long row;
  const float *bias;
  bool add;
} Target;

/** From row i, column j on. */
INLINE Target part(Target t, long i, long j) { return (Target){t.c + i * t.row + j, t.row, t.bias ? t.bias + j : NULL, t.add}; }

/** After the first block of k. */
INLINE Target later(Target t) { return (Target){t.c, t.row, NULL, true}; }

/** A tile of MR × wide·VL of C from packed panels; the first `rows` rows are stored, and the first `tail` elements of each row's last vector. */
INLINE void tileOf(const int wide, const float *a, const float *b, int k, Target t, int rows, int tail) {
  vf x[MR][NV];
#pragma GCC unroll 8
  for (int r = 0; r < MR; r++)
#pragma GCC unroll 3
    for (int v = 0; v < wide; v++) x[r][v] = (vf){0};
#pragma GCC unroll 8
  for (int r = 0; r < MR; r++)
#pragma GCC unroll 3
    for (int v = 0; v < wide; v++) __builtin_prefetch(t.c + r * t.row + v * VL, 1); // C comes while the sums are made
  for (; k > 0; k--, a += MR, b += wide * VL) {
    vf y[NV];
#pragma GCC unroll 3
    for (int v = 0; v < wide; v++) y[v] = *(const vf *)(b + v * VL);
#pragma GCC unroll 8
    for (int r = 0; r < MR; r++)
#pragma GCC unroll 3
      for (int v = 0; v < wide; v++) x[r][v] += a[r] * y[v];
  }
#pragma GCC unroll 8
  for (int r = 0; r < MR; r++, t.c += t.row) {
    if (r >= rows) return;
    const float *before = t.bias ? t.bias : t.add ? t.c : NULL;
#pragma GCC unroll 3
    for (int v = 0; v < wide; v++) {
      const int o = v * VL;
      if (v < wide - 1 || tail == VL) store(t.c + o, before ? load(before + o) + x[r][v] : x[r][v]);
      else storePart(t.c + o, before ? loadPart(before + o, tail) + x[r][v] : x[r][v], tail);
    }
  }
}

static void tile3(const float *a, const float *b, int k, Target t, int rows, int tail) { tileOf(3, a, b, k, t, rows, tail); }
static void tile2(const float *a, const float *b, int k, Target t, int rows, int tail) { tileOf(2, a, b, k, t, rows, tail); }
static void tile1(const float *a, const float *b, int k, Target t, int rows, int tail) { tileOf(1, a, b, k, t, rows, tail); }

/** C (+)= A·B from packed blocks of m × k and k × n: MR rows of C at a time, so that they are written from end to end. */
static void multiply(const float *a, const float *b, int m, int n, int k, Target t) {
  const int all = (n + VL - 1) / VL;
  for (int i = 0; i < m; i += MR, a += (long)MR * k) {
    const int rows = smaller(MR, m - i);
    for (int v = 0, wide; v < all; v += wide) {
      wide = panelWidth(v, all);
      const int tail = smaller(VL, n - (v + wide - 1) * VL);
      (wide == 3 ? tile3 : wide == 2 ? tile2 : tile1)(a, b + (long)v * VL * k, k, part(t, i, v * VL), rows, tail);
    }
  }
}

/** Where the block of k that begins at `from` starts in a matrix that was packed whole, whose other side is `side`, a multiple of MR or VL. */
INLINE long blockAt(int from, int side) { return (long)from * side; }

/** Packs all of B, block after block of KC rows: ceilTo(n, VL)·k floats. */
static void packAllB(Matrix b, int k, int n, float *out) {
  for (int p = 0; p < k; p += KC)
    packB((Matrix){(float *)element(b, p, 0), b.rows, b.columns}, smaller(KC, k - p), n, out + blockAt(p, ceilTo(n, VL)));
}

/** m rows of C (+)= A·B for a B packed by packAllB. scratch: room for ceilTo(m, MR)·min(k, KC). */
static void multiplyRows(Matrix a, const float *b, int m, int n, int k, Target t, float *scratch) {
  for (int p = 0; p < k; p += KC) {
    const int block = smaller(KC, k - p);
    packA((Matrix){(float *)element(a, 0, p), a.rows, a.columns}, m, block, scratch);
    multiply(scratch, b + blockAt(p, ceilTo(n, VL)), m, n, block, p ? later(t) : t);
  }
}

typedef struct {
  int m, n, k, threads;
  Matrix a, b;
  Target c;
  int part; // rows or columns of a task
  float *packed, *sums;
} Product;

static _Thread_local Room packedRoom, sumsRoom;

static void rowsTask(void *job, int task, float *scratch) {
  const Product *p = job;
  const int from = task * p->part, m = smaller(p->part, p->m - from);
  multiplyRows((Matrix){(float *)element(p->a, from, 0), p->a.rows, p->a.columns}, p->packed, m, p->n, p->k, part(p->c, from, 0), scratch);
}

static void columnsTask(void *job, int task, float *scratch) {
  const Product *p = job;
  const int from = task * p->part, n = smaller(p->part, p->n - from);
  for (int q = 0; q < p->k; q += KC) {
    const int block = smaller(KC, p->k - q);
    packB((Matrix){(float *)element(p->b, q, from), p->b.rows, p->b.columns}, block, n, scratch);
    multiply(p->packed + blockAt(q, ceilTo(p->m, MR)), scratch, p->m, n, block, part(q ? later(p->c) : p->c, 0, from));
  }
}

/** One block of k: its sums go to a matrix of their own. */
static void blockTask(void *job, int task, float *scratch) {
  const Product *p = job;
  const int from = task * KC, block = smaller(KC, p->k - from);
  float *b = scratch + (long)ceilTo(p->m, MR) * KC;
  packA((Matrix){(float *)element(p->a, 0, from), p->a.rows, p->a.columns}, p->m, block, scratch);
  packB((Matrix){(float *)element(p->b, from, 0), p->b.rows, p->b.columns}, block, p->n, b);
  multiply(scratch, b, p->m, p->n, block, (Target){.c = p->sums + (long)task * p->m * p->n, .row = p->n});
}

/** Adds up the blocks of a row, in order. */
static void addBlocks(void *job, int row, float *scratch) {
  (void)scratch;
  const Product *p = job;
  float *c = p->c.c + row * p->c.row;
  if (p->c.bias) memcpy(c, p->c.bias, 4 * (size_t)p->n);
  for (int task = 0; task * KC < p->k; task++) {
    const float *s = p->sums + ((long)task * p->m + row) * p->n;
    if (task == 0 && !p->c.add && !p->c.bias) memcpy(c, s, 4 * (size_t)p->n);
    else
      for (int j = 0; j < p->n; j++) c[j] += s[j];
  }
}

/** Rows or columns of a task: tasks of equal size, four for each thread if they are not too small, whose packed part stays in the cache. */
static int partOf(int n, int step, int k, int threads) {
  const int most = larger(step, 65536 / smaller(k, KC) / step * step);
  return smaller(most, larger(step, ceilTo((n + 4 * threads - 1) / (4 * threads), step)));
}

/** The product. False: out of memory. */
static bool gemm(Product p) {
  if (p.m <= 0 || p.n <= 0) return true;
  if (p.k <= 0) {
    for (int i = 0; i < p.m; i++) {
      if (p.c.bias) memcpy(p.c.c + i * p.c.row, p.c.bias, 4 * (size_t)p.n);
      else if (!p.c.add) memset(p.c.c + i * p.c.row, 0, 4 * (size_t)p.n);
    }
    return true;
  }
  if ((double)p.m * p.n * p.k < 500000) p.threads = 1;
  const int blocks = (p.k + KC - 1) / KC;
  if (blocks >= 8 && (double)p.m * p.n <= 65536) { // a small C from a long sum: split the sum
    const size_t sides = (size_t)ceilTo(p.m, MR) + ceilTo(p.n, VL);
    if (!reserve(&sumsRoom, (size_t)blocks * p.m * p.n)) return false;
    p.sums = sumsRoom.data;
    return run(blockTask, &p, blocks, p.threads, sides * KC) && run(addBlocks, &p, p.m, p.m * blocks > 1000 ? p.threads : 1, 0);
  }
  // Either way what is not split is packed once, so the longer side is split.
  if (p.n > p.m) {
    const int side = ceilTo(p.m, MR);
    if (!reserve(&packedRoom, (size_t)side * p.k)) return false;
    p.packed = packedRoom.data;
    for (int q = 0; q < p.k; q += KC)
      packA((Matrix){(float *)element(p.a, 0, q), p.a.rows, p.a.columns}, p.m, smaller(KC, p.k - q), p.packed + blockAt(q, side));
    p.part = partOf(p.n, NR, p.k, p.threads);
    return run(columnsTask, &p, (p.n + p.part - 1) / p.part, p.threads, (size_t)p.part * smaller(p.k, KC));
  }
  if (!reserve(&packedRoom, (size_t)ceilTo(p.n, VL) * p.k)) return false;
  p.packed = packedRoom.data;
  packAllB(p.b, p.k, p.n, p.packed);
  p.part = partOf(p.m, MR, p.k, p.threads);
  return run(rowsTask, &p, (p.m + p.part - 1) / p.part, p.threads, (size_t)p.part * smaller(p.k, KC));
}
