import { expect } from 'chai';
import { NumericError } from '../../lib/errors.js';
import { BCEWithLogitsLossFlat, L1LossFlat, type Loss, lossGradient, lossOf, MSELossFlat } from '../../lib/nn/losses.js';
import { expectClose, golden } from '../support/golden.js';

const cases: Record<string, Loss> = {
  MSELossFlat: new MSELossFlat(),
  L1LossFlat: new L1LossFlat(),
  BCEWithLogitsLossFlat: new BCEWithLogitsLossFlat(),
  BCEWithLogitsLossFlat_pos_weight: new BCEWithLogitsLossFlat({ posWeight: 3 }),
  BCEWithLogitsLossFlat_extreme: new BCEWithLogitsLossFlat(),
};

describe('losses', () => {
  for (const [name, loss] of Object.entries(cases)) {
    it(`${name} has fastai's values and gradients, for every reduction`, () => {
      const g = golden('losses')[name];
      const pred = Float32Array.from(g.pred as number[]);
      const target = Float32Array.from(g.target as number[]);
      const n = pred.length;
      const each = new Float64Array(n);
      loss.losses(pred, target, n, each);
      expectClose(each, g.none, 1e-6, 'none');
      for (const reduction of ['mean', 'sum'] as const) {
        expectClose([lossOf(loss, pred, target, n, undefined, reduction)], [g[reduction]], 1e-6, reduction);
        const grad = new Float32Array(n);
        lossGradient(loss, pred, target, n, grad, undefined, reduction);
        expectClose(grad, g[`${reduction}_grad`], 1e-6, `${reduction} gradient`);
      }
      if (g.activation) expectClose(Array.from(pred, loss.activation), g.activation, 1e-6, 'activation');
      if (g.decodes_thresh_0_5) expect(Array.from(pred, (p) => loss.decodes(loss.activation(p)) === 1)).to.deep.equal(g.decodes_thresh_0_5);
    });
  }

  it('weights rows as a mean over rows repeated as often as they weigh', () => {
    const loss = new MSELossFlat();
    const pred = Float32Array.of(1, 2, 3);
    const targets = Float32Array.of(0, 0, 0);
    expect(lossOf(loss, pred, targets, 3, Float32Array.of(1, 0, 2))).to.equal((1 + 9 + 9) / 3);
    const grad = new Float32Array(3);
    lossGradient(loss, pred, targets, 3, grad, Float32Array.of(1, 0, 2));
    expectClose(grad, [2 / 3, 0, 12 / 3], 1e-7);
  });

  it('says which target a binary loss cannot use', () => {
    expect(() => lossOf(new BCEWithLogitsLossFlat(), Float32Array.of(0), Float32Array.of(7), 1)).to.throw(NumericError, 'got 7');
  });
});
