import { expect } from 'chai';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  GradientAccumulation,
  GradientClip,
} from '../../../lib/recital/learner/callbacks/gradients.js';
import { CSVLogger } from '../../../lib/recital/learner/callbacks/logging.js';
import {
  EarlyStopping,
  ReduceLROnPlateau,
  SaveModel,
} from '../../../lib/recital/learner/callbacks/trackers.js';
import { FetchPreds, ShortEpoch } from '../../../lib/recital/learner/callbacks/training.js';
import { Lookahead, ranger } from '../../../lib/recital/learner/optimizers/lookahead.js';
import {
  Adam,
  Lamb,
  Larc,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
} from '../../../lib/recital/learner/optimizers/steps.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { makeLearner, rejection, weights } from '../../support/learner.js';

// What JavaScript, or a cell that has lost its types, may hand over.
const odd = (options: object): never => options as never;

describe('an option that there is not', () => {
  it('is refused by every run before anything is trained', async () => {
    const learn = makeLearner();
    const before = weights(learn);
    const runs: [() => Promise<unknown>, string][] = [
      [
        () => learn.fitOneCycle(1, 1e-3, odd({ div_final: 9 })),
        'fitOneCycle has no option "div_final"; did you mean "divFinal"?',
      ],
      [
        () => learn.fit(1, 1e-3, odd({ pctStart: 0.3 })),
        'fit has no option "pctStart". Its options: wd, cbs.',
      ],
      [
        () => learn.fitOneCycle(1, 1e-3, odd({ pctstart: 0.3 })),
        'fitOneCycle has no option "pctstart"; did you mean "pctStart"?',
      ],
      [() => learn.fitFlatCos(1, 1e-3, odd({ div: 3 })), 'fitFlatCos has no option "div"'],
      [
        () => learn.fitSgdr(1, 1, odd({ cyclemult: 3 })),
        'fitSgdr has no option "cyclemult"; did you mean "cycleMult"?',
      ],
      [
        () => learn.fineTune(1, 1e-3, odd({ freeze_epochs: 3 })),
        'fineTune has no option "freeze_epochs"; did you mean "freezeEpochs"?',
      ],
      [
        () => learn.fit(1, 1e-3, odd([])),
        'The options of fit must be an object, such as { wd: … }, got an array',
      ],
      [
        () => learn.fitOneCycle(1, 1e-3, null as never),
        'The options of fitOneCycle must be an object, such as { wd: … }, got null',
      ],
      [
        () => learn.lrFind(odd({ num_it: 10 })),
        'lrFind has no option "num_it"; did you mean "numIt"?',
      ],
      [() => learn.resume(odd({ cb: [] })), 'resume has no option "cb"; did you mean "cbs"?'],
      [
        () => learn.validate(odd({ dsidx: 0 })),
        'validate has no option "dsidx"; did you mean "dsIdx"?',
      ],
      [
        () => learn.getPreds(odd({ withLosses: true })),
        'getPreds has no option "withLosses"; did you mean "withLoss"?',
      ],
      [
        () => learn.showResults(odd({ max_n: 3 })),
        'showResults has no option "max_n"; did you mean "maxN"?',
      ],
    ];
    for (const [work, message] of runs)
      expect(await rejection(work()))
        .to.contain('ArgumentError')
        .and.to.contain(message);
    expect(weights(learn)).to.deep.equal(before);
  });

  it('is refused by a learner, by save and by load', () => {
    expect(() => makeLearner(odd({ optfunc: 1 }))).to.throw(
      ArgumentError,
      'a learner has no option "optfunc"; did you mean "optFunc"?',
    );
    const learn = makeLearner();
    expect(() => learn.save('never', odd({ withopt: false }))).to.throw(
      ArgumentError,
      'save has no option "withopt"; did you mean "withOpt"?',
    );
    expect(() => learn.load('never', odd({ strcit: false }))).to.throw(
      ArgumentError,
      'load has no option "strcit"; did you mean "strict"?',
    );
  });

  it('is refused by every optimizer', () => {
    const params = [[new Parameter('p', [1])]];
    const makers = { Adam, SGD, RMSProp, RAdam, QHAdam, Larc, Lamb };
    for (const [name, Make] of Object.entries(makers)) {
      expect(() => new Make(params, odd({ lr: 1, momentum: 0.9 })), name).to.throw(
        ArgumentError,
        `${name} has no option "momentum". Its options: lr, `,
      );
      expect(() => new Make(params, odd({ lr: 1, WD: 0 })), name).to.throw(
        ArgumentError,
        'did you mean "wd"?',
      );
    }
    expect(() => new Lookahead(new SGD(params, { lr: 1 }), odd({ aplha: 1 }))).to.throw(
      ArgumentError,
      'Lookahead has no option "aplha"; did you mean "alpha"?',
    );
    expect(() => ranger(params, odd({ lr: 1, sqr_mom: 1 }))).to.throw(
      ArgumentError,
      'did you mean "sqrMom"?',
    );
  });

  it('in the place of a learning rate is told where it belongs', async () => {
    expect(await rejection(makeLearner().fit(1, odd({ wd: 0.1 })))).to.contain(
      'got an object of Object. Options come after it: learn.fit(5, 1e-3, { wd: 0.1 }).',
    );
  });

  it('is refused by every callback', () => {
    const wrong: [() => unknown, string][] = [
      [
        () => new EarlyStopping(odd({ patence: 3 })),
        'EarlyStopping has no option "patence"; did you mean "patience"?',
      ],
      [
        () => new ReduceLROnPlateau(odd({ min_lr: 3 })),
        'ReduceLROnPlateau has no option "min_lr"; did you mean "minLr"?',
      ],
      [
        () => new SaveModel(odd({ fName: 'x' })),
        'SaveModel has no option "fName"; did you mean "fname"?',
      ],
      [() => new SaveModel(odd({ patience: 3 })), 'SaveModel has no option "patience"'],
      [() => new ShortEpoch(odd({ share: 0.5 })), 'ShortEpoch has no option "share"'],
      [
        () => new GradientClip(odd({ max_norm: 1 })),
        'GradientClip has no option "max_norm"; did you mean "maxNorm"?',
      ],
      [
        () => new GradientAccumulation(odd({ n_acc: 1 })),
        'GradientAccumulation has no option "n_acc"; did you mean "nAcc"?',
      ],
      [() => new CSVLogger(odd({ fileName: 'x' })), 'CSVLogger has no option "fileName"'],
      [
        () => new FetchPreds(odd({ dsidx: 0 })),
        'FetchPreds has no option "dsidx"; did you mean "dsIdx"?',
      ],
    ];
    for (const [make, message] of wrong) expect(make).to.throw(ArgumentError, message);
  });
});
