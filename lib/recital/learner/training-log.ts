import { display } from '../data/display.js';
import { Table } from '../data/table.js';
import type { Callback } from './callback.js';
import type { Learner } from './learner.js';
import { accuracy } from './metrics.js';

/**
 * Writes a line an epoch, as PyTorch programs do:
 * `Epoch 46/60, Loss: 1.2554402177532513, Accuracy: 0.675243089697367`, and keeps the numbers. Loss
 * and accuracy are those of training: means over the targets of the epoch, each predicted by the
 * weights that were there when its batch came. What is right counts as in {@link accuracy}; of a
 * model that is trained on a sample of the classes it is not known.
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
