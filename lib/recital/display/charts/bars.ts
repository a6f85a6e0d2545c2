import { withUnit } from '../../data/explore.js';
import { Chart } from '../../data/output.js';
import type { Table } from '../../data/table.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkCount, checkOptions } from '../../options.js';
import { counted } from '../../printed.js';
import {
  type AxisScale,
  axisNumbers,
  type ChartOptions,
  checkTable,
  drawable,
  extent,
  freeScale,
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
    barsInWords(bars, rows.length, sort) + leftOut(table.length, rows.length),
  );
}

/** A number as the name of a bar: 0.3, not 0.30000000000000004. */
function shortest(value: number): string | null {
  return Number.isNaN(value) ? null : String(Number(value.toPrecision(12)));
}

function barsInWords(
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

/** Options of histogram. */
export interface HistogramOptions {
  /** Printed above the chart. Default: the names of the columns. */
  title?: string;
  /** Number of bins to aim for; edges are rounded to 1, 2 or 5 times a power of ten. Default 30. */
  bins?: number;
  /**
   * `'log'`: bins of equal width in the logarithm, for values that span several powers of ten such
   * as play counts. Default `'linear'`.
   */
  scale?: AxisScale;
  /** What is counted, the title of the vertical axes. Default `'rows'`. */
  yTitle?: string;
}

interface Bin {
  from: number;
  to: number;
  count: number;
}

/**
 * How the values of one or several columns are distributed, one small chart a column. The bins are
 * counted here: the notebook holds bins, not rows.
 * @param table columns to draw
 * @param columns numeric columns
 * @example histogram(tracks.table, ['energy', 'valence', 'tempo'], { title: 'Audio features' })
 */
export function histogram(
  table: Table,
  columns: string | readonly string[],
  options: HistogramOptions = {},
): Chart {
  checkTable(table, 'histogram');
  checkOptions(options, ['title', 'bins', 'scale', 'yTitle'], 'histogram');
  const { bins = 30, scale = 'linear', yTitle = 'rows' } = options;
  const names = typeof columns === 'string' ? [columns] : columns;
  checkArgument(
    Array.isArray(names),
    names,
    'histogram',
    "the name of a column, or an array of names, such as ['energy', 'tempo']",
  );
  const { title = names.slice(0, 4).join(', ') + (names.length > 4 ? ' …' : '') } = options;
  if (names.length === 0) throw new ArgumentError('histogram needs at least one column.');
  checkCount(bins, 'bins', { most: 1000 });
  const size = names.length === 1 ? {} : { width: 220, height: 130 };
  const sentences: string[] = [];
  const panels = names.map((name, j) => {
    const data = table.numbers(name);
    const values = Float64Array.from(drawable(table, [{ name, scale }]), (i) => data[i]);
    const counts = scale === 'log' ? logBins(values, bins) : linearBins(values, bins);
    const most = Math.max(...counts.map((bin) => bin.count)); // of one or two rows no half ones are marked
    sentences.push(valuesInWords(name, values));
    return {
      data: { values: counts },
      ...size,
      mark: { type: 'bar', binSpacing: 0.5 },
      encoding: {
        x: {
          field: 'from',
          bin: { binned: true },
          type: 'quantitative',
          title: withUnit(name),
          scale: { ...freeScale(scale), nice: false },
          axis: { tickCount: 6, ...axisNumbers(values) },
        },
        x2: { field: 'to' },
        y: {
          field: 'count',
          type: 'quantitative',
          title: j % 3 === 0 ? yTitle : null,
          axis: { tickCount: Math.min(5, most) },
        },
        tooltip: (['from', 'to', 'count'] as const).map((field) => {
          return {
            field,
            type: 'quantitative',
            format: tooltipFormat(counts.map((bin) => bin[field])),
          };
        }),
      },
    };
  });
  const spec = panels.length === 1 ? panels[0] : { columns: 3, spacing: 24, concat: panels };
  return new Chart(
    spec,
    title,
    `${names.length === 1 ? 'Histogram' : `${names.length} histograms`}. ${sentences.join(' ')}`,
  );
}

/** Bins of equal width on round edges. Few whole numbers get a bin each. */
function linearBins(values: Float64Array, bins: number): Bin[] {
  const [low, high] = extent(values);
  const finest = Math.max(1e-10 * Math.max(Math.abs(low), Math.abs(high)), 1e-300); // narrower bins would have edges of the same twelve digits
  const wide = roundStep(Math.max(1, finest));
  if (values.every(Number.isInteger) && high - low < bins && wide === 1)
    return count(values, { start: low - 0.5, step: 1, n: high - low + 1 });
  if (high === low) return count(values, { start: low - wide / 2, step: wide, n: 1 });
  const step = roundStep(Math.max((high - low) / bins, finest));
  const start = Math.floor(low / step) * step;
  return count(values, { start, step, n: Math.floor((high - start) / step + 1e-9) + 1 });
}

function logBins(values: Float64Array, bins: number): Bin[] {
  const logs = values.map(Math.log10);
  const [low, high] = extent(logs);
  const apart = high - low > 1e-9; // nearer ones have no edges between them
  const step = apart ? (high - low) / bins : 1;
  return count(logs, { start: apart ? low : low - 0.5, step, n: apart ? bins : 1 }).map((bin) => ({
    from: 10 ** bin.from,
    to: 10 ** bin.to,
    count: bin.count,
  }));
}

function count(
  values: Float64Array,
  { start, step, n }: { start: number; step: number; n: number },
): Bin[] {
  const counts = new Float64Array(n);
  for (let i = 0; i < values.length; i++)
    counts[Math.max(0, Math.min(n - 1, Math.floor((values[i] - start) / step + 1e-9)))]++;
  // Edges are multiples of the step: twelve digits keep 0.1 + 0.2 from becoming
  // 0.30000000000000004.
  return Array.from(counts, (c, i) => ({
    from: Number((start + i * step).toPrecision(12)),
    to: Number((start + (i + 1) * step).toPrecision(12)),
    count: c,
  }));
}

/** The smallest 1, 2 or 5 times a power of ten that is not below `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) as number);
}

function valuesInWords(name: string, values: Float64Array): string {
  const sorted = values.slice().sort();
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  const range = `from ${spoken(sorted[0])} to ${spoken(sorted[sorted.length - 1])}`;
  return `${name}: ${counted(values.length, 'value')} ${range}, median ${spoken(median)}.`;
}
