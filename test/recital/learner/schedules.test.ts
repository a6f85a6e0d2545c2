import { expect } from 'chai';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { suggest } from '../../../lib/recital/learner/lr-find.js';
import { SmoothLoss } from '../../../lib/recital/learner/recorder.js';
import {
  combinedCos,
  combineScheds,
  schedCos,
  schedExp,
  schedLin,
  schedPoly,
} from '../../../lib/recital/learner/schedules.js';
import { expectClose, golden } from '../../support/golden.js';

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
