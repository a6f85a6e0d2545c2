import { expect } from 'chai';
import { setDisplay } from '../../../../lib/recital/data/output.js';
import { ArgumentError, UnknownIdError } from '../../../../lib/recital/errors.js';
import { Lookahead, ranger } from '../../../../lib/recital/learner/optimizers/lookahead.js';
import type { OptFunc, Optimizer } from '../../../../lib/recital/learner/optimizers/optimizer.js';
import {
  Adam,
  Lamb,
  Larc,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
} from '../../../../lib/recital/learner/optimizers/steps.js';
import { Parameter } from '../../../../lib/recital/nn/parameter.js';
import { expectClose, golden } from '../../../support/golden.js';

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
  SGD: (p) => new SGD(p, { lr }),
  'SGD mom=0.9 wd=0.01': (p) => new SGD(p, { lr, mom: 0.9, wd: 0.01 }),
  'SGD mom=0.9 wd=0.01 decouple_wd=False': (p) =>
    new SGD(p, { lr, mom: 0.9, wd: 0.01, decoupledWd: false }),
  RMSProp: (p) => new RMSProp(p, { lr }),
  'RMSProp mom=0.9 wd=0.01': (p) => new RMSProp(p, { lr, mom: 0.9, wd: 0.01 }),
  RAdam: (p) => new RAdam(p, { lr }),
  'RAdam wd=0.01': (p) => new RAdam(p, { lr, wd: 0.01 }),
  QHAdam: (p) => new QHAdam(p, { lr }),
  Larc: (p) => new Larc(p, { lr }),
  Lamb: (p) => new Lamb(p, { lr }),
  'Lookahead(SGD) k=6 alpha=0.5': (p) => new Lookahead(new SGD(p, { lr })),
  'ranger (Lookahead(RAdam mom=.95 wd=.01 eps=1e-6))': (p) => ranger(p, { lr }),
};

// PyTorch's own, where one of ours has the same rule.
const torch: Record<string, (p: Parameter[][]) => Optimizer> = {
  'torch.optim.Adam': (p) => new Adam(p, { lr, sqrMom: 0.999, eps: 1e-8, wd: 0 }),
  'torch.optim.AdamW wd=0.01': (p) => new Adam(p, { lr, sqrMom: 0.999, eps: 1e-8, wd: 0.01 }),
  'torch.optim.SGD momentum=0.9': (p) => new SGD(p, { lr, mom: 0.9 }),
};

// Every branch of every optimizer, for what holds of all of them.
const all: Record<string, OptFunc> = {
  Adam: (p) => new Adam(p, { lr, wd: 0.1 }),
  'Adam with L2': (p) => new Adam(p, { lr, wd: 0.1, decoupledWd: false }),
  SGD: (p) => new SGD(p, { lr, wd: 0.1 }),
  'SGD with momentum and L2': (p) => new SGD(p, { lr, mom: 0.9, wd: 0.1, decoupledWd: false }),
  RMSProp: (p) => new RMSProp(p, { lr, wd: 0.1 }),
  'RMSProp with momentum': (p) => new RMSProp(p, { lr, mom: 0.9 }),
  RAdam: (p) => new RAdam(p, { lr, wd: 0.1 }),
  'RAdam with softplus': (p) => new RAdam(p, { lr, beta: 50 }),
  QHAdam: (p) => new QHAdam(p, { lr, wd: 0.1, nu2: 0.9 }),
  'Larc without momentum': (p) => new Larc(p, { lr, mom: 0, wd: 0.1 }),
  'Larc with L2, not clipped': (p) => new Larc(p, { lr, wd: 0.1, decoupledWd: false, clip: false }),
  Lamb: (p) => new Lamb(p, { lr, wd: 0.1 }),
  'Lookahead around Lamb': (p) => new Lookahead(new Lamb(p, { lr }), { k: 3, alpha: 0.4 }),
  ranger: (p) => ranger(p, { lr, k: 2 }),
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

  it('knows the cases of the golden file, each of them', () => {
    expect(Object.keys(cases).sort()).to.deep.equal(Object.keys(g.fastai).sort());
    expect(Object.keys(torch).sort()).to.deep.equal(Object.keys(g.torch).sort());
  });

  for (const [name, make] of Object.entries(torch)) {
    it(`agree with ${name}`, () => {
      const steps = run(make);
      // float32 beside float64, and with PyTorch's eps of 1e-8 nothing hides it
      (g.torch[name] as number[][]).forEach((expected, t) => {
        expectClose(steps[t], expected, 1e-6, `step ${t}`);
      });
    });
  }

  for (const [name, make] of Object.entries(all)) {
    it(`${name}: rows without gradient of a table are rows with gradient zero`, () => {
      const table = new Parameter('table', [9, 5], { table: true });
      const dense = new Parameter('dense', [45]);
      for (let i = 0; i < 45; i++) table.value[i] = dense.value[i] = Math.sin(i);
      const [a, b] = [make([[table]], { lr }), make([[dense]], { lr })];
      for (let step = 0; step < 12; step++) {
        const rows = Int32Array.of(step % 9, 8, (step * 4) % 9, 8, (step * 4) % 9);
        table.touch(rows);
        expect(table.touchedCount).to.equal(new Set(rows).size);
        for (const row of new Set(rows)) {
          for (let j = 0; j < 5; j++)
            table.grad[table.slots![row] * 5 + j] = dense.grad[row * 5 + j] = Math.cos(
              step + row + j,
            );
        }
        for (const opt of [a, b]) {
          opt.step();
          opt.zeroGrad();
        }
      }
      expect(table.value.every(Number.isFinite)).to.equal(true);
      // the norms of Larc and Lamb are sums in another order
      if (name.includes('Larc')) expectClose(table.value, dense.value, 1e-6);
      else expect([...table.value]).to.deep.equal([...dense.value]);
    });

    it(`${name} goes on from a saved state as if it had never stopped`, () => {
      const start = (): { p: Parameter; opt: Optimizer } => {
        const p = new Parameter('p', [7]);
        p.value.fill(0.3);
        return { p, opt: make([[p]], { lr: 0.02 }) };
      };
      const step = ({ p, opt }: { p: Parameter; opt: Optimizer }, t: number): void => {
        for (let j = 0; j < 7; j++) p.grad[j] = Math.sin(t * 5 + j);
        opt.step();
        opt.zeroGrad();
      };
      const one = start();
      for (let t = 0; t < 15; t++) step(one, t);
      const two = start();
      for (let t = 0; t < 10; t++) step(two, t);
      const three = start();
      three.p.value.set(two.p.value);
      three.opt.loadStateDict(two.opt.stateDict());
      for (let t = 10; t < 15; t++) step(three, t);
      expect([...three.p.value]).to.deep.equal([...one.p.value]);
      three.opt.clearState();
      expect(three.opt.stateDict().params).to.deep.equal({});
    });

    it(`${name} lowers a badly scaled bowl, one value at a time or four`, () => {
      const p = new Parameter('p', [6]); // one vector and a tail of two
      p.value.fill(1);
      const opt = make([[p]], { lr });
      opt.setHypers({ lr: 0.01 });
      const loss = (): number => p.value.reduce((sum, x, j) => sum + (j + 1) * x * x, 0) / 2;
      const before = loss();
      for (let t = 0; t < 300; t++) {
        for (let j = 0; j < 6; j++) p.grad[j] = (j + 1) * p.value[j];
        opt.step();
        opt.zeroGrad();
      }
      expect(loss()).to.be.below(0.5 * before);
    });
  }

  it('softens the denominator of RAdam by a softplus', () => {
    const [plain, soft] = [0, 2].map((beta) => run((p) => new RAdam(p, { lr, beta })));
    expect(soft[4], 'no denominator yet').to.deep.equal(plain[4]);
    // by hand, for the sixth step and the first value
    let [m, v] = [0, 0];
    for (const [grad] of (g.grads as number[][]).slice(0, 6))
      [m, v] = [0.9 * m + 0.1 * grad, 0.99 * v + 0.01 * grad * grad];
    const r = 199 - (12 * 0.99 ** 6) / (1 - 0.99 ** 6);
    const rectify = Math.sqrt(((r - 4) * (r - 2) * 199) / (195 * 197 * r));
    const denominator = Math.sqrt(v / (1 - 0.99 ** 6)) + 1e-5;
    const expected =
      soft[4][0] -
      ((lr * rectify) / (1 - 0.9 ** 6)) * (m / (Math.log1p(Math.exp(2 * denominator)) / 2));
    expect(soft[5][0]).to.be.closeTo(expected, 1e-7);
    expect(soft[5][0]).to.not.be.closeTo(plain[5][0], 1e-5);
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

  it('ignores a schedule of the momentum that an optimizer does not keep', () => {
    const steps = run((p) => {
      const opt = new SGD(p, { lr });
      opt.setHypers({ mom: 0.95 });
      return opt;
    });
    expectClose(steps[9], g.fastai.SGD[9], 1e-6);
  });

  it('freezes groups, but not their batch norm unless told', () => {
    const make = (): Parameter[] =>
      ['a', 'b', 'c'].map((name) => new Parameter(name, [2], { norm: name === 'a' }));
    const trainable = (params: Parameter[]): string =>
      params.map((p) => (p.trainable ? p.name : '-')).join('');
    const params = make();
    const opt = new SGD(
      params.map((p) => [p]),
      { lr },
    );
    opt.freezeTo(2);
    expect(trainable(params)).to.equal('a-c');
    opt.freezeTo(-1, { trainBn: false });
    expect(trainable(params)).to.equal('--c');
    expect(opt.frozenTo).to.equal(2);
    for (const p of params) p.grad.fill(1);
    opt.step();
    expectClose(
      params.map((p) => p.value[0]),
      [0, 0, -lr],
      1e-9,
    );
    opt.freezeTo(0);
    expect(trainable(params)).to.equal('abc');
    const warnings: string[] = [];
    const before = setDisplay({
      table() {},
      chart() {},
      text() {},
      warn: (line) => warnings.push(line),
    });
    opt.freezeTo(3, { trainBn: false });
    setDisplay(before);
    expect(warnings).to.deep.equal(['Freezing 3 of 3 groups: the whole model is frozen.']);
    expect(() => opt.freezeTo(0.5)).to.throw(ArgumentError, 'number of a parameter group');
  });

  it('lets tiny moments go to zero, and keeps NaN', () => {
    for (const [name, make] of Object.entries(all)) {
      const p = new Parameter('p', [5]);
      p.grad.fill(1e-20);
      const opt = make([[p]], { lr });
      if (name === 'QHAdam') opt.setHypers({ mom: 0.9, sqrMom: 0.99 }); // sooner than with its own
      for (let t = 0; t < 3000; t++) {
        opt.step();
        opt.zeroGrad();
      }
      const { gradAvg = [], sqrAvg = [] } = opt.stateDict().params.p.buffers;
      if (!name.includes('L2'))
        for (const x of [...gradAvg, ...sqrAvg]) expect(x, name).to.equal(0);
      p.grad.fill(NaN);
      opt.step();
      expect(p.value[0], name).to.be.NaN;
    }
  });

  it('refuses wrong hyper-parameters and states of other models', () => {
    const p = new Parameter('p', [5]);
    expect(() => new Adam([[p]], { lr: 0 })).to.throw(
      ArgumentError,
      'lr must be a positive number',
    );
    expect(() => new Adam([[p]], { lr: 1, mom: 1 })).to.throw(ArgumentError, 'mom must be below 1');
    expect(() => new Adam([[]], { lr: 1 })).to.throw(ArgumentError, 'at least one parameter');
    const opt = new Adam([[p]], { lr: 1 });
    expect(() => opt.setHypers({ lrate: 1 })).to.throw(UnknownIdError);
    expect(() => opt.setHypers({ lr: [1, 2] })).to.throw(
      ArgumentError,
      '2 values for 1 parameter groups',
    );
    const other = new Adam([[new Parameter('q', [5])]], { lr: 1 });
    other.step();
    expect(() => opt.loadStateDict(other.stateDict())).to.throw(UnknownIdError, 'another model');
    const radam = new RAdam([[p]], { lr: 1 });
    radam.step();
    expect(() => opt.loadStateDict(radam.stateDict())).to.throw(ArgumentError, 'of another kind');
    expect(() => ranger([[p]], { lr: 1 }).loadStateDict(radam.stateDict())).to.throw(
      ArgumentError,
      'does not fit',
    );
    expect(() => new Lookahead(radam, { k: 0 })).to.throw(
      ArgumentError,
      'k must be a positive whole number',
    );
    expect(() => new Lookahead(radam, { alpha: 2 })).to.throw(
      ArgumentError,
      'alpha must lie between',
    );
  });
});
