import { dispose, float32 } from '../compute/memory.js';
import { Table } from '../data/table.js';
import { indicesIn, Vocabulary } from '../data/vocabulary.js';

import { ArgumentError } from '../errors.js';
import { instead, isRecommender } from '../evaluation/parse.js';
import { checkArgument, checkOptions, type NoOptions, said, whatIs } from '../options.js';
import type { SavedForm } from '../recommend/export.js';
import {
  FoldedUser,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../recommend/fold-in.js';
import { Interactions } from '../recommend/interactions.js';
import { type Id, Recommender } from '../recommend/recommender.js';
import {
  cannotFoldIn,
  checkHistories,
  checkScores,
  trackIndex,
  userIndex,
} from '../recommend/resolve-ids.js';
import { checkList, ScoreList, SequenceRecommender } from '../sequential/sequence-recommender.js';

/** Options of {@link Hybrid}. */
export interface HybridOptions {
  /**
   * A weight for each recommender, not negative, at least one more than 0; default 1 each.
   * {@link fitHybrid} finds them.
   */
  weights?: readonly number[];
  /**
   * How scores are made comparable: 'sum' (default) of standardised scores, or 'rank', reciprocal
   * ranks.
   */
  fusion?: Fusion;
  /** Stands in comparisons; default: the names, joined by ` + `. */
  name?: string;
}

/**
 * Several recommenders as one: score = Σ weight · comparable score of the recommender, where
 * comparable means, user by user and over the tracks that they have not played,
 *
 *     'sum'    (score − mean) / standard deviation
 *     'rank'   1 / (60 + rank)      (reciprocal rank fusion)
 *
 * Its tracks are all that any of them knows. To what a recommender does not know it adds nothing,
 * which with 'sum' is its mean: so a recommender by content brings in tracks that nobody has played
 * yet. Users are those of the first recommender.
 * @example new Hybrid([new ItemKNN(train), await EASE.fit(train)], { weights: [0.3, 1] }).recommend(user)
 */
export class Hybrid extends Recommender {
  readonly name: string;
  /** A weight for each recommender. */
  readonly weights: readonly number[];
  /** How scores are made comparable. */
  readonly fusion: Fusion;
  private readonly parts: readonly Part[];

  /** @param recommenders at least one, trained on the same data */
  constructor(
    readonly recommenders: readonly Recommender[],
    options: HybridOptions = {},
  ) {
    const list: readonly unknown[] = Array.isArray(recommenders) ? recommenders : [recommenders];
    const wrong = list.findIndex((each) => !isRecommender(each));
    if (!Array.isArray(recommenders) || wrong >= 0) {
      const got = Array.isArray(recommenders)
        ? `${instead(list[wrong])} as number ${wrong} (from 0)`
        : whatIs(recommenders);
      throw new ArgumentError(
        `Hybrid needs an array of recommenders, such as [new ItemKNN(train), await EASE.fit(train)], got ${got}.`,
      );
    }
    checkOptions(options, ['weights', 'fusion', 'name'], 'Hybrid');
    const {
      weights = recommenders.map(() => 1),
      fusion = 'sum',
      name = recommenders.map((r) => r.name).join(' + '),
    } = options;
    if (recommenders.length === 0)
      throw new ArgumentError('There is no recommender to join. Give at least one.');
    super(jointInteractions(recommenders), {
      catalogue: recommenders.find((r) => r.catalogue)?.catalogue,
    });
    checkArgument(
      Array.isArray(weights),
      weights,
      'Hybrid',
      'weights, one for each recommender, such as [1, 0.5]',
    );
    if (weights.length !== recommenders.length) {
      throw new ArgumentError(
        `There must be a weight for each of the ${recommenders.length} recommenders, got ${weights.length}.`,
      );
    }
    if (
      !weights.every((w) => typeof w === 'number' && w >= 0 && w < Infinity) ||
      !weights.some((w) => w > 0)
    ) {
      throw new ArgumentError(
        `Weights must not be negative, and one must be more than 0, got [${weights.join(', ')}].`,
      );
    }
    checkFusion(fusion);
    this.weights = [...weights];
    this.fusion = fusion;
    this.name = name;
    this.parts = recommenders.map((recommender) => partOf(recommender, this));
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const tracks = this.tracks.length;
    out.fill(0);
    this.parts.forEach((part, p) => {
      if (this.weights[p] > 0)
        eachRow(part, users, this.fusion, (row, b) =>
          add(row, part, this.weights[p], out.subarray(b * tracks, (b + 1) * tracks)),
        );
    });
  }

  /**
   * What each recommender says of a track: a row each, with its name, its own score, that made
   * comparable, its weight, and the contribution (weight times comparable score). The contributions
   * add up to the score.
   * @param user a user of the training data
   * @param track id, title, or "title by artist"
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Table {
    checkOptions(options, [], 'explain');
    const u = Int32Array.of(userIndex(this, user));
    const t = trackIndex(this, track);
    return Table.fromRows(
      this.parts.map((part, p) => {
        const own = part.track ? part.track.indexOf(t) : t;
        const known = own >= 0 && (!part.user || part.user[u[0]] >= 0);
        let [score, comparable] = [NaN, 0];
        if (known) {
          score = ownScore(part, u[0], own);
          eachRow(part, u, this.fusion, (row) => {
            comparable = row[own];
          });
        }
        const weight = this.weights[p];
        return {
          recommender: part.recommender.name,
          score,
          comparable,
          weight,
          contribution: weight * comparable,
        };
      }),
    );
  }

  /** Recommends to a listener by folding them into each part. See {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const unable = this.recommenders.find((r) => !r.canFoldIn);
    if (unable) throw cannotFoldIn(unable);
    const read = readHistory(this, history, options);
    const scores = new Float32Array(this.tracks.length);
    this.parts.forEach((part, p) => {
      const own = read.entries.filter(
        (entry) => !part.track || knowsTrack(part.recommender, this, entry),
      );
      if (this.weights[p] === 0 || own.length === 0) return;
      const row = part.recommender.foldIn(own).scores.slice();
      const played = part.track
        ? Int32Array.from(part.track.keys()).filter((t) => read.track.includes(part.track![t]))
        : read.track;
      normaliseScores(row, played, this.fusion);
      add(row, part, this.weights[p], scores);
    });
    return new FoldedUser(this, read.track, scores, read);
  }

  /** Whether each part can fold a listener in. */
  override get canFoldIn(): boolean {
    return this.recommenders.every((r) => r.canFoldIn);
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<Hybrid> = {
    name: 'Hybrid',
    data: 'none',
    describe: ({ recommenders, weights, fusion, name }) => ({
      config: { weights, fusion, title: name },
      parts: recommenders,
    }),
    make: (_data, config, _tensors, parts) => {
      const fusion = config.text('fusion');
      checkFusion(fusion);
      return new Hybrid(parts, {
        weights: config.numbers('weights', parts.length),
        fusion,
        name: config.text('title'),
      });
    },
  };
}

/**
 * A recommender, and where its users and tracks are in the hybrid; undefined where they are the
 * same.
 */
interface Part {
  readonly recommender: Recommender;
  /** Its index of each user of the hybrid, −1 if unknown. */
  readonly user: Int32Array | undefined;
  /** The hybrid's index of each of its tracks. */
  readonly track: Int32Array | undefined;
}

function partOf(recommender: Recommender, { users, tracks }: Recommender): Part {
  return {
    recommender,
    user: same(users, recommender.users) ? undefined : indicesIn(users, recommender.users),
    track: same(tracks, recommender.tracks) ? undefined : indicesIn(recommender.tracks, tracks),
  };
}

function same(a: Vocabulary, b: Vocabulary): boolean {
  return a === b || (a.length === b.length && a.classes.every((id, i) => id === b.classes[i]));
}

/** What users have played, over the tracks that any of the recommenders knows. */
function jointInteractions([first, ...others]: readonly Recommender[]): Interactions {
  if (others.every((other) => same(first.tracks, other.tracks))) return first.seen;
  const { users, indptr, indices, playcount } = first.seen;
  const tracks = Vocabulary.fromValues(
    [...new Set([first, ...others].flatMap((r) => r.tracks.classes))],
    { kind: first.tracks.kind },
  );
  const to = indicesIn(first.tracks, tracks);
  const user = new Int32Array(indices.length);
  for (let u = 0; u < users.length; u++) user.fill(u, indptr[u], indptr[u + 1]);
  return Interactions.fromPairs({
    users,
    tracks,
    user,
    track: indices.map((t) => to[t]),
    playcount,
  });
}

/**
 * Calls `use` with the comparable scores of each user that a part knows; the row is good for that
 * call only.
 */
function eachRow(
  { recommender, user }: Part,
  users: Int32Array,
  fusion: Fusion,
  use: (row: Float32Array, b: number) => void,
): void {
  const tracks = recommender.tracks.length;
  const known = Array.from(users.keys()).filter((b) => !user || user[users[b]] >= 0);
  const own = Int32Array.from(known, (b) => (user ? user[users[b]] : users[b]));
  const buffer = float32(own.length * tracks); // on the shared memory, so that kernels write into it
  recommender.scores(own, buffer);
  own.forEach((u, i) => {
    const row = buffer.subarray(i * tracks, (i + 1) * tracks);
    normaliseScores(row, recommender.seen.row(u), fusion);
    use(row, known[i]);
  });
  dispose(buffer);
}

function add(row: Float32Array, { track }: Part, weight: number, out: Float32Array): void {
  if (track) for (let t = 0; t < row.length; t++) out[track[t]] += weight * row[t];
  else for (let t = 0; t < row.length; t++) out[t] += weight * row[t];
}

/** A recommender's own score of a track, both by the hybrid's user and its own track. */
function ownScore({ recommender, user }: Part, u: number, track: number): number {
  const row = new Float32Array(recommender.tracks.length);
  recommender.scores(Int32Array.of(user ? user[u] : u), row);
  return row[track];
}

function knowsTrack(recommender: Recommender, hybrid: Recommender, entry: HistoryItem): boolean {
  return recommender.knowsTrack(
    hybrid.tracks.id(trackIndex(hybrid, typeof entry === 'object' ? entry.track : entry)),
  );
}

/** Options of {@link WeightedSum}. */
export interface WeightedSumOptions {
  /** A weight for each recommender, not negative, at least one more than 0; default 1 each. */
  weights?: readonly number[];
  /** Stands in comparisons; default: the names, joined by ` + `. */
  name?: string;
}

/**
 * A sum of recommenders: score = Σ weight · (score of the recommender / its maximum for this
 * history), so that each has a say whatever the size of its scores. Scores of models that are
 * logits come in as exp((score − maximum) / 2), √softmax divided by its maximum. Scores below 0 of
 * others count as 0.
 *
 * Equal weights, the default, are no rule: where one recommender is much better than the others,
 * the sum can be worse than it alone. `fuse` finds weights, 0 among them, on sessions that were
 * held out.
 * @example new WeightedSum([new Markov(train), new SessionKNN(train), new SequentialRules(train)], { weights: [1, 2, 1] })
 */
export class WeightedSum extends SequenceRecommender {
  readonly name: string;
  /** The recommenders, as every sum names them. */
  override readonly parts: readonly SequenceRecommender[];
  /** A weight for each recommender. */
  readonly weights: readonly number[];
  /** Lists the tracks with a score, where all recommenders do. */
  override readonly listOf?: (history: Int32Array, list: ScoreList) => void;
  /** What one recommender says of one history. */
  private readonly list: ScoreList;

  /**
   * @param recommenders at least one, all trained with the same tracks. Users and their histories
   *   are those of the first
   * @throws ArgumentError for recommenders with different tracks, or wrong weights
   */
  constructor(
    readonly recommenders: readonly SequenceRecommender[],
    options: WeightedSumOptions = {},
  ) {
    checkRecommenders(recommenders);
    checkOptions(options, ['weights', 'name'], 'WeightedSum');
    const { weights = recommenders.map(() => 1), name } = options;
    super(recommenders[0].histories);
    checkArgument(
      Array.isArray(weights),
      weights,
      'WeightedSum',
      'weights, one for each recommender, such as [1, 0.5]',
    );
    if (weights.length !== recommenders.length) {
      throw new ArgumentError(
        `There must be a weight for each of the ${recommenders.length} recommenders, got ${weights.length}.`,
      );
    }
    if (
      !weights.every((w) => typeof w === 'number' && w >= 0 && w < Infinity) ||
      !weights.some((w) => w > 0)
    ) {
      throw new ArgumentError(
        `Weights must not be negative, and one must be more than 0, got [${weights.join(', ')}].`,
      );
    }
    this.parts = recommenders;
    this.weights = [...weights];
    this.list = new ScoreList(this.tracks.length);
    this.name = name ?? recommenders.map((r) => r.name).join(' + ');
    if (recommenders.every((r) => r.listOf && r.scale === 'count')) {
      this.listOf = (history, list) => this.addLists(history, list);
    }
  }

  scoresOf(history: Int32Array, out: Float32Array): void {
    this.scoresOfMany([history], out);
  }

  override scoresOfMany(histories: readonly Int32Array[], out: Float32Array): void {
    checkHistories(this, histories, out);
    const tracks = this.tracks.length;
    const part = new Float32Array(out.length);
    out.fill(0);
    this.recommenders.forEach((recommender, r) => {
      const weight = this.weights[r];
      if (weight === 0) return;
      if (recommender.listOf && recommender.scale === 'count') {
        histories.forEach((history, b) => {
          this.addRow(out.subarray(b * tracks, (b + 1) * tracks), { history, recommender, weight });
        });
        return;
      }
      normalisedScores(recommender, histories, part);
      for (let i = 0; i < out.length; i++) out[i] += weight * part[i];
    });
  }

  /** Adds the few scores that a method has, the largest of them as 1. */
  private addRow(
    out: Float32Array,
    {
      history,
      recommender,
      weight,
    }: { history: Int32Array; recommender: SequenceRecommender; weight: number },
  ): void {
    const { list } = this;
    list.clear();
    recommender.listOf!(history, list);
    const factor = weight / list.max();
    for (let j = 0; j < list.count; j++) out[list.track[j]] += factor * list.score[list.track[j]];
  }

  private addLists(history: Int32Array, list: ScoreList): void {
    checkList(history, list);
    const { list: part } = this;
    this.recommenders.forEach((recommender, r) => {
      if (this.weights[r] === 0) return;
      part.clear();
      recommender.listOf!(history, part);
      const factor = this.weights[r] / part.max();
      for (let j = 0; j < part.count; j++)
        list.add(part.track[j], factor * part.score[part.track[j]]);
    });
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<WeightedSum> = {
    name: 'WeightedSum',
    data: 'none',
    describe: ({ recommenders, weights, name }) => ({
      config: { weights, title: name },
      parts: recommenders,
    }),
    make: (_data, config, _tensors, parts) =>
      new WeightedSum(parts as readonly SequenceRecommender[], {
        weights: config.numbers('weights', parts.length),
        name: config.text('title'),
      }),
  };
}

/** Recommenders whose scores can be added: at least one, and all with the same tracks. */
export function checkRecommenders(recommenders: readonly SequenceRecommender[]): void {
  if (!Array.isArray(recommenders as unknown))
    throw new ArgumentError(
      `An array of recommenders of the next track was expected, got ${whatIs(recommenders)}.`,
    );
  if (recommenders.length === 0)
    throw new ArgumentError('There is no recommender to add up. Give at least one.');
  for (const one of recommenders) {
    if (typeof one?.scoresOf === 'function' && isRecommender(one)) continue;
    throw new ArgumentError(
      `A sum needs recommenders of the next track, such as new Markov(train), got ${instead(one, 'SequenceRecommender')}.`,
    );
  }
  const [first, ...others] = recommenders;
  for (const other of others) {
    if (other.tracks === first.tracks) continue;
    if (
      other.tracks.length !== first.tracks.length ||
      other.tracks.classes.some((id, t) => id !== first.tracks.classes[t])
    ) {
      throw new ArgumentError(
        `${first.name} and ${other.name} know different tracks, so their scores cannot be added. Train both on the same data.`,
      );
    }
  }
}

/** How a {@link Hybrid} makes the scores of its recommenders comparable: see there. */
export type Fusion = 'sum' | 'rank';

/**
 * Cormack, Clarke and Büttcher (2009): with it, no single recommender's first place decides alone.
 */
const RANK_OFFSET = 60;

/** Refuses any other way. */
export function checkFusion(fusion: string): asserts fusion is Fusion {
  if (fusion !== 'sum' && fusion !== 'rank')
    throw new ArgumentError(`fusion must be 'sum' or 'rank', got '${said(fusion)}'.`);
}

/**
 * Makes one user's scores comparable with those of other recommenders, in place; −∞ stays. 'sum':
 * (score − mean) / standard deviation over the tracks that the user has not played, all 0 where
 * these do not differ. 'rank': 1 / (60 + rank), rank 1 being the best of the tracks that the user
 * has not played, equal scores at their middle rank.
 * @param scores one a track
 * @param seen tracks that the user has played, ascending
 */
export function normaliseScores(scores: Float32Array, seen: Int32Array, fusion: Fusion): void {
  const played = new Uint8Array(scores.length);
  for (const t of seen) played[t] = 1;
  if (fusion === 'sum') standardise(scores, played);
  else reciprocalRanks(scores, played);
}

function standardise(scores: Float32Array, played: Uint8Array): void {
  let n = 0;
  let sum = 0;
  for (let t = 0; t < scores.length; t++) {
    if (played[t] || scores[t] === -Infinity) continue;
    n++;
    sum += scores[t];
  }
  const mean = n === 0 ? 0 : sum / n;
  let squares = 0;
  for (let t = 0; t < scores.length; t++)
    if (!played[t] && scores[t] !== -Infinity) squares += (scores[t] - mean) ** 2;
  const factor = squares === 0 ? 0 : Math.sqrt(n / squares); // NaN is not 0: it stays, and the ranking reports it
  for (let t = 0; t < scores.length; t++)
    if (scores[t] !== -Infinity) scores[t] = (scores[t] - mean) * factor;
}

function reciprocalRanks(scores: Float32Array, played: Uint8Array): void {
  // Sorted as numbers, which is many times as fast as sorting positions: a rank is looked up by its
  // score.
  const sorted = scores.filter((_, t) => !played[t]).sort();
  const n = sorted.length;
  const ends = new Int32Array(n + 1).fill(n); // where those equal to the one at a position end
  for (let i = n - 2; i >= 0; i--) ends[i] = sorted[i] === sorted[i + 1] ? ends[i + 1] : i + 1;
  let last = NaN;
  let value = 0;
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (score === -Infinity || Number.isNaN(score)) continue;
    if (score !== last) {
      const from = lowerBound(sorted, score);
      const equal = from < n && sorted[from] === score ? ends[from] - from : 0;
      last = score;
      value = 1 / (RANK_OFFSET + 1 + n - from - equal + Math.max(0, equal - 1) / 2);
    }
    scores[t] = value;
  }
}

/** How many of ascending numbers are less than a number. */
function lowerBound(sorted: Float32Array, score: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < score) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Scores made comparable: for each history the best track has 1 and none has less than 0. Counts:
 * score / maximum, all 0 where nothing has a score. Logits: exp((score − maximum) / 2), which is
 * √softmax divided by its maximum; the root keeps the best few from drowning the others.
 * @param out histories × tracks, row-major, overwritten
 */
export function normalisedScores(
  recommender: SequenceRecommender,
  histories: readonly Int32Array[],
  out: Float32Array,
): void {
  recommender.scoresOfMany(histories, out);
  const tracks = recommender.tracks.length;
  const logits = recommender.scale === 'logit';
  for (let b = 0; b < histories.length; b++) {
    const row = out.subarray(b * tracks, (b + 1) * tracks);
    let max = logits ? -Infinity : 0;
    for (let t = 0; t < tracks; t++) if (row[t] > max) max = row[t];
    if (logits) for (let t = 0; t < tracks; t++) row[t] = Math.exp((row[t] - max) / 2);
    else if (max > 0) for (let t = 0; t < tracks; t++) row[t] = row[t] < 0 ? 0 : row[t] / max;
    else for (let t = 0; t < tracks; t++) row[t] = row[t] <= 0 ? 0 : NaN; // NaN is greater than nothing: it must not pass for 0
  }
}
