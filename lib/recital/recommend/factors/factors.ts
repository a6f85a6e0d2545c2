import { matmul } from '../../compute/matmul.js';
import { dispose, float32, memory } from '../../compute/memory.js';
import { parallel } from '../../compute/threads.js';
import type { TensorSource } from '../../data/files/safetensors.js';
import { Plays, playsAmong } from '../../data/plays.js';
import type { Tracks } from '../../data/tracks.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { cholesky, choleskySolve } from '../../decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../errors.js';
import {
  checkArgument,
  checkNumber,
  checkOptions,
  firstNotFinite,
  given,
  isNumbers,
  type NoOptions,
  whatIs,
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
import type { RecommenderDescription, SavedForm } from '../saved-form.js';

const SETTINGS = {
  /** What a playcount is multiplied by to be a confidence; default 1, as `implicit` has it. */
  alpha: 1,
  /** Added to the diagonal; default 0.01, as `implicit` has it. */
  regularization: 0.01,
};

/**
 * How factors were fitted, which folding in and explaining follow: see {@link FactorRecommender}.
 * @example const settings: FactorSettings = { alpha: 40, regularization: 0.1 };
 */
export type FactorSettings = Partial<typeof SETTINGS>;

const FROM_FACTORS = {
  ...SETTINGS,
  /**
   * What each user has played: the filter of lists. Default: nothing is known, so nothing is
   * filtered.
   */
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

/** Factors of users and tracks, on the shared memory. */
export interface Factors {
  /** users × width, row-major. */
  readonly users: Float32Array;
  /** tracks × width, row-major. */
  readonly tracks: Float32Array;
  /** Number of factors. */
  readonly width: number;
}

/**
 * Recommends by factors: score = U[user]·V[track], however they were made.
 *
 * A listener who is folded in has the factors that implicit ALS would give them, tracks fixed: x =
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
      if (values.length !== rows * factors.width) {
        throw new ArgumentError(
          `There must be ${rows} rows of ${factors.width} ${side} factors, got ${values.length} numbers.`,
        );
      }
      const bad = firstNotFinite(values);
      if (bad >= 0)
        throw new NumericError(
          `The ${side} factors hold ${values[bad]} in row ${Math.floor(bad / factors.width)}; finite numbers were expected.`,
        );
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
    checkArgument(
      plays === undefined || plays instanceof Plays,
      plays,
      'fromFactors',
      'plays, such as readPlays reads, or none',
    );
    checkArgument(
      typeof sources === 'object' && sources !== null,
      sources,
      'fromFactors',
      '{ users, tracks }, the factors of each',
    );
    checkOptions(sources, ['users', 'tracks'], 'the factors of fromFactors');
    const users = namedFactors(sources.users, 'user');
    const tracks = namedFactors(sources.tracks, 'track');
    if (users.width !== tracks.width)
      throw new ArgumentError(
        `Users have ${users.width} factors, tracks ${tracks.width}: they do not belong together.`,
      );
    const ids = { users: users.ids, tracks: tracks.ids };
    const none = { user: new Int32Array(0), track: new Int32Array(0) };
    const own = plays ? playsAmong(plays, ids) : none;
    if (plays && own.user.length === 0)
      throw new ArgumentError(
        `None of the ${plays.length} plays is of a user and a track with factors: do the ids of the factors, such as "${ids.users.id(0)}" and "${ids.tracks.id(0)}", stand for others?`,
      );
    return new FactorRecommender(
      Interactions.fromPairs({ ...ids, ...own }),
      { users: users.values, tracks: tracks.values, width: users.width },
      { ...rest, catalogue: rest.catalogue ?? plays?.catalogue },
    );
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
    const values = this.valuesOfHistory(track, playcount);
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
   * is what the fitted factors have beyond that solution: conjugate gradients end early.
   * @param user a user of the training data
   * @param track id, title, or "title by artist"
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const u = userIndex(this, user);
    const t = trackIndex(this, track);
    const own = this.seen.row(u);
    const values = this.valuesOfUser(u);
    const { l } = this.system(own, values);
    const { users, tracks, width } = this.factors;
    const direction = choleskySolve(
      l,
      Float64Array.from(tracks.subarray(t * width, (t + 1) * width)),
    );
    const parts = Float64Array.from(
      own,
      (o, i) => values[i] * this.settings.alpha * dot(tracks, o * width, direction),
    );
    const score = dot(tracks, t * width, users.subarray(u * width, (u + 1) * width));
    const from = this.seen.indptr[u];
    return explainByTracks(
      this,
      { user, track: t, remainder: score - parts.reduce((a, b) => a + b, 0) },
      (_, at) => parts[at - from],
    );
  }

  /** What the tracks of a history are worth. */
  protected valuesOfHistory(_track: Int32Array, playcount: Float64Array): Float32Array {
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
    if (!this.gram) {
      this.gram = new Float64Array(width * width);
      for (let t = 0; t < this.tracks.length; t++) addOuter(this.gram, tracks, t * width, width, 1);
    }
    const l = this.gram.slice();
    const right = new Float64Array(width);
    for (let i = 0; i < own.length; i++) {
      const confidence = alpha * values[i];
      addOuter(l, tracks, own[i] * width, width, confidence - 1);
      for (let j = 0; j < width; j++) right[j] += confidence * tracks[own[i] * width + j];
    }
    for (let j = 0; j < width; j++) l[j * width + j] += regularization;
    cholesky(l, width);
    return { l, right };
  }

  /** How a file describes it, and how it is made again. */
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
  if (typeof source !== 'object' || source === null)
    throw new ArgumentError(`Factors of ${kind}s are { ids, values }, got ${whatIs(source)}.`);
  checkOptions(source, ['ids', 'values'], `The factors of ${kind}s`);
  const { ids, values } = source;
  if (!Array.isArray(ids) || ids.length === 0)
    throw new ArgumentError(`The factors of ${kind}s need their ids, at least one.`);
  checkArgument(isNumbers(values), values, 'fromFactors', `the factors of ${kind}s as numbers`);
  const width = values.length / ids.length;
  if (!(Number.isInteger(width) && width > 0))
    throw new ArgumentError(
      `${values.length} factors do not make rows for ${ids.length} ${kind}s.`,
    );
  const vocabulary = Vocabulary.inOrder(ids.map(String), { kind });
  if (vocabulary.length !== ids.length) {
    const twice = ids.find((id, i) => ids.findIndex((other) => String(other) === String(id)) !== i);
    throw new ArgumentError(
      `The factors of ${kind}s have two rows for "${twice}". Ids must differ.`,
    );
  }
  const shared = float32(values.length);
  shared.set(values);
  return { ids: vocabulary, values: shared, width };
}

/** Checks them, and sets the defaults. */
export function settingsOf({
  alpha = SETTINGS.alpha,
  regularization = SETTINGS.regularization,
}: FactorSettings): Required<FactorSettings> {
  checkNumber(alpha, alpha > 0 && alpha < Infinity, 'alpha must be a positive number');
  checkNumber(
    regularization,
    regularization >= 0 && regularization < Infinity,
    'regularization must be a number from 0 on',
  );
  return { alpha, regularization };
}

/** The lower triangle of s·v·vᵀ, added. */
function addOuter(
  sum: Float64Array,
  values: Float32Array,
  at: number,
  width: number,
  s: number,
): void {
  for (let i = 0; i < width; i++) {
    const factor = s * values[at + i];
    for (let j = 0; j <= i; j++) sum[i * width + j] += factor * values[at + j];
  }
}

function dot(values: Float32Array, at: number, x: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += values[at + j] * x[j];
  return sum;
}

/** Factors as tensors `users` and `tracks`. */
export function factorTensors({
  users,
  tracks,
  width,
}: Factors): NonNullable<RecommenderDescription['tensors']> {
  return new Map([
    ['users', { shape: [users.length / width, width], data: users }],
    ['tracks', { shape: [tracks.length / width, width], data: tracks }],
  ]);
}

/** What factorTensors has made, on the shared memory. */
export function readFactorTensors(tensors: TensorSource): Factors {
  const read = (name: string): Float32Array => {
    const values = tensors.read(name, 'F32');
    const shared = float32(values.length);
    shared.set(values);
    return shared;
  };
  return { users: read('users'), tracks: read('tracks'), width: tensors.shape('users')[1] ?? 0 };
}

/**
 * Factors of users and tracks, on the shared memory. Row `skip` + i belongs to index i: rows before
 * are of no user or track (`#na#`).
 */
export interface FactorTables {
  /** User factors, rows × width. */
  readonly userFactors: Float32Array;
  /** Track factors, rows × width. */
  readonly trackFactors: Float32Array;
  /** Bias of each user row; default: none has one. */
  readonly userBias?: Float32Array;
  /** Bias of each track row; default: none has one. */
  readonly trackBias?: Float32Array;
  /** Number of factors. */
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
    outerSum(left, right, scores);
    dispose(left);
    dispose(right);
  }
  // The factors of a track are a row of the table: read it transposed.
  const b = { values: trackFactors, offset: skip * width, rowStride: 1, columnStride: width };
  const sizes = { m: users.length, n: tracks, k: width };
  matmul(sizes, {
    a: { values: factors, rowStride: width },
    b,
    c: { values: scores, rowStride: tracks },
    add,
  });
  dispose(factors);
  if (!inPlace) {
    out.set(scores);
    dispose(scores);
  }
}

/** out[r, c] = left[r] + right[c], all on the shared memory. */
function outerSum(left: Float32Array, right: Float32Array, out: Float32Array): void {
  const args = [right.length, left.byteOffset, right.byteOffset, out.byteOffset];
  parallel('outerSum', left.length, args, {
    grain: Math.max(4, Math.ceil(200_000 / right.length)),
  });
}
