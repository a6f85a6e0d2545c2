import { inspect } from 'node:util';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkArgument, isNumbers, said } from '../options.js';
import { Vocabulary } from './vocabulary.js';

/**
 * scikit-learn's LabelEncoder: turns ids into the numbers 0 … n − 1 and back. Classes are sorted:
 * strings by Unicode code point, numbers by size, a mixture as strings. It is a face of
 * {@link Vocabulary}, which plays and sessions hold already; `vocabulary` gives it away.
 * @example
 * const users = new LabelEncoder();
 * users.fitTransform(['u2', 'u1', 'u2']); // 1, 0, 1
 * users.inverseTransform([0]); // ['u1']
 */
export class LabelEncoder<T extends string | number = string> {
  private fitted: { vocabulary: Vocabulary; classes: readonly T[] } | undefined;

  /**
   * Learns the classes: the distinct values, sorted.
   * @param values ids, repeated as often as they like
   * @throws ArgumentError for a missing value
   */
  fit(values: Iterable<T | null>): this {
    const all = listed(values);
    const vocabulary = Vocabulary.fromValues(all, { kind: 'label' });
    const numeric = all.length > 0 && all.every((v) => typeof v === 'number');
    this.fitted = {
      vocabulary,
      classes: (numeric ? vocabulary.classes.map(Number) : vocabulary.classes) as readonly T[],
    };
    return this;
  }

  /**
   * The index of each value in `classes`.
   * @throws UnknownIdError that lists the values that `fit` has not seen; ArgumentError before
   *   `fit`
   */
  transform(values: Iterable<T | null>): Int32Array {
    const { vocabulary } = this.known();
    const all = listed(values);
    const unseen = [...new Set(all)].filter((v) => !vocabulary.has(v));
    if (unseen.length === 0) return vocabulary.encode(all);
    const first = unseen.slice(0, 10).map((v) => `'${said(v)}'`);
    const more = unseen.length > first.length ? ` and ${unseen.length - first.length} more` : '';
    throw new UnknownIdError(
      'label',
      said(unseen[0]),
      vocabulary.classes,
      `y contains previously unseen labels: ${first.join(', ')}${more}`,
    );
  }

  /** `fit` and `transform` in one. */
  fitTransform(values: Iterable<T | null>): Int32Array {
    const all = listed(values);
    return this.fit(all).transform(all);
  }

  /**
   * The class of each index.
   * @throws ArgumentError for an index that is none of 0 … n − 1, and before `fit`
   */
  inverseTransform(indices: ArrayLike<number>): T[] {
    const { classes } = this.known();
    checkArgument(
      isNumbers(indices),
      indices,
      'inverseTransform',
      'indices of classes: an Int32Array, or an array of numbers',
    );
    return Array.from(indices, (i) => {
      if (Number.isInteger(i) && i >= 0 && i < classes.length) return classes[i];
      throw new ArgumentError(
        `y contains previously unseen labels: ${i}. There are ${classes.length} classes, counted from 0.`,
      );
    });
  }

  /** The classes by index: strings, or numbers if all were numbers. ArgumentError before `fit`. */
  get classes(): readonly T[] {
    return this.known().classes;
  }

  /** The same classes as a vocabulary. ArgumentError before `fit`. */
  get vocabulary(): Vocabulary {
    return this.known().vocabulary;
  }

  private known(): { vocabulary: Vocabulary; classes: readonly T[] } {
    if (!this.fitted)
      throw new ArgumentError(
        "This LabelEncoder instance is not fitted yet. Call 'fit' with the ids first.",
      );
    return this.fitted;
  }

  [inspect.custom](): string {
    return this.fitted
      ? `LabelEncoder of ${this.fitted.classes.length.toLocaleString('en')} classes`
      : 'LabelEncoder, not fitted';
  }
}
/** Values as an array, if there are any in a row: a text is one value. */
function listed<T>(values: Iterable<T | null>): T[] {
  const fits = typeof values === 'object' && values !== null && Symbol.iterator in values;
  checkArgument(fits, values, 'LabelEncoder', "values in a row, such as ['a', 'b']");
  return [...(values as Iterable<T>)];
}
