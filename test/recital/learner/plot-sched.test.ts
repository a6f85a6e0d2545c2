import { expect } from 'chai';
import { plotSched } from '../../../lib/recital/learner/plots.js';
import type { Recorder } from '../../../lib/recital/learner/recorder.js';

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
