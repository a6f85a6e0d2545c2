import { type InterruptGuard, interruptible } from '../compute/interrupt.js';
import { display } from '../data/display.js';
import type { PlaysSplit } from '../data/plays-split.js';
import { Popularity } from '../recommend/baselines/popularity.js';
import { RandomRecommender } from '../recommend/baselines/random-recommender.js';
import type { Recommender } from '../recommend/recommender.js';
import type { Candidate } from './candidates.js';
import type { HeldOut } from './held-out.js';
import type { MetricColumn } from './metric-names.js';
import { type RankedHeldOut, rankHeldOut } from './rank-held-out.js';
import { withSeen } from './with-seen.js';

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
