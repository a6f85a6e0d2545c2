import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkArgument, checkNumber, checkOneOf, given } from '../options.js';
import { numbersWhere, pick } from './csr.js';
import { shownNames } from './files/csv-format.js';
import { Plays } from './plays.js';
import { idsIn } from './plays-columns.js';
import { missingAt, type Table } from './table.js';
import { indicesIn, NA, Vocabulary } from './vocabulary.js';

export const COLUMNS = {
  /** Column of the users. Default: the first column. */
  userName: undefined as string | undefined,
  /** Column of the items. Default: the second column. */
  itemName: undefined as string | undefined,
  /** Column of the ratings. Default: the third column. */
  ratingName: undefined as string | undefined,
};

/** The columns of users, items and ratings: those named, else the first three. */
export function columnsOf(
  names: readonly string[],
  options: Partial<typeof COLUMNS>,
  hint = '',
): [user: string, item: string, rating: string] {
  const wanted = (['userName', 'itemName', 'ratingName'] as const).map(
    (option, i) => options[option] ?? names[i],
  );
  if (wanted[2] === undefined)
    throw new DataError(
      `Columns of users, items and ratings are needed, but the table has only: ${shownNames(names)}. ${hint}`.trim(),
    );
  for (const name of wanted)
    if (!names.includes(name)) throw new UnknownIdError('column', name, names);
  return wanted as [string, string, string];
}

/** The row of the first cell that is no id, or no rating that a float32 holds; what is wrong. */
export function wrongCell(
  table: Table,
  ids: readonly string[],
  rating?: string,
): { row: number; wrong: string } | undefined {
  for (const name of ids) {
    const row = missingAt(table.column(name));
    if (row >= 0)
      return { row, wrong: `column "${name}": expected an id, got nothing. Drop such rows first.` };
  }
  if (rating === undefined || table.length === 0) return undefined;
  const column = table.column(rating);
  const row =
    column instanceof Float64Array
      ? column.findIndex((v) => !Number.isFinite(Math.fround(v)))
      : Math.max(
          0,
          column.findIndex((v) => !v?.trim() || !Number.isFinite(Number(v))),
        );
  if (row < 0) return undefined;
  const value = column[row];
  const missing = value === null || Number.isNaN(value);
  const got = missing ? 'nothing' : typeof value === 'string' ? `"${value}"` : value;
  const wrong = `column "${rating}": expected a finite number, which a float32 holds, got ${got}. Name the columns by userName, itemName and ratingName.`;
  return { row, wrong };
}

/** Ids of rows, as indices into a vocabulary. */
export interface IdColumn {
  readonly codes: Int32Array;
  readonly vocabulary: Vocabulary;
}

/** A column of ids, none missing. */
export function idColumn(table: Table, name: string): IdColumn {
  const values = idsIn(table, name, name) as Float64Array | readonly string[];
  const vocabulary = Vocabulary.fromValues(values, { kind: name });
  return { codes: vocabulary.encode(values), vocabulary };
}

/**
 * The classes of a column, those of the training rows with `#na#` first, and the class of each row:
 * `#na#` for ids that training does not have.
 * @param trains for each row whether it is for training
 */
export function classesOf({ codes, vocabulary }: IdColumn, trains: Uint8Array) {
  const classOf = new Int32Array(vocabulary.length); // 1 for those of training, then the class
  for (let i = 0; i < codes.length; i++) if (trains[i]) classOf[codes[i]] = 1;
  const na = vocabulary.indexOf(NA);
  if (na >= 0) classOf[na] = 0;
  const used = numbersWhere(vocabulary.length, (i) => classOf[i] > 0);
  for (let j = 0; j < used.length; j++) classOf[used[j]] = j + 1; // behind #na#
  const classes = vocabulary.subset(used, { na: true });
  return { classes, index: pick(classOf, codes) };
}

/** The class of every row of another column; 0, `#na#`, for ids that are none. */
export function encodeWith(classes: Vocabulary, { codes, vocabulary }: IdColumn): Int32Array {
  const classOf = indicesIn(vocabulary, classes).map((index) => Math.max(0, index));
  return pick(classOf, codes);
}

/** Weights of rows as an option of loaders. See CollabOptions.weights. */
export type RowWeights = string | ArrayLike<number>;

/**
 * The weights of n rows, checked.
 * @param weights a column's name, or one number for each row
 * @param column gives a column by name
 */
export function rowWeights(
  weights: RowWeights,
  n: number,
  column: (name: string) => ArrayLike<number | string | null>,
): Float32Array {
  const values = typeof weights === 'string' ? column(weights) : weights;
  const wanted = 'a number for each row, or the name of a column';
  checkArgument(typeof values === 'object' && values !== null, values, 'weights', wanted);
  if (values.length !== n)
    throw new ArgumentError(
      `weights must have one number for each of the ${n} rows, got ${values.length}.`,
    );
  return Float32Array.from(values as ArrayLike<number>, (w, i) => {
    if (typeof w === 'number' && Math.fround(w) > 0 && Math.fround(w) < Infinity) return w;
    throw new ArgumentError(
      `Row ${i} (counted from 0) has the weight ${w}; weights must be positive numbers that a float32 holds. Leave out rows that are not to count.`,
    );
  });
}

/**
 * What a model of plays is trained to predict. Playcounts are not ratings, so it has to be chosen:
 * - `'binary'`: 1 if playcount ≥ threshold, else 0. "Came back to it." For BCEWithLogitsLossFlat.
 * - `'log'`: ln(1 + playcount). Tames the few very large counts. For MSELossFlat.
 * - `'rank'`: how high the track stands among the user's own, (r − ½) / n, where r is its rank from the user's least played of n tracks, ties at their
 *   middle rank. Between 0 and 1 and free of how much a user listens. For either loss.
 * - `'count'`: the playcount itself.
 */
export type Target = 'binary' | 'log' | 'rank' | 'count';

const TARGET = {
  /** Default `'binary'`. */
  target: 'binary' as Target,
  /** For `'binary'`: the least playcount that counts as liked. Default 2, so one play is 0. */
  threshold: 2,
};
/**
 * How playcounts become ratings.
 * @example const often: TargetOptions = { target: 'binary', threshold: 3 };
 */
export type TargetOptions = Partial<typeof TARGET>;

/** The target of each play, in the order of the plays. */
export function targetsOf(plays: Plays, options: TargetOptions = {}): Float32Array {
  const { target, threshold } = given(TARGET, options, 'targetsOf');
  checkArgument(plays instanceof Plays, plays, 'targetsOf', 'plays, such as readPlays reads');
  checkOneOf(target, ['binary', 'log', 'rank', 'count'], 'target');
  checkNumber(threshold, Number.isFinite(threshold), 'threshold must be a number of plays');
  const { playcount } = plays;
  if (target === 'rank') return ranksWithinUser(plays);
  if (target === 'log') return playcount.map((p) => Math.log1p(p));
  return target === 'count' ? playcount.slice() : playcount.map((p) => (p >= threshold ? 1 : 0));
}

function ranksWithinUser(plays: Plays): Float32Array {
  const { playcount } = plays;
  const { indptr, indices } = plays.byUser();
  const out = new Float32Array(plays.length);
  for (let u = 0; u < plays.users.length; u++) {
    const rows = indices
      .slice(indptr[u], indptr[u + 1])
      .sort((a, b) => playcount[a] - playcount[b]);
    for (let first = 0, last = 0; first < rows.length; first = last) {
      while (last < rows.length && playcount[rows[last]] === playcount[rows[first]]) last++;
      const rank = (first + 1 + last) / 2; // the middle of ranks first + 1 … last
      for (let j = first; j < last; j++) out[rows[j]] = (rank - 0.5) / rows.length;
    }
  }
  return out;
}
