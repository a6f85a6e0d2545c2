import type { DataLoaders } from '../data/batch.js';
import type { Table } from '../data/table.js';
import { CrossEntropyLossFlat } from '../nn/losses.js';
import type { Model } from '../nn/model.js';
import { checkOptions, checkRounds } from '../options.js';
import { Learner, type LearnerOptions } from './learner.js';
import { learnerOptions } from './learner-options.js';
import { accuracy } from './metrics.js';
import { TrainingLog } from './training-log.js';

/**
 * Options of {@link trainModel}; those of a Learner, with defaults of a classifier: lossFunc
 * CrossEntropyLossFlat, metrics accuracy.
 */
export interface TrainModelOptions extends LearnerOptions {
  /** Passes over the training data; default 60, the paper's. */
  epochs?: number;
}

/**
 * A Learner that {@link trainModel} has made and trained.
 * @example
 * const learn: TrainedLearner = await trainModel(new LSTMModel(dls.classes), dls, { epochs: 2 });
 * learn.history; // a row an epoch
 */
export class TrainedLearner extends Learner {
  /** What it wrote. */
  readonly log: TrainingLog = new TrainingLog();

  /**
   * The epochs of training: epoch, loss, accuracy, and what validation came to beside them:
   * valid_loss, valid_accuracy.
   */
  get history(): Table {
    return this.log.table;
  }
}

/**
 * Trains a classifier, such as LSTMModel, at a constant learning rate, and writes for each epoch
 * the paper's line: `Epoch 46/60, Loss: 1.2554402177532513, Accuracy: 0.675243089697367`.
 *
 * **Both numbers are those of training**: they tell how well the model knows what it has been
 * shown, not how well it predicts. Look at the columns of validation in `learn.history`, too.
 * @param model what is trained
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
  const {
    epochs = 60,
    lossFunc = new CrossEntropyLossFlat(),
    metrics = accuracy,
    ...rest
  } = options;
  checkRounds(epochs, 'epochs');
  const learn = new TrainedLearner(dls, model, { lossFunc, metrics, ...rest });
  await learn.noLogging(() => learn.fit(epochs, learn.lr, { cbs: learn.log }));
  return learn;
}
