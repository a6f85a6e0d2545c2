import { interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { Plays } from '../data/plays.js';
import { createSequences, SequenceDataset } from '../data/sequences.js';
import { type SequenceSource, Sessions } from '../data/sessions.js';
import { indicesIn, Vocabulary } from '../data/vocabulary.js';
import { ArgumentError, DataError, NumericError } from '../errors.js';
import { checkArgument, checkCount, checkFlag, given } from '../options.js';
import { ScoreList, type SequenceRecommender } from '../sequential/sequence-recommender.js';
import { instead } from './candidates.js';
import { refuseTrainedOn, warnOfTrainedOn } from './trained-on.js';

const DEFAULTS = {
  /** Length of the lists; default 20, as in the literature on sessions. */
  k: 20,
  /** Number of cases to evaluate, drawn at random; default: all. */
  sample: undefined as number | undefined,
  /** Seed of the draw; default 42. */
  seed: 42 as number | string,
  /**
   * What the users of held-out plays had played before, in order: the plays of training, or of
   * training and validation, one part after the other. Each held-out play is then predicted, also
   * the first of a user, from these and the held-out ones before it. Default: nothing.
   */
  history: undefined as Plays | readonly Plays[] | undefined,
  /**
   * Rank without the tracks of the history, for lists of new tracks; a next track that is among
   * them counts as missed. Default false.
   */
  filterSeen: false,
  /** Predict the last track of each session (or user) only; default false. */
  last: false,
};

/** Options of {@link evaluateNextItem}. */
export type EvaluateNextItemOptions = Partial<typeof DEFAULTS>;

/** The outcome for one recommender: `Table.fromRows([a, b])` sets several side by side. */
export type NextItemEvaluation = {
  /** Name of the recommender. */
  recommender: string;
  /** Length of the lists. */
  k: number;
  /** Number of predicted tracks, those unknown to the recommender included. */
  cases: number;
  /** Cases whose next track or whole history the recommender does not know; they are missed. */
  unknown: number;
  /** Share of the cases whose next track is ranked first: the accuracy of a classifier. */
  accuracy: number;
  /** Share of the cases whose next track is among the first k; P@k or Recall@k in papers. */
  hitRate: number;
  /** Mean of 1 / rank, 0 beyond k. */
  mrr: number;
  /** Mean of 1 / log2(rank + 1), 0 beyond k. */
  ndcg: number;
};

/** A history and its next track, as indices of the recommender. */
export interface NextTrackCase {
  readonly history: Int32Array;
  /** The track that came next; −1 if the recommender does not know it. */
  readonly target: number;
}

/** Scores held at once: 16 MB. */
const BLOCK_SCORES = 1 << 22;

/**
 * Metrics of next-track prediction.
 *
 * Protocol: every track of every session except the first is predicted from all tracks before it;
 * with windows, from the window. The whole catalogue is ranked (no sampled negatives), tracks of
 * the history included, since tracks are played again, unless `filterSeen` is set. Ties as in
 * {@link evaluate}: a track among m equal scores has each of the m ranks with probability 1/m.
 * Scores are compared as float32.
 *
 * Leave-one-out, the usual protocol for the next track of a user, trained on all but the last two
 * tracks of each user, predicts the last from all others:
 * `const { train, valid, test } = splitPlays(plays, leaveKOut(plays, { valid: 1, test: 1, which: 'last' }))`,
 * then `evaluateNextItem(new Markov(train), test, { history: [train, valid], filterSeen: true })`.
 *
 * Warns with the share of next tracks that the recommender knows of the same user from training:
 * these it may remember instead of predicting.
 * @param recommender trained on other sessions
 * @param sessions held-out sessions, plays (a session a user), or windows of either, e.g.
 *   `dls.valid.dataset`
 * @throws ArgumentError if all sessions are among those that the recommender was trained on (its
 *   learner's recorder has the accuracy in training); DataError if each user has one play, unless
 *   `history` says what came before
 * @example Table.fromRows([new Markov(train), new SessionKNN(train)].map((r) => evaluateNextItem(r, test, { k: 20, sample: 2000 })))
 */
export function evaluateNextItem(
  recommender: SequenceRecommender,
  sessions: SequenceSource | SequenceDataset,
  options: EvaluateNextItemOptions = {},
): NextItemEvaluation {
  const asked = given(DEFAULTS, options, 'evaluateNextItem');
  const { k, filterSeen, last } = asked;
  checkCount(k, 'k');
  checkFlag(filterSeen, 'filterSeen');
  checkFlag(last, 'last');
  if (typeof recommender?.scoresOf !== 'function')
    throw new ArgumentError(
      `evaluateNextItem needs a next-track recommender, such as new Markov(train), an lstmLearner, or new LSTMRecommender(what trainModel returns), got ${instead(recommender, 'SequenceRecommender')}.`,
    );
  const advice = 'evaluateNextItem(recommender, test, { history: train })';
  const cases = nextTrackCases(recommender, sessions, { ...asked, advice });
  const known = cases.filter(({ target, history }) => target >= 0 && history.length > 0);
  const ranked = filterSeen
    ? known.filter(({ target, history }) => !history.includes(target))
    : known;
  const gains = new RankGains(k);
  const sums = { accuracy: 0, hitRate: 0, mrr: 0, ndcg: 0 };
  const metrics = Object.keys(sums) as (keyof typeof sums)[];
  interruptible(() =>
    rankCases(recommender, ranked, filterSeen, (place) => {
      if (place.higher < k) for (const metric of metrics) sums[metric] += gains[metric](place);
    }),
  );
  const n = cases.length;
  for (const metric of metrics) sums[metric] /= n;
  return { recommender: recommender.name, k, cases: n, unknown: n - known.length, ...sums };
}

/** Options of {@link nextTrackCases}, beside those of {@link evaluateNextItem}. */
interface CaseOptions extends Omit<EvaluateNextItemOptions, 'k' | 'filterSeen'> {
  /** Recommenders that must not have been trained on the cases; default: the one. */
  recommenders?: readonly SequenceRecommender[];
  /** The call to propose if some of the next tracks are known from training. */
  advice: string;
}

/**
 * The cases of an evaluation. Tracks of a history that the recommender does not know are left out.
 * @throws ArgumentError if a recommender was trained on all of them
 */
export function nextTrackCases(
  recommender: SequenceRecommender,
  sessions: SequenceSource | SequenceDataset,
  { sample, seed = 42, recommenders = [recommender], history, last = false, advice }: CaseOptions,
): NextTrackCase[] {
  const all = history
    ? continued(sessions, history)
    : sessions instanceof SequenceDataset
      ? sessions
      : wholeHistories(sessions);
  if (all.everyPosition)
    throw new ArgumentError(
      'These windows have a target at every position. Evaluate the sessions themselves, or windows without everyPosition.',
    );
  if (all.length === 0)
    throw new ArgumentError('There is no window to evaluate. Is this the right part of the split?');
  const windows = last ? lastOfEach(all) : all;
  if (sample !== undefined) checkCount(sample, 'sample');
  for (const one of recommenders) refuseTrainedOn(one, windows);
  for (const one of recommenders) warnOfTrainedOn(one, windows, advice);
  const { items, item } = windows.histories;
  const code = items === recommender.tracks ? undefined : indicesIn(items, recommender.tracks);
  const n = windows.length;
  const order =
    sample !== undefined && sample < n
      ? new Random(seed).child('sample').permutation(n).subarray(0, sample)
      : Int32Array.from({ length: n }, (_, i) => i);
  return Array.from(order, (i) => {
    const end = windows.start[i] + windows.size[i];
    const history = item.subarray(windows.start[i], end);
    return code
      ? { history: history.map((t) => code[t]).filter((t) => t >= 0), target: code[item[end]] }
      : { history, target: item[end] };
  });
}

/** Windows that predict each track of a session, or of a user's plays, except the first. */
function wholeHistories(sessions: SequenceSource): SequenceDataset {
  if (sessions instanceof Plays && sessions.length > 0) {
    const { indptr } = sessions.byUser();
    if (indptr.every((at, u) => u === 0 || at - indptr[u - 1] < 2))
      throw new DataError(
        'A single track has no next one, and each user has one play here. Say what they had played before, by the option { history: train } or { history: [train, valid] }.',
      );
  }
  return createSequences(sessions, { length: Infinity });
}

/** Windows that predict each held-out play of a user from the earlier plays and the history. */
function continued(
  sessions: SequenceSource | SequenceDataset,
  history: Plays | readonly Plays[],
): SequenceDataset {
  const heldOut = 'held-out plays, whose users have one, such as splitPlays makes';
  checkArgument(sessions instanceof Plays, sessions, 'evaluateNextItem with a history', heldOut);
  const before: readonly Plays[] = [history].flat();
  const wanted = 'history, plays or an array of plays, such as [train, valid]';
  for (const part of before)
    checkArgument(part instanceof Plays, part, 'An evaluation of next tracks', wanted);
  const parts = [...before, sessions];
  const { users, tracks } = sessions;
  const items = parts.every((part) => part.tracks === tracks)
    ? tracks
    : Vocabulary.fromValues(
        parts.flatMap((part) => [...part.tracks.classes]),
        { kind: 'track' },
      );
  const read = parts.map((part) => ({
    ...part.byUser(),
    part,
    user: indicesIn(users, part.users),
    code: items === tracks ? undefined : indicesIn(part.tracks, items),
  }));
  const held = read[read.length - 1].indptr;
  const item: number[] = [];
  const indptr = [0];
  const [start, size, sequence]: [number[], number[], number[]] = [[], [], []];
  for (let u = 0; u < users.length; u++) {
    const from = item.length;
    for (const { part, user, code, indptr: at, indices } of held[u] < held[u + 1] ? read : []) {
      if (user[u] < 0) continue;
      for (let j = at[user[u]]; j < at[user[u] + 1]; j++) {
        if (part === sessions && item.length > from) {
          start.push(from);
          size.push(item.length - from);
          sequence.push(u);
        }
        const track = part.track[indices[j]];
        item.push(code ? code[track] : track);
      }
    }
    indptr.push(item.length);
  }
  const played = [Int32Array.from(indptr), Int32Array.from(item)] as const;
  return new SequenceDataset(new Sessions(items, ...played, { users }), Infinity, {
    start: Int32Array.from(start),
    size: Int32Array.from(size),
    first: undefined,
    sequence: Int32Array.from(sequence),
  });
}

/** The window of each sequence that predicts its last track. */
function lastOfEach(windows: SequenceDataset): SequenceDataset {
  const last = new Map<number, number>();
  const end = (i: number): number => windows.start[i] + windows.size[i];
  for (let i = 0; i < windows.length; i++) {
    const before = last.get(windows.sequence[i]);
    if (before === undefined || end(i) > end(before)) last.set(windows.sequence[i], i);
  }
  return windows.take([...last.values()]);
}

/**
 * The rank of a track, given equal scores: one of higher + 1 … higher + equal, each as likely as
 * the others. `higher`: tracks with a higher score; `equal`: tracks with the same, itself included.
 */
export interface Place {
  readonly higher: number;
  readonly equal: number;
}

/** Tells `visit` the place of each next track, among all tracks or those not in its history. */
function rankCases(
  recommender: SequenceRecommender,
  cases: readonly NextTrackCase[],
  filterSeen: boolean,
  visit: (place: Place) => void,
): void {
  const { name, tracks } = recommender;
  const n = tracks.length;
  const tell = (place: Place, { target, history }: NextTrackCase, scores: ArrayLike<number>) =>
    visit(filterSeen ? leaveOut(place, scores, target, new Set(history)) : place);
  if (!recommender.usesHistory) {
    const out = new Float32Array(n);
    if (cases.length > 0) recommender.scoresOf(cases[0].history, out);
    const places = new Map<number, Place>(); // by score
    for (const one of cases) {
      const score = out[one.target];
      const place = places.get(score) ?? placeOf(out, one.target, name);
      places.set(score, place);
      tell(place, one, out);
    }
  } else if (recommender.listOf) {
    const list = new ScoreList(n);
    for (const one of cases) {
      list.clear();
      recommender.listOf(one.history, list);
      tell(placeInList(list, one.target), one, list.score);
    }
  } else {
    const block = Math.max(1, Math.min(256, cases.length, Math.floor(BLOCK_SCORES / n)));
    const out = new Float32Array(block * n);
    for (let from = 0; from < cases.length; from += block) {
      const part = cases.slice(from, from + block);
      const histories = part.map(({ history }) => history);
      recommender.scoresOfMany(histories, out.subarray(0, part.length * n));
      part.forEach((one, b) => {
        const scores = out.subarray(b * n, (b + 1) * n);
        tell(placeOf(scores, one.target, name), one, scores);
      });
    }
  }
}

/** The place of a track among those with a score and all others, whose score is 0. */
function placeInList({ track, score, count, tracks }: ScoreList, target: number): Place {
  const own = Math.fround(score[target]);
  let higher = 0;
  let equal = own === 0 ? tracks - count : 0;
  for (let j = 0; j < count; j++) {
    const other = Math.fround(score[track[j]]);
    if (other > own) higher++;
    else if (other === own) equal++;
  }
  return { higher, equal };
}

/** The place of a track among all scores. */
function placeOf(scores: Float32Array, target: number, name: string): Place {
  const own = scores[target];
  let higher = 0;
  let equal = 0;
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (score < own) continue;
    if (score > own) higher++;
    else if (score === own) equal++;
    else
      throw new NumericError(
        `${name}: a score is NaN. A score must be a number: has training diverged? Try a smaller learning rate.`,
      );
  }
  return { higher, equal };
}

/** The place without some other tracks. */
function leaveOut(
  { higher, equal }: Place,
  scores: ArrayLike<number>,
  target: number,
  without: Iterable<number>,
): Place {
  const own = Math.fround(scores[target]);
  for (const t of without) {
    const score = Math.fround(scores[t]);
    if (score > own) higher--;
    else if (score === own) equal--;
  }
  return { higher, equal };
}

/** The expected value of each metric over the ranks that a place may be. */
export class RankGains {
  readonly mrr: (place: Place) => number;
  readonly ndcg: (place: Place) => number;

  /** @param k ranks beyond it count 0 */
  constructor(readonly k: number) {
    this.mrr = this.mean((rank) => 1 / rank);
    this.ndcg = this.mean((rank) => 1 / Math.log2(rank + 1));
  }

  accuracy({ higher, equal }: Place): number {
    return higher === 0 ? 1 / equal : 0;
  }

  hitRate({ higher, equal }: Place): number {
    return higher >= this.k ? 0 : Math.min(1, (this.k - higher) / equal);
  }

  private mean(gain: (rank: number) => number): (place: Place) => number {
    const { k } = this;
    const sums = new Float64Array(k + 1); // of the gains up to each rank
    for (let rank = 1; rank <= k; rank++) sums[rank] = sums[rank - 1] + gain(rank);
    return ({ higher, equal }) => {
      if (higher >= k) return 0;
      if (equal === 1) return gain(higher + 1);
      return (sums[Math.min(k, higher + equal)] - sums[higher]) / equal;
    };
  }
}
