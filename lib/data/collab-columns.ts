import { DataError } from '../errors.js';
import type { RawColumn } from './collab-classes.js';
import type { Table } from './table.js';

/** A column of ids, none missing. */
export function rawColumn(table: Table, name: string): RawColumn {
  const values = table.column(name);
  for (let i = 0; i < values.length; i++) {
    if (values[i] === null || Number.isNaN(values[i])) throw new DataError(`Row ${i} (counted from 0) has no "${name}". Drop such rows first.`);
  }
  return { values: values as Float64Array | readonly string[] };
}

/** A column of finite numbers. */
export function ratings(table: Table, name: string): Float32Array {
  const column = table.column(name);
  if (!(column instanceof Float64Array)) {
    const bad = column.findIndex((v) => v === null || v.trim() === '' || Number.isNaN(Number(v)));
    const shown = bad < 0 ? 'text' : `"${column[bad]}" in row ${bad} (counted from 0)`;
    throw new DataError(`The ratings in column "${name}" must be numbers, got ${shown}. Name the columns by userName, itemName and ratingName.`);
  }
  const bad = column.findIndex((v) => !Number.isFinite(Math.fround(v)));
  if (bad >= 0) {
    throw new DataError(
      `Row ${bad} (counted from 0) has the rating ${column[bad]} in column "${name}"; a finite number, which a float32 holds, was expected.`,
    );
  }
  return Float32Array.from(column);
}
