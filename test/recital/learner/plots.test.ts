import { inspect } from 'node:util';
import { expect } from 'chai';
import type { Chart } from '../../../lib/recital/data/output.js';
import { chartSvg } from '../../../lib/recital/display/chart-render.js';
import type { LrFindResult } from '../../../lib/recital/learner/lr-find.js';
import { plotSched } from '../../../lib/recital/learner/plots.js';
import type { Recorder } from '../../../lib/recital/learner/recorder.js';
import { displayed, makeLearner } from '../../support/learner.js';
import { shown } from '../../support/shown.js';

describe('plots of a learner', () => {
  it('are shown once and returned', async () => {
    const learn = makeLearner({ bs: 600 });
    const { recorder } = learn;
    await learn.fitOneCycle(1, 0.01);
    const returned: Chart[] = [];
    const { charts } = shown(() => {
      returned.push(recorder.plotLoss(), recorder.plotSched());
    });
    expect(charts.map(({ title }) => title)).to.deep.equal([
      'Loss during training',
      'Hyper-parameters during training',
    ]);
    expect(charts.every((chart, i) => chart === returned[i])).to.equal(true);
  });

  it('of lrFind are part of its result, shown or not, and the result prints its suggestions alone', async () => {
    const learn = makeLearner();
    const found: LrFindResult[] = [];
    const { charts } = await displayed(async () => {
      found.push(
        await learn.lrFind({ stopDiv: false }),
        await learn.lrFind({ stopDiv: false, showPlot: false }),
      );
    });
    expect(charts).to.have.length(1);
    expect(charts[0]).to.equal(found[0].chart);
    expect(found[1].chart.alt).to.contain('; steep ');
    const svg = chartSvg(found[0].chart);
    for (const name of ['valley', 'slide', 'minimum', 'steep'] as const)
      expect(svg).to.contain(`>${name} ${found[0][name].toExponential(2)}`);
    const number = '\\d\\.\\d\\de[+-]\\d+';
    for (const text of [inspect(found[0]), String(found[0])])
      expect(text).to.match(
        new RegExp(
          `^lrFind: valley ${number}, slide ${number}, minimum ${number}, steep ${number}$`,
        ),
      );
    const { charts: again } = await displayed(async () => {
      expect(learn.recorder.plotLrFind()).to.equal(found[1].chart);
    });
    expect(again).to.have.length(1);
  });
});

const alt = (hps: Record<string, number[]>): string =>
  plotSched({ hps } as unknown as Recorder).alt;

describe('what the plot of a schedule says', () => {
  it('tells where a one-cycle schedule starts, turns and ends', () => {
    expect(
      alt({ lr: [0.0002, 0.003, 0.005, 0.001, 5.04e-8], mom: [0.95, 0.9, 0.85, 0.9, 0.95] }),
    ).to.equal(
      'Schedules: lr from 0.0002 to 0.005 at batch 3 of 5, then to 5.04e-8; mom from 0.95 to 0.85 at batch 3 of 5, then to 0.95.',
    );
  });

  it('tells of one that only falls, and of one that stays', () => {
    expect(alt({ lr: [0.1, 0.05, 0.01], mom: [0.9, 0.9, 0.9] })).to.equal(
      'Schedules: lr from 0.1 to 0.01; mom stays at 0.9.',
    );
  });
});
