import { readFileSync } from 'node:fs';
import { type AsyncSteps, interruptible, type Stop, stoppable } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { writeAtomically } from '../data/files/atomic-write.js';
import { isFile } from '../data/files/text-file.js';
import { Chart, display, sayInterrupted } from '../data/output.js';
import { checkedPart, fingerprint, type PlaysSplit } from '../data/splits.js';
import { Table } from '../data/table.js';
import {
  ArgumentError,
  DataError,
  InterruptedError,
  RecitalError,
  UnknownIdError,
} from '../errors.js';
import { checkNumber, checkOptions, checkRounds, isFunction, said, whatIs } from '../options.js';
import type { Recommender } from '../recommend/recommender.js';
import { HeldOut } from './held-out.js';
import {
  instead,
  isAccuracy,
  isGreaterBetter,
  isRecommender,
  type MetricName,
  metricColumns,
  type RankingMetric,
} from './parse.js';
import { rankHeldOut, valuesOf } from './rank.js';
import {
  checkSpace,
  drawSettings,
  type SearchRange,
  type SearchSettings,
  type SearchSpace,
  type SearchTrial,
  type TrialMaker,
} from './search-space.js';
import { meanOf } from './statistics.js';

/** Successive halving: many trials with a small budget, few with all of it. */
export interface HalvingOptions {
  /** Budget of the first round, e.g. epochs. */
  min: number;
  /** Budget of the last round. */
  max: number;
  /** Each round multiplies the budget and divides the number of trials by it; default 3. */
  eta?: number;
}

/** Options of {@link search}. */
export interface SearchOptions {
  /** Plays in parts, see {@link splitPlays}: trained on `train`, measured on `valid`. */
  split: PlaysSplit;
  /** Settings that are tried; default 20. */
  trials?: number;
  /**
   * What is maximised: an accuracy metric of {@link evaluate}, or one of your own (minimised if it
   * says `greater: false`); at 10 unless it has an `@`. Default 'ndcg@10'.
   */
  metric?: MetricName | RankingMetric;
  /** Seed of the draws, and of training; default 42. */
  seed?: number | string;
  /** Successive halving; default: every trial is trained once. */
  halving?: HalvingOptions;
  /**
   * Results file (JSON), written after every trial; if it exists, the search goes on where it
   * ended. Default: none.
   */
  file?: string;
}

/**
 * A random search for good settings: draws settings (Bergstra and Bengio, 2012), trains, measures
 * on validation. With `halving`, all trials get a small budget first, and the best third of them
 * three times as much, until the best have all of it (Jamieson and Talwalkar, 2016). Prints a line
 * for each trial.
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
  if (!isFunction(make))
    throw new ArgumentError(
      `search needs a function (settings, { train, seed }) => recommender, got ${typeof make === 'function' ? `the class ${(make as { name: string }).name}` : whatIs(make)}.`,
    );
  checkSpace(space);
  checkRounds(trials, 'trials');
  const [column] = metricColumns([metric], [10]);
  if (!isAccuracy(column))
    throw new ArgumentError(
      `"${column.name}" cannot be what a search makes large: random lists have more of it. Take 'ndcg@10', for instance.`,
    );
  checkedPart('search', split, 'valid');
  const identity = {
    space,
    metric: column.name,
    seed,
    split: fingerprint(split.train, split.valid!),
  };
  const done = file === undefined ? [] : readTrials(file, identity);
  const write = (trials: readonly SearchTrial[]): void => {
    if (file !== undefined) writeTrials(file, identity, trials);
  };
  write(done); // fails now rather than after the first training
  const heldOut = new HeldOut(split.train, split.valid!);
  const better = betterFirst(isGreaterBetter(column));

  async function* score(recommender: Recommender): AsyncSteps<number | undefined> {
    if (!isRecommender(recommender))
      throw new ArgumentError(`A trial must return a recommender, got ${instead(recommender)}.`);
    const ranked = yield* rankHeldOut(recommender, heldOut, { columns: [column], seed });
    if (!ranked) return undefined;
    const rows = Int32Array.from(ranked.known.keys()).filter((row) => ranked.known[row]);
    const catalogueSize = recommender.tracks.length;
    return meanOf(valuesOf(ranked, column, { heldOut, rows, catalogueSize }));
  }

  async function* run(): AsyncSteps<SearchResult<S>> {
    const results = [...done];
    const kept = new Map<number, { previous: Recommender; previousBudget: number }>();
    const rounds = roundsOf(trials, halving);
    let numbers = [...Array(trials).keys()];
    let stop: Stop | undefined;
    let firstError: unknown;
    for (const [r, { budget, keep }] of rounds.entries()) {
      const round: SearchTrial[] = [];
      for (const [i, trial] of numbers.entries()) {
        const before = done.find(
          (each) => each.trial === trial && each.budget === (budget ?? null),
        );
        if (before) {
          round.push(before);
          continue;
        }
        stop = yield;
        if (stop) break;
        const settings = drawSettings(space, new Random(seed).child('search').child(trial));
        const started = performance.now();
        let outcome: { score: number | null; error?: string };
        try {
          const previous = kept.get(trial) ?? { previous: undefined, previousBudget: 0 };
          const context = { train: split.train, seed, budget, ...previous };
          const recommender = await interruptible(() => make(settings, context));
          stop = yield;
          const reached = stop ? undefined : yield* score(recommender);
          if (reached === undefined) stop ??= yield;
          if (stop) break;
          outcome = { score: reached! };
          if (budget !== undefined)
            kept.set(trial, { previous: recommender, previousBudget: budget });
        } catch (error) {
          stop = yield;
          if (stop) break;
          firstError ??= error;
          outcome = { score: null, error: (error as Error).message ?? String(error) };
        }
        const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
        const result: SearchTrial = {
          trial,
          budget: budget ?? null,
          settings: settings as SearchTrial['settings'],
          seconds,
          ...outcome,
        };
        round.push(result);
        results.push(result);
        write(results);
        const best = results.filter((each) => each.budget === result.budget).sort(better)[0];
        const where = `${rounds.length > 1 ? `round ${r + 1} of ${rounds.length}, ` : ''}${i + 1} of ${numbers.length}`;
        display().text(`${where}: ${lineOf(result, column.name, best)}`);
      }
      if (stop) break;
      numbers = round
        .filter(({ score }) => score !== null)
        .sort(better)
        .slice(0, keep)
        .map(({ trial }) => trial)
        .sort((a, b) => a - b);
      for (const trial of kept.keys()) if (!numbers.includes(trial)) kept.delete(trial);
    }
    if (results.every(({ score }) => score === null)) {
      if (stop) throw new InterruptedError('Interrupted before a trial was done.');
      throw firstError;
    }
    if (stop)
      sayInterrupted(
        stop,
        `Interrupted after ${results.length} ${results.length === 1 ? 'training' : 'trainings'}.${file === undefined ? '' : ' The same call goes on with them.'}`,
      );
    const greater = isGreaterBetter(column);
    const interrupted = stop !== undefined;
    return new SearchResult({ trials: results, space, metric: column.name, greater, interrupted });
  }
  return stoppable(run());
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
  metric: string,
  best: SearchTrial,
): string {
  const written = (value: unknown): string =>
    typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
  const tried = Object.entries(settings).map(([name, value]) => `${name} ${written(value)}`);
  if (budget !== null) tried.push(`budget ${written(budget)}`);
  const rank = best.trial === trial ? ', the best so far' : ` (best ${best.score?.toFixed(4)})`;
  const outcome = score === null ? `failed: ${error}` : `${metric} ${score.toFixed(4)}${rank}`;
  return `${tried.join(', ')}: ${outcome}, ${seconds.toFixed(1)} s`;
}

/** More of the budget first, then the better score, then the earlier trial; failed ones last. */
function betterFirst(greater: boolean): (a: SearchTrial, b: SearchTrial) => number {
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

/**
 * What {@link search} returns: a table of its trials, the best first, those with the largest budget
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
   * Its metric on validation. It is the best of many, so expect less on other plays, and report the
   * metric on the test part.
   */
  readonly score: number;
  /** Name of the metric. */
  readonly metric: string;
  /** Every training, in the order of the table. */
  readonly trials: readonly SearchTrial[];
  /** Whether it was stopped before its end: the same call with the same file goes on. */
  readonly interrupted: boolean;
  private readonly space: S;

  constructor(parts: {
    trials: readonly SearchTrial[];
    space: S;
    metric: string;
    greater: boolean;
    interrupted: boolean;
  }) {
    const { metric, space, interrupted } = parts;
    const trials = [...parts.trials].sort(betterFirst(parts.greater));
    if (!trials.length || trials[0].score === null)
      throw new RecitalError('No trial is done, so there is nothing to choose from.');
    const [hasBudget, hasError] = [
      trials.some(({ budget }) => budget !== null),
      trials.some(({ error }) => error !== undefined),
    ];
    const table = Table.fromRows(
      trials.map(({ trial, budget, settings, score, seconds, error }) => ({
        trial,
        ...(hasBudget && { budget }),
        ...settings,
        [metric]: score,
        seconds,
        ...(hasError && { error: error ?? null }),
      })),
    );
    super(new Map(table.columnNames.map((name) => [name, table.column(name)])));
    this.best = trials[0].settings as SearchSettings<S>;
    this.score = trials[0].score;
    this.metric = metric;
    this.trials = trials;
    this.interrupted = interrupted;
    this.space = space;
  }

  /** Shows the metric over a setting, a point a trial, and returns the chart. */
  plot(setting: string): Chart {
    const { space, metric, score: best } = this;
    if (!Object.hasOwn(space, setting))
      throw new UnknownIdError('setting', setting, Object.keys(space));
    const range = space[setting];
    const x = Array.isArray(range)
      ? { type: 'nominal', sort: null, axis: { labelAngle: 0 } }
      : {
          type: 'quantitative',
          scale: (range as SearchRange).log ? { type: 'log' } : { zero: false },
        };
    const done = this.trials.filter(({ score }) => score !== null);
    const values = done.map(({ settings, score, budget }) => ({
      x: settings[setting],
      score,
      budget,
    }));
    const spec = {
      width: 480,
      height: 280,
      data: { values },
      mark: { type: 'circle', size: 70, opacity: 0.8 },
      encoding: {
        x: { field: 'x', title: setting, ...x },
        y: { field: 'score', type: 'quantitative', title: metric, scale: { zero: false } },
        ...(done.some(({ budget }) => budget !== null) && {
          color: { field: 'budget', type: 'ordinal', title: 'budget' },
        }),
        tooltip: [
          { field: 'x', title: setting },
          { field: 'score', title: metric, format: '.4f' },
        ],
      },
    };
    const chart = new Chart(
      spec,
      `${metric} by ${setting}`,
      `${metric} of ${done.length} trials by ${setting}; the best, ${Number(best.toPrecision(3))}, at ${String(this.best[setting])}.`,
    );
    display().chart(chart);
    return chart;
  }
}

/**
 * The trials of a results file that are done; none without a file. Failed ones are left out: they
 * are tried again.
 * @param identity what must be the same for trials to be of one search
 * @throws DataError for a file of something else or of another search, naming what differs
 */
function readTrials(file: string, identity: Readonly<Record<string, unknown>>): SearchTrial[] {
  if (!isFile(file)) return [];
  const refuse = (why: string): never => {
    throw new DataError(
      `"${file}" is not the results file of a search${why}. Choose another file, or delete this one.`,
    );
  };
  let content: { search?: Record<string, unknown>; trials?: unknown } | null = null;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    refuse(`: ${(error as Error).message}`);
  }
  const { search, trials } = content ?? {};
  if (typeof search !== 'object' || !search || !Array.isArray(trials) || !trials.every(isTrial))
    return refuse('');
  for (const [name, value] of Object.entries(identity)) {
    const [here, there] = [JSON.stringify(value), JSON.stringify(search[name])];
    if (here !== there)
      throw new DataError(
        `"${file}" is of another search: its ${name} is ${there}, here it is ${here}. Choose another file for this search.`,
      );
  }
  return trials.filter(({ score }) => score !== null);
}

/** Writes all trials, completely or not at all. */
function writeTrials(file: string, identity: object, trials: readonly SearchTrial[]): void {
  const lines = trials.map((trial) => JSON.stringify(trial)).join(',\n  ');
  writeAtomically(file, [
    Buffer.from(`{\n "search": ${JSON.stringify(identity)},\n "trials": [\n  ${lines}\n ]\n}\n`),
  ]);
}

function isTrial(value: unknown): value is SearchTrial {
  const { trial, budget, settings, score, seconds } = (value ?? {}) as SearchTrial;
  const isNumber = (x: unknown): boolean => x === null || Number.isFinite(x);
  const numbers = Number.isInteger(trial) && Number.isFinite(seconds);
  return (
    numbers && isNumber(budget) && isNumber(score) && typeof settings === 'object' && !!settings
  );
}
