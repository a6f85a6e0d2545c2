import { NA, Vocabulary } from './vocabulary.js';

/** A column of ids: values, or indices into a vocabulary. */
export type RawColumn = { readonly values: Float64Array | readonly string[] } | { readonly codes: Int32Array; readonly vocabulary: Vocabulary };

/** The classes of a column, and the class of each of some rows. */
export interface FittedColumn {
  readonly classes: Vocabulary;
  encode(rows: Int32Array): Int32Array;
}

/** Makes the classes from the training rows, `#na#` first; other rows' ids are `#na#` unless training has them. */
export function fitColumn(column: RawColumn, train: Int32Array, kind: string): FittedColumn {
  if ('values' in column) {
    const valuesOf = (rows: Int32Array) => Array.from(rows, (i) => column.values[i]);
    const classes = Vocabulary.fromValues(valuesOf(train), { na: true, kind });
    return { classes, encode: (rows) => classes.encode(valuesOf(rows)) };
  }
  const { codes, vocabulary } = column;
  const classOf = new Int32Array(vocabulary.length);
  for (let j = 0; j < train.length; j++) classOf[codes[train[j]]] = 1;
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
  return { classes, encode: (rows) => rows.map((i) => classOf[codes[i]]) };
}

/** The class of every row of another column, looked up id by id. */
export function encodeWith(classes: Vocabulary, column: RawColumn): Int32Array {
  if ('values' in column) return classes.encode(column.values);
  const { codes, vocabulary } = column;
  const classOf = new Int32Array(vocabulary.length).fill(-1); // looked up when it first occurs
  return codes.map((code) => {
    if (classOf[code] < 0) classOf[code] = Math.max(0, classes.indexOf(vocabulary.id(code)));
    return classOf[code];
  });
}
