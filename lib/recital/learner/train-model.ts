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
 * The Learner that {@link trainModel} returns.
 * @example
 * const learn: TrainedLearner = await trainModel(new LSTMModel(dls.classes), dls, { epochs: 2 });
 * learn.history; // a row an epoch
 */
export class TrainedLearner extends Learner {
  /** The log of its training. */
  readonly log: TrainingLog = new TrainingLog();

  /** One row an epoch: epoch, loss and accuracy of training, valid_loss, valid_accuracy. */
  get history(): Table {
    return this.log.table;
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

/**
 * Prints a line an epoch, as PyTorch programs do:
 * `Epoch 46/60, Loss: 1.2554402177532513, Accuracy: 0.675243089697367`, and keeps the numbers. Loss
 * and accuracy are those of training: means over the targets of the epoch, each predicted with the
 * weights at its batch. Accuracy is as in {@link accuracy}; it is not known for a model that is
 * trained on a sample of the classes.
 * @example const log = new TrainingLog(); await learn.fit(10, 1e-3, { cbs: log }); log.table
 */
export class TrainingLog implements Callback {
  readonly name = 'TrainingLog';
  readonly order = 55;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  private rows: Record<string, number | null>[] = [];
  private sums = { loss: 0, right: 0, targets: 0, known: true };

  /**
   * A row an epoch: epoch, counted from 1, loss and accuracy of training, and the columns of
   * validation: valid_loss, valid_ and the name of each metric.
   */
  get table(): Table {
    return Table.fromRows(this.rows);
  }

  beforeFit({ resumed }: Learner): void {
    if (!resumed) this.rows = [];
  }

  beforeEpoch({ resumed, epoch }: Learner): void {
    if (resumed?.epoch === epoch && resumed.iter > 0) return; // its first batches are counted
    this.sums = { loss: 0, right: 0, targets: 0, known: true };
  }

  afterLoss({ training, model, batch, pred, loss }: Learner): void {
    if (!training) return;
    const { sums } = this;
    const own = model.trainingLoss?.();
    const targets = own?.hits?.of ?? batch.size;
    sums.loss += loss * targets;
    sums.targets += targets;
    if (own) sums.right += own.hits?.right ?? 0;
    else if (model.outputs > 1)
      sums.right +=
        batch.size *
        accuracy(
          pred.subarray(0, batch.size * model.outputs),
          batch.targets.subarray(0, batch.size),
        );
    sums.known &&= own ? own.hits !== undefined : model.outputs > 1;
  }

  afterEpoch({ interrupted, epoch, nEpoch, recorder }: Learner): void {
    const { loss, right, targets, known } = this.sums;
    if (interrupted || targets === 0) return;
    const row: Record<string, number | null> = {
      epoch: epoch + 1,
      loss: loss / targets,
      accuracy: known ? right / targets : null,
    };
    recorder.validValues().forEach((value, i) => {
      const name = recorder.metricNames[2 + i];
      row[i === 0 ? name : `valid_${name}`] = value;
    });
    this.rows.push(row);
    display().text(
      `Epoch ${epoch + 1}/${nEpoch}, Loss: ${row.loss}, Accuracy: ${row.accuracy ?? 'not known'}`,
    );
  }
}
