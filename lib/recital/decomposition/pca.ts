import type { Random } from '../compute/random.js';
import type { Csr, DenseMatrix } from '../data/csr.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import { columnMoments, type Operator, operatorOf } from './lanczos/operator.js';
import { leadingSingular, type Singular, type SingularOptions } from './lanczos/singular.js';
import {
  type Decomposed,
  flipSigns,
  LinearReduction,
  type ReductionOptions,
} from './linear-reduction.js';

/** Options of {@link PCA}. */
export interface PCAOptions extends ReductionOptions {
  /**
   * How many components: a whole number from 1 to the shorter side of the matrix; or a share
   * between 0 and 1, for as few as explain more than that share of the variance. Default: as many
   * as the shorter side, where that is at most 1,024.
   *
   * 1 means one component. Where the shorter side is longer than 1,024, a share is looked for among
   * the first 512 components.
   */
  nComponents?: number;
  /** Divide the coordinates of each component by their standard deviation; default false. */
  whiten?: boolean;
}

/** The shorter side up to which all components may be asked for without saying how many. */
const MAX_ALL = 1024;
/** The most components among which a share is looked for, where there are more than MAX_ALL. */
const MAX_SHARED = 512;

/**
 * scikit-learn's PCA: the directions along which the rows vary most. The columns are centred, not
 * scaled ({@link StandardScaler} does that); variances are divided by the number of rows − 1. A
 * sparse matrix stays sparse: (X − 1·μᵀ)·v is computed as X·v − 1·(μᵀv).
 *
 * The result is exact to `tol`, by block Lanczos where the shorter side is longer than 256, else by
 * the eigenvectors of the whole covariance. Constant columns have no part in any component. If no
 * column varies, all variances and ratios are 0 (scikit-learn has NaN). One row has no variance and
 * is refused.
 * @example
 * const pca = new PCA({ nComponents: 1 });
 * await pca.fit({ shape: [3, 2], data: Float64Array.of(0, 0, 2, 0, 4, 0) });
 * pca.explainedVariance // Float64Array [4]
 */
export class PCA extends LinearReduction {
  protected readonly who: string = 'PCA';
  /** What was asked for; `components.shape[0]` is what there is. */
  readonly nComponents: number | undefined;
  /** Whether coordinates are divided by their standard deviation. */
  readonly whiten: boolean;

  constructor(options: PCAOptions = {}) {
    checkOptions(options, ['nComponents', 'whiten', 'seed', 'tol'], 'PCA');
    const { nComponents, whiten = false, ...rest } = options;
    super(rest);
    if (
      nComponents !== undefined &&
      !((Number.isInteger(nComponents) && nComponents >= 1) || (nComponents > 0 && nComponents < 1))
    ) {
      throw new ArgumentError(
        `nComponents must be a whole number from 1 on, or a share between 0 and 1, got ${said(nComponents)}.`,
      );
    }
    if (typeof whiten !== 'boolean')
      throw new ArgumentError(`whiten must be true or false, got ${said(whiten)}.`);
    this.nComponents = nComponents;
    this.whiten = whiten;
  }

  /** Mean of each column. */
  get mean(): Float64Array {
    return this.known().mean!;
  }

  /**
   * The mean variance of the directions that were left out: of Tipping and Bishop's probabilistic
   * PCA (1999). 0 if none was.
   */
  get noiseVariance(): number {
    return this.known().noiseVariance;
  }

  protected async decompose(
    x: Csr | DenseMatrix,
    { random, turn }: { random: Random; turn: () => Promise<boolean> },
  ): Promise<Decomposed> {
    const [rows, columns] = x.shape;
    if (rows < 2) throw new ArgumentError('PCA needs at least 2 rows: one row has no variance.');
    const wanted = this.wanted(rows, columns);
    const { mean, variance } = columnMoments(x);
    const total = variance.reduce((sum, v) => sum + v, 0) * (rows / (rows - 1));
    const a = operatorOf(x, mean);
    try {
      const options = { tol: this.tol, maxIter: 1000, random, turn };
      const found =
        wanted < 1
          ? await explaining(a, {
              share: wanted,
              total: total * (rows - 1),
              ...searched(Math.min(rows, columns)),
              ...options,
            })
          : await leadingSingular(a, { components: wanted, ...options });
      const { values, right, scores, converged } = found;
      const components = flipSigns(right, scores, columns);
      const explainedVariance = values.map((s) => s ** 2 / (rows - 1));
      const explainedVarianceRatio = explainedVariance.map((v) => (total > 0 ? v / total : 0));
      const left = Math.min(rows, columns) - values.length;
      const rest = total - explainedVariance.reduce((sum, v) => sum + v, 0);
      const noiseVariance = left > 0 ? Math.max(0, rest / left) : 0;
      return {
        components,
        explainedVariance,
        explainedVarianceRatio,
        singularValues: values,
        mean,
        noiseVariance,
        converged,
        scores,
      };
    } finally {
      a.dispose();
    }
  }

  protected override scales(): Float64Array | undefined {
    if (!this.whiten) return undefined;
    return this.known().explainedVariance.map((v) => Math.max(Math.sqrt(v), Number.EPSILON)); // scikit-learn's guard
  }

  private wanted(rows: number, columns: number): number {
    const { nComponents } = this;
    const most = Math.min(rows, columns);
    if (nComponents === undefined) {
      if (most <= MAX_ALL) return most;
      throw new ArgumentError(
        `A matrix of ${rows} × ${columns} has ${most} components: say how many, { nComponents: 50 } for instance.`,
      );
    }
    if (nComponents > most) {
      throw new ArgumentError(
        `A matrix of ${rows} × ${columns} has at most ${most} components, ${nComponents} were asked for.`,
      );
    }
    return nComponents;
  }
}

/** Among how many components a share is looked for, at first and at most, where there are `all`. */
function searched(all: number): { first: number; most: number } {
  return all <= MAX_ALL ? { first: all, most: all } : { first: 64, most: MAX_SHARED };
}

/**
 * As few components as explain more than a share of the sum of all squares, looked for among the
 * `first` ones, then among twice as many, up to `most`.
 */
export async function explaining(
  a: Operator,
  {
    share,
    total,
    first,
    most,
    ...options
  }: { share: number; total: number; first: number; most: number } & Omit<
    SingularOptions,
    'components'
  >,
): Promise<Singular> {
  const all = Math.min(a.rows, a.columns);
  for (let components = first; ; components = Math.min(most, 2 * components)) {
    const found = await leadingSingular(a, { ...options, components });
    let sum = 0;
    let count = 0;
    while (count < found.values.length && sum <= share * total) sum += found.values[count++] ** 2;
    if (sum > share * total || count === all || found.stopped) {
      const { values, right, scores } = found;
      const converged = Math.min(count, found.converged);
      return {
        ...found,
        values: values.slice(0, count),
        right: right.slice(0, count),
        scores: scores.slice(0, count),
        converged,
      };
    }
    // No later component explains more than the last one found.
    if (sum + (most - count) * found.values[count - 1] ** 2 <= share * total) {
      const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
      throw new ArgumentError(
        `The first ${count} components explain ${percent(sum / total)} of the variance, so that ${percent(share)} takes more than ${most}. Ask for a smaller share, or for a number of components.`,
      );
    }
  }
}
