import { interruptible, orInterrupted, stoppable } from '../../compute/interrupt.js';
import { dispose, float32 } from '../../compute/memory.js';
import { Csr, type InteractionValue } from '../../data/csr.js';
import type { Tensor } from '../../data/files/safetensors.js';
import { csrTensors, readCsr } from '../../data/files/tensors.js';
import { Plays } from '../../data/plays.js';
import { invertSymmetric } from '../../decomposition/positive-definite.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkNumber, checkOptions, type NoOptions } from '../../options.js';
import { PlayValues, readValue } from '../confidence.js';
import { type Explanation, explainByTracks } from '../explanation.js';

import type { SavedForm } from '../export.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { type Id, Recommender } from '../recommender.js';
import { checkScores, trackIndex, userIndex } from '../resolve-ids.js';
import { type SideRows, sideColumns } from './side-rows.js';

/** Options of {@link EASE.fit}. */
export interface EASEOptions {
  /**
   * Strength of the regularization, more than 0; default 100. It means the same whatever `value`
   * and `popularityPower`: see {@link EASE}.
   */
  lambda?: number;
  /**
   * What a play is worth: 1 ('binary', default), ln(1 + playcount) ('log') or the playcount
   * ('count').
   */
  value?: InteractionValue;
  /**
   * How much popular tracks are held back: entries are divided by listeners^power. Default 0, as
   * published; 0.1 to 0.3 can help much.
   */
  popularityPower?: number;
  /** Further rows beside the users: tags, artists, genres; see {@link tagRows}. Default: none. */
  sideRows?: SideRows;
  /** How much an entry of the side rows weighs beside a play; default 1. */
  sideWeight?: number;
}

/** The options of a fitted EASE. */
export type EASESettings = Readonly<Required<Omit<EASEOptions, 'sideRows'>>>;

/** What a fitted model consists of. */
export interface EASEState {
  readonly settings: EASESettings;
  /** The side rows over the tracks of training, as they were given. */
  readonly side: Csr | undefined;
  /** The inverse, on the shared memory. */
  readonly inverse: Float32Array;
  /**
   * What a value of each track is multiplied by, where there are no listening histories to find it
   * from.
   */
  readonly columnScale?: Float64Array;
}

/** Rows of a matrix to invert: 20,000 take 1.6 GB. */
const MAX_SIZE = 20_000;

/**
 * EASE (Steck, 2019): the linear model that predicts each track of a user from their other tracks,
 * in closed form. With Y the users × tracks matrix, the side rows below it, P = (YᵀY + λ)⁻¹ and
 * B[i, t] = −P[i, t]/P[t, t], B[t, t] = 0, a user with the row y scores y·B. The smaller side is
 * inverted: where users and side rows are fewer than tracks, P = (1 − Yᵀ(YYᵀ + λ)⁻¹Y)/λ is never
 * formed.
 *
 * Entries of Y are values / listeners^popularityPower, divided by their root mean square, those of
 * side rows likewise, times `sideWeight`.
 * @example
 * const ease = await EASE.fit(plays, { lambda: 100, value: 'log', popularityPower: 0.2 });
 * ease.recommend(user, { n: 10 });
 */
export class EASE extends Recommender {
  readonly name: string;
  /** All options but the side rows. */
  readonly options: EASESettings;
  /** What `export` writes. */
  readonly state: EASEState;
  private readonly values: PlayValues;
  private readonly solution: EaseSolution;
  /** What a value of each track is multiplied by in Y. */
  readonly columnScale: Float64Array;

  /** See {@link EASE.fit}; this one takes a model that was fitted on these plays before. */
  constructor(plays: Plays, state: EASEState) {
    if (!state)
      throw new ArgumentError('EASE is fitted by await EASE.fit(plays), not made by new.');
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    this.state = state;
    this.options = state.settings;
    this.name = state.side ? 'EASE with side rows' : 'EASE';
    this.values = new PlayValues(this.seen, state.settings.value);
    const { y, columnScale } = state.columnScale
      ? noRows(state.columnScale)
      : easeRows(this.values, state);
    this.columnScale = columnScale;
    const size = state.columnScale ? columnScale.length : Math.min(...y.shape);
    if (state.inverse.length !== size * size) {
      throw new ArgumentError(
        `The inverse should have ${size} × ${size} numbers, got ${state.inverse.length}: it belongs to other plays.`,
      );
    }
    this.solution = easeSolution(y, {
      inverse: state.inverse,
      size,
      lambda: state.settings.lambda,
    });
  }

  /**
   * Fits it: n³ multiplications and additions for the smaller side n.
   * @param plays the training plays
   * @throws ArgumentError for wrong options and for more than 20,000 users and tracks; NumericError
   *   if λ is too small for float32
   * @example const ease = await EASE.fit(plays, { lambda: 100 });
   */
  static async fit(plays: Plays, options: EASEOptions = {}): Promise<EASE> {
    checkOptions(
      options,
      ['lambda', 'value', 'popularityPower', 'sideRows', 'sideWeight'],
      'EASE.fit',
    );
    const {
      lambda = 100,
      value = 'binary',
      popularityPower = 0,
      sideRows,
      sideWeight = 1,
    } = options;
    checkNumber(lambda, lambda > 0 && lambda < Infinity, 'lambda must be a positive number');
    for (const [name, number] of Object.entries({ popularityPower, sideWeight })) {
      checkNumber(number, number >= 0 && number < Infinity, `${name} must be a number from 0 on`);
    }
    const settings = { lambda, value, popularityPower, sideWeight };
    checkArgument(plays instanceof Plays, plays, 'EASE.fit', 'plays, such as readPlays reads');
    refuseTooLarge(plays, sideRows?.rows?.length ?? 0);
    const seen = Interactions.fromPlays(plays);
    const side = sideRows && sideColumns(sideRows, seen.tracks);
    const { y } = easeRows(new PlayValues(seen, value), { settings, side });
    const { system, size } = interruptible(() => easeSystem(y, lambda));
    const inverting = invertSymmetric(system, size);
    await stoppable(orInterrupted(inverting, 'Interrupted before EASE was fitted.'));
    return new EASE(plays, { settings, side, inverse: system });
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.solution.scores(users, out);
  }

  /**
   * Scores a listener by the history, as a user of training with these plays. See
   * {@link Recommender.foldIn}.
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const data = Float64Array.from(
      this.values.ofHistory(read),
      (x, i) => x * this.columnScale[read.track[i]],
    );
    const scores = new Float32Array(this.tracks.length);
    this.solution.scoresOf({ indices: read.track, data }, scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  /**
   * Which of a user's tracks speak for a track, and which against it: their contributions add up to
   * the score.
   * @param user a user of the training data
   * @param track id, title, or "title by artist"
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const t = trackIndex(this, track);
    const u = userIndex(this, user);
    const weights = this.solution.weights(this.seen.row(u), t);
    const from = this.seen.indptr[u];
    return explainByTracks(
      this,
      { user, track: t },
      (own, at) => this.values.data[at] * this.columnScale[own] * weights[at - from],
    );
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<EASE> = {
    name: 'EASE',
    withoutSeen: 'tracks',
    describe: (ease, { seen }) => {
      const { name, options, state, columnScale } = ease;
      const size = Math.sqrt(state.inverse.length);
      const tensors = new Map<string, Tensor>([
        ['inverse', { shape: [size, size], data: state.inverse }],
      ]);
      for (const [part, tensor] of state.side ? csrTensors('side', state.side) : [])
        tensors.set(part, tensor);
      if (!seen || state.columnScale) {
        if (size !== columnScale.length) {
          throw new ArgumentError(
            `${name} was solved for the rows of its users, who are fewer than the tracks, so its weights are not to be had without the listening histories. Leave out { seen: false }.`,
          );
        }
        tensors.set('columnScale', { shape: [size], data: columnScale });
      }
      return { config: { ...options }, tensors };
    },
    make: ({ plays }, config, tensors) => {
      const number = (name: string): number => config.number(name);
      const settings = {
        lambda: number('lambda'),
        value: readValue(config),
        popularityPower: number('popularityPower'),
        sideWeight: number('sideWeight'),
      };
      const values = tensors.read('inverse', 'F32');
      const inverse = float32(values.length);
      inverse.set(values);
      const side = tensors.has('side.indptr')
        ? readCsr(tensors, 'side', plays.tracks.length)
        : undefined;
      const columnScale = tensors.has('columnScale')
        ? tensors.read('columnScale', 'F64', [plays.tracks.length])
        : undefined;
      return new EASE(plays, { settings, side, inverse, columnScale });
    },
  };
}

/**
 * Refuses plays of too many users and tracks, before any work is done for them, and names the
 * limits that would do.
 */
function refuseTooLarge(plays: Plays, sideRows: number): void {
  const { users, tracks } = plays;
  const size = Math.min(users.length + sideRows, tracks.length);
  if (size <= MAX_SIZE) return;
  const least = (
    column: Int32Array,
    n: number,
    most: number,
  ): { k: number; left: number } | undefined => {
    const plays = new Int32Array(n);
    for (const i of column) plays[i]++;
    plays.sort().reverse();
    if (most < 1) return undefined;
    const k = plays[most] + 1; // what one too many has, and one more
    const left = plays.findIndex((count) => count < k);
    return left > 0 ? { k, left } : undefined;
  };
  const n = (x: number): string => x.toLocaleString('en');
  const byTrack = least(plays.track, tracks.length, MAX_SIZE);
  const byUser = least(plays.user, users.length, MAX_SIZE - sideRows);
  const ways = [
    ...(byTrack
      ? [`plays.minPlays({ perTrack: ${byTrack.k} }) leaves ${n(byTrack.left)} tracks`]
      : []),
    ...(byUser ? [`plays.minPlays({ perUser: ${byUser.k} }) leaves ${n(byUser.left)} users`] : []),
  ];
  throw new ArgumentError(
    `EASE inverts a matrix of as many rows as there are users${sideRows ? ' and side rows' : ''} or tracks, whichever are fewer: here ${n(size)} ` +
      `(${n(users.length)} users × ${n(tracks.length)} tracks), and ${n(MAX_SIZE)} is the limit. ` +
      `${ways.length ? `One of them has to be smaller: ${ways.join('; ')}. ` : ''}Without such a limit: ALS, ItemKNN, RP3beta.`,
  );
}

/** A Y without rows: of listening histories that are left out. */
function noRows(columnScale: Float64Array): { y: Csr; columnScale: Float64Array } {
  const y = new Csr({
    shape: [0, columnScale.length],
    indptr: new Int32Array(1),
    indices: new Int32Array(0),
    data: new Float32Array(0),
  });
  return { y, columnScale };
}

/** The rows of Y, and what a value of each track is multiplied by in them. */
function easeRows(
  values: PlayValues,
  { settings, side }: Pick<EASEState, 'settings' | 'side'>,
): { y: Csr; columnScale: Float64Array } {
  const { matrix } = values;
  const power = Float64Array.from(
    values.seen.listeners(),
    (n) => Math.max(1, n) ** -settings.popularityPower,
  );
  const size = rootMeanSquare(matrix, power);
  const columnScale = power.map((p) => p / size);
  const own = scaled(matrix, columnScale);
  if (!side || side.indices.length === 0) return { y: own, columnScale };
  const factor = settings.sideWeight / rootMeanSquare(side, power);
  return {
    y: below(
      own,
      scaled(
        side,
        power.map((p) => p * factor),
      ),
    ),
    columnScale,
  };
}

function rootMeanSquare({ indices, data }: Csr, scale: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < data.length; j++) sum += (data[j] * scale[indices[j]]) ** 2;
  return Math.sqrt(sum / data.length);
}

function scaled({ shape, indptr, indices, data }: Csr, scale: Float64Array): Csr {
  const values = Float32Array.from(data, (x, j) => x * scale[indices[j]]);
  return new Csr({ shape, indptr, indices, data: values });
}

/** The rows of a, and below them those of b. */
function below(a: Csr, b: Csr): Csr {
  const indptr = new Int32Array(a.indptr.length + b.indptr.length - 1);
  indptr.set(a.indptr);
  for (let r = 1; r < b.indptr.length; r++) indptr[a.shape[0] + r] = a.indices.length + b.indptr[r];
  const indices = new Int32Array(a.indices.length + b.indices.length);
  const data = new Float32Array(indices.length);
  indices.set(a.indices);
  indices.set(b.indices, a.indices.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return new Csr({ shape: [a.shape[0] + b.shape[0], a.shape[1]], indptr, indices, data });
}

/** Some entries of a row. */
export interface Entries {
  readonly indices: Int32Array;
  readonly data: Float32Array | Float64Array;
}

/**
 * The weights B of EASE, B[i, t] = −P[i, t] / P[t, t] off the diagonal and 0 on it, with P = (YᵀY +
 * λ)⁻¹, in a form that can be multiplied with. Y has a row for each user, then the side rows.
 */
export interface EaseSolution {
  /** What was inverted, on the shared memory: `size` × `size`. */
  readonly inverse: Float32Array;
  readonly size: number;
  /** out = y·B for users of training (rows of Y), tracks of them a row, on any memory. */
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
  readonly size: number;

  constructor(
    private readonly y: Csr,
    readonly inverse: Float32Array,
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
  readonly size: number;
  /** 1 − q of each track, the diagonal of λP. */
  private readonly rest: Float64Array;
  private readonly columns: Csr;
  private readonly byTrack: Csr<Float32Array>;

  constructor(
    private readonly y: Csr,
    readonly inverse: Float32Array,
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
    const z = float32(size * n); // λ·A⁻¹e_u, a column a user
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
    for (let i = 0; i < indices.length; i++) {
      for (let j = columns.indptr[indices[i]]; j < columns.indptr[indices[i] + 1]; j++)
        products[columns.indices[j]] += data[i] * columns.data[j];
    }
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

/** A row of a sparse matrix. */
export function rowOf({ indptr, indices, data }: Csr, row: number): Entries {
  return {
    indices: indices.subarray(indptr[row], indptr[row + 1]),
    data: data.subarray(indptr[row], indptr[row + 1]),
  };
}
