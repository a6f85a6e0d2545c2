import { readFileSync } from 'node:fs';
import { type AsyncSteps, interruptible, type Stop, stoppable } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { writeAtomically } from '../data/files/atomic-write.js';
import { isFile } from '../data/files/text-file.js';
import { Chart, display, sayInterrupted } from '../data/output.js';
import type { Plays } from '../data/plays.js';
import { checkedPart, fingerprint, type PlaysSplit } from '../data/splits.js';
import { Table } from '../data/table.js';
import { ArgumentError, DataError, InterruptedError, UnknownIdError } from '../errors.js';
import { checkOptions, checkRounds, isFunction, isObject, said, whatIs } from '../options.js';
import type { Recommender } from '../recommend/recommender.js';
import { instead, isRecommender } from './candidates.js';
import { HeldOut } from './held-out.js';
import {
  isAccuracy,
  isGreaterBetter,
  type MetricName,
  metricColumns,
  type RankingMetric,
} from './metric-columns.js';
import { rankHeldOut, valuesOf } from './rank-held-out.js';
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
  /** The least value. */
  readonly min: number;
  /** The largest value. */
  readonly max: number;
  /** Draw the logarithm uniformly, for learning rates and weights; default false. */
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

/** What a trial is given besides its settings. */
export interface TrialContext {
  /** Plays to train on. */
  readonly train: Plays;
  /** The seed of the search, the same for all trials: settings are compared, not seeds. */
  readonly seed: number | string;
}

/** Makes the recommender of a trial. */
export type TrialMaker<S extends SearchSpace> = (
  settings: SearchSettings<S>,
  context: TrialContext,
) => Recommender | Promise<Recommender>;

/**
 * One training of a search.
 * @example
 * const found = await search(({ factors }, { train }) => ALS.fit(train, { factors }), { factors: [4, 8] }, { split, trials: 2 });
 * found.trials.map((trial) => trial.score);
 */
export interface SearchTrial {
  /** Its number, from 0: which settings were drawn. */
  readonly trial: number;
  /** The settings that were tried, by name. */
  readonly settings: Readonly<Record<string, SearchChoice>>;
  /** The metric on validation; null if it failed. */
  readonly score: number | null;
  /** Time of its training and evaluation, in seconds. */
  readonly seconds: number;
  /** Why it failed. */
  readonly error?: string;
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
  /**
   * Results file (JSON), written after every trial; if it exists, the search goes on where it
   * ended. Default: none.
   */
  file?: string;
}

/**
 * A random search for good settings: draws settings (Bergstra and Bengio, 2012), trains, measures
 * on validation. Prints a line for each trial.
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
  checkOptions(options, ['split', 'trials', 'metric', 'seed', 'file'], 'search');
  const { split, trials = 20, metric = 'ndcg@10', seed = 42, file } = options;
  if (!isFunction(make))
    throw new ArgumentError(
      `search needs a function (settings, { train, seed }) => recommender, got ${whatIs(make)}.`,
    );
  checkSpace(space);
  checkRounds(trials, 'trials');
  const [column] = metricColumns([metric], [10]);
  const greater = isGreaterBetter(column);
  if (!isAccuracy(column))
    throw new ArgumentError(
      `"${column.name}" cannot be what a search makes large: random lists have more of it. Take 'ndcg@10', for instance.`,
    );
  checkedPart('search', split, 'valid');
  const parts = fingerprint(split.train, split.valid!);
  const identity = { space, metric: column.name, seed, split: parts };
  const results = file === undefined ? [] : readTrials(file, identity);
  const done = new Set(results.map(({ trial }) => trial));
  const write = (): void => {
    if (file !== undefined) writeTrials(file, identity, results);
  };
  write(); // fails now rather than after the first training
  const heldOut = new HeldOut(split.train, split.valid!);
  /** The better score first, then the earlier trial; failed ones last. */
  const better = (a: SearchTrial, b: SearchTrial): number =>
    Number(a.score === null) - Number(b.score === null) ||
    (greater ? b.score! - a.score! : a.score! - b.score!) ||
    a.trial - b.trial;

  async function* scoreOf(recommender: Recommender): AsyncSteps<number | undefined> {
    if (!isRecommender(recommender))
      throw new ArgumentError(`A trial must return a recommender, got ${instead(recommender)}.`);
    const ranked = yield* rankHeldOut(recommender, heldOut, { columns: [column], seed });
    if (!ranked) return undefined;
    const rows = Int32Array.from(ranked.known.keys()).filter((row) => ranked.known[row]);
    const catalogueSize = recommender.tracks.length;
    return meanOf(valuesOf(ranked, column, { heldOut, rows, catalogueSize }));
  }

  async function* run(): AsyncSteps<SearchResult<S>> {
    let stop: Stop | undefined;
    let firstError: unknown;
    for (let trial = 0; trial < trials; trial++) {
      if (done.has(trial)) continue;
      stop = yield;
      if (stop) break;
      const settings = drawSettings(space, new Random(seed).child('search').child(trial));
      const started = performance.now();
      let outcome: Pick<SearchTrial, 'score' | 'error'>;
      try {
        const recommender = await interruptible(() => make(settings, { train: split.train, seed }));
        stop = yield;
        const score = stop ? undefined : yield* scoreOf(recommender);
        if (score === undefined) stop ??= yield;
        if (stop) break;
        outcome = { score: score! };
      } catch (error) {
        stop = yield;
        if (stop) break;
        firstError ??= error;
        outcome = { score: null, error: (error as Error).message ?? String(error) };
      }
      const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
      const result = { trial, settings, seconds, ...outcome } as SearchTrial;
      results.push(result);
      write();
      const best = [...results].sort(better)[0];
      display().text(`${trial + 1} of ${trials}: ${lineOf(result, column.name, best)}`);
    }
    if (results.every(({ score }) => score === null)) {
      if (stop) throw new InterruptedError('Interrupted before a trial was done.');
      throw firstError;
    }
    const after = `${results.length} ${results.length === 1 ? 'training' : 'trainings'}`;
    const then = file === undefined ? '' : ' The same call goes on with them.';
    if (stop) sayInterrupted(stop, `Interrupted after ${after}.${then}`);
    return new SearchResult(results.sort(better), space, column.name, stop !== undefined);
  }
  return stoppable(run());
}

function lineOf(
  { settings, score, seconds, error, trial }: SearchTrial,
  metric: string,
  best: SearchTrial,
): string {
  const tried = Object.entries(settings).map(
    ([name, value]) =>
      `${name} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`,
  );
  const rank = best.trial === trial ? ', the best so far' : ` (best ${best.score?.toFixed(4)})`;
  const outcome = score === null ? `failed: ${error}` : `${metric} ${score.toFixed(4)}${rank}`;
  return `${tried.join(', ')}: ${outcome}, ${seconds.toFixed(1)} s`;
}

/**
 * What {@link search} returns: a table of its trials, the best first.
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

  /**
   * @param trials every training, the best first
   * @param metric its name
   * @param interrupted whether it was stopped before its end: the same call with the same file
   *   goes on
   */
  constructor(
    readonly trials: readonly SearchTrial[],
    private readonly space: S,
    readonly metric: string,
    readonly interrupted: boolean,
  ) {
    const hasError = trials.some(({ error }) => error !== undefined);
    const table: Table = Table.fromRows(
      trials.map(({ trial, settings, score, seconds, error }) => ({
        trial,
        ...settings,
        [metric]: score,
        seconds,
        ...(hasError && { error: error ?? null }),
      })),
    );
    super(new Map(table.columnNames.map((name) => [name, table.column(name)])));
    this.best = trials[0].settings as SearchSettings<S>;
    this.score = trials[0].score!;
  }

  /** Shows the metric over a setting, a point per trial, and returns the chart. */
  plot(setting: string): Chart {
    const { space, metric, score: best } = this;
    if (!Object.hasOwn(space, setting))
      throw new UnknownIdError('setting', setting, Object.keys(space));
    const range = space[setting];
    const scale = (range as SearchRange).log ? { type: 'log' } : { zero: false };
    const x = Array.isArray(range)
      ? { type: 'nominal', sort: null, axis: { labelAngle: 0 } }
      : { type: 'quantitative', scale };
    const done = this.trials.filter(({ score }) => score !== null);
    const spec = {
      width: 480,
      height: 280,
      data: { values: done.map(({ settings, score }) => ({ x: settings[setting], score })) },
      mark: { type: 'circle', size: 70, opacity: 0.8 },
      encoding: {
        x: { field: 'x', title: setting, ...x },
        y: { field: 'score', type: 'quantitative', title: metric, scale: { zero: false } },
        tooltip: [
          { field: 'x', title: setting },
          { field: 'score', title: metric, format: '.4f' },
        ],
      },
    };
    const alt = `${metric} of ${done.length} trials by ${setting}; the best, ${Number(best.toPrecision(3))}, at ${String(this.best[setting])}.`;
    const chart = new Chart(spec, `${metric} by ${setting}`, alt);
    display().chart(chart);
    return chart;
  }
}

/** Throws ArgumentError unless something can be drawn for every setting of the space. */
export function checkSpace(space: SearchSpace): void {
  if (!isObject(space) || Object.keys(space).length === 0)
    throw new ArgumentError(
      `A space is an object, such as { factors: [16, 32], lr: { min: 1e-4, max: 0.1, log: true } }, got ${whatIs(space)}.`,
    );
  for (const [name, each] of Object.entries(space)) {
    if (Array.isArray(each)) checkChoices(name, each);
    else if (isObject(each)) checkRange(name, each as SearchRange);
    else
      throw new ArgumentError(
        `"${name}" must be an array of choices or a range { min, max }, got ${whatIs(each)}.`,
      );
  }
}

function checkChoices(name: string, choices: readonly unknown[]): void {
  if (choices.length === 0) throw new ArgumentError(`"${name}" has no choice. Give at least one.`);
  for (const value of choices)
    if (!(['string', 'boolean'].includes(typeof value) || isNumberOrNull(value)))
      throw new ArgumentError(
        `Choices are numbers, texts, booleans or null, but "${name}" has ${whatIs(value)}. Choose by a name, and look the value up.`,
      );
}

function checkRange(name: string, range: SearchRange): void {
  checkOptions(range, ['min', 'max', 'log', 'int'], `the range "${name}"`);
  const { min, max, log = false, int = false } = range;
  const all = (fits: (x: unknown) => boolean): boolean => fits(min) && fits(max);
  let wrong = '';
  if (!all(Number.isFinite) || min > max) wrong = 'needs numbers min ≤ max';
  else if (log && min <= 0) wrong = 'is logarithmic, so min must be more than 0';
  else if (int && !all(Number.isInteger))
    wrong = 'takes whole numbers, so min and max must be whole';
  if (wrong)
    throw new ArgumentError(`"${name}" ${wrong}, got min ${said(min)} and max ${said(max)}.`);
}

/** Draws each setting from a stream of its own: a further setting does not change the others. */
export function drawSettings<S extends SearchSpace>(space: S, random: Random): SearchSettings<S> {
  const drawn = Object.entries(space).map(([name, each]) => {
    const own = random.child(name);
    if (Array.isArray(each)) return [name, each[own.int(each.length)]];
    const { min, max, log = false, int = false } = each as SearchRange;
    const [low, high] = int ? [min, max + 1] : [min, max]; // each whole number has width 1
    const u = own.uniform();
    const x = log
      ? Math.exp(Math.log(low) + u * (Math.log(high) - Math.log(low)))
      : low + u * (high - low);
    return [name, Math.min(max, Math.max(min, int ? Math.floor(x) : x))];
  });
  return Object.fromEntries(drawn) as SearchSettings<S>;
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
  if (!isObject(search) || !Array.isArray(trials) || !trials.every(isTrial)) return refuse('');
  for (const [name, value] of Object.entries(identity)) {
    const [here, there] = [value, search[name]].map((each) => JSON.stringify(each));
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

/** Earlier files have a budget, too: null where the trial was trained in full. */
function isTrial(value: unknown): value is SearchTrial {
  const { trial, budget = null, settings, score, seconds } = Object(value);
  const numbers = Number.isInteger(trial) && Number.isFinite(seconds) && isNumberOrNull(score);
  return numbers && budget === null && isObject(settings);
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || Number.isFinite(value);
}
