import { expect } from 'chai';
import fc from 'fast-check';
import { float32, memoryUsage } from '../../lib/recital/compute/memory.js';
import { Random } from '../../lib/recital/compute/random.js';
import { setCompute } from '../../lib/recital/compute/threads.js';
import type { Batch } from '../../lib/recital/data/batches.js';
import { Vocabulary } from '../../lib/recital/data/vocabulary.js';
import { principalComponents } from '../../lib/recital/decomposition/pca.js';
import { NumericError } from '../../lib/recital/errors.js';
import { suggest } from '../../lib/recital/learner/lr-find.js';
import {
  accuracy,
  accuracyThresh,
  type Metric,
  type MetricFunction,
  mae,
  mse,
  r2,
  rmse,
  rocAuc,
} from '../../lib/recital/learner/metrics.js';
import { Lookahead, ranger } from '../../lib/recital/learner/optimizers/lookahead.js';
import type { Optimizer } from '../../lib/recital/learner/optimizers/optimizer.js';
import {
  Adam,
  Lamb,
  Larc,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
} from '../../lib/recital/learner/optimizers/steps.js';
import {
  combinedCos,
  combineScheds,
  type Schedule,
  schedCos,
  schedExp,
  schedLin,
  schedPoly,
} from '../../lib/recital/learner/schedules.js';
import { EmbeddingDotBias } from '../../lib/recital/models/embedding-dot-bias.js';
import { EmbeddingNN } from '../../lib/recital/models/embedding-nn.js';
import { ReLU, SigmoidRange } from '../../lib/recital/nn/activations.js';
import { BatchNorm1d } from '../../lib/recital/nn/batch-norm.js';
import { checkGradients } from '../../lib/recital/nn/check-gradients.js';
import { CrossEntropyLossFlat, FocalLossFlat } from '../../lib/recital/nn/cross-entropy.js';
import { Dropout } from '../../lib/recital/nn/dropout.js';
import { Embedding } from '../../lib/recital/nn/embedding.js';
import { Linear } from '../../lib/recital/nn/linear.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  HingeLoss,
  L1LossFlat,
  type Loss,
  lossGradient,
  lossOf,
  MSELossFlat,
} from '../../lib/recital/nn/losses.js';
import type { Module } from '../../lib/recital/nn/module.js';
import { Parameter } from '../../lib/recital/nn/parameter.js';
import {
  answered,
  asked,
  expectFinite,
  mostly,
  numbers,
  runs,
  sparse,
  texts,
} from '../support/hostile.js';

const size = mostly([1, 2, 3, 4], numbers);
const floats = (finite = false): fc.Arbitrary<Float32Array> =>
  fc
    .array(
      finite
        ? fc.double({ min: -1e3, max: 1e3, noNaN: true })
        : mostly([0, 1, -1, 0.5, 20], numbers),
      { maxLength: 8 },
    )
    .map((v) => Float32Array.from(v));
const indices = fc
  .array(mostly([0, 1, 2], numbers), { maxLength: 5 })
  .map((v) => Int32Array.from(v));
const classes = {
  user: Vocabulary.fromValues(['a', 'b', 'c'], { na: true }),
  item: Vocabulary.fromValues(['x', 'y'], { na: true }),
};

/** Fails if a layer or model has written where it should not: beside its own arrays. */
class Guarded {
  private readonly walls = Array.from({ length: 4 }, () => float32(64).fill(7));

  expectWhole(): void {
    for (const wall of this.walls) expect(wall.every((x) => x === 7)).to.equal(true);
  }
}

describe('hostile values in losses', () => {
  const loss: fc.Arbitrary<() => Loss> = fc.oneof(
    fc.constantFrom<() => Loss>(
      () => new MSELossFlat(),
      () => new L1LossFlat(),
      () => new BPRLoss(),
    ),
    numbers.map((margin) => () => new HingeLoss({ margin })),
    sparse({ posWeight: mostly([1, 3], numbers), thresh: numbers }).map(
      (o) => () => new BCEWithLogitsLossFlat(o),
    ),
    sparse({
      gamma: mostly([0, 0.5, 2], numbers),
      weight: fc.array(mostly([1, 2], numbers), { maxLength: 3 }),
    }).map((o) => () => new FocalLossFlat(o)),
    sparse({
      weight: fc.array(mostly([0, 1, 2], numbers), { maxLength: 3 }),
      ignoreIndex: mostly([0, -100], numbers),
      labelSmoothing: mostly([0, 0.1, 1], numbers),
    }).map((o) => () => new CrossEntropyLossFlat(o)),
  );
  const target = fc
    .array(mostly([0, 1, 2], numbers), { maxLength: 8 })
    .map((v) => Float32Array.from(v));

  it('predictions that are numbers make a loss and gradients that are numbers, or an error of ours', () => {
    fc.assert(
      fc.property(
        loss,
        size,
        floats(true),
        target,
        mostly([1, 3], numbers),
        fc.option(target, { nil: undefined }),
        fc.boolean(),
        (make, n, pred, targets, outputs, weights, sum) => {
          const made = asked(make);
          if (
            'error' in made ||
            weights?.some((w) => w < 0) ||
            !targets.every(Number.isFinite) ||
            !(weights?.every(Number.isFinite) ?? true)
          )
            return;
          const rows = { size: n, pred, targets, outputs, weights };
          const reduction = sum ? ('sum' as const) : ('mean' as const);
          answered(
            asked(() => lossOf(made.value, rows, { reduction })),
            (l) => {
              expectFinite(l, made.value.name);
              const out = new Float32Array(n * outputs);
              lossGradient(made.value, rows, { out, reduction });
              expectFinite(out, `gradient of ${made.value.name}`);
            },
          );
          asked(() => lossGradient(made.value, rows, { out: new Float32Array(2), reduction }));
        },
      ),
      runs(600),
    );
  });
});

describe('hostile values in metrics', () => {
  it('a number, NaN where the metric says so, or an error of ours: never a loop without end', () => {
    const all: (() => Metric | MetricFunction)[] = [
      () => mse,
      () => mae,
      () => accuracy,
      rmse,
      r2,
      rocAuc,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        floats(),
        floats(),
        numbers,
        fc.boolean(),
        (make, pred, targets, thresh, sigmoid) => {
          for (const made of [asked(make), asked(() => accuracyThresh(thresh, { sigmoid }))]) {
            if ('error' in made) continue;
            const metric = made.value;
            if (typeof metric === 'function') {
              answered(
                asked(() => metric(pred, targets)),
                (x) =>
                  expect(
                    Number.isNaN(x) &&
                      pred.every(Number.isFinite) &&
                      targets.every(Number.isFinite),
                  ).to.equal(false),
              );
              continue;
            }
            const learn = { pred, batch: { size: targets.length, targets }, model: { outputs: 1 } };
            asked(() => {
              metric.reset();
              metric.accumulate(learn as never);
              return metric.value;
            });
          }
        },
      ),
      runs(400),
    );
  });
});

describe('hostile values in schedules and suggestions', () => {
  it('a number at every point of the way, or an error of ours', () => {
    const end = mostly([0, 1, 0.1, 1e-5], numbers);
    const one: fc.Arbitrary<() => Schedule> = fc.oneof(
      fc.tuple(fc.constantFrom(schedLin, schedCos, schedExp), end, end).map(
        ([sched, a, b]) =>
          () =>
            sched(a, b),
      ),
      fc.tuple(end, end, numbers).map(
        ([a, b, power]) =>
          () =>
            schedPoly(a, b, { power }),
      ),
      fc.tuple(end, end, end, end).map(
        ([pct, a, b, c]) =>
          () =>
            combinedCos(pct, [a, b, c]),
      ),
    );
    const places = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(0, 1, 1 - 1e-10, 1e-10, 0.5, 1 - 2 ** -53),
    );
    fc.assert(
      fc.property(
        fc.array(mostly([0.5, 0.25, 1, 0], numbers), { maxLength: 4 }),
        fc.array(one, { maxLength: 4 }),
        places,
        (pcts, makers, pos) => {
          for (const make of makers) answered(asked(make), (sched) => expectFinite(sched(pos)));
          const scheds = makers
            .map((make) => asked(make))
            .flatMap((a) => ('value' in a ? [a.value] : []));
          answered(
            asked(() => combineScheds(pcts, scheds)),
            (sched) => expectFinite(sched(pos)),
          );
        },
      ),
      runs(1000),
    );
  });

  it('curves of any shape: a point of the curve, or none', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 40 }), (losses) => {
        const lrs = losses.map((_, i) => 10 ** (i / 4 - 7));
        for (const { value, lr } of Object.values(suggest(lrs, losses))) expectFinite([value, lr]);
      }),
      runs(300),
    );
  });
});

describe('hostile values in optimizers', () => {
  const hypers = sparse({
    mom: mostly([0, 0.9], numbers),
    sqrMom: mostly([0.9], numbers),
    eps: mostly([1e-5], numbers),
    wd: mostly([0, 0.1], numbers),
  });
  const own = sparse({
    nu1: mostly([0.7], numbers),
    nu2: mostly([1], numbers),
    beta: mostly([0, 0.9], numbers),
    trustCoeff: mostly([0.02], numbers),
    k: mostly([1, 2], numbers),
    alpha: mostly([0.5], numbers),
  });

  it('options: an optimizer whose steps are numbers, or an error of ours', () => {
    fc.assert(
      fc.property(
        mostly([1e-3, 1], numbers),
        hypers,
        own,
        fc.boolean(),
        numbers,
        (lr, h, o, decoupledWd, n) => {
          const p = (): [Parameter[], Parameter[]] => [
            [new Parameter('a', [3])],
            [new Parameter('b', [4, 2], { table: true })],
          ];
          const options = { lr, ...h, ...o, decoupledWd };
          const makers: ((params: Parameter[][]) => Optimizer)[] = [
            ...[Adam, SGD, RMSProp, RAdam, QHAdam, Larc, Lamb].map(
              (Make) => (params: Parameter[][]) => new Make(params, options),
            ),
            (params) => new Lookahead(new SGD(params, { lr }), o),
            (params) => ranger(params, options),
          ];
          for (const make of makers) {
            const params = p();
            answered(
              asked(() => make(params)),
              (opt) => {
                params[1][0].touch(Int32Array.of(1, 3));
                for (const q of params.flat())
                  for (let i = 0; i < q.gradSize; i++) q.grad[i] = i - 1;
                for (let t = 0; t < 3; t++) opt.step();
                const small =
                  lr <= 1 &&
                  Object.values({ ...h, ...o }).every(
                    (x) => x === undefined || (x >= 1e-9 && x < 10) || x === 0,
                  );
                if (small)
                  for (const q of params.flat()) expectFinite(q.value, opt.constructor.name);
                asked(() => opt.freezeTo(n));
                asked(() => opt.setHypers({ lr: [n, n] }));
                const state = opt.stateDict();
                opt.loadStateDict(state);
              },
            );
          }
        },
      ),
      runs(150),
    );
    const p = new Parameter('p', [1]);
    expect(() => new SGD([[p], [p]], { lr: 1 })).to.throw('twice');
    expect(() => new SGD([[p, new Parameter('p', [1])]], { lr: 1 })).to.throw('names must differ');
  });
});

describe('hostile values in layers', () => {
  const make: fc.Arbitrary<() => Module> = fc.oneof(
    fc.tuple(size, size).map(
      ([a, b]) =>
        () =>
          new Linear(a, b, { random: new Random(1) }),
    ),
    fc.tuple(size, sparse({ momentum: mostly([0.1], numbers), eps: mostly([1e-5], numbers) })).map(
      ([w, o]) =>
        () =>
          new BatchNorm1d(w, o),
    ),
    mostly([0, 0.5], numbers).map((p) => () => new Dropout(p, { random: new Random(1) })),
    fc.tuple(numbers, numbers).map((range) => () => new SigmoidRange(range)),
    fc.constant(() => new ReLU()),
  );

  it('rows of any number and width: those rows, or an error of ours, and nothing beside them', () => {
    const walls = new Guarded();
    fc.assert(
      fc.property(
        make,
        floats(true),
        size,
        floats(true),
        fc.boolean(),
        (build, input, rows, gradient, training) => {
          answered(asked(build), (layer) => {
            asked(() => layer.backward(gradient));
            answered(
              asked(() => layer.forward(input, rows, training)),
              (out) => {
                expectFinite(out);
                answered(
                  asked(() => layer.backward(gradient)),
                  (d) => expectFinite(d),
                );
              },
            );
          });
          walls.expectWhole();
        },
      ),
      runs(400),
    );
  });

  it('indices, columns and strides of any kind stay in their table', () => {
    const walls = new Guarded();
    fc.assert(
      fc.property(
        size,
        size,
        indices,
        size,
        mostly([0, 1], numbers),
        mostly([2, 3], numbers),
        floats(true),
        (n, width, rows, count, column, stride, gradient) => {
          answered(
            asked(() => new Embedding(n, width, { random: new Random(1) })),
            (table) => {
              asked(() => table.touch(rows, count));
              asked(() => table.forward(rows, count));
              asked(() => table.backward(gradient));
              asked(() => table.forward(rows, count, { into: float32(6), column, stride }));
              asked(() => table.backward(gradient, { column, stride }));
              asked(() => table.weight.touch(rows, count));
              table.weight.zeroGrad();
              expect(
                table.weight.slots!.every((s) => s === -1),
                'no slot is left',
              ).to.equal(true);
            },
          );
          walls.expectWhole();
        },
      ),
      runs(400),
    );
  });

  it('batches of any kind: predictions of models, or an error of ours', () => {
    const walls = new Guarded();
    const models: (EmbeddingDotBias | EmbeddingNN)[] = [
      new EmbeddingDotBias(2, classes, { random: new Random(1), yRange: [0, 1] }),
      new EmbeddingNN(classes, {
        random: new Random(1),
        layers: [3],
        ps: 0.5,
        embSzs: { user: 2, item: 2 },
      }),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        indices,
        indices,
        size,
        floats(true),
        fc.boolean(),
        (model, users, items, n, gradient, touched) => {
          const batch: Batch = {
            size: n,
            inputs: [users, items],
            targets: new Float32Array(8),
            rows: new Int32Array(8),
          };
          if (touched) asked(() => model.touch(batch));
          answered(
            asked(() => model.forward(batch, true)),
            (out) => expectFinite(out.subarray(0, n)),
          );
          asked(() => model.backward(gradient));
          for (const p of model.parameters) p.zeroGrad();
          asked(() => checkGradients(model, batch, { samples: n, tolerance: n }));
          walls.expectWhole();
        },
      ),
      runs(200),
    );
  });

  it('sizes of models: a model, or an error of ours, and memory as before', () => {
    fc.assert(
      fc.property(
        size,
        sparse({
          layers: fc.array(size, { maxLength: 2 }),
          ps: mostly([0, 0.5], numbers),
          embedP: numbers,
          embSzs: sparse({ user: size, item: size }),
        }),
        fc.tuple(numbers, numbers),
        texts,
        (n, options, yRange, name) => {
          const before = memoryUsage().used;
          answered(
            asked(() => new EmbeddingDotBias(n, classes, { yRange })),
            (model) => {
              asked(() => model.bias([name]));
              asked(() => model.weight([name], { isItem: false }));
            },
          );
          asked(() => new EmbeddingNN(classes, { ...options, yRange }));
          asked(() => new EmbeddingNN(classes, options));
          asked(() => new Parameter(name, [n, n]));
          expect(memoryUsage().used)
            .to.be.at.least(before)
            .and.below(before + 1e6);
        },
      ),
      runs(200),
    );
    expect(() => float32(1e300)).to.throw(NumericError, 'Out of memory');
  });
});

describe('hostile values in computing', () => {
  const inForce = setCompute();
  after(() => setCompute(inForce));

  it('threads and builds, arrays, principal components', () => {
    fc.assert(
      fc.property(
        numbers,
        fc.constantFrom(true, false, undefined, null, 'no'),
        floats(),
        numbers,
        numbers,
        (n, reproducible, values, width, components) => {
          const before = setCompute();
          const answer = asked(() =>
            setCompute({ threads: n, reproducible: reproducible as boolean }),
          );
          if ('error' in answer) expect(setCompute()).to.deep.equal(before);
          setCompute(inForce);
          answered(
            asked(() => float32(n > 1e6 && n < 1e12 ? 1 : n)),
            (a) => expect(a.length).to.equal(n > 1e6 ? 1 : n),
          );
          answered(
            asked(() => principalComponents(values, { width, components })),
            (coordinates) => expectFinite([...coordinates]),
          );
        },
      ),
      runs(200),
    );
  });
});
