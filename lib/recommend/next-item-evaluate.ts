import { interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { createSequences, SequenceDataset } from '../data/sequences.js';
import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, whatIs } from '../options.js';
import { checkN } from './lookup.js';
import type { SequenceRecommender } from './next-item.js';
import { middleRank, middleRankInList } from './next-item-rank.js';
import { ScoreList } from './next-item-scores.js';
import { refuseTrainedOn } from './next-item-trained.js';

/** Options of {@link evaluateNextItem}. */
export interface EvaluateNextItemOptions {
  /** Length of the lists; default 20, which the literature on sessions uses. */
  k?: number;
  /** Evaluate only so many cases, drawn at random; default: all. */
  sample?: number;
  /** Seed of the draw; default 42. */
  seed?: number | string;
}

/** The outcome for one recommender: a record, so that `Table.fromRows([a, b])` sets several side by side. */
export type NextItemEvaluation = {
  /** Its name. */
  recommender: string;
  /** Length of the lists. */
  k: number;
  /** Predicted tracks, those unknown to the recommender included. */
  cases: number;
  /** Cases whose next track, or whose whole history, the recommender does not know; they count as missed. */
  unknown: number;
  /** Share of the cases whose next track is in first place alone: the accuracy that a classifier reports. */
  accuracy: number;
  /** Share of the cases whose next track is among the first k. Papers on sessions call it P@k, or Recall@k: there is one relevant track. */
  hitRate: number;
  /** Mean of 1 / rank, 0 beyond k. */
  mrr: number;
  /** Mean of 1 / log2(rank + 1), 0 beyond k. */
  ndcg: number;
};

/** A history and the track that came next, both as indices of the recommender; `target` −1 where it cannot be right. */
export interface NextItemCase {
  /** Track indices, in order. */
  readonly history: Int32Array;
  /** Track index. */
  readonly target: number;
}

/** Scores held at once: 16 MB. */
const BLOCK_SCORES = 1 << 22;

/**
 * How well the next track is predicted.
 *
 * Protocol: every track of every session but the first is predicted from all tracks before it; with windows, from the window. The whole catalogue is ranked
 * (no sampled negatives), tracks of the history included, since songs are played again. Ties: a track among equal scores has their middle rank,
 * rank = 1 + #(higher) + (#(equal) − 1) / 2, so that a model that scores all alike gains nothing; it counts among the first k if rank ≤ k. Scores are
 * compared as float32.
 * @param recommender trained on other sessions
 * @param sessions held-out sessions, plays (a session a user), or windows of either, e.g. `dls.valid.dataset`
 * @throws ArgumentError for sessions that the recommender was trained on, all of them: the accuracy in training is what its learner's recorder says
 * @example Table.fromRows([new Markov(train), new SessionKNN(train)].map((r) => evaluateNextItem(r, test, { k: 20, sample: 2000 })))
 */
export function evaluateNextItem(
  recommender: SequenceRecommender,
  sessions: SequenceSource | Histories | SequenceDataset,
  options: EvaluateNextItemOptions = {},
): NextItemEvaluation {
  checkOptions(options, ['k', 'sample', 'seed'], 'evaluateNextItem');
  const { k = 20, sample, seed = 42 } = options;
  checkN(k, 'k');
  if (typeof recommender?.scoresOf !== 'function') {
    throw new ArgumentError(
      `evaluateNextItem needs what recommends the next track, such as new Markov(train), an lstmLearner, or new LSTMRecommender(what trainModel returns), got ${whatIs(recommender)}.`,
    );
  }
  const cases = nextItemCases(recommender, sessions, { sample, seed });
  const known = cases.filter(({ target, history }) => target >= 0 && history.length > 0);
  const sums = { accuracy: 0, hitRate: 0, mrr: 0, ndcg: 0 };
  const count = (rank: number): void => {
    if (rank > k) return;
    sums.hitRate++;
    sums.mrr += 1 / rank;
    sums.ndcg += 1 / Math.log2(rank + 1);
    if (rank === 1) sums.accuracy++;
  };
  const rank = !recommender.usesHistory ? rankOnce : recommender.listOf ? rankByLists : rankByBlocks;
  interruptible(() => rank(recommender, known, count));
  const n = cases.length;
  return {
    recommender: recommender.name,
    k,
    cases: n,
    unknown: n - known.length,
    accuracy: sums.accuracy / n,
    hitRate: sums.hitRate / n,
    mrr: sums.mrr / n,
    ndcg: sums.ndcg / n,
  };
}

/**
 * The cases of an evaluation, in the recommender's indices. Tracks of a history that it does not know are left out. Throws for what it was trained on.
 * @param options.sample so many, drawn at random; default: all, in order
 * @param options.recommenders those that must not have been trained on them; default: the one
 */
export function nextItemCases(
  recommender: SequenceRecommender,
  sessions: SequenceSource | Histories | SequenceDataset,
  {
    sample,
    seed = 42,
    recommenders = [recommender],
  }: { sample?: number; seed?: number | string; recommenders?: readonly SequenceRecommender[] } = {},
): NextItemCase[] {
  const windows = sessions instanceof SequenceDataset ? sessions : createSequences(sessions, { length: Infinity });
  if (windows.everyPosition) {
    throw new ArgumentError('These windows have a target at every position. Evaluate the sessions themselves, or windows without everyPosition.');
  }
  if (windows.length === 0) throw new ArgumentError('There is no window to evaluate. Is this the right part of the split?');
  if (sample !== undefined) checkN(sample, 'sample');
  for (const one of recommenders) refuseTrainedOn(one, windows);
  const { items, item } = windows.histories;
  const same = items === recommender.tracks;
  const code = same ? undefined : Int32Array.from({ length: items.length }, (_, i) => recommender.tracks.indexOf(items.id(i)));
  const order = sample === undefined || sample >= windows.length ? undefined : new Random(seed).child('sample').permutation(windows.length);
  return Array.from({ length: order ? sample! : windows.length }, (_, j) => {
    const i = order ? order[j] : j;
    const end = windows.start[i] + windows.size[i];
    const history = item.subarray(windows.start[i], end);
    return code ? { history: history.map((t) => code[t]).filter((t) => t >= 0), target: code[item[end]] } : { history, target: item[end] };
  });
}

function rankOnce(recommender: SequenceRecommender, cases: readonly NextItemCase[], count: (rank: number) => void): void {
  const out = new Float32Array(recommender.tracks.length);
  if (cases.length > 0) recommender.scoresOf(cases[0].history, out);
  const ranks = new Map<number, number>(); // by score: tracks with the same one have the same rank
  for (const { target } of cases) {
    const rank = ranks.get(out[target]) ?? middleRank(out, target, recommender.name);
    ranks.set(out[target], rank);
    count(rank);
  }
}

function rankByLists(recommender: SequenceRecommender, cases: readonly NextItemCase[], count: (rank: number) => void): void {
  const list = new ScoreList(recommender.tracks.length);
  for (const { history, target } of cases) {
    list.clear();
    recommender.listOf!(history, list);
    count(middleRankInList(list, target));
  }
}

function rankByBlocks(recommender: SequenceRecommender, cases: readonly NextItemCase[], count: (rank: number) => void): void {
  const tracks = recommender.tracks.length;
  const block = Math.max(1, Math.min(256, cases.length, Math.floor(BLOCK_SCORES / tracks)));
  const out = new Float32Array(block * tracks);
  for (let from = 0; from < cases.length; from += block) {
    const part = cases.slice(from, from + block);
    recommender.scoresOfMany(
      part.map(({ history }) => history),
      out.subarray(0, part.length * tracks),
    );
    part.forEach(({ target }, b) => {
      count(middleRank(out.subarray(b * tracks, (b + 1) * tracks), target, recommender.name));
    });
  }
}
