import type { DenseMatrix, InteractionValue } from '../../data/csr.js';
import { display } from '../../data/display.js';

import type { Plays } from '../../data/plays.js';
import type { Tracks } from '../../data/tracks.js';
import { ArgumentError, DataError } from '../../errors.js';
import { checkOptions, type NoOptions } from '../../options.js';
import { Explanation } from '../explain.js';
import { explainByTracks } from '../explain-tracks.js';
import type { SavedForm } from '../export.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import type { Interactions } from '../interactions.js';
import { checkScores, trackIndex, userIndex } from '../lookup.js';
import { readValue } from '../play-values.js';
import type { Recommendations } from '../recommendations.js';
import {
  type Id,
  Recommender,
  type SimilarTracksOptions,
  type TrackVectors,
} from '../recommender.js';
import {
  type ContentRecommenderOptions,
  type ContentSettings,
  type ContentState,
  fitContent,
} from './content-fit.js';
import { ContentScores, type Played } from './content-scores.js';

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
