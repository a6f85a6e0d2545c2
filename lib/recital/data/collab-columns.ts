import { DataError, UnknownIdError } from '../errors.js';
import { said } from '../options.js';
import type { RawColumn } from './collab-classes.js';
import { shownNames } from './files/csv-format.js';
import type { LoadedTable } from './files/read-table.js';
import type { Table } from './table.js';
import { refuseRounded } from './vocabulary.js';

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
      if (
        isRating
          ? !missing && Number.isFinite(Math.fround(Number(value))) && value !== ''
          : !missing
      )
        continue;
      const got = missing ? 'nothing' : typeof value === 'string' ? `"${value}"` : value;
      throw new DataError(
        `"${path}", line ${await lineOf(i)}, column "${name}": expected ${isRating ? 'a finite number, which a float32 holds' : 'an id'}, got ${got}. ` +
          (isRating
            ? 'Name the columns by userName, itemName and ratingName.'
            : 'Drop such rows first.'),
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
