import { interruptible, orInterrupted, stoppable } from '../../compute/interrupt.js';
import { float32 } from '../../compute/memory.js';
import { Csr, type CsrLike, type InteractionValue } from '../../data/csr.js';
import type { Tensor } from '../../data/files/safetensors.js';
import { csrTensors, readCsr } from '../../data/files/tensors.js';
import { Plays } from '../../data/plays.js';
import type { Vocabulary } from '../../data/vocabulary.js';
import { invertSymmetric } from '../../decomposition/positive-definite.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkNumber, checkOptions, given, type NoOptions } from '../../options.js';
import { type Explanation, explainByTracks } from '../explanation.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { PlayValues, readValue } from '../play-values.js';
import { checkScores, type Id, Recommender, trackIndex, userIndex } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { type EaseSolution, easeSolution, easeSystem } from './ease-solution.js';

/**
 * What is known of tracks beside who plays them: rows × tracks, sparse, each row a tag, an artist,
 * a genre.
 */
export interface SideRows {
  /** What the rows are. */
  readonly rows: Vocabulary;
  /** The tracks that the columns are; those that training does not know are left out. */
  readonly tracks: Vocabulary;
  /** The numbers, 0 or more. */
  readonly matrix: CsrLike;
}

const DEFAULTS = {
  /**
   * Strength of the regularization, more than 0; default 100. It means the same whatever `value`
   * and `popularityPower`: see {@link EASE}.
   */
  lambda: 100,
  /**
   * What a play is worth: 1 ('binary', default), ln(1 + playcount) ('log') or the playcount
   * ('count').
   */
  value: 'binary' as InteractionValue,
  /**
   * How much popular tracks are held back: entries are divided by listeners^power. Default 0, as
   * published; 0.1 to 0.3 can help much.
   */
  popularityPower: 0,
  /** Further rows beside the users: tags, artists, genres. Default: none. */
  sideRows: undefined as SideRows | undefined,
  /** How much an entry of the side rows weighs beside a play; default 1. */
  sideWeight: 1,
};

/** Options of {@link EASE.fit}. */
export type EASEOptions = Partial<typeof DEFAULTS>;

/** The options of a fitted EASE. */
export type EASESettings = Readonly<Omit<typeof DEFAULTS, 'sideRows'>>;

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
    const { sideRows, ...settings } = given(DEFAULTS, options, 'EASE.fit');
    const { lambda, value, popularityPower, sideWeight } = settings;
    checkNumber(lambda, lambda > 0 && lambda < Infinity, 'lambda must be a positive number');
    for (const [name, number] of Object.entries({ popularityPower, sideWeight })) {
      checkNumber(number, number >= 0 && number < Infinity, `${name} must be a number from 0 on`);
    }
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
    values.seen.usersPerTrack(),
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

/**
 * The matrix with the columns of another vocabulary of tracks, checked; tracks that it has not are
 * dropped.
 */
function sideColumns({ rows, tracks, matrix }: SideRows, wanted: Vocabulary): Csr {
  Csr.check(matrix);
  if (matrix.shape[0] !== rows.length || matrix.shape[1] !== tracks.length) {
    throw new ArgumentError(
      `Side rows name ${rows.length} rows and ${tracks.length} tracks, but their matrix is ${matrix.shape.join(' × ')}.`,
    );
  }
  for (const x of matrix.data)
    if (!(x >= 0 && x < Infinity))
      throw new ArgumentError(`Side rows hold ${x}; finite numbers from 0 on were expected.`);
  const to = Int32Array.from({ length: tracks.length }, (_, t) => wanted.indexOf(tracks.id(t)));
  const indptr = new Int32Array(rows.length + 1);
  const indices: number[] = [];
  const data: number[] = [];
  for (let r = 0; r < rows.length; r++) {
    const entries: [number, number][] = [];
    for (let j = matrix.indptr[r]; j < matrix.indptr[r + 1]; j++) {
      if (to[matrix.indices[j]] >= 0 && matrix.data[j] > 0)
        entries.push([to[matrix.indices[j]], matrix.data[j]]);
    }
    entries.sort(([a], [b]) => a - b);
    for (const [column, value] of entries) {
      indices.push(column);
      data.push(value);
    }
    indptr[r + 1] = indices.length;
  }
  return new Csr({
    shape: [rows.length, wanted.length],
    indptr,
    indices: Int32Array.from(indices),
    data: Float32Array.from(data),
  });
}
