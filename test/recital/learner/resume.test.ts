import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Callback } from '../../../lib/recital/learner/callback.js';
import { GradientAccumulation } from '../../../lib/recital/learner/callbacks/gradients.js';
import {
  EarlyStopping,
  ReduceLROnPlateau,
  SaveModel,
} from '../../../lib/recital/learner/callbacks/trackers.js';
import type { Learner, LearnerOptions } from '../../../lib/recital/learner/learner.js';
import { ranger } from '../../../lib/recital/learner/optimizers/lookahead.js';
import { biasSplitter } from '../../../lib/recital/learner/optimizers/optimizer.js';
import {
  displayed,
  interruptAt,
  makeDeepLearner,
  makeLearner,
  rejection,
  weights,
} from '../../support/learner.js';

type Run = (learn: Learner, cbs: Callback[]) => Promise<void>;

/** Everything that a run leaves behind, but for the seconds it took. */
function left(learn: Learner): unknown {
  const { lrs, losses, iters, values, hps, log } = learn.recorder;
  return {
    weights: weights(learn),
    opt: learn.opt.stateDict(),
    epochs: learn.epochsTrained,
    lrs,
    losses,
    iters,
    values,
    hps,
    log: log.slice(0, -1),
  };
}

/** The same run twice, the second one interrupted and resumed: both must leave the same behind. */
async function compare(
  run: Run,
  stop: Callback,
  options: LearnerOptions & { bs?: number } = {},
  between?: (learn: Learner) => Promise<unknown>,
) {
  const whole = makeLearner(options);
  await run(whole, []);
  const parts = makeLearner(options);
  await displayed(() => run(parts, [stop]));
  expect(parts.interrupted).to.equal(true);
  expect(parts.unfinished).to.not.equal(undefined);
  expect(weights(parts), 'it was stopped on its way').to.not.deep.equal(weights(whole));
  await between?.(parts);
  await parts.resume();
  expect(left(parts)).to.deep.equal(left(whole));
  expect(parts.unfinished).to.equal(undefined);
  expect(parts.interrupted).to.equal(false);
}

describe('an interrupted run', () => {
  const runs: Record<string, Run> = {
    fit: (learn, cbs) => learn.fit(3, 0.02, { wd: 0.1, cbs }),
    fitOneCycle: (learn, cbs) => learn.fitOneCycle(3, 0.05, { wd: 0.1, cbs }),
    fitFlatCos: (learn, cbs) => learn.fitFlatCos(3, 0.05, { cbs }),
    fitSgdr: (learn, cbs) => learn.fitSgdr(2, 1, { lrMax: 0.05, cbs }),
  };
  for (const [name, run] of Object.entries(runs)) {
    it(`of ${name} goes on at the next batch, to the same bits`, () =>
      compare(run, interruptAt(1, 7)));
  }

  const places: [string, Callback][] = [
    ['at the last batch of an epoch', interruptAt(1, 17)],
    ['in validation', interruptAt(1, 2, { training: false })],
    ['at the first batch of an epoch', interruptAt(2, 0)],
  ];
  for (const [name, stop] of places)
    it(`stopped ${name} goes on, too`, () => compare(runs.fitOneCycle, stop));

  it('says where it stopped and how to go on', async () => {
    const learn = makeLearner();
    const { texts } = await displayed(() => learn.fit(2, 1e-3, { cbs: interruptAt(1, 7) }));
    expect(texts).to.deep.equal([
      'Interrupted in epoch 1, training batch 8 of 18. What was learnt stays; learn.resume() goes on from here.',
    ]);
  });

  it('goes on with any optimizer, and with the rates of its groups', () =>
    compare((learn, cbs) => learn.fitOneCycle(3, [0.01, 0.05], { cbs }), interruptAt(1, 7), {
      optFunc: ranger,
      splitter: biasSplitter,
    }));

  for (const epoch of [0, 1]) {
    it(`of fineTune goes on in its ${epoch ? 'second' : 'first'} part and with what comes after`, async () => {
      const stop = interruptAt(epoch, 7);
      // its first part has one epoch, so the second epoch is of the second part
      await compare((learn, cbs) => learn.fineTune(2, 0.02, { cbs }), stop, {
        splitter: biasSplitter,
      });
    });
  }

  it('draws the same dropout, and goes on with the same running statistics', async () => {
    const [whole, parts] = [makeDeepLearner(), makeDeepLearner()];
    await whole.fitOneCycle(3, 0.01);
    await displayed(() => parts.fitOneCycle(3, 0.01, { cbs: interruptAt(1, 7) }));
    await parts.lrFind({ showPlot: false });
    await parts.resume();
    expect(left(parts)).to.deep.equal(left(whole));
    expect(parts.model.buffers!.map((b) => [...b.value])).to.deep.equal(
      whole.model.buffers!.map((b) => [...b.value]),
    );
  });

  it('does not mind predictions, validation and lrFind in between', () =>
    compare(runs.fitOneCycle, interruptAt(1, 7), {}, async (learn) => {
      await learn.getPreds();
      await learn.validate();
      await learn.lrFind({ showPlot: false });
      expect(learn.unfinished).to.not.equal(undefined);
    }));

  it('can be interrupted again', async () => {
    const whole = makeLearner();
    await whole.fitOneCycle(3, 0.05);
    const parts = makeLearner();
    await displayed(async () => {
      await parts.fitOneCycle(3, 0.05, { cbs: interruptAt(0, 5) });
      await parts.resume({ cbs: interruptAt(2, 3) });
      expect(parts.unfinished?.at).to.include({ epoch: 2, iter: 4 });
      await parts.resume({ cbs: [] });
    });
    expect(left(parts)).to.deep.equal(left(whole));
  });

  it('keeps gradients that were waiting for a step', async () => {
    // five batches make a step: after 8 and after 18 three wait
    const run: Run = (learn, cbs) =>
      learn.fit(2, 0.02, { cbs: [...cbs, new GradientAccumulation({ nAcc: 5 * 64 })] });
    await compare(run, interruptAt(0, 7));
    await compare(run, interruptAt(0, 1, { training: false }));
    await compare(run, interruptAt(0, 7), {}, (learn) => learn.lrFind({ showPlot: false }));
  });

  it('goes on with the patience and the best of its callbacks', async () => {
    const lines: string[][] = [];
    for (const stop of [[], [interruptAt(2, 7)]]) {
      const learn = makeLearner({ shuffled: true });
      const cbs = [
        ...stop,
        new ReduceLROnPlateau({ patience: 2, factor: 3 }),
        new EarlyStopping({ patience: 5 }),
        new SaveModel({ fname: null }),
      ];
      const { texts } = await displayed(async () => {
        await learn.fit(12, 0.03, { cbs });
        if (stop.length) await learn.resume();
      });
      lines.push([
        ...texts.filter((line) => !line.startsWith('Interrupted')),
        JSON.stringify(weights(learn)),
      ]);
    }
    expect(lines[0].some((line) => line.includes('reducing lr'))).to.equal(true);
    expect(lines[0].some((line) => line.includes('early stopping'))).to.equal(true);
    expect(lines[1]).to.deep.equal(lines[0]);
  });

  it('calls beforeFit again, with learn.resumed set', async () => {
    const seen: (number | undefined)[] = [];
    const spy: Callback = {
      name: 'spy',
      beforeFit: ({ resumed }) => void seen.push(resumed?.iter),
      afterFit: ({ resumed }) => void seen.push(resumed?.epoch),
    };
    const learn = makeLearner();
    await displayed(() => learn.fit(2, 1e-3, { cbs: [spy, interruptAt(1, 7)] }));
    await learn.resume();
    expect(seen).to.deep.equal([undefined, undefined, 8, 1]);
    expect(learn.resumed).to.equal(undefined);
  });

  it('is forgotten when another begins, or when it fails', async () => {
    const learn = makeLearner();
    await displayed(() => learn.fit(2, 1e-3, { cbs: interruptAt(1, 7) }));
    await learn.fit(1);
    expect(await rejection(learn.resume())).to.contain('There is no unfinished run');
    const fail: Callback = {
      name: 'fail',
      afterTrain() {
        throw new Error('a defect of its own');
      },
    };
    expect(await rejection(learn.fit(1, 1e-3, { cbs: fail }))).to.contain('a defect of its own');
    expect(learn.unfinished).to.equal(undefined);
  });

  it('is not resumed with other data', async () => {
    const learn = makeLearner();
    await displayed(() => learn.fit(2, 1e-3, { cbs: interruptAt(1, 7) }));
    const other = makeLearner({ bs: 100 });
    other.unfinished = learn.unfinished;
    expect(await rejection(other.resume())).to.contain(
      'has 18 batches per epoch, these loaders have 12',
    );
    expect(other.unfinished, 'and not lost').to.equal(learn.unfinished);
  });

  it('outside of training is an error, for there is no result', async () => {
    const learn = makeLearner();
    for (const work of [() => learn.validate(), () => learn.getPreds()]) {
      learn.addCbs(interruptAt(0, 2, { training: false }));
      expect(await rejection(work())).to.match(
        /Interrupted in validation batch \d of 5: there is no result/,
      );
    }
    expect(process.listenerCount('SIGINT')).to.equal(0);
  });
});

describe('a run whose process has died', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'recital-resume-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('goes on from the file of an epoch, to the same bits', async () => {
    const options = { optFunc: ranger, splitter: biasSplitter, path: folder };
    const first = makeLearner(options);
    await first.fit(1, 0.01); // the order of the rows counts from here
    await first.fitOneCycle(4, 0.05, {
      wd: 0.1,
      cbs: new SaveModel({ everyEpoch: true, withOpt: true, fname: 'epoch' }),
    });
    for (const epoch of [0, 2]) {
      const second = makeLearner(options).load(`epoch_${epoch}`);
      expect(second.unfinished?.at).to.include({
        epoch: epoch + 1,
        iter: 0,
        trainIter: 18 * (epoch + 1),
      });
      await second.resume();
      expect(left(second)).to.deep.equal(left(first));
    }
    const done = makeLearner(options).load('epoch_3');
    expect(weights(done)).to.deep.equal(weights(first));
    expect(done.unfinished).to.equal(undefined);
  });

  it('of fineTune goes on with its second part, unfrozen', async () => {
    const options = { splitter: biasSplitter, path: folder };
    const save = (): SaveModel =>
      new SaveModel({ everyEpoch: true, withOpt: true, fname: 'tuned' });
    const first = makeLearner(options);
    const kept: string[] = [];
    const keep: Callback = {
      name: 'keep',
      order: 99,
      afterEpoch: (learn) => void kept.push(learn.save(`kept_${kept.length}`)),
    };
    await first.fineTune(2, 0.02, { freezeEpochs: 2, cbs: [save(), keep] });
    expect(kept).to.have.length(4);
    for (const i of [0, 1, 2]) {
      const second = makeLearner(options).load(`kept_${i}`);
      await second.resume();
      expect(left(second), `after epoch ${i}`).to.deep.equal(left(first));
    }
  });

  it('goes on after JSON, too', async () => {
    const first = makeLearner();
    await displayed(() => first.fitOneCycle(2, 0.05, { cbs: interruptAt(1, 7) }));
    const run = JSON.parse(JSON.stringify(first.unfinished));
    expect(run).to.deep.equal(first.unfinished);
    const second = makeLearner();
    second.model.parameters.forEach((p, i) => {
      p.value.set(first.model.parameters[i].value);
    });
    second.opt.loadStateDict(first.opt.stateDict());
    second.unfinished = run;
    await first.resume();
    await second.resume();
    expect(left(second)).to.deep.equal(left(first));
  });
});
