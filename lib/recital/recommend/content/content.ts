import { dispose, float32 } from '../../compute/memory.js';
import {
  type DenseMatrix,
  type InteractionValue,
  numbersWhere,
  rowOfEach,
} from '../../data/csr.js';
import type { Tensor } from '../../data/files/safetensors.js';
import { display } from '../../data/output.js';
import type { Plays } from '../../data/plays.js';
import type { Tracks } from '../../data/tracks.js';
import { indicesIn, Vocabulary } from '../../data/vocabulary.js';
import { PCA } from '../../decomposition/pca.js';
import { ArgumentError, DataError } from '../../errors.js';
import { checkOptions, given, type NoOptions } from '../../options.js';
import { type Explanation, explainByTracks } from '../explanation.js';
import { factorScores } from '../factors/factors.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { checkValue, playValue, readValue } from '../play-values.js';
import type { Recommendations } from '../recommendations.js';
import {
  checkScores,
  type Id,
  Recommender,
  type SimilarTracksOptions,
  type TrackVectors,
  trackIndex,
  userIndex,
} from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { CONTENT_FEATURES, contentFeatures } from './features.js';

const CONTENT = {
  ...CONTENT_FEATURES,
  /**
   * How many components, or the share of the variance that they must explain, as in {@link PCA};
   * default 0.95. They make vectors shorter; lists (on the sample) are no better.
   */
  nComponents: 0.95,
  /** What a play is worth: ln(1 + playcount) ('log', default), 1 ('binary'), playcount ('count'). */
  value: 'log' as InteractionValue,
  /** Start of the PCA where there are more than 256 features; default 42. */
  seed: 42 as number | string,
};

/** Options of {@link ContentRecommender.fit}. */
export type ContentRecommenderOptions = Partial<typeof CONTENT>;

/** The options of a fitted ContentRecommender that scores depend on. */
export interface ContentSettings {
  /** What a play is worth in a user's profile. */
  readonly value: InteractionValue;
}

/** What a fitted ContentRecommender consists of. */
export interface ContentState {
  /** The options that scores depend on. */
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

/** What a user has played of the tracks with features, and what each play is worth. */
interface Played {
  readonly tracks: Int32Array;
  readonly values: Float32Array;
}

/**
 * Recommends by what tracks are like, not by who plays them: also tracks that nobody has played, and
 * to a user who has played one track. The features of the whole catalogue ({@link contentFeatures})
 * are reduced by PCA; a track's vector is its coordinates. The score of a track is the cosine between
 * its vector and the user's profile, the mean of the vectors of their tracks, weighted by what their
 * plays are worth.
 *
 * `tracks` are all of the catalogue and of the plays, but those of which neither a play nor a
 * feature is known. A track without features has the vector 0, and the cosine 0 with all. A user
 * none of whose tracks has a vector is not known (`knows`), and gets the scores of the mean of all
 * profiles.
 * @example
 * const content = await ContentRecommender.fit(plays, tracks, { tags: true });
 * content.foldIn(['Song A', 'Song B']).recommend({ n: 10 });
 */
export class ContentRecommender extends Recommender {
  readonly name: string = 'Content';
  /** What `export` writes. */
  readonly state: ContentState;
  private readonly width: number;
  /** tracks × width: the vectors divided by their lengths, on the shared memory. */
  private readonly units: Float32Array;
  private readonly values: Float32Array;
  private average: Float64Array | undefined;

  /** See {@link ContentRecommender.fit}; this one takes a model that was fitted before. */
  constructor(seen: Interactions, state: ContentState, options: { catalogue?: Tracks } = {}) {
    if (!state?.components?.shape || !state.settings)
      throw new ArgumentError(
        'ContentRecommender is fitted by await ContentRecommender.fit(plays, tracks), not made by new.',
      );
    super(seen, options);
    const width = state.components.shape[0];
    const { vectors } = state;
    if (vectors.length !== width * seen.tracks.length)
      throw new ArgumentError(
        `Vectors of ${width} numbers for ${seen.tracks.length} tracks were expected, got ${vectors.length}: they belong to others.`,
      );
    this.state = state;
    this.width = width;
    this.units = float32(vectors.length);
    for (let from = 0; from < vectors.length; from += width)
      this.units.set(unit(vectors.subarray(from, from + width)), from);
    this.values = seen.playcount.map((count) => playValue(count, state.settings.value));
  }

  /**
   * Reads the features, finds the components, and gives every track its vector.
   * @param plays the training plays; there may be none, to find similar tracks and to fold users in
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
    const of = 'ContentRecommender.fit';
    const { nComponents, value, seed, ...which } = given(CONTENT, options, of);
    checkValue(value);
    const played = plays instanceof Interactions ? plays : Interactions.fromPlays(plays);
    const pca = new PCA({ nComponents, seed });
    const { matrix, known, names } = contentFeatures(tracks, which);
    const rows = numbersWhere(known.length, (row) => known[row] === 1);
    const ids = tracks.ids.decode(rows);
    const points = await pca.fitTransform(rowsOf(matrix, rows));
    const seen = withTracks(played, ids);
    const width = points.shape[1];
    const vectors = new Float32Array(seen.tracks.length * width);
    ids.forEach((id, i) => {
      const row = points.data.subarray(i * width, (i + 1) * width);
      vectors.set(row, seen.tracks.indexOf(id) * width);
    });
    const { components, explainedVarianceRatio } = pca;
    const learnt = { features: names, components, explainedVarianceRatio, vectors };
    const state = { settings: { value }, ...learnt };
    return new ContentRecommender(seen, state, { catalogue: tracks });
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const played = Array.from(users, (u) => this.playedBy(u));
    this.score(played, out);
  }

  /** Whether features are known of any track that this user has played. */
  override knows(user: Id): boolean {
    const u = this.users.indexOf(user);
    return u >= 0 && this.seen.row(u).some((t) => this.hasVector(t));
  }

  override trackVectors(): TrackVectors {
    return { values: this.state.vectors, width: this.width };
  }

  /** The tracks most like a track, by the cosine of their vectors, whether anybody plays them or not. */
  override similarTracks(track: Id, options: SimilarTracksOptions = {}): Recommendations {
    const index = trackIndex(this, track);
    if (!this.hasVector(index))
      throw new ArgumentError(
        `Nothing is known of the features of "${track}", so nothing can be said to be like it.`,
      );
    return super.similarTracks(track, options);
  }

  /**
   * Scores a history as a user with these plays; a track without a playcount counts as played as
   * often as tracks are in training, in the geometric mean. A history none of whose tracks has
   * features is that of the average user, and a warning says so. See {@link Recommender.foldIn}.
   * @throws ArgumentError for such a history where no plays are known, so no average user
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const { meanLog } = this.seen;
    const typical = Number.isFinite(meanLog) ? Math.exp(meanLog) : 1;
    const values = Float32Array.from(read.playcount, (count) =>
      playValue(Number.isNaN(count) ? typical : count, this.state.settings.value),
    );
    const played = this.withVectors({ tracks: read.track, values });
    if (played.tracks.length === 0) {
      const what = `Nothing is known of the features of the ${read.track.length} tracks of the history`;
      if (!this.averageUser().some((x) => x !== 0))
        throw new ArgumentError(`${what}. Name a track that has features.`);
      display().warn(`${what}: the average user stands for this one.`);
    }
    const scores = new Float32Array(this.tracks.length);
    this.score([played], scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  /**
   * What each of a user's tracks contributes to the score of a track; the sum is the score. The
   * column `similarity` is the cosine of each with that track.
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const { units, width, state } = this;
    const t = trackIndex(this, track);
    const played = this.playedBy(userIndex(this, user));
    const product = (vectors: Float32Array, own: number): number => {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += vectors[own * width + j] * units[t * width + j];
      return sum;
    };
    const parts = new Map<number, number>();
    let remainder = 0;
    if (played.tracks.length === 0) {
      const row = new Float32Array(this.tracks.length);
      this.score([played], row);
      remainder = row[t]; // the average user's
    } else {
      const total = played.values.reduce((sum, v) => sum + v, 0);
      const profile = this.profile(played);
      const length = Math.sqrt(profile.reduce((sum, x) => sum + x * x, 0)) * total;
      played.tracks.forEach((own, i) => {
        const contribution = (played.values[i] * product(state.vectors, own)) / length;
        parts.set(own, length === 0 ? 0 : contribution);
      });
    }
    const of = { user, track: t, remainder, similarity: (own: number) => product(units, own) };
    return explainByTracks(this, of, (own) => parts.get(own) ?? 0);
  }

  /** Scores users: out[b·tracks + t]. Who has played no track with a vector is the average. */
  private score(users: readonly Played[], out: Float32Array): void {
    const { units, width } = this;
    const profiles = float32(users.length * width);
    users.forEach((played, b) => {
      const profile = played.tracks.length ? this.profile(played) : this.averageUser();
      profiles.set(unit(profile), b * width);
    });
    const tables = { userFactors: profiles, trackFactors: units, width, skip: 0 };
    factorScores(Int32Array.from(users.keys()), out, tables);
    dispose(profiles);
  }

  /** The mean of the vectors of tracks, weighted by what the plays are worth. */
  private profile({ tracks, values }: Played): Float64Array {
    const { width } = this;
    const { vectors } = this.state;
    const sum = new Float64Array(width);
    let weight = 0;
    for (let i = 0; i < tracks.length; i++) {
      weight += values[i];
      for (let j = 0, p = tracks[i] * width; j < width; j++) sum[j] += values[i] * vectors[p++];
    }
    return sum.map((x) => x / weight);
  }

  private hasVector(track: number): boolean {
    const { units, width } = this;
    for (let i = track * width; i < (track + 1) * width; i++) if (units[i] !== 0) return true;
    return false;
  }

  private withVectors({ tracks, values }: Played): Played {
    const at = numbersWhere(tracks.length, (i) => this.hasVector(tracks[i]));
    return { tracks: at.map((i) => tracks[i]), values: Float32Array.from(at, (i) => values[i]) };
  }

  /** What a user has played, as far as it has vectors. */
  private playedBy(user: number): Played {
    const { indptr } = this.seen;
    const values = this.values.subarray(indptr[user], indptr[user + 1]);
    return this.withVectors({ tracks: this.seen.row(user), values });
  }

  /** The sum of the profiles of all users that have one; zeros if none has. Made on first use. */
  private averageUser(): Float64Array {
    if (this.average) return this.average;
    const sum = new Float64Array(this.width);
    for (let u = 0; u < this.users.length; u++) {
      const played = this.playedBy(u);
      if (played.tracks.length === 0) continue;
      this.profile(played).forEach((x, j) => {
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

  static readonly saved: SavedForm<ContentRecommender> = {
    name: 'ContentRecommender',
    withoutSeen: 'tracks',
    describe: ({ state, tracks }) => {
      const { settings, features, components, explainedVarianceRatio, vectors } = state;
      const [width] = components.shape;
      return {
        config: { ...settings, scoring: 'profile', features },
        tensors: new Map<string, Tensor>([
          ['components', components],
          ['explained_variance_ratio', { shape: [width], data: explainedVarianceRatio }],
          ['vectors', { shape: [tracks.length, width], data: vectors }],
        ]),
      };
    },
    make: ({ plays, seen }, config, tensors) => {
      config.oneOf('scoring', ['profile']);
      const features = config.texts('features');
      const width = tensors.shape('components')[0] ?? 0;
      if (width === 0) throw new DataError('it has no components.');
      const shape = [width, features.length] as const;
      const vectors = tensors.read('vectors', 'F32', [seen.tracks.length, width]);
      if (!vectors.every(Number.isFinite))
        throw new DataError('the vectors of its tracks are not all finite numbers.');
      const state = {
        settings: { value: readValue(config) },
        features,
        components: { shape, data: tensors.read('components', 'F64', shape) },
        explainedVarianceRatio: tensors.read('explained_variance_ratio', 'F64', [width]),
        vectors,
      };
      return new ContentRecommender(seen, state, { catalogue: plays.catalogue });
    },
  };
}

function rowsOf({ shape: [, columns], data }: DenseMatrix, rows: Int32Array): DenseMatrix {
  const out = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    out.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return { shape: [rows.length, columns], data: out };
}

/** The same plays over more tracks. */
export function withTracks(seen: Interactions, more: readonly string[]): Interactions {
  const { users, indptr, indices, playcount, tracks: own } = seen;
  const tracks = Vocabulary.fromValues([...own.classes, ...more], { kind: own.kind });
  const to = indicesIn(own, tracks);
  const track = indices.map((t) => to[t]);
  return Interactions.fromPairs({ users, tracks, user: rowOfEach(indptr), track, playcount });
}

/** A vector divided by its length; zeros stay. */
function unit(vector: ArrayLike<number>): Float64Array {
  let squares = 0;
  for (let j = 0; j < vector.length; j++) squares += vector[j] * vector[j];
  return Float64Array.from(vector, (x) => (squares === 0 ? 0 : x / Math.sqrt(squares)));
}
