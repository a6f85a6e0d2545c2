import type { CsrRows } from '../data/csr.js';
import type { Plays } from '../data/plays.js';
import { indicesIn, type Vocabulary } from '../data/vocabulary.js';

import { ArgumentError } from '../errors.js';
import { Interactions } from '../recommend/interactions.js';
import {
  type AccuracyMetric,
  accuracyMetrics,
  expectedOfHits,
  hasTies,
  metricsOfHits,
  type UserMetrics,
} from './metrics.js';
import { meanOf } from './statistics.js';

/**
 * Numbers for tracks that hold across recommenders, whose own indices differ with what they were
 * trained on.
 */
export class TrackCodes {
  private readonly byId = new Map<string, number>();
  private readonly byVocabulary = new Map<Vocabulary, Int32Array>();

  /** Tracks numbered so far. */
  get length(): number {
    return this.byId.size;
  }

  /** The number of each class of a vocabulary; new tracks get the next ones. */
  of(tracks: Vocabulary): Int32Array {
    const known = this.byVocabulary.get(tracks);
    if (known) return known;
    const codes = Int32Array.from(tracks.classes, (id) => {
      const code = this.byId.get(id) ?? this.byId.size;
      this.byId.set(id, code);
      return code;
    });
    this.byVocabulary.set(tracks, codes);
    return codes;
  }

  /** The ids, by number. */
  ids(): string[] {
    return [...this.byId.keys()];
  }
}

/** What is right for whom: the held-out tracks of each user that are new to them. */
export class HeldOut {
  /** Numbers of tracks, those of training first. */
  readonly codes: TrackCodes = new TrackCodes();
  /** Users with a track to be found. */
  readonly users: readonly string[];
  /** Their tracks, by number: a row a user. */
  readonly relevant: CsrRows;
  /** Tracks of each of these users in training; 0 for a user that training has not. */
  readonly activity: Int32Array;
  /**
   * Listeners of each track in training, by number; as long as the tracks of training and of the
   * held-out plays.
   */
  readonly listeners: Int32Array;
  /** Users in training. */
  readonly trainUsers: number;
  /** Tracks in training: they have the numbers 0 … trainTracks − 1. */
  readonly trainTracks: number;

  /**
   * @param train the plays that recommenders are trained on
   * @param heldOut the plays to be found
   * @param options.users these only; default: all
   */
  constructor(train: Plays, heldOut: Plays, { users }: { users?: ReadonlySet<string> } = {}) {
    const before = Interactions.fromPlays(train);
    const after = Interactions.fromPlays(heldOut);
    const trainCode = this.codes.of(before.tracks);
    this.trainTracks = this.codes.length;
    this.trainUsers = before.users.length;
    const code = this.codes.of(after.tracks);
    this.listeners = new Int32Array(this.codes.length);
    before.listeners().forEach((n, t) => {
      this.listeners[trainCode[t]] = n;
    });
    const ids: string[] = [];
    const activity: number[] = [];
    const indptr = [0];
    const indices: number[] = [];
    const ownOf = users ? undefined : indicesIn(after.users, before.users);
    after.users.classes.forEach((id, u) => {
      if (users && !users.has(id)) return;
      const own = ownOf ? ownOf[u] : before.users.indexOf(id);
      for (const t of after.row(u)) {
        if (own >= 0 && code[t] < this.trainTracks && before.has(own, code[t])) continue; // training's tracks have their own index for a number
        indices.push(code[t]);
      }
      if (indices.length === indptr[indptr.length - 1]) return;
      ids.push(id);
      activity.push(own < 0 ? 0 : before.row(own).length);
      indptr.push(indices.length);
    });
    this.users = ids;
    this.activity = Int32Array.from(activity);
    this.relevant = { indptr: Int32Array.from(indptr), indices: Int32Array.from(indices) };
    if (ids.length === 0)
      throw new ArgumentError(
        'No user has a held-out track that is not in training as well, so there is nothing to measure. Is this the right part?',
      );
  }
}

/**
 * Lists of tracks by number, a row a user: rows × n, −1 where a list ends early. Equal scores are
 * in the order of ids.
 */
export interface CodedLists {
  readonly n: number;
  readonly track: Int32Array;
  readonly ties: Ties;
  /** The same lists with equal scores in an order of chance, where this was asked for. */
  readonly shuffled: Int32Array | undefined;
}

/** Where lists have equal scores, so that metrics can be expected values over their orders. */
export interface Ties {
  /** For each list, 1 if it has equal scores at all; lists without are measured faster. */
  readonly any: Uint8Array;
  /** rows × n: 1 for a track with the score of the one before it. */
  readonly same: Uint8Array;
  /** For each list, how many tracks that are not on it have the score of its last one. */
  readonly beyond: Int32Array;
  /** The relevant ones among these, by list; none where there is no entry. */
  readonly missed: ReadonlyMap<number, Int32Array>;
}

/**
 * Which of the recommended tracks are relevant: rows × n, 1 or 0.
 * @param options.relevant a row a list; numbers below 0 are never recommended
 * @param options.codes how many tracks are numbered
 */
export function hitsOfLists(
  { n, track }: Pick<CodedLists, 'n' | 'track'>,
  { relevant, codes }: { relevant: CsrRows; codes: number },
): Uint8Array {
  const hits = new Uint8Array(track.length);
  const relevantFor = new Int32Array(codes).fill(-1); // the list for which a track is relevant
  for (let row = 0; row < relevant.indptr.length - 1; row++) {
    for (let j = relevant.indptr[row]; j < relevant.indptr[row + 1]; j++)
      if (relevant.indices[j] >= 0) relevantFor[relevant.indices[j]] = row;
    for (let i = row * n; i < (row + 1) * n; i++)
      if (track[i] >= 0 && relevantFor[track[i]] === row) hits[i] = 1;
  }
  return hits;
}

/**
 * The metrics of each list at k, by name; NaN where nothing is relevant. Where scores are equal,
 * the expected values over their orders.
 * @param hits of the lists, see {@link hitsOfLists}
 */
export function metricsOfLists(
  hits: Uint8Array,
  { n, ties }: Pick<CodedLists, 'n' | 'ties'>,
  { k, relevant }: { k: number; relevant: CsrRows },
): Record<AccuracyMetric, Float64Array> {
  const rows = relevant.indptr.length - 1;
  const column = (): Float64Array => new Float64Array(rows).fill(NaN);
  const out = {
    precision: column(),
    recall: column(),
    hitRate: column(),
    map: column(),
    mrr: column(),
    ndcg: column(),
  };
  for (let row = 0; row < rows; row++) {
    const count = relevant.indptr[row + 1] - relevant.indptr[row];
    if (count === 0) continue;
    const user =
      (ties.any[row] && expectedOfRow(hits, row, { n, ties, k, relevant })) ||
      metricsOfHits(hits.subarray(row * n, row * n + Math.min(k, n)), count, k);
    for (const name of accuracyMetrics) out[name][row] = user[name];
  }
  return out;
}

/** The expected metrics of a list, if equal scores can make a difference to the first k. */
function expectedOfRow(
  hits: Uint8Array,
  row: number,
  { n, ties, k, relevant }: Pick<CodedLists, 'n' | 'ties'> & { k: number; relevant: CsrRows },
): UserMetrics | undefined {
  const [same, beyond] = [ties.same.subarray(row * n, (row + 1) * n), ties.beyond[row]];
  if (!hasTies({ same, beyond }, k)) return undefined;
  const missed = beyond > 0 ? countIn(ties.missed.get(row), relevant, row) : 0;
  const count = relevant.indptr[row + 1] - relevant.indptr[row];
  return expectedOfHits(
    hits.subarray(row * n, (row + 1) * n),
    { same, beyond, missed },
    { relevant: count, k },
  );
}

/** How many of some tracks are in a row. */
function countIn(
  tracks: Int32Array | undefined,
  { indptr, indices }: CsrRows,
  row: number,
): number {
  if (!tracks) return 0;
  const own = new Set(indices.subarray(indptr[row], indptr[row + 1]));
  return tracks.reduce((n, track) => n + (own.has(track) ? 1 : 0), 0);
}

/** The mean of each metric over the lists that have one. */
export function meansOf({
  precision,
  recall,
  hitRate,
  map,
  mrr,
  ndcg,
}: Record<AccuracyMetric, Float64Array>): UserMetrics {
  return {
    precision: meanOf(precision),
    recall: meanOf(recall),
    hitRate: meanOf(hitRate),
    map: meanOf(map),
    mrr: meanOf(mrr),
    ndcg: meanOf(ndcg),
  };
}
