import { Chart } from '../../data/display.js';
import { withUnit } from '../../data/explore.js';
import type { Table } from '../../data/table.js';
import { ArgumentError } from '../../errors.js';
import { checkOptions } from '../../options.js';
import { counted } from '../../printed.js';
import {
  axisNumbers,
  type ChartOptions,
  checkTable,
  drawable,
  extent,
  isText,
  leftOut,
  spoken,
  tooltipFormat,
} from './common.js';

/** Options of barChart. */
export interface BarChartOptions extends ChartOptions {
  /** Column on the horizontal axis. Text here makes the bars stand. */
  x: string;
  /**
   * Column on the vertical axis. Text here makes the bars lie, which leaves room for long names.
   */
  y: string;
  /**
   * Order of the bars: by value, the largest first, or as in the table. Default: `'value'`, but
   * `'table'` where both columns are numbers.
   */
  sort?: 'value' | 'table';
  /** Bars drawn: the first ones in that order. Default 40. */
  limit?: number;
}

const WRITTEN = 25; // more bars have no room for their values

/**
 * One bar a row, sorted, with its value beside it.
 * @param table columns to draw
 * @throws ArgumentError if neither column holds numbers, or if a name stands in two rows
 * @example barChart(topArtists(plays, 10), { x: 'playcount', y: 'artist', title: 'Most played artists', xTitle: 'plays' })
 */
export function barChart(table: Table, options: BarChartOptions): Chart {
  checkTable(table, 'barChart');
  checkOptions(options, ['x', 'y', 'sort', 'limit', 'title', 'xTitle', 'yTitle'], 'barChart');
  const { x, y, xTitle = x, yTitle = y, limit = 40 } = options;
  const lying = isText(table, y);
  const { title = lying ? `${xTitle} by ${yTitle}` : `${yTitle} by ${xTitle}` } = options;
  if (lying && isText(table, x))
    throw new ArgumentError(`One of "${x}" and "${y}" must hold numbers; both hold text.`);
  if (!(limit >= 1 && (Number.isInteger(limit) || limit === Infinity)))
    throw new ArgumentError(`limit must be a positive whole number of bars, got ${limit}.`);
  const [names, numbers] = lying ? [y, x] : [x, y];
  const { sort = isText(table, names) ? 'value' : 'table' } = options;
  const labels = isText(table, names)
    ? table.strings(names)
    : Array.from(table.numbers(names), shortest);
  const values = table.numbers(numbers);
  const rows = drawable(table, [{ name: numbers }]);
  const known = new Set<string | null>();
  for (const i of rows) {
    if (known.has(labels[i]))
      throw new ArgumentError(
        `"${labels[i]}" stands in two rows of column "${names}"; a bar chart needs one row a bar.`,
      );
    known.add(labels[i]);
  }
  const order = sort === 'value' ? [...rows].sort((a, b) => values[b] - values[a]) : rows;
  const bars = order
    .slice(0, limit)
    .map((i) => ({ name: labels[i] ?? '–', value: values[i], text: spoken(values[i]) }));

  const written = bars.length <= WRITTEN;
  const long = bars.some((bar) => bar.name.length > 8) || bars.length > 12;
  const category = {
    field: 'name',
    type: 'nominal',
    sort: null,
    title: lying ? yTitle : xTitle,
    axis: lying ? { ticks: false } : { labelAngle: long ? -45 : 0 },
  };
  const room = written ? 0.12 : 0; // beyond the longest bar, for its value
  const [least, most] = extent(bars.map((bar) => bar.value));
  const [low, high] = [Math.min(0, least), Math.max(0, most)];
  const domain = [
    low < 0 ? low - room * (high - low) : 0,
    high > 0 ? high + room * (high - low) : 0,
  ];
  const scale = written && high > low ? { domain, nice: false } : {};
  const value = {
    field: 'value',
    type: 'quantitative',
    title: (lying ? options.xTitle : options.yTitle) ?? withUnit(numbers),
    scale,
    axis: axisNumbers([low, high]),
  };
  const text = lying
    ? {
        type: 'text',
        align: { expr: "datum.value < 0 ? 'right' : 'left'" },
        dx: { expr: 'datum.value < 0 ? -4 : 4' },
      }
    : { type: 'text', dy: { expr: 'datum.value < 0 ? 9 : -7' } };
  const format = tooltipFormat(bars.map((bar) => bar.value));
  const tooltip = [{ field: 'name' }, { field: 'value', type: 'quantitative', format }];
  const spec = {
    data: { values: bars },
    ...(lying
      ? { height: { step: 21 } }
      : { width: { step: Math.max(18, Math.min(60, Math.floor(520 / bars.length))) } }),
    encoding: { x: lying ? value : category, y: lying ? category : value, tooltip },
    layer: [
      { mark: { type: 'bar' } },
      ...(written ? [{ mark: text, encoding: { text: { field: 'text' } } }] : []),
    ],
  };
  return new Chart(
    spec,
    title,
    describe(bars, rows.length, sort) + leftOut(table.length, rows.length),
  );
}

/** A number as the name of a bar: 0.3, not 0.30000000000000004. */
function shortest(value: number): string | null {
  return Number.isNaN(value) ? null : String(Number(value.toPrecision(12)));
}

function describe(
  bars: readonly { name: string; value: number }[],
  all: number,
  sort: 'value' | 'table',
): string {
  const ranked = [...bars].sort((a, b) => b.value - a.value);
  const [first, last] = [ranked[0], ranked[ranked.length - 1]];
  const which =
    bars.length < all
      ? `the ${sort === 'value' ? 'largest' : 'first'} ${bars.length} of ${counted(all, 'bar')}`
      : counted(all, 'bar');
  const range =
    bars.length > 1
      ? `, from ${first.name} (${spoken(first.value)}) to ${last.name} (${spoken(last.value)})`
      : `, ${first.name} (${spoken(first.value)})`;
  return `Bar chart, ${which}${range}.`;
}
