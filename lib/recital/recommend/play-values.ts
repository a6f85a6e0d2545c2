import { Csr, type InteractionValue } from '../data/csr.js';
import { ArgumentError } from '../errors.js';
import type { Fields } from '../fields.js';
import { checkOneOf } from '../options.js';
import type { History } from './fold-in.js';
import type { Interactions } from './interactions.js';

const VALUES = ['count', 'binary', 'log'] as const;

/** What a playcount is worth: 1 ('binary'), the count ('count') or ln(1 + count) ('log'). */
export function playValue(count: number, value: InteractionValue): number {
  return value === 'binary' ? 1 : value === 'log' ? Math.log1p(count) : count;
}

/** Throws unless this is a way to value plays. */
export function checkValue(value: unknown): asserts value is InteractionValue {
  checkOneOf(value, VALUES, 'value');
}

/** The way to value plays that a file describes. */
export function readValue(config: Fields): InteractionValue {
  return config.oneOf('value', VALUES);
}

/** The values of plays, the implicit feedback that a recommender counts: see {@link playValue}. */
export class PlayValues {
  /** Of each pair of the interactions, in their order. */
  readonly data: Float32Array;

  /** @param seen the plays of training, at least one */
  constructor(
    readonly seen: Interactions,
    readonly value: InteractionValue,
  ) {
    checkValue(value);
    if (seen.length === 0 && !seen.totals)
      throw new ArgumentError('There are no plays to learn from. At least one is needed.');
    this.data =
      value === 'count' ? seen.playcount : seen.playcount.map((count) => playValue(count, value));
  }

  /** Users × tracks. */
  get matrix(): Csr<Float32Array> {
    return new Csr({ ...this.seen.matrix, data: this.data });
  }

  /** Values of a history's tracks; of one without a playcount, by the geometric mean of training. */
  ofHistory({ playcount }: Pick<History, 'playcount'>): Float32Array {
    const typical = Math.exp(this.seen.meanLog);
    return Float32Array.from(playcount, (count) =>
      playValue(Number.isNaN(count) ? typical : count, this.value),
    );
  }
}
