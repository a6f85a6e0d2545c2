import { readFileSync } from 'node:fs';
import { InterruptGuard, interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { Chart, display, sayInterrupted } from '../data/display.js';

import { writeAtomically } from '../data/files/atomic-write.js';
import { isFile } from '../data/files/text-file.js';
import type { Plays } from '../data/plays.js';
import { checkedPart, fingerprint, type PlaysSplit } from '../data/splits.js';
import { type Cell, Table } from '../data/table.js';
import {
  ArgumentError,
  DataError,
  InterruptedError,
  RecitalError,
  UnknownIdError,
} from '../errors.js';
import { checkNumber, checkOptions, checkRounds, said, whatIs } from '../options.js';
import { Recommender } from '../recommend/recommender.js';
import { ranking } from './evaluate.js';
import { HeldOut } from './held-out.js';
import {
  isAccuracy,
  isGreaterBetter,
  type MetricColumn,
  type MetricName,
  metricColumns,
  type RankingMetric,
} from './parse.js';
import { valuesOf } from './rank.js';
import { meanOf } from './statistics.js';

/**
 * A value that a search can choose: one that a results file can hold.
 * @example const factors: readonly SearchChoice[] = [16, 32, 64];
 */
export type SearchChoice = string | number | boolean | null;

/**
 * Numbers from `min` to `max`, both included.
 * @example const lr: SearchRange = { min: 1e-4, max: 1e-1, log: true };
 */
export interface SearchRange {
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
  /**
   * Draw the logarithm evenly, so that 0.001 … 0.01 comes as often as 0.1 … 1: for rates and
   * weights. Default false.
   */
  readonly log?: boolean;
  /** Whole numbers only; default false. */
  readonly int?: boolean;
}

/** What to try for each setting: choices, or a range. */
export type SearchSpace = Readonly<Record<string, readonly SearchChoice[] | SearchRange>>;

/** A value for each setting of a space. */
export type SearchSettings<S extends SearchSpace> = {
  [K in keyof S]: S[K] extends readonly (infer V)[] ? V : number;
};

/** Throws ArgumentError unless something can be drawn from every setting of the space. */
export function checkSpace(space: SearchSpace): void {
  if (
    typeof space !== 'object' ||
    space === null ||
    Array.isArray(space) ||
    Object.keys(space).length === 0
  ) {
    throw new ArgumentError(
      `A space is an object, such as { factors: [16, 32], lr: { min: 1e-4, max: 0.1, log: true } }, got ${whatIs(space)}.`,
    );
  }
  for (const [name, each] of Object.entries(space)) {
    if (Array.isArray(each)) {
      if (each.length === 0) throw new ArgumentError(`"${name}" has no choice. Give at least one.`);
      const odd = each.find(
        (value) =>
          !(
            value === null ||
            typeof value === 'string' ||
            typeof value === 'boolean' ||
            Number.isFinite(value)
          ),
      );
      if (odd !== undefined || each.includes(undefined)) {
        throw new ArgumentError(
          `Choices are numbers, texts, booleans or null, but "${name}" has ${whatIs(odd)}. Choose by a name, and look the value up.`,
        );
      }
      continue;
    }
    if (typeof each !== 'object' || each === null)
      throw new ArgumentError(
        `"${name}" must be an array of choices or a range { min, max }, got ${whatIs(each)}.`,
      );
    checkOptions(each as SearchRange, ['min', 'max', 'log', 'int'], `the range "${name}"`);
    const { min, max, log = false, int = false } = each as SearchRange;
    if (!(Number.isFinite(min) && Number.isFinite(max) && min <= max))
      throw new ArgumentError(
        `"${name}" needs numbers min ≤ max, got ${said(min)} and ${said(max)}.`,
      );
    if (log && !(min > 0))
      throw new ArgumentError(
        `"${name}" is logarithmic, so min must be more than 0, got ${said(min)}.`,
      );
    if (int && !(Number.isInteger(min) && Number.isInteger(max)))
      throw new ArgumentError(
        `"${name}" takes whole numbers, so min and max must be whole, got ${said(min)} and ${said(max)}.`,
      );
  }
}

/** Draws each setting, by a stream of its own name: a setting more does not change the others. */
export function drawSettings<S extends SearchSpace>(space: S, random: Random): SearchSettings<S> {
  const drawn = Object.entries(space).map(([name, each]) => {
    const own = random.child(name);
    return [
      name,
      Array.isArray(each)
        ? (each as readonly SearchChoice[])[own.int(each.length)]
        : inRange(each as SearchRange, own),
    ];
  });
  return Object.fromEntries(drawn) as SearchSettings<S>;
}

function inRange({ min, max, log = false, int = false }: SearchRange, random: Random): number {
  // Each whole number has an interval of its own, of width 1.
  const [low, high] = int ? [min, max + 1] : [min, max];
  const u = random.uniform();
  const x = log
    ? Math.exp(Math.log(low) + u * (Math.log(high) - Math.log(low)))
    : low + u * (high - low);
  return Math.min(max, Math.max(min, int ? Math.floor(x) : x));
}

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

/** What a {@link SearchResult} is made from. */
export interface SearchResultParts<S extends SearchSpace> {
  readonly trials: readonly SearchTrial[];
  readonly space: S;
  readonly metric: string;
  /** Whether more of it is better. */
  readonly greater: boolean;
  /** Whether it was stopped before its end. */
  readonly interrupted: boolean;
}

/**
 * What {@link search} returns: a table of its trials, the best first, those with most of the budget
 * before all others.
 * @example
 * const found = await search(({ factors }, { train }) => ALS.fit(train, { factors }), { factors: [4, 8] }, { split, trials: 2 });
 * found.best; // the settings with the best score
 * found.plot('factors');
 */
export class SearchResult<S extends SearchSpace = SearchSpace> extends Table {
  /** The settings of the best trial. */
  readonly best: SearchSettings<S>;
  /**
   * Its metric on validation. It is the best of many: on other plays expect less, and report what
   * the test part says.
   */
  readonly score: number;
  /** Name of the metric. */
  readonly metric: string;
  /** Every training, in the order of the table. */
  readonly trials: readonly SearchTrial[];
  /** Whether it was stopped before its end: the same call with the same file goes on. */
  readonly interrupted: boolean;
  private readonly space: S;

  constructor({ trials, space, metric, greater, interrupted }: SearchResultParts<S>) {
    const sorted = [...trials].sort(betterFirst(greater));
    if (!sorted.length || sorted[0].score === null)
      throw new RecitalError('No trial is done, so there is nothing to choose from.');
    const table = Table.fromRows(sorted.map((trial) => rowOf(trial, metric, trials)));
    super(new Map(table.columnNames.map((name) => [name, table.column(name)])));
    this.best = sorted[0].settings as SearchSettings<S>;
    this.score = sorted[0].score;
    this.metric = metric;
    this.trials = sorted;
    this.interrupted = interrupted;
    this.space = space;
  }

  /** Shows the metric over a setting, a point a trial, and returns the chart. */
  plot(setting: string): Chart {
    if (!Object.hasOwn(this.space, setting))
      throw new UnknownIdError('setting', setting, Object.keys(this.space));
    const range = this.space[setting];
    const isRange = !Array.isArray(range);
    const log = isRange && 'log' in range && range.log === true;
    const done = this.trials.filter(({ score }) => score !== null);
    const chart = new Chart(
      {
        width: 480,
        height: 280,
        data: {
          values: done.map(({ settings, score, budget }) => ({
            x: settings[setting],
            score,
            budget,
          })),
        },
        mark: { type: 'circle', size: 70, opacity: 0.8 },
        encoding: {
          x: isRange
            ? {
                field: 'x',
                type: 'quantitative',
                title: setting,
                scale: log ? { type: 'log' } : { zero: false },
              }
            : { field: 'x', type: 'nominal', title: setting, sort: null, axis: { labelAngle: 0 } },
          y: { field: 'score', type: 'quantitative', title: this.metric, scale: { zero: false } },
          ...(done.some(({ budget }) => budget !== null) && {
            color: { field: 'budget', type: 'ordinal', title: 'budget' },
          }),
          tooltip: [
            { field: 'x', title: setting },
            { field: 'score', title: this.metric, format: '.4f' },
          ],
        },
      },
      `${this.metric} by ${setting}`,
      `${this.metric} of ${done.length} trials by ${setting}; the best, ${Number(this.score.toPrecision(3))}, at ${String(this.best[setting])}.`,
    );
    display().chart(chart);
    return chart;
  }
}

/**
 * More of the budget first, then the better score, then the earlier trial; failed ones at the end.
 */
export function betterFirst(greater: boolean): (a: SearchTrial, b: SearchTrial) => number {
  return (a, b) => {
    if (a.score === null || b.score === null)
      return Number(a.score === null) - Number(b.score === null) || a.trial - b.trial;
    return (
      (b.budget ?? 0) - (a.budget ?? 0) ||
      (greater ? b.score - a.score : a.score - b.score) ||
      a.trial - b.trial
    );
  };
}

function rowOf(
  { trial, budget, settings, score, seconds, error }: SearchTrial,
  metric: string,
  all: readonly SearchTrial[],
): Record<string, Cell> {
  return {
    trial,
    ...(all.some((each) => each.budget !== null) && { budget }),
    ...settings,
    [metric]: score,
    seconds,
    ...(all.some((each) => each.error !== undefined) && { error: error ?? null }),
  };
}

/**
 * One training of a search.
 * @example
 * const found = await search(({ factors }, { train }) => ALS.fit(train, { factors }), { factors: [4, 8] }, { split, trials: 2 });
 * found.trials.map((trial) => trial.score);
 */
export interface SearchTrial {
  /** Its number, from 0: which settings were drawn. */
  readonly trial: number;
  /** What it was given of the budget; null without one. */
  readonly budget: number | null;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** The metric on validation; null if it failed. */
  readonly score: number | null;
  readonly seconds: number;
  /** Why it failed. */
  readonly error?: string;
}

/** What must be the same for trials to be of one search. */
export type SearchIdentity = Readonly<Record<'space' | 'metric' | 'seed' | 'split', unknown>>;

/**
 * The trials of a results file that are done; none if there is no file. Failed ones are left out:
 * they are tried again.
 * @throws DataError for a file of something else, and for one of another search, naming what
 *   differs
 */
export function readTrials(file: string, identity: SearchIdentity): SearchTrial[] {
  if (!isFile(file)) return [];
  let content: { search?: Record<string, unknown>; trials?: unknown };
  try {
    content = JSON.parse(readFileSync(file, 'utf8')) as typeof content;
  } catch (error) {
    throw new DataError(
      `"${file}" is not the results file of a search: ${(error as Error).message}. Choose another file, or delete this one.`,
    );
  }
  const { search, trials } = content ?? {};
  if (
    typeof search !== 'object' ||
    search === null ||
    !Array.isArray(trials) ||
    !trials.every(isTrial)
  ) {
    throw new DataError(
      `"${file}" is not the results file of a search. Choose another file, or delete this one.`,
    );
  }
  for (const [name, value] of Object.entries(identity)) {
    const [here, there] = [JSON.stringify(value), JSON.stringify(search[name])];
    if (here !== there)
      throw new DataError(
        `"${file}" is of another search: its ${name} is ${there}, here it is ${here}. Choose another file for this search.`,
      );
  }
  return trials.filter(({ score }) => score !== null);
}

/** Writes all trials, as a whole or not at all. */
export function writeTrials(
  file: string,
  identity: SearchIdentity,
  trials: readonly SearchTrial[],
): void {
  const lines = trials.map((trial) => JSON.stringify(trial)).join(',\n  ');
  writeAtomically(file, [
    Buffer.from(`{\n "search": ${JSON.stringify(identity)},\n "trials": [\n  ${lines}\n ]\n}\n`),
  ]);
}

function isTrial(value: unknown): value is SearchTrial {
  const { trial, budget, settings, score, seconds } = (value ?? {}) as SearchTrial;
  return (
    Number.isInteger(trial) &&
    (budget === null || Number.isFinite(budget)) &&
    typeof settings === 'object' &&
    settings !== null &&
    (score === null || Number.isFinite(score)) &&
    Number.isFinite(seconds)
  );
}
