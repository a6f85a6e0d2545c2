import { Chart } from '../../data/display.js';
import { withUnit } from '../../data/explore.js';
import type { Table } from '../../data/table.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkOptions } from '../../options.js';
import { counted } from '../../printed.js';
import {
  type AxisScale,
  axisNumbers,
  checkTable,
  drawable,
  extent,
  freeScale,
  spoken,
  tooltipFormat,
} from './common.js';

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
  if (!(Number.isInteger(bins) && bins >= 1 && bins <= 1000))
    throw new ArgumentError(`bins must be a whole number from 1 to 1000, got ${bins}.`);
  const size = names.length === 1 ? {} : { width: 220, height: 130 };
  const sentences: string[] = [];
  const panels = names.map((name, j) => {
    const data = table.numbers(name);
    const values = Float64Array.from(drawable(table, [{ name, scale }]), (i) => data[i]);
    const counts = scale === 'log' ? logBins(values, bins) : linearBins(values, bins);
    const most = Math.max(...counts.map((bin) => bin.count)); // of one or two rows no half ones are marked
    sentences.push(describe(name, values));
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

function describe(name: string, values: Float64Array): string {
  const sorted = values.slice().sort();
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  const range = `from ${spoken(sorted[0])} to ${spoken(sorted[sorted.length - 1])}`;
  return `${name}: ${counted(values.length, 'value')} ${range}, median ${spoken(median)}.`;
}
