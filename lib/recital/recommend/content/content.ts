import { matmul } from '../../compute/matmul.js';
import { dispose, float32 } from '../../compute/memory.js';
import type { DenseMatrix, InteractionValue } from '../../data/csr.js';
import { display } from '../../data/display.js';
import type { Plays } from '../../data/plays.js';
import type { Tracks } from '../../data/tracks.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { PCA } from '../../decomposition/pca.js';
import { ArgumentError, DataError } from '../../errors.js';
import { checkOptions, type NoOptions, said } from '../../options.js';
import { readValue } from '../confidence.js';
import { Explanation, explainByTracks } from '../explanation.js';
import type { SavedForm } from '../export.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import type { Recommendations } from '../recommendations.js';
import {
  type Id,
  Recommender,
  type SimilarTracksOptions,
  type TrackVectors,
} from '../recommender.js';
import { checkN, checkScores, trackIndex, userIndex } from '../resolve-ids.js';
import { type ContentFeaturesOptions, contentFeatures } from './features.js';

/**
 * Recommends by what tracks are like, not by who plays them, so that tracks which nobody has played
 * are recommended too, and a new listener is after one track that they like. The features of the
 * whole catalogue ({@link contentFeatures}: audio features, if wished tags and genre) are reduced
 * by PCA; a track's vector is its coordinates, the mean of the catalogue being 0. The score of a
 * track for a listener is
 *
 * 'profile' the cosine between its vector and the mean of the vectors of the listener's tracks,
 * weighted by what their plays are worth 'nearest' the mean of its cosines with the k nearest of
 * the listener's tracks, weighted the same way
 *
 * `tracks` are all of the catalogue and of the plays, but those of which neither a play nor a
 * feature is known. A track of which no feature is known has the vector 0 and the cosine 0 with
 * all. A user none of whose tracks has a vector is not known (`knows`), and taken for the average
 * listener, the mean of all profiles.
 * @example
 * const content = await ContentRecommender.fit(plays, tracks, { tags: true });
 * content.foldIn(['Song A', 'Song B']).recommend({ n: 10 });
 */
export class ContentRecommender extends Recommender {
  readonly name: string;
  /** What `export` writes. */
  readonly state: ContentState;
  private readonly comparison: ContentScores;
  private readonly values: Float32Array;
  private readonly typical: number;
  private average: Float64Array | undefined;

  /** See {@link ContentRecommender.fit}; this one takes a model that was fitted before. */
  constructor(seen: Interactions, state: ContentState, options: { catalogue?: Tracks } = {}) {
    if (!state?.components?.shape || !state.settings)
      throw new ArgumentError(
        'ContentRecommender is fitted by await ContentRecommender.fit(plays, tracks), not made by new.',
      );
    super(seen, options);
    const width = state.components.shape[0];
    if (state.vectors.length !== width * seen.tracks.length) {
      throw new ArgumentError(
        `Vectors of ${width} numbers for ${seen.tracks.length} tracks were expected, got ${state.vectors.length}: they belong to others.`,
      );
    }
    const { value, scoring, k } = state.settings;
    this.state = state;
    this.name = scoring === 'profile' ? 'Content' : 'Content (nearest)';
    this.comparison = new ContentScores(state.vectors, width, k);
    this.values = seen.playcount.map((count) => worth(count, value));
    const { meanLog } = seen;
    this.typical = worth(Number.isFinite(meanLog) ? Math.exp(meanLog) : 1, value);
  }

  /**
   * Reads the features, finds the components, and gives every track its vector.
   * @param plays the training plays; there may be none, to find similar tracks and to fold
   *   listeners in
   * @param tracks the catalogue
   * @throws ArgumentError for wrong options and for a catalogue without usable features;
   *   UnknownIdError for a feature that it lacks
   * @example const content = await ContentRecommender.fit(plays, tracks);
   */
  static async fit(
    plays: Plays | Interactions,
    tracks: Tracks,
    options: ContentRecommenderOptions = {},
  ): Promise<ContentRecommender> {
    const { seen, state } = await fitContent(plays, tracks, options);
    return new ContentRecommender(seen, state, { catalogue: tracks });
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.comparison.score(
      Array.from(users, (u) => this.known(u)),
      () => this.averageListener(),
      out,
    );
  }

  /** Whether features are known of any track that this user has played. */
  override knows(user: Id): boolean {
    const u = this.users.indexOf(user);
    return u >= 0 && this.seen.row(u).some((t) => this.comparison.knows(t));
  }

  override trackVectors(): TrackVectors {
    return { values: this.state.vectors, width: this.state.components.shape[0] };
  }

  /**
   * The tracks that sound most like a track, by the cosine of their vectors, whether anybody plays
   * them or not.
   */
  override similarTracks(track: Id, options: SimilarTracksOptions = {}): Recommendations {
    const index = trackIndex(this, track);
    if (!this.comparison.knows(index)) {
      throw new ArgumentError(
        `Nothing is known of the features of "${track}", so nothing can be said to be like it.`,
      );
    }
    return super.similarTracks(track, options);
  }

  /**
   * Scores a listener as a user with these plays; a track that is just liked counts as played as
   * often as tracks are in training, in the geometric mean. A history none of whose tracks has
   * features is that of the average listener, and a warning says so. See
   * {@link Recommender.foldIn}.
   * @throws ArgumentError for such a history where there is no average listener, because no plays
   *   are known
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const { value } = this.state.settings;
    const values = Float32Array.from(read.playcount, (count) =>
      Number.isNaN(count) ? this.typical : worth(count, value),
    );
    const known = this.comparison.known({ tracks: read.track, values });
    if (known.tracks.length === 0) {
      const what = `Nothing is known of the features of the ${read.track.length} tracks of the history`;
      if (!this.averageListener().some((x) => x !== 0))
        throw new ArgumentError(`${what}. Name a track that has features.`);
      display().warn(`${what}: the average listener stands for this one.`);
    }
    const scores = new Float32Array(this.tracks.length);
    this.comparison.score([known], () => this.averageListener(), scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  /**
   * Which of a user's tracks speak for a track: their contributions add up to the score. The column
   * `similarity` is the cosine of each with that track: the highest is the nearest.
   * @param user a user of the training data
   * @param track id, title, or "title by artist"
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const t = trackIndex(this, track);
    const u = userIndex(this, user);
    const known = this.known(u);
    const parts = this.comparison.contributions(known, t);
    const part = new Map(Array.from(known.tracks, (own, i) => [own, parts[i]]));
    let remainder = 0;
    if (known.tracks.length === 0) {
      const row = new Float32Array(this.tracks.length);
      this.scores(Int32Array.of(u), row);
      remainder = row[t]; // the average listener's
    }
    const explanation = explainByTracks(
      this,
      { user, track: t, remainder },
      (own) => part.get(own) ?? 0,
    );
    const ids = explanation.strings(explanation.columnNames[0]);
    const similarity = Float64Array.from(ids, (id) =>
      this.comparison.cosine(this.tracks.indexOf(id!), t),
    );
    const columns = explanation.columnNames.flatMap((name) => [
      ...(name === 'contribution' ? [['similarity', similarity] as const] : []),
      [name, explanation.column(name)] as const,
    ]);
    return new Explanation(explanation.name, Object.fromEntries(columns), explanation);
  }

  /** What a user has played, as far as it has vectors. */
  private known(user: number): Played {
    const { indptr } = this.seen;
    return this.comparison.known({
      tracks: this.seen.row(user),
      values: this.values.subarray(indptr[user], indptr[user + 1]),
    });
  }

  /** The mean of the profiles of all users that have one; zeros if none has. Made on first use. */
  private averageListener(): Float64Array {
    if (this.average) return this.average;
    const sum = new Float64Array(this.state.components.shape[0]);
    for (let u = 0; u < this.users.length; u++) {
      const known = this.known(u);
      if (known.tracks.length === 0) continue;
      this.comparison.profile(known).forEach((x, j) => {
        sum[j] += x;
      });
    }
    this.average = sum; // only its direction counts
    return sum;
  }

  override toString(): string {
    const { features, components, explainedVarianceRatio } = this.state;
    const n = (x: number): string => x.toLocaleString('en');
    const share = 100 * explainedVarianceRatio.reduce((a, b) => a + b, 0);
    return `${this.name}: ${n(this.tracks.length)} tracks by ${components.shape[0]} components of ${features.length} features (${share.toFixed(1)} % of the variance), ${n(this.users.length)} users`;
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<ContentRecommender> = {
    name: 'ContentRecommender',
    withoutSeen: 'tracks',
    describe: ({
      state: { settings, features, components, explainedVarianceRatio, vectors },
      tracks,
    }) => ({
      config: { ...settings, features },
      tensors: new Map([
        ['components', { shape: [...components.shape], data: components.data }],
        [
          'explained_variance_ratio',
          { shape: [explainedVarianceRatio.length], data: explainedVarianceRatio },
        ],
        ['vectors', { shape: [tracks.length, components.shape[0]], data: vectors }],
      ]),
    }),
    make: ({ plays, seen }, config, tensors) => {
      const features = config.texts('features');
      const scoring = config.text('scoring');
      const k = config.count('k');
      if (scoring !== 'profile' && scoring !== 'nearest')
        return config.wrong('scoring', 'profile or nearest');
      if ((scoring === 'nearest') !== k > 0)
        return config.wrong('k', 'more than 0 for nearest, 0 for profile');
      const width = tensors.shape('components')[0] ?? 0;
      if (width === 0) throw new DataError('it has no components.');
      const components: DenseMatrix = {
        shape: [width, features.length],
        data: tensors.read('components', 'F64', [width, features.length]),
      };
      const explainedVarianceRatio = tensors.read('explained_variance_ratio', 'F64', [width]);
      const vectors = tensors.read('vectors', 'F32', [seen.tracks.length, width]);
      if (!vectors.every(Number.isFinite))
        throw new DataError('the vectors of its tracks are not all finite numbers.');
      const settings: ContentSettings = { value: readValue(config), scoring, k };
      return new ContentRecommender(
        seen,
        { settings, features, components, explainedVarianceRatio, vectors },
        { catalogue: plays.catalogue },
      );
    },
  };
}

function worth(count: number, value: InteractionValue): number {
  return value === 'binary' ? 1 : value === 'log' ? Math.log1p(count) : count;
}

/** Options of {@link ContentRecommender.fit}. */
export interface ContentRecommenderOptions extends ContentFeaturesOptions {
  /**
   * How many components, or the share of the variance that they must explain; default 0.95. As
   * {@link PCA} has it. As many as there are features leave the cosines of the scaled features as
   * they are: components make vectors shorter, lists (on the sample) no better.
   */
  nComponents?: number;
  /**
   * What a play is worth in a listener's profile: ln(1 + playcount) ('log', default), 1 ('binary')
   * or the playcount ('count').
   */
  value?: InteractionValue;
  /**
   * 'profile' (default): one vector a listener; 'nearest': the tracks of a listener one by one. See
   * {@link ContentRecommender}.
   */
  scoring?: ContentScoring;
  /** With 'nearest', how many of the listener's tracks count, the nearest ones; default 10. */
  k?: number;
  /** Start of the PCA where there are more than 256 features; default 42. */
  seed?: number | string;
}

/** The options of a fitted ContentRecommender that scores depend on. `k` is 0 with 'profile'. */
export interface ContentSettings {
  /** What a play is worth in a listener's profile. */
  readonly value: InteractionValue;
  /** How a listener's tracks are compared with the others. */
  readonly scoring: ContentScoring;
  /** How many of the listener's tracks count with 'nearest'. */
  readonly k: number;
}

/** What a fitted ContentRecommender consists of. */
export interface ContentState {
  readonly settings: ContentSettings;
  /** What the columns of the components are: see {@link ContentFeatures}. */
  readonly features: readonly string[];
  /** components × features, orthonormal rows: what each component is made of. */
  readonly components: DenseMatrix;
  /** Share of the variance that each component explains. */
  readonly explainedVarianceRatio: Float64Array;
  /** tracks × components; zeros where nothing is known of a track. */
  readonly vectors: Float32Array;
}

/** See {@link ContentRecommender.fit}. */
export async function fitContent(
  plays: Plays | Interactions,
  tracks: Tracks,
  options: ContentRecommenderOptions,
): Promise<{ seen: Interactions; state: ContentState }> {
  checkOptions(
    options,
    ['nComponents', 'features', 'tags', 'genre', 'value', 'scoring', 'k', 'seed'],
    'ContentRecommender.fit',
  );
  const {
    nComponents = 0.95,
    seed = 42,
    value = 'log',
    scoring = 'profile',
    k,
    ...which
  } = options;
  if (value !== 'count' && value !== 'binary' && value !== 'log') {
    throw new ArgumentError(`value must be 'count', 'binary' or 'log', got '${said(value)}'.`);
  }
  if (scoring !== 'profile' && scoring !== 'nearest')
    throw new ArgumentError(`scoring must be 'profile' or 'nearest', got '${said(scoring)}'.`);
  if (k !== undefined && scoring === 'profile')
    throw new ArgumentError("k is for scoring: 'nearest'; a profile is made of all tracks.");
  checkN(k === undefined ? 10 : k, 'k');
  const played = plays instanceof Interactions ? plays : Interactions.fromPlays(plays);
  const pca = new PCA({ nComponents, seed });
  const features = contentFeatures(tracks, which);
  const rows = Array.from(features.known.keys()).filter((row) => features.known[row]);
  const points = await pca.fitTransform(rowsOf(features.matrix, rows));
  const seen = withTracks(
    played,
    rows.map((row) => tracks.ids.id(row)),
  );
  const width = points.shape[1];
  const vectors = new Float32Array(seen.tracks.length * width);
  rows.forEach((row, i) => {
    vectors.set(
      points.data.subarray(i * width, (i + 1) * width),
      seen.tracks.indexOf(tracks.ids.id(row)) * width,
    );
  });
  const { components, explainedVarianceRatio } = pca;
  const settings = { value, scoring, k: scoring === 'profile' ? 0 : (k ?? 10) };
  return {
    seen,
    state: { settings, features: features.names, components, explainedVarianceRatio, vectors },
  };
}

function rowsOf({ shape: [, columns], data }: DenseMatrix, rows: readonly number[]): DenseMatrix {
  const out = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    out.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return { shape: [rows.length, columns], data: out };
}

/** The same plays over more tracks. */
function withTracks(
  { users, tracks, indptr, indices, playcount }: Interactions,
  more: readonly string[],
): Interactions {
  const all = Vocabulary.fromValues([...tracks.classes, ...more], { kind: tracks.kind });
  const to = Int32Array.from({ length: tracks.length }, (_, t) => all.indexOf(tracks.id(t)));
  const user = new Int32Array(indices.length);
  for (let u = 0; u < users.length; u++) user.fill(u, indptr[u], indptr[u + 1]);
  return Interactions.fromPairs({
    users,
    tracks: all,
    user,
    track: indices.map((t) => to[t]),
    playcount,
  });
}

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
