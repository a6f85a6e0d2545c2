import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkArgument, checkNumber, checkOneOf, given, said } from '../options.js';
import { numbersWhere } from './csr.js';
import { shownNames } from './files/csv-format.js';
import type { LoadedTable } from './files/read-table.js';
import { Plays } from './plays.js';
import type { Table } from './table.js';
import { NA, refuseRounded, Vocabulary } from './vocabulary.js';

/** The columns of users, items and ratings: those named, else the first three. */
export function columnsOf(
  names: readonly string[],
  given: { userName?: string; itemName?: string; ratingName?: string },
  hint?: string,
): [string, string, string] {
  const [user, item, rating] = [given.userName, given.itemName, given.ratingName].map(
    (name, i) => name ?? names[i],
  );
  if (rating === undefined) {
    throw new DataError(
      `Columns of users, items and ratings are needed, but the table has only: ${shownNames(names)}.${hint ? ` ${hint}` : ''}`,
    );
  }
  for (const name of [user, item, rating])
    if (!names.includes(name)) throw new UnknownIdError('column', name, names);
  return [user, item, rating];
}

/**
 * Throws DataError naming the line of a text file on which an id is missing or a rating is no
 * finite number.
 */
export async function checkLines(
  path: string,
  { table, lineOf }: LoadedTable,
  [user, item, rating]: [string, string, string],
): Promise<void> {
  if (!lineOf) return;
  for (const name of [user, item, rating]) {
    const column = table.column(name);
    const isRating = name === rating;
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      const missing = value === null || Number.isNaN(value);
      const finite = Number.isFinite(Math.fround(Number(value))) && value !== '';
      if (!missing && (!isRating || finite)) continue;
      const got = missing ? 'nothing' : typeof value === 'string' ? `"${value}"` : value;
      const [wanted, advice] = isRating
        ? [
            'a finite number, which a float32 holds',
            'Name the columns by userName, itemName and ratingName.',
          ]
        : ['an id', 'Drop such rows first.'];
      throw new DataError(
        `"${path}", line ${await lineOf(i)}, column "${name}": expected ${wanted}, got ${got}. ${advice}`,
      );
    }
  }
}

/** A column of ids, none missing. */
export function rawColumn(table: Table, name: string): RawColumn {
  const values = table.column(name);
  for (let i = 0; i < values.length; i++) {
    if (values[i] === null || Number.isNaN(values[i]))
      throw new DataError(`Row ${i} (counted from 0) has no "${name}". Drop such rows first.`);
  }
  refuseRounded(values, name);
  return { values: values as Float64Array | readonly string[] };
}

/** A column of finite numbers. */
export function ratings(table: Table, name: string): Float32Array {
  const column = table.column(name);
  if (!(column instanceof Float64Array)) {
    const bad = column.findIndex((v) => v === null || v.trim() === '' || Number.isNaN(Number(v)));
    const shown = bad < 0 ? 'text' : `"${column[bad]}" in row ${bad} (counted from 0)`;
    throw new DataError(
      `The ratings in column "${name}" must be numbers, got ${said(shown)}. Name the columns by userName, itemName and ratingName.`,
    );
  }
  const bad = column.findIndex((v) => !Number.isFinite(Math.fround(v)));
  if (bad >= 0) {
    throw new DataError(
      `Row ${bad} (counted from 0) has the rating ${column[bad]} in column "${name}"; a finite number, which a float32 holds, was expected.`,
    );
  }
  return Float32Array.from(column);
}

/** A column of ids: values, or indices into a vocabulary. */
export type RawColumn =
  | { readonly values: Float64Array | readonly string[] }
  | { readonly codes: Int32Array; readonly vocabulary: Vocabulary };

/** The classes of a column, and the class of each of some rows. */
export interface FittedColumn {
  readonly classes: Vocabulary;
  encode(rows: Int32Array): Int32Array;
}

/**
 * Makes the classes from the training rows, `#na#` first; other rows' ids are `#na#` unless
 * training has them.
 * @param options.kind what the ids are, for messages; `trains`: for each row whether it is one of
 *   `train`
 */
export function fitColumn(
  column: RawColumn,
  train: Int32Array,
  { kind, trains }: { kind: string; trains: Uint8Array },
): FittedColumn {
  if ('values' in column) {
    const valuesOf = (rows: Int32Array) => Array.from(rows, (i) => column.values[i]);
    const classes = Vocabulary.fromValues(valuesOf(train), { na: true, kind });
    return { classes, encode: (rows) => classes.encode(valuesOf(rows)) };
  }
  const { codes, vocabulary } = column;
  const classOf = new Int32Array(vocabulary.length); // 1 for those of training, then the class
  for (let i = 0; i < codes.length; i++) if (trains[i]) classOf[codes[i]] = 1;
  const na = vocabulary.indexOf(NA);
  if (na >= 0) classOf[na] = 0;
  const used = numbersWhere(vocabulary.length, (i) => classOf[i] > 0);
  for (let j = 0; j < used.length; j++) classOf[used[j]] = j + 1; // behind #na#
  const classes = vocabulary.subset(used, { na: true });
  const encode = (rows: Int32Array): Int32Array => {
    const out = new Int32Array(rows.length);
    for (let j = 0; j < rows.length; j++) out[j] = classOf[codes[rows[j]]];
    return out;
  };
  return { classes, encode };
}

/** The class of every row of another column, looked up id by id. */
export function encodeWith(classes: Vocabulary, column: RawColumn): Int32Array {
  if ('values' in column) return classes.encode(column.values);
  const { codes, vocabulary } = column;
  const classOf = new Int32Array(vocabulary.length).fill(-1); // looked up when it first occurs
  const out = new Int32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (classOf[code] < 0) classOf[code] = Math.max(0, classes.indexOf(vocabulary.id(code)));
    out[i] = classOf[code];
  }
  return out;
}

/** Weights of rows as an option of loaders. See CollabOptions.weights. */
export type RowWeights = string | ArrayLike<number>;

/**
 * The weights of rows, checked.
 * @param weights a column's name, or one number for each row
 * @param options.n number of rows; `column`: gives a column by name
 */
export function rowWeights(
  weights: RowWeights,
  { n, column }: { n: number; column: (name: string) => ArrayLike<number | string | null> },
): Float32Array {
  const values = typeof weights === 'string' ? column(weights) : weights;
  checkArgument(
    typeof values === 'object' && values !== null,
    values,
    'weights',
    'a number for each row, or the name of a column',
  );
  if (values.length !== n)
    throw new ArgumentError(
      `weights must have one number for each of the ${n} rows, got ${values.length}.`,
    );
  return Float32Array.from({ length: n }, (_, i) => {
    const w = values[i];
    if (!(typeof w === 'number' && Math.fround(w) > 0 && Number.isFinite(Math.fround(w)))) {
      throw new ArgumentError(
        `Row ${i} (counted from 0) has the weight ${w}; weights must be positive numbers that a float32 holds. Leave out rows that are not to count.`,
      );
    }
    return w;
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
/** Options of {@link targetsOf}. */
export type TargetOptions = Partial<typeof TARGET>;

/**
 * The target of each play, in the order of the plays.
 */
export function targetsOf(plays: Plays, options: TargetOptions = {}): Float32Array {
  const { target, threshold } = given(TARGET, options, 'targetsOf');
  checkArgument(plays instanceof Plays, plays, 'targetsOf', 'plays, such as readPlays reads');
  checkOneOf(target, ['binary', 'log', 'rank', 'count'], 'target');
  checkNumber(threshold, Number.isFinite(threshold), 'threshold must be a number of plays');
  if (target === 'rank') return ranksWithinUser(plays);
  if (target === 'log') return plays.playcount.map((p) => Math.log1p(p));
  return target === 'count'
    ? plays.playcount.slice()
    : plays.playcount.map((p) => (p >= threshold ? 1 : 0));
}

function ranksWithinUser(plays: Plays): Float32Array {
  const { indptr, indices } = plays.byUser();
  const out = new Float32Array(plays.length);
  for (let u = 0; u < plays.users.length; u++) {
    const rows = indices
      .slice(indptr[u], indptr[u + 1])
      .sort((a, b) => plays.playcount[a] - plays.playcount[b]);
    for (let first = 0, last = 0; first < rows.length; first = last) {
      while (last < rows.length && plays.playcount[rows[last]] === plays.playcount[rows[first]])
        last++;
      const rank = (first + 1 + last) / 2; // the middle of ranks first + 1 … last
      for (let j = first; j < last; j++) out[rows[j]] = (rank - 0.5) / rows.length;
    }
  }
  return out;
}
