import type { Correlation } from '../../data/explore.js';
import { Chart } from '../../data/output.js';
import { Table } from '../../data/table.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkCount, given, isNumbers, said } from '../../options.js';
import { quantitative } from './common.js';

/** A matrix with names. */
export interface LabelledMatrix {
  /** Names of the rows. */
  labels: readonly string[];
  /** Names of the columns. Default: those of the rows. */
  columnLabels?: readonly string[];
  /** Values, row-major; NaN is an empty cell. */
  values: ArrayLike<number>;
}

const DEFAULTS = {
  /** Printed above the chart. Default `'Heatmap'`. */
  title: 'Heatmap',
  /** Values of full blue and full red; none is half way. Default [−1, 1], that of a correlation. */
  domain: [-1, 1] as readonly [number, number],
  /** Decimals of the values in the cells. Default 2. */
  decimals: 2,
};

/** Options of heatmap. */
export type HeatmapOptions = Partial<typeof DEFAULTS>;

interface Cell {
  row: string;
  column: string;
  value: number;
  /** The value as it is written. */
  text: string;
}

const MAX_WRITTEN = 20; // a larger matrix has no room for the values in its cells
const MAX_SIDE = 60;

/**
 * Full blue and red, on both of which black and white text can be read; between them the background
 * shines through, white on paper and dark in the dark.
 */
const COLOURS = [
  'rgba(33, 119, 201, 1)',
  'rgba(33, 119, 201, 0)',
  'rgba(209, 64, 60, 0)',
  'rgba(209, 64, 60, 1)',
];

/**
 * A matrix as coloured cells, e.g. the correlations of audio features: red is positive, blue
 * negative, and the value stands in the cell.
 * @param matrix names and values; what `correlation` returns; or a table whose first text column names the rows and whose
 *   numeric columns are the columns
 * @throws ArgumentError if a value lies outside `domain`, or if there are more than 60 rows or
 *   columns
 * @example heatmap(correlation(tracks), { title: 'Audio features' })
 * @example heatmap({ labels: ['energy', 'valence'], values: [1, 0.4, 0.4, 1] }, { title: 'Correlation' })
 */
export function heatmap(
  matrix: Table<object> | Correlation | LabelledMatrix,
  options: HeatmapOptions = {},
): Chart {
  const { title, domain, decimals } = given(DEFAULTS, options, 'heatmap');
  checkCount(decimals, 'decimals', { least: 0, most: 20 });
  const { labels, columnLabels, values } = readMatrix(matrix);
  const [rows, columns] = [labels.length, columnLabels.length];
  const [low, high] = Array.isArray(domain) ? (domain as readonly [number, number]) : [0, 0];
  if (!(high > low && Math.abs(low) <= 1e300 && Math.abs(high) <= 1e300))
    throw new ArgumentError(
      `domain must be two numbers, the smaller one first, got ${said(domain)}.`,
    );
  const cells: Cell[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = values[i * columns + j];
      if (Number.isNaN(value)) continue;
      if (!(value >= low - 1e-6 && value <= high + 1e-6))
        throw new ArgumentError(
          `The value ${value} of "${labels[i]}" and "${columnLabels[j]}" is outside [${low}, ${high}]. Give \`domain\`.`,
        );
      const text = value.toFixed(decimals).replace(/^-(0\.?0*)$/, '$1'); // not −0.00
      cells.push({ row: labels[i], column: columnLabels[j], value, text });
    }
  }
  const written = Math.max(rows, columns) <= MAX_WRITTEN;
  const longest = Math.max(...cells.map((cell) => cell.text.length));
  const step = written ? Math.max(36, 9 + 7 * longest) : 16;
  const middle = (low + high) / 2;
  const axis = { title: null, domain: false, ticks: false };
  const steep = columnLabels.some((name) => name.length * 6 > step);
  const names = { type: 'nominal', sort: null, scale: { paddingInner: 0.03 } };
  const color = quantitative('value', {
    scale: { domain: [low, middle, middle, high], range: COLOURS },
    title: null,
  });
  const numbers = { mark: { type: 'text', fontSize: 10 }, encoding: { text: { field: 'text' } } };
  const spec = {
    data: { values: cells },
    width: { step },
    height: { step: written ? Math.min(step, 36) : step },
    encoding: {
      x: {
        field: 'column',
        ...names,
        axis: { ...axis, orient: 'bottom', labelAngle: steep ? -45 : 0 },
      },
      y: { field: 'row', ...names, axis },
      tooltip: [
        { field: 'row', type: 'nominal' },
        { field: 'column', type: 'nominal' },
        quantitative('value', {}),
      ],
    },
    layer: [{ mark: 'rect', encoding: { color } }, ...(written ? [numbers] : [])],
  };
  return new Chart(spec, title, describe(cells, rows, columns));
}

function readMatrix(given: Table<object> | Correlation | LabelledMatrix): Required<LabelledMatrix> {
  const matrix =
    given && 'table' in Object(given)
      ? (given as Correlation).table
      : (given as Table | LabelledMatrix);
  const isTable = matrix instanceof Table;
  checkArgument(
    isTable || (Array.isArray(matrix?.labels) && isNumbers(matrix.values)),
    given,
    'heatmap',
    'a table, such as readTable reads, what correlation returns, or { labels, values }',
  );
  const named = isTable ? fromTable(matrix) : matrix;
  const { labels, columnLabels = labels, values } = named;
  const [rows, columns] = [labels.length, columnLabels.length];
  if (values.length !== rows * columns)
    throw new ArgumentError(
      `A heatmap of ${rows} × ${columns} names needs ${rows * columns} values, got ${values.length}.`,
    );
  if (!(Math.min(rows, columns) >= 1 && Math.max(rows, columns) <= MAX_SIDE))
    throw new ArgumentError(
      `A heatmap needs at least one row and one column, and shows at most ${MAX_SIDE} of each, got ${rows} × ${columns}.`,
    );
  for (const names of [labels, columnLabels]) {
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      throw new ArgumentError(
        `"${twice}" names two rows or columns of the heatmap, which would cover each other.`,
      );
  }
  return { labels, columnLabels, values };
}

function fromTable(table: Table): LabelledMatrix {
  const numeric = table.columnNames.filter((name) => table.column(name) instanceof Float64Array);
  const names = table.columnNames.find((name) => !numeric.includes(name));
  if (numeric.length === 0)
    throw new ArgumentError('A heatmap of a table needs numeric columns; it has none.');
  const labels = names ? table.strings(names).map((label) => label ?? '–') : numeric;
  const columns = numeric.map((name) => table.numbers(name));
  const values = labels.flatMap((_, i) => columns.map((column) => column[i]));
  return { labels, columnLabels: numeric, values };
}

function describe(cells: readonly Cell[], rows: number, columns: number): string {
  const pairs = cells.filter((cell) => cell.row !== cell.column).sort((a, b) => b.value - a.value);
  const size = `Heatmap of ${rows} × ${columns} values`;
  if (pairs.length === 0) return `${size}.`;
  const name = (cell: Cell): string => `${cell.row} and ${cell.column} (${cell.text})`;
  return `${size}: the highest is that of ${name(pairs[0])}, the lowest that of ${name(pairs[pairs.length - 1])}.`;
}
