import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { type Callback, events } from '../../../lib/recital/learner/callback.js';

import {
  GradientAccumulation,
  type GradientAccumulationOptions,
  GradientClip,
  type GradientClipOptions,
} from '../../../lib/recital/learner/callbacks/gradients.js';
import {
  CSVLogger,
  type CSVLoggerOptions,
} from '../../../lib/recital/learner/callbacks/logging.js';
import {
  EarlyStopping,
  type PatienceOptions,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
  SaveModel,
  type SaveModelOptions,
  type TrackerOptions,
} from '../../../lib/recital/learner/callbacks/trackers.js';

import {
  FetchPreds,
  ShortEpoch,
  type ShortEpochOptions,
} from '../../../lib/recital/learner/callbacks/training.js';
import type { Learner } from '../../../lib/recital/learner/learner.js';
import {
  Lookahead,
  type LookaheadOptions,
  type RangerOptions,
  ranger,
} from '../../../lib/recital/learner/optimizers/lookahead.js';
import {
  biasSplitter,
  type LearningRate,
  type OptClass,
  type OptFunc,
  slice,
} from '../../../lib/recital/learner/optimizers/optimizer.js';
import {
  Adam,
  type AdamOptions,
  Lamb,
  type LambOptions,
  Larc,
  type LarcOptions,
  QHAdam,
  type QHAdamOptions,
  RAdam,
  type RAdamOptions,
  RMSProp,
  type RMSPropOptions,
  SGD,
  type SGDOptions,
} from '../../../lib/recital/learner/optimizers/steps.js';
import type { GetPredsOptions } from '../../../lib/recital/learner/predictions.js';
import type {
  FineTuneOptions,
  FitFlatCosOptions,
  FitOneCycleOptions,
  FitOptions,
  FitSgdrOptions,
} from '../../../lib/recital/learner/schedules.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { makeLearner } from '../../support/learner.js';

// What matters here happens when it is compiled: each literal names every option there is, by
// fastai's name, and no other.
const fit: Required<FitOptions> = { wd: 0.1, cbs: [] };
const oneCycle: Required<FitOneCycleOptions> = {
  ...fit,
  div: 25,
  divFinal: 1e5,
  pctStart: 0.25,
  moms: [0.95, 0.85, 0.95],
};
const flatCos: Required<FitFlatCosOptions> = { ...fit, divFinal: 1e5, pctStart: 0.75 };
const sgdr: Required<FitSgdrOptions> = { ...fit, lrMax: 1e-3, cycleMult: 2 };
const fineTune: Required<FineTuneOptions> = {
  ...oneCycle,
  freezeEpochs: 1,
  lrMult: 100,
  pctStart: 0.3,
  div: 5,
};

const all = { lr: 1e-3, mom: 0, wd: 0, decoupledWd: true };
const sgd: Required<SGDOptions> = { ...all, timeSkipping: false };
const rmsProp: Required<RMSPropOptions> = { ...sgd, sqrMom: 0.99, eps: 1e-8 };
const adam: Required<AdamOptions> = { ...sgd, mom: 0.9, sqrMom: 0.99, eps: 1e-5, wd: 0.01 };
const radam: Required<RAdamOptions> = { ...adam, wd: 0, beta: 0 };
const qhadam: Required<QHAdamOptions> = {
  ...adam,
  mom: 0.999,
  sqrMom: 0.999,
  nu1: 0.7,
  nu2: 1,
  eps: 1e-8,
  wd: 0,
};
const larc: Required<LarcOptions> = { ...all, mom: 0.9, clip: true, trustCoeff: 0.02, eps: 1e-8 };
const lamb: Required<LambOptions> = { ...all, mom: 0.9, sqrMom: 0.99, eps: 1e-5 };
const lookahead: Required<LookaheadOptions> = { k: 6, alpha: 0.5 };
const rangerOptions: Required<RangerOptions> = {
  ...radam,
  ...lookahead,
  mom: 0.95,
  wd: 0.01,
  eps: 1e-6,
};

const tracker: Required<TrackerOptions> = {
  monitor: 'valid_loss',
  comp: 'less',
  minDelta: 0,
};
const patience: Required<PatienceOptions> = { ...tracker, patience: 1 };
const callbacks = {
  reduce: { ...patience, factor: 10, minLr: 0 } satisfies Required<ReduceLROnPlateauOptions>,
  save: {
    ...tracker,
    fname: 'model',
    everyEpoch: false,
    withOpt: false,
  } satisfies Required<SaveModelOptions>,
  clip: { maxNorm: 1 } satisfies Required<GradientClipOptions>,
  accumulate: { nAcc: 32 } satisfies Required<GradientAccumulationOptions>,
  short: { pct: 0.01, shortValid: true } satisfies Required<ShortEpochOptions>,
  csv: { fname: 'history.csv', append: false } satisfies Required<CSVLoggerOptions>,
  fetch: {
    dsIdx: 1,
    withInput: false,
    withDecoded: false,
    withLoss: false,
  } satisfies GetPredsOptions,
};

const classes: OptClass[] = [Adam, SGD, RMSProp, RAdam, QHAdam, Larc, Lamb];
const functions: OptFunc[] = [ranger, (params, { lr }) => new Lookahead(new SGD(params, { lr }))];
const rates: LearningRate[] = [1e-3, [1e-3, 1e-2], slice(1e-2), { start: 1e-3, stop: 1e-2 }];
const everyEvent: Callback = {
  name: 'every',
  ...Object.fromEntries(events.map((event) => [event, () => {}])),
};

/** Compiled, not run. */
function wrong(learn: Learner): void {
  // @ts-expect-error fastai's name is nEpoch, and it is an argument
  void learn.fit(1, 1e-3, { epochs: 3 });
  // @ts-expect-error three momenta
  void learn.fitOneCycle(1, 1e-3, { moms: [0.9, 0.8] });
  // @ts-expect-error rates come as fitSgdr's option
  void learn.fitSgdr(2, 1, 1e-3);
  // @ts-expect-error a slice ends somewhere
  void learn.fit(1, { start: 1e-3 });
  // @ts-expect-error a class has to be told its inner optimizer
  functions.push(Lookahead);
  // @ts-expect-error less or greater
  new EarlyStopping({ comp: 'smaller' });
  // @ts-expect-error no such event
  const never: Callback = { name: 'never', afterEpochs: () => {} };
  void never;
}

void wrong;

describe('options', () => {
  it('of runs and callbacks are taken, all of them', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'recital-options-'));
    const { reduce, save, clip, accumulate, short, csv, fetch } = callbacks;
    const cbs = [
      new ReduceLROnPlateau(reduce),
      new EarlyStopping(patience),
      new SaveModel(save),
      new GradientClip(clip),
      new GradientAccumulation(accumulate),
      new ShortEpoch(short),
      new CSVLogger(csv),
      new FetchPreds(fetch),
      everyEvent,
    ];
    try {
      for (const optFunc of [...classes, ...functions]) {
        const learn = makeLearner({
          bs: 600,
          optFunc,
          splitter: biasSplitter,
          cbs: optFunc === ranger ? cbs : [],
          path: folder,
        });
        await learn.fit(1, 1e-3, fit);
        await learn.fitOneCycle(1, 1e-3, oneCycle);
        await learn.fitFlatCos(1, 1e-3, flatCos);
        await learn.fitSgdr(1, 1, sgdr);
        await learn.fineTune(1, 1e-3, fineTune);
        for (const lr of rates) await learn.fit(1, lr);
        expect(learn.recorder.values).to.have.length(1);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('of optimizers become hyper-parameters, by default as in the literals above', () => {
    for (const [Make, all] of [
      [SGD, sgd],
      [RMSProp, rmsProp],
      [Adam, adam],
      [RAdam, radam],
      [QHAdam, qhadam],
      [Larc, larc],
      [Lamb, lamb],
    ] as const) {
      const { decoupledWd, clip, timeSkipping, ...hypers } = {
        clip: true,
        timeSkipping: false,
        ...all,
      };
      expect([decoupledWd, clip, timeSkipping]).to.deep.equal([true, true, false]);
      expect(new Make([[new Parameter('p', [1])]], { lr: 1e-3 }).hypers, Make.name).to.deep.equal(
        hypers,
      );
    }
    const made = ranger([[new Parameter('p', [1])]], { lr: 1e-3 });
    expect({
      ...made.hypers,
      k: made.k,
      alpha: made.alpha,
      decoupledWd: true,
      timeSkipping: false,
    }).to.deep.equal(rangerOptions);
  });
});
