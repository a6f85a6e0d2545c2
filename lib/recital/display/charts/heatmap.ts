import { Chart } from '../../data/output.js';
import { Table } from '../../data/table.js';
import { ArgumentError } from '../../errors.js';
import { checkArgument, checkCount, checkOptions, isNumbers, said } from '../../options.js';

/** A matrix with names. */
export interface LabelledMatrix {
  /** Names of the rows. */
  labels: readonly string[];
  /** Names of the columns. Default: those of the rows. */
  columnLabels?: readonly string[];
  /** Values, row-major; NaN is an empty cell. */
  values: ArrayLike<number>;
}

/** Options of heatmap. */
export interface HeatmapOptions {
  /** Printed above the chart. Default `'Heatmap'`. */
  title?: string;
  /** Values of full blue and full red; none is half way. Default [−1, 1], that of a correlation. */
  domain?: readonly [number, number];
  /** Decimals of the values in the cells. Default 2. */
  decimals?: number;
}

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
 * @param matrix names and values; or a table whose first text column names the rows and whose
 *   numeric columns are the columns
 * @throws ArgumentError if a value lies outside `domain`, or if there are more than 60 rows or
 *   columns
 * @example heatmap({ labels: ['energy', 'valence'], values: [1, 0.4, 0.4, 1] }, { title: 'Correlation' })
 */
export function heatmap(matrix: Table | LabelledMatrix, options: HeatmapOptions = {}): Chart {
  checkOptions(options, ['title', 'domain', 'decimals'], 'heatmap');
  const { title = 'Heatmap', domain = [-1, 1], decimals = 2 } = options;
  checkArgument(
    matrix instanceof Table || (Array.isArray(matrix?.labels) && isNumbers(matrix.values)),
    matrix,
    'heatmap',
    'a table, such as correlation(tracks).table, or { labels, values }',
  );
  const {
    labels,
    columnLabels = labels,
    values,
  } = matrix instanceof Table ? fromTable(matrix) : matrix;
  const [rows, columns] = [labels.length, columnLabels.length];
  if (values.length !== rows * columns) {
    throw new ArgumentError(
      `A heatmap of ${rows} × ${columns} names needs ${rows * columns} values, got ${values.length}.`,
    );
  }
  if (rows === 0 || columns === 0)
    throw new ArgumentError('A heatmap needs at least one row and one column.');
  if (Math.max(rows, columns) > MAX_SIDE)
    throw new ArgumentError(
      `A heatmap shows at most ${MAX_SIDE} rows and columns, got ${rows} × ${columns}.`,
    );
  for (const names of [labels, columnLabels]) {
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      throw new ArgumentError(
        `"${twice}" names two rows or columns of the heatmap, which would cover each other.`,
      );
  }
  const [low, high] = Array.isArray(domain) ? (domain as readonly [number, number]) : [0, 0];
  if (!(high > low && Math.abs(low) <= 1e300 && Math.abs(high) <= 1e300)) {
    const got = Array.isArray(domain) ? `[${domain.join(', ')}]` : said(domain);
    throw new ArgumentError(`domain must be two numbers, the smaller one first, got ${got}.`);
  }
  checkCount(decimals, 'decimals', { least: 0, most: 20 });
  const cells: Cell[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = values[i * columns + j];
      if (Number.isNaN(value)) continue;
      if (!(value >= low - 1e-6 && value <= high + 1e-6)) {
        throw new ArgumentError(
          `The value ${value} of "${labels[i]}" and "${columnLabels[j]}" is outside [${low}, ${high}]. Give \`domain\`.`,
        );
      }
      const text = value.toFixed(decimals).replace(/^-(0\.?0*)$/, '$1'); // not −0.00
      cells.push({ row: labels[i], column: columnLabels[j], value, text });
    }
  }
  const written = Math.max(rows, columns) <= MAX_WRITTEN;
  const step = written
    ? Math.max(36, 9 + 7 * Math.max(...cells.map((cell) => cell.text.length)))
    : 16;
  const middle = (low + high) / 2;
  const gap = { paddingInner: 0.03 };
  const axis = { title: null, domain: false, ticks: false };
  const steep = columnLabels.some((name) => name.length * 6 > step);
  const layers: Record<string, unknown>[] = [
    {
      mark: 'rect',
      encoding: {
        color: {
          field: 'value',
          type: 'quantitative',
          scale: { domain: [low, middle, middle, high], range: COLOURS },
          title: null,
        },
      },
    },
  ];
  if (written) {
    layers.push({
      mark: { type: 'text', fontSize: 10 },
      encoding: { text: { field: 'text' } },
    });
  }
  const spec = {
    data: { values: cells },
    width: { step },
    height: { step: written ? Math.min(step, 36) : step },
    encoding: {
      x: {
        field: 'column',
        type: 'nominal',
        sort: null,
        scale: gap,
        axis: { ...axis, orient: 'bottom', labelAngle: steep ? -45 : 0 },
      },
      y: { field: 'row', type: 'nominal', sort: null, scale: gap, axis },
      tooltip: ['row', 'column', 'value'].map((field) => ({
        field,
        type: field === 'value' ? 'quantitative' : 'nominal',
      })),
    },
    layer: layers,
  };
  return new Chart(spec, title, describe(cells, rows, columns));
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
