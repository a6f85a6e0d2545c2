import { type Cell, type Column, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { visible } from '../printed.js';
import { trackInfo } from './recommendations.js';
import { type Id, type Recommender, userIndex } from './recommender.js';

/** What an {@link Explanation} adds up from, beside the contributions of tracks. */
export interface ExplanationParts {
  /** The track's own bias. */
  readonly trackBias: number;
  /** The user's bias, the same for every track. */
  readonly userBias: number;
  /** What tracks that were not played contribute, where training draws negatives; else 0. */
  readonly unplayed: number;
  /** What training gave the user beyond what their tracks explain; 0 for one who is folded in. */
  readonly remainder: number;
}

/**
 * Which of a user's tracks speak for a track, and which against it: one row per track of theirs,
 * the strongest first; columns track_id, title, artist and year as far as the catalogue has them,
 * the rating (or playcount) that training has of it, and contribution. In the units of `scores`,
 * before range and activation: trackBias + userBias + Σ contribution + unplayed + remainder =
 * total.
 * @example
 * const why = learn.explain(user, learn.recommend(user).ids[0]);
 * why.head(5);
 * why.total; // what the prediction is made of
 */
export class Explanation extends Table implements ExplanationParts {
  readonly trackBias: number;
  readonly userBias: number;
  readonly unplayed: number;
  readonly remainder: number;
  /** The user's score of the track. */
  readonly total: number;

  /**
   * @param name of the track that is explained
   * @param columns `contribution` is among them
   */
  constructor(
    readonly name: string,
    columns: Record<string, Column>,
    { trackBias = 0, userBias = 0, unplayed = 0, remainder = 0 }: Partial<ExplanationParts>,
  ) {
    super(columns);
    this.trackBias = trackBias;
    this.userBias = userBias;
    this.unplayed = unplayed;
    this.remainder = remainder;
    this.total = trackBias + userBias + this.ofTracks() + unplayed + remainder;
  }

  /** The sum of the contributions. */
  private ofTracks(): number {
    return this.numbers('contribution').reduce((a, b) => a + b, 0);
  }

  /** For JSON.stringify: what is explained, the sum and its parts, and the tracks, a record each. */
  override toJSON(): ExplanationParts & {
    track: string;
    total: number;
    tracks: Record<string, Cell>[];
  } {
    const { name: track, total, trackBias, userBias, unplayed, remainder } = this;
    return { track, total, trackBias, userBias, unplayed, remainder, tracks: this.rows() };
  }

  /** The table, and the sum below it. */
  override toString(maxRows = 20): string {
    const parts = {
      "the track's bias": this.trackBias,
      "the user's bias": this.userBias,
      'their tracks': this.ofTracks(),
      'tracks not played': this.unplayed,
      remainder: this.remainder,
    };
    const sum = Object.entries(parts).map(([part, value]) => `${part} ${value.toFixed(4)}`);
    return `${super.toString(maxRows)}\n${visible(this.name)}: ${sum.join(' + ')} = ${this.total.toFixed(4)}`;
  }
}

/**
 * An explanation whose rows are sorted by contribution.
 * @param track index of the track that is explained
 * @param columns.own indices of the user's tracks; the others, `contribution` last, have a number
 *   for each
 */
export function explanation(
  recommender: Pick<Recommender, 'tracks' | 'catalogue' | 'names'>,
  track: number,
  {
    own,
    ...columns
  }: { own: Int32Array; contribution: Float64Array } & Record<string, ArrayLike<number>>,
  parts: Partial<ExplanationParts> = {},
): Explanation {
  const { tracks, catalogue } = recommender;
  const by = columns.contribution;
  const order = Array.from(own.keys()).sort((a, b) => by[b] - by[a] || a - b);
  const table = trackInfo(tracks.decode(order.map((i) => own[i])), recommender);
  for (const [name, values] of Object.entries(columns))
    table[name] = Float64Array.from(order, (i) => values[i]);
  const id = tracks.id(track);
  return new Explanation(catalogue?.label(id) ?? id, table, parts);
}

/**
 * The explanation by what a user has played in training: columns as in {@link Explanation}.
 * @param of the user, and the track index that is explained; `remainder`: what the contributions
 *   lack of the score, default 0; `similarity`: makes a further column
 * @param contribution of one of the user's tracks, given its index and its position in `seen`
 */
export function explainByTracks(
  recommender: Recommender,
  of: { user: Id; track: number; remainder?: number; similarity?: (own: number) => number },
  contribution: (own: number, at: number) => number,
): Explanation {
  const { seen, name } = recommender;
  if (seen.totals)
    throw new ArgumentError(
      `${name} was exported without listening histories ({ seen: false }), so there is nothing that explain could go back to.`,
    );
  const user = userIndex(recommender, of.user);
  const from = seen.indptr[user];
  const own = seen.row(user);
  return explanation(
    recommender,
    of.track,
    {
      own,
      playcount: seen.playcount.subarray(from, from + own.length),
      ...(of.similarity && { similarity: Float64Array.from(own, of.similarity) }),
      contribution: Float64Array.from(own, (t, i) => contribution(t, from + i)),
    },
    { remainder: of.remainder },
  );
}
