import { found } from '../../compute/checked.js';
import { hold } from '../../compute/disposable.js';
import { matmul } from '../../compute/matmul.js';
import { dispose, float32, memory } from '../../compute/memory.js';
import { parallel } from '../../compute/threads.js';
import type { Tensor, TensorSource } from '../../data/files/safetensors.js';
import { Plays, playsAmong } from '../../data/plays.js';
import type { Tracks } from '../../data/tracks.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { cholesky, choleskySolve } from '../../decomposition/positive-definite.js';
import { ArgumentError, messagesNameIds, NumericError } from '../../errors.js';
import {
  checkArgument,
  checkNumber,
  checkOptions,
  firstNotFinite,
  given,
  isNumbers,
  type NoOptions,
} from '../../options.js';
import { type Explanation, explainByTracks } from '../explanation.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import {
  checkScores,
  type Id,
  Recommender,
  type TrackVectors,
  trackIndex,
  userIndex,
} from '../recommender.js';
import type { SavedForm } from '../saved-form.js';

const SETTINGS = {
  /** What a playcount is multiplied by to be a confidence; default 1, as `implicit` has it. */
  alpha: 1,
  /** Added to the diagonal; default 0.01, as `implicit` has it. */
  regularization: 0.01,
};

/**
 * How factors were fitted, which folding in and explaining follow: {@link FactorRecommender}.
 * @example const settings: FactorSettings = { alpha: 2, regularization: 5 };
 */
export type FactorSettings = Partial<typeof SETTINGS>;

const FROM_FACTORS = {
  ...SETTINGS,
  /** What each user has played, which lists leave out. Default: nothing is known. */
  plays: undefined as Plays | undefined,
  /** Where titles come from; default: that of `plays`. */
  catalogue: undefined as Tracks | undefined,
  /** The name in comparisons; default 'Factors'. */
  name: 'Factors',
};

/** Options of {@link FactorRecommender.fromFactors}. */
export type FromFactorsOptions = Partial<typeof FROM_FACTORS>;

/** The factors of users or of tracks, made elsewhere. */
export interface FactorArrays {
  /** Whose they are, a row each. */
  readonly ids: readonly Id[];
  /** ids × width, row-major. */
  readonly values: ArrayLike<number>;
}

/** Factors of users and tracks, a row of `width` numbers each, on the shared memory. */
export interface Factors {
  /** Users × width, row-major. */
  readonly users: Float32Array;
  /** Tracks × width, row-major. */
  readonly tracks: Float32Array;
  /** Numbers in a row. */
  readonly width: number;
}

/**
 * Recommends by factors: score = U[user]·V[track], however they were made.
 *
 * A user who is folded in has the factors that implicit ALS would give them, tracks fixed: x =
 * (VᵀV + regularization + Vᵀ(C − 1)V)⁻¹·VᵀC·1 over the tracks of the history, with the confidences
 * alpha · value in C (Hu, Koren and Volinsky, 2008, as the `implicit` library has it).
 * @example
 * const als = await ALS.fit(plays, { factors: 16 }); // a FactorRecommender
 * als.recommend(user, { n: 10 });
 * als.trackVectors().width // 16
 */
export class FactorRecommender extends Recommender {
  readonly name: string;
  /** How the factors were fitted. */
  readonly settings: Readonly<Required<FactorSettings>>;
  private gram: Float64Array | undefined;

  /**
   * @param seen what each user has played
   * @param factors a row for each of its users and tracks
   */
  constructor(
    seen: Interactions,
    readonly factors: Factors,
    { catalogue, name = 'Factors', ...settings }: Omit<FromFactorsOptions, 'plays'> = {},
  ) {
    super(seen, { catalogue });
    this.name = name;
    this.settings = settingsOf(settings);
    for (const [side, values, rows] of [
      ['user', factors.users, seen.users.length],
      ['track', factors.tracks, seen.tracks.length],
    ] as const) {
      if (values.length !== rows * factors.width)
        throw new ArgumentError(
          `There must be ${rows} rows of ${factors.width} ${side} factors, got ${values.length} numbers.`,
        );
      const bad = found<boolean>(values, 'finite') ? -1 : firstNotFinite(values);
      if (bad >= 0)
        throw new NumericError(
          `The ${side} factors hold ${values[bad]} in row ${Math.floor(bad / factors.width)}; finite numbers were expected.`,
        );
      hold(values);
    }
  }

  /**
   * From factors made elsewhere: by ALS of Spark or `implicit`, by any matrix factorisation.
   * @param sources the factors of users and of tracks, with their ids
   * @throws ArgumentError if none of the plays is of a user and a track with factors; NumericError
   *   for factors that are not finite
   * @example
   * const users = { ids: ['u1', 'u2'], values: [1, 0, 0, 1] };
   * const tracks = { ids: ['a', 'b', 'c'], values: [3, 1, 1, 3, 2, 2] };
   * FactorRecommender.fromFactors({ users, tracks }).recommend('u1', { n: 2 }).ids // ['a', 'c']
   */
  static fromFactors(
    sources: { readonly users: FactorArrays; readonly tracks: FactorArrays },
    options: FromFactorsOptions = {},
  ): FactorRecommender {
    const { plays, ...rest } = given(FROM_FACTORS, options, 'fromFactors');
    const isPlays = plays === undefined || plays instanceof Plays;
    checkArgument(isPlays, plays, 'fromFactors', 'plays, such as readPlays reads, or none');
    checkOptions(sources, ['users', 'tracks'], 'fromFactors');
    const users = namedFactors(sources.users, 'user');
    const tracks = namedFactors(sources.tracks, 'track');
    const { width } = users;
    if (width !== tracks.width)
      throw new ArgumentError(
        `Users have ${width} factors, tracks ${tracks.width}: they do not belong together.`,
      );
    const ids = { users: users.ids, tracks: tracks.ids };
    const none = { user: new Int32Array(0), track: new Int32Array(0) };
    const own = plays ? playsAmong(plays, ids) : none;
    if (plays && own.user.length === 0)
      throw new ArgumentError(
        `None of the ${plays.length} plays is of a user and a track with factors${messagesNameIds() ? `, which have ids such as "${ids.users.id(0)}" and "${ids.tracks.id(0)}"` : ''}.`,
      );
    const factors = { users: users.values, tracks: tracks.values, width };
    const catalogue = rest.catalogue ?? plays?.catalogue;
    return new FactorRecommender(Interactions.fromPairs({ ...ids, ...own }), factors, {
      ...rest,
      catalogue,
    });
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const { users: userFactors, tracks: trackFactors, width } = this.factors;
    factorScores(users, out, { userFactors, trackFactors, width, skip: 0 });
  }

  /** The factors of each user; a copy. */
  override userVectors(): TrackVectors {
    return { values: Float32Array.from(this.factors.users), width: this.factors.width };
  }

  /** The factors of each track; a copy. */
  override trackVectors(): TrackVectors {
    return { values: Float32Array.from(this.factors.tracks), width: this.factors.width };
  }

  /** See {@link FactorRecommender}; a track without a playcount is played once. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const { track, playcount, skipped } = readHistory(this, history, options);
    const values = this.valuesOfHistory(playcount);
    const { l, right } = this.system(track, values);
    const x = choleskySolve(l, right);
    const { tracks, width } = this.factors;
    const scores = Float32Array.from({ length: this.tracks.length }, (_, t) =>
      dot(tracks, t * width, x),
    );
    return new FoldedUser(this, track, scores, { skipped, vector: x });
  }

  /**
   * Which of a user's tracks speak for a track, as the `implicit` library explains it: with the
   * user's system A·x = Σ c·V[own], an own track contributes V[track]·A⁻¹·V[own]·c. The remainder
   * is what the fitted factors have beyond that solution, as conjugate gradients end early.
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const u = userIndex(this, user);
    const t = trackIndex(this, track);
    const own = this.seen.row(u);
    const values = this.valuesOfUser(u);
    const { users, tracks, width } = this.factors;
    const right = Float64Array.from(tracks.subarray(t * width, (t + 1) * width));
    const direction = choleskySolve(this.system(own, values).l, right);
    const parts = Float64Array.from(
      own,
      (o, i) => values[i] * this.settings.alpha * dot(tracks, o * width, direction),
    );
    const score = dot(tracks, t * width, users.subarray(u * width, (u + 1) * width));
    const remainder = score - parts.reduce((a, b) => a + b, 0);
    const from = this.seen.indptr[u];
    return explainByTracks(this, { user, track: t, remainder }, (_, at) => parts[at - from]);
  }

  /** What the tracks of a history are worth. */
  protected valuesOfHistory(playcount: Float64Array): Float32Array {
    return Float32Array.from(playcount, (count) => (Number.isNaN(count) ? 1 : count));
  }

  /** What the tracks of a user are worth. */
  protected valuesOfUser(user: number): Float32Array {
    return this.seen.playcount.subarray(this.seen.indptr[user], this.seen.indptr[user + 1]);
  }

  /** The Cholesky factor of VᵀV + regularization + Vᵀ(C − 1)V, and VᵀC·1. */
  private system(own: Int32Array, values: Float32Array): { l: Float64Array; right: Float64Array } {
    const { tracks, width } = this.factors;
    const { alpha, regularization } = this.settings;
    const row = (t: number): Float32Array => tracks.subarray(t * width, (t + 1) * width);
    if (!this.gram) {
      this.gram = new Float64Array(width * width);
      for (let t = 0; t < this.tracks.length; t++) addOuter(this.gram, row(t), 1);
    }
    const l = this.gram.slice();
    const right = new Float64Array(width);
    for (let i = 0; i < own.length; i++) {
      const confidence = alpha * values[i];
      addOuter(l, row(own[i]), confidence - 1);
      for (let j = 0; j < width; j++) right[j] += confidence * tracks[own[i] * width + j];
    }
    for (let j = 0; j < width; j++) l[j * width + j] += regularization;
    cholesky(l, width);
    return { l, right };
  }

  static readonly saved: SavedForm<FactorRecommender> = {
    name: 'FactorRecommender',
    withoutSeen: 'users',
    describe: ({ name, settings, factors }) => ({
      config: { title: name, ...settings },
      tensors: factorTensors(factors),
    }),
    make: ({ seen, plays }, config, tensors) =>
      new FactorRecommender(seen, readFactorTensors(tensors), {
        name: config.text('title'),
        catalogue: plays.catalogue,
        alpha: config.number('alpha'),
        regularization: config.number('regularization'),
      }),
  };
}

/** Factors with their ids, `values` on the shared memory. */
function namedFactors(
  source: FactorArrays,
  kind: 'user' | 'track',
): { ids: Vocabulary; values: Float32Array; width: number } {
  const of = `The factors of ${kind}s`;
  checkOptions(source, ['ids', 'values'], of);
  const { ids, values } = source;
  checkArgument(Array.isArray(ids) && ids.length > 0, ids, of, 'an array of ids, at least one');
  checkArgument(isNumbers(values), values, of, 'an array of numbers as values');
  const width = values.length / ids.length;
  if (!(Number.isInteger(width) && width > 0))
    throw new ArgumentError(
      `${values.length} factors do not make rows for ${ids.length} ${kind}s.`,
    );
  const vocabulary = Vocabulary.inOrder(ids.map(String), { kind });
  if (vocabulary.length !== ids.length) {
    const twice = ids.find((id, i) => vocabulary.indexOf(id) !== i);
    throw new ArgumentError(`${of} have two rows for "${twice}". Ids must differ.`);
  }
  return { ids: vocabulary, values: onShared(values), width };
}

/** A copy on the shared memory. */
export function onShared(values: ArrayLike<number>): Float32Array {
  const shared = float32(values.length);
  shared.set(values);
  return shared;
}

/** Checks them, and sets the defaults. */
export function settingsOf(settings: FactorSettings): Required<FactorSettings> {
  const { alpha, regularization } = given(SETTINGS, settings, 'FactorRecommender');
  checkNumber(alpha, alpha > 0 && alpha < Infinity, 'alpha must be a positive number');
  const fits = regularization >= 0 && regularization < Infinity;
  checkNumber(regularization, fits, 'regularization must be a number from 0 on');
  return { alpha, regularization };
}

/** The lower triangle of s·v·vᵀ, added. */
function addOuter(sum: Float64Array, v: Float32Array, s: number): void {
  for (let i = 0; i < v.length; i++) {
    const factor = s * v[i];
    for (let j = 0; j <= i; j++) sum[i * v.length + j] += factor * v[j];
  }
}

function dot(values: Float32Array, at: number, x: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += values[at + j] * x[j];
  return sum;
}

/** Factors as tensors `users` and `tracks`. */
export function factorTensors({ users, tracks, width }: Factors): Map<string, Tensor> {
  return new Map([
    ['users', { shape: [users.length / width, width], data: users }],
    ['tracks', { shape: [tracks.length / width, width], data: tracks }],
  ]);
}

/** What factorTensors has made, on the shared memory. */
export function readFactorTensors(tensors: TensorSource): Factors {
  const [users, tracks] = ['users', 'tracks'].map((name) => {
    const values = tensors.read(name, 'F32');
    return found<boolean>(values, 'shared') ? values : onShared(values);
  });
  return { users, tracks, width: tensors.shape('users')[1] ?? 0 };
}

/**
 * Factors of users and tracks, on the shared memory. Row `skip` + i belongs to index i: rows before
 * are of no user or track (`#na#`).
 */
export interface FactorTables {
  /** Rows × width. */
  readonly userFactors: Float32Array;
  readonly trackFactors: Float32Array;
  /** A number per row; default: no biases. */
  readonly userBias?: Float32Array;
  readonly trackBias?: Float32Array;
  readonly width: number;
  /** Rows to skip at the start of each table. */
  readonly skip: number;
}

/**
 * out[b, t] = U[users[b]] · V[t] + userBias[users[b]] + trackBias[t] for a block of users and all
 * tracks, as one matrix product. A row does not depend on which other users are in the block, to
 * the last bit.
 * @param users user indices
 * @param out users × tracks; written in place if it lies on the shared memory, else by way of a
 *   copy
 */
export function factorScores(users: Int32Array, out: Float32Array, tables: FactorTables): void {
  const { userFactors, trackFactors, userBias, trackBias, width, skip } = tables;
  const tracks = trackFactors.length / width - skip;
  const inPlace = out.buffer === (memory.buffer as ArrayBufferLike);
  const scores = inPlace ? out : float32(out.length);
  const factors = float32(users.length * width);
  for (let b = 0; b < users.length; b++) {
    const row = users[b] + skip;
    factors.set(userFactors.subarray(row * width, (row + 1) * width), b * width);
  }
  const add = userBias !== undefined || trackBias !== undefined;
  if (add) {
    const left = float32(users.length);
    const right = float32(tracks);
    if (userBias) for (let b = 0; b < users.length; b++) left[b] = userBias[users[b] + skip];
    if (trackBias) right.set(trackBias.subarray(skip));
    const args = [tracks, left.byteOffset, right.byteOffset, scores.byteOffset];
    const grain = Math.max(4, Math.ceil(200_000 / tracks));
    parallel('outerSum', users.length, args, { grain }); // scores[b, t] = left[b] + right[t]
    dispose(left);
    dispose(right);
  }
  const a = { values: factors, rowStride: width };
  const transposed = { rowStride: 1, columnStride: width }; // a track's factors are a row
  const b = { values: trackFactors, offset: skip * width, ...transposed };
  const c = { values: scores, rowStride: tracks };
  matmul({ m: users.length, n: tracks, k: width }, { a, b, c, add });
  dispose(factors);
  if (!inPlace) {
    out.set(scores);
    dispose(scores);
  }
}
