import { Chart } from '../data/chart.js';
import { display } from '../data/display.js';
import { type Cell, Table } from '../data/table.js';
import { RecitalError, UnknownIdError } from '../errors.js';
import type { SearchTrial } from './search-file.js';
import type { SearchSettings, SearchSpace } from './search-space.js';

/** What a {@link SearchResult} is made from. */
export interface SearchResultParts<S extends SearchSpace> {
  readonly trials: readonly SearchTrial[];
  readonly space: S;
  readonly metric: string;
  /** Whether more of it is better. */
  readonly greater: boolean;
  /** Whether it was stopped before its end. */
  readonly interrupted: boolean;
}

/**
 * What {@link search} returns: a table of its trials, the best first, those with most of the budget
 * before all others.
 * @example
 * const found = await search(({ factors }, { train }) => ALS.fit(train, { factors }), { factors: [4, 8] }, { split, trials: 2 });
 * found.best; // the settings with the best score
 * found.plot('factors');
 */
export class SearchResult<S extends SearchSpace = SearchSpace> extends Table {
  /** The settings of the best trial. */
  readonly best: SearchSettings<S>;
  /**
   * Its metric on validation. It is the best of many: on other plays expect less, and report what
   * the test part says.
   */
  readonly score: number;
  /** Name of the metric. */
  readonly metric: string;
  /** Every training, in the order of the table. */
  readonly trials: readonly SearchTrial[];
  /** Whether it was stopped before its end: the same call with the same file goes on. */
  readonly interrupted: boolean;
  private readonly space: S;

  constructor({ trials, space, metric, greater, interrupted }: SearchResultParts<S>) {
    const sorted = [...trials].sort(betterFirst(greater));
    if (!sorted.length || sorted[0].score === null)
      throw new RecitalError('No trial is done, so there is nothing to choose from.');
    const table = Table.fromRows(sorted.map((trial) => rowOf(trial, metric, trials)));
    super(new Map(table.columnNames.map((name) => [name, table.column(name)])));
    this.best = sorted[0].settings as SearchSettings<S>;
    this.score = sorted[0].score;
    this.metric = metric;
    this.trials = sorted;
    this.interrupted = interrupted;
    this.space = space;
  }

  /** Shows the metric over a setting, a point a trial, and returns the chart. */
  plot(setting: string): Chart {
    if (!Object.hasOwn(this.space, setting))
      throw new UnknownIdError('setting', setting, Object.keys(this.space));
    const range = this.space[setting];
    const isRange = !Array.isArray(range);
    const log = isRange && 'log' in range && range.log === true;
    const done = this.trials.filter(({ score }) => score !== null);
    const chart = new Chart(
      {
        width: 480,
        height: 280,
        data: {
          values: done.map(({ settings, score, budget }) => ({
            x: settings[setting],
            score,
            budget,
          })),
        },
        mark: { type: 'circle', size: 70, opacity: 0.8 },
        encoding: {
          x: isRange
            ? {
                field: 'x',
                type: 'quantitative',
                title: setting,
                scale: log ? { type: 'log' } : { zero: false },
              }
            : { field: 'x', type: 'nominal', title: setting, sort: null, axis: { labelAngle: 0 } },
          y: { field: 'score', type: 'quantitative', title: this.metric, scale: { zero: false } },
          ...(done.some(({ budget }) => budget !== null) && {
            color: { field: 'budget', type: 'ordinal', title: 'budget' },
          }),
          tooltip: [
            { field: 'x', title: setting },
            { field: 'score', title: this.metric, format: '.4f' },
          ],
        },
      },
      `${this.metric} by ${setting}`,
      `${this.metric} of ${done.length} trials by ${setting}; the best, ${Number(this.score.toPrecision(3))}, at ${String(this.best[setting])}.`,
    );
    display().chart(chart);
    return chart;
  }
}

/**
 * More of the budget first, then the better score, then the earlier trial; failed ones at the end.
 */
export function betterFirst(greater: boolean): (a: SearchTrial, b: SearchTrial) => number {
  return (a, b) => {
    if (a.score === null || b.score === null)
      return Number(a.score === null) - Number(b.score === null) || a.trial - b.trial;
    return (
      (b.budget ?? 0) - (a.budget ?? 0) ||
      (greater ? b.score - a.score : a.score - b.score) ||
      a.trial - b.trial
    );
  };
}

function rowOf(
  { trial, budget, settings, score, seconds, error }: SearchTrial,
  metric: string,
  all: readonly SearchTrial[],
): Record<string, Cell> {
  return {
    trial,
    ...(all.some((each) => each.budget !== null) && { budget }),
    ...settings,
    [metric]: score,
    seconds,
    ...(all.some((each) => each.error !== undefined) && { error: error ?? null }),
  };
}
