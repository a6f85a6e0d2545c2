import { matmul } from '../../compute/matmul.js';
import { dispose, float32 } from '../../compute/memory.js';

/** How a track is compared with what a listener has played: see {@link ContentRecommender}. */
export type ContentScoring = 'profile' | 'nearest';

/** What a listener has played: track indices, and what each play is worth. */
export interface Played {
  readonly tracks: Int32Array;
  readonly values: Float32Array;
}

/** Cosines held at once. */
const BLOCK_COSINES = 1 << 20;

/**
 * The vectors of tracks, and the cosines between them and listeners. A vector of zeros is that of a
 * track of which nothing is known: cosine 0 with all.
 */
export class ContentScores {
  /** tracks × width: the vectors divided by their lengths, on the shared memory. */
  private readonly units: Float32Array;
  private readonly tracks: number;

  /**
   * @param vectors tracks × width
   * @param options.k how many nearest tracks count; 0: the profile does
   */
  constructor(
    private readonly vectors: Float32Array,
    private readonly width: number,
    private readonly k: number,
  ) {
    this.tracks = vectors.length / width;
    this.units = float32(vectors.length);
    for (let t = 0; t < this.tracks; t++)
      this.units.set(unit(vectors.subarray(t * width, (t + 1) * width)), t * width);
  }

  /** Whether anything is known of a track. */
  knows(track: number): boolean {
    for (let i = track * this.width; i < (track + 1) * this.width; i++)
      if (this.units[i] !== 0) return true;
    return false;
  }

  /** a·b / (|a|·|b|). */
  cosine(a: number, b: number): number {
    let sum = 0;
    for (let j = 0; j < this.width; j++)
      sum += this.units[a * this.width + j] * this.units[b * this.width + j];
    return sum;
  }

  /** Those tracks of a listener that have a vector. */
  known({ tracks, values }: Played): Played {
    const at = Int32Array.from(tracks.keys()).filter((i) => this.knows(tracks[i]));
    return { tracks: at.map((i) => tracks[i]), values: Float32Array.from(at, (i) => values[i]) };
  }

  /** The mean of the vectors of tracks, weighted by what the plays are worth. */
  profile({ tracks, values }: Played): Float64Array {
    const { width, vectors } = this;
    const sum = new Float64Array(width);
    let weight = 0;
    for (let i = 0; i < tracks.length; i++) {
      weight += values[i];
      for (let j = 0, p = tracks[i] * width; j < width; j++) sum[j] += values[i] * vectors[p++];
    }
    return sum.map((x) => x / weight);
  }

  /**
   * Scores listeners: out[b·tracks + t].
   * @param listeners what each has played, tracks with a vector alone
   * @param average stands for those who have played none
   */
  score(listeners: readonly Played[], average: () => Float64Array, out: Float32Array): void {
    const { tracks, k } = this;
    const byProfile = Array.from(listeners.keys()).filter(
      (b) => k === 0 || listeners[b].tracks.length === 0,
    );
    const profiles = byProfile.map((b) =>
      unit(listeners[b].tracks.length ? this.profile(listeners[b]) : average()),
    );
    this.cosines(profiles, (row, i) => out.set(row, byProfile[i] * tracks));
    if (k === 0) return;
    listeners.forEach((played, b) => {
      if (played.tracks.length) this.nearest(played, out.subarray(b * tracks, (b + 1) * tracks));
    });
  }

  /** What each of a listener's tracks adds to the score of a track. */
  contributions(played: Played, track: number): Float64Array {
    const { width, units, vectors, k } = this;
    if (k > 0) {
      const cosines = Float64Array.from(played.tracks, (own) => this.cosine(own, track));
      const near = Array.from(cosines.keys())
        .sort((a, b) => cosines[b] - cosines[a] || a - b)
        .slice(0, k);
      const weight = near.reduce((sum, i) => sum + played.values[i], 0);
      const out = new Float64Array(cosines.length);
      for (const i of near) out[i] = (played.values[i] * cosines[i]) / weight;
      return out;
    }
    const total = played.values.reduce((sum, v) => sum + v, 0);
    const length = Math.sqrt(this.profile(played).reduce((sum, x) => sum + x * x, 0)) * total;
    return Float64Array.from(played.tracks, (own, i) => {
      let product = 0;
      for (let j = 0; j < width; j++)
        product += vectors[own * width + j] * units[track * width + j];
      return length === 0 ? 0 : (played.values[i] * product) / length;
    });
  }

  /**
   * The mean cosine of the k nearest of the listener's tracks, weighted by what the plays are
   * worth.
   */
  private nearest({ tracks: own, values }: Played, out: Float32Array): void {
    const { tracks, units, width } = this;
    const k = Math.min(this.k, own.length);
    const best = new Float32Array(tracks * k).fill(-Infinity); // k cosines a track, descending
    const weight = new Float32Array(tracks * k);
    const rows = Array.from(own, (t) => units.subarray(t * width, (t + 1) * width));
    this.cosines(rows, (row, i) => {
      for (let t = 0; t < tracks; t++) {
        let at = (t + 1) * k;
        if (row[t] <= best[at - 1]) continue; // of equal ones the first stays
        for (at--; at > t * k && best[at - 1] < row[t]; at--) {
          best[at] = best[at - 1];
          weight[at] = weight[at - 1];
        }
        best[at] = row[t];
        weight[at] = values[i];
      }
    });
    for (let t = 0; t < tracks; t++) {
      let [sum, total] = [0, 0];
      for (let i = t * k; i < (t + 1) * k; i++) {
        sum += weight[i] * best[i];
        total += weight[i];
      }
      out[t] = sum / total;
    }
  }

  /**
   * Calls `use` with the products of each row and the units of all tracks; what it gets is good for
   * that call only.
   */
  private cosines(
    rows: readonly ArrayLike<number>[],
    use: (cosines: Float32Array, i: number) => void,
  ): void {
    const { tracks, width, units } = this;
    const block = Math.max(1, Math.min(rows.length, Math.floor(BLOCK_COSINES / tracks)));
    const a = float32(block * width);
    const c = float32(block * tracks);
    try {
      for (let from = 0; from < rows.length; from += block) {
        const m = Math.min(block, rows.length - from);
        for (let i = 0; i < m; i++) a.set(rows[from + i], i * width);
        const b = { values: units, rowStride: 1, columnStride: width }; // transposed
        matmul(
          { m, n: tracks, k: width },
          { a: { values: a, rowStride: width }, b, c: { values: c, rowStride: tracks } },
        );
        for (let i = 0; i < m; i++) use(c.subarray(i * tracks, (i + 1) * tracks), from + i);
      }
    } finally {
      dispose(a);
      dispose(c);
    }
  }
}

/** A vector divided by its length; zeros stay. */
function unit(vector: ArrayLike<number>): Float64Array {
  let squares = 0;
  for (let j = 0; j < vector.length; j++) squares += vector[j] * vector[j];
  return Float64Array.from(vector, (x) => (squares === 0 ? 0 : x / Math.sqrt(squares)));
}
