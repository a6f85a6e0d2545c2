import type { DataLoaders } from '../data/batches.js';
import { display } from '../data/output.js';
import { Table } from '../data/table.js';
import { CrossEntropyLossFlat } from '../nn/cross-entropy.js';
import type { Model } from '../nn/model.js';
import { checkOptions, checkRounds } from '../options.js';
import type { Callback } from './callback.js';
import { Learner, type LearnerOptions, learnerOptions } from './learner.js';
import { accuracy } from './metrics.js';

/**
 * Options of {@link trainModel}; those of a Learner, with defaults of a classifier: lossFunc
 * CrossEntropyLossFlat, metrics accuracy.
 */
export interface TrainModelOptions extends LearnerOptions {
  /** Passes over the training data; default 60, the paper's. */
  epochs?: number;
}

/**
 * Prints a line per epoch, as PyTorch programs do, and keeps the numbers. Loss and accuracy are
 * those of training: means over the targets of the epoch, each predicted with the weights at its
 * batch. Accuracy is as in {@link accuracy}; it is not known for a model that is trained on a
 * sample of the classes.
 */
class TrainingLog implements Callback {
  readonly name = 'TrainingLog';
  readonly order = 55;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  /** Columns: epoch, counted from 1, loss, accuracy, valid_loss, valid_ and each metric's name. */
  rows: Record<string, number | null>[] = [];
  private sums = { loss: 0, right: 0, targets: 0, known: true };

  beforeFit({ resumed }: Learner): void {
    if (!resumed) this.rows = [];
  }

  beforeEpoch({ resumed, epoch }: Learner): void {
    if (resumed?.epoch === epoch && resumed.iter > 0) return; // its first batches are counted
    this.sums = { loss: 0, right: 0, targets: 0, known: true };
  }

  afterLoss({ training, model, batch: { size, targets }, pred, loss }: Learner): void {
    if (!training) return;
    const own = model.trainingLoss?.();
    const computed = (): { right: number; of: number } => ({
      right: size * accuracy(pred.subarray(0, size * model.outputs), targets.subarray(0, size)),
      of: size,
    });
    const hits = own ? own.hits : model.outputs > 1 ? computed() : undefined;
    const { sums } = this;
    sums.loss += loss * (hits?.of ?? size);
    sums.targets += hits?.of ?? size;
    sums.right += hits?.right ?? 0;
    sums.known &&= hits !== undefined;
  }

  afterEpoch({ interrupted, epoch, nEpoch, recorder }: Learner): void {
    const { loss, right, targets, known } = this.sums;
    if (interrupted || targets === 0) return;
    const row: Record<string, number | null> = {
      epoch: epoch + 1,
      loss: loss / targets,
      accuracy: known ? right / targets : null,
    };
    for (const [i, value] of recorder.validValues().entries())
      row[`${i === 0 ? '' : 'valid_'}${recorder.metricNames[2 + i]}`] = value;
    this.rows.push(row);
    const shown = row.accuracy ?? 'not known';
    display().text(`Epoch ${epoch + 1}/${nEpoch}, Loss: ${row.loss}, Accuracy: ${shown}`);
  }
}

/**
 * The Learner that {@link trainModel} returns.
 * @example
 * const learn: TrainedLearner = await trainModel(new LSTMModel(dls.classes), dls, { epochs: 2 });
 * learn.history; // a row per epoch
 */
export class TrainedLearner extends Learner {
  /** The log of its training. */
  readonly log = new TrainingLog();

  /** One row per epoch: epoch, loss and accuracy of training, valid_loss, valid_accuracy. */
  get history(): Table {
    return Table.fromRows(this.log.rows);
  }
}

/**
 * Trains a classifier, such as LSTMModel, at a constant learning rate, and writes for each epoch
 * the paper's line: `Epoch 46/60, Loss: 1.2554402177532513, Accuracy: 0.675243089697367`.
 *
 * **Both numbers are those of training**: they show how well the model fits the training data, not
 * how well it predicts. See the validation columns of `learn.history`, too.
 * @param model the model to train
 * @param dls training and validation data
 * @param options `epochs`, and those of a Learner: `lr` (default 1e-3), `wd`, `optFunc` …
 * @returns the learner; after an interrupt `resume` goes on with it
 * @example
 * const learn = await trainModel(new LSTMModel(dls.classes), dls, { epochs: 60 });
 * lineChart(learn.history, { x: 'epoch', y: ['accuracy', 'valid_accuracy'], title: 'Accuracy' });
 */
export async function trainModel(
  model: Model,
  dls: DataLoaders,
  options: TrainModelOptions = {},
): Promise<TrainedLearner> {
  checkOptions(options, ['epochs', ...learnerOptions], 'trainModel');
  const { epochs = 60, ...rest } = options;
  const { lossFunc = new CrossEntropyLossFlat(), metrics = accuracy } = options;
  checkRounds(epochs, 'epochs');
  const learn = new TrainedLearner(dls, model, { ...rest, lossFunc, metrics });
  await learn.noLogging(() => learn.fit(epochs, learn.lr, { cbs: learn.log }));
  return learn;
}
