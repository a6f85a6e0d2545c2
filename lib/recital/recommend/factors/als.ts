import { type Steps, stoppable } from '../../compute/interrupt.js';
import { kernels } from '../../compute/kernels.js';
import { matmul } from '../../compute/matmul.js';
import { dispose, float32, int32 } from '../../compute/memory.js';
import { Random } from '../../compute/random.js';
import { MAX_THREADS, parallel } from '../../compute/threads.js';
import type { Csr, InteractionValue } from '../../data/csr.js';
import { sayInterrupted } from '../../data/output.js';
import type { Plays } from '../../data/plays.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkCount, checkRounds, given } from '../../options.js';
import { Interactions } from '../interactions.js';
import { PlayValues, readValue } from '../play-values.js';
import type { SavedForm } from '../saved-form.js';
import {
  FactorRecommender,
  type Factors,
  factorTensors,
  readFactorTensors,
  settingsOf,
} from './factors.js';

/** Names and defaults are those of `implicit`'s AlternatingLeastSquares. */
const DEFAULTS = {
  /** Number of factors; default 100. */
  factors: 100,
  /** Added to the diagonal of each system; default 0.01. */
  regularization: 0.01,
  /** What a value is multiplied by to be a confidence; default 1. */
  alpha: 1,
  /** Times that all users and then all tracks are solved for; default 15. */
  iterations: 15,
  /** Steps of conjugate gradient for each row in an iteration; default 3. */
  cgSteps: 3,
  /** What a play is worth: playcount ('count', default), ln(1 + playcount) ('log'), 1 ('binary'). */
  value: 'count' as InteractionValue,
  /** Seed of the first factors; default 42. */
  seed: 42 as number | string,
  /** Called after each iteration with its number, from 1, and its seconds; default: nothing. */
  onIteration: undefined as ((iteration: number, seconds: number) => void) | undefined,
};

/** Options of {@link ALS.fit}. */
export type ALSOptions = Partial<typeof DEFAULTS>;

/** All options of a fitted model but the callback. */
export type ALSSettings = Readonly<Omit<typeof DEFAULTS, 'onIteration'>>;

/**
 * Alternating least squares for plays (Hu, Koren and Volinsky, 2008), by conjugate gradient
 * (Takács, Pilászy and Tikk, 2011), as the `implicit` library does it: with confidences c = alpha ·
 * value of what was played, and 1 elsewhere, it minimises Σ c·(p − U·V)² + regularization·(|U|² +
 * |V|²) over all pairs, where p is 1 for what was played and 0 elsewhere.
 * @example
 * const als = await ALS.fit(plays, { factors: 64, alpha: 10, value: 'log' });
 * als.recommend(user, { n: 10 });
 * als.explain(user, track);
 */
export class ALS extends FactorRecommender {
  /** The options that it was fitted with. */
  readonly options: ALSSettings;
  private readonly values: PlayValues;

  /** See {@link ALS.fit}; this one takes factors that were fitted on these plays before. */
  constructor(plays: Plays, state: { options: ALSSettings; factors: Factors }) {
    if (!state?.options)
      throw new ArgumentError('ALS is fitted by await ALS.fit(plays), not made by new.');
    const { options, factors } = state;
    const { alpha, regularization } = options;
    const { catalogue } = plays;
    super(Interactions.fromPlays(plays), factors, {
      alpha,
      regularization,
      name: 'ALS',
      catalogue,
    });
    this.options = options;
    this.values = new PlayValues(this.seen, options.value);
  }

  /**
   * Fits it. Ctrl-C ends the fitting early, with the factors as they are.
   * @param plays the training plays
   * @example const als = await ALS.fit(plays, { factors: 32, iterations: 10, seed: 42 });
   */
  static async fit(plays: Plays, options: ALSOptions = {}): Promise<ALS> {
    const { onIteration, ...settings } = given(DEFAULTS, options, 'ALS.fit');
    const { factors, regularization, alpha, iterations, cgSteps, value, seed } = settings;
    checkCount(factors, 'factors');
    for (const [name, n] of Object.entries({ iterations, cgSteps })) checkRounds(n, name);
    settingsOf({ alpha, regularization });
    const callable = onIteration === undefined || typeof onIteration === 'function';
    checkArgument(callable, onIteration, 'onIteration', 'a function');
    const { matrix } = new PlayValues(Interactions.fromPlays(plays), value);
    const width = 4 * Math.ceil(factors / 4); // rows of whole vectors; what is more stays 0
    const users = float32(matrix.shape[0] * width);
    const tracks = float32(matrix.shape[1] * width);
    const random = new Random(seed).child('init');
    for (let t = 0; t < matrix.shape[1]; t++)
      for (let j = 0; j < factors; j++)
        tracks[t * width + j] = ((random.uint32() >>> 8) / 16777216) * 0.01;
    const byTrack = matrix.transpose();
    const solver = new AlsSolver([matrix, byTrack], { width, alpha, regularization, cgSteps });
    function* iterate(): Steps<void> {
      for (let i = 1; i <= iterations; i++) {
        const started = performance.now();
        let stop = yield;
        for (const _ of solver.solve(matrix, users, tracks)) stop = (yield) ?? stop;
        for (const _ of solver.solve(byTrack, tracks, users)) stop = (yield) ?? stop;
        if (stop && i < iterations) {
          const line = `Interrupted after ${i} of ${iterations} iterations; the factors are as these left them.`;
          return sayInterrupted(stop, line);
        }
        onIteration?.(i, (performance.now() - started) / 1000);
      }
    }
    try {
      await stoppable(iterate());
    } finally {
      solver.dispose();
    }
    const [left, right] = [users, tracks].map((values) => narrowed(values, width, factors));
    const made = { users: left, tracks: right, width: factors };
    return new ALS(plays, { options: settings, factors: made });
  }

  protected override valuesOfHistory(playcount: Float64Array): Float32Array {
    return this.values.ofHistory({ playcount });
  }

  protected override valuesOfUser(user: number): Float32Array {
    return this.values.data.subarray(this.seen.indptr[user], this.seen.indptr[user + 1]);
  }

  static override readonly saved: SavedForm<ALS> = {
    name: 'ALS',
    withoutSeen: 'users',
    describe: ({ options, factors }) => ({
      config: { ...options },
      tensors: factorTensors(factors),
    }),
    make: ({ plays }, config, tensors) => {
      const options = {
        factors: config.count('factors'),
        regularization: config.number('regularization'),
        alpha: config.number('alpha'),
        iterations: config.count('iterations'),
        cgSteps: config.count('cgSteps'),
        value: readValue(config),
        seed: config.isText('seed') ? config.text('seed') : config.number('seed'),
      };
      return new ALS(plays, { options, factors: readFactorTensors(tensors) });
    },
  };
}

/** The first columns of rows of `width`. */
function narrowed(values: Float32Array, width: number, columns: number): Float32Array {
  if (columns === width) return values;
  const rows = values.length / width;
  const out = float32(rows * columns);
  for (let r = 0; r < rows; r++)
    out.set(values.subarray(r * width, r * width + columns), r * columns);
  dispose(values);
  return out;
}

/** Entries that are handed to the kernel at once. */
const STAGED = 1 << 20;

/**
 * Solves for the rows of one side of ALS, by pieces: entries are copied to the shared memory a
 * million at a time, so that the matrix itself need not lie there.
 */
export class AlsSolver {
  private readonly indptr: Int32Array;
  private readonly indices: Int32Array;
  private readonly confidence: Float32Array;
  private readonly gram: Float32Array;
  private readonly scratch: Float32Array;

  /**
   * @param matrices both sides, whose rows are solved for in turn
   * @param options.width length of a row of factors, a multiple of 4; `staged`: entries of a piece,
   *   more if a row has more; default 2^20
   */
  constructor(
    matrices: readonly Csr[],
    private readonly options: Pick<ALSSettings, 'alpha' | 'regularization' | 'cgSteps'> & {
      width: number;
      staged?: number;
    },
  ) {
    const { width, staged = STAGED } = options;
    let most = staged;
    for (const { shape, indptr } of matrices)
      for (let r = 0; r < shape[0]; r++) most = Math.max(most, indptr[r + 1] - indptr[r]);
    most = Math.min(most, Math.max(...matrices.map((m) => m.indices.length)));
    this.indptr = int32(Math.max(...matrices.map((m) => m.shape[0])) + 1);
    this.indices = int32(most);
    this.confidence = float32(most);
    this.gram = float32(width * width);
    this.scratch = float32((MAX_THREADS * kernels().alsWorkspace(width)) / 4);
  }

  /**
   * One half of an iteration: better factors x of the rows of a matrix, the factors y of its
   * columns fixed.
   * @returns after each piece, so that others get a turn
   */
  *solve({ shape, indptr, indices, data }: Csr, x: Float32Array, y: Float32Array): Generator<void> {
    const { width, alpha, regularization, cgSteps } = this.options;
    const { gram, scratch, confidence } = this;
    const a = { values: y, rowStride: 1, columnStride: width };
    const [b, c] = [y, gram].map((values) => ({ values, rowStride: width }));
    matmul({ m: width, n: width, k: shape[1] }, { a, b, c }); // YᵀY
    for (let j = 0; j < width; j++) gram[j * width + j] += regularization;
    for (let from = 0; from < shape[0]; ) {
      let to = from + 1;
      while (to < shape[0] && indptr[to + 1] - indptr[from] <= this.indices.length) to++;
      const first = indptr[from];
      for (let r = from; r <= to; r++) this.indptr[r - from] = indptr[r] - first;
      this.indices.set(indices.subarray(first, indptr[to]));
      for (let j = first; j < indptr[to]; j++) confidence[j - first] = alpha * data[j];
      const start = x.byteOffset + 4 * from * width;
      const arrays = [this.indptr, this.indices, confidence, y, gram];
      const args = arrays.map(({ byteOffset }) => byteOffset);
      args.push(width, cgSteps, start, scratch.byteOffset);
      parallel('alsRows', to - from, args, { grain: 64 });
      from = to;
      yield;
    }
  }

  /** Gives its memory back. */
  dispose(): void {
    for (const array of [this.indptr, this.indices, this.confidence, this.gram, this.scratch])
      dispose(array);
  }
}
