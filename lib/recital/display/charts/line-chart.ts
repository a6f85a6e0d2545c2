import { withUnit } from '../../data/explore.js';
import { Chart } from '../../data/output.js';
import { given } from '../../options.js';
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
  type Naming,
  numberTip,
  quantitative,
  spoken,
  tableOf,
} from './common.js';

const DEFAULTS = {
  ...CHART_DEFAULTS,
  /** Numeric column on the horizontal axis. */
  x: '',
  /** Numeric columns, one line each. */
  y: [] as string | readonly string[],
  /** Default `'linear'`. */
  xScale: 'linear' as AxisScale,
  /** Default `'linear'`. */
  yScale: 'linear' as AxisScale,
};

/** Options of lineChart. */
export interface LineChartOptions<N extends string = string>
  extends Naming<Partial<typeof DEFAULTS> & Pick<typeof DEFAULTS, 'x' | 'y'>, 'x' | 'y', N> {}

const MAX_POINTS = 2000; // per line: more than the pixels it is drawn on
const MARKED = 40; // up to here each point gets a dot

/**
 * One or several lines. Rows are taken in the order of `x`. A line of more than 2,000 points is
 * drawn by the smallest and the largest value of each of 1,000 stretches, which looks the same.
 * @param data a table with the columns to draw; or a catalogue, plays (`track_id`, `user_id`,
 *   `playcount`), correlations
 * @example lineChart(history, { x: 'epoch', y: ['train_loss', 'valid_loss'], title: 'Losses', yTitle: 'loss' })
 */
export function lineChart<D extends Drawable, N extends string>(
  data: D,
  options: LineChartOptions<DrawnColumn<D, N>>,
): Chart {
  const table = tableOf(data, 'lineChart');
  const { x, y, xTitle, xScale, yScale, ...titles } = given(DEFAULTS, options, 'lineChart');
  const columns = columnList(y, 'lineChart');
  const many = columns.length > 1;
  const { yTitle = many ? 'value' : withUnit(columns[0]) } = titles;
  const { title = `${columns.join(', ')} by ${xTitle ?? x}` } = titles;
  const across = table.numbers(x);
  const sentences: string[] = [];
  const points = columns.flatMap((name) => {
    const values = table.numbers(name);
    const axes = [
      { name: x, scale: xScale },
      { name, scale: yScale },
    ];
    const rows = drawable(table, axes).sort((a, b) => across[a] - across[b]);
    sentences.push(
      describe(
        name,
        Float64Array.from(rows, (i) => values[i]),
      ),
    );
    return thin(rows, values).map((i) => ({ x: across[i], y: values[i], series: name }));
  });
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const color = {
    field: 'series',
    type: 'nominal',
    sort: null,
    title: null,
    legend: { orient: 'top', symbolType: 'stroke' },
  };
  const spec = {
    data: { values: points },
    mark: { type: 'line', point: points.length <= MARKED * columns.length },
    encoding: {
      x: quantitative('x', {
        title: xTitle ?? withUnit(x),
        scale: { ...freeScale(xScale), nice: xScale === 'log' },
        axis: axisNumbers(xs),
      }),
      y: quantitative('y', { title: yTitle, scale: freeScale(yScale), axis: axisNumbers(ys) }),
      ...(many ? { color } : {}),
      tooltip: [
        ...(many ? [{ field: 'series', title: 'line' }] : []),
        numberTip('x', xs, x),
        numberTip('y', ys, 'value'),
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
    for (const i of new Set([Math.min(low, high), Math.max(low, high)])) kept.push(rows[i]);
  }
  return kept;
}

function describe(name: string, values: Float64Array): string {
  const n = values.length;
  if (n === 1) return `${name}: one point, ${spoken(values[0])}.`;
  const [first, last, low, high] = [values[0], values[n - 1], ...extent(values)].map(spoken);
  return `${name}: ${counted(n, 'point')}, from ${first} to ${last}, lowest ${low}, highest ${high}.`;
}
