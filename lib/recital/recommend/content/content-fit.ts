import type { DenseMatrix, InteractionValue } from '../../data/csr.js';

import type { Plays } from '../../data/plays.js';
import type { Tracks } from '../../data/tracks.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { PCA } from '../../decomposition/pca.js';
import { ArgumentError } from '../../errors.js';
import { checkOptions, said } from '../../options.js';
import { Interactions } from '../interactions.js';
import { checkN } from '../lookup.js';
import { type ContentFeaturesOptions, contentFeatures } from './content-features.js';
import type { ContentScoring } from './content-scores.js';

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
