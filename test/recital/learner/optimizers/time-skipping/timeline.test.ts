import { expect } from 'chai';
import { memoryUsage } from '../../../../../lib/recital/compute/memory.js';
import { setCompute } from '../../../../../lib/recital/compute/threads.js';
import type { Optimizer } from '../../../../../lib/recital/learner/optimizers/optimizer.js';
import {
  Adam,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
} from '../../../../../lib/recital/learner/optimizers/steps.js';
import { Parameter } from '../../../../../lib/recital/nn/parameter.js';
import {
  begin,
  cos,
  dense64,
  gap,
  type Hypers64,
  makeTask,
  oneCycle,
  type Rule64,
  rules64,
  run,
  type Task,
} from '../../../../support/dense64.js';

type Make = (timeSkipping: boolean) => (p: Parameter[][]) => Optimizer;

const constant = (hypers: Partial<Hypers64>) => (): Hypers64 => ({
  lr: 5e-3,
  mom: 0.9,
  sqrMom: 0.99,
  wd: 0.1,
  eps: 1e-5,
  ...hypers,
});

const adam: Make = (timeSkipping) => (p) => new Adam(p, { lr: 1e-3, timeSkipping });
const task = (steps: number, hypers: Task['hypers'], rows = 300): Task =>
  makeTask({ rows, width: 5, steps, batch: 12, hypers });

/** Skipping and dense float32 weights against those of float64. */
function errors(
  t: Task,
  make: Make,
  rule: Rule64,
): { skipping: ReturnType<typeof gap>; dense: ReturnType<typeof gap> } {
  const exact = dense64(t, rule);
  const [skipping, dense] = [true, false].map((timeSkipping) => {
    const trained = begin(t, make(timeSkipping));
    run(t, trained);
    trained.opt.settle();
    return gap(trained.p.value, exact);
  });
  return { skipping, dense };
}

describe('time-skipping', () => {
  const cases: [string, Task, Make, Rule64][] = [
    [
      'Adam over 3,000 steps of one cycle, with decay',
      task(3000, oneCycle(3000, 5e-3)),
      adam,
      rules64.adam,
    ],
    ['Adam without decay', task(1500, oneCycle(1500, 5e-3, { wd: 0 })), adam, rules64.adam],
    [
      'Adam with warm restarts',
      task(1500, (step) => constant({ lr: cos(5e-3, 1e-6, (step % 300) / 300) })()),
      adam,
      rules64.adam,
    ],
    [
      'Adam with rates and decay that jump',
      task(1500, (step) =>
        constant({ lr: step % 400 < 200 ? 1e-3 : 1e-2, wd: step < 700 ? 0 : 0.3 })(),
      ),
      adam,
      rules64.adam,
    ],
    [
      'Adam whose momentum outlives v, so that it is never spent',
      task(1500, constant({ mom: 0.99, sqrMom: 0.9 })),
      adam,
      rules64.adam,
    ],
    ['Adam without momentum', task(800, constant({ mom: 0 })), adam, rules64.adam],
    [
      'Adam that forgets v soon, and m sooner',
      task(800, constant({ mom: 0.5, sqrMom: 0.4 })),
      adam,
      rules64.adam,
    ],
    [
      'Adam that forgets v before m, which is dense',
      task(300, constant({ mom: 0.9, sqrMom: 0.5 })),
      adam,
      rules64.adam,
    ],
    [
      'Adam with decay beyond what time can be skipped with, now and then',
      task(1200, (step) => constant({ wd: step % 100 === 99 ? 15 : 0.1, lr: 1e-2 })()),
      adam,
      rules64.adam,
    ],
    ['Adam of one step', task(1, constant({})), adam, rules64.adam],
    [
      'Adam with a small eps',
      task(1500, oneCycle(1500, 5e-3, { eps: 1e-8 })),
      (timeSkipping) => (p) => new Adam(p, { lr: 1e-3, eps: 1e-8, timeSkipping }),
      rules64.adam,
    ],
    [
      'Adam with an eps that outweighs v',
      task(1500, oneCycle(1500, 0.5, { eps: 0.1, wd: 1e-3 })),
      (timeSkipping) => (p) => new Adam(p, { lr: 1e-3, eps: 0.1, timeSkipping }),
      rules64.adam,
    ],
    [
      'SGD with momentum',
      task(1500, oneCycle(1500, 0.5, { wd: 1e-3 })),
      (timeSkipping) => (p) => new SGD(p, { lr: 1, mom: 0.9, timeSkipping }),
      rules64.sgd,
    ],
    [
      'RMSProp, of which nothing moves but by decay',
      task(1500, oneCycle(1500, 5e-3, { eps: 1e-8 })),
      (timeSkipping) => (p) => new RMSProp(p, { lr: 1, timeSkipping }),
      rules64.rmsProp,
    ],
    [
      'RMSProp with momentum',
      task(1500, oneCycle(1500, 1e-3, { eps: 1e-8 })),
      (timeSkipping) => (p) => new RMSProp(p, { lr: 1, mom: 0.9, timeSkipping }),
      rules64.rmsPropMomentum,
    ],
    [
      'RAdam, its first steps included',
      task(1500, oneCycle(1500, 5e-3)),
      (timeSkipping) => (p) => new RAdam(p, { lr: 1, timeSkipping }),
      rules64.radam,
    ],
    [
      'QHAdam',
      task(1500, oneCycle(1500, 5e-3)),
      (timeSkipping) => (p) =>
        new QHAdam(p, { lr: 1, nu1: 0.7, nu2: 0.9, eps: 1e-5, timeSkipping }),
      rules64.qhadam,
    ],
  ];
  for (const [name, t, make, rule] of cases) {
    it(`is as near to float64 as steps of every row are: ${name}`, () => {
      const { skipping, dense } = errors(t, make, rule);
      expect(skipping.rms).to.be.at.most(Math.max(dense.rms, 1e-9));
      expect(skipping.max).to.be.at.most(Math.max(dense.max, 1e-8));
    });
  }

  it('is as near over 100,000 steps, in which most rows rest for thousands', () => {
    const t = {
      ...makeTask({
        rows: 12,
        width: 2,
        steps: 100_000,
        batch: 2,
        hypers: oneCycle(100_000, 5e-3),
      }),
    };
    const { skipping, dense } = errors(t, adam, rules64.adam);
    expect(skipping.rms).to.be.at.most(dense.rms);
    expect(skipping.max).to.be.at.most(dense.max);
  });

  it('is as near when momentum is never spent, over the end of blocks', () => {
    const t = makeTask({
      rows: 12,
      width: 2,
      steps: 5_000,
      batch: 2,
      hypers: constant({ mom: 0.99, sqrMom: 0.9, wd: 0.01 }),
    });
    const { skipping, dense } = errors(t, adam, rules64.adam);
    expect(skipping.max).to.be.at.most(dense.max);
  });

  it('leaves rows alone that no batch has touched, but for decay, and settles them to it', () => {
    const t = task(600, constant({}));
    const { p, opt } = begin(t, adam(true));
    const before = p.value.slice(-10);
    run(t, { p, opt });
    expect([...p.value.slice(-10)], 'not yet').to.deep.equal([...before]);
    opt.settle();
    const left = (1 - 5e-3 * 0.1) ** 600;
    for (const [i, w] of before.entries())
      expect(p.value[p.value.length - 10 + i]).to.be.closeTo(w * left, 1e-8);
  });

  it('settles once and for all', () => {
    const t = task(700, constant({}));
    const once = begin(t, adam(true));
    run(t, once);
    once.opt.settle();
    const weights = once.p.value.slice();
    once.opt.settle();
    expect([...once.p.value]).to.deep.equal([...weights]);
  });

  it('brings rows up to date that a batch has touched and whose step was cancelled', () => {
    const t = task(900, oneCycle(900, 5e-3));
    const exact = dense64(t, rules64.adam);
    const { p, opt } = begin(t, adam(true));
    for (let step = 0; step < t.steps; step++) {
      p.touch(Int32Array.of(step % t.rows, (step * 7) % t.rows));
      opt.touch();
      opt.zeroGrad();
      run(t, { p, opt }, step, step + 1);
    }
    opt.settle();
    expect(gap(p.value, exact).max).to.be.below(2e-6);
  });

  it('goes on from a saved state, to the same bits as after settling', () => {
    const t = task(1000, oneCycle(1000, 5e-3));
    const one = begin(t, adam(true));
    run(t, one, 0, 600);
    const state = one.opt.stateDict(); // settles
    const two = begin(t, adam(true));
    two.p.value.set(one.p.value);
    two.opt.loadStateDict(state);
    run(t, one, 600);
    run(t, two, 600);
    one.opt.settle();
    two.opt.settle();
    expect([...two.p.value]).to.deep.equal([...one.p.value]);
  });

  it('lets a table stand still that is not trained, while others go on', () => {
    const make = (timeSkipping: boolean): number[] => {
      const tables = ['a', 'b'].map((name) => new Parameter(name, [50, 3], { table: true }));
      for (const p of tables) p.value.fill(0.5);
      const opt = new Adam([tables], { lr: 0.01, wd: 0.1, timeSkipping });
      for (let step = 0; step < 60; step++) {
        tables[1].trainable = step < 20 || step >= 40;
        for (const p of tables) {
          p.touch(Int32Array.of(step % 50, (step * 3) % 50));
          p.grad.fill(Math.sin(step), 0, p.gradSize);
        }
        opt.touch();
        opt.step();
        opt.zeroGrad();
      }
      opt.settle();
      return tables.flatMap((p) => [...p.value]);
    };
    expect(gap(make(true), make(false)).max).to.be.below(1e-6);
  });

  it('skips in each group by its own momenta, to the bits of that group alone', () => {
    const momenta = [
      { mom: 0.99, sqrMom: 0.9 },
      { mom: 0.9, sqrMom: 0.99 },
    ];
    const trained = (of: readonly number[]): number[][] => {
      const tables = of.map((i) => new Parameter(`table ${i}`, [40, 2], { table: true }));
      for (const p of tables) p.value.fill(0.5);
      const opt = new Adam(
        tables.map((p) => [p]),
        { lr: 0.01, wd: 0.1, timeSkipping: true },
      );
      for (const name of ['mom', 'sqrMom'] as const)
        opt.setHypers({ [name]: of.map((i) => momenta[i][name]) });
      for (let step = 0; step < 2500; step++) {
        tables.forEach((p, k) => {
          p.touch(Int32Array.of(step % 40, (step * (3 + of[k])) % 40));
          for (let j = 0; j < p.gradSize; j++) p.grad[j] = Math.sin(step * (j + 1 + of[k]));
        });
        opt.touch();
        opt.step();
        opt.zeroGrad();
      }
      opt.settle();
      return tables.map((p) => [...p.value]);
    };
    const both = trained([0, 1]);
    expect(both[0]).to.deep.equal(trained([0])[0]);
    expect(both[1]).to.deep.equal(trained([1])[0]);
  });

  it('has the same bits on any number of threads', () => {
    const before = setCompute();
    const bits = [1, 2, 4].map((threads) => {
      setCompute({ threads, reproducible: true });
      const p = new Parameter('table', [6000, 50], { table: true });
      p.value.fill(0.1);
      const opt = new Adam([[p]], { lr: 0.01, wd: 0.1, timeSkipping: true });
      for (let step = 0; step < 12; step++) {
        const rows = Int32Array.from({ length: 1500 }, (_, i) => (i * 4 + step * 1501) % 6000);
        p.touch(rows);
        opt.touch();
        for (let i = 0; i < p.gradSize; i++) p.grad[i] = Math.sin(i + step);
        opt.step();
        opt.zeroGrad();
      }
      opt.settle();
      return Buffer.from(p.value.slice().buffer).toString('base64');
    });
    setCompute({ threads: before.threads, reproducible: before.reproducible });
    expect(bits[1]).to.equal(bits[0]);
    expect(bits[2]).to.equal(bits[0]);
  });

  it('is for large tables by default, and not for such as every step covers', () => {
    const skips = (
      rows: number,
      width: number,
      touched: number,
      timeSkipping?: boolean,
    ): boolean => {
      const p = new Parameter('table', [rows, width], { table: true });
      const opt = new Adam([[p]], { lr: 0.01, timeSkipping });
      p.touch(Int32Array.from({ length: touched }, (_, i) => i));
      opt.step();
      return opt.pendingRows() !== undefined;
    };
    expect(skips(10_000, 50, 64)).to.equal(true);
    expect(skips(10_000, 50, 5_000)).to.equal(false);
    expect(skips(500, 20, 10)).to.equal(false);
    expect(skips(500, 20, 10, true)).to.equal(true);
    expect(skips(10_000, 50, 64, false)).to.equal(false);
  });

  it('shows NaN, and does not spread it to other rows', () => {
    const p = new Parameter('table', [40, 5], { table: true });
    p.value.fill(0.1);
    const opt = new Adam([[p]], { lr: 0.01, timeSkipping: true });
    for (let step = 0; step < 30; step++) {
      p.touch(Int32Array.of(step, 39));
      opt.touch();
      p.grad.fill(step === 7 ? NaN : 0.1, 0, 5);
      p.grad.fill(0.1, 5, 10);
      opt.step();
      opt.zeroGrad();
    }
    opt.settle();
    const bad = [...p.value.keys()].filter((i) => Number.isNaN(p.value[i]));
    expect(bad).to.deep.equal([35, 36, 37, 38, 39]);
  });

  it('gives back what it has taken', () => {
    const t = task(20, constant({}));
    const trained = begin(t, adam(true));
    const round = (): number => {
      run(t, trained);
      trained.opt.settle();
      return memoryUsage().used;
    };
    const used = round();
    for (let i = 0; i < 20; i++) round();
    expect(round()).to.equal(used);
  });
});
