import { expect } from 'chai';
import { Fields, type Json } from '../../../lib/recital/data/files/fields.js';
import { ArgumentError, DataError } from '../../../lib/recital/errors.js';
import { lossConfig, lossFromConfig } from '../../../lib/recital/nn/loss-config.js';
import * as losses from '../../../lib/recital/nn/losses.js';

const {
  BCEWithLogitsLossFlat,
  BPRLoss,
  CrossEntropyLossFlat,
  FocalLossFlat,
  HingeLoss,
  L1LossFlat,
  LabelSmoothingCrossEntropyFlat,
  MSELossFlat,
  PairwiseLoss,
} = losses;
const read = (config: Json): losses.Loss | undefined =>
  lossFromConfig(new Fields(JSON.parse(JSON.stringify(config)) as Json, 'loss'));

describe('the description of a loss', () => {
  const every: losses.Loss[] = [
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
    const known = Object.values(losses).filter(
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
