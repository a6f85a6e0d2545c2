import { Table } from '../../data/table.js';
import { ArgumentError } from '../../errors.js';

/** What every chart of a table can be told. */
export interface ChartOptions {
  /** Printed above the chart. */
  title: string;
  /** Title of the horizontal axis, with the unit, e.g. `'length (min)'`. Default: the column's name. */
  xTitle?: string;
  /** Title of the vertical axis, with the unit. Default: the column's name. */
  yTitle?: string;
}

/** How an axis is divided. A logarithmic one shows positive values only. */
export type AxisScale = 'linear' | 'log';

/** Vega-Lite's scale for values that need not start at zero. */
export function freeScale(type: AxisScale): Record<string, unknown> {
  if (type !== 'linear' && type !== 'log') throw new ArgumentError(`A scale is 'linear' or 'log', got '${type}'.`);
  return type === 'log' ? { type } : { type, zero: false };
}

/** A number for an alternative text: three significant digits, thousands separated. */
export function spoken(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** "1 bar", "3 bars". */
export function counted(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** The smallest and the largest of some numbers. */
export function extent(values: ArrayLike<number>): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return [low, high];
}

/** Beyond this, the length of an axis may be no number any more. */
const MAX = 1e300;

/**
 * The numbers of the rows that can be drawn: those with a finite value in every column given. Throws ArgumentError when there is none, or when a value
 * is not positive although its axis is logarithmic.
 */
export function drawable(table: Table, columns: readonly { name: string; scale?: AxisScale }[]): number[] {
  const data = columns.map(({ name }) => table.numbers(name));
  const rows: number[] = [];
  for (let i = 0; i < table.length; i++) if (data.every((column) => Math.abs(column[i]) <= MAX)) rows.push(i);
  const names = columns.map(({ name }) => `"${name}"`).join(' and ');
  if (rows.length === 0) throw new ArgumentError(`There is nothing to draw: none of the ${table.length} rows has a number in ${names}.`);
  columns.forEach(({ name, scale }, j) => {
    const bad = scale === 'log' ? rows.find((i) => !(data[j][i] >= 1 / MAX)) : undefined;
    if (bad !== undefined) {
      throw new ArgumentError(`A logarithmic axis needs positive values, but "${name}" is ${data[j][bad]} in row ${bad}. Take the linear scale.`);
    }
  });
  return rows;
}

/** A sentence on rows that are not drawn, or nothing. */
export function leftOut(all: number, drawn: number): string {
  return drawn < all ? ` ${counted(all - drawn, 'row')} without a value ${all - drawn === 1 ? 'is' : 'are'} left out.` : '';
}

/** Whether the column holds text. */
export function isText(table: Table, name: string): boolean {
  return !(table.column(name) instanceof Float64Array);
}

/** Refuses anything that is not a table with rows. */
export function checkTable(table: unknown, chart: string): void {
  if (!(table instanceof Table)) throw new ArgumentError(`${chart} draws a Table, got ${typeof table}. Table.fromRows(records) makes one.`);
  if (table.length === 0) throw new ArgumentError(`${chart} got a table without rows: there is nothing to draw.`);
}
