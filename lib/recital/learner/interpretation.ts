import type { Batch, DataLoader } from '../data/batches.js';
import { Chart, display } from '../data/display.js';

import { type Cell, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, isNumbers, said } from '../options.js';
import { counted, printed } from '../printed.js';
import type { Learner } from './learner.js';

/** Which rows an interpretation looks at. */
export interface InterpretationOptions {
  /** 0 the training set, 1 (default) the validation set. */
  dsIdx?: 0 | 1;
  /** Another loader with targets instead, e.g. `dls.testDl(plays)`. */
  dl?: DataLoader;
  /** What is applied to the model's output; default: the loss's activation. */
  act?: (x: number) => number;
}

/** What {@link Interpretation} is made from: row i of each is row i of the loader. */
export interface InterpretedRows {
  /** The rows, in order. */
  readonly dl: DataLoader;
  /** Activated predictions, rows × outputs. */
  readonly preds: Float32Array;
  /** One target a row. */
  readonly targets: Float32Array;
  /** The decision of each row. */
  readonly decoded: Float32Array;
  /** The loss of each row. */
  readonly losses: Float32Array;
  /** Each row's number in the data that the loaders were made from. */
  readonly rows: Int32Array;
}

/** Options of {@link Interpretation.topLosses}. */
export interface TopLossesOptions {
  /** Whether the largest losses come first (default), or the smallest. */
  largest?: boolean;
}

/**
 * Where a model goes wrong: its predictions, decisions and losses row by row (fastai's
 * Interpretation). Nothing is computed again when the learner is trained further: make a new one
 * then.
 * @example
 * const interp = await Interpretation.fromLearner(learn);
 * interp.plotTopLosses(9);
 */
export class Interpretation implements InterpretedRows {
  readonly dl: DataLoader;
  readonly preds: Float32Array;
  readonly targets: Float32Array;
  readonly decoded: Float32Array;
  readonly losses: Float32Array;
  readonly rows: Int32Array;

  /**
   * @param learn whose predictions they are; `fromLearner` makes them
   * @param of the rows
   */
  constructor(
    readonly learn: Learner,
    of: InterpretedRows,
  ) {
    this.dl = of.dl;
    this.preds = of.preds;
    this.targets = of.targets;
    this.decoded = of.decoded;
    this.losses = of.losses;
    this.rows = of.rows;
  }

  /**
   * Predicts all rows of a part of the data, with their losses.
   * @throws ArgumentError for a part without rows or without targets
   */
  static async fromLearner<T extends Interpretation>(
    this: new (
      learn: Learner,
      of: InterpretedRows,
    ) => T,
    learn: Learner,
    options: InterpretationOptions = {},
  ): Promise<T> {
    checkArgument(
      typeof learn?.getPreds === 'function',
      learn,
      'fromLearner',
      'a learner, such as collabLearner(dls)',
    );
    const { dsIdx = 1, dl = learn.loader(dsIdx), act } = options;
    const { preds, targets, rows, decoded, losses } = await learn.getPreds({
      dl,
      act,
      withDecoded: true,
      withLoss: true,
    });
    const bare = targets.findIndex((y) => Number.isNaN(y));
    if (bare >= 0)
      throw new ArgumentError(
        `Row ${bare} (counted from 0) has no target, so it has no loss. Give a loader whose rows have targets.`,
      );
    return new this(learn, {
      dl: dl.inOrder(),
      preds,
      targets,
      rows,
      decoded: decoded!,
      losses: losses!,
    });
  }

  /** Number of rows. */
  get length(): number {
    return this.targets.length;
  }

  /**
   * The rows with the largest losses, largest first, as the data loader decodes them. Columns: row
   * (its number in the data), those of `dls.showBatch()`, the prediction (`…_pred`; the class where
   * the model has one output a class) and loss. Of equal losses the earlier row comes first.
   * @param k how many rows; all there are if there are fewer
   */
  topLosses(k = 10, options: TopLossesOptions = {}): Table {
    checkOptions(options, ['largest'], 'topLosses');
    const { largest = true } = options;
    if (!(Number.isInteger(k) && k >= 1))
      throw new ArgumentError(`k must be a positive whole number, got ${said(k)}.`);
    const sign = largest ? -1 : 1;
    const order = Array.from(this.losses.keys()).sort(
      (a, b) => sign * (this.losses[a] - this.losses[b]) || a - b,
    );
    return this.table(order.slice(0, k));
  }

  /** Shows the rows with the largest losses: see {@link topLosses}. */
  plotTopLosses(k = 10, options: TopLossesOptions = {}): void {
    display().table(this.topLosses(k, options), {
      title: (options.largest ?? true) ? 'Largest losses' : 'Smallest losses',
    });
  }

  /** Shows rows by their position in `preds`, in this order (fastai's `show_results`). */
  showResults(positions: readonly number[]): void {
    checkArgument(
      Array.isArray(positions),
      positions,
      'showResults',
      'positions of rows, such as [0, 1, 2]',
    );
    for (const i of positions) {
      if (!(Number.isInteger(i) && i >= 0 && i < this.length)) {
        throw new ArgumentError(
          `Row ${said(i)} does not exist; there are ${this.length}, counted from 0.`,
        );
      }
    }
    display().table(this.table(positions));
  }

  private table(positions: readonly number[]): Table {
    const decoded = this.decodedRows(new Set(positions));
    const single = this.preds.length === this.length;
    const records = positions.map((i): Record<string, Cell> => {
      const row = decoded.get(i)!;
      const names = Object.keys(row);
      const pred = single ? this.preds[i] : this.decoded[i];
      return {
        row: this.rows[i],
        ...row,
        [`${names[names.length - 1]}_pred`]: pred,
        loss: this.losses[i],
      };
    });
    return Table.fromRows(records);
  }

  /** The loader's batches are drawn once more, since only they can be decoded. */
  private decodedRows(wanted: ReadonlySet<number>): Map<number, Record<string, string | number>> {
    const found = new Map<number, Record<string, string | number>>();
    let first = 0;
    for (const batch of this.dl.batches(0) as Iterable<Batch>) {
      for (let r = 0; r < batch.size; r++)
        if (wanted.has(first + r)) found.set(first + r, this.learn.dls.decode(batch, r));
      if (found.size === wanted.size) break;
      first += batch.size;
    }
    return found;
  }
}

printed(Interpretation, ({ constructor: type, losses, length }) => {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / length;
  return `${type.name} of ${counted(length, 'row')}, mean loss ${mean.toFixed(4)}`;
});

/** Options of {@link calibrationCurve}. */
export interface CalibrationCurveOptions {
  /** Number of bins; default 10. */
  bins?: number;
  /**
   * Where the bins lie: `'uniform'` (default), of equal width in [0, 1]; `'quantile'`, with about
   * equally many rows each, for predictions that lie close together. Equal predictions are never
   * parted, so there may be fewer bins than were asked for.
   */
  strategy?: 'uniform' | 'quantile';
}

/** Options of {@link calibration}. */
export interface CalibrationOptions
  extends CalibrationCurveOptions,
    Omit<InterpretationOptions, 'act'> {}

/**
 * A reliability table: of the rows that were given about this probability, how many came true? One
 * row a bin, columns: from, to (the bin: `from` is in it, `to` is not, save in the last), predicted
 * (mean prediction), observed (mean target), count. An empty bin has neither of the means.
 * @example calibrationCurve([0.1, 0.3, 0.9], [0, 1, 1], { bins: 2 }).mce // max(|0.5 − 0.2|, |1 − 0.9|) = 0.3
 */
export class Calibration extends Table {
  /**
   * Expected calibration error, Σ_b (n_b / N)·|observed_b − predicted_b|: 0 for probabilities that
   * can be taken at their word. It depends on the bins (Guo et al. 2017, arXiv 1706.04599).
   */
  readonly ece: number;
  /**
   * Maximum calibration error: the largest |observed_b − predicted_b|, however few rows the bin
   * has.
   */
  readonly mce: number;

  /**
   * @param edges bins + 1 numbers, ascending
   * @param columns per bin: sums of predictions and of targets, and the number of rows
   */
  constructor(
    edges: readonly number[],
    columns: { predicted: Float64Array; observed: Float64Array; count: Float64Array },
  ) {
    const { count } = columns;
    const predicted = columns.predicted.map((sum, b) => sum / count[b]);
    const observed = columns.observed.map((sum, b) => sum / count[b]);
    super({
      from: Float64Array.from(edges.slice(0, -1)),
      to: Float64Array.from(edges.slice(1)),
      predicted,
      observed,
      count,
    });
    const n = count.reduce((a, b) => a + b, 0);
    let [ece, mce] = [0, 0];
    for (let b = 0; b < count.length; b++) {
      if (count[b] === 0) continue;
      const gap = Math.abs(observed[b] - predicted[b]);
      ece += (count[b] / n) * gap;
      mce = Math.max(mce, gap);
    }
    this.ece = ece;
    this.mce = mce;
  }

  /**
   * Draws a reliability diagram: observed against predicted, with the diagonal on which a
   * calibrated model lies, and below it how many rows each bin has. Below the diagonal the model
   * promises more than comes true, above it less.
   * @param options.title default `'Calibration'`
   * @returns the chart, which is shown
   */
  plotCalibration(options: { title?: string } = {}): Chart {
    checkOptions(options, ['title'], 'plotCalibration');
    const { title = 'Calibration' } = options;
    const bins = this.rows();
    const points = bins.filter((bin) => bin.count !== 0);
    const n = this.numbers('count').reduce((a, b) => a + b, 0);
    const share = {
      type: 'quantitative',
      scale: { domain: [0, 1] },
      axis: { tickCount: 5, labelFlush: false },
    };
    const tooltip = ['from', 'to', 'predicted', 'observed', 'count'].map((field) => ({
      field,
      format: field === 'count' ? ',' : '.3f',
    }));
    const x = { field: 'predicted', ...share, title: null };
    const y = { field: 'observed', ...share, title: 'observed share of 1' };
    const diagonal = {
      data: { values: [0, 1].map((p) => ({ predicted: p, observed: p })) },
      mark: { type: 'line', color: '#999999', strokeDash: [5, 4], strokeWidth: 1.5 },
      encoding: { x, y },
    };
    const curve = {
      data: { values: points },
      mark: { type: 'line', point: { size: 50 } },
      encoding: { x, y, tooltip },
    };
    const rows = {
      width: 300,
      height: 60,
      data: { values: bins },
      mark: { type: 'bar', binSpacing: 1 },
      encoding: {
        x: { field: 'from', ...share, bin: { binned: true }, title: 'predicted probability' },
        x2: { field: 'to' },
        y: { field: 'count', type: 'quantitative', title: 'rows', axis: { tickCount: 3 } },
        tooltip,
      },
    };
    const gap = (bin: Record<string, Cell>): number =>
      Math.abs(Number(bin.observed) - Number(bin.predicted));
    const worst = points.reduce((a, b) => (gap(b) > gap(a) ? b : a));
    const two = (value: Cell): string => Number(value).toFixed(2);
    const alt =
      `Observed against predicted probability of ${n.toLocaleString('en')} rows in ${bins.length} bins; expected calibration error ${this.ece.toFixed(3)}. ` +
      `The largest gap: predicted ${two(worst.predicted)}, observed ${two(worst.observed)}.`;
    const diagram = { width: 300, height: 300, layer: [diagonal, curve] };
    const chart = new Chart({ vconcat: [diagram, rows], spacing: 12 }, title, alt);
    display().chart(chart);
    return chart;
  }
}

const MAX_BINS = 10_000;

/**
 * Sorts predictions into bins and compares the mean of each with what came true (scikit-learn's
 * `calibration_curve`, with the counts).
 * @param preds probabilities
 * @param targets as many, 0 or 1, or shares between them
 * @throws ArgumentError for columns of unequal or no length, numbers outside [0, 1], and bins < 1
 * @example calibrationCurve([0.1, 0.3, 0.9], [0, 1, 1], { bins: 2 }).ece // 2/3·|0.5 − 0.2| + 1/3·|1 − 0.9| = 0.2333…
 */
export function calibrationCurve(
  preds: ArrayLike<number>,
  targets: ArrayLike<number>,
  options: CalibrationCurveOptions = {},
): Calibration {
  for (const values of [preds, targets])
    checkArgument(
      isNumbers(values),
      values,
      'calibrationCurve',
      'predictions and targets, arrays of numbers; calibration takes a learner',
    );
  checkOptions(options, ['bins', 'strategy'], 'calibrationCurve');
  const { bins = 10, strategy = 'uniform' } = options;
  if (!(Number.isInteger(bins) && bins >= 1 && bins <= MAX_BINS)) {
    throw new ArgumentError(
      `bins must be a positive whole number, got ${said(bins)}${bins > MAX_BINS ? `; at most ${MAX_BINS} make sense` : ''}.`,
    );
  }
  if (strategy !== 'uniform' && strategy !== 'quantile')
    throw new ArgumentError(`strategy must be 'uniform' or 'quantile', got '${said(strategy)}'.`);
  const n = preds.length;
  if (n !== targets.length)
    throw new ArgumentError(
      `There must be one target a prediction, got ${said(n)} predictions and ${targets.length} targets.`,
    );
  if (n === 0) throw new ArgumentError('There are no predictions to calibrate against.');
  for (let i = 0; i < n; i++) {
    if (!(preds[i] >= 0 && preds[i] <= 1)) {
      throw new ArgumentError(
        `Row ${i} has the prediction ${preds[i]}; probabilities from 0 to 1 were expected, as BCEWithLogitsLossFlat makes.`,
      );
    }
    if (!(targets[i] >= 0 && targets[i] <= 1)) {
      throw new ArgumentError(
        `Row ${i} has the target ${targets[i]}; a number from 0 to 1 was expected. Make the loaders with target 'binary'.`,
      );
    }
  }
  const edges =
    strategy === 'uniform'
      ? Array.from({ length: bins + 1 }, (_, b) => b / bins)
      : quantiles(preds, bins);
  const last = edges.length - 2;
  const sums = {
    predicted: new Float64Array(last + 1),
    observed: new Float64Array(last + 1),
    count: new Float64Array(last + 1),
  };
  for (let i = 0; i < n; i++) {
    const b = binOf(edges, preds[i]);
    sums.predicted[b] += preds[i];
    sums.observed[b] += targets[i];
    sums.count[b]++;
  }
  return new Calibration(edges, sums);
}

/**
 * The reliability table of a learner's probabilities on a part of its data.
 * @param learn a trained learner whose predictions are probabilities
 * @example
 * const reliability = await calibration(learn, { bins: 10 });
 * reliability.ece;
 * reliability.plotCalibration();
 */
export async function calibration(
  learn: Learner,
  options: CalibrationOptions = {},
): Promise<Calibration> {
  checkOptions(options, ['bins', 'strategy', 'dsIdx', 'dl'], 'calibration');
  const { bins, strategy, dsIdx = 1, dl } = options;
  checkArgument(
    typeof learn?.getPreds === 'function',
    learn,
    'calibration',
    'a learner, such as collabLearner(dls)',
  );
  if (learn.model.outputs !== 1) {
    throw new ArgumentError(
      `Calibration needs one probability a row; this model makes ${learn.model.outputs} outputs.`,
    );
  }
  const { preds, targets } = await learn.getPreds({ dl, dsIdx });
  return calibrationCurve(preds, targets, { bins, strategy });
}

/** The first bin that ends at or above x. */
function binOf(edges: readonly number[], x: number): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle + 1] >= x) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Edges of bins with equally many of the values. Each edge once, but for the first: many equal
 * smallest values are a bin without width.
 */
function quantiles(values: ArrayLike<number>, bins: number): number[] {
  const sorted = Float64Array.from(values).sort();
  const edges = Array.from({ length: bins + 1 }, (_, b) => {
    const at = (b / bins) * (sorted.length - 1);
    const below = Math.floor(at);
    return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
  });
  return edges.filter((edge, b) => b <= 1 || edge > edges[b - 1]);
}
