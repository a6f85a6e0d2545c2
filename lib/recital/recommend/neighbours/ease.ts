import { interruptible, orInterrupted, stoppable } from '../../compute/interrupt.js';
import { Csr, type CsrLike, type InteractionValue } from '../../data/csr.js';
import type { Tensor } from '../../data/files/safetensors.js';
import { csrTensors, readCsr } from '../../data/files/tensors.js';
import { countsOf, Plays } from '../../data/plays.js';
import { indicesIn, type Vocabulary } from '../../data/vocabulary.js';
import { invertSymmetric } from '../../decomposition/positive-definite.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkNumber, checkOptions, given, type NoOptions } from '../../options.js';
import { type Explanation, explainByTracks } from '../explanation.js';
import { onShared } from '../factors/factors.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { PlayValues, readValue } from '../play-values.js';
import { checkScores, type Id, Recommender, trackIndex, userIndex } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { type EaseSolution, easeSolution, easeSystem } from './ease-solution.js';

/** What is known of tracks beside who plays them: a row per tag, artist or genre. */
export interface SideRows {
  /** Names of the rows. */
  readonly rows: Vocabulary;
  /** The columns; tracks that training does not know are left out. */
  readonly tracks: Vocabulary;
  /** rows × tracks, numbers from 0 on. */
  readonly matrix: CsrLike;
}

const DEFAULTS = {
  /** Strength of the regularization, more than 0; default 100, whatever `value` is. */
  lambda: 100,
  /** What a play is worth: 1 ('binary', default), ln(1 + playcount) ('log'), playcount ('count'). */
  value: 'binary' as InteractionValue,
  /** Entries are divided by users^power of their track. Default 0; 0.1 to 0.3 can help much. */
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
  /** The options that it was fitted with. */
  readonly settings: EASESettings;
  /** The side rows over the tracks of training, as they were given. */
  readonly side: Csr | undefined;
  /** The inverse, on the shared memory. */
  readonly inverse: Float32Array;
  /** What a value of each track is multiplied by, where no plays are there to find it from. */
  readonly columnScale?: Float64Array;
}

/** Rows of a matrix to invert: 20,000 take 1.6 GB. */
const MAX_SIZE = 20_000;

/**
 * EASE (Steck, 2019): predicts each track of a user from their other tracks, in closed form. With Y
 * the users × tracks matrix, the side rows below it, P = (YᵀY + λ)⁻¹ and B[i, t] = −P[i, t]/P[t, t],
 * B[t, t] = 0, a user with the row y scores y·B. The smaller side is inverted: where rows are fewer
 * than tracks, P = (1 − Yᵀ(YYᵀ + λ)⁻¹Y)/λ is never formed.
 *
 * Entries of Y are values / users^popularityPower, divided by their root mean square, those of side
 * rows likewise, times `sideWeight`.
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
    const { inverse, settings } = state;
    const { y, columnScale } = easeRows(this.values, state);
    this.columnScale = columnScale;
    const size = state.columnScale ? columnScale.length : Math.min(...y.shape);
    if (inverse.length !== size * size)
      throw new ArgumentError(
        `The inverse should have ${size} × ${size} numbers, got ${inverse.length}: it belongs to other plays.`,
      );
    this.solution = easeSolution(y, { inverse, size, lambda: settings.lambda });
  }

  /**
   * Fits it: n³ multiplications and additions for the smaller side n.
   * @throws ArgumentError for wrong options and for more than 20,000 users and tracks; NumericError
   *   if λ is too small for float32
   * @example const ease = await EASE.fit(plays, { lambda: 100 });
   */
  static async fit(plays: Plays, options: EASEOptions = {}): Promise<EASE> {
    const { sideRows, ...settings } = given(DEFAULTS, options, 'EASE.fit');
    const { lambda, value, popularityPower, sideWeight } = settings;
    checkNumber(lambda, lambda > 0 && lambda < Infinity, 'lambda must be a positive number');
    for (const [name, x] of Object.entries({ popularityPower, sideWeight }))
      checkNumber(x, x >= 0 && x < Infinity, `${name} must be a number from 0 on`);
    checkArgument(plays instanceof Plays, plays, 'EASE.fit', 'plays, such as readPlays reads');
    refuseTooLarge(plays, sideRows?.rows?.length ?? 0);
    const seen = Interactions.fromPlays(plays);
    const side = sideRows && sideColumns(sideRows, seen.tracks);
    const { y } = easeRows(new PlayValues(seen, value), { settings, side });
    const { system, size } = interruptible(() => easeSystem(y, lambda));
    const message = 'Interrupted before EASE was fitted.';
    await stoppable(orInterrupted(invertSymmetric(system, size), message));
    return new EASE(plays, { settings, side, inverse: system });
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.solution.scores(users, out);
  }

  /** Scores a history as a user of training with these plays: {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const scale = (x: number, i: number): number => x * this.columnScale[read.track[i]];
    const data = Float64Array.from(this.values.ofHistory(read), scale);
    const scores = new Float32Array(this.tracks.length);
    this.solution.scoresOf({ indices: read.track, data }, scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  /** What each of a user's tracks contributes to the score of a track; the sum is the score. */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const t = trackIndex(this, track);
    const u = userIndex(this, user);
    const weights = this.solution.weights(this.seen.row(u), t);
    const from = this.seen.indptr[u];
    const { data } = this.values;
    const contribution = (own: number, at: number): number =>
      data[at] * this.columnScale[own] * weights[at - from];
    return explainByTracks(this, { user, track: t }, contribution);
  }

  static readonly saved: SavedForm<EASE> = {
    name: 'EASE',
    withoutSeen: 'tracks',
    describe: ({ name, options, state, columnScale }, { seen }) => {
      const size = Math.sqrt(state.inverse.length);
      const tensors = new Map<string, Tensor>([
        ['inverse', { shape: [size, size], data: state.inverse }],
        ...(state.side ? csrTensors('side', state.side) : []),
      ]);
      if (!seen || state.columnScale) {
        if (size !== columnScale.length)
          throw new ArgumentError(
            `${name} was solved for its users, who are fewer than the tracks, so it needs their plays. Leave out { seen: false }.`,
          );
        tensors.set('columnScale', { shape: [size], data: columnScale });
      }
      return { config: { ...options }, tensors };
    },
    make: ({ plays }, config, tensors) => {
      const { length } = plays.tracks;
      const settings = {
        lambda: config.number('lambda'),
        value: readValue(config),
        popularityPower: config.number('popularityPower'),
        sideWeight: config.number('sideWeight'),
      };
      return new EASE(plays, {
        settings,
        side: tensors.has('side.indptr') ? readCsr(tensors, 'side', length) : undefined,
        inverse: onShared(tensors.read('inverse', 'F32')),
        columnScale: tensors.has('columnScale')
          ? tensors.read('columnScale', 'F64', [length])
          : undefined,
      });
    },
  };
}

/** Refuses what is too large before any work is done, and names the limits that would do. */
function refuseTooLarge({ users, tracks, user, track }: Plays, sideRows: number): void {
  const size = Math.min(users.length + sideRows, tracks.length);
  if (size <= MAX_SIZE) return;
  const n = (x: number): string => x.toLocaleString('en');
  const ways = [
    limit('perTrack', countsOf(track, tracks.length), 'tracks', MAX_SIZE),
    limit('perUser', countsOf(user, users.length), 'users', MAX_SIZE - sideRows),
  ].filter((way) => way !== undefined);
  throw new ArgumentError(
    `EASE inverts a matrix of as many rows as there are users${sideRows ? ' and side rows' : ''} or tracks, whichever are fewer: here ${n(size)} ` +
      `(${n(users.length)} users × ${n(tracks.length)} tracks), and ${n(MAX_SIZE)} is the limit. ` +
      `${ways.length ? `One of them has to be smaller: ${ways.join('; ')}. ` : ''}Without such a limit: ALS, ItemKNN, RP3beta.`,
  );
}

/** The number of plays that leaves at most `most` users or tracks, if there is one. */
function limit(option: string, counts: Int32Array, what: string, most: number): string | undefined {
  counts.sort().reverse();
  if (most < 1) return undefined;
  const least = counts[most] + 1; // what one too many has, and one more
  const left = counts.findIndex((count) => count < least);
  if (left <= 0) return undefined;
  return `plays.minPlays({ ${option}: ${least} }) leaves ${left.toLocaleString('en')} ${what}`;
}

/** The rows of Y, and what a value of each track is multiplied by in them. */
function easeRows(
  { seen, matrix }: PlayValues,
  { settings, side, columnScale: known }: Omit<EASEState, 'inverse'>,
): { y: Csr; columnScale: Float64Array } {
  if (known) {
    const none = { row: new Int32Array(0), column: new Int32Array(0) };
    return { y: Csr.fromPairs([0, known.length], none, Float32Array), columnScale: known };
  }
  const power = Float64Array.from(
    seen.usersPerTrack(),
    (n) => Math.max(1, n) ** -settings.popularityPower,
  );
  const size = rootMeanSquare(matrix, power);
  const columnScale = power.map((p) => p / size);
  const own = scaled(matrix, columnScale);
  if (!side || side.indices.length === 0) return { y: own, columnScale };
  const factor = settings.sideWeight / rootMeanSquare(side, power);
  const scale = power.map((p) => p * factor);
  return { y: below(own, scaled(side, scale)), columnScale };
}

function rootMeanSquare({ indices, data }: Csr, scale: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < data.length; j++) sum += (data[j] * scale[indices[j]]) ** 2;
  return Math.sqrt(sum / data.length);
}

function scaled(matrix: Csr, scale: Float64Array): Csr {
  const data = Float32Array.from(matrix.data, (x, j) => x * scale[matrix.indices[j]]);
  return new Csr({ ...matrix, data });
}

/** The rows of a, and below them those of b. */
function below(a: Csr, b: Csr): Csr {
  const n = a.indices.length;
  const indptr = Int32Array.from([...a.indptr, ...b.indptr.subarray(1).map((end) => n + end)]);
  const indices = new Int32Array(n + b.indices.length);
  const data = new Float32Array(indices.length);
  indices.set(a.indices);
  indices.set(b.indices, n);
  data.set(a.data);
  data.set(b.data, n);
  return new Csr({ shape: [indptr.length - 1, a.shape[1]], indptr, indices, data });
}

/** The matrix with the columns of another vocabulary of tracks; tracks that it has not are dropped. */
function sideColumns({ rows, tracks, matrix }: SideRows, wanted: Vocabulary): Csr {
  Csr.check(matrix);
  if (matrix.shape[0] !== rows.length || matrix.shape[1] !== tracks.length)
    throw new ArgumentError(
      `Side rows name ${rows.length} rows and ${tracks.length} tracks, but their matrix is ${matrix.shape.join(' × ')}.`,
    );
  const bad = matrix.data.find((x) => !(x >= 0 && x < Infinity));
  if (bad !== undefined)
    throw new ArgumentError(`Side rows hold ${bad}; finite numbers from 0 on were expected.`);
  const to = indicesIn(tracks, wanted);
  const pairs = { row: [] as number[], column: [] as number[], value: [] as number[] };
  for (let r = 0; r < rows.length; r++)
    for (let j = matrix.indptr[r]; j < matrix.indptr[r + 1]; j++) {
      const column = to[matrix.indices[j]];
      if (column < 0 || matrix.data[j] === 0) continue;
      pairs.row.push(r);
      pairs.column.push(column);
      pairs.value.push(matrix.data[j]);
    }
  const row = Int32Array.from(pairs.row);
  const column = Int32Array.from(pairs.column);
  return Csr.fromPairs(
    [rows.length, wanted.length],
    { row, column, value: pairs.value },
    Float32Array,
  );
}
