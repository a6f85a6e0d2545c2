import { expect } from 'chai';
import type { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import type { Learner } from '../../../lib/recital/learner/learner.js';
import { MSELossFlat } from '../../../lib/recital/nn/losses.js';
import { makeLearner, rejection } from '../../support/learner.js';

const again =
  /Try a smaller learning rate \(lrFind\)\. The weights are spoilt now: load saved ones \(learn\.load\), or make the learner again/;

/** A learner whose first batch has been tampered with. */
function tampered(change: (learn: Learner) => void): Learner {
  const learn = makeLearner({ ranged: false });
  learn.addCbs({ name: 'tamper', beforeBatch: change });
  return learn;
}

describe('a loss that is not finite is put down to', () => {
  it('weights that have exploded but are finite as yet: named, with what to do', async () => {
    const learn = makeLearner({ ranged: false });
    learn.model.parameters[0].value.fill(1e20);
    learn.model.parameters[1].value.fill(2e20);
    learn.model.parameters[1].value[7] = -1e38;
    const message = await rejection(learn.fit(1, 1e-3));
    expect(message).to.match(
      /^NumericError: The loss became (Infinity|NaN) in epoch 0, batch \d+, at lr 0\.00100: the weights have exploded: /,
    );
    expect(message).to.contain('parameter iWeight holds -1e+38 at position 7').and.to.match(again);
    expect(await rejection(learn.validate()))
      .to.contain('the weights have exploded')
      .and.to.match(again);
  });

  it('weights that are not finite', async () => {
    const learn = makeLearner({ ranged: false });
    learn.model.parameters[3].value.fill(NaN);
    expect(await rejection(learn.fit(1)))
      .to.contain('parameter iBias holds a value that is not finite (NaN at position 0)')
      .and.to.match(again);
    expect(await rejection(learn.getPreds())).to.match(again);
    const rows = (learn.dls as CollabDataLoaders).testDl([{ user: 'u1', item: 'i1' }]); // without targets, so without a loss
    expect(await rejection(learn.getPreds({ dl: rows })))
      .to.contain('The prediction of row 0 is NaN: parameter iBias holds')
      .and.to.match(again);
  });

  it('a learning rate that is far too large, as a person meets it', async () => {
    expect(await rejection(makeLearner({ ranged: false }).fitOneCycle(3, 1e12))).to.match(again);
  });

  it('a target, if the weights are sound', async () => {
    const learn = tampered(({ batch }) => void (batch.targets[5] = NaN));
    expect(await rejection(learn.fit(1)))
      .to.contain('a target is not finite (NaN at position 5 in the batch)')
      .and.not.to.contain('learning rate (');
  });

  it('a prediction, if weights and targets are sound', async () => {
    const learn = tampered(() => {});
    const forward = learn.model.forward.bind(learn.model);
    learn.model.forward = (batch, training) => {
      const pred = forward(batch, training);
      pred[2] = Infinity;
      return pred;
    };
    const message = await rejection(learn.fit(1));
    expect(message).to.contain(
      'a prediction is not finite (Infinity at position 2 in the batch), though the weights are finite, and none is large',
    );
    expect(message).to.match(
      /the largest: parameter \w+ holds -?0\.0\d+ at position \d+\)\. Look at the model's forward pass/,
    );
  });

  it('the loss itself, if all else is sound', async () => {
    class Odd extends MSELossFlat {
      override readonly name = 'Odd';
      override losses(_rows: unknown, out: Float64Array): void {
        out.fill(NaN);
      }
    }
    const learn = makeLearner({ lossFunc: new Odd() });
    expect(await rejection(learn.fit(1))).to.contain(
      'predictions, targets and weights are finite, so look at the loss (Odd)',
    );
  });
});
