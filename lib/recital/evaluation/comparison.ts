import { runtime, utf8 } from '../compute/host.js';
import { setCompute } from '../compute/threads.js';
import { writeAtomically } from '../data/files/atomic-write.js';
import { Chart, display } from '../data/output.js';
import { type ColumnValues, csv, Table } from '../data/table.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { given, said } from '../options.js';
import { version } from '../packaged.js';
import { isGreaterBetter } from './metric-columns.js';
import { type Measured, type SegmentBy, segmentTable, usersOf } from './segments.js';
import { type ComparisonRow, overSeeds } from './statistics.js';

const SIZE = { width: 480, height: 320 };

const TRADE_OFF = {
  /** Metric across; default: the coverage, or else the second metric. */
  x: undefined as string | undefined,
  /** Metric upwards; default: the first one. */
  y: undefined as string | undefined,
};

/**
 * A recommender that is not in a comparison, and why.
 * @example const failed: readonly LeftOut[] = comparison.leftOut;
 */
export interface LeftOut {
  /** Its name. */
  readonly recommender: string;
  /** Why it is left out, in a sentence. */
  readonly reason: string;
}

/** How a comparison was made, for whoever repeats it: names and values, in order. */
export type RunCard = Readonly<Record<string, string | number>>;

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
 * The table that {@link evaluate} returns, a row per recommender. It has the mean of the first
 * metric, the ends of its confidence interval over users, the difference to the best baseline and
 * its p-value (paired t-test over users, with Holm's correction over all recommenders and metrics),
 * and the means of the other metrics. `details` has all of that for every metric.
 * @example
 * const comparison = await evaluate([new Popularity(split.train), (train) => EASE.fit(train)], split);
 * comparison.plot('ndcg@10');
 * comparison.byUser('ndcg@10');
 */
export class Comparison extends Table {
  /** One row per recommender and metric: see {@link ComparisonRow}. */
  readonly details: Table;
  /** How it was measured: split, protocol, users, seeds, versions, time. */
  readonly card: Table;
  /** Recommenders that could not be made or measured, and those that an interrupt left undone. */
  readonly leftOut: readonly LeftOut[];
  /** Names of the metrics, the most important first. */
  readonly metrics: readonly string[];

  constructor(private readonly parts: ComparisonParts) {
    const { rows, card, leftOut, confidence } = parts;
    super(wide(rows, confidence));
    this.metrics = [...new Set(rows.map(({ metric }) => metric))];
    this.details = Table.fromRows(rows);
    this.card = new Table({ what: Object.keys(card), value: Object.values(card).map(String) });
    this.leftOut = leftOut;
  }

  /** The table, followed by those lines of the card that do not differ from run to run. */
  override toString(maxRows = 20): string {
    const lasting = ['split', 'protocol', 'users', 'catalogue', 'tests'];
    const card = lasting.map((what) => `${what}: ${this.parts.card[what]}`);
    const left = this.leftOut.map((each) => `left out: ${each.recommender} (${each.reason})`);
    return [super.toString(maxRows), ...card, ...left].join('\n');
  }

  /** Shows bars of a metric, with the confidence interval of each, and returns the chart. */
  plot(metric: string = this.metrics[0]): Chart {
    const rows = this.rowsOf(metric);
    const { measured, confidence } = this.parts;
    const greater = isGreaterBetter(measured.columns.find(({ name }) => name === metric)!);
    return shown(comparisonChart(rows, { confidence, greater }));
  }

  /**
   * Shows the recommenders as points in the plane of two metrics, with the confidence interval of
   * each, and returns the chart.
   * @param options.x metric across; default: the coverage, or else the second metric. `y`: upwards;
   *   default: the first metric
   */
  plotTradeOff(options: Partial<typeof TRADE_OFF> = {}): Chart {
    const { x, y = this.metrics[0] } = given(TRADE_OFF, options, 'plotTradeOff');
    const coverage = this.metrics.find((name) => name.startsWith('coverage@'));
    const across = x ?? coverage ?? this.metrics[1];
    if (across === undefined)
      throw new ArgumentError(
        'A trade-off takes two metrics, and only one was measured. Give evaluate more metrics.',
      );
    const { confidence } = this.parts;
    return shown(tradeOffChart(this.rowsOf(across), this.rowsOf(y), { confidence }));
  }

  /**
   * The accuracy metrics by segments of the users or the tracks: columns segment, users,
   * recommender and the means. Segments of one's own are a function from an id to the name of its
   * segment; undefined leaves it out.
   *
   * - `'users'`: light, middle and heavy users, thirds by the number of tracks in training
   * - `'tracks'`: popular tracks (the fifth of the tracks in training with the most listeners), the
   *   tail (the others), and cold tracks (not in training). Only the tracks of the segment are
   *   relevant, the lists stay the same; users without a relevant track in it are left out
   * @param by `'users'`, `'tracks'`, `{ users: (id) => name }` or `{ tracks: (id) => name }`
   * @example comparison.bySegment({ tracks: (id) => catalogue.artist(id) === 'Various' ? 'compilation' : 'album' })
   */
  bySegment(by: SegmentBy): Table {
    return segmentTable(this.parts.measured, by);
  }

  /**
   * The values of each user, for tests of one's own: columns user, and one per recommender, means
   * over its seeds.
   */
  byUser(metric: string = this.metrics[0]): Table {
    this.rowsOf(metric);
    const { measured } = this.parts;
    const user = usersOf(measured);
    const columns = measured.entries.map(({ name, values }): [string, ColumnValues] => {
      const seeds = values.get(metric)!;
      if (seeds[0].length !== user.length)
        throw new ArgumentError(`${metric} is one number for all users together.`);
      return [name, overSeeds(seeds)];
    });
    return new Table(new Map<string, ColumnValues>([['user', user], ...columns]));
  }

  /** What `save` writes as JSON. */
  override toJSON(): Pick<ComparisonParts, 'card' | 'leftOut'> & {
    results: readonly ComparisonRow[];
  } {
    const { card, rows, leftOut } = this.parts;
    return { card, results: rows, leftOut };
  }

  /**
   * Writes the details to a file, completely or not at all: as CSV (`.csv`, the details alone) or
   * as JSON (`.json`, with the card). A missing number is an empty field, or null.
   * @returns the path
   */
  override save(file: string): string {
    const asCsv = /\.csv$/i.test(file);
    if (!asCsv && !/\.json$/i.test(file))
      throw new ArgumentError(`A comparison is saved as .csv or .json, got "${said(file)}".`);
    const text = asCsv ? csv(this.details) : `${JSON.stringify(this, null, 1)}\n`;
    writeAtomically(file, [utf8(text)]);
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

/** Versions and kernels, for a {@link RunCard}. */
export function environment(): RunCard {
  const { threads, reproducible, native } = setCompute();
  return {
    recital: version(),
    ...runtime(),
    kernels: `${native ? 'native' : reproducible ? 'reproducible' : 'fast'} build, ${threads} thread${threads === 1 ? '' : 's'}`,
  };
}

/** The wide table: a row per recommender, all of the first metric, means of the others. */
function wide(rows: readonly ComparisonRow[], confidence: number): Map<string, ColumnValues> {
  const [first, ...others] = new Set(rows.map(({ metric }) => metric));
  type Field = 'mean' | 'low' | 'high' | 'seedSd' | 'difference' | 'pHolm';
  const numbers = (field: Field, of = first): Float64Array =>
    Float64Array.from(
      rows.filter(({ metric }) => metric === of),
      (row) => row[field] ?? NaN,
    );
  const main = rows.filter(({ metric }) => metric === first);
  const baseline = main.find((row) => row.baseline !== null)?.baseline;
  const optional: [string, Float64Array][] = [
    [`${percent(confidence)} from`, numbers('low')],
    ['to', numbers('high')],
    ['sd of seeds', numbers('seedSd')],
    [`over ${baseline}`, numbers('difference')],
    ['p', numbers('pHolm')],
  ];
  return new Map<string, ColumnValues>([
    ['recommender', main.map(({ recommender }) => recommender)],
    [first, numbers('mean')],
    ...optional.filter(([, values]) => !values.every(Number.isNaN)),
    ...others.map((name): [string, ColumnValues] => [name, numbers('mean', name)]),
  ]);
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(4))} %`;
}

/** Bars of a metric, the best first, with the confidence interval of each. */
export function comparisonChart(
  rows: readonly ComparisonRow[],
  { confidence, greater = true }: { confidence: number; greater?: boolean },
): Chart {
  const { metric } = rows[0];
  const sorted = [...rows].sort((a, b) => (greater ? b.mean - a.mean : a.mean - b.mean));
  const hasIntervals = sorted.some(({ low }) => low !== null);
  const values = sorted.map(({ recommender, mean, low, high }) => {
    return { recommender, mean, low, high, text: written(mean) };
  });
  const interval = {
    mark: { type: 'rule', strokeWidth: 2 },
    encoding: { x: quantity('low'), x2: { field: 'high' } },
  };
  const spec = {
    width: SIZE.width,
    height: { step: 28 },
    data: { values },
    encoding: {
      y: { field: 'recommender', type: 'nominal', sort: null, title: null, axis: { ticks: false } },
      tooltip: [
        { field: 'recommender' },
        ...['mean', 'low', 'high'].map((field) => ({ ...quantity(field), format: '.4f' })),
      ],
    },
    layer: [
      {
        mark: { type: 'bar', opacity: 0.75 },
        encoding: { x: { ...quantity('mean'), title: metric } },
      },
      ...(hasIntervals ? [interval] : []),
      {
        mark: { type: 'text', align: 'left', dx: 6 },
        encoding: { x: quantity(hasIntervals ? 'high' : 'mean'), text: { field: 'text' } },
      },
    ],
  };
  const bars = values.map(({ recommender, low, high, text }) => {
    const range = low === null || high === null ? '' : ` (${written(low)} to ${written(high)})`;
    return `${recommender} ${text}${range}`;
  });
  const about = `${metric}${hasIntervals ? withInterval(confidence) : ''}`;
  return new Chart(spec, `${metric} by recommender`, `${about}: ${bars.join(', ')}.`);
}

/** Recommenders as points, with the confidence intervals that there are in both directions. */
export function tradeOffChart(
  across: readonly ComparisonRow[],
  up: readonly ComparisonRow[],
  { confidence }: { confidence: number },
): Chart {
  const titles = { x: across[0].metric, y: up[0].metric };
  const values = across.map(({ recommender, mean, low, high }, i) => ({
    ...{ recommender, x: mean, xLow: low, xHigh: high },
    ...{ y: up[i].mean, yLow: up[i].low, yHigh: up[i].high },
  }));
  const place = {
    x: { ...quantity('x'), title: titles.x, scale: { zero: false } },
    y: { ...quantity('y'), title: titles.y, scale: { zero: false } },
  };
  // No rules for a metric without intervals, such as coverage: Vega warns of their empty axis.
  const intervals = (['x', 'y'] as const)
    .filter((axis) => values.some((value) => value[`${axis}Low`] !== null))
    .map((axis) => ({
      transform: [{ filter: `isValid(datum.${axis}Low)` }],
      mark: { type: 'rule', strokeWidth: 1.5 },
      encoding: {
        ...place,
        [axis]: { ...quantity(`${axis}Low`), title: titles[axis] },
        [`${axis}2`]: { field: `${axis}High` },
      },
    }));
  const tooltip = [
    { field: 'recommender' },
    { field: 'x', title: titles.x, format: '.4f' },
    { field: 'y', title: titles.y, format: '.4f' },
  ];
  const spec = {
    ...SIZE,
    data: { values },
    layer: [
      ...intervals,
      { mark: { type: 'circle', size: 90, opacity: 1 }, encoding: { ...place, tooltip } },
      {
        mark: { type: 'text', align: 'left', dx: 8, dy: -8 },
        encoding: { ...place, text: { field: 'recommender' } },
      },
    ],
  };
  const title = `${titles.y} against ${titles.x}`;
  const points = values.map((at) => `${at.recommender} ${written(at.y)} at ${written(at.x)}`);
  return new Chart(spec, title, `${title}${withInterval(confidence)}: ${points.join(', ')}.`);
}

function quantity(field: string): { field: string; type: string } {
  return { field, type: 'quantitative' };
}

function withInterval(confidence: number): string {
  return `, with ${percent(confidence)} confidence intervals over users`;
}

function written(x: number): string {
  return String(Number(x.toPrecision(3)));
}
