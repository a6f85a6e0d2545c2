import path from 'node:path';
import { expect } from 'chai';
import {
  readSafetensors,
  type TensorData,
  writeSafetensors,
} from '../../../../../lib/recital/data/files/safetensors.js';
import { DataError } from '../../../../../lib/recital/errors.js';
import { GradientAccumulation } from '../../../../../lib/recital/learner/callbacks/gradients.js';
import type { Learner, LearnerOptions } from '../../../../../lib/recital/learner/learner.js';
import { Lookahead } from '../../../../../lib/recital/learner/optimizers/lookahead.js';
import {
  biasSplitter,
  type OptFunc,
} from '../../../../../lib/recital/learner/optimizers/optimizer.js';
import {
  Adam,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
} from '../../../../../lib/recital/learner/optimizers/steps.js';
import { gap } from '../../../../support/dense64.js';
import { displayed, interruptAt, makeLearner, weights } from '../../../../support/learner.js';
import { TemporaryFolder } from '../../../data/temporary.js';

const optimizers: Record<string, OptFunc> = {
  Adam: (p, { lr }) => new Adam(p, { lr, timeSkipping: true }),
  'SGD with momentum': (p, { lr }) => new SGD(p, { lr, mom: 0.9, timeSkipping: true }),
  'RMSProp with momentum': (p, { lr }) => new RMSProp(p, { lr, mom: 0.9, timeSkipping: true }),
  RAdam: (p, { lr }) => new RAdam(p, { lr, timeSkipping: true }),
  QHAdam: (p, { lr }) => new QHAdam(p, { lr, timeSkipping: true }),
  'Lookahead around Adam': (p, { lr }) =>
    new Lookahead(new Adam(p, { lr, timeSkipping: true }), { k: 100 }),
};
const { Adam: skipping } = optimizers;

/** Weights and moments. */
function left(learn: Learner): unknown {
  return {
    weights: weights(learn),
    opt: learn.opt.stateDict(),
    losses: learn.recorder.losses,
    values: learn.recorder.values,
  };
}

describe('a run with time-skipping that was interrupted', () => {
  const folder = new TemporaryFolder();

  for (const [name, optFunc] of Object.entries(optimizers)) {
    it(`by ${name} goes on to the same bits, in the process and from a file`, async () => {
      const make = (): Learner => makeLearner({ optFunc, path: folder.path });
      const [whole, parts, later] = [make(), make(), make()];
      await whole.fitOneCycle(3, 0.01, { wd: 0.1 });
      await displayed(() => parts.fitOneCycle(3, 0.01, { wd: 0.1, cbs: interruptAt(1, 7) }));
      expect(parts.unfinished?.at?.pendingRows, 'there were rows to bring up to date').to.not.equal(
        undefined,
      );
      later.load(parts.save('stopped'));
      expect(weights(later)).to.deep.equal(weights(parts));
      await parts.lrFind({ showPlot: false });
      for (const learn of [parts, later]) {
        await learn.resume();
        expect(left(learn)).to.deep.equal(left(whole));
      }
    });
  }

  it('keeps gradients that were waiting for a step', async () => {
    const options: LearnerOptions = { optFunc: skipping };
    const cbs = (): GradientAccumulation => new GradientAccumulation({ nAcc: 5 * 64 });
    const [whole, parts] = [makeLearner(options), makeLearner(options)];
    await whole.fit(2, 0.02, { cbs: cbs() });
    await displayed(() => parts.fit(2, 0.02, { cbs: [cbs(), interruptAt(0, 7)] }));
    await parts.resume();
    expect(left(parts)).to.deep.equal(left(whole));
  });

  it('goes on from weights that were changed by hand', async () => {
    const learn = makeLearner({ optFunc: skipping });
    await displayed(() => learn.fit(2, 0.02, { cbs: interruptAt(0, 7) }));
    learn.model.parameters[0].value.fill(1);
    await learn.resume();
    const other = makeLearner({ optFunc: skipping });
    await other.fit(2, 0.02);
    expect(gap(weights(learn), weights(other)).max).to.be.greaterThan(0.1);
    expect(weights(learn).every(Number.isFinite)).to.equal(true);
  });

  it('goes on after JSON to the same numbers, but for rounding: JSON leaves the rows out', async () => {
    const [whole, parts, later] = [0, 1, 2].map(() => makeLearner({ optFunc: skipping }));
    await whole.fit(2, 0.02);
    await displayed(() => parts.fit(2, 0.02, { cbs: interruptAt(0, 7) }));
    const run = JSON.parse(JSON.stringify(parts.unfinished));
    expect(run.at).to.not.have.property('pendingRows');
    for (const [i, p] of later.model.parameters.entries())
      p.value.set(parts.model.parameters[i].value);
    later.opt.loadStateDict(parts.opt.stateDict());
    later.unfinished = run;
    await later.resume();
    expect(gap(weights(later), weights(whole)).max).to.be.below(1e-4);
  });

  it('refuses files whose rows would lead a kernel astray, and changes nothing', async () => {
    const learn = makeLearner({ optFunc: skipping, path: folder.path });
    await displayed(() => learn.fit(2, 0.02, { cbs: interruptAt(0, 7) }));
    const file = learn.save('whole');
    const wrong: [string, (data: TensorData) => void, RegExp][] = [
      ['run.line.0.spans', (data) => data.fill(-5), /spans does not lie in its tables/],
      ['run.line.0.spans', (data) => data.fill(1000), /spans does not lie in its tables/],
      ['run.rows.uWeight.last', (data) => data.fill(600), /rows of "uWeight" are at steps/],
      ['run.rows.uWeight.last', (data) => data.fill(-9), /rows of "uWeight" are at steps/],
    ];
    for (const [name, change, message] of wrong) {
      const {
        tensors,
        metadata: { sha256: _, ...metadata },
      } = readSafetensors(file);
      change(tensors.get(name)!.data);
      const bad = path.join(folder.path, 'bad.safetensors');
      writeSafetensors(bad, tensors, { metadata });
      const other = makeLearner({ optFunc: skipping });
      const before = weights(other);
      expect(() => other.load(bad), name).to.throw(DataError, message);
      expect(weights(other)).to.deep.equal(before);
    }
    for (const [from, to, message] of [
      ['"now":8', '"now":32767', /longer than any can be/],
      [
        '"name":"uBias","line":0',
        '"name":"uBias","line":3',
        /line must be|the number of one of its lines/,
      ],
      [
        '"name":"iBias","line":0,"buffers":["gradAvg","sqrAvg"]',
        '"name":"iBias","line":0,"buffers":["gradAvg"]',
        /moments of its line/,
      ],
    ] as const) {
      const {
        tensors,
        metadata: { sha256: _, ...metadata },
      } = readSafetensors(file);
      expect(metadata.config, from).to.include(from);
      const at = metadata.config.lastIndexOf(from);
      const config = metadata.config.slice(0, at) + to + metadata.config.slice(at + from.length);
      const bad = path.join(folder.path, 'bad.safetensors');
      writeSafetensors(bad, tensors, { metadata: { ...metadata, config } });
      expect(() => makeLearner({ optFunc: skipping }).load(bad), from).to.throw(DataError, message);
    }
  });
});

describe('a learner with time-skipping', () => {
  /** Everything that a learner does to an optimizer between and in runs. */
  async function life(optFunc: OptFunc): Promise<number[]> {
    const learn = makeLearner({ optFunc, splitter: biasSplitter });
    const seen: number[] = [];
    const look = (): void =>
      void seen.push(...weights(learn), ...[...learn.model.parameters[0].value.slice(0, 8)]);
    await learn.fitOneCycle(2, 0.01, { wd: 0.1 });
    look();
    await learn.lrFind({ showPlot: false });
    look();
    await learn.fit(1, [1e-3, 5e-3], { wd: 0.01 });
    learn.freeze();
    await learn.fitFlatCos(1, 0.01);
    look();
    learn.unfreeze();
    await learn.fitSgdr(2, 1, { lrMax: 0.01, wd: 0 });
    await learn.fit(1, 0.005, {
      cbs: { name: 'changes', afterBatch: ({ opt }) => opt.setHypers({ sqrMom: 0.98, mom: 0.7 }) },
    });
    look();
    return seen;
  }

  it('does what it does without, through lrFind, freezing, other rates and other decay', async () => {
    const dense = await life((p, { lr }) => new Adam(p, { lr, timeSkipping: false }));
    const skipped = await life(skipping);
    expect(gap(skipped, dense).max).to.be.below(2e-5); // float32 through 140 steps whose gradients depend on the weights
    expect(gap(skipped, dense).max).to.be.greaterThan(0);
  });
});
