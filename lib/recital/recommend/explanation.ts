import { type Cell, type Column, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { visible } from '../printed.js';
import { trackInfo } from './recommendations.js';
import { type Id, type Recommender, userIndex } from './recommender.js';

/** What an {@link Explanation} adds up from. */
export interface ExplanationParts {
  /** The track's own bias. */
  readonly trackBias: number;
  /** The listener's bias, the same for every track. */
  readonly userBias: number;
  /**
   * What the tracks that were not played contribute; 0 unless training draws
   * negatives on single rows.
   */
  readonly unplayed: number;
  /**
   * What training gave the listener beyond what their tracks explain; 0 for a listener who was
   * folded in.
   */
  readonly remainder: number;
}

/**
 * Which of a listener's tracks speak for a track, and which against it: one row a track of theirs,
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
  /** The listener's score of the track. */
  readonly total: number;

  /**
   * @param name of the track that is explained
   * @param columns `contribution` is among them
   */
  constructor(
    readonly name: string,
    columns: Record<string, Column>,
    { trackBias, userBias, unplayed, remainder }: ExplanationParts,
  ) {
    super(columns);
    this.trackBias = trackBias;
    this.userBias = userBias;
    this.unplayed = unplayed;
    this.remainder = remainder;
    this.total =
      trackBias +
      userBias +
      this.numbers('contribution').reduce((a, b) => a + b, 0) +
      unplayed +
      remainder;
  }

  /**
   * For JSON.stringify: what is explained, its score, the parts of the sum, and the tracks, a
   * record each.
   */
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
    const own = this.numbers('contribution').reduce((a, b) => a + b, 0);
    const parts = {
      "the track's bias": this.trackBias,
      "the listener's bias": this.userBias,
      'their tracks': own,
      'tracks not played': this.unplayed,
      remainder: this.remainder,
    };
    const sum = Object.entries(parts).map(([part, value]) => `${part} ${value.toFixed(4)}`);
    return `${super.toString(maxRows)}\n${visible(this.name)}: ${sum.join(' + ')} = ${this.total.toFixed(4)}`;
  }
}

/**
 * An explanation whose rows are a user's tracks, the strongest first: columns track_id, title,
 * artist and year as far as the catalogue has them, playcount, contribution.
 * @param of the user, and the track index that is explained; `remainder`: what the contributions
 *   lack of the score, default 0; `similarity`: makes a further column
 * @param contribution of one of the user's tracks, given its index and its position in `seen`
 */
export function explainByTracks(
  recommender: Recommender,
  of: {
    user: Id;
    track: number;
    remainder?: number;
    similarity?: (own: number) => number;
  },
  contribution: (own: number, at: number) => number,
): Explanation {
  const { seen, tracks, catalogue } = recommender;
  const { remainder = 0, similarity } = of;
  if (seen.totals) {
    throw new ArgumentError(
      `${recommender.name} was exported without listening histories ({ seen: false }), so there is nothing that explain could go back to.`,
    );
  }
  const from = seen.indptr[userIndex(recommender, of.user)];
  const row = seen.row(userIndex(recommender, of.user));
  const parts = Float64Array.from(row, (own, i) => contribution(own, from + i));
  const order = Array.from(row.keys()).sort((a, b) => parts[b] - parts[a] || a - b);
  const columns = {
    ...trackInfo(tracks.decode(order.map((i) => row[i])), recommender),
    playcount: Float64Array.from(order, (i) => seen.playcount[from + i]),
    ...(similarity && { similarity: Float64Array.from(order, (i) => similarity(row[i])) }),
    contribution: Float64Array.from(order, (i) => parts[i]),
  };
  const id = tracks.id(of.track);
  return new Explanation(catalogue?.label(id) ?? id, columns, {
    trackBias: 0,
    userBias: 0,
    unplayed: 0,
    remainder,
  });
}
