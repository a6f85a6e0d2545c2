import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import type { DataLoaders } from '../../../lib/recital/data/batches.js';
import { setDisplay } from '../../../lib/recital/data/output.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import type { Callback } from '../../../lib/recital/learner/callback.js';
import {
  type TrainedLearner,
  type TrainModelOptions,
  trainModel,
} from '../../../lib/recital/learner/train-model.js';
import { LSTMModel, type LSTMModelOptions } from '../../../lib/recital/models/lstm.js';
import { argmaxRows } from '../../../lib/recital/nn/cross-entropy.js';
import { displayed, interruptAt, rejection } from '../../support/learner.js';
import { chainWindows, itemClasses, windowLoaders } from '../../support/windows.js';

const loaders = (everyPosition = false): ReturnType<typeof windowLoaders> =>
  windowLoaders(chainWindows({ n: 400 }), { everyPosition });
const network = (options: LSTMModelOptions = {}): LSTMModel =>
  new LSTMModel(itemClasses(30), { embSz: 6, layers: [8], random: new Random(3), ...options });

/** Trains, and returns the learner and what was written. */
async function train(
  dls: DataLoaders,
  model: LSTMModel,
  options: TrainModelOptions = {},
): Promise<{ learn: TrainedLearner; lines: string[] }> {
  let learn: TrainedLearner | undefined;
  const { texts } = await displayed(async () => {
    learn = await trainModel(model, dls, { epochs: 3, lr: 0.01, ...options });
  });
  return { learn: learn!, lines: texts };
}

describe('trainModel', () => {
  it("writes the paper's line for each epoch, and keeps its numbers beside those of validation", async () => {
    const dls = loaders();
    const { learn, lines } = await train(dls, network());
    const rows = learn.history.rows();
    expect(lines).to.deep.equal(
      rows.map(
        ({ epoch, loss, accuracy }) => `Epoch ${epoch}/3, Loss: ${loss}, Accuracy: ${accuracy}`,
      ),
    );
    expect(lines[2]).to.match(/^Epoch 3\/3, Loss: \d\.\d{6,}, Accuracy: 0\.\d{2,}$/);
    expect(learn.history.columnNames).to.deep.equal([
      'epoch',
      'loss',
      'accuracy',
      'valid_loss',
      'valid_accuracy',
    ]);
    expect(rows.map((row) => [row.valid_loss, row.valid_accuracy])).to.deep.equal(
      learn.recorder.values.map((row) => row.slice(1)),
    );
    expect(learn.cbs.map((cb) => cb.name)).to.not.include('TrainingLog');
  });

  for (const everyPosition of [false, true]) {
    it(`has means over all targets of training, as they were predicted${everyPosition ? ', at every position' : ''}`, async () => {
      const dls = loaders(everyPosition);
      const model = network();
      const sums = { loss: 0, right: 0, targets: 0 };
      const count: Callback = {
        name: 'count',
        afterLoss({ training, batch, loss, pred }) {
          if (!training) return;
          if (!everyPosition) {
            const best = argmaxRows(pred.slice(0, batch.size * 30), 30);
            sums.right += best.filter((c, r) => c === batch.targets[r]).length;
          } else {
            // each position by a row of its own, before the step
            const room = batch.inputs[0].length / batch.inputs[1].length;
            const asked = new LSTMModel(itemClasses(30), {
              ...model.config,
              random: new Random(0),
            });
            asked.parameters.forEach((p, i) => {
              p.value.set(model.parameters[i].value);
            });
            for (let r = 0; r < batch.size; r++) {
              for (let t = 0; t < batch.inputs[1][r]; t++) {
                const inputs = [
                  batch.inputs[0].slice(r * room, (r + 1) * room),
                  Int32Array.of(t + 1),
                ];
                const one = {
                  size: 1,
                  inputs,
                  targets: Float32Array.of(0),
                  rows: Int32Array.of(0),
                };
                sums.right +=
                  argmaxRows(asked.forward(one, false).slice(), 30)[0] ===
                  batch.targets[r * room + t]
                    ? 1
                    : 0;
              }
            }
          }
          const n = everyPosition
            ? batch.targets.filter((target) => target >= 0).length
            : batch.size;
          sums.loss += loss * n;
          sums.targets += n;
        },
      };
      const { learn } = await train(dls, model, { epochs: 1, cbs: count });
      const [row] = learn.history.rows();
      expect(row.loss).to.be.closeTo(sums.loss / sums.targets, 1e-9);
      expect(row.accuracy).to.be.closeTo(sums.right / sums.targets, 1e-9);
      expect(sums.targets).to.be.above(everyPosition ? 640 : 319);
    });
  }

  it('says so where the accuracy is not known: trained on a sample of the items', async () => {
    const dls = loaders();
    const { learn, lines } = await train(
      dls,
      network({ negatives: { n: 5, counts: new Array(30).fill(1) } }),
      { epochs: 1 },
    );
    expect(lines[0]).to.match(/^Epoch 1\/1, Loss: \d\.\d+, Accuracy: not known$/);
    expect(learn.history.row(0).accuracy).to.equal(null);
    expect(learn.history.row(0).valid_accuracy).to.be.a('number');
  });

  it('goes on after an interrupt with the same lines', async () => {
    const dls = loaders();
    const whole = await train(dls, network());
    const { learn, lines } = await train(dls, network(), { cbs: interruptAt(1, 2) });
    expect(lines[0]).to.equal(whole.lines[0]);
    expect(lines[1]).to.contain('Interrupted in epoch 1');
    expect(lines).to.have.length(2);
    const { texts } = await displayed(() => learn.resume());
    expect(texts).to.deep.equal(whole.lines.slice(1));
    expect(learn.history.rows()).to.deep.equal(whole.learn.history.rows());
  });

  it('needs options that make sense', async () => {
    const dls = loaders();
    setDisplay(undefined);
    for (const epochs of [0, -1, 2.5, NaN])
      expect(await rejection(trainModel(network(), dls, { epochs }))).to.contain(`got ${epochs}`);
    expect(await rejection(trainModel(network(), dls, { epoch: 3 } as never))).to.contain(
      'did you mean "epochs"?',
    );
    expect(await rejection(trainModel(network(), {} as never))).to.contain(ArgumentError.name);
  });
});
