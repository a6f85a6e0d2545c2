import { withUnit } from '../../data/explore.js';
import { Chart } from '../../data/output.js';
import { ArgumentError } from '../../errors.js';
import { checkCount, checkOneOf, given } from '../../options.js';
import { counted } from '../../printed.js';
import {
  type AxisScale,
  axisNumbers,
  CHART_DEFAULTS,
  columnList,
  type Drawable,
  type DrawnColumn,
  drawable,
  extent,
  freeScale,
  isText,
  leftOut,
  type Naming,
  numberTip,
  quantitative,
  spoken,
  tableOf,
} from './common.js';

const BAR_DEFAULTS = {
  ...CHART_DEFAULTS,
  /** Column on the horizontal axis. Text here makes the bars stand. */
  x: '',
  /**
   * Column on the vertical axis. Text here makes the bars lie, which leaves room for long names.
   */
  y: '',
  /**
   * Order of the bars: by value, the largest first, or as in the table. Default: `'value'`, but
   * `'table'` where both columns are numbers.
   */
  sort: undefined as 'value' | 'table' | undefined,
  /** Bars drawn: the first ones in that order. Default 40. */
  limit: 40,
};

/** Options of barChart. */
export interface BarChartOptions<N extends string = string>
  extends Naming<
    Partial<typeof BAR_DEFAULTS> & Pick<typeof BAR_DEFAULTS, 'x' | 'y'>,
    'x' | 'y',
    N
  > {}

const WRITTEN = 25; // more bars have no room for their values

/**
 * One bar per row, sorted, with its value beside it.
 * @param data a table with the columns to draw; or a catalogue, plays (`track_id`, `user_id`,
 *   `playcount`), correlations
 * @throws ArgumentError if neither column holds numbers, or if a name stands in two rows
 * @example barChart(topArtists(plays, 10), { x: 'playcount', y: 'artist', title: 'Most played artists', xTitle: 'plays' })
 */
export function barChart<D extends Drawable, N extends string>(
  data: D,
  options: BarChartOptions<DrawnColumn<D, N>>,
): Chart {
  const table = tableOf(data, 'barChart');
  const { x, y, limit, xTitle, yTitle, ...more } = given(BAR_DEFAULTS, options, 'barChart');
  if (limit !== Infinity) checkCount(limit, 'limit');
  const lying = isText(table, y);
  if (lying && isText(table, x))
    throw new ArgumentError(`One of "${x}" and "${y}" must hold numbers; both hold text.`);
  const [names, numbers] = lying ? [y, x] : [x, y];
  const [namesTitle = names, numbersTitle] = lying ? [yTitle, xTitle] : [xTitle, yTitle];
  const textual = isText(table, names);
  const { title = `${numbersTitle ?? numbers} by ${namesTitle}` } = more;
  const { sort = textual ? 'value' : 'table' } = more;
  checkOneOf(sort, ['value', 'table'], 'sort');
  const labels = textual ? table.strings(names) : Array.from(table.numbers(names), shortest);
  const values = table.numbers(numbers);
  const rows = drawable(table, [{ name: numbers }]);
  const known = new Set<string | null>();
  for (const i of rows) {
    if (known.has(labels[i]))
      throw new ArgumentError(
        `"${labels[i]}" stands in two rows of column "${names}"; a bar chart needs one row per bar.`,
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
    title: namesTitle,
    axis: lying ? { ticks: false } : { labelAngle: long ? -45 : 0 },
  };
  const [least, most] = extent(bars.map((bar) => bar.value));
  const [low, high] = [Math.min(0, least), Math.max(0, most)];
  const room = 0.12 * (high - low); // beyond the longest bar, for its value
  const domain = [low < 0 ? low - room : 0, high > 0 ? high + room : 0];
  const value = quantitative('value', {
    title: numbersTitle ?? withUnit(numbers),
    scale: written && high > low ? { domain, nice: false } : {},
    axis: axisNumbers([low, high]),
  });
  const text = lying
    ? {
        type: 'text',
        align: { expr: "datum.value < 0 ? 'right' : 'left'" },
        dx: { expr: 'datum.value < 0 ? -4 : 4' },
      }
    : { type: 'text', dy: { expr: 'datum.value < 0 ? 9 : -7' } };
  const tooltip = [
    { field: 'name' },
    numberTip(
      'value',
      bars.map((bar) => bar.value),
    ),
  ];
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
  const alt = barsInWords(bars, rows.length, sort) + leftOut(table.length, rows.length);
  return new Chart(spec, title, alt);
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
  const few = `the ${sort === 'value' ? 'largest' : 'first'} ${bars.length} of `;
  const which = `${bars.length < all ? few : ''}${counted(all, 'bar')}`;
  const said = (bar: typeof first): string => `${bar.name} (${spoken(bar.value)})`;
  const range = bars.length > 1 ? `from ${said(first)} to ${said(last)}` : said(first);
  return `Bar chart, ${which}, ${range}.`;
}

const HISTOGRAM_DEFAULTS = {
  /** Printed above the chart. Default: the names of the columns. */
  title: undefined as string | undefined,
  /** Number of bins to aim for; edges are rounded to 1, 2 or 5 times a power of ten. Default 30. */
  bins: 30,
  /**
   * `'log'`: bins of equal width in the logarithm, for values that span several powers of ten such
   * as play counts. Default `'linear'`.
   */
  scale: 'linear' as AxisScale,
  /** What is counted, the title of the vertical axes. Default `'rows'`. */
  yTitle: 'rows',
};

/** Options of histogram. */
export type HistogramOptions = Partial<typeof HISTOGRAM_DEFAULTS>;

interface Bin {
  from: number;
  to: number;
  count: number;
}

/**
 * How the values of one or several columns are distributed, one small chart per column. The bins are
 * counted here: the notebook holds bins, not rows.
 * @param data a table with the columns to draw; or a catalogue, plays (`track_id`, `user_id`,
 *   `playcount`), correlations
 * @param columns numeric columns
 * @example histogram(tracks, ['energy', 'valence', 'tempo'], { title: 'Audio features' })
 */
export function histogram<D extends Drawable, N extends string>(
  data: D,
  columns: DrawnColumn<D, N> | readonly DrawnColumn<D, N>[],
  options: HistogramOptions = {},
): Chart {
  const table = tableOf(data, 'histogram');
  const { bins, scale, yTitle, ...more } = given(HISTOGRAM_DEFAULTS, options, 'histogram');
  checkCount(bins, 'bins', { most: 1000 });
  const names = columnList(columns, 'histogram');
  const { title = names.slice(0, 4).join(', ') + (names.length > 4 ? ' …' : '') } = more;
  const size = names.length === 1 ? {} : { width: 220, height: 130 };
  const sentences: string[] = [];
  const panels = names.map((name, j) => {
    const all = table.numbers(name);
    const values = Float64Array.from(drawable(table, [{ name, scale }]), (i) => all[i]);
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
        y: quantitative('count', {
          title: j % 3 === 0 ? yTitle : null,
          axis: { tickCount: Math.min(5, most) },
        }),
        tooltip: (['from', 'to', 'count'] as const).map((field) =>
          numberTip(
            field,
            counts.map((bin) => bin[field]),
          ),
        ),
      },
    };
  });
  const spec = panels.length === 1 ? panels[0] : { columns: 3, spacing: 24, concat: panels };
  const kind = names.length === 1 ? 'Histogram' : `${names.length} histograms`;
  return new Chart(spec, title, `${kind}. ${sentences.join(' ')}`);
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
