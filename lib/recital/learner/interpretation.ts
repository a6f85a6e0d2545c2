import type { Batch, DataLoader } from '../data/batches.js';
import { Chart, display } from '../data/output.js';

import { type Cell, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkNumber, given, isNumbers, said } from '../options.js';
import { counted, printed } from '../printed.js';
import type { Learner } from './learner.js';

/** Which rows an interpretation looks at. */
export interface InterpretationOptions {
  /** 0 the training set, 1 (default) the validation set. */
  dsIdx?: 0 | 1;
  /** Another loader with targets instead, e.g. `dls.testDl(plays)`. */
  dl?: DataLoader;
  /** Function applied to the model's output; default: the loss's activation. */
  act?: (x: number) => number;
}

/** The rows of an {@link Interpretation}: row i of each array is row i of the loader. */
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

const TOP_LOSSES = {
  /** Whether the largest losses come first (default), or the smallest. */
  largest: true,
};

/** Options of {@link Interpretation.topLosses}. */
export type TopLossesOptions = Partial<typeof TOP_LOSSES>;

/**
 * A model's predictions, decisions and losses row by row: where it goes wrong (fastai's
 * Interpretation). It is a snapshot: make a new one after further training.
 * @example
 * const interp = await Interpretation.fromLearner(learn);
 * interp.plotTopLosses(9);
 */
export class Interpretation implements InterpretedRows {
  declare readonly dl: DataLoader;
  declare readonly preds: Float32Array;
  declare readonly targets: Float32Array;
  declare readonly decoded: Float32Array;
  declare readonly losses: Float32Array;
  declare readonly rows: Int32Array;

  /**
   * @param learn the learner that predicted; `fromLearner` makes an interpretation of it
   * @param of the rows
   */
  constructor(
    readonly learn: Learner,
    of: InterpretedRows,
  ) {
    Object.assign(this, of);
  }

  /**
   * Predicts all rows of a part of the data, with their losses.
   * @throws ArgumentError for a part without rows or without targets
   */
  static async fromLearner(
    learn: Learner,
    options: InterpretationOptions = {},
  ): Promise<Interpretation> {
    checkLearner(learn, 'fromLearner');
    const { dsIdx = 1, dl = learn.loader(dsIdx), act } = options;
    const { decoded, losses, ...predicted } = await learn.getPreds({
      dl,
      act,
      withDecoded: true,
      withLoss: true,
    });
    const bare = predicted.targets.findIndex((y) => Number.isNaN(y));
    if (bare >= 0)
      throw new ArgumentError(
        `Row ${bare} (counted from 0) has no target, so it has no loss. Give a loader whose rows have targets.`,
      );
    return new Interpretation(learn, {
      dl: dl.inOrder(),
      ...predicted,
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
    const { largest } = given(TOP_LOSSES, options, 'topLosses');
    checkNumber(k, Number.isInteger(k) && k >= 1, 'k must be a positive whole number');
    const sign = largest ? -1 : 1;
    const order = Array.from(this.losses.keys()).sort(
      (a, b) => sign * (this.losses[a] - this.losses[b]) || a - b,
    );
    return this.table(order.slice(0, k));
  }

  /** Shows the rows with the largest losses: see {@link topLosses}. */
  plotTopLosses(k = 10, options: TopLossesOptions = {}): void {
    const table = this.topLosses(k, options);
    const title = options.largest === false ? 'Smallest losses' : 'Largest losses';
    display().table(table, { title });
  }

  /** Shows rows by their position in `preds`, in this order (fastai's `show_results`). */
  showResults(positions: readonly number[]): void {
    const wanted = 'positions of rows, such as [0, 1, 2]';
    checkArgument(Array.isArray(positions), positions, 'showResults', wanted);
    for (const i of positions)
      if (!(Number.isInteger(i) && i >= 0 && i < this.length))
        throw new ArgumentError(
          `Row ${said(i)} does not exist; there are ${this.length}, counted from 0.`,
        );
    display().table(this.table(positions));
  }

  private table(positions: readonly number[]): Table {
    const decoded = this.decodedRows(new Set(positions));
    const single = this.preds.length === this.length;
    const records = positions.map((i): Record<string, Cell> => {
      const row = decoded.get(i)!;
      const pred = single ? this.preds[i] : this.decoded[i];
      return {
        row: this.rows[i],
        ...row,
        [`${Object.keys(row).at(-1)}_pred`]: pred,
        loss: this.losses[i],
      };
    });
    return Table.fromRows(records);
  }

  /** Decodes rows; only a batch can be decoded, so the loader's batches are made once more. */
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

function checkLearner(learn: Learner, of: string): void {
  const wanted = 'a learner, such as collabLearner(dls)';
  checkArgument(typeof learn?.getPreds === 'function', learn, of, wanted);
}

const MAX_BINS = 10_000;

const CALIBRATION = {
  /** Number of bins, of equal width in [0, 1]; default 10. */
  bins: 10,
  /** 0 the training set, 1 (default) the validation set. */
  dsIdx: 1 as 0 | 1,
  /** Another loader with targets instead. */
  dl: undefined as DataLoader | undefined,
};

/** Options of {@link calibration}. */
export type CalibrationOptions = Partial<typeof CALIBRATION>;

/**
 * A reliability table: of the rows with a predicted probability in a bin, the share that came true.
 * One row a bin; columns: from and to (the bin; `to` belongs to it, `from` to the bin before),
 * predicted (mean prediction), observed (mean target), count. The means of an empty bin are
 * missing.
 * @example (await calibration(learn, { bins: 5 })).ece
 */
export class Calibration extends Table {
  /**
   * Expected calibration error, Σ_b (n_b / N)·|observed_b − predicted_b|; 0 for calibrated
   * probabilities. It depends on the bins (Guo et al. 2017, arXiv 1706.04599).
   */
  readonly ece: number;
  /**
   * Maximum calibration error: the largest |observed_b − predicted_b|, whatever the bin's count.
   */
  readonly mce: number;

  /** @param columns per bin: sums of predictions and of targets, and the number of rows */
  constructor(columns: { predicted: Float64Array; observed: Float64Array; count: Float64Array }) {
    const { count } = columns;
    const bins = count.length;
    const predicted = columns.predicted.map((sum, b) => sum / count[b]);
    const observed = columns.observed.map((sum, b) => sum / count[b]);
    super({
      from: Float64Array.from({ length: bins }, (_, b) => b / bins),
      to: Float64Array.from({ length: bins }, (_, b) => (b + 1) / bins),
      predicted,
      observed,
      count,
    });
    const n = count.reduce((a, b) => a + b, 0);
    const gaps = observed.map((y, b) => (count[b] ? Math.abs(y - predicted[b]) : 0));
    this.ece = gaps.reduce((sum, gap, b) => sum + (count[b] / n) * gap, 0);
    this.mce = gaps.reduce((a, b) => Math.max(a, b), 0);
  }

  /**
   * Draws a reliability diagram: observed against predicted, with the diagonal of a calibrated
   * model, and below it the number of rows in each bin. A point below the diagonal is a prediction
   * that is too high.
   * @param options.title default `'Calibration'`
   * @returns the chart, which is shown
   */
  plotCalibration(options: { title?: string } = {}): Chart {
    const { title } = given({ title: 'Calibration' }, options, 'plotCalibration');
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

/**
 * The reliability table of predictions and targets (scikit-learn's `calibration_curve`, with the
 * counts).
 * @param preds probabilities
 * @param targets as many, 0 or 1, or shares between them
 * @throws ArgumentError for columns of unequal or no length, and numbers outside [0, 1]
 */
export function calibrationCurve(
  preds: ArrayLike<number>,
  targets: ArrayLike<number>,
  bins: number = CALIBRATION.bins,
): Calibration {
  for (const values of [preds, targets])
    checkArgument(isNumbers(values), values, 'calibration', 'predictions and targets: numbers');
  checkNumber(
    bins,
    Number.isInteger(bins) && bins >= 1 && bins <= MAX_BINS,
    `bins must be a positive whole number, at most ${MAX_BINS}`,
  );
  const n = preds.length;
  if (n !== targets.length)
    throw new ArgumentError(
      `There must be one target a prediction, got ${n} predictions and ${targets.length} targets.`,
    );
  if (n === 0) throw new ArgumentError('There are no predictions to calibrate against.');
  const sums = {
    predicted: new Float64Array(bins),
    observed: new Float64Array(bins),
    count: new Float64Array(bins),
  };
  for (let i = 0; i < n; i++) {
    if (!(preds[i] >= 0 && preds[i] <= 1))
      throw new ArgumentError(
        `Row ${i} has the prediction ${preds[i]}; probabilities from 0 to 1 were expected, as BCEWithLogitsLossFlat makes.`,
      );
    if (!(targets[i] >= 0 && targets[i] <= 1))
      throw new ArgumentError(
        `Row ${i} has the target ${targets[i]}; a number from 0 to 1 was expected. Make the loaders with target 'binary'.`,
      );
    let b = Math.max(0, Math.ceil(preds[i] * bins) - 1); // rounding may miss the bin by one
    while (b > 0 && b / bins >= preds[i]) b--;
    while ((b + 1) / bins < preds[i]) b++;
    sums.predicted[b] += preds[i];
    sums.observed[b] += targets[i];
    sums.count[b]++;
  }
  return new Calibration(sums);
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
  const { bins, dsIdx, dl } = given(CALIBRATION, options, 'calibration');
  checkLearner(learn, 'calibration');
  const { outputs } = learn.model;
  if (outputs !== 1)
    throw new ArgumentError(
      `Calibration needs one probability a row; this model makes ${outputs} outputs.`,
    );
  const { preds, targets } = await learn.getPreds({ dl, dsIdx });
  return calibrationCurve(preds, targets, bins);
}
