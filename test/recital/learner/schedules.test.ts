import { expect } from 'chai';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { suggest } from '../../../lib/recital/learner/lr-find.js';
import { SGD } from '../../../lib/recital/learner/optimizers/steps.js';
import { SmoothLoss } from '../../../lib/recital/learner/recorder.js';
import {
  combinedCos,
  combineScheds,
  ParamScheduler,
  schedCos,
  schedExp,
  schedLin,
  schedPoly,
} from '../../../lib/recital/learner/schedules.js';
import { expectClose, golden } from '../../support/golden.js';
import { makeLearner, rejection, weights } from '../../support/learner.js';

describe('schedules', () => {
  const g = golden('schedules');
  const single = {
    SchedLin: schedLin(g.start, g.end),
    SchedCos: schedCos(g.start, g.end),
    SchedExp: schedExp(g.start, g.end),
    SchedPoly2: schedPoly(g.start, g.end, { power: 2 }),
    SchedPoly_half: schedPoly(g.start, g.end, { power: 0.5 }),
  };
  for (const [name, sched] of Object.entries(single)) {
    it(`${name} has fastai's values`, () =>
      expectClose((g.pos as number[]).map(sched), g.values[name], 1e-12));
  }
  const combined = {
    combined_cos_025: combinedCos(0.25, [0.4, 10, 1e-4]),
    combined_cos_docs: combinedCos(0.25, [0.5, 1, 0]),
    combine_scheds: combineScheds([0.3, 0.7], [schedCos(0.3, 0.6), schedCos(0.6, 0.2)]),
  };
  for (const [name, sched] of Object.entries(combined)) {
    it(`${name} has fastai's values`, () =>
      expectClose((g.combined[name].pos as number[]).map(sched), g.combined[name].values, 2e-6));
  }
  it('refuses shares that do not sum to 1', () => {
    expect(() => combineScheds([0.5, 0.6], [schedLin(1, 1), schedLin(1, 1)])).to.throw(
      ArgumentError,
      'sum to 1',
    );
    expect(() => combinedCos(1, [1, 2, 3])).to.throw(ArgumentError);
  });
});

describe('learning rate suggestions', () => {
  const g = golden('lr_find');
  for (const [curve, { losses, suggestions }] of Object.entries(
    g.curves as Record<string, { losses: number[]; suggestions: Record<string, number> }>,
  )) {
    it(`on the curve ${curve} are fastai's`, () => {
      const found = suggest(g.lrs, losses);
      for (const name of ['valley', 'slide', 'minimum', 'steep'] as const)
        expect(found[name]!.value / suggestions[name], name).to.be.closeTo(1, 1e-5);
    });
  }
  it('are missing on a curve too short for them', () => {
    expect(suggest([], [])).to.deep.equal({});
    expect(Object.keys(suggest([1e-3], [1]))).to.deep.equal(['minimum']);
  });
});

describe('SmoothLoss', () => {
  it("smooths and corrects as fastai's recorder", () => {
    const { raw, smooth } = golden('lr_find').smooth_loss;
    const s = new SmoothLoss();
    const seen = (raw as number[]).map((loss) => {
      s.accumulate(loss);
      return s.value;
    });
    expectClose(seen, smooth, 1e-5); // fastai works in float32 here
  });
});

const g = golden('fit_schedules');
// 400 training rows in batches of 80: the 5 batches an epoch of the golden file
const five = { rows: 500, bs: 80 };

describe('kinds of runs', () => {
  it("fitFlatCos has fastai's learning rates, batch by batch", async () => {
    const learn = makeLearner(five);
    await learn.fitFlatCos(2, 1e-2);
    expectClose(learn.recorder.lrs, g.flat_cos.lr, 2e-9, 'lr');
    expect(learn.recorder.hps.lr).to.deep.equal(learn.recorder.lrs);
    expect(learn.recorder.hps).to.have.keys(['lr']);
    await learn.fitFlatCos(2, 1e-2, { pctStart: 0.5, divFinal: 10 });
    expectClose(learn.recorder.lrs.slice(5, 7), [1e-2, schedCos(1e-2, 1e-3)(0.2)], 1e-9);
  });

  it("fitSgdr has fastai's learning rates, batch by batch", async () => {
    const learn = makeLearner(five);
    await learn.fitSgdr(2, 1, { lrMax: 1e-2 });
    expectClose(learn.recorder.lrs, g.sgdr.lr, 2e-9, 'lr');
    expect(learn.recorder.values).to.have.length(3);
  });

  it('fitSgdr restarts at the highest rate in every cycle, whatever the rounding of shares', async () => {
    const learn = makeLearner(five);
    for (const [nCycles, cycleLen, cycleMult, starts] of [
      [4, 1, 2, [0, 1, 3, 7]],
      [3, 1, 3, [0, 1, 4]],
      [6, 1, 1, [0, 1, 2, 3, 4, 5]],
      [3, 2, 2, [0, 2, 6]],
    ] as const) {
      await learn.fitSgdr(nCycles, cycleLen, { lrMax: 1e-3, cycleMult });
      for (const epoch of starts)
        expect(
          learn.recorder.lrs[5 * epoch],
          `${nCycles} × ${cycleLen}, epoch ${epoch}`,
        ).to.be.closeTo(1e-3, 1e-9);
      expect(learn.recorder.lrs.filter((lr) => lr > 1e-3 - 1e-9)).to.have.length(nCycles);
    }
  });

  it('take any schedule of any hyper-parameter', async () => {
    const learn = makeLearner(five);
    const lr = combineScheds([0.5, 0.5], [schedLin(0, 1e-2), schedCos(1e-2, 1e-4)]);
    await learn.fit(2, 1e-2, {
      cbs: [
        new ParamScheduler({ lr, wd: schedLin(0.3, 0.3) }),
        new ParamScheduler({ mom: schedLin(0.8, 0.9) }),
      ],
    });
    const { hps, lrs } = learn.recorder;
    expectClose(hps.lr.slice(0, 6), [0, 2e-3, 4e-3, 6e-3, 8e-3, 1e-2], 1e-9);
    expect(lrs).to.deep.equal(hps.lr);
    expect(hps.wd).to.deep.equal(Array<number>(10).fill(0.3));
    expect(hps.mom[9]).to.be.closeTo(0.89, 1e-9);
    expect(
      await rejection(
        learn.fit(1, 1e-2, { cbs: new ParamScheduler({ momentum: schedLin(0.9, 0.9) }) }),
      ),
    ).to.contain('Unknown hyper-parameter "momentum"');
  });

  it('take an optimizer by its class or by a function', async () => {
    const byClass = makeLearner({ optFunc: SGD });
    const byFunction = makeLearner({ optFunc: (params, { lr }) => new SGD(params, { lr }) });
    await byClass.fitOneCycle(1, 0.1);
    await byFunction.fitOneCycle(1, 0.1);
    expect(byClass.opt).to.be.instanceOf(SGD);
    expect(weights(byClass)).to.deep.equal(weights(byFunction));
  });

  it('are refused before anything is trained if an argument makes no sense', async () => {
    const learn = makeLearner();
    const before = weights(learn);
    const refused: [() => Promise<void>, string][] = [
      [() => learn.fitFlatCos(1.5), 'nEpoch must be a positive whole number'],
      [() => learn.fitFlatCos(1, 1e-2, { pctStart: 0 }), 'between 0 and 1'],
      [() => learn.fitFlatCos(1, 1e-2, { divFinal: 0 }), 'divFinal must be a positive number'],
      [() => learn.fitOneCycle(1, 1e-2, { div: -1 }), 'div must be a positive number'],
      [() => learn.fitSgdr(0, 1), 'nCycles must be a positive whole number'],
      [() => learn.fitSgdr(1, 0), 'cycleLen must be a positive whole number'],
      [() => learn.fitSgdr(2, 1, { cycleMult: 1.5 }), 'cycleMult must be a positive whole number'],
      [() => learn.fitSgdr(2, 1, { lrMax: 0 }), 'lr must be a positive number'],
      [() => learn.fit(1, [1e-3, 1e-2]), '2 learning rates for 1 parameter groups'],
    ];
    for (const [work, message] of refused)
      expect(await rejection(work()))
        .to.contain('ArgumentError')
        .and.to.contain(message);
    expect(weights(learn)).to.deep.equal(before);
  });
});
