import { Vocabulary } from './vocabulary.js';

/** A column of ids: values, or indices into a vocabulary. */
export type RawColumn = { readonly values: Float64Array | readonly string[] } | { readonly codes: Int32Array; readonly vocabulary: Vocabulary };

/** The classes of a column's training rows, `#na#` first. */
export function fitClasses(column: RawColumn, train: Int32Array, kind: string): Vocabulary {
  if ('values' in column) {
    const { values } = column;
    return Vocabulary.fromValues(
      Array.from(train, (i) => values[i]),
      { na: true, kind },
    );
  }
  const used = new Uint8Array(column.vocabulary.length);
  for (let j = 0; j < train.length; j++) used[column.codes[train[j]]] = 1;
  const kept: number[] = [];
  for (let i = 0; i < used.length; i++) if (used[i]) kept.push(i);
  return column.vocabulary.subset(kept, { na: true });
}

/** The class of each of the rows. */
export function encodeSome(column: RawColumn, classes: Vocabulary, rows: Int32Array): Int32Array {
  if ('values' in column) {
    const { values } = column;
    return classes.encode(Array.from(rows, (i) => values[i]));
  }
  const { codes, vocabulary } = column;
  const classOf = new Int32Array(vocabulary.length).fill(-1); // looked up once an id
  return rows.map((row) => {
    const code = codes[row];
    if (classOf[code] < 0) classOf[code] = Math.max(0, classes.indexOf(vocabulary.id(code)));
    return classOf[code];
  });
}

/** The class of every row. */
export function encodeAll(column: RawColumn, classes: Vocabulary): Int32Array {
  if ('values' in column) return classes.encode(column.values);
  return encodeSome(
    column,
    classes,
    column.codes.map((_, i) => i),
  );
}
