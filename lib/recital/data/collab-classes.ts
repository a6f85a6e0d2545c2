import { NA, Vocabulary } from './vocabulary.js';

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
  const classOf = new Int32Array(vocabulary.length);
  for (let i = 0; i < codes.length; i++) if (trains[i]) classOf[codes[i]] = 1; // in order: `train` is in that of chance
  const na = vocabulary.indexOf(NA);
  if (na >= 0) classOf[na] = 0;
  const used = new Int32Array(vocabulary.length);
  let n = 0;
  for (let i = 0; i < classOf.length; i++) {
    if (classOf[i] === 0) continue;
    used[n++] = i;
    classOf[i] = n; // behind #na#
  }
  const classes = vocabulary.subset(used.subarray(0, n), { na: true });
  const encoded = new Int32Array(codes.length);
  for (let i = 0; i < codes.length; i++) encoded[i] = classOf[codes[i]];
  return { classes, encode: (rows) => take(encoded, rows) };
}

function take(values: Int32Array, rows: Int32Array): Int32Array {
  const out = new Int32Array(rows.length);
  for (let j = 0; j < rows.length; j++) out[j] = values[rows[j]];
  return out;
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
