import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setCompute } from '../compute/threads.js';
import { Chart, display } from '../data/display.js';

import { writeAtomically } from '../data/files/atomic-write.js';
import { fingerprint, type PlaysSplit } from '../data/splits.js';
import { type ColumnValues, csv, Table } from '../data/table.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import type { Finished } from './evaluate.js';
import { isGreaterBetter, type MetricColumn } from './parse.js';
import type { Measure } from './rank.js';
import { type Measured, type SegmentBy, segmentTable } from './segments.js';
import type { ComparisonRow } from './statistics.js';

/** A recommender that is not in a comparison, and why. */
export interface LeftOut {
  readonly recommender: string;
  readonly reason: string;
}

/** What a {@link Comparison} is made from. */
export interface ComparisonParts {
  readonly rows: readonly ComparisonRow[];
  readonly card: RunCard;
  readonly leftOut: readonly LeftOut[];
  readonly measured: Measured;
  /** Share of resampled means inside the intervals. */
  readonly confidence: number;
}

/**
 * What {@link evaluate} returns: a table, a row a recommender. Of the first metric it has the mean,
 * the ends of its confidence interval over users, the difference to the best baseline and its
 * p-value (paired t-test over users, with Holm's correction over every comparison made: all
 * recommenders, all metrics); of the other metrics the means. `details` has all of that for every
 * metric.
 * @example
 * const comparison = await evaluate([new Popularity(split.train), (train) => EASE.fit(train)], split);
 * comparison.plot('ndcg@10');
 * comparison.byUser('ndcg@10');
 */
export class Comparison extends Table {
  /** One row a recommender and metric: see {@link ComparisonRow}. */
  readonly details: Table;
  /** How it was measured: split, protocol, users, seeds, versions, time. */
  readonly card: Table;
  /** Recommenders that could not be made or measured, and those that an interrupt left undone. */
  readonly leftOut: readonly LeftOut[];
  /** Names of the metrics, the first one being the one that counts. */
  readonly metrics: readonly string[];
  private readonly parts: ComparisonParts;

  constructor(parts: ComparisonParts) {
    super(wide(parts.rows, parts.confidence));
    this.parts = parts;
    this.metrics = [...new Set(parts.rows.map(({ metric }) => metric))];
    this.details = Table.fromRows(parts.rows);
    this.card = cardTable(parts.card);
    this.leftOut = parts.leftOut;
  }

  /** The table, and below it how it was measured, as far as one run is like the other. */
  override toString(maxRows = 20): string {
    const card = ['split', 'protocol', 'users', 'catalogue', 'tests'].map(
      (what) => `${what}: ${this.parts.card[what]}`,
    );
    const left = this.leftOut.map(
      ({ recommender, reason }) => `left out: ${recommender} (${reason})`,
    );
    return [super.toString(maxRows), ...card, ...left].join('\n');
  }

  /**
   * Shows bars of a metric, with the confidence interval of each, and returns the chart.
   * @param metric default: the first one
   */
  plot(metric: string = this.metrics[0]): Chart {
    const rows = this.rowsOf(metric);
    const column = this.parts.measured.columns.find(({ name }) => name === metric)!;
    return shown(
      comparisonChart(rows, {
        confidence: this.parts.confidence,
        greater: isGreaterBetter(column),
      }),
    );
  }

  /**
   * Shows the recommenders as points, what is gained against what it costs, with the confidence
   * interval of each, and returns the chart.
   * @param options.x metric across; default: the coverage, or else the second metric. `y`: metric
   *   upwards; default: the first one
   */
  plotTradeOff(options: { x?: string; y?: string } = {}): Chart {
    checkOptions(options, ['x', 'y'], 'plotTradeOff');
    const {
      y = this.metrics[0],
      x = this.metrics.find((name) => name.startsWith('coverage@')) ?? this.metrics[1],
    } = options;
    if (x === undefined)
      throw new ArgumentError(
        'A trade-off takes two metrics, and only one was measured. Give evaluate more metrics.',
      );
    return shown(
      tradeOffChart(this.rowsOf(x), this.rowsOf(y), { confidence: this.parts.confidence }),
    );
  }

  /**
   * The metrics of right and wrong for parts of the users or of the tracks: columns segment, users,
   * recommender and the means. One's own parts are a function from an id to the name of its part,
   * or undefined to leave it out.
   *
   * - `'users'`: light, middle and heavy listeners, the thirds by number of tracks in training
   * - `'tracks'`: popular, tail and cold tracks: the fifth of the tracks in training with the most listeners, the others, and those that training has not. What is right is restricted
   *   to the part, lists stay as they are; users without a right track of that part are left out
   * @param by `'users'`, `'tracks'`, `{ users: (id) => name }` or `{ tracks: (id) => name }`
   * @example comparison.bySegment({ tracks: (id) => catalogue.artist(id) === 'Various' ? 'compilation' : 'album' })
   */
  bySegment(by: SegmentBy): Table {
    return segmentTable(this.parts.measured, by);
  }

  /**
   * The values of each user: columns user, and one a recommender, means over its seeds. For tests
   * of one's own.
   */
  byUser(metric: string = this.metrics[0]): Table {
    this.rowsOf(metric);
    const { users, entries } = this.parts.measured;
    const columns = new Map<string, ColumnValues>([['user', users()]]);
    for (const { name, values } of entries) {
      const seeds = values.get(metric)!;
      if (seeds[0].length !== users().length)
        throw new ArgumentError(`${metric} is one number for all users together.`);
      columns.set(
        name,
        Float64Array.from(
          users(),
          (_, i) => seeds.reduce((sum, column) => sum + column[i], 0) / seeds.length,
        ),
      );
    }
    return new Table(columns);
  }

  /** What `save` writes as JSON. */
  override toJSON(): {
    card: RunCard;
    results: readonly ComparisonRow[];
    leftOut: readonly LeftOut[];
  } {
    return { card: this.parts.card, results: this.parts.rows, leftOut: this.leftOut };
  }

  /**
   * Writes the details to a file, as a whole or not at all, by its name as CSV (`.csv`, the details
   * alone) or JSON (`.json`, with the card). A number that there is not is an empty field, or null.
   * @returns the path
   */
  override save(file: string): string {
    const text = /\.csv$/i.test(file)
      ? csv(this.details)
      : /\.json$/i.test(file)
        ? `${JSON.stringify(this, null, 1)}\n`
        : undefined;
    if (text === undefined)
      throw new ArgumentError(`A comparison is saved as .csv or .json, got "${said(file)}".`);
    writeAtomically(file, [Buffer.from(text)]);
    return file;
  }

  private rowsOf(metric: string): ComparisonRow[] {
    const rows = this.parts.rows.filter((row) => row.metric === metric);
    if (rows.length === 0) throw new UnknownIdError('metric', metric, this.metrics);
    return rows;
  }
}

function shown(chart: Chart): Chart {
  display().chart(chart);
  return chart;
}

function wide(rows: readonly ComparisonRow[], confidence: number): Map<string, ColumnValues> {
  const [first, ...others] = new Set(rows.map(({ metric }) => metric));
  const main = rows.filter(({ metric }) => metric === first);
  const percent = `${Number((100 * confidence).toPrecision(4))} %`;
  const numbers = (value: (row: ComparisonRow) => number | null): Float64Array =>
    Float64Array.from(main, (row) => value(row) ?? NaN);
  const columns = new Map<string, ColumnValues>([
    ['recommender', main.map(({ recommender }) => recommender)],
    [first, numbers(({ mean }) => mean)],
  ]);
  const add = (name: string, values: Float64Array): void => {
    if (!values.every(Number.isNaN)) columns.set(name, values);
  };
  add(
    `${percent} from`,
    numbers(({ low }) => low),
  );
  add(
    'to',
    numbers(({ high }) => high),
  );
  add(
    'sd of seeds',
    numbers(({ seedSd }) => seedSd),
  );
  const baseline = main.find((row) => row.baseline !== null)?.baseline;
  add(
    `over ${baseline}`,
    numbers(({ difference }) => difference),
  );
  add(
    'p',
    numbers(({ pHolm }) => pHolm),
  );
  for (const name of others)
    columns.set(
      name,
      Float64Array.from(
        rows.filter(({ metric }) => metric === name),
        ({ mean }) => mean,
      ),
    );
  return columns;
}

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

/** What a result was made with, for whoever repeats it: names and values, in order. */
export type RunCard = Readonly<Record<string, string | number>>;

/** Versions and kernels. */
export function environment(): RunCard {
  const { threads, reproducible, native } = setCompute();
  const { version } = JSON.parse(readFileSync(path.join(__dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  return {
    recital: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}, ${availableParallelism()} processors`,
    kernels: `${native ? 'native' : reproducible ? 'reproducible' : 'fast'} build, ${threads} thread${threads === 1 ? '' : 's'}`,
  };
}

/** A card as a table with the columns `what` and `value`. */
export function cardTable(card: RunCard): Table {
  return new Table({ what: Object.keys(card), value: Object.values(card).map(String) });
}

/** The card of a comparison. */
export function comparisonCard(of: {
  split: PlaysSplit;
  on: 'test' | 'valid';
  measure: Measure;
  columns: readonly MetricColumn[];
  seeds: readonly (number | string)[];
  samples: number;
  confidence: number;
  seed: number | string;
  finished: readonly Finished[];
  seconds: number;
}): RunCard {
  const { split, on, measure, columns, seeds } = of;
  const count = (n: number): string => n.toLocaleString('en');
  const parts = Object.entries({
    train: split.train,
    valid: split.valid,
    test: split.test,
  }).flatMap(([name, plays]) => (plays ? [`${name} ${count(plays.length)}`] : []));
  const ranked = measure.heldOut.users.length;
  const sampled = columns.some(({ negatives }) => negatives > 0)
    ? '; metrics with ~…neg: the relevant tracks among that many drawn at random'
    : '';
  return {
    split: `${parts.join(', ')} plays; fingerprint ${fingerprint(...[split.train, split.valid, split.test].flatMap((part) => part ?? []))}`,
    protocol: `measured on ${on}: the whole catalogue ranked, without what a user has in ${on === 'test' && split.valid ? 'train and valid' : 'train'}; ties: expected value over their orders${sampled}`,
    users: `${count(measure.rows.length)} of ${count(ranked)} with held-out tracks${measure.rows.length < ranked ? ' (the others are unknown to a recommender)' : ''}`,
    catalogue: `${count(measure.catalogueSize)} tracks`,
    intervals: `bootstrap over users, percentiles, ${Number((100 * of.confidence).toPrecision(4))} %, ${count(of.samples)} resamples`,
    tests:
      'paired t-test over users against the best baseline at that metric, two-sided, Holm over all tests',
    seeds: `${seeds.length ? `training ${seeds.join(', ')}; ` : ''}resampling ${of.seed}`,
    ...environment(),
    ...Object.fromEntries(
      of.finished.map(({ name, seconds }) => [
        `seconds of ${name}`,
        `${seconds.made.toFixed(1)} made, ${seconds.ranked.toFixed(1)} ranked`,
      ]),
    ),
    seconds: of.seconds.toFixed(1),
    finished: new Date().toISOString(),
  };
}
