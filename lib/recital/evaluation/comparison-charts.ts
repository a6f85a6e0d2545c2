import { Chart } from '../data/chart.js';
import type { ComparisonRow } from './comparison-rows.js';

const SIZE = { width: 480, height: 320 };

/** Bars, the best first, with the interval of each. */
export function comparisonChart(
  rows: readonly ComparisonRow[],
  { confidence, greater = true }: { confidence: number; greater?: boolean },
): Chart {
  const { metric } = rows[0];
  const sorted = [...rows].sort((a, b) => (greater ? b.mean - a.mean : a.mean - b.mean));
  const values = sorted.map(({ recommender, mean, low, high }) => ({
    recommender,
    mean,
    low,
    high,
    text: written(mean),
  }));
  const y = {
    field: 'recommender',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { ticks: false },
  };
  const tooltip = [
    { field: 'recommender' },
    ...['mean', 'low', 'high'].map((field) => ({ field, type: 'quantitative', format: '.4f' })),
  ];
  const hasIntervals = sorted.some(({ low }) => low !== null);
  const spec = {
    width: SIZE.width,
    height: { step: 28 },
    data: { values },
    encoding: { y, tooltip },
    layer: [
      {
        mark: { type: 'bar', opacity: 0.75 },
        encoding: { x: { field: 'mean', type: 'quantitative', title: metric } },
      },
      ...(hasIntervals ? [interval('x')] : []),
      {
        mark: { type: 'text', align: 'left', dx: 6 },
        encoding: {
          x: { field: hasIntervals ? 'high' : 'mean', type: 'quantitative' },
          text: { field: 'text' },
        },
      },
    ],
  };
  const said = sorted.map(
    ({ recommender, mean, low, high }) =>
      `${recommender} ${written(mean)}${low === null || high === null ? '' : ` (${written(low)} to ${written(high)})`}`,
  );
  return new Chart(
    spec,
    `${metric} by recommender`,
    `${metric}${hasIntervals ? withInterval(confidence) : ''}: ${said.join(', ')}.`,
  );
}

/** Points, with intervals in both directions where there are any. */
export function tradeOffChart(
  across: readonly ComparisonRow[],
  up: readonly ComparisonRow[],
  { confidence }: { confidence: number },
): Chart {
  const [x, y] = [across[0].metric, up[0].metric];
  const values = across.map(({ recommender, mean, low, high }, i) => ({
    recommender,
    x: mean,
    xLow: low,
    xHigh: high,
    y: up[i].mean,
    yLow: up[i].low,
    yHigh: up[i].high,
  }));
  const place = {
    x: { field: 'x', type: 'quantitative', title: x, scale: { zero: false } },
    y: { field: 'y', type: 'quantitative', title: y, scale: { zero: false } },
  };
  const rule = (field: 'x' | 'y'): Record<string, unknown> => ({
    transform: [{ filter: `isValid(datum.${field}Low)` }],
    mark: { type: 'rule', strokeWidth: 1.5 },
    encoding: {
      ...place,
      [field]: { field: `${field}Low`, type: 'quantitative', title: field === 'x' ? x : y },
      [`${field}2`]: { field: `${field}High` },
    },
  });
  const spec = {
    ...SIZE,
    data: { values },
    layer: [
      ...(values.some(({ xLow }) => xLow !== null) ? [rule('x')] : []), // coverage has no intervals, and an axis of none is a warning of Vega's
      ...(values.some(({ yLow }) => yLow !== null) ? [rule('y')] : []),
      {
        mark: { type: 'circle', size: 90, opacity: 1 },
        encoding: {
          ...place,
          tooltip: [
            { field: 'recommender' },
            { field: 'x', title: x, format: '.4f' },
            { field: 'y', title: y, format: '.4f' },
          ],
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 8, dy: -8 },
        encoding: { ...place, text: { field: 'recommender' } },
      },
    ],
  };
  const said = values.map(
    (point) => `${point.recommender} ${written(point.y)} at ${written(point.x)}`,
  );
  return new Chart(
    spec,
    `${y} against ${x}`,
    `${y} against ${x}${withInterval(confidence)}: ${said.join(', ')}.`,
  );
}

function interval(axis: 'x' | 'y'): Record<string, unknown> {
  return {
    mark: { type: 'rule', strokeWidth: 2 },
    encoding: { [axis]: { field: 'low', type: 'quantitative' }, [`${axis}2`]: { field: 'high' } },
  };
}

function withInterval(confidence: number): string {
  return `, with ${Number((100 * confidence).toPrecision(4))} % confidence intervals over users`;
}

function written(x: number): string {
  return String(Number(x.toPrecision(3)));
}
