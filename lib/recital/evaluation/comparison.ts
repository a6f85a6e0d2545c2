import type { Chart } from '../data/chart.js';
import { display } from '../data/display.js';
import { writeAtomically } from '../data/files/atomic-write.js';
import { type ColumnValues, csv, Table } from '../data/table.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import { comparisonChart, tradeOffChart } from './comparison-charts.js';
import type { ComparisonRow } from './comparison-rows.js';
import { isGreaterBetter } from './metric-names.js';
import { cardTable, type RunCard } from './run-card.js';
import type { Measured } from './segments.js';
import { type SegmentBy, segmentTable } from './segments.js';

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
