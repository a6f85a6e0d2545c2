import { withUnit } from '../../data/explore.js';
import { Chart } from '../../data/output.js';
import type { Table } from '../../data/table.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkOptions } from '../../options.js';
import { counted } from '../../printed.js';
import {
  type AxisScale,
  axisNumbers,
  type ChartOptions,
  checkTable,
  drawable,
  freeScale,
  spoken,
  tooltipFormat,
} from './common.js';

/** Options of lineChart. */
export interface LineChartOptions extends ChartOptions {
  /** Numeric column on the horizontal axis. */
  x: string;
  /** One numeric column a line. */
  y: string | readonly string[];
  /** Default `'linear'`. */
  xScale?: AxisScale;
  /** Default `'linear'`. */
  yScale?: AxisScale;
}

const MAX_POINTS = 2000; // a line: more than the pixels it is drawn on
const MARKED = 40; // up to here each point gets a dot

/**
 * One or several lines. Rows are taken in the order of `x`. A line of more than 2,000 points is
 * drawn by the smallest and the largest value of each of 1,000 stretches, which looks the same.
 * @param table columns to draw
 * @example lineChart(history, { x: 'epoch', y: ['train_loss', 'valid_loss'], title: 'Losses', yTitle: 'loss' })
 */
export function lineChart(table: Table, options: LineChartOptions): Chart {
  checkTable(table, 'lineChart');
  checkOptions(options, ['x', 'y', 'xScale', 'yScale', 'title', 'xTitle', 'yTitle'], 'lineChart');
  const { x, xScale = 'linear', yScale = 'linear' } = options;
  const columns = typeof options.y === 'string' ? [options.y] : options.y;
  checkArgument(
    Array.isArray(columns),
    columns,
    'lineChart',
    "y, the name of a column, or an array of names, such as ['train_loss', 'valid_loss']",
  );
  if (columns.length === 0) throw new ArgumentError('lineChart needs at least one column for y.');
  const {
    xTitle = x,
    yTitle = columns.length === 1 ? withUnit(columns[0]) : 'value',
    title = `${columns.join(', ')} by ${xTitle}`,
  } = options;
  const across = table.numbers(x);
  const sentences: string[] = [];
  const points = columns.flatMap((name) => {
    const values = table.numbers(name);
    const rows = drawable(table, [
      { name: x, scale: xScale },
      { name, scale: yScale },
    ]).sort((a, b) => across[a] - across[b]);
    sentences.push(
      describe(
        name,
        rows.map((i) => values[i]),
        rows.length,
      ),
    );
    return thin(rows, values).map((i) => ({ x: across[i], y: values[i], series: name }));
  });
  const many = columns.length > 1;
  const axis = { type: 'quantitative' };
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const spec = {
    data: { values: points },
    mark: { type: 'line', point: points.length <= MARKED * columns.length },
    encoding: {
      x: {
        field: 'x',
        ...axis,
        title: options.xTitle ?? withUnit(x),
        scale: { ...freeScale(xScale), nice: xScale === 'log' },
        axis: axisNumbers(xs),
      },
      y: { field: 'y', ...axis, title: yTitle, scale: freeScale(yScale), axis: axisNumbers(ys) },
      ...(many
        ? {
            color: {
              field: 'series',
              type: 'nominal',
              sort: null,
              title: null,
              legend: { orient: 'top', symbolType: 'stroke' },
            },
          }
        : {}),
      tooltip: [
        ...(many ? [{ field: 'series', title: 'line' }] : []),
        { field: 'x', ...axis, title: x, format: tooltipFormat(xs) },
        { field: 'y', ...axis, title: 'value', format: tooltipFormat(ys) },
      ],
    },
  };
  return new Chart(spec, title, `Line chart over ${x}. ${sentences.join(' ')}`);
}

/** Rows that keep the look of a long line: of each stretch the lowest and the highest. */
function thin(rows: readonly number[], values: Float64Array): readonly number[] {
  if (rows.length <= MAX_POINTS) return rows;
  const stretches = MAX_POINTS / 2;
  const kept: number[] = [];
  for (let s = 0; s < stretches; s++) {
    const from = Math.floor((s * rows.length) / stretches);
    const to = Math.floor(((s + 1) * rows.length) / stretches);
    let low = from;
    let high = from;
    for (let i = from; i < to; i++) {
      if (values[rows[i]] < values[rows[low]]) low = i;
      if (values[rows[i]] > values[rows[high]]) high = i;
    }
    kept.push(...[...new Set([Math.min(low, high), Math.max(low, high)])].map((i) => rows[i]));
  }
  return kept;
}

function describe(name: string, values: readonly number[], n: number): string {
  const [first, last] = [values[0], values[n - 1]];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  if (n === 1) return `${name}: one point, ${spoken(first)}.`;
  return `${name}: ${counted(n, 'point')}, from ${spoken(first)} to ${spoken(last)}, lowest ${spoken(low)}, highest ${spoken(high)}.`;
}
