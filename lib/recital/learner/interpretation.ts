import type { DataLoader } from '../data/batches.js';
import { display } from '../data/output.js';
import { type Cell, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkCount, given } from '../options.js';
import { counted, printed } from '../printed.js';
import type { Learner } from './learner.js';
import type { Predictions } from './predictions.js';

const ROWS = {
  /** 0 the training set, 1 (default) the validation set. */
  dsIdx: 1 as 0 | 1,
  /** Another loader with targets instead, e.g. `dls.testDl(plays)`. */
  dl: undefined as DataLoader | undefined,
  /** Function applied to the model's output; default: the loss's activation. */
  act: undefined as ((x: number) => number) | undefined,
};

/** Which rows an interpretation looks at. */
export type InterpretationOptions = Partial<typeof ROWS>;

const TOP_LOSSES = {
  /** Whether the largest losses come first (default), or the smallest. */
  largest: true,
};

/** Options of {@link Interpretation.topLosses}. */
export type TopLossesOptions = Partial<typeof TOP_LOSSES>;

/**
 * A model's predictions, decisions and losses, row by row: where it goes wrong (fastai's
 * Interpretation). It is a snapshot: make a new one after further training.
 * @example
 * const interp = await Interpretation.fromLearner(learn);
 * interp.plotTopLosses(9);
 */
export class Interpretation {
  private constructor(
    /** The learner that predicted. */
    readonly learn: Learner,
    /** The rows, in the order of the predictions. */
    readonly dl: DataLoader,
    /** Predictions, targets, decisions and losses, row by row. */
    readonly predictions: Omit<Required<Predictions>, 'inputs'>,
  ) {}

  /**
   * Predicts all rows of a part of the data, with their losses.
   * @throws ArgumentError for a part without rows or without targets
   */
  static async fromLearner(
    learn: Learner,
    options: InterpretationOptions = {},
  ): Promise<Interpretation> {
    const wanted = 'a learner, such as collabLearner(dls)';
    checkArgument(typeof learn?.getPreds === 'function', learn, 'fromLearner', wanted);
    const { dsIdx, act, dl = learn.loader(dsIdx) } = given(ROWS, options, 'fromLearner');
    const found = await learn.getPreds({ dl, act, withDecoded: true, withLoss: true });
    const bare = found.targets.findIndex((y) => Number.isNaN(y));
    if (bare >= 0)
      throw new ArgumentError(
        `Row ${bare} (counted from 0) has no target, so it has no loss. Give a loader whose rows have targets.`,
      );
    const { decoded, losses } = found;
    return new Interpretation(learn, dl.inOrder(), {
      ...found,
      decoded: decoded!,
      losses: losses!,
    });
  }

  /** Number of rows. */
  get length(): number {
    return this.predictions.targets.length;
  }

  /**
   * The rows with the largest losses, largest first, as the data loader decodes them; of equal
   * losses the earlier row comes first. Columns: row (its number in the data), those of
   * `dls.showBatch()`, the prediction (`…_pred`; the class where the model has one output per
   * class) and loss.
   * @param k how many rows; all there are if there are fewer
   */
  topLosses(k = 10, options: TopLossesOptions = {}): Table {
    const { largest } = given(TOP_LOSSES, options, 'topLosses');
    checkCount(k, 'k');
    const { preds, decoded, losses, rows } = this.predictions;
    const sign = largest ? -1 : 1;
    const order = Array.from(losses.keys()).sort((a, b) => sign * (losses[a] - losses[b]) || a - b);
    const top = order.slice(0, k);
    const cells = this.decodedRows(new Set(top));
    const shown = preds.length === this.length ? preds : decoded;
    return Table.fromRows(
      top.map((i): Record<string, Cell> => {
        const row = cells.get(i)!;
        const pred = `${Object.keys(row).at(-1)}_pred`;
        return { row: rows[i], ...row, [pred]: shown[i], loss: losses[i] };
      }),
    );
  }

  /** Shows the rows with the largest losses: see {@link topLosses}. */
  plotTopLosses(k = 10, options: TopLossesOptions = {}): void {
    const title = options.largest === false ? 'Smallest losses' : 'Largest losses';
    display().table(this.topLosses(k, options), { title });
  }

  /** Decodes rows; only a batch can be decoded, so the loader's batches are made once more. */
  private decodedRows(wanted: ReadonlySet<number>): Map<number, Record<string, Cell>> {
    const found = new Map<number, Record<string, Cell>>();
    let first = 0;
    for (const batch of this.dl.batches(0)) {
      for (let r = 0; r < batch.size; r++)
        if (wanted.has(first + r)) found.set(first + r, this.learn.dls.decode(batch, r));
      if (found.size === wanted.size) break;
      first += batch.size;
    }
    return found;
  }
}

printed(Interpretation, ({ predictions: { losses }, length }) => {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / length;
  return `Interpretation of ${counted(length, 'row')}, mean loss ${mean.toFixed(4)}`;
});
