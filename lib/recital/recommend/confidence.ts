import { Csr, type InteractionValue } from '../data/csr.js';
import type { Fields } from '../data/files/fields.js';

import { ArgumentError } from '../errors.js';
import { said } from '../options.js';
import type { History } from './fold-in.js';
import type { Interactions } from './interactions.js';

/** What plays are worth to a recommender that counts them: 1, their number, or ln(1 + number). */
export class PlayValues {
  /** Of each pair of the interactions, in their order. */
  readonly data: Float32Array;
  private readonly typical: number;

  /**
   * @param seen the plays of training, at least one
   * @param value see {@link InteractionValue}
   */
  constructor(
    readonly seen: Interactions,
    readonly value: InteractionValue,
  ) {
    if (value !== 'count' && value !== 'binary' && value !== 'log') {
      throw new ArgumentError(`value must be 'count', 'binary' or 'log', got '${said(value)}'.`);
    }
    if (seen.length === 0 && !seen.totals)
      throw new ArgumentError('There are no plays to learn from. At least one is needed.');
    this.data = value === 'count' ? seen.playcount : seen.playcount.map((count) => this.of(count));
    this.typical = this.of(Math.exp(seen.meanLog));
  }

  /** Users × tracks. */
  get matrix(): Csr<Float32Array> {
    return new Csr({ ...this.seen.matrix, data: this.data });
  }

  /**
   * Of the tracks of a history. One without a playcount counts as played as often as tracks are in
   * training, in the geometric mean.
   */
  ofHistory({ playcount }: Pick<History, 'playcount'>): Float32Array {
    return Float32Array.from(playcount, (count) =>
      Number.isNaN(count) ? this.typical : this.of(count),
    );
  }

  private of(count: number): number {
    return this.value === 'binary' ? 1 : this.value === 'log' ? Math.log1p(count) : count;
  }
}

/** What a play is worth, from a description in a file. */
export function readValue(config: Fields): InteractionValue {
  const text = config.text('value');
  return text === 'count' || text === 'binary' || text === 'log'
    ? text
    : config.wrong('value', 'count, binary or log');
}
