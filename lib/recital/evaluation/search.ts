import { InterruptGuard, interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { display, sayInterrupted } from '../data/display.js';
import type { Plays } from '../data/plays.js';
import { checkedPart, fingerprint, type PlaysSplit } from '../data/plays-split.js';
import { ArgumentError, InterruptedError } from '../errors.js';
import { checkNumber, checkOptions, checkRounds, said, whatIs } from '../options.js';
import { Recommender } from '../recommend/recommender.js';
import { meanOf } from './bootstrap.js';
import { ranking } from './evaluate-one.js';
import { HeldOut } from './held-out.js';
import { valuesOf } from './measured.js';
import {
  isAccuracy,
  isGreaterBetter,
  type MetricColumn,
  type MetricName,
  metricColumns,
  type RankingMetric,
} from './metric-names.js';
import { readTrials, type SearchIdentity, type SearchTrial, writeTrials } from './search-file.js';
import { betterFirst, SearchResult } from './search-result.js';
import { checkSpace, drawSettings, type SearchSettings, type SearchSpace } from './search-space.js';

/** What a trial is given besides its settings. */
export interface TrialContext {
  /** Plays to train on. */
  readonly train: Plays;
  /** The seed of the search, the same for all trials: settings are compared, not seeds. */
  readonly seed: number | string;
  /** With halving: how much to train in all, e.g. epochs; else undefined. */
  readonly budget: number | undefined;
  /**
   * With halving: the recommender of the same trial that has had `previousBudget`, for models that
   * can be trained on; undefined at first, and after a resumption.
   */
  readonly previous: Recommender | undefined;
  /** What `previous` has had; 0 without it. */
  readonly previousBudget: number;
}

/** Makes the recommender of a trial. */
export type TrialMaker<S extends SearchSpace> = (
  settings: SearchSettings<S>,
  context: TrialContext,
) => Recommender | Promise<Recommender>;

/** Successive halving: many trials with little of the budget, few with all of it. */
export interface HalvingOptions {
  /** Budget of the first round, e.g. epochs. */
  min: number;
  /** Budget of the last one. */
  max: number;
  /**
   * From round to round the budget is multiplied by it, and the number of trials divided; default
   * 3.
   */
  eta?: number;
}

/** Options of {@link search}. */
export interface SearchOptions {
  /**
   * Plays in parts, see {@link splitPlays}: trained on `train`, chosen by `valid`. `test` stays
   * untouched.
   */
  split: PlaysSplit;
  /** Settings that are tried; default 20. */
  trials?: number;
  /**
   * What is made large: a metric of right and wrong, as {@link evaluate} names them, or one of your
   * own (made small if it says `greater: false`); without `@` at 10. Default 'ndcg@10'. Equal
   * scores count as {@link evaluate} counts them.
   */
  metric?: MetricName | RankingMetric;
  /** Seed of the draws, and of training; default 42. */
  seed?: number | string;
  /** Successive halving; default: every trial is trained once. */
  halving?: HalvingOptions;
  /**
   * Results file (JSON), written after every trial; if it is there, the search goes on where it
   * ended. Default: none.
   */
  file?: string;
}

/**
 * Looks for good settings: draws them at random (Bergstra and Bengio, 2012), trains, measures on
 * validation. With `halving`, trials get a small budget first, and the best third of them three
 * times as much, until the best have all (Jamieson and Talwalkar, 2016). Prints a line for each
 * trial.
 *
 * Ctrl-C stops it and returns the trials that are done; a trial that fails is reported, and the
 * search goes on. The n-th trial is the same whatever the number of trials, so a search with a file
 * can be continued with more.
 * @param make trains a recommender with some settings
 * @param space what to try: choices, or ranges
 * @example
 * const found = await search(({ factors, alpha }, { train, seed }) => ALS.fit(train, { factors, alpha, seed }),
 *   { factors: [16, 32, 64], alpha: { min: 1, max: 40, log: true } }, { split, trials: 10 });
 * found.best // { factors: 32, alpha: 12.3 }
 */
export async function search<S extends SearchSpace>(
  make: TrialMaker<S>,
  space: S,
  options: SearchOptions,
): Promise<SearchResult<S>> {
  checkOptions(options, ['split', 'trials', 'metric', 'seed', 'halving', 'file'], 'search');
  const { split, trials = 20, metric = 'ndcg@10', seed = 42, halving, file } = options;
  if (typeof make !== 'function')
    throw new ArgumentError(
      `search needs a function (settings, { train, seed }) => recommender, got ${whatIs(make)}.`,
    );
  if (make.prototype instanceof Recommender)
    throw new ArgumentError(
      `search needs a function (settings, { train, seed }) => recommender, got the class ${make.name}.`,
    );
  checkSpace(space);
  checkRounds(trials, 'trials');
  const [column] = metricColumns([metric], [10]);
  if (!isAccuracy(column))
    throw new ArgumentError(
      `"${column.name}" cannot be what a search makes large: random lists have more of it. Take 'ndcg@10', for instance.`,
    );
  checkedPart('search', split, 'valid');
  const greater = isGreaterBetter(column);
  const better = betterFirst(greater);
  const rounds = roundsOf(trials, halving);
  const identity: SearchIdentity = {
    space,
    metric: column.name,
    seed,
    split: fingerprint(split.train, split.valid!),
  };
  const done = file === undefined ? [] : readTrials(file, identity);
  if (file !== undefined) writeTrials(file, identity, done); // fails now rather than after the first training
  const guard = new InterruptGuard();
  const run = new Run(make, { split, column, seed, guard });
  const results = [...done];
  let errors = 0;
  let firstError: unknown;
  let interrupted = false;
  try {
    let numbers = Array.from({ length: trials }, (_, i) => i);
    for (const [r, { budget, keep }] of rounds.entries()) {
      const round: SearchTrial[] = [];
      for (const [i, trial] of numbers.entries()) {
        const settings = drawSettings(space, new Random(seed).child('search').child(trial));
        let result = done.find((each) => each.trial === trial && each.budget === (budget ?? null));
        if (!result) {
          const started = performance.now();
          const outcome = (await guard.turn())
            ? undefined
            : await run.trial(trial, settings, budget);
          if (!outcome) {
            interrupted = true;
            break;
          }
          const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
          if (outcome.error !== undefined && errors++ === 0) firstError = outcome.error;
          const error =
            outcome.error === undefined
              ? {}
              : { error: (outcome.error as Error).message ?? String(outcome.error) };
          result = {
            trial,
            budget: budget ?? null,
            settings: settings as SearchTrial['settings'],
            score: outcome.score,
            seconds,
            ...error,
          };
          results.push(result);
          if (file !== undefined) writeTrials(file, identity, results);
          const best = results.filter((each) => each.budget === result!.budget).sort(better)[0];
          display().text(
            lineOf(result, {
              of: `${i + 1} of ${numbers.length}`,
              round: rounds.length > 1 ? `round ${r + 1} of ${rounds.length}, ` : '',
              metric: column.name,
              best,
            }),
          );
        }
        round.push(result);
      }
      if (interrupted) break;
      numbers = round
        .filter(({ score }) => score !== null)
        .sort(better)
        .slice(0, keep)
        .map(({ trial }) => trial)
        .sort((a, b) => a - b);
      run.keepOnly(numbers);
    }
    if (interrupted && results.every(({ score }) => score === null))
      throw new InterruptedError('Interrupted before a trial was done.');
    const next = file === undefined ? '' : ' The same call goes on with them.';
    if (interrupted)
      sayInterrupted(
        guard,
        `Interrupted after ${results.length} ${results.length === 1 ? 'training' : 'trainings'}.${next}`,
      );
  } finally {
    guard.stop();
  }
  if (firstError !== undefined && results.every(({ score }) => score === null)) throw firstError;
  return new SearchResult({ trials: results, space, metric: column.name, greater, interrupted });
}

/** Trains and measures, and keeps recommenders that may be trained on. */
class Run<S extends SearchSpace> {
  private readonly heldOut: HeldOut;
  private readonly kept = new Map<number, { recommender: Recommender; budget: number }>();

  constructor(
    private readonly make: TrialMaker<S>,
    private readonly of: {
      split: PlaysSplit;
      column: MetricColumn;
      seed: number | string;
      guard: InterruptGuard;
    },
  ) {
    this.heldOut = new HeldOut(of.split.train, of.split.valid!);
  }

  /** Undefined if it was interrupted. */
  async trial(
    trial: number,
    settings: SearchSettings<S>,
    budget: number | undefined,
  ): Promise<{ score: number | null; error?: unknown } | undefined> {
    const { split, column, seed, guard } = this.of;
    try {
      const before = this.kept.get(trial);
      const context = {
        train: split.train,
        seed,
        budget,
        previous: before?.recommender,
        previousBudget: before?.budget ?? 0,
      };
      const recommender = await interruptible(() => this.make(settings, context));
      if (await guard.turn()) return undefined;
      if (typeof recommender?.scores !== 'function' || !recommender.seen)
        throw new ArgumentError(`A trial must return a recommender, got ${whatIs(recommender)}.`);
      const ranked = await ranking(recommender, {
        split,
        on: 'valid',
        heldOut: this.heldOut,
        columns: [column],
        seed,
        guard,
      });
      if (!ranked) return undefined;
      if (budget !== undefined) this.kept.set(trial, { recommender, budget });
      const rows = Int32Array.from(this.heldOut.users.keys()).filter((row) => ranked.known[row]);
      const score = meanOf(
        valuesOf(ranked, column, {
          heldOut: this.heldOut,
          rows,
          catalogueSize: recommender.tracks.length,
        }),
      );
      return { score };
    } catch (error) {
      if (await guard.turn()) return undefined;
      return { score: null, error };
    }
  }

  /** Lets go of the recommenders of other trials. */
  keepOnly(trials: readonly number[]): void {
    for (const trial of this.kept.keys()) if (!trials.includes(trial)) this.kept.delete(trial);
  }
}

/** The budget of each round, and how many trials go on after it. */
function roundsOf(
  trials: number,
  halving: HalvingOptions | undefined,
): { budget: number | undefined; keep: number }[] {
  if (!halving) return [{ budget: undefined, keep: 0 }];
  checkOptions(halving, ['min', 'max', 'eta'], 'halving');
  const { min, max, eta = 3 } = halving;
  if (!([min, max].every(Number.isFinite) && min > 0 && max >= min))
    throw new ArgumentError(`halving needs 0 < min ≤ max, got ${said(min)} and ${said(max)}.`);
  checkNumber(eta, eta > 1 && eta < Infinity, 'eta must be more than 1');
  const rounds: { budget: number; keep: number }[] = [];
  const whole = Number.isInteger(min) && Number.isInteger(max);
  let left = trials;
  for (let budget = min; ; budget *= eta) {
    left = Math.max(1, Math.floor(left / eta));
    const last = budget * (1 + 1e-9) >= max;
    rounds.push({ budget: last ? max : whole ? Math.round(budget) : budget, keep: left });
    if (last) return rounds;
  }
}

function lineOf(
  { trial, budget, settings, score, seconds, error }: SearchTrial,
  { of, round, metric, best }: { of: string; round: string; metric: string; best: SearchTrial },
): string {
  const written = (value: unknown): string =>
    typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
  const tried = Object.entries(settings).map(([name, value]) => `${name} ${written(value)}`);
  const outcome =
    score === null
      ? `failed: ${error}`
      : `${metric} ${score.toFixed(4)}${best.trial === trial ? ', the best so far' : ` (best ${best.score?.toFixed(4)})`}`;
  return `${round}${of}: ${tried.join(', ')}${budget === null ? '' : `, budget ${written(budget)}`}: ${outcome}, ${seconds.toFixed(1)} s`;
}
