import type { Correlation } from '../../data/explore.js';
import { Plays } from '../../data/plays.js';
import { type NameIn, Table } from '../../data/table.js';
import type { Tracks } from '../../data/tracks.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkOneOf } from '../../options.js';
import { counted } from '../../printed.js';

/** What every chart of a table can be told. */
export const CHART_DEFAULTS = {
  /** Printed above the chart. Default: what is drawn, e.g. "plays by artist". */
  title: undefined as string | undefined,
  /**
   * Title of the horizontal axis, with the unit, e.g. `'length (min)'`. Default: the column's name,
   * for columns of the catalogue with its unit.
   */
  xTitle: undefined as string | undefined,
  /** Title of the vertical axis, with the unit. Default: the column's name, likewise. */
  yTitle: undefined as string | undefined,
};

/** What charts draw: a table, or what has one: a catalogue, plays, correlations. */
export type Drawable = Table<object> | Tracks | Plays | Correlation;

/**
 * What may name a column of what is drawn: one that its rows have, or any text that is known when
 * it runs.
 */
export type DrawnColumn<D, N extends string> = D extends Plays
  ? DrawnColumn<ReturnType<Plays['toTable']>, N>
  : D extends Table<infer R>
    ? NameIn<R, N>
    : N;

/** Options of a chart whose fields `F` name columns `N`. */
export type Naming<Options, F, N> = {
  [K in keyof Options]: K extends F ? Named<Options[K], N> : Options[K];
};
type Named<Value, N> = Value extends string
  ? N
  : Value extends readonly string[]
    ? readonly N[]
    : Value;

/**
 * Options that the charts of a table share.
 * @example const size: ChartOptions = { title: 'Plays', xTitle: 'week' };
 */
export type ChartOptions = Partial<typeof CHART_DEFAULTS>;

/** How an axis is divided. A logarithmic one shows positive values only. */
export type AxisScale = 'linear' | 'log';

/** Vega-Lite's scale for values that need not start at zero. */
export function freeScale(type: AxisScale): Record<string, unknown> {
  checkOneOf(type, ['linear', 'log'], 'A scale');
  return type === 'log' ? { type } : { type, zero: false };
}

/** A number for an alternative text: three significant digits, thousands separated. */
export function spoken(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000)
    return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

const every = (values: ArrayLike<number>, fits: (x: number) => boolean): boolean =>
  Array.prototype.every.call(values, fits);

/**
 * Vega-Lite's settings for the numbers of an axis, where its own would be unreadable: years without
 * a comma, 1.4M instead of 1,400,000, 2e-6 instead of 0.000002.
 */
export function axisNumbers(values: ArrayLike<number>): Record<string, unknown> {
  const [low, high] = extent(values);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (every(values, (x) => Number.isInteger(x) && x >= 1000 && x < 3000))
    return { format: 'd', tickMinStep: 1 };
  if (largest >= 1e24 || (largest > 0 && largest < 1e-3))
    return { labelExpr: "datum.value == 0 ? '0' : format(datum.value, '.2~e')" };
  const apart = high - low > 1e-4 * largest; // nearer ones would look equal
  return largest >= 1e6 && apart && !(low > 0 && low < 1)
    ? { labelExpr: "replace(format(datum.value, '~s'), 'G', 'B')" }
    : {};
}

/** An encoding by a column of numbers. */
export function quantitative<T extends object>(field: string, more: T) {
  return { field, type: 'quantitative', ...more };
}

/** A line of a tooltip for numbers: six digits, thousands separated from 10,000 on. */
export function numberTip(field: string, values: ArrayLike<number>, title?: string) {
  return quantitative(field, {
    ...(title === undefined ? {} : { title }),
    format: tipFormat(values),
  });
}

/** d3's format. */
function tipFormat(values: ArrayLike<number>): string {
  const largest = Math.max(...extent(values).map(Math.abs));
  if (!(largest < 1e9) || (largest > 0 && largest < 1e-4)) return '.5~e';
  if (every(values, (x) => !Number.isFinite(x) || Number.isInteger(x)))
    return largest < 10_000 ? 'd' : ',d';
  return ',.6~r';
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
 * The numbers of the rows that can be drawn: those with a finite value in every column given.
 * @throws ArgumentError if there is none, or if a value of a logarithmic axis is not positive
 */
export function drawable(
  table: Table,
  columns: readonly { name: string; scale?: AxisScale }[],
): number[] {
  const data = columns.map(({ name }) => table.numbers(name));
  const rows: number[] = [];
  for (let i = 0; i < table.length; i++)
    if (data.every((column) => Math.abs(column[i]) <= MAX)) rows.push(i);
  const names = columns.map(({ name }) => `"${name}"`).join(' and ');
  if (rows.length === 0)
    throw new ArgumentError(
      `There is nothing to draw: none of the ${table.length} rows has a number in ${names}.`,
    );
  columns.forEach(({ name, scale }, j) => {
    const bad = scale === 'log' ? rows.find((i) => !(data[j][i] >= 1 / MAX)) : undefined;
    if (bad !== undefined)
      throw new ArgumentError(
        `A logarithmic axis needs positive values, but "${name}" is ${data[j][bad]} in row ${bad}. Take the linear scale.`,
      );
  });
  return rows;
}

/** A sentence on rows that are not drawn, or nothing. */
export function leftOut(all: number, drawn: number): string {
  return drawn < all
    ? ` ${counted(all - drawn, 'row')} without a value ${all - drawn === 1 ? 'is' : 'are'} left out.`
    : '';
}

/** One or several names of columns as a list. */
export function columnList(names: string | readonly string[], chart: string): readonly string[] {
  const list = typeof names === 'string' ? [names] : names;
  checkArgument(
    Array.isArray(list) && list.length > 0,
    list,
    chart,
    "at least one column: its name, or an array of names, such as ['energy', 'tempo']",
  );
  return list;
}

/** Whether the column holds text. */
export function isText(table: Table, name: string): boolean {
  return !(table.column(name) instanceof Float64Array);
}

/** The table of what is drawn. Refuses anything else, and a table without rows. */
export function tableOf(data: Drawable, chart: string): Table {
  const table =
    data instanceof Plays
      ? data.toTable()
      : 'table' in Object(data)
        ? (data as Tracks).table
        : data;
  const wanted = 'a table, such as Table.fromRows(records), a catalogue of tracks, or plays';
  checkArgument(table instanceof Table, data, chart, wanted);
  if (table.length === 0)
    throw new ArgumentError(`${chart} got a table without rows: there is nothing to draw.`);
  return table as Table;
}

/**
 * Colours that stay apart for every common kind of colour blindness, the strongest first: those of
 * Okabe and Ito (2008), without yellow, hard to see on white, and with a violet in the place of
 * black, which cannot be seen in the dark.
 */
export const palette: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#9944ff',
];

/** The grey of notes. */
export const grey = '#555555';

/** Width and height of a chart's plot, in pixels, where the chart does not say otherwise. */
export const plotSize = { width: 520, height: 300 };

/**
 * Vega-Lite configuration of every chart: sizes, and the colours of what is data. Limits, in
 * pixels, keep long names from squeezing the chart; outside a browser Vega takes a letter for wider
 * than it is, so that a limit of 300 leaves about 34 letters.
 */
export const chartConfig: Record<string, unknown> = {
  font: 'DejaVu Sans, Verdana, sans-serif',
  padding: 10,
  view: { continuousWidth: plotSize.width, continuousHeight: plotSize.height },
  title: {
    limit: 1200,
    anchor: 'start',
    fontSize: 14,
    fontWeight: 'bold',
    offset: 12,
    subtitleFontSize: 11,
  },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelLimit: 300,
    labelSeparation: 4,
    titleLimit: 500,
  },
  header: { labelFontSize: 12, titleFontSize: 12 },
  legend: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelLimit: 220,
    titleLimit: 220,
  },
  text: { fontSize: 11, color: { expr: "luminance(background) < 0.4 ? '#ffffff' : '#000000'" } }, // no theme has a colour for them
  bar: { color: palette[0] },
  rect: { color: palette[0] },
  line: { color: palette[0], strokeWidth: 2 },
  area: { color: palette[0] },
  point: { color: palette[0], filled: true, size: 40 },
  circle: { color: palette[0], size: 40 },
  rule: { color: '#888888' },
  range: {
    category: palette,
    diverging: { scheme: 'blueorange' },
    heatmap: { scheme: 'blues' },
    ramp: { scheme: 'blues' },
  },
};

/**
 * The colours of everything else, for a chart on white: a picture, a page. A front end has its own,
 * those of its theme: JupyterLab and VS Code put vega-embed's theme "dark", white text on dark
 * grey, beneath a chart that has none.
 */
export const paperConfig: Record<string, unknown> = {
  background: '#ffffff',
  view: { stroke: '#dddddd' },
  title: { color: '#000000', subtitleColor: grey },
  axis: {
    labelColor: '#333333',
    titleColor: '#333333',
    gridColor: '#e8e8e8',
    domainColor: '#999999',
    tickColor: '#999999',
  },
  header: { labelColor: '#000000', titleColor: '#000000' },
  legend: { labelColor: '#000000', titleColor: '#000000' },
  text: { color: '#000000' },
};
