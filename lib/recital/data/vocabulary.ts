import { type TextBytes, textBytes, utf8, utf8Length } from '../compute/host.js';
import { ArgumentError, messagesNameIds, UnknownIdError } from '../errors.js';
import { checkArgument, checkFlag, checkIndex, given, isNumbers, said } from '../options.js';
import { counted, printed, visible } from '../printed.js';

/** The class at index 0 of fastai's vocabularies: every id that training has not seen. */
export const NA = '#na#';

const OPTIONS = {
  /** Puts `#na#`, fastai's class for unknown ids, at index 0. Default false. */
  na: false,
  /** The kind of the ids, for messages: "Unknown user …". Default `'id'`. */
  kind: 'id',
};
/** Options of {@link Vocabulary.fromValues}. */
export type VocabularyOptions = Partial<typeof OPTIONS>;

/**
 * Distinct ids and their indices: fastai's `classes`, scikit-learn's LabelEncoder. Indices count
 * from 0 in the order of the classes.
 *
 * Ids are kept in one block of UTF-8, decoded when asked for, and looked up by binary search.
 * @example
 * const users = Vocabulary.fromValues(['u2', 'u1', 'u2']);
 * users.index('u2') // 1
 */
export class Vocabulary {
  /** Number of classes, `#na#` included. */
  readonly length: number;
  /** Whether index 0 is `#na#`. */
  readonly na: boolean;
  /** The kind of the ids, for messages. */
  readonly kind: string;
  private decoded: readonly string[] | undefined;

  /**
   * From packed ids, for files; {@link Vocabulary.fromValues} packs ids.
   * @param bytes the ids in UTF-8: id `i` is `bytes[offsets[i] … offsets[i + 1])`
   * @param order positions of the classes (except `#na#`) by code point, unless they are in order
   */
  constructor(
    readonly bytes: Uint8Array,
    /** Where each id begins in `bytes`, and where the last one ends. */
    readonly offsets: Uint32Array,
    options: VocabularyOptions = {},
    readonly order?: Int32Array,
  ) {
    if (offsets[0] !== 0 || offsets[offsets.length - 1] !== bytes.length)
      throw new ArgumentError(
        `The offsets of ids must begin with 0 and end with ${bytes.length}, the number of bytes. Vocabulary.fromValues(ids) packs ids.`,
      );
    this.length = offsets.length - 1;
    this.na = options.na ?? false;
    this.kind = options.kind ?? 'id';
  }

  /**
   * The distinct values, sorted: strings by Unicode code point, numbers by size, a mixture as
   * strings (scikit-learn's rules).
   * @example Vocabulary.fromValues(['b', 'a', 'b'], { na: true }).classes // ['#na#', 'a', 'b']
   */
  static fromValues(
    values: Iterable<string | number>,
    options: VocabularyOptions = {},
  ): Vocabulary {
    const { na, kind } = checkedOptions(options);
    const distinct = distinctIds(values, kind);
    if (distinct.size > 0 && [...distinct].every((v) => typeof v === 'number'))
      return Vocabulary.inOrder(Float64Array.from(distinct as Set<number>).sort(), options);
    const sorted = codePointOrder(textsOf(distinct, na));
    const { bytes, offsets } = pack(na ? [NA, ...sorted] : sorted);
    return new Vocabulary(bytes, offsets, options);
  }

  /** The distinct values in the order in which they first occur. */
  static inOrder(values: Iterable<string | number>, options: VocabularyOptions = {}): Vocabulary {
    const { na, kind } = checkedOptions(options);
    const classes = textsOf(distinctIds(values, kind), na);
    const { bytes, offsets } = pack(na ? [NA, ...classes] : classes);
    const position = new Map(classes.map((v, i) => [v, na ? i + 1 : i]));
    const order = Int32Array.from(codePointOrder(classes), (v) => position.get(v)!);
    return new Vocabulary(bytes, offsets, options, order);
  }

  /** The value that JSON.stringify writes: its classes. */
  toJSON(): readonly string[] {
    return this.classes;
  }

  /** Every class, by index. Decoded on first use. */
  get classes(): readonly string[] {
    if (this.decoded) return this.decoded;
    const { bytes, offsets } = this;
    const buffer = this.buffer();
    const all = bytes.every((byte) => byte < 128) ? buffer.toString('utf8') : undefined; // much faster than a decoding for each
    this.decoded = Array.from({ length: this.length }, (_, i) =>
      all === undefined
        ? buffer.toString('utf8', offsets[i], offsets[i + 1])
        : all.slice(offsets[i], offsets[i + 1]),
    );
    return this.decoded;
  }

  /** The class with this index. Throws ArgumentError outside 0 … length − 1. */
  id(index: number): string {
    checkIndex(index, this.length, `${this.kind} index`);
    if (this.decoded) return this.decoded[index];
    return this.buffer().toString('utf8', this.offsets[index], this.offsets[index + 1]);
  }

  /** The index of an id, −1 if it is not a class. */
  indexOf(id: string | number): number {
    const text = String(id);
    if (this.na && text === NA) return 0;
    const target = utf8(text);
    const { bytes, offsets, order } = this;
    const first = this.na ? 1 : 0;
    let low = 0;
    let high = this.length - first - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = order ? order[middle] : middle + first;
      const side = compareBytes(bytes, offsets[at], offsets[at + 1], target, 0, target.length);
      if (side === 0) return this.id(at) === text ? at : -1; // a lone surrogate encodes as U+FFFD, which is another id
      if (side < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Whether the id is a class. */
  has(id: string | number): boolean {
    return this.indexOf(id) >= 0;
  }

  /** The index of an id. Throws UnknownIdError, with the nearest known id, if it is not a class. */
  index(id: string | number): number {
    const i = this.indexOf(id);
    if (i >= 0) return i;
    const hint = `A ${this.kind} that occurs in validation only has no index of its own.`;
    throw unknownId(this, id, this.na ? hint : '');
  }

  /**
   * The index of each value (LabelEncoder's `transform`). An unknown value is 0 if that is `#na#`,
   * else an UnknownIdError.
   */
  encode(values: ArrayLike<string | number>): Int32Array {
    checkArgument(isNumbers(values), values, 'encode', `an array of ${this.kind}s`);
    const known = new Map<string | number, number>();
    return Int32Array.from(values, (v) => {
      let i = known.get(v);
      if (i === undefined)
        known.set(v, (i = this.na ? Math.max(0, this.indexOf(v)) : this.index(v)));
      return i;
    });
  }

  /** The id of each index (LabelEncoder's `inverse_transform`). */
  decode(indices: ArrayLike<number>): string[] {
    checkArgument(isNumbers(indices), indices, 'decode', `indices of ${this.kind}s, an array`);
    return Array.from(indices, (i) => this.id(i));
  }

  /**
   * A vocabulary of some of the classes, in the same order.
   * @param options `na`: put `#na#` first; default false
   */
  subset(indices: ArrayLike<number>, options: { na?: boolean } = {}): Vocabulary {
    const { na } = given({ na: false }, options, 'subset');
    const wanted = `ascending indices of ${this.kind}s, an array`;
    checkArgument(isNumbers(indices), indices, 'subset', wanted);
    for (let j = 0; j < indices.length; j++) {
      checkIndex(indices[j], this.length, `${this.kind} index`);
      if (j > 0 && indices[j] <= indices[j - 1])
        throw new ArgumentError(
          `subset needs ${wanted}, got ${indices[j]} after ${indices[j - 1]}.`,
        );
    }
    const naBefore = this.na || na ? this.indexOf(NA) : -1;
    const kept = Int32Array.from(indices).filter((i) => i !== naBefore);
    const first = na ? 1 : 0;
    const offsets = new Uint32Array(kept.length + first + 1);
    offsets[first] = na ? NA.length : 0;
    for (let j = 0; j < kept.length; j++)
      offsets[j + first + 1] =
        offsets[j + first] + this.offsets[kept[j] + 1] - this.offsets[kept[j]];
    const bytes = new Uint8Array(offsets[offsets.length - 1]);
    if (na) bytes.set(utf8(NA));
    for (let j = 0; j < kept.length; j++)
      bytes.set(
        this.bytes.subarray(this.offsets[kept[j]], this.offsets[kept[j] + 1]),
        offsets[j + first],
      );
    const renumbered = new Int32Array(this.order ? this.length : 0).fill(-1);
    if (this.order) for (let j = 0; j < kept.length; j++) renumbered[kept[j]] = j + first;
    const order = this.order?.map((i) => renumbered[i]).filter((i) => i >= 0);
    return new Vocabulary(bytes, offsets, { na, kind: this.kind }, order);
  }

  private buffer(): TextBytes {
    return textBytes(this.bytes);
  }
}

printed(Vocabulary, (vocabulary) => {
  const n = vocabulary.length;
  const some = Array.from({ length: Math.min(n, 5) }, (_, i) => visible(vocabulary.id(i)));
  return `Vocabulary of ${n.toLocaleString('en')} (${vocabulary.kind}): ${some.join(', ')}${n > 5 ? ', …' : ''}`;
});

function checkedOptions(options: VocabularyOptions): Required<VocabularyOptions> {
  const all = given(OPTIONS, options, 'a Vocabulary');
  checkFlag(all.na, 'na');
  checkArgument(typeof all.kind === 'string', all.kind, 'kind', "what ids are called, as 'user'");
  return all;
}

/** Distinct ids as texts; `#na#` is left out where it has a place of its own. */
function textsOf(ids: Iterable<string | number>, na: boolean): string[] {
  return [...new Set(Array.from(ids, String))].filter((v) => !(na && v === NA));
}

/**
 * Throws if one of the ids is a whole number that JavaScript may have rounded.
 * @param of what an id is called
 */
export function refuseRounded(ids: ArrayLike<unknown>, of: string): void {
  for (let i = 0; i < ids.length; i++)
    if (isRounded(ids[i])) throw rounded(`Row ${i} (counted from 0) has`, of, ids[i]);
}

const isRounded = (id: unknown): boolean => Number.isInteger(id) && !Number.isSafeInteger(id);

const rounded = (where: string, of: string, id: unknown): ArgumentError =>
  new ArgumentError(
    `${where} the ${of} ${id}, a whole number beyond 2⁵³, where JavaScript rounds: two ids may have become one. Give ids as text.`,
  );

/** The distinct ids, in the order in which they first occur, checked. */
function distinctIds(values: Iterable<string | number>, kind: string): Set<string | number> {
  const wanted = 'an array, or another iterable';
  checkArgument(isIterable(values), values, `A vocabulary of ${kind}s`, wanted);
  const distinct = new Set(values);
  for (const v of distinct) {
    if (typeof v !== 'string' && (typeof v !== 'number' || Number.isNaN(v)))
      throw new ArgumentError(
        `A ${kind} must be a string or a number, got ${said(v)}. Drop the rows without one.`,
      );
    if (isRounded(v)) throw rounded('There is', kind, v);
  }
  return distinct;
}

/**
 * The error for an unknown id. A number, where ids are text, is likely to be an index.
 * @param hint what to do if it is no index
 */
export function unknownId(vocabulary: Vocabulary, id: string | number, hint = ''): UnknownIdError {
  const { kind, na, classes, length } = vocabulary;
  const isIndex = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < length;
  return new UnknownIdError(
    kind,
    typeof id === 'number' ? String(id) : id,
    na ? classes.slice(1) : classes,
    isIndex && messagesNameIds() ? `${kind}s.id(${id}) is the id of ${kind} number ${id}.` : hint,
  );
}

/**
 * Sorts strings in place by Unicode code point, the order of their UTF-8 bytes. JavaScript's own
 * order, by UTF-16 unit, puts the characters beyond U+FFFF before U+E000 … U+FFFF.
 */
export function codePointOrder(values: string[]): string[] {
  if (!values.some((v) => /[\ud800-\uffff]/.test(v))) return values.sort();
  const bytes = new Map(values.map((v) => [v, utf8(v)]));
  return values.sort((a, b) => bytes.get(a)!.compare(bytes.get(b)!));
}

/**
 * Strings in one block of UTF-8: string `i` is `bytes[offsets[i] … offsets[i + 1])`.
 * @throws ArgumentError for half a surrogate pair, which UTF-8 cannot hold
 */
export function pack(values: readonly string[]): { bytes: Uint8Array; offsets: Uint32Array } {
  const bytes = utf8(values.join(''));
  const offsets = new Uint32Array(values.length + 1);
  let units = 0;
  for (let i = 0; i < values.length; i++) offsets[i + 1] = units += values[i].length;
  if (units === bytes.length) return { bytes, offsets }; // all ASCII
  for (let i = 0; i < values.length; i++) {
    if (/\p{Surrogate}/u.test(values[i]))
      throw new ArgumentError(
        `"${values[i]}" holds half a surrogate pair, so it is not text. Was the file read in the wrong encoding?`,
      );
    offsets[i + 1] = offsets[i] + utf8Length(values[i]);
  }
  return { bytes, offsets };
}

/**
 * scikit-learn's LabelEncoder: turns ids into the numbers 0 … n − 1 and back. Classes are sorted:
 * strings by Unicode code point, numbers by size, a mixture as strings. Plays and sessions have
 * such an encoder already, a {@link Vocabulary}; `vocabulary` is that of a LabelEncoder.
 * @example
 * const users = new LabelEncoder();
 * users.fitTransform(['u2', 'u1', 'u2']); // 1, 0, 1
 * users.inverseTransform([0]); // ['u1']
 */
export class LabelEncoder<T extends string | number = string> {
  private fitted: { vocabulary: Vocabulary; classes: readonly T[] } | undefined;

  /** Learns the classes: the distinct values, sorted. ArgumentError for a missing value. */
  fit(values: Iterable<T | null>): this {
    const all = listed(values);
    const vocabulary = Vocabulary.fromValues(all as T[], { kind: 'label' });
    const numeric = all.length > 0 && all.every((v) => typeof v === 'number');
    const classes = numeric ? vocabulary.classes.map(Number) : vocabulary.classes;
    this.fitted = { vocabulary, classes: classes as readonly T[] };
    return this;
  }

  /** The index of each value in `classes`. UnknownIdError lists values that `fit` has not seen. */
  transform(values: Iterable<T | null>): Int32Array {
    const { vocabulary } = this;
    const all = listed(values) as T[];
    const unseen = [...new Set(all)].filter((v) => !vocabulary.has(v));
    if (unseen.length === 0) return vocabulary.encode(all);
    const first = unseen.slice(0, 10).map((v) => `'${said(v)}'`);
    const more = unseen.length > first.length ? ` and ${unseen.length - first.length} more` : '';
    const hint = `y contains previously unseen labels: ${first.join(', ')}${more}`;
    throw new UnknownIdError('label', said(unseen[0]), vocabulary.classes, hint);
  }

  /** `fit` and `transform` in one. */
  fitTransform(values: Iterable<T | null>): Int32Array {
    const all = listed(values);
    return this.fit(all).transform(all);
  }

  /** The class of each index. ArgumentError for an index outside 0 … n − 1, and before `fit`. */
  inverseTransform(indices: ArrayLike<number>): T[] {
    const { classes } = this;
    checkArgument(isNumbers(indices), indices, 'inverseTransform', 'indices of classes, an array');
    return Array.from(indices, (i) => {
      if (Number.isInteger(i) && i >= 0 && i < classes.length) return classes[i];
      const known = `There are ${classes.length} classes, counted from 0.`;
      throw new ArgumentError(`y contains previously unseen labels: ${i}. ${known}`);
    });
  }

  /** The classes by index: strings, or numbers if all were numbers. */
  get classes(): readonly T[] {
    return this.known().classes;
  }

  /** The same classes as a vocabulary. */
  get vocabulary(): Vocabulary {
    return this.known().vocabulary;
  }

  private known(): NonNullable<typeof this.fitted> {
    if (this.fitted) return this.fitted;
    throw new ArgumentError(
      "This LabelEncoder instance is not fitted yet. Call 'fit' with the ids first.",
    );
  }

  /** The encoder in words: how many classes it knows. */
  toString(): string {
    return this.fitted
      ? `LabelEncoder of ${counted(this.fitted.classes.length, 'class', 'classes')}`
      : 'LabelEncoder, not fitted';
  }
}

printed(LabelEncoder);

/** Values of an iterable as an array; a text is one value, so it is refused. */
function listed<T>(values: Iterable<T | null>): T[] {
  checkArgument(isIterable(values), values, 'LabelEncoder', "values in a row, such as ['a', 'b']");
  return [...(values as Iterable<T>)];
}

function isIterable(values: unknown): boolean {
  return typeof values === 'object' && values !== null && Symbol.iterator in values;
}

/**
 * The index in another vocabulary of each class of one, −1 where it is not there. Both are merged
 * in the order of code points without decoding a text.
 */
export function indicesIn(from: Vocabulary, to: Vocabulary): Int32Array {
  if (from === to) return Int32Array.from(from.offsets.subarray(1), (_, i) => i);
  const out = new Int32Array(from.length).fill(-1);
  const [own, other] = [byCodePoint(from), byCodePoint(to)];
  for (let i = 0, j = 0; i < own.length && j < other.length; ) {
    const [a, b] = [own.at(i), other.at(j)];
    const [start, end] = [to.offsets[b], to.offsets[b + 1]];
    const [begin, stop] = [from.offsets[a], from.offsets[a + 1]];
    const side = compareBytes(from.bytes, begin, stop, to.bytes, start, end);
    if (side === 0) out[a] = b;
    if (side <= 0) i++;
    if (side >= 0) j++;
  }
  const na = from.indexOf(NA);
  if (na >= 0) out[na] = to.indexOf(NA);
  return out;
}

/** The classes except `#na#` at index 0: their number, and the index of the i-th by code point. */
function byCodePoint({ length, na, order }: Vocabulary) {
  const first = na ? 1 : 0;
  return {
    length: length - first,
    at: order ? (i: number) => order[i] : (i: number) => i + first,
  };
}

/**
 * Compares `a[aStart … aEnd)` with `b[bStart … bEnd)` byte by byte: negative where the first is
 * less, 0 where they are equal. Deno's `Buffer.compare` refuses ranges in a longer buffer.
 */
function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const side = a[aStart + i] - b[bStart + i];
    if (side !== 0) return side;
  }
  return aEnd - aStart - (bEnd - bStart);
}
