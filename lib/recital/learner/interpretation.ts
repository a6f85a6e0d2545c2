import type { Batch, DataLoader } from '../data/batch.js';
import { display } from '../data/display.js';
import { type Cell, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, said } from '../options.js';
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
