import { dispose, float32 } from '../../compute/memory.js';
import type { Csr } from '../../data/csr.js';
import { type Entries, rowOf } from './sparse-top-k.js';

/**
 * The weights B of EASE, B[i, t] = −P[i, t] / P[t, t] off the diagonal and 0 on it, with P = (YᵀY +
 * λ)⁻¹, in a form that can be multiplied with. Y has a row for each user, then the side rows.
 */
export interface EaseSolution {
  /** out = y·B for users of training (rows of Y), one row of tracks per user. */
  scores(users: Int32Array, out: Float32Array): void;
  /** The same for any row y. */
  scoresOf(y: Entries, out: Float32Array): void;
  /** B[i, t] for some i. */
  weights(tracks: Int32Array, t: number): Float64Array;
}

/**
 * The matrix to invert, λ added to its diagonal: YYᵀ of rows × rows, or YᵀY of tracks × tracks,
 * whichever is smaller.
 */
export function easeSystem(y: Csr, lambda: number): { system: Float32Array; size: number } {
  const [rows, tracks] = y.shape;
  const size = Math.min(rows, tracks);
  const system = float32(size * size);
  // The sum of v·vᵀ over the columns of Y, or over its rows, each sparse.
  const { indptr, indices, data } = rows <= tracks ? y.transpose() : y;
  for (let r = 0; r + 1 < indptr.length; r++) {
    for (let i = indptr[r]; i < indptr[r + 1]; i++) {
      const row = indices[i] * size;
      const value = data[i];
      for (let j = indptr[r]; j <= i; j++) system[row + indices[j]] += value * data[j]; // columns ascend: the lower triangle
    }
  }
  for (let i = 0; i < size; i++) system[i * size + i] += lambda;
  return { system, size };
}

/**
 * The form of the solution that fits an inverse of this size: of tracks, or of the rows of Y where
 * these are not more.
 */
export function easeSolution(
  y: Csr,
  { inverse, size, lambda }: { inverse: Float32Array; size: number; lambda: number },
): EaseSolution {
  return size === y.shape[0] ? new RowForm(y, inverse, lambda) : new TrackForm(y, inverse);
}

/** With the inverse P of tracks × tracks itself. */
class TrackForm implements EaseSolution {
  private readonly size: number;

  constructor(
    private readonly y: Csr,
    private readonly inverse: Float32Array,
  ) {
    this.size = y.shape[1];
  }

  scores(users: Int32Array, out: Float32Array): void {
    for (let b = 0; b < users.length; b++)
      this.scoresOf(rowOf(this.y, users[b]), out.subarray(b * this.size, (b + 1) * this.size));
  }

  scoresOf({ indices, data }: Entries, out: Float32Array): void {
    const { size, inverse } = this;
    out.fill(0);
    for (let i = 0; i < indices.length; i++) {
      const row = indices[i] * size;
      const value = data[i];
      for (let t = 0; t < size; t++) out[t] -= value * inverse[row + t];
      out[indices[i]] += value * inverse[row + indices[i]]; // nothing speaks for itself
    }
    for (let t = 0; t < size; t++) out[t] /= inverse[t * size + t];
  }

  weights(tracks: Int32Array, t: number): Float64Array {
    const { size, inverse } = this;
    return Float64Array.from(tracks, (i) =>
      i === t ? 0 : -inverse[i * size + t] / inverse[t * size + t],
    );
  }
}

/**
 * With A⁻¹ = (YYᵀ + λ)⁻¹ of rows × rows: P = (1 − YᵀA⁻¹Y)/λ, so that for q_t = (YᵀA⁻¹Y)[t, t] and z
 * = A⁻¹Yy the score is y_t − (y_t − (Yᵀz)_t)/(1 − q_t). For a user u of training z = e_u −
 * λ·A⁻¹e_u.
 */
class RowForm implements EaseSolution {
  private readonly size: number;
  /** 1 − q of each track, the diagonal of λP. */
  private readonly rest: Float64Array;
  private readonly columns: Csr;
  private readonly byTrack: Csr<Float32Array>;

  constructor(
    private readonly y: Csr,
    private readonly inverse: Float32Array,
    private readonly lambda: number,
  ) {
    this.size = y.shape[0];
    this.columns = y.transpose();
    this.byTrack = this.columns.toShared(Float32Array);
    this.rest = Float64Array.from({ length: y.shape[1] }, (_, t) => 1 - this.quadratic(t));
  }

  scores(users: Int32Array, out: Float32Array): void {
    const { size, inverse, lambda, y } = this;
    const tracks = y.shape[1];
    const n = users.length;
    const z = float32(size * n); // λ·A⁻¹e_u, a column per user
    const products = float32(tracks * n);
    for (let b = 0; b < n; b++) {
      const row = users[b] * size;
      for (let r = 0; r < size; r++) z[r * n + b] = lambda * inverse[row + r];
    }
    this.byTrack.times(z, products, { width: n });
    for (let b = 0; b < n; b++) {
      const row = out.subarray(b * tracks, (b + 1) * tracks);
      for (let t = 0; t < tracks; t++) row[t] = -products[t * n + b] / this.rest[t];
      const own = rowOf(y, users[b]);
      for (let i = 0; i < own.indices.length; i++) row[own.indices[i]] += own.data[i];
    }
    dispose(z);
    dispose(products);
  }

  scoresOf({ indices, data }: Entries, out: Float32Array): void {
    const { size, inverse, columns, y } = this;
    const products = new Float64Array(size); // Yy
    for (let i = 0; i < indices.length; i++)
      for (let j = columns.indptr[indices[i]]; j < columns.indptr[indices[i] + 1]; j++)
        products[columns.indices[j]] += data[i] * columns.data[j];
    const z = new Float64Array(size);
    for (let r = 0; r < size; r++) {
      if (products[r] === 0) continue;
      for (let s = 0; s < size; s++) z[s] += products[r] * inverse[r * size + s];
    }
    const sums = new Float64Array(y.shape[1]); // Yᵀz − y
    for (let r = 0; r < size; r++)
      for (let j = y.indptr[r]; j < y.indptr[r + 1]; j++) sums[y.indices[j]] += z[r] * y.data[j];
    for (let i = 0; i < indices.length; i++) sums[indices[i]] -= data[i];
    for (let t = 0; t < sums.length; t++) out[t] = sums[t] / this.rest[t];
    for (let i = 0; i < indices.length; i++) out[indices[i]] += data[i];
  }

  weights(tracks: Int32Array, t: number): Float64Array {
    const { size, inverse, columns } = this;
    const w = new Float64Array(size); // A⁻¹y_t
    for (let j = columns.indptr[t]; j < columns.indptr[t + 1]; j++) {
      const row = columns.indices[j] * size;
      for (let s = 0; s < size; s++) w[s] += columns.data[j] * inverse[row + s];
    }
    return Float64Array.from(tracks, (i) => {
      if (i === t) return 0;
      let sum = 0;
      for (let j = columns.indptr[i]; j < columns.indptr[i + 1]; j++)
        sum += columns.data[j] * w[columns.indices[j]];
      return sum / this.rest[t];
    });
  }

  /** y_tᵀ·A⁻¹·y_t */
  private quadratic(t: number): number {
    const { indptr, indices, data } = this.columns;
    const { inverse, size } = this;
    let sum = 0;
    for (let i = indptr[t]; i < indptr[t + 1]; i++) {
      const row = indices[i] * size;
      let half = 0; // the inverse is symmetric
      for (let j = indptr[t]; j < i; j++) half += data[j] * inverse[row + indices[j]];
      sum += data[i] * (2 * half + data[i] * inverse[row + indices[i]]);
    }
    return sum;
  }
}
