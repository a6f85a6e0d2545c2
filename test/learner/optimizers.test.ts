import { expect } from 'chai';
import { ArgumentError, UnknownIdError } from '../../lib/errors.js';
import { Adam } from '../../lib/learner/adam.js';
import type { Optimizer } from '../../lib/learner/optimizer.js';
import { Parameter } from '../../lib/nn/parameter.js';
import { expectClose, golden } from '../support/golden.js';

const g = golden('optimizers');

/** Parameters after each step with the golden gradients. */
function run(make: (p: Parameter[][]) => Optimizer): number[][] {
  const p = new Parameter('p', [g.p0.length]);
  p.value.set(g.p0);
  const opt = make([[p]]);
  return (g.grads as number[][]).map((grad) => {
    p.grad.set(grad);
    opt.step();
    opt.zeroGrad();
    return [...p.value];
  });
}

const lr = g.lr as number;
const cases: Record<string, (p: Parameter[][]) => Optimizer> = {
  'Adam (wd=0.01 by default)': (p) => new Adam(p, { lr }),
  'Adam wd=0': (p) => new Adam(p, { lr, wd: 0 }),
  'Adam wd=0.01 decouple_wd=False': (p) => new Adam(p, { lr, decoupledWd: false }),
};

describe('optimizers', () => {
  for (const [name, make] of Object.entries(cases)) {
    it(`${name}: ten steps are fastai's`, () => {
      const steps = run(make);
      (g.fastai[name] as number[][]).forEach((expected, t) => {
        expectClose(steps[t], expected, 1e-6, `step ${t}`);
      });
    });
  }

  it('treats rows without gradient of a table as rows with gradient zero, and counts them as touched only once', () => {
    const table = new Parameter('table', [9, 3], { table: true });
    const dense = new Parameter('dense', [27]);
    for (let j = 0; j < 27; j++) table.value[j] = dense.value[j] = Math.sin(j);
    const a = new Adam([[table]], { lr: 0.01, wd: 0.1 });
    const b = new Adam([[dense]], { lr: 0.01, wd: 0.1 });
    for (let step = 0; step < 6; step++) {
      const rows = Int32Array.of((step * 4) % 9, 8, (step * 4) % 9);
      table.touch(rows);
      expect(table.touchedCount).to.equal(new Set(rows).size);
      for (const row of new Set(rows)) {
        for (let j = 0; j < 3; j++) table.grad[table.slots![row] * 3 + j] = dense.grad[row * 3 + j] = Math.cos(step + row + j);
      }
      for (const opt of [a, b]) {
        opt.step();
        opt.zeroGrad();
      }
    }
    expect([...table.value]).to.deep.equal([...dense.value]);
  });

  it('spares parameters without decay, unless decayAll, and those that are not trainable', () => {
    const bias = new Parameter('bias', [4], { decay: false });
    const frozen = new Parameter('frozen', [4]);
    frozen.trainable = false;
    bias.value.fill(1);
    frozen.value.fill(1);
    const opt = new Adam([[bias, frozen]], { lr: 0.1, wd: 0.5 });
    opt.step();
    expect([...bias.value]).to.deep.equal([1, 1, 1, 1]);
    opt.decayAll = true;
    opt.step();
    expectClose(bias.value, [0.95, 0.95, 0.95, 0.95], 1e-6);
    expect([...frozen.value]).to.deep.equal([1, 1, 1, 1]);
  });

  it('goes on from a saved state as if it had never stopped', () => {
    const make = (): { p: Parameter; opt: Adam } => {
      const p = new Parameter('p', [5]);
      p.value.fill(0.3);
      return { p, opt: new Adam([[p]], { lr: 0.02 }) };
    };
    const step = ({ p, opt }: { p: Parameter; opt: Adam }, t: number): void => {
      for (let j = 0; j < 5; j++) p.grad[j] = Math.sin(t * 5 + j);
      opt.step();
      opt.zeroGrad();
    };
    const one = make();
    for (let t = 0; t < 8; t++) step(one, t);
    const two = make();
    for (let t = 0; t < 4; t++) step(two, t);
    const three = make();
    three.p.value.set(two.p.value);
    three.opt.loadStateDict(two.opt.stateDict());
    for (let t = 4; t < 8; t++) step(three, t);
    expect([...three.p.value]).to.deep.equal([...one.p.value]);
  });

  it('refuses wrong hyper-parameters and states of other models', () => {
    const p = new Parameter('p', [5]);
    expect(() => new Adam([[p]], { lr: 0 })).to.throw(ArgumentError, 'lr must be a positive number');
    expect(() => new Adam([[p]], { lr: 1, mom: 1 })).to.throw(ArgumentError, 'mom must be below 1');
    expect(() => new Adam([[]], { lr: 1 })).to.throw(ArgumentError, 'at least one parameter');
    const opt = new Adam([[p]], { lr: 1 });
    expect(() => opt.setHypers({ lrate: 1 })).to.throw(UnknownIdError);
    expect(() => opt.setHypers({ lr: [1, 2] })).to.throw(ArgumentError, '2 values for 1 parameter groups');
    const other = new Adam([[new Parameter('q', [5])]], { lr: 1 });
    other.step();
    expect(() => opt.loadStateDict(other.stateDict())).to.throw(UnknownIdError, 'another model');
  });
});
