import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import type { Batch } from '../../../lib/recital/data/batches.js';
import { setDisplay } from '../../../lib/recital/data/output.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { EmbeddingNN } from '../../../lib/recital/models/embedding-nn.js';
import { BatchNorm1d } from '../../../lib/recital/nn/batch-norm.js';
import { checkGradients } from '../../../lib/recital/nn/check-gradients.js';
import { Dropout } from '../../../lib/recital/nn/dropout.js';
import { Linear } from '../../../lib/recital/nn/linear.js';
import { BCEWithLogitsLossFlat } from '../../../lib/recital/nn/losses.js';
import type { Model } from '../../../lib/recital/nn/model.js';
import { type Module, Sequential } from '../../../lib/recital/nn/module.js';

import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { moduleModel, normals, targetsFor } from '../../support/modules.js';
import { plantedLoaders } from '../../support/synthetic.js';

const random = new Random(14);
const make = (): Sequential =>
  new Sequential([
    new Linear(4, 3, { random, name: '0' }),
    new BatchNorm1d(3),
    new Dropout(0.4, { random }),
    new Linear(3, 1, { random, name: '3' }),
  ]);
const input = normals(40, 1);

/** The layers, with something done to what backward leaves behind. */
function broken(damage: (layers: Sequential, gradient: Float32Array) => void): Module {
  const layers = make();
  return {
    parameters: layers.parameters,
    buffers: layers.buffers,
    forward: (...args) => layers.forward(...args),
    backward(gradient) {
      const d = layers.backward(gradient);
      damage(layers, d);
      return d;
    },
  };
}

describe('checkGradients', () => {
  it('says for each parameter how many values were tried and how large the gap is', () => {
    const table = checkGradients(moduleModel(make(), { input, size: 10 }), targetsFor(10), {
      samples: 5,
    });
    expect(table.columnNames).to.deep.equal(['parameter', 'shape', 'tried', 'gap']);
    expect([...table.strings('parameter')]).to.deep.equal([
      'input',
      '0.weight',
      '0.bias',
      'batch_norm.weight',
      'batch_norm.bias',
      '3.weight',
      '3.bias',
    ]);
    expect([...table.numbers('tried')]).to.deep.equal([5, 5, 3, 3, 3, 3, 1]);
    expect(Math.max(...table.numbers('gap'))).to.be.below(0.01); // 0.bias as well, which batch norm takes away again: nothing, and known to be
  });

  it('checks a model on a batch of the loaders, with its loss', () => {
    const dls = plantedLoaders({ bs: 32 });
    const model = new EmbeddingDotBias(5, dls.classes, { yRange: [0, 6], random });
    expect(
      [...checkGradients(model, dls.oneBatch()).numbers('gap')].every((gap) => gap < 0.01),
    ).to.equal(true);
    const batch = {
      ...dls.oneBatch(),
      targets: new Float32Array(32).fill(1),
      weights: normals(32, 2).map(Math.abs),
    };
    checkGradients(new EmbeddingDotBias(5, dls.classes, { random }), batch, {
      lossFunc: new BCEWithLogitsLossFlat(),
    });
  });

  it('finds a gradient that is 5 % too large, one forgotten, one of the wrong sign', () => {
    const damages: [name: string, damage: (layers: Sequential, d: Float32Array) => void][] = [
      ['0.weight', ({ parameters: [{ grad }] }) => grad.set(grad.map((g) => 1.05 * g))],
      ['batch_norm.bias', (layers) => layers.parameters[3].grad.fill(0)],
      ['input', (_, d) => d.set(d.map((g) => -g))],
    ];
    for (const [name, damage] of damages) {
      const model = moduleModel(broken(damage), { input, size: 10 });
      expect(() => checkGradients(model, targetsFor(10)), name).to.throw(
        NumericError,
        `The gradient of ${name}[`,
      );
    }
  });

  describe('at initial weights of a hundredth, where a weight changes the loss by less than its rounding', () => {
    const ways: [name: string, damage: (g: number) => number][] = [
      ['5 % too large', (g) => 1.05 * g],
      ['forgotten', () => 0],
      ['of the wrong sign', (g) => -g],
      ['a hundredth', (g) => g / 100],
      ['a hundred times', (g) => 100 * g],
    ];
    const damaged = (
      bs: number,
      {
        which,
        damage,
        yRange,
      }: { which: number; damage: (g: number) => number; yRange?: [number, number] },
    ) => {
      const dls = plantedLoaders({ bs });
      const model = new EmbeddingDotBias(20, dls.classes, { yRange, random: new Random(1) });
      const backward = model.backward.bind(model);
      model.backward = (d) => {
        backward(d);
        const { grad } = model.parameters[which];
        grad.set(grad.map(damage));
      };
      return checkGradients(model, dls.oneBatch(), { samples: 20 });
    };
    for (const yRange of [undefined, [0, 6] as [number, number]]) {
      it(`finds gradients that are wrong, and finds nothing in right ones: ${yRange ? 'in a range' : 'without a range'}`, () => {
        for (const bs of [16, 64]) {
          expect(
            Math.max(...damaged(bs, { which: 0, damage: (g) => g, yRange }).numbers('gap')),
          ).to.be.below(0.01);
          for (const which of [0, 1, 2, 3]) {
            for (const [name, damage] of ways)
              expect(
                () => damaged(bs, { which, damage, yRange }),
                `${bs} ${which} ${name}`,
              ).to.throw(NumericError);
          }
        }
      });
    }

    it('says that it cannot tell rather than that a wrong one is right: large batches, and layers with kinks', () => {
      const lines: string[] = [];
      const before = setDisplay({
        table() {},
        chart() {},
        text() {},
        warn: (line) => lines.push(line),
      });
      try {
        for (const which of [0, 1]) {
          for (const [name, damage] of ways) {
            let gap = NaN; // found to be wrong
            try {
              gap = damaged(1024, { which, damage }).numbers('gap')[which];
            } catch (error) {
              expect(error).to.be.instanceOf(NumericError);
            }
            expect(gap, `${which} ${name}`).to.be.NaN;
          }
        }
        expect(damaged(1024, { which: 0, damage: () => 0 }).strings('gap')[0]).to.equal(null);
        expect(lines.pop()).to.match(
          /^checkGradients cannot tell whether the gradient of uWeight is right: .* larger initial weights .* smaller batch\.$/,
        );
        const dls = plantedLoaders({ bs: 512 });
        const kinks = new EmbeddingNN(dls.classes, { random: new Random(1) });
        checkGradients(kinks, dls.oneBatch(), { samples: 10 }); // right, so not refused
      } finally {
        setDisplay(before);
      }
    });
  });

  it('looks where the batch moves something: in a matrix most of whose rows the batch does not read', () => {
    const dls = plantedLoaders({ bs: 16 });
    const { user } = dls.classes;
    const bias = new Parameter('bias', [user.length * 40]); // a listener's is 40 values before the next one's
    let at: Batch;
    const model = (damage: (r: number) => number): Model => ({
      parameters: [bias],
      outputs: 1,
      forward(batch) {
        at = batch;
        return Float32Array.from(
          { length: batch.size },
          (_, r) => bias.value[40 * batch.inputs[0][r]],
        );
      },
      backward(d) {
        for (let r = 0; r < at.size; r++) bias.grad[40 * at.inputs[0][r]] += d[r] * damage(r);
      },
    });
    const batch = dls.oneBatch();
    const read = new Set(batch.inputs[0].slice(0, batch.size)).size;
    expect(
      checkGradients(
        model(() => 1),
        batch,
      ).numbers('tried')[0],
    ).to.equal(read);
    expect(() =>
      checkGradients(
        model(() => 1.05),
        batch,
      ),
    ).to.throw(NumericError, 'The gradient of bias[');
    const first = batch.inputs[0][0];
    const one = (r: number): number => (batch.inputs[0][r] === first ? 0 : 1);
    expect(() => checkGradients(model(one), batch)).to.throw(
      NumericError,
      `The gradient of bias is 0 by backward at ${bias.value.length - read + 1} of`,
    );
  });

  it('leaves weights, state and gradients as they were', () => {
    const model = moduleModel(make(), { input, size: 10 });
    const before = [...model.parameters, ...model.buffers!].map((p) => p.value.slice());
    checkGradients(model, targetsFor(10));
    expect([...model.parameters, ...model.buffers!].map((p) => p.value)).to.deep.equal(before);
    expect(model.parameters.every((p) => p.grad.every((g) => g === 0))).to.equal(true);
  });

  it('refuses a loss that is not finite, and wrong options', () => {
    const bad = moduleModel(make(), { input: input.map(() => NaN), size: 10 });
    expect(() => checkGradients(bad, targetsFor(10))).to.throw(
      NumericError,
      'The loss of the batch is NaN',
    );
    const model = moduleModel(make(), { input, size: 10 });
    expect(() => checkGradients(model, targetsFor(10), { tolerance: 0 })).to.throw(
      ArgumentError,
      'tolerance',
    );
    expect(() => checkGradients(model, targetsFor(10), { samples: 0 })).to.throw(
      ArgumentError,
      'samples',
    );
    expect(() => checkGradients(model, targetsFor(10), { sample: 3 } as object)).to.throw(
      ArgumentError,
      'did you mean "samples"',
    );
  });
});
