import { Random } from '../../compute/random.js';
import { pearson, withUnit } from '../../data/explore.js';
import { Chart } from '../../data/output.js';
import type { Column, Table } from '../../data/table.js';
import { given } from '../../options.js';
import { counted } from '../../printed.js';
import { chartFont } from '../font.js';
import {
  type AxisScale,
  axisNumbers,
  CHART_DEFAULTS,
  type Drawable,
  type DrawnColumn,
  drawable,
  extent,
  freeScale,
  isText,
  leftOut,
  type Naming,
  numberTip,
  palette,
  plotSize,
  quantitative,
  tableOf,
} from './common.js';

const DEFAULTS = {
  ...CHART_DEFAULTS,
  /** Numeric column on the horizontal axis. */
  x: '',
  /** Numeric column on the vertical axis. */
  y: '',
  /**
   * Column written beside the points, where there is room; the tooltip has it for every point.
   * Default: nothing is written.
   */
  label: undefined as string | undefined,
  /**
   * Column that colours the points: text by category (the six most frequent; the rest is "other"),
   * numbers from dark to bright. Default: one colour.
   */
  color: undefined as string | undefined,
  /** Further columns to show when pointing at a point; default: none. */
  tooltip: [] as readonly string[],
  /** Default `'linear'`. */
  xScale: 'linear' as AxisScale,
  /** Default `'linear'`. */
  yScale: 'linear' as AxisScale,
};

/** Options of scatter. */
export interface ScatterOptions<N extends string = string>
  extends Naming<
    Partial<typeof DEFAULTS> & Pick<typeof DEFAULTS, 'x' | 'y'>,
    'x' | 'y' | 'label' | 'color' | 'tooltip',
    N
  > {}

const MAX_POINTS = 3000; // more only cover each other, and make the notebook heavy
const CATEGORIES = 6;
const OTHER = 'other';
const HEIGHT = 380;
const MARGIN = 0.04; // of the axis, on both sides, so that no point sits on the frame

/**
 * One point per row. Of more than 3,000 rows a random sample of 3,000 is drawn, always the same
 * one.
 * @param data a table with the columns to draw; or a catalogue, plays (`track_id`, `user_id`,
 *   `playcount`), correlations
 * @example scatter(factors, { x: 'PC1', y: 'PC2', label: 'title', color: 'genre', title: 'Tracks on the first two components' })
 */
export function scatter<D extends Drawable, N extends string>(
  data: D,
  options: ScatterOptions<DrawnColumn<D, N>>,
): Chart {
  const table = tableOf(data, 'scatter');
  const { x, y, xScale, yScale, xTitle, yTitle, ...more } = given(DEFAULTS, options, 'scatter');
  const { label, color, tooltip, title = `${yTitle ?? y} by ${xTitle ?? x}` } = more;
  const all = drawable(table, [
    { name: x, scale: xScale },
    { name: y, scale: yScale },
  ]);
  const rows = all.length > MAX_POINTS ? sample(all) : all;
  const [xs, ys] = [table.numbers(x), table.numbers(y)];
  const labels = label === undefined ? undefined : table.strings(label);
  const colors = color === undefined ? undefined : colorColumn(table, color);
  const extra = tooltip.map((name) => ({ name, column: table.column(name) }));
  const [across, up] = [axis(rows, xs, xScale), axis(rows, ys, yScale)];
  const places = labels
    ? placeLabels(
        rows.map((i) => ({ x: across.at(xs[i]), y: up.at(ys[i]), text: labels[i] ?? '' })),
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
  const dots = {
    mark: { type: 'circle', opacity: points.length > 200 ? 0.55 : 0.85, clip: true },
    encoding: {
      ...(colors ? { color: colorEncoding(color as string, colors, rows) } : {}),
      tooltip: [
        ...(labels ? [{ field: 'label', title: label }] : []),
        numberTip('x', xs, x),
        numberTip('y', ys, y),
        ...(colors ? [tip('color', colors, color as string)] : []),
        ...extra.map(({ name, column }, j) => tip(`extra${j}`, column, name)),
      ],
    },
  };
  const names = Object.entries(SIDES)
    .filter(([side]) => places.includes(side))
    .map(([side, mark]) => ({
      transform: [{ filter: `datum.side === '${side}'` }],
      mark: { type: 'text', ...mark },
      encoding: { text: { field: 'label' } },
    }));
  const spec = {
    data: { values: points },
    encoding: {
      x: quantitative('x', { title: xTitle ?? withUnit(x), ...across.encoding }),
      y: quantitative('y', { title: yTitle ?? withUnit(y), ...up.encoding }),
    },
    layer: [dots, ...names],
    height: HEIGHT,
  };
  const drawn =
    rows.length < all.length
      ? `, ${counted(rows.length, 'point')} of ${all.length.toLocaleString('en')} drawn`
      : '';
  const present = (column: Float64Array) => Float64Array.from(all, (i) => column[i]);
  const r = pearson(present(xs), present(ys));
  const relation = Number.isNaN(r)
    ? ''
    : ` Their correlation is ${r.toFixed(2).replace('-0.00', '0.00')}.`;
  return new Chart(
    spec,
    title,
    `Scatter plot of ${y} over ${x}: ${counted(all.length, 'point')}${drawn}.${relation}${leftOut(table.length, all.length)}`,
  );
}

/** An axis from the smallest to the largest value and a little beyond; `at` is from 0 to 1. */
function axis(rows: readonly number[], values: Float64Array, type: AxisScale) {
  const along = type === 'log' ? Math.log10 : (value: number): number => value;
  const [low, high] = extent(rows.map((i) => along(values[i])));
  const margin = high > low ? MARGIN * (high - low) : 0.5;
  const ends = [low - margin, high + margin];
  const domain = type === 'log' ? ends.map((end) => 10 ** end) : ends;
  return {
    at: (value: number): number => (along(value) - ends[0]) / (ends[1] - ends[0]),
    encoding: {
      scale: { ...freeScale(type), domain, nice: false },
      axis: axisNumbers(rows.map((i) => values[i])),
    },
  };
}

function tip(field: string, column: Column, title: string) {
  return column instanceof Float64Array
    ? numberTip(field, column, title)
    : { field, type: 'nominal', title };
}

/** What JSON can hold of a value: a number that is not finite is a missing one. */
function shown(value: number | string | null): number | string | null {
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function sample(rows: readonly number[]): number[] {
  const order = new Random(0).child('scatter').permutation(rows.length);
  return Array.from(order.subarray(0, MAX_POINTS).sort(), (i) => rows[i]);
}

/** A column of numbers, or of the most frequent categories; the others become "other". */
function colorColumn(table: Table, name: string): Column {
  if (!isText(table, name)) return table.numbers(name);
  const values = table.strings(name);
  const ranked = frequent(values);
  if (ranked.length <= CATEGORIES + 1) return values;
  const kept = new Set(ranked.slice(0, CATEGORIES));
  return values.map((value) => (value === null || kept.has(value) ? value : OTHER));
}

/** The most frequent category gets the strongest colour; "other" is grey and last. */
function colorEncoding(name: string, column: Column, rows: readonly number[]) {
  if (column instanceof Float64Array)
    return quantitative('color', { title: withUnit(name), scale: { scheme: 'viridis' } });
  const values = rows.map((i) => column[i]);
  const domain = frequent(values).filter((category) => category !== OTHER);
  const range = domain.map((_, j) => palette[j % palette.length]);
  if (values.includes(OTHER)) {
    domain.push(OTHER);
    range.push('#bbbbbb');
  }
  return { field: 'color', type: 'nominal', title: name, scale: { domain, range } };
}

/** Every category, the most frequent first. */
function frequent(values: readonly (string | null)[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

interface Side {
  align: 'left' | 'center' | 'right';
  baseline: 'top' | 'middle' | 'bottom';
  dx?: number;
  dy?: number;
}

/** Where a point's label may stand, as Vega-Lite's text marks; the first free side is taken. */
const SIDES: Readonly<Record<string, Side>> = {
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
  { width, height }: { width: number; height: number },
): (string | undefined)[] {
  const dots = points.map(({ x, y }): Box => {
    const [px, py] = [x * width, (1 - y) * height];
    return { left: px - DOT, right: px + DOT, top: py - DOT, bottom: py + DOT };
  });
  const taken: Box[] = [];
  return points.map(({ text }, i) => {
    if (text === '' || taken.length >= MAX_LABELS) return undefined;
    const length = chartFont().regular.width(text, FONT_SIZE) + GAP;
    for (const [name, side] of Object.entries(SIDES)) {
      const box = beside(dots[i], side, length);
      const inside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
      const covers = (other: Box): boolean =>
        box.left < other.right &&
        other.left < box.right &&
        box.top < other.bottom &&
        other.top < box.bottom;
      if (!inside || taken.some(covers) || dots.some((dot, j) => j !== i && covers(dot))) continue;
      taken.push(box);
      return name;
    }
    return undefined;
  });
}

function beside(dot: Box, { align, baseline, dx = 0, dy = 0 }: Side, width: number): Box {
  const across = { left: 0, center: width / 2, right: width }[align];
  const down = { top: 0, middle: LABEL_HEIGHT / 2, bottom: LABEL_HEIGHT }[baseline];
  const left = (dot.left + dot.right) / 2 + dx - across;
  const top = (dot.top + dot.bottom) / 2 + dy - down;
  return { left, right: left + width, top, bottom: top + LABEL_HEIGHT };
}
