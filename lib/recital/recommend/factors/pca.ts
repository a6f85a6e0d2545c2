import { float32 } from '../../compute/memory.js';
import type { DenseMatrix, InteractionValue } from '../../data/csr.js';
import type { Tensor } from '../../data/files/safetensors.js';
import type { Plays } from '../../data/plays.js';
import { PCA, type PCAOptions } from '../../decomposition/pca.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkOneOf, checkOptions } from '../../options.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { PlayValues, readValue } from '../play-values.js';
import type { Recommendations } from '../recommendations.js';
import {
  checkScores,
  type Id,
  Recommender,
  type RecommendOptions,
  type TrackVectors,
} from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { type FactorTables, factorScores, onShared } from './factors.js';

const SCORES = ['cosine', 'reconstruction'] as const;

/** How a {@link PcaRecommender} scores: see there. */
export type PcaScore = (typeof SCORES)[number];

/** Options of {@link PcaRecommender.fit}. */
export interface PcaRecommenderOptions extends Omit<PCAOptions, 'nComponents' | 'whiten'> {
  /**
   * How many components, or the share of the variance that they must explain: see {@link PCA}.
   * Default 50, the paper's, or as many as there are.
   */
  nComponents?: number;
  /** What a play is worth: playcount ('count', default), ln(1 + playcount) ('log'), 1 ('binary'). */
  value?: InteractionValue;
  /** Default `'cosine'`, the paper's. */
  score?: PcaScore;
}

/** What PCA has found, as a {@link PcaRecommender} takes it. */
export interface PcaFactors {
  /** The coordinates of each user: users × components. */
  readonly users: DenseMatrix;
  /** components × tracks: column t is the vector of track t. */
  readonly components: DenseMatrix;
  /** The mean of each track over all users. */
  readonly mean: Float64Array;
  /** The share of the variance along each component. */
  readonly explainedVarianceRatio: Float64Array;
}

/**
 * Recommends by PCA of the users × tracks matrix: a user's vector is their coordinates, a track's
 * vector its loadings, `components` transposed.
 *
 * - `score: 'cosine'`: the cosine of both, u·v / (|u|·|v|), 0 where one is zero: tracks that hardly
 *   anybody plays rank high if they lie in the right direction.
 * - `score: 'reconstruction'`: the user's row as the components give it back, mean[t] + u·v, which
 *   knows how popular a track is.
 *
 * A user who is folded in has the coordinates of their centred row of plays.
 * @example
 * const pca = await PcaRecommender.fit(plays, { nComponents: 50 });
 * pca.explainedVarianceRatio;
 * pca.recommend(user, { n: 10 });
 */
export class PcaRecommender extends Recommender {
  readonly name: string;
  /** How it scores. */
  readonly score: PcaScore;
  /** What a play is worth. */
  readonly value: InteractionValue;
  private readonly tables: FactorTables;
  private readonly values: PlayValues;

  /** See {@link PcaRecommender.fit}; this one takes what was found in these plays before. */
  constructor(
    plays: Plays,
    /** Components and the tracks' places on them. */
    readonly factors: PcaFactors,
    { value = 'count', score = 'cosine' }: Pick<PcaRecommenderOptions, 'value' | 'score'> = {},
  ) {
    if (!factors)
      throw new ArgumentError(
        'PcaRecommender is fitted by await PcaRecommender.fit(plays), not made by new.',
      );
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    checkOneOf(score, SCORES, 'score');
    this.values = new PlayValues(this.seen, value);
    this.value = value;
    this.score = score;
    this.name = score === 'cosine' ? 'PCA' : 'PCA (reconstruction)';
    const { users, components, mean } = factors;
    const [k, tracks] = components.shape;
    const sizes = [users.shape[0], users.shape[1], tracks, mean.length];
    const wanted = [this.users.length, k, this.tracks.length, tracks];
    if (sizes.some((size, i) => size !== wanted[i]))
      throw new ArgumentError(
        `The components do not belong to these plays of ${this.users.length} users and ${this.tracks.length} tracks.`,
      );
    this.tables = {
      userFactors: this.rows(users.data, k),
      trackFactors: this.rows(this.loadings(), k),
      trackBias: score === 'reconstruction' ? Float32Array.from(mean) : undefined,
      width: k,
      skip: 0,
    };
  }

  /**
   * Fits PCA to who has played what.
   * @param plays the training plays, of at least two users
   * @example const pca = await PcaRecommender.fit(plays, { nComponents: 5 });
   */
  static async fit(plays: Plays, options: PcaRecommenderOptions = {}): Promise<PcaRecommender> {
    checkOptions(options, ['nComponents', 'value', 'score', 'seed', 'tol'], 'PcaRecommender.fit');
    const { value = 'count', score = 'cosine', nComponents, ...rest } = options;
    checkOneOf(score, SCORES, 'score');
    const { matrix } = new PlayValues(Interactions.fromPlays(plays), value);
    const most = nComponents === undefined ? Math.min(50, ...matrix.shape) : nComponents;
    const pca = new PCA({ nComponents: most, ...rest });
    const users = await pca.fitTransform(matrix);
    const { components, mean, explainedVarianceRatio } = pca;
    const factors = { users, components, mean, explainedVarianceRatio };
    return new PcaRecommender(plays, factors, { value, score });
  }

  /** The share of the variance along each component. */
  get explainedVarianceRatio(): Float64Array {
    return this.factors.explainedVarianceRatio;
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    factorScores(users, out, this.tables);
  }

  /** The coordinates of each user. */
  override userVectors(): TrackVectors {
    return { values: Float32Array.from(this.factors.users.data), width: this.tables.width };
  }

  /** The loadings of each track. */
  override trackVectors(): TrackVectors {
    return { values: Float32Array.from(this.loadings()), width: this.tables.width };
  }

  /** The coordinates of the history, scored as those of a user: {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const values = this.values.ofHistory(read);
    const { components, mean } = this.factors;
    const [k, tracks] = components.shape;
    const u = new Float64Array(k);
    for (let c = 0; c < k; c++) {
      const row = c * tracks;
      for (let t = 0; t < tracks; t++) u[c] -= mean[t] * components.data[row + t];
      for (let i = 0; i < values.length; i++)
        u[c] += values[i] * components.data[row + read.track[i]];
    }
    const scores = new Float32Array(tracks);
    const userFactors = this.rows(u, k);
    factorScores(Int32Array.of(0), scores, { ...this.tables, userFactors });
    return new FoldedUser(this, read.track, scores, { ...read, vector: u });
  }

  /** Components transposed: tracks × components. */
  private loadings(): Float64Array {
    const { data, shape } = this.factors.components;
    const [k, tracks] = shape;
    const out = new Float64Array(k * tracks);
    for (let c = 0, p = 0; c < k; c++) for (let t = 0; t < tracks; t++) out[t * k + c] = data[p++];
    return out;
  }

  /** Rows on the shared memory, of length 1 where cosines are wanted. */
  private rows(data: ArrayLike<number>, width: number): Float32Array {
    if (this.score !== 'cosine') return onShared(data);
    const out = float32(data.length);
    for (let from = 0; from < data.length; from += width) {
      let square = 0;
      for (let j = from; j < from + width; j++) square += data[j] * data[j];
      const by = square > 0 ? 1 / Math.sqrt(square) : 0;
      for (let j = from; j < from + width; j++) out[j] = data[j] * by;
    }
    return out;
  }

  static readonly saved: SavedForm<PcaRecommender> = {
    name: 'PcaRecommender',
    withoutSeen: 'users',
    describe: ({ value, score, factors }) => {
      const { users, components, mean, explainedVarianceRatio } = factors;
      return {
        config: { value, score },
        tensors: new Map<string, Tensor>([
          ['users', users],
          ['components', components],
          ['mean', { shape: [mean.length], data: mean }],
          [
            'explainedVarianceRatio',
            { shape: [explainedVarianceRatio.length], data: explainedVarianceRatio },
          ],
        ]),
      };
    },
    make: ({ plays }, config, tensors) => {
      const matrix = (name: string): DenseMatrix => {
        const [rows = 0, columns = 0] = tensors.shape(name);
        return { shape: [rows, columns], data: tensors.read(name, 'F64', [rows, columns]) };
      };
      const components = matrix('components');
      const [k, tracks] = components.shape;
      const factors = {
        users: matrix('users'),
        components,
        mean: tensors.read('mean', 'F64', [tracks]),
        explainedVarianceRatio: tensors.read('explainedVarianceRatio', 'F64', [k]),
      };
      const score = config.oneOf('score', SCORES);
      return new PcaRecommender(plays, factors, { value: readValue(config), score });
    },
  };
}

/**
 * The paper's question: the best tracks for a user by PCA, `recommender.recommend(user, options)`.
 * @example getRecommendationsPca(await PcaRecommender.fit(plays), user, { n: 10 })
 */
export function getRecommendationsPca(
  recommender: PcaRecommender,
  user: Id,
  options: RecommendOptions = {},
): Recommendations {
  const wanted = 'a PcaRecommender, which PcaRecommender.fit(plays) makes';
  const fits = recommender instanceof PcaRecommender;
  checkArgument(fits, recommender, 'getRecommendationsPca', wanted);
  return recommender.recommend(user, options);
}
