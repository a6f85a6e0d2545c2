import { type AsyncSteps, interruptible, type Stop, stoppable } from '../compute/interrupt.js';
import { display, sayInterrupted } from '../data/output.js';
import { checkedPart, fingerprint, type PlaysSplit } from '../data/splits.js';
import { unknownId } from '../data/vocabulary.js';
import { ArgumentError, InterruptedError, UnknownIdError } from '../errors.js';
import { checkNumber, checkRounds, given, whatIs } from '../options.js';
import { Popularity } from '../recommend/baselines/popularity.js';
import { RandomRecommender } from '../recommend/baselines/random.js';
import type { Id, Recommender } from '../recommend/recommender.js';
import { audioVectors } from './beyond-accuracy.js';
import {
  type Candidate,
  type Candidates,
  candidatesOf,
  instead,
  isRecommender,
} from './candidates.js';
import { Comparison, environment, type LeftOut, type RunCard } from './comparison.js';
import { HeldOut, withSeen } from './held-out.js';
import { checkedKs, type MetricName, metricColumns, type RankingMetric } from './metric-columns.js';
import { type Measure, type RankedHeldOut, rankHeldOut, valuesOf } from './rank-held-out.js';
import { comparisonRows, type Entry } from './statistics.js';

const DEFAULTS = {
  /** Lengths of the lists; default 10. */
  k: 10 as number | readonly number[],
  /**
   * What is measured, the most important first: `ndcg`, `recall`, `precision`, `hitRate`, `map`,
   * `mrr` (see {@link RankingMetrics}), `auc` (area under the ROC curve), `coverage`, `novelty`,
   * `popularity`, `gini`, `diversity`; `ndcg@5` for one k. `ndcg@10~100neg` is the sampled metric
   * of that name: the user's relevant tracks are ranked among 100 tracks drawn at random. One of
   * your own is `{ name, value: (list, heldOut) => number }`, see {@link RankingMetric}.
   *
   * Default for one k: all but `auc`, `diversity` (which needs audio features) and sampled ones;
   * for several: `ndcg`, `recall` and `coverage`, so that the table fits a screen.
   * (Names in a variable: `const metrics = ['ndcg', 'recall'] as const`.)
   */
  metrics: undefined as readonly (MetricName | RankingMetric)[] | undefined,
  /** Seeds for recommenders that are made by functions, one training each; default [42]. */
  seeds: [42] as readonly (number | string)[],
  /** The part to measure on; default: `test` if there is one, else `valid`. */
  on: undefined as 'test' | 'valid' | undefined,
  /** Measure these users only; default: all with held-out plays. */
  users: undefined as readonly Id[] | undefined,
  /**
   * Names of the baselines; the others are tested against the best of them. Default: `Popularity`
   * and `RandomRecommender`, or else the first recommender.
   */
  baselines: undefined as readonly string[] | undefined,
  /** Resamples of the bootstrap; default 1000. */
  samples: 1000,
  /** Share of the resampled means that an interval holds; default 0.95. */
  confidence: 0.95,
  /** Seed of the bootstrap and of sampled metrics; default 42. */
  seed: 42 as number | string,
  /** Print a line for each recommender that is done. Default: if any has to be made. */
  verbose: undefined as boolean | undefined,
};

/** Options of {@link evaluate}. */
export type CompareOptions = Partial<typeof DEFAULTS>;

/**
 * A comparison of recommenders on one split.
 *
 * Protocol: the whole catalogue is ranked for each user, without what the user has played in
 * training, and in validation when measured on test; relevant is every held-out track that the user
 * does not have in training, however often it was played. A held-out track unknown to a recommender
 * counts as missed. Means are over the users that all recommenders know and that have a relevant
 * track; coverage and gini are over all tracks that any of the recommenders can recommend.
 *
 * Ties: where scores are equal, an accuracy metric is its expected value over all orders of the
 * tied tracks, so a model that gives all tracks the same score is as good as chance, whatever the
 * ids are. Metrics beyond accuracy (coverage, gini, novelty, popularity, diversity) are those of
 * the lists that `recommend` gives, with equal scores in the order of track ids.
 *
 * Intervals: percentile bootstrap over users. Tests: paired t-test over users of the difference to
 * the best baseline at that metric, two-sided, for accuracy metrics; Holm's correction over all
 * tests of the call. With several seeds a user's value is the mean over seeds; the standard
 * deviation over seeds is given besides.
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
  return stoppable(run(parse(recommenders, split, options)));
}

const SEVERAL_K: readonly MetricName[] = ['ndcg', 'recall', 'coverage'];
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

/** What a call of {@link evaluate} asks for, checked. */
type Question = ReturnType<typeof parse>;

function parse(recommenders: Candidates, split: PlaysSplit, options: CompareOptions) {
  const asked = given(DEFAULTS, options, 'evaluate');
  const { samples, confidence, users, baselines } = asked;
  const ks = checkedKs(asked.k);
  const { metrics = ks.length > 1 ? SEVERAL_K : ONE_K } = asked;
  const columns = metricColumns(metrics, ks);
  checkRounds(samples, 'samples');
  checkNumber(confidence, confidence > 0 && confidence < 1, 'confidence must be between 0 and 1');
  for (const [name, list] of Object.entries({ seeds: asked.seeds, users, baselines }))
    if (list !== undefined && !(Array.isArray(list) && list.length > 0))
      throw new ArgumentError(`${name} must be an array that is not empty, got ${whatIs(list)}.`);
  const on = checkedPart('evaluate', split, asked.on);
  const candidates = candidatesOf(recommenders);
  const { train, valid } = split;
  for (const id of users ?? [])
    if (train.users.indexOf(id) < 0 && split[on]!.users.indexOf(id) < 0)
      throw unknownId(train.users, id);
  const heldOut = new HeldOut(train, split[on]!, { users: users && new Set(users.map(String)) });
  const vectorOf = columns.some(({ metric }) => metric === 'diversity')
    ? audioVectors(train.catalogue)
    : undefined;
  return {
    ...asked,
    split,
    on,
    /** Plays that are masked in lists besides those of training. */
    mask: on === 'test' ? valid : undefined,
    columns,
    candidates,
    seeds: [...new Set(asked.seeds)],
    verbose: asked.verbose ?? candidates.some(({ factory }) => factory),
    heldOut,
    vectorOf,
    started: performance.now(),
  };
}

/** A recommender with its lists, one set per seed. */
interface Finished {
  name: string;
  /** Whether it is a baseline if the caller names none. */
  readonly simple: boolean;
  readonly ranked: RankedHeldOut[];
  /** Seconds of making, and of scoring and ranking, over all seeds. */
  readonly seconds: { made: number; ranked: number };
}

/** Why a recommender is left out that there was no time for. */
const INTERRUPTED = 'interrupted';

async function* run(asked: Question): AsyncSteps<Comparison> {
  const finished: Finished[] = [];
  const leftOut: LeftOut[] = [];
  let stop: Stop | undefined;
  let firstError: unknown;
  for (const [i, candidate] of asked.candidates.entries()) {
    let reason = INTERRUPTED;
    stop = yield;
    try {
      const done = stop ? undefined : yield* rankCandidate(candidate, asked);
      if (done) {
        finished.push(done);
        continue;
      }
    } catch (error) {
      stop = yield;
      if (!stop) {
        reason = (error as Error).message;
        firstError ??= error;
      }
    }
    leftOut.push({ recommender: candidate.name ?? `recommender ${i + 1}`, reason });
  }
  if (finished.length === 0)
    throw firstError ?? new InterruptedError('Interrupted before anything was measured.');
  for (const { recommender, reason } of leftOut)
    if (reason !== INTERRUPTED)
      display().warn(`${recommender} is not in the comparison: ${reason}`);
  numberEqualNames(finished);
  const comparison = yield* report(asked, finished, leftOut);
  const undone = leftOut.filter(({ reason }) => reason === INTERRUPTED);
  stop = yield;
  if (stop && undone.length > 0) {
    const compared = finished.map(({ name }) => name).join(', ');
    const left = undone.map(({ recommender }) => recommender).join(', ');
    sayInterrupted(stop, `Interrupted. Compared: ${compared}. Left out: ${left}.`);
  }
  return comparison;
}

/**
 * Makes a recommender for each seed, and ranks by it. Returns undefined if it was interrupted: a
 * training that ends early returns what it has, which is not what was to be measured.
 */
async function* rankCandidate(
  { name, factory, recommender: existing }: Candidate,
  { split, seeds, mask, heldOut, columns, seed, verbose }: Question,
): AsyncSteps<Finished | undefined> {
  const ranked: RankedHeldOut[] = [];
  const seconds = { made: 0, ranked: 0 };
  let recommender: Recommender | undefined;
  for (const trainingSeed of factory ? seeds : ['']) {
    const started = performance.now();
    recommender = factory
      ? await interruptible(() => factory(split.train, trainingSeed))
      : existing;
    if (yield) return undefined;
    if (!isRecommender(recommender))
      throw new ArgumentError(`A function must return a recommender, got ${instead(recommender)}.`);
    const made = performance.now();
    const masked = mask ? withSeen(recommender, mask) : recommender;
    const lists = yield* rankHeldOut(masked, heldOut, { columns, seed });
    if (!lists) return undefined;
    ranked.push(lists);
    const took = { made: (made - started) / 1000, ranked: (performance.now() - made) / 1000 };
    seconds.made += took.made;
    seconds.ranked += took.ranked;
    if (!verbose) continue;
    const training = factory ? `, seed ${trainingSeed}: made in ${took.made.toFixed(1)} s,` : ':';
    const line = `${training} ranked in ${took.ranked.toFixed(1)} s`;
    display().text(`${name ?? recommender.name}${line}`);
  }
  const simple = recommender instanceof Popularity || recommender instanceof RandomRecommender;
  return { name: name ?? recommender!.name, simple, ranked, seconds };
}

/** Gives recommenders of the same name a number. */
function numberEqualNames(finished: readonly Finished[]): void {
  const used = new Set<string>();
  for (const each of finished) {
    const { name } = each;
    for (let n = 2; used.has(each.name); n++) each.name = `${name} (${n})`;
    used.add(each.name);
  }
}

/** Measures the lists and compares the values: the same whether it is asked to stop or not. */
async function* report(
  asked: Question,
  finished: readonly Finished[],
  leftOut: readonly LeftOut[],
): AsyncSteps<Comparison> {
  const { heldOut, columns, vectorOf, confidence } = asked;
  const all = finished.flatMap(({ ranked }) => ranked);
  const rows = Int32Array.from(heldOut.users.keys()).filter((row) =>
    all.every(({ known }) => known[row]),
  );
  if (rows.length === 0)
    throw new ArgumentError(
      'There is no user with held-out plays that all recommenders know. Train them on the same plays.',
    );
  const ids = vectorOf && heldOut.codes.ids();
  const measure: Measure = {
    heldOut,
    rows,
    catalogueSize: new Set(all.flatMap(({ catalogue }) => [...catalogue])).size,
    vector: vectorOf && ((code) => vectorOf(ids![code])),
  };
  const baselines = baselineNames(finished, asked.baselines);
  const entries: Entry[] = [];
  for (const { name, ranked } of finished) {
    const values = new Map<string, Float64Array[]>();
    for (const column of columns) {
      const ofSeeds = ranked.map((one) => valuesOf(one, column, measure));
      values.set(column.name, ofSeeds);
      yield;
    }
    entries.push({ name, baseline: baselines.has(name), values });
  }
  return new Comparison({
    rows: yield* comparisonRows(entries, columns, asked),
    card: cardOf(asked, finished, measure),
    leftOut,
    measured: { measure, columns, entries, ranked: finished.map(({ ranked }) => ranked) },
    confidence,
  });
}

function baselineNames(
  finished: readonly Finished[],
  asked: readonly string[] | undefined,
): ReadonlySet<string> {
  const names = finished.map(({ name }) => name);
  const found = asked
    ? asked.filter((name) => names.includes(name))
    : finished.filter(({ simple }) => simple).map(({ name }) => name);
  const why = 'baselines are names of the recommenders that are compared.';
  if (asked && found.length === 0)
    throw new UnknownIdError('recommender', String(asked[0]), names, why);
  return new Set(found.length > 0 ? found : names.slice(0, 1));
}

function cardOf(
  { split, on, mask, columns, candidates, seeds, samples, confidence, seed, started }: Question,
  finished: readonly Finished[],
  { heldOut, rows, catalogueSize }: Measure,
): RunCard {
  const count = (n: number): string => n.toLocaleString('en');
  const took = finished.map(({ name, seconds: { made, ranked } }) => {
    return [`seconds of ${name}`, `${made.toFixed(1)} made, ${ranked.toFixed(1)} ranked`];
  });
  const { train, valid, test } = split;
  const parts = Object.entries({ train, valid, test }).flatMap(([name, plays]) =>
    plays ? [{ name, plays }] : [],
  );
  const sizes = parts.map(({ name, plays }) => `${name} ${count(plays.length)}`).join(', ');
  const ranked = heldOut.users.length;
  const some = rows.length < ranked ? ' (the others are unknown to a recommender)' : '';
  const sampled = columns.some(({ negatives }) => negatives > 0)
    ? '; metrics with ~…neg: the relevant tracks among that many drawn at random'
    : '';
  const training = candidates.some(({ factory }) => factory)
    ? `training ${seeds.join(', ')}; `
    : '';
  return {
    split: `${sizes} plays; fingerprint ${fingerprint(...parts.map(({ plays }) => plays))}`,
    protocol: `measured on ${on}: the whole catalogue ranked, without what a user has in ${mask ? 'train and valid' : 'train'}; ties: expected value over their orders${sampled}`,
    users: `${count(rows.length)} of ${count(ranked)} with held-out tracks${some}`,
    catalogue: `${count(catalogueSize)} tracks`,
    intervals: `bootstrap over users, percentiles, ${Number((100 * confidence).toPrecision(4))} %, ${count(samples)} resamples`,
    tests:
      'paired t-test over users against the best baseline at that metric, two-sided, Holm over all tests',
    seeds: `${training}resampling ${seed}`,
    ...environment(),
    ...Object.fromEntries(took),
    seconds: ((performance.now() - started) / 1000).toFixed(1),
    finished: new Date().toISOString(),
  };
}
