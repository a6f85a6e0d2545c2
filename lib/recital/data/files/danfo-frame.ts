// The part of danfo.js that is typed here. Its own types cannot be used: where it is not installed
// they are missing.

/** A value of danfo.js. */
export type DanfoValue = string | number | boolean | null | undefined;

/** A column of danfo.js. */
export interface DanfoSeries {
  readonly values: readonly DanfoValue[];
  readonly index: readonly (string | number)[];
  eq(other: DanfoValue | DanfoSeries): DanfoSeries;
  ne(other: DanfoValue | DanfoSeries): DanfoSeries;
  gt(other: number | DanfoSeries): DanfoSeries;
  ge(other: number | DanfoSeries): DanfoSeries;
  lt(other: number | DanfoSeries): DanfoSeries;
  le(other: number | DanfoSeries): DanfoSeries;
  and(other: DanfoSeries): DanfoSeries;
  or(other: DanfoSeries): DanfoSeries;
  count(): number;
  sum(): number;
  mean(): number;
  median(): number;
  std(): number;
  min(): number;
  max(): number;
  unique(): DanfoSeries;
  valueCounts(): DanfoSeries;
  print(): void;
}

/** Groups of danfo.js: `frame.groupby(['artist']).col(['playcount']).sum()`. */
export interface DanfoGroups {
  col(names: readonly string[]): DanfoGroups;
  count(): DanfoFrame;
  sum(): DanfoFrame;
  mean(): DanfoFrame;
  std(): DanfoFrame;
  min(): DanfoFrame;
  max(): DanfoFrame;
  agg(operations: Readonly<Record<string, string | readonly string[]>>): DanfoFrame;
}

/**
 * A table of danfo.js. It can do more than is listed: https://danfo.jsdata.org;
 * `toDanfo<DataFrame>(table)` has its own types, where they are installed.
 */
export interface DanfoFrame {
  readonly columns: readonly string[];
  readonly dtypes: readonly string[];
  readonly index: readonly (string | number)[];
  readonly shape: readonly number[];
  /** The rows. */
  readonly values: readonly unknown[];
  column(name: string): DanfoSeries;
  head(rows?: number): DanfoFrame;
  tail(rows?: number): DanfoFrame;
  query(condition: DanfoSeries | readonly boolean[]): DanfoFrame;
  loc(options: {
    rows?: readonly (string | number | boolean)[] | DanfoSeries;
    columns?: readonly string[];
  }): DanfoFrame;
  iloc(options: {
    rows?: readonly (string | number | boolean)[];
    columns?: readonly (string | number)[];
  }): DanfoFrame;
  groupby(names: readonly string[]): DanfoGroups;
  sortValues(name: string, options?: { ascending?: boolean }): DanfoFrame;
  addColumn(name: string, values: DanfoSeries | readonly DanfoValue[]): DanfoFrame;
  drop(options: {
    columns?: string | readonly string[];
    index?: readonly (string | number)[];
  }): DanfoFrame;
  rename(names: Readonly<Record<string, string>>): DanfoFrame;
  fillNa(value: string | number | boolean, options?: { columns?: readonly string[] }): DanfoFrame;
  dropNa(options?: { axis: 0 | 1 }): DanfoFrame;
  describe(): DanfoFrame;
  print(): void;
}
