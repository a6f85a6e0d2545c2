import { InterruptGuard, interruptible } from '../compute/interrupt.js';
import { display, sayInterrupted } from '../data/display.js';
import { checkedPart, type PlaysSplit } from '../data/splits.js';
import { unknownId } from '../data/vocabulary.js';
import { ArgumentError, InterruptedError, UnknownIdError } from '../errors.js';
import { checkNumber, checkOptions, checkRounds, whatIs } from '../options.js';
import { Popularity } from '../recommend/baselines/popularity.js';
import { RandomRecommender } from '../recommend/baselines/random-recommender.js';
import type { Id, Recommender } from '../recommend/recommender.js';
import { audioVectors } from './beyond-accuracy.js';
import { Comparison, comparisonCard, type LeftOut } from './comparison.js';
import { HeldOut } from './held-out.js';
import {
  type Candidate,
  type Candidates,
  candidatesOf,
  checkedKs,
  type MetricColumn,
  type MetricName,
  metricColumns,
  type RankingMetric,
} from './parse.js';
import { type Measure, type RankedHeldOut, rankHeldOut, valuesOf } from './rank.js';
import { comparisonRows, type Entry } from './statistics.js';
import { withSeen } from './with-seen.js';

/** Options of {@link evaluate}. */
export interface CompareOptions {
  /** Lengths of the lists; default 10. */
  k?: number | readonly number[];
  /**
   * What is measured, the most important first: `ndcg`, `recall`, `precision`, `hitRate`, `map`,
   * `mrr` (see {@link RankingMetrics}), `auc` ({@link aucOf}), `coverage`, `novelty`, `popularity`,
   * `gini`, `diversity`; `ndcg@5` for one k. `ndcg@10~100neg` is the sampled metric of that name:
   * ranked are the user's relevant tracks and 100 drawn at random. One of your own is
   * `{ name, value: (list, heldOut) => number }`, see {@link RankingMetric}.
   *
   * Default for one k: all but `auc`, `diversity` (which needs audio features) and sampled ones;
   * for several: `ndcg`, `recall` and `coverage`, so that the table stays as wide as a screen.
   * (Names that are in a variable: `const metrics = ['ndcg', 'recall'] as const`.)
   */
  metrics?: readonly (MetricName | RankingMetric)[];
  /** Seeds for recommenders that are made by functions, one training each; default [42]. */
  seeds?: readonly (number | string)[];
  /** The part to measure on; default: `test` if there is one, else `valid`. */
  on?: 'test' | 'valid';
  /** Measure these users only; default: all with held-out plays. */
  users?: readonly Id[];
  /**
   * Names of those to be beaten; the others are tested against the best of them. Default:
   * `Popularity` and `RandomRecommender`, or else the first recommender.
   */
  baselines?: readonly string[];
  /** Resamples of the bootstrap; default 1000. */
  samples?: number;
  /** Share of the resampled means that an interval holds; default 0.95. */
  confidence?: number;
  /** Seed of the bootstrap and of sampled metrics; default 42. */
  seed?: number | string;
  /** Print a line for each recommender that is done. Default: if any has to be made. */
  verbose?: boolean;
}

/** Why a recommender is left out that there was no time for. */
const INTERRUPTED = 'interrupted';
const NAMES = [
  'k',
  'metrics',
  'seeds',
  'on',
  'users',
  'baselines',
  'samples',
  'confidence',
  'seed',
  'verbose',
] as const;
const ONE_K: readonly MetricName[] = [
  'ndcg',
  'recall',
  'precision',
  'hitRate',
  'map',
  'mrr',
  'coverage',
  'novelty',
  'popularity',
  'gini',
];
const SEVERAL_K: readonly MetricName[] = ['ndcg', 'recall', 'coverage'];

/**
 * Compares recommenders on one split.
 *
 * Protocol: the whole catalogue is ranked for each user, without what the user has played in
 * training, and in validation when measured on test; relevant is every held-out track that the user
 * has not in training, however often it was played. A held-out track that a recommender does not
 * know counts as missed. Means are over the users that all recommenders know and that have a
 * relevant track; coverage and gini are over all tracks that any of the recommenders can recommend.
 *
 * Ties: where scores are equal, a metric of right and wrong is its expected value over all orders
 * of the tied tracks, so that a model that scores all alike is as good as chance, whatever the ids
 * are. Metrics of what lists are like (coverage, gini, novelty, popularity, diversity) are those of
 * the lists that `recommend` gives, with equal scores in the order of track ids.
 *
 * Intervals: percentile bootstrap over users. Tests: paired t-test over users of the difference to
 * the best baseline at that metric, two-sided, for metrics of right and wrong; Holm's correction
 * over all tests of the call. With several seeds a user's value is the mean over seeds; how much
 * seeds matter is a standard deviation of its own.
 *
 * Ctrl-C stops it: what is finished is compared, the rest is in `leftOut`; so is a recommender that
 * cannot be made or measured.
 * @param recommenders recommenders that were trained on `split.train`, or functions
 *   `(train, seed) => recommender` that train one: in an array, or in a record by name
 * @param split the plays in parts, see {@link splitPlays}
 * @example
 * const split = splitPlays(plays, perUserSplit(plays));
 * await evaluate([new Popularity(split.train), (train, seed) => ALS.fit(train, { seed })], split, { k: [5, 10, 20], seeds: [1, 2, 3] })
 */
export async function evaluate(
  recommenders: Candidates,
  split: PlaysSplit,
  options: CompareOptions = {},
): Promise<Comparison> {
  const started = performance.now();
  checkOptions(options, NAMES, 'evaluate');
  const {
    k = 10,
    seeds = [42],
    users,
    baselines,
    samples = 1000,
    confidence = 0.95,
    seed = 42,
  } = options;
  const ks = checkedKs(k);
  const { metrics = ks.length > 1 ? SEVERAL_K : ONE_K } = options;
  const columns = metricColumns(metrics, ks);
  checkRounds(samples, 'samples');
  checkNumber(confidence, confidence > 0 && confidence < 1, 'confidence must be between 0 and 1');
  for (const [name, list] of Object.entries({
    seeds,
    users: users ?? [''],
    baselines: baselines ?? [''],
  })) {
    if (!Array.isArray(list) || list.length === 0)
      throw new ArgumentError(`${name} must be an array that is not empty, got ${whatIs(list)}.`);
  }
  const on = checkedPart('evaluate', split, options.on);
  const candidates = candidatesOf(recommenders, [...new Set(seeds)]);
  const { verbose = candidates.some(({ made }) => made) } = options;
  for (const id of users ?? []) {
    if (split.train.users.indexOf(id) < 0 && split[on]!.users.indexOf(id) < 0)
      throw unknownId(split.train.users, id);
  }
  const heldOut = new HeldOut(split.train, split[on]!, {
    users: users && new Set(users.map(String)),
  });
  const vectorOf = columns.some(({ metric }) => metric === 'diversity')
    ? audioVectors(split.train.catalogue)
    : undefined;
  const guard = new InterruptGuard();
  try {
    const finished: Finished[] = [];
    const leftOut: (LeftOut & { error?: unknown })[] = [];
    for (const [i, candidate] of candidates.entries()) {
      const recommender = candidate.name ?? `recommender ${i + 1}`;
      try {
        const done = (await guard.turn())
          ? undefined
          : await finish(candidate, { split, on, heldOut, columns, seed, verbose, guard });
        if (done) finished.push(done);
        else leftOut.push({ recommender, reason: INTERRUPTED });
      } catch (error) {
        if (guard.interrupted) leftOut.push({ recommender, reason: INTERRUPTED });
        else leftOut.push({ recommender, reason: (error as Error).message, error });
      }
    }
    if (finished.length === 0)
      throw (
        leftOut.find(({ error }) => error)?.error ??
        new InterruptedError('Interrupted before anything was measured.')
      );
    for (const { recommender, reason } of leftOut) {
      if (reason !== INTERRUPTED)
        display().warn(`${recommender} is not in the comparison: ${reason}`);
    }
    nameApart(finished);
    const rows = Int32Array.from(heldOut.users.keys()).filter((row) =>
      finished.every(({ ranked }) => ranked.every(({ known }) => known[row])),
    );
    if (rows.length === 0)
      throw new ArgumentError(
        'There is no user with held-out plays that all recommenders know. Train them on the same plays.',
      );
    const ids = vectorOf && heldOut.codes.ids();
    const measure: Measure = {
      heldOut,
      rows,
      catalogueSize: catalogueOf(finished),
      ...(vectorOf && { vector: (code) => vectorOf(ids![code]) }),
    };
    const chosen = baselineNames(finished, baselines);
    const entries: Entry[] = [];
    for (const { name, ranked } of finished) {
      const values = new Map<string, Float64Array[]>();
      for (const column of columns) {
        const each = ranked.map((one) => valuesOf(one, column, measure));
        values.set(column.name, each);
        if (guard.due()) await guard.turn(); // what is ranked is compared, whatever happens
      }
      entries.push({ name, baseline: chosen.has(name), values });
    }
    const work = comparisonRows(entries, columns, { samples, confidence, seed });
    let step = work.next();
    for (; !step.done; step = work.next()) if (guard.due()) await guard.turn();
    const undone = leftOut
      .filter(({ reason }) => reason === INTERRUPTED)
      .map((each) => each.recommender);
    if (undone.length > 0) {
      sayInterrupted(
        guard,
        `Interrupted. Compared: ${finished.map(({ name }) => name).join(', ')}. Left out: ${undone.join(', ')}.`,
      );
    }
    const seconds = (performance.now() - started) / 1000;
    const card = comparisonCard({
      split,
      on,
      measure,
      columns,
      seeds: candidates.some(({ made }) => made) ? seeds : [],
      samples,
      confidence,
      seed,
      finished,
      seconds,
    });
    const measured = {
      measure,
      columns,
      entries,
      ranked: finished.map(({ ranked }) => ranked),
      users: (): string[] => Array.from(rows, (row) => heldOut.users[row]),
    };
    return new Comparison({
      rows: step.value,
      card,
      leftOut: leftOut.map(({ recommender, reason }) => ({ recommender, reason })),
      measured,
      confidence,
    });
  } finally {
    guard.stop();
  }
}

/** Gives recommenders of the same name a number. */
function nameApart(finished: readonly Finished[]): void {
  const used = new Set<string>();
  for (const each of finished) {
    const { name } = each;
    for (let n = 2; used.has(each.name); n++) each.name = `${name} (${n})`;
    used.add(each.name);
  }
}

/** How many tracks any of them can recommend. */
function catalogueOf(finished: readonly Finished[]): number {
  const codes = new Set<number>();
  for (const { ranked } of finished)
    for (const { catalogue } of ranked) for (const code of catalogue) codes.add(code);
  return codes.size;
}

function baselineNames(
  finished: readonly Finished[],
  baselines: readonly string[] | undefined,
): Set<string> {
  const names = finished.map(({ name }) => name);
  if (baselines) {
    const known = baselines.filter((name) => names.includes(name));
    if (known.length === 0)
      throw new UnknownIdError(
        'recommender',
        String(baselines[0]),
        names,
        'baselines are names of the recommenders that are compared.',
      );
    return new Set(known);
  }
  const simple = finished.filter((each) => each.simple).map(({ name }) => name);
  return new Set(simple.length ? simple : names.slice(0, 1));
}

/** A recommender with its lists, one set a seed. */
export interface Finished {
  name: string;
  /** Popularity or Random: what anything should beat. */
  readonly simple: boolean;
  readonly ranked: readonly RankedHeldOut[];
  /** Seconds of making, and of scoring and ranking, over all seeds. */
  readonly seconds: { readonly made: number; readonly ranked: number };
}

/** What a recommender is measured by. */
export interface Setting {
  readonly split: PlaysSplit;
  readonly on: 'test' | 'valid';
  readonly heldOut: HeldOut;
  readonly columns: readonly MetricColumn[];
  readonly seed: number | string;
  readonly verbose: boolean;
  readonly guard: InterruptGuard;
}

/**
 * Makes a recommender for each seed and ranks by it. Undefined if it was interrupted: nothing
 * counts that is half done.
 */
export async function finish(
  candidate: Candidate,
  setting: Setting,
): Promise<Finished | undefined> {
  const { split, guard, verbose } = setting;
  const ranked: RankedHeldOut[] = [];
  const seconds = { made: 0, ranked: 0 };
  let recommender: Recommender | undefined;
  for (const seed of candidate.seeds) {
    let started = performance.now();
    recommender = await interruptible(() => candidate.make(split.train, seed)); // many are made without ever giving others a turn
    if (await guard.turn()) return undefined; // training that ends early on Ctrl-C returns what it has: not what was to be measured
    const made = (performance.now() - started) / 1000;
    started = performance.now();
    const lists = await ranking(recommender, setting);
    if (!lists) return undefined;
    const took = (performance.now() - started) / 1000;
    ranked.push(lists);
    seconds.made += made;
    seconds.ranked += took;
    const name = candidate.name ?? recommender.name;
    if (verbose) {
      const training = candidate.made ? `, seed ${seed}: made in ${made.toFixed(1)} s` : ':';
      display().text(
        `${name}${training}${candidate.made ? ', ' : ' '}ranked in ${took.toFixed(1)} s`,
      );
    }
  }
  const simple = recommender instanceof Popularity || recommender instanceof RandomRecommender;
  return { name: candidate.name ?? recommender!.name, simple, ranked, seconds };
}

/** Lists of all users; undefined if it was interrupted. */
export async function ranking(
  recommender: Recommender,
  { split, on, heldOut, columns, seed, guard }: Omit<Setting, 'verbose'>,
): Promise<RankedHeldOut | undefined> {
  const masked = on === 'test' && split.valid ? withSeen(recommender, split.valid) : recommender;
  const work = rankHeldOut(masked, heldOut, {
    n: Math.max(...columns.map(({ k }) => k)),
    auc: columns.some(({ metric }) => metric === 'auc'),
    negatives: [...new Set(columns.map(({ negatives }) => negatives))].filter((n) => n > 0),
    shuffled: columns.some(({ own }) => own !== undefined),
    seed,
  });
  let step = work.next();
  try {
    for (; !step.done; step = work.next())
      if (guard.due() && (await guard.turn())) return undefined;
    return step.value;
  } finally {
    if (!step.done) drop(work);
  }
}

/** Ends a generator before its time, so that it gives its memory back. */
function drop(work: Generator<void, RankedHeldOut>): void {
  (work as Generator<void, unknown>).return(undefined);
}
