import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import type { Batch } from '../../../lib/recital/data/batches.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { checkGradients } from '../../../lib/recital/nn/check-gradients.js';
import type { Model } from '../../../lib/recital/nn/model.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { rejection } from '../../support/learner.js';
import { plantedLoaders } from '../../support/synthetic.js';

const dls = plantedLoaders({ rows: 600, bs: 32 });
const k = 4;

/** U[user]·V[item] / √k, as it would be written in a cell. */
function scaledDot({ slip = 1 } = {}): Model {
  const { user, item } = dls.classes;
  const [U, V] = [new Parameter('U', [user.length, k]), new Parameter('V', [item.length, k])];
  const random = new Random(42);
  for (const { value } of [U, V]) for (let j = 0; j < value.length; j++) value[j] = random.normal();
  let pred = new Float32Array(0);
  let at: Batch;
  const terms = (work: (r: number, u: number, v: number) => void): void => {
    for (let r = 0; r < at.size; r++)
      for (let f = 0; f < k; f++) work(r, k * at.inputs[0][r] + f, k * at.inputs[1][r] + f);
  };
  return {
    parameters: [U, V],
    outputs: 1,
    forward(batch) {
      at = batch;
      pred = new Float32Array(batch.size);
      terms((r, u, v) => (pred[r] += (U.value[u] * V.value[v]) / Math.sqrt(k)));
      return pred;
    },
    backward(gradient) {
      terms((r, u, v) => {
        U.grad[u] += (slip * gradient[r] * V.value[v]) / Math.sqrt(k);
        V.grad[v] += (gradient[r] * U.value[u]) / Math.sqrt(k);
      });
    },
  };
}

describe('a model that is a plain object', () => {
  it('has its gradients checked', () => {
    const table = checkGradients(scaledDot(), dls.oneBatch());
    expect(table.strings('parameter')).to.deep.equal(['U', 'V']);
    expect(() => checkGradients(scaledDot({ slip: 1.1 }), dls.oneBatch())).to.throw(
      NumericError,
      'The gradient of U[',
    );
  });

  it('is trained, searched for a learning rate, and summed up, as any other', async () => {
    const learn = new Learner(dls, scaledDot());
    await learn.lrFind();
    await learn.fitOneCycle(6, 0.1);
    const losses = learn.recorder.values.map(([train]) => train as number);
    expect(losses[5]).to.be.below(0.75 * losses[0]);
    expect(learn.summary().strings('name').slice(0, 2)).to.deep.equal(['U', 'V']);
  });

  it('is told what it lacks, by a learner and by checkGradients', () => {
    const whole = scaledDot();
    const cases: [object | undefined, string][] = [
      [undefined, 'needs a model, such as new EmbeddingDotBias(50, dls.classes), got nothing.'],
      [() => 1, 'needs a model, such as new EmbeddingDotBias(50, dls.classes), got a function.'],
      [
        { ...whole, parameters: undefined },
        "needs a model whose parameters is the Parameters that are learnt, such as [new Parameter('weight', [10, 5])]; got nothing.",
      ],
      [{ ...whole, parameters: [[1, 2]] }, 'got an array.'],
      [
        { ...whole, outputs: undefined },
        'needs a model whose outputs is the number of predictions a row, such as 1; got nothing.',
      ],
      [{ ...whole, outputs: 0 }, 'such as 1; got 0.'],
      [
        { ...whole, forward: undefined },
        'needs a model whose forward is a function (batch, training) that returns batch.size × outputs predictions',
      ],
      [
        { ...whole, backward: undefined },
        "needs a model whose backward is a function (gradient) of dLoss/dPrediction that adds to each parameter's grad; got nothing.",
      ],
      [{ ...whole, touch: 3 }, 'needs a model whose touch is a function (batch)'],
      [{ ...whole, buffers: [1] }, 'needs a model whose buffers is its further state'],
      [
        { ...whole, parameters: [new Parameter('table', [3, 2], { table: true })] },
        'since its parameter table is a table',
      ],
    ];
    for (const [model, message] of cases) {
      expect(() => new Learner(dls, model as Model), message).to.throw(ArgumentError, message);
      expect(() => checkGradients(model as Model, dls.oneBatch()), message).to.throw(
        ArgumentError,
        message,
      );
    }
  });

  it('is told that forward returns something else than predictions', async () => {
    const whole = scaledDot();
    const returning = (value: unknown): Model => ({
      ...whole,
      forward: () => value as Float32Array,
    });
    expect(await rejection(new Learner(dls, returning(undefined)).fit(1))).to.equal(
      "ArgumentError: The model's forward must return batch.size × outputs = 32 predictions, a Float32Array, got nothing.",
    );
    expect(() => checkGradients(returning([1, 2]), dls.oneBatch())).to.throw(
      ArgumentError,
      'got an array',
    );
    expect(await rejection(new Learner(dls, returning(new Float32Array(3))).fit(1))).to.contain(
      'needs 32 rows × 1 predictions',
    );
  });

  it('may be an instance of a class: what it inherits counts', () => {
    class Mine extends EmbeddingDotBias {}
    expect(() => new Learner(dls, new Mine(2, dls.classes))).not.to.throw();
  });
});
