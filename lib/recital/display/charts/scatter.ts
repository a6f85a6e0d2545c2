import { Random } from '../../compute/random.js';
import { withUnit } from '../../data/explore.js';
import { Chart } from '../../data/output.js';
import type { Column, Table } from '../../data/table.js';
import { checkOptions } from '../../options.js';
import { counted } from '../../printed.js';
import { chartFont } from '../font.js';
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
  palette,
  plotSize,
  tooltipFormat,
} from './common.js';

/** Options of scatter. */
export interface ScatterOptions extends ChartOptions {
  /** Numeric column on the horizontal axis. */
  x: string;
  /** Numeric column on the vertical axis. */
  y: string;
  /**
   * Column written beside the points, where there is room; the tooltip has it for every point.
   * Default: nothing is written.
   */
  label?: string;
  /**
   * Column that colours the points: text by category (the six most frequent; the rest is "other"),
   * numbers from dark to bright. Default: one colour.
   */
  color?: string;
  /** Further columns to show when pointing at a point; default: none. */
  tooltip?: readonly string[];
  /** Default `'linear'`. */
  xScale?: AxisScale;
  /** Default `'linear'`. */
  yScale?: AxisScale;
}

const MAX_POINTS = 3000; // more only cover each other, and make the notebook heavy
const CATEGORIES = 6;
const OTHER = 'other';
const HEIGHT = 380;
const MARGIN = 0.04; // of the axis, on both sides, so that no point sits on the frame

/**
 * One point a row. Of more than 3,000 rows a random sample of 3,000 is drawn, always the same one.
 * @param table columns to draw, a point a row
 * @example scatter(factors, { x: 'PC1', y: 'PC2', label: 'title', color: 'genre', title: 'Tracks on the first two components' })
 */
export function scatter(table: Table, options: ScatterOptions): Chart {
  checkTable(table, 'scatter');
  checkOptions(
    options,
    ['x', 'y', 'label', 'color', 'tooltip', 'xScale', 'yScale', 'title', 'xTitle', 'yTitle'],
    'scatter',
  );
  const {
    x,
    y,
    label,
    color,
    tooltip = [],
    xTitle = x,
    yTitle = y,
    xScale = 'linear',
    yScale = 'linear',
  } = options;
  const { title = `${yTitle} by ${xTitle}` } = options;
  const all = drawable(table, [
    { name: x, scale: xScale },
    { name: y, scale: yScale },
  ]);
  const rows = all.length > MAX_POINTS ? sample(all) : all;
  const [xs, ys] = [table.numbers(x), table.numbers(y)];
  const labels = label === undefined ? undefined : table.strings(label);
  const colors =
    color === undefined
      ? undefined
      : isText(table, color)
        ? categories(table.strings(color))
        : table.numbers(color);
  const extra = tooltip.map((name) => ({ name, column: table.column(name) }));
  const [across, up] = [new Axis(rows, xs, xScale), new Axis(rows, ys, yScale)];
  const places = labels
    ? placeLabels(
        rows.map((i) => ({
          x: across.position(xs[i]),
          y: up.position(ys[i]),
          text: labels[i] ?? '',
        })),
        { width: plotSize.width, height: HEIGHT },
      )
    : [];
  const points = rows.map((i, n) => ({
    x: xs[i],
    y: ys[i],
    ...(labels ? { label: labels[i], side: places[n] } : {}),
    ...(colors ? { color: shown(colors[i]) } : {}),
    ...Object.fromEntries(extra.map(({ column }, j) => [`extra${j}`, shown(column[i])])),
  }));

  const colorField =
    colors instanceof Float64Array
      ? {
          field: 'color',
          type: 'quantitative',
          title: withUnit(color ?? ''),
          scale: { scheme: 'viridis' },
        }
      : {
          field: 'color',
          type: 'nominal',
          title: color,
          scale: categoryScale(rows.map((i) => colors?.[i] ?? null)),
        };
  const dots = {
    mark: { type: 'circle', opacity: points.length > 200 ? 0.55 : 0.85, clip: true },
    encoding: {
      ...(colors ? { color: colorField } : {}),
      tooltip: [
        ...(labels ? [{ field: 'label', title: label }] : []),
        { field: 'x', type: 'quantitative', title: x, format: tooltipFormat(xs) },
        { field: 'y', type: 'quantitative', title: y, format: tooltipFormat(ys) },
        ...(colors ? [{ field: 'color', title: color, ...kind(colors) }] : []),
        ...extra.map(({ name, column }, j) => ({
          field: `extra${j}`,
          title: name,
          ...kind(column),
        })),
      ],
    },
  };
  const names = Object.entries(sides)
    .filter(([side]) => places.includes(side))
    .map(([side, mark]) => ({
      transform: [{ filter: `datum.side === '${side}'` }],
      mark: { type: 'text', ...mark },
      encoding: { text: { field: 'label' } },
    }));
  const spec = {
    data: { values: points },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: options.xTitle ?? withUnit(x),
        scale: across.scale,
        axis: axisNumbers(rows.map((i) => xs[i])),
      },
      y: {
        field: 'y',
        type: 'quantitative',
        title: options.yTitle ?? withUnit(y),
        scale: up.scale,
        axis: axisNumbers(rows.map((i) => ys[i])),
      },
    },
    layer: [dots, ...names],
    height: HEIGHT,
  };
  const drawn =
    rows.length < all.length
      ? `, ${counted(rows.length, 'point')} of ${all.length.toLocaleString('en')} drawn`
      : '';
  const r = correlation(all, xs, ys);
  const relation = Number.isNaN(r)
    ? ''
    : ` Their correlation is ${r.toFixed(2).replace('-0.00', '0.00')}.`;
  return new Chart(
    spec,
    title,
    `Scatter plot of ${y} over ${x}: ${counted(all.length, 'point')}${drawn}.${relation}${leftOut(table.length, all.length)}`,
  );
}

/** An axis from the smallest to the largest value and a little beyond. */
class Axis {
  private readonly low: number;
  private readonly high: number;

  constructor(
    rows: readonly number[],
    values: Float64Array,
    private readonly type: AxisScale,
  ) {
    const [low, high] = extent(rows.map((i) => this.along(values[i])));
    const margin = high > low ? MARGIN * (high - low) : 0.5;
    this.low = low - margin;
    this.high = high + margin;
  }

  private along(value: number): number {
    return this.type === 'log' ? Math.log10(value) : value;
  }

  /** Where a value lies, from 0 to 1. */
  position(value: number): number {
    return (this.along(value) - this.low) / (this.high - this.low);
  }

  /** Vega-Lite's scale. */
  get scale(): Record<string, unknown> {
    const ends = [this.low, this.high];
    return {
      ...freeScale(this.type),
      domain: this.type === 'log' ? ends.map((end) => 10 ** end) : ends,
      nice: false,
    };
  }
}

/** How a tooltip writes the values of a column. */
function kind(column: Column): Record<string, unknown> {
  return column instanceof Float64Array
    ? { type: 'quantitative', format: tooltipFormat(column) }
    : { type: 'nominal' };
}

/** What JSON can hold of a value: a number that is not finite is a missing one. */
function shown(value: number | string | null): number | string | null {
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function sample(rows: readonly number[]): number[] {
  const order = new Random(0).child('scatter').permutation(rows.length);
  return Array.from(order.subarray(0, MAX_POINTS).sort(), (i) => rows[i]);
}

/** The most frequent categories; the others become "other". */
function categories(values: readonly (string | null)[]): (string | null)[] {
  const ranked = frequent(values);
  if (ranked.length <= CATEGORIES + 1) return [...values];
  const kept = new Set(ranked.slice(0, CATEGORIES));
  return values.map((value) => (value === null || kept.has(value) ? value : OTHER));
}

/** The most frequent category gets the strongest colour; "other" is grey and last. */
function categoryScale(values: readonly (string | null)[]): Record<string, unknown> {
  const ranked = frequent(values).filter((name) => name !== OTHER);
  const domain = values.includes(OTHER) ? [...ranked, OTHER] : ranked;
  return {
    domain,
    range: domain.map((name, j) => (name === OTHER ? '#bbbbbb' : palette[j % palette.length])),
  };
}

/** Every category, the most frequent first. */
function frequent(values: readonly (string | null)[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

/** Pearson's correlation; NaN where one of the columns is constant. */
function correlation(rows: readonly number[], a: Float64Array, b: Float64Array): number {
  let [ma, mb, saa, sbb, sab] = [0, 0, 0, 0, 0];
  for (const i of rows) {
    ma += a[i] / rows.length;
    mb += b[i] / rows.length;
  }
  for (const i of rows) {
    saa += (a[i] - ma) ** 2;
    sbb += (b[i] - mb) ** 2;
    sab += (a[i] - ma) * (b[i] - mb);
  }
  return sab / Math.sqrt(saa * sbb);
}

/**
 * The sides of a point on which its label may stand, as Vega-Lite's text marks; the first free one
 * is taken.
 */
export const sides: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  right: { align: 'left', baseline: 'middle', dx: 6 },
  left: { align: 'right', baseline: 'middle', dx: -6 },
  top: { align: 'center', baseline: 'bottom', dy: -5 },
  bottom: { align: 'center', baseline: 'top', dy: 6 },
};

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const FONT_SIZE = 11;
const LABEL_HEIGHT = 14;
const GAP = 4; // between labels side by side, which would read as one; also what other fonts are wider
const DOT = 4;
const MAX_LABELS = 80; // more is a wall of text

/**
 * Chooses a side for the label of each point so that labels cover neither each other nor the
 * points, greedily in the order given.
 * @param points positions from 0 to 1, y upwards
 * @param size of the plot, in pixels
 * @returns a side for each point; undefined for those whose label found no room
 */
export function placeLabels(
  points: readonly { x: number; y: number; text: string }[],
  size: { width: number; height: number },
): (string | undefined)[] {
  const dots = points.map(({ x, y }) => {
    const [px, py] = [x * size.width, (1 - y) * size.height];
    return { left: px - DOT, right: px + DOT, top: py - DOT, bottom: py + DOT };
  });
  const taken: Box[] = [];
  return points.map(({ text }, i) => {
    if (text === '' || taken.length >= MAX_LABELS) return undefined;
    const width = chartFont().regular.width(text, FONT_SIZE) + GAP;
    const side = Object.keys(sides).find((name) => {
      const box = around(dots[i], name, width);
      const inside =
        box.left >= 0 && box.right <= size.width && box.top >= 0 && box.bottom <= size.height;
      return (
        inside &&
        !taken.some((other) => overlap(box, other)) &&
        !dots.some((dot, j) => j !== i && overlap(box, dot))
      );
    });
    if (side) taken.push(around(dots[i], side, width));
    return side;
  });
}

function around(dot: Box, side: string, width: number): Box {
  const x = (dot.left + dot.right) / 2;
  const y = (dot.top + dot.bottom) / 2;
  if (side === 'right')
    return {
      left: x + 6,
      right: x + 6 + width,
      top: y - LABEL_HEIGHT / 2,
      bottom: y + LABEL_HEIGHT / 2,
    };
  if (side === 'left')
    return {
      left: x - 6 - width,
      right: x - 6,
      top: y - LABEL_HEIGHT / 2,
      bottom: y + LABEL_HEIGHT / 2,
    };
  const top = side === 'top' ? y - 5 - LABEL_HEIGHT : y + 6;
  return { left: x - width / 2, right: x + width / 2, top, bottom: top + LABEL_HEIGHT };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
