import { expect } from 'chai';
import { float32 } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { ArgumentError, DataError, NumericError } from '../../../lib/recital/errors.js';
import { Fields, type Json } from '../../../lib/recital/fields.js';
import * as crossEntropy from '../../../lib/recital/nn/cross-entropy.js';
import {
  CrossEntropyLossFlat,
  FocalLossFlat,
  LabelSmoothingCrossEntropyFlat,
} from '../../../lib/recital/nn/cross-entropy.js';
import * as losses from '../../../lib/recital/nn/losses.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  HingeLoss,
  L1LossFlat,
  type Loss,
  type LossRows,
  lossGradient,
  lossOf,
  lossWithGradient,
  MSELossFlat,
  PairwiseLoss,
} from '../../../lib/recital/nn/losses.js';
import {
  lossConfig,
  lossFromConfig,
} from '../../../lib/recital/recommend/learners/saved-learner.js';
import { expectClose, golden } from '../../support/golden.js';

const cases: Record<string, Loss> = {
  MSELossFlat: new MSELossFlat(),
  L1LossFlat: new L1LossFlat(),
  BCEWithLogitsLossFlat: new BCEWithLogitsLossFlat(),
  BCEWithLogitsLossFlat_pos_weight: new BCEWithLogitsLossFlat({ posWeight: 3 }),
  BCEWithLogitsLossFlat_extreme: new BCEWithLogitsLossFlat(),
  CrossEntropyLossFlat: new CrossEntropyLossFlat(),
  CrossEntropyLossFlat_weight: new CrossEntropyLossFlat({ weight: [1, 2, 0.5, 1, 3] }),
  LabelSmoothingCrossEntropyFlat: new LabelSmoothingCrossEntropyFlat({ eps: 0.1 }),
  FocalLossFlat: new FocalLossFlat({ gamma: 2 }),
};

const rowsOf = (pred: number[][], targets: number[], weights?: number[]): LossRows => ({
  size: targets.length,
  pred: Float32Array.from(pred.flat()),
  outputs: pred[0].length,
  targets: Float32Array.from(targets),
  ...(weights && { weights: Float32Array.from(weights) }),
});

/** Random logits of 6 rows × 4 classes, and classes. */
function classRows(seed: number): LossRows {
  const random = new Random(seed);
  const pred = Array.from({ length: 6 }, () =>
    Array.from({ length: 4 }, () => 2 * random.normal()),
  );
  return rowsOf(
    pred,
    pred.map(() => random.int(4)),
    pred.map(() => 0.5 + random.uniform()),
  );
}

/** The gradient of the reduced loss, and central differences of it. */
function expectGradient(loss: Loss, rows: LossRows): void {
  for (const reduction of ['mean', 'sum'] as const) {
    const out = new Float32Array(rows.pred.length);
    lossGradient(loss, rows, { out, reduction });
    const numeric = Array.from(rows.pred, (p, j) => {
      const at = (x: number): number =>
        lossOf(loss, { ...rows, pred: rows.pred.map((q, k) => (k === j ? x : q)) }, { reduction });
      const [up, down] = [Math.fround(p + 1e-3), Math.fround(p - 1e-3)];
      return (at(up) - at(down)) / (up - down);
    });
    expectClose(out, numeric, 1e-4, `${loss.name} ${reduction} gradient`);
  }
}

describe('losses', () => {
  it('replays every golden case', () => {
    const known = Object.keys(golden('losses')).filter(
      (name) => name.includes('Loss') || name.includes('Entropy'),
    );
    expect(Object.keys(cases).sort()).to.deep.equal(known.sort());
  });

  for (const [name, loss] of Object.entries(cases)) {
    it(`${name} has fastai's values and gradients, for every reduction`, () => {
      const g = golden('losses')[name];
      const pred = (g.pred as (number | number[])[]).map((p) => (Array.isArray(p) ? p : [p]));
      const rows = rowsOf(pred, g.target);
      const { size, outputs = 1 } = rows;
      if (g.none) {
        const each = new Float64Array(size);
        loss.losses(rows, each);
        expectClose(each, g.none, 1e-6, 'none');
      }
      for (const reduction of ['mean', 'sum'] as const) {
        if (g[reduction] !== undefined)
          expectClose([lossOf(loss, rows, { reduction })], [g[reduction]], 1e-6, reduction);
        if (!g[`${reduction}_grad`]) continue;
        const out = new Float32Array(rows.pred.length);
        lossGradient(loss, rows, { out, reduction });
        expectClose(out, g[`${reduction}_grad`].flat(), 1e-6, `${reduction} gradient`);
      }
      const activated = loss.activation(rows.pred, outputs);
      if (g.activation) expectClose(activated, g.activation.flat(), 1e-6, 'activation');
      if (g.decodes) expect([...loss.decodes(activated, outputs)]).to.deep.equal(g.decodes);
      if (g.decodes_thresh_0_5)
        expect(Array.from(loss.decodes(activated, 1), Boolean)).to.deep.equal(g.decodes_thresh_0_5);
    });
  }

  it('weights rows as a mean over rows repeated as often as they weigh', () => {
    const loss = new MSELossFlat();
    const rows = rowsOf([[1], [2], [3]], [0, 0, 0], [1, 0, 2]);
    expect(lossOf(loss, rows)).to.equal((1 + 9 + 9) / 3);
    const out = new Float32Array(3);
    lossGradient(loss, rows, { out });
    expectClose(out, [2 / 3, 0, 12 / 3], 1e-7);
  });

  it('has the gradients of central differences, with weights of rows and classes', () => {
    const weight = [0.5, 2, 1, 3];
    const losses = [
      new CrossEntropyLossFlat(),
      new CrossEntropyLossFlat({ weight }),
      new CrossEntropyLossFlat({ weight, labelSmoothing: 0.2 }),
      new LabelSmoothingCrossEntropyFlat(),
      new FocalLossFlat(),
      new FocalLossFlat({ gamma: 0.5, weight }),
    ];
    for (const loss of losses) for (const seed of [1, 2, 3]) expectGradient(loss, classRows(seed));
  });

  it('weights rows and classes together: the divisor of the mean is the sum of their products', () => {
    const rows = rowsOf(
      [
        [1, 0],
        [0, 3],
      ],
      [0, 0],
      [2, 5],
    );
    const none = [Math.log1p(Math.exp(-1)), Math.log1p(Math.exp(3))];
    expect(lossOf(new CrossEntropyLossFlat({ weight: [3, 1] }), rows)).to.be.closeTo(
      (2 * none[0] + 5 * none[1]) / 7,
      1e-6,
    );
    expect(lossOf(new CrossEntropyLossFlat(), rowsOf([[1, 0]], [1]))).to.be.closeTo(
      Math.log1p(Math.exp(1)),
      1e-6,
    );
  });

  it('spreads the smooth part of the target by class weights, as PyTorch does', () => {
    // w = (1, 3), ε = 0.2, logits (0, 0), class 1: 0.8·3·ln 2 + 0.1·(1 + 3)·ln 2, divided by 3
    const loss = new CrossEntropyLossFlat({ weight: [1, 3], labelSmoothing: 0.2 });
    expect(lossOf(loss, rowsOf([[0, 0]], [1]))).to.be.closeTo((2.8 * Math.LN2) / 3, 1e-7);
  });

  it('leaves out rows whose target is to be ignored', () => {
    const loss = new CrossEntropyLossFlat();
    const two = rowsOf(
      [
        [1, 2],
        [5, 1],
      ],
      [0, -100],
    );
    expect(lossOf(loss, two)).to.equal(lossOf(loss, rowsOf([[1, 2]], [0])));
    const out = new Float32Array(4).fill(9);
    lossGradient(loss, two, { out });
    expect([...out.subarray(2)]).to.deep.equal([0, 0]);
    expect(
      lossOf(new CrossEntropyLossFlat({ ignoreIndex: 1 }), rowsOf([[1, 2]], [1]), {
        reduction: 'sum',
      }),
    ).to.equal(0);
  });

  it('does not overflow where predictions are large', () => {
    const rows = rowsOf(
      [
        [900, -900],
        [-900, 900],
      ],
      [0, 0],
    );
    for (const loss of [
      new CrossEntropyLossFlat(),
      new FocalLossFlat(),
      new FocalLossFlat({ gamma: 0.5 }),
    ]) {
      expect(lossOf(loss, rows)).to.equal(900);
      const out = new Float32Array(4);
      lossGradient(loss, rows, { out });
      expect([...out].every(Number.isFinite)).to.equal(true);
      expectClose(loss.activation(rows.pred, 2), [1, 0, 0, 1], 0);
    }
  });

  it('lets NaN through, so that training stops', () => {
    const rows = rowsOf([[1, NaN]], [0]);
    for (const loss of [new CrossEntropyLossFlat(), new FocalLossFlat()])
      expect(lossOf(loss, rows)).to.be.NaN;
    for (const loss of [new BPRLoss(), new HingeLoss()])
      expect(lossOf(loss, rowsOf([[NaN], [1]], [1, 0]))).to.be.NaN;
  });

  it('is the cross-entropy without focus, and plays down what is right with it', () => {
    const rows = classRows(4);
    expect(lossOf(new FocalLossFlat({ gamma: 0 }), rows)).to.be.closeTo(
      lossOf(new CrossEntropyLossFlat(), rows),
      1e-12,
    );
    // softmax(p)[0] = 0.8: (1 − 0.8)²·ln(1/0.8)
    expect(lossOf(new FocalLossFlat(), rowsOf([[Math.log(4), 0]], [0]))).to.be.closeTo(
      0.04 * Math.log(1.25),
      1e-8,
    );
  });

  it('says which targets and options it cannot use', () => {
    expect(() => lossOf(new BCEWithLogitsLossFlat(), rowsOf([[0]], [7]))).to.throw(
      NumericError,
      'got 7',
    );
    for (const bad of [2, -1, 0.5, NaN]) {
      expect(() => lossOf(new CrossEntropyLossFlat(), rowsOf([[0, 1]], [bad]))).to.throw(
        NumericError,
        `classes from 0 to 1 as targets, got ${bad}`,
      );
      expect(() => lossOf(new FocalLossFlat(), rowsOf([[0, 1]], [bad]))).to.throw(
        NumericError,
        `got ${bad} in row 0`,
      );
    }
    expect(() => new CrossEntropyLossFlat({ weight: [1, -1] })).to.throw(
      ArgumentError,
      'weight of class 1',
    );
    expect(() => new CrossEntropyLossFlat({ weight: [] })).to.throw(
      ArgumentError,
      'one number for each class',
    );
    expect(() => new CrossEntropyLossFlat({ labelSmoothing: 2 })).to.throw(
      ArgumentError,
      'labelSmoothing',
    );
    expect(() => new LabelSmoothingCrossEntropyFlat({ eps: -1 })).to.throw(
      ArgumentError,
      'eps must be between 0 and 1',
    );
    expect(() => new FocalLossFlat({ gamma: -1 })).to.throw(ArgumentError, 'gamma');
    expect(() => new HingeLoss({ margin: 0 })).to.throw(ArgumentError, 'margin');
    expect(new CrossEntropyLossFlat({ weight: [1, 2, 3] }).outputs).to.equal(3);
  });
});

describe('ranking losses', () => {
  // a positive with two negatives, then one with one; margins 1, −1, 0.5
  const rows = rowsOf([[2], [1], [3], [0.5], [0]], [1, 0, 0, 1, 0]);

  it('BPR is the mean over pairs of −ln σ(positive − negative)', () => {
    const expected = [1, -1, 0.5].map((d) => -Math.log(1 / (1 + Math.exp(-d))));
    expect(lossOf(new BPRLoss(), rows)).to.be.closeTo(
      (expected[0] + expected[1] + expected[2]) / 3,
      1e-12,
    );
    const each = new Float64Array(5);
    new BPRLoss().losses(rows, each);
    expectClose(each, [0, expected[0], expected[1], 0, expected[2]], 1e-12);
  });

  it('hinge is the mean over pairs of how much is missing from the margin', () => {
    expect(lossOf(new HingeLoss(), rows)).to.equal((0 + 2 + 0.5) / 3);
    expect(lossOf(new HingeLoss({ margin: 2 }), rows)).to.equal((1 + 3 + 1.5) / 3);
  });

  it('has the gradients of central differences, weights included', () => {
    for (const loss of [new BPRLoss(), new HingeLoss({ margin: 0.9 })]) {
      expectGradient(loss, rows);
      expectGradient(loss, { ...rows, weights: Float32Array.of(2, 2, 2, 0.5, 0.5) });
    }
  });

  it('does not overflow', () => {
    expect(lossOf(new BPRLoss(), rowsOf([[-900], [900]], [1, 0]))).to.equal(1800);
    expect(lossOf(new BPRLoss(), rowsOf([[900], [-900]], [1, 0]))).to.equal(0);
  });

  it('leaves scores as they are', () => {
    expect([...new BPRLoss().activation(Float32Array.of(3, -2))]).to.deep.equal([3, -2]);
    expect([...new HingeLoss().decodes(Float32Array.of(3, -2))]).to.deep.equal([3, -2]);
  });

  it('says what to do when a batch has no pairs', () => {
    for (const targets of [
      [1, 1],
      [0, 1],
      [1, 0.5],
      [1, NaN],
    ])
      expect(() => lossOf(new BPRLoss(), rowsOf([[1], [2]], targets))).to.throw(
        NumericError,
        'negatives: { n: 1 }',
      );
  });
});

describe('CrossEntropyLossFlat over many classes', () => {
  const [size, outputs] = [7, 1003];
  const make = (): { shared: LossRows; plain: LossRows } => {
    const random = new Random('many');
    const pred = Float32Array.from({ length: size * outputs }, () => 4 * random.normal());
    const targets = Float32Array.from({ length: size }, () => random.int(outputs));
    targets[2] = -100;
    const weights = Float32Array.from({ length: size }, () => random.uniform());
    const onShared = float32(pred.length);
    onShared.set(pred);
    return {
      shared: { size, outputs, pred: onShared, targets, weights },
      plain: { size, outputs, pred, targets, weights },
    };
  };

  it('by the kernel is what the plain loop computes: losses, and gradients with weights', () => {
    const { shared, plain } = make();
    const loss = new CrossEntropyLossFlat();
    const both = [shared, plain].map((rows) => {
      const losses = new Float64Array(size);
      loss.losses(rows, losses);
      const out =
        rows === shared ? float32(size * outputs).fill(9) : new Float32Array(size * outputs);
      lossGradient(loss, rows, { out });
      return { losses, out, value: lossOf(loss, rows) };
    });
    expectClose(both[0].losses, both[1].losses, 2e-7, 'loss');
    expectClose(both[0].out, both[1].out, 5e-8, 'gradient');
    expect(both[0].value).to.be.closeTo(both[1].value, 1e-6);
    expect(both[0].losses[2]).to.equal(0);
    const out = float32(size * outputs);
    expect(lossWithGradient(loss, shared, { out })).to.be.closeTo(both[1].value, 1e-6);
    expectClose(out, both[1].out, 5e-8, 'gradient made with the loss');
    expect(lossWithGradient(loss, plain, { out }), 'not on the shared memory').to.equal(undefined);
    expect(
      lossWithGradient(new CrossEntropyLossFlat({ labelSmoothing: 0.1 }), shared, { out }),
    ).to.equal(undefined);
  });

  it('takes thresholds and smoothings from 0 to 1 and no others, whatever JavaScript would compare', () => {
    for (const thresh of [0, 1])
      expect(new BCEWithLogitsLossFlat({ thresh }).thresh).to.equal(thresh);
    for (const thresh of [-0.1, 1.5, NaN, null, '', '0.5']) {
      expect(
        () => new BCEWithLogitsLossFlat({ thresh: thresh as number }),
        String(thresh),
      ).to.throw(ArgumentError, 'thresh is a probability between 0 and 1');
    }
    for (const eps of [-0.1, 1.1, NaN, null, '0.1']) {
      expect(() => new LabelSmoothingCrossEntropyFlat({ eps: eps as number })).to.throw(
        ArgumentError,
        'eps must be between 0 and 1',
      );
      expect(() => new CrossEntropyLossFlat({ labelSmoothing: eps as number })).to.throw(
        ArgumentError,
        'labelSmoothing must be between 0 and 1',
      );
    }
  });

  it('overflows no row, keeps NaN, and refuses what is no class', () => {
    const { shared } = make();
    const loss = new CrossEntropyLossFlat();
    shared.pred.fill(1e30, 0, outputs);
    shared.pred[outputs + 5] = NaN;
    const losses = new Float64Array(size);
    loss.losses(shared, losses);
    expect(losses[0]).to.be.closeTo(Math.log(outputs), 1e-6);
    expect(losses[1]).to.be.NaN;
    shared.targets[3] = outputs;
    expect(() => loss.losses(shared, losses)).to.throw(NumericError, 'classes from 0 to 1002');
  });
});

const read = (config: Json): Loss | undefined =>
  lossFromConfig(new Fields(JSON.parse(JSON.stringify(config)) as Json, 'loss'));

describe('the description of a loss', () => {
  const every: Loss[] = [
    new MSELossFlat(),
    new L1LossFlat(),
    new BCEWithLogitsLossFlat({ posWeight: 3, thresh: 0.25 }),
    new CrossEntropyLossFlat(),
    new CrossEntropyLossFlat({ weight: [1, 0.1, 2], ignoreIndex: 1, labelSmoothing: 0.2 }),
    new LabelSmoothingCrossEntropyFlat({ eps: 0.3 }),
    new FocalLossFlat({ gamma: 1.5, weight: [0.25, 0.75] }),
    new BPRLoss(),
    new HingeLoss({ margin: 0.5 }),
  ];

  it('makes the same loss again, for every loss of the library', () => {
    for (const loss of every) {
      const again = read(lossConfig(loss));
      expect(again, loss.name).to.deep.equal(loss);
      expect(again!.constructor).to.equal(loss.constructor);
    }
    const known = Object.values({ ...losses, ...crossEntropy }).filter(
      (value) =>
        typeof value === 'function' && /(Loss|Flat)$/.test(value.name) && value !== PairwiseLoss,
    );
    expect(new Set(every.map((loss) => loss.constructor)), 'a new loss belongs here').to.deep.equal(
      new Set<unknown>(known),
    );
  });

  it('is a name only for a loss of another class, even under a known name', () => {
    class Mine extends MSELossFlat {}
    expect(lossConfig(new Mine())).to.deep.equal({ name: 'MSELossFlat', own: true });
    expect(read(lossConfig(new Mine()))).to.equal(undefined);
    for (const name of ['Other', 'toString', '__proto__'])
      expect(read({ name })).to.equal(undefined);
  });

  it('is refused with options that the loss does not have or take', () => {
    expect(() => read({})).to.throw(DataError, 'loss.name should be text');
    expect(() => read({ name: 'HingeLoss', gamma: 1 })).to.throw(
      DataError,
      'unknown field "gamma"',
    );
    expect(() => read({ name: 'HingeLoss', margin: '1' })).to.throw(
      DataError,
      'margin should be a number',
    );
    expect(() => read({ name: 'HingeLoss', margin: 0 })).to.throw(
      ArgumentError,
      'margin must be a positive number',
    );
    expect(() => read({ name: 'FocalLossFlat', weight: 1 })).to.throw(
      DataError,
      'weight should be a list of numbers',
    );
  });
});
