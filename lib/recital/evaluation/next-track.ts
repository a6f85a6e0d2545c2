import { interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { display } from '../data/display.js';
import { Plays } from '../data/plays.js';
import {
  createSequences,
  Histories,
  SequenceDataset,
  type SequenceSource,
} from '../data/sequences.js';

import { indicesIn, Vocabulary } from '../data/vocabulary.js';

import { ArgumentError, DataError, NumericError } from '../errors.js';
import { checkArgument, checkOptions, whatIs } from '../options.js';
import { checkN } from '../recommend/resolve-ids.js';
import { ScoreList, type SequenceRecommender } from '../sequential/sequence-recommender.js';
import { instead } from './parse.js';

/** Options of {@link evaluateNextItem}. */
export interface EvaluateNextItemOptions {
  /** Length of the lists; default 20, which the literature on sessions uses. */
  k?: number;
  /** Evaluate only so many cases, drawn at random; default: all. */
  sample?: number;
  /** Seed of the draw; default 42. */
  seed?: number | string;
  /**
   * What the users of held-out plays had played before, in order: the plays of training, or of
   * training and validation, one part after the other. Each held-out play is then predicted, the
   * first of a user too, from these and the held-out ones before it. Default: nothing.
   */
  history?: Plays | readonly Plays[];
  /**
   * Rank without the tracks of the history, as where songs are not to be played again; a next track
   * that is among them counts as missed. Default false.
   */
  filterSeen?: boolean;
  /** Predict the last track of each session (or user) alone; default false. */
  last?: boolean;
}

/**
 * The outcome for one recommender: a record, so that `Table.fromRows([a, b])` sets several side by
 * side.
 */
export type NextItemEvaluation = {
  /** Its name. */
  recommender: string;
  /** Length of the lists. */
  k: number;
  /** Predicted tracks, those unknown to the recommender included. */
  cases: number;
  /**
   * Cases whose next track, or whose whole history, the recommender does not know; they count as
   * missed.
   */
  unknown: number;
  /**
   * Share of the cases whose next track is in first place: the accuracy that a classifier reports.
   */
  accuracy: number;
  /**
   * Share of the cases whose next track is among the first k. Papers on sessions call it P@k, or
   * Recall@k: there is one relevant track.
   */
  hitRate: number;
  /** Mean of 1 / rank, 0 beyond k. */
  mrr: number;
  /** Mean of 1 / log2(rank + 1), 0 beyond k. */
  ndcg: number;
};

/**
 * A history and the track that came next, both as indices of the recommender; `target` −1 where it
 * cannot be right.
 */
export interface NextTrackCase {
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
 * Protocol: every track of every session but the first is predicted from all tracks before it; with
 * windows, from the window. The whole catalogue is ranked (no sampled negatives), tracks of the
 * history included, since songs are played again, unless `filterSeen` says otherwise. Ties: each
 * metric is its expected value over all orders of the tracks with equal scores, as in
 * {@link evaluate}: a track with m of the same score, itself included, has each of the m ranks with
 * chance 1/m, so that a model that scores all alike is as good as chance. Scores are compared as
 * float32.
 *
 * Leave-one-out, the usual protocol for a listener's next track, trained on all but the last two of
 * each, asked with all but the last:
 * `const { train, valid, test } = splitPlays(plays, leaveKOut(plays, { valid: 1, test: 1, which: 'last' }))`,
 * then `evaluateNextItem(new Markov(train), test, { history: [train, valid], filterSeen: true })`.
 *
 * Warns with the share of next tracks that the recommender knows of the same user from training:
 * these it may remember instead of predicting.
 * @param recommender trained on other sessions
 * @param sessions held-out sessions, plays (a session a user), or windows of either, e.g.
 *   `dls.valid.dataset`
 * @throws ArgumentError for sessions that the recommender was trained on, all of them: the accuracy
 *   in training is what its learner's recorder says; DataError for plays of which each user has
 *   one, unless `history` says what came before
 * @example Table.fromRows([new Markov(train), new SessionKNN(train)].map((r) => evaluateNextItem(r, test, { k: 20, sample: 2000 })))
 */
export function evaluateNextItem(
  recommender: SequenceRecommender,
  sessions: SequenceSource | Histories | SequenceDataset,
  options: EvaluateNextItemOptions = {},
): NextItemEvaluation {
  checkOptions(
    options,
    ['k', 'sample', 'seed', 'history', 'filterSeen', 'last'],
    'evaluateNextItem',
  );
  const { k = 20, sample, seed = 42, history, filterSeen = false, last = false } = options;
  checkN(k, 'k');
  for (const [name, value] of Object.entries({ filterSeen, last }))
    if (typeof value !== 'boolean')
      throw new ArgumentError(`${name} must be true or false, got ${whatIs(value)}.`);
  if (typeof recommender?.scoresOf !== 'function') {
    throw new ArgumentError(
      `evaluateNextItem needs what recommends the next track, such as new Markov(train), an lstmLearner, or new LSTMRecommender(what trainModel returns), got ${instead(recommender, 'SequenceRecommender')}.`,
    );
  }
  const cases = nextTrackCases(recommender, sessions, {
    sample,
    seed,
    history,
    last,
    advice: 'evaluateNextItem(recommender, test, { history: train })',
  });
  const known = cases.filter(({ target, history }) => target >= 0 && history.length > 0);
  const asked = filterSeen
    ? known.filter(({ target, history }) => !history.includes(target))
    : known;
  const gains = new RankGains(k);
  const sums = { accuracy: 0, hitRate: 0, mrr: 0, ndcg: 0 };
  const count = (place: Place): void => {
    if (place.higher >= k) return;
    sums.hitRate += gains.hitRate(place);
    sums.mrr += gains.mrr(place);
    sums.ndcg += gains.ndcg(place);
    sums.accuracy += gains.accuracy(place);
  };
  const without = (history: Int32Array): ReadonlySet<number> | undefined =>
    filterSeen ? new Set(history) : undefined;
  const rank = !recommender.usesHistory
    ? rankOnce
    : recommender.listOf
      ? rankByLists
      : rankByBlocks;
  interruptible(() => rank(recommender, asked, { count, without }));
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

/** What {@link nextTrackCases} is asked. */
interface CaseOptions {
  /** So many, drawn at random; default: all, in order. */
  sample?: number;
  seed?: number | string;
  /** Those that must not have been trained on them; default: the one. */
  recommenders?: readonly SequenceRecommender[];
  history?: Plays | readonly Plays[];
  last?: boolean;
  /** The call to propose if some of the next tracks are known from training. */
  advice: string;
}

/**
 * The cases of an evaluation, in the recommender's indices. Tracks of a history that it does not
 * know are left out. Throws for what it was trained on.
 */
export function nextTrackCases(
  recommender: SequenceRecommender,
  sessions: SequenceSource | Histories | SequenceDataset,
  { sample, seed = 42, recommenders = [recommender], history, last = false, advice }: CaseOptions,
): NextTrackCase[] {
  const all = history
    ? continued(sessions, history)
    : sessions instanceof SequenceDataset
      ? sessions
      : wholeHistories(sessions);
  if (all.everyPosition) {
    throw new ArgumentError(
      'These windows have a target at every position. Evaluate the sessions themselves, or windows without everyPosition.',
    );
  }
  if (all.length === 0)
    throw new ArgumentError('There is no window to evaluate. Is this the right part of the split?');
  const windows = last ? lastOfEach(all) : all;
  if (sample !== undefined) checkN(sample, 'sample');
  for (const one of recommenders) refuseTrainedOn(one, windows);
  for (const one of recommenders) warnOfTrainedOn(one, windows, advice);
  const { items, item } = windows.histories;
  const same = items === recommender.tracks;
  const code = same
    ? undefined
    : Int32Array.from({ length: items.length }, (_, i) => recommender.tracks.indexOf(items.id(i)));
  const order =
    sample === undefined || sample >= windows.length
      ? undefined
      : new Random(seed).child('sample').permutation(windows.length);
  return Array.from({ length: order ? sample! : windows.length }, (_, j) => {
    const i = order ? order[j] : j;
    const end = windows.start[i] + windows.size[i];
    const history = item.subarray(windows.start[i], end);
    return code
      ? { history: history.map((t) => code[t]).filter((t) => t >= 0), target: code[item[end]] }
      : { history, target: item[end] };
  });
}

/** Sessions, or plays, each track but the first of which is predicted. */
function wholeHistories(sessions: SequenceSource | Histories): SequenceDataset {
  if (sessions instanceof Plays) {
    const { indptr } = sessions.byUser();
    if (sessions.length > 0 && indptr.every((at, u) => u === 0 || at - indptr[u - 1] < 2)) {
      throw new DataError(
        'A single track has no next one, and each user has one play here. Say what they had played before, by the option ' +
          '{ history: train } or { history: [train, valid] }.',
      );
    }
  }
  return createSequences(sessions, { length: Infinity });
}

/**
 * Windows that predict each of some plays from those before it: earlier ones of the same users, and
 * their own.
 */
function continued(
  sessions: SequenceSource | Histories | SequenceDataset,
  history: Plays | readonly Plays[],
): SequenceDataset {
  checkArgument(
    sessions instanceof Plays,
    sessions,
    'evaluateNextItem with a history',
    'held-out plays, whose users have one, such as splitPlays makes',
  );
  const before = Array.isArray(history) ? (history as readonly Plays[]) : [history as Plays];
  for (const part of before)
    checkArgument(
      part instanceof Plays,
      part,
      'An evaluation of next tracks',
      'history, plays or an array of plays, such as [train, valid]',
    );
  const parts = [...before, sessions];
  const same = parts.every(({ tracks }) => tracks === sessions.tracks);
  const items = same
    ? sessions.tracks
    : Vocabulary.fromValues(
        parts.flatMap(({ tracks }) => [...tracks.classes]),
        { kind: 'track' },
      );
  const read = parts.map((part) => ({
    ...part.byUser(),
    part,
    user: indicesIn(sessions.users, part.users),
    code: same ? undefined : indicesIn(part.tracks, items),
  }));
  const item: number[] = [];
  const indptr = [0];
  const [start, size, sequence]: [number[], number[], number[]] = [[], [], []];
  for (let u = 0; u < sessions.users.length; u++) {
    const from = item.length;
    const own = read[read.length - 1];
    if (own.indptr[u] < own.indptr[u + 1]) {
      for (const { part, user, code, indptr: at, indices } of read) {
        if (user[u] < 0) continue;
        for (let j = at[user[u]]; j < at[user[u] + 1]; j++) {
          const track = part.track[indices[j]];
          if (part === sessions && item.length > from) {
            start.push(from);
            size.push(item.length - from);
            sequence.push(u);
          }
          item.push(code ? code[track] : track);
        }
      }
    }
    indptr.push(item.length);
  }
  const histories = Histories.from({
    items,
    users: sessions.users,
    indptr: Int32Array.from(indptr),
    item: Int32Array.from(item),
  });
  return new SequenceDataset(histories, Infinity, {
    start: Int32Array.from(start),
    size: Int32Array.from(size),
    first: undefined,
    sequence: Int32Array.from(sequence),
  });
}

/** Of the windows of each sequence the one that predicts its last track. */
function lastOfEach(windows: SequenceDataset): SequenceDataset {
  const last = new Map<number, number>();
  const end = (i: number): number => windows.start[i] + windows.size[i];
  for (let i = 0; i < windows.length; i++) {
    const before = last.get(windows.sequence[i]);
    if (before === undefined || end(i) > end(before)) last.set(windows.sequence[i], i);
  }
  return windows.take([...last.values()]);
}

/** What is done with each case. */
interface Ranking {
  count: (place: Place) => void;
  /** Tracks that are no candidates after a history. */
  without: (history: Int32Array) => ReadonlySet<number> | undefined;
}

function rankOnce(
  recommender: SequenceRecommender,
  cases: readonly NextTrackCase[],
  { count, without }: Ranking,
): void {
  const out = new Float32Array(recommender.tracks.length);
  if (cases.length > 0) recommender.scoresOf(cases[0].history, out);
  const places = new Map<number, Place>(); // by score: tracks with the same one have the same place
  for (const { target, history } of cases) {
    const place = places.get(out[target]) ?? placeOf(out, target, recommender);
    places.set(out[target], place);
    count(leaveOut(place, out[target], without(history), (t) => out[t]));
  }
}

function rankByLists(
  recommender: SequenceRecommender,
  cases: readonly NextTrackCase[],
  { count, without }: Ranking,
): void {
  const list = new ScoreList(recommender.tracks.length);
  for (const { history, target } of cases) {
    list.clear();
    recommender.listOf!(history, list);
    count(placeInList(list, target, without(history)));
  }
}

function rankByBlocks(
  recommender: SequenceRecommender,
  cases: readonly NextTrackCase[],
  { count, without }: Ranking,
): void {
  const tracks = recommender.tracks.length;
  const block = Math.max(1, Math.min(256, cases.length, Math.floor(BLOCK_SCORES / tracks)));
  const out = new Float32Array(block * tracks);
  for (let from = 0; from < cases.length; from += block) {
    const part = cases.slice(from, from + block);
    recommender.scoresOfMany(
      part.map(({ history }) => history),
      out.subarray(0, part.length * tracks),
    );
    part.forEach(({ target, history }, b) => {
      count(
        placeOf(out.subarray(b * tracks, (b + 1) * tracks), target, {
          name: recommender.name,
          without: without(history),
        }),
      );
    });
  }
}

/**
 * Where a track stands: how many others have a higher score, and how many, itself included, the
 * same. Any order of these is as likely as another, so its rank is one of higher + 1 … higher +
 * equal.
 */
export interface Place {
  readonly higher: number;
  readonly equal: number;
}

/**
 * The place of a track among all scores.
 * @param options.name the recommender's, for the error; `without`: tracks that are no candidates
 *   (the target is not among them)
 * @throws NumericError if a score is NaN
 */
export function placeOf(
  scores: Float32Array,
  target: number,
  { name, without }: { name: string; without?: ReadonlySet<number> },
): Place {
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
  return leaveOut({ higher, equal }, own, without, (t) => scores[t]);
}

/** The same for a list, in which tracks that are not listed have the score 0. */
export function placeInList(list: ScoreList, target: number, without?: ReadonlySet<number>): Place {
  const { track, score, count } = list;
  const own = Math.fround(score[target]);
  let higher = 0;
  let equal = own === 0 ? list.tracks - count : 0;
  for (let j = 0; j < count; j++) {
    const other = Math.fround(score[track[j]]);
    if (other > own) higher++;
    else if (other === own) equal++;
  }
  return leaveOut({ higher, equal }, own, without, (t) => Math.fround(score[t]));
}

/** The place if some tracks are no candidates. */
export function leaveOut(
  { higher, equal }: Place,
  own: number,
  without: Iterable<number> | undefined,
  scoreOf: (t: number) => number,
): Place {
  for (const t of without ?? []) {
    const score = scoreOf(t);
    if (score > own) higher--;
    else if (score === own) equal--;
  }
  return { higher, equal };
}

/** What a place is worth: the expected value of each metric over the ranks that it may be. */
export class RankGains {
  /** Up to each rank, the sums of 1 / rank and of 1 / log2(rank + 1). */
  private readonly reciprocal: Float64Array;
  private readonly discount: Float64Array;

  /** @param k ranks beyond it are worth nothing */
  constructor(readonly k: number) {
    this.reciprocal = new Float64Array(k + 1);
    this.discount = new Float64Array(k + 1);
    for (let rank = 1; rank <= k; rank++) {
      this.reciprocal[rank] = this.reciprocal[rank - 1] + 1 / rank;
      this.discount[rank] = this.discount[rank - 1] + 1 / Math.log2(rank + 1);
    }
  }

  /** The chance of being first. */
  accuracy({ higher, equal }: Place): number {
    return higher === 0 ? 1 / equal : 0;
  }

  /** The chance of being among the first k. */
  hitRate({ higher, equal }: Place): number {
    return higher >= this.k ? 0 : Math.min(1, (this.k - higher) / equal);
  }

  mrr(place: Place): number {
    return place.equal === 1
      ? place.higher < this.k
        ? 1 / (place.higher + 1)
        : 0
      : this.mean(this.reciprocal, place);
  }

  ndcg(place: Place): number {
    return place.equal === 1
      ? place.higher < this.k
        ? 1 / Math.log2(place.higher + 2)
        : 0
      : this.mean(this.discount, place);
  }

  private mean(sums: Float64Array, { higher, equal }: Place): number {
    return higher >= this.k ? 0 : (sums[Math.min(this.k, higher + equal)] - sums[higher]) / equal;
  }
}

/**
 * Throws if a recommender was trained on the very tracks that it is to predict: it would be
 * measured by how well it remembers.
 *
 * It was if each sequence, up to the last track that is asked for, is part of what it has of the
 * same user, track after track; of sessions, which have numbers instead of names, if the session of
 * the same number is the same. A user who plays a few songs again in the same order does not make
 * it so: all must. What cannot be known is let be: held-out plays drawn at random from the middle
 * of a history, say.
 */
export function refuseTrainedOn(recommender: SequenceRecommender, windows: SequenceDataset): void {
  if (recommender.parts) {
    for (const part of recommender.parts) refuseTrainedOn(part, windows);
    return;
  }
  if (!(recommender.histories instanceof Histories) || isHeldOut(windows, recommender.heldOut))
    return;
  const trained = recommender.histories;
  const { histories, sequence, start, size } = windows;
  const last = new Map<number, number>(); // of each sequence, where the last track is that is asked for
  for (let i = 0; i < windows.length; i++)
    last.set(sequence[i], Math.max(last.get(sequence[i]) ?? 0, start[i] + size[i]));
  const code = Int32Array.from({ length: histories.items.length }, (_, i) =>
    trained.items.indexOf(histories.items.id(i)),
  );
  for (const [s, at] of last) {
    const own = sequenceIn(trained, histories, s);
    if (own < 0) return;
    const asked = histories.item
      .subarray(histories.indptr[s], histories.users ? at + 1 : histories.indptr[s + 1])
      .map((t) => code[t]);
    const known = trained.item.subarray(trained.indptr[own], trained.indptr[own + 1]);
    if (!histories.users && known.length !== asked.length) return;
    if (!contains(known, asked)) return;
  }
  const [s, at] = last.entries().next().value!;
  const of = histories.users ? `user "${histories.users.id(s)}"` : `session ${s}`;
  throw new ArgumentError(
    `${recommender.name} was trained on the plays that it is to be measured by: on all of them, such as track "${histories.items.id(histories.item[at])}" of ${of}. ` +
      'Train it on other sessions, or on the training part of a split: leaveKOut(plays) makes one.',
  );
}

/**
 * Warns if a recommender knows some of the tracks that it is to predict from training, of the same
 * user (or of the very same session): of plays, in which a user has a track once, these are the
 * plays that it was trained on.
 * @param advice the call that would be right
 */
export function warnOfTrainedOn(
  recommender: SequenceRecommender,
  windows: SequenceDataset,
  advice: string,
): void {
  const known = knownTargets(recommender, windows);
  if (known === 0) return;
  const of = `${known.toLocaleString('en')} of ${windows.length.toLocaleString('en')}`;
  display().warn(
    `${recommender.name} has seen ${((100 * known) / windows.length).toFixed(1)} % of the next tracks (${of}) in training, played by the same ` +
      `${windows.histories.users ? 'user' : 'session'}. Unless they were played again, it is measured by what it remembers: give held-out plays alone, and say what ` +
      `came before, ${advice}.`,
  );
}

/**
 * How many windows predict a track that training has of the same user, or of the session of the
 * same number, if it is the same.
 */
function knownTargets(recommender: SequenceRecommender, windows: SequenceDataset): number {
  if (recommender.parts)
    return Math.max(...recommender.parts.map((part) => knownTargets(part, windows)));
  if (!(recommender.histories instanceof Histories) || isHeldOut(windows, recommender.heldOut))
    return 0;
  const trained = recommender.histories;
  const { histories, sequence, start, size } = windows;
  const code = Int32Array.from({ length: histories.items.length }, (_, i) =>
    trained.items.indexOf(histories.items.id(i)),
  );
  const tracks = new Map<number, ReadonlySet<number>>(); // of each sequence, those that training has
  let known = 0;
  for (let i = 0; i < windows.length; i++) {
    const s = sequence[i];
    let own = tracks.get(s);
    if (!own) {
      const other = sequenceIn(trained, histories, s);
      const there =
        other < 0
          ? new Int32Array(0)
          : trained.item.subarray(trained.indptr[other], trained.indptr[other + 1]);
      const here = histories.item.subarray(histories.indptr[s], histories.indptr[s + 1]);
      const same =
        histories.users !== undefined ||
        (there.length === here.length && here.every((t, j) => code[t] === there[j]));
      own = new Set(same ? there : []);
      tracks.set(s, own);
    }
    if (own.has(code[histories.item[start[i] + size[i]]])) known++;
  }
  return known;
}

/**
 * Whether windows are among those that a model has held out itself: what they predict was not
 * learnt, though other windows have read it.
 */
function isHeldOut(windows: SequenceDataset, heldOut: SequenceDataset | undefined): boolean {
  if (!heldOut || heldOut.histories !== windows.histories) return false;
  const targets = new Set(heldOut.start.map((from, i) => from + heldOut.size[i]));
  return windows.start.every((from, i) => targets.has(from + windows.size[i]));
}

/**
 * The sequence of the same user, or the session of the same number, among those of training; −1 if
 * there is none.
 */
function sequenceIn(trained: Histories, { users }: Histories, s: number): number {
  if (users) return trained.users ? trained.users.indexOf(users.id(s)) : -1;
  if (trained.users)
    return trained.users.kind === 'session' ? trained.users.indexOf(String(s)) : -1; // sessions of which some were left out
  return s < trained.length ? s : -1;
}

/** Whether some tracks are part of others, one after the other without a gap. */
function contains(tracks: Int32Array, part: Int32Array): boolean {
  for (
    let from = tracks.indexOf(part[0]);
    from >= 0 && from + part.length <= tracks.length;
    from = tracks.indexOf(part[0], from + 1)
  ) {
    let same = 1;
    while (same < part.length && tracks[from + same] === part[same]) same++;
    if (same === part.length) return true;
  }
  return false;
}
