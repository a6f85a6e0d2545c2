import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import type { Callback } from '../../../../lib/recital/learner/callback.js';
import { SaveModel } from '../../../../lib/recital/learner/callbacks/save-model.js';
import { displayed, interruptAt, makeLearner, weights } from '../../../support/learner.js';

/** Weights after each epoch, in the order of the run. */
function history(): { cb: Callback; weights: number[][] } {
  const seen: number[][] = [];
  return {
    weights: seen,
    cb: { name: 'history', order: 99, afterEpoch: (learn) => void seen.push(weights(learn)) },
  };
}

/** Puts these numbers in the place of the validation losses. */
const pretend = (values: readonly number[]): Callback => ({
  name: 'pretend',
  order: 51,
  afterEpoch: ({ recorder, epoch }) => {
    recorder.values[epoch][1] = values[epoch];
  },
});

describe('SaveModel', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'recital-save-model-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const files = (): string[] =>
    existsSync(path.join(folder, 'models')) ? readdirSync(path.join(folder, 'models')).sort() : [];

  for (const fname of ['model', null]) {
    it(`goes back to the best at the end: ${fname ? 'from a file' : 'from memory, without a file'}`, async () => {
      const learn = makeLearner({ path: folder });
      const each = history();
      const save = new SaveModel(fname ? {} : { fname });
      const { texts } = await displayed(() =>
        learn.fit(4, 0.05, { cbs: [pretend([3, 1, 2, 1]), save, each.cb] }),
      );
      expect(weights(learn)).to.deep.equal(each.weights[1]);
      expect(texts).to.deep.equal([
        'Better model found at epoch 0 with valid_loss value: 3.',
        'Better model found at epoch 1 with valid_loss value: 1.',
      ]);
      expect(files()).to.deep.equal(fname ? ['model.safetensors'] : []);
      expect(save.lastSavedPath).to.equal(
        fname ? path.join(folder, 'models', 'model.safetensors') : undefined,
      );
      expect(save.best).to.equal(1);
      expect(learn.epochsTrained, 'epochs are counted on').to.equal(4);
      expect(learn.unfinished).to.equal(undefined);
    });

    it(`takes the optimizer back with it if told (${fname ?? 'memory'})`, async () => {
      for (const withOpt of [false, true]) {
        const learn = makeLearner({ path: folder });
        let best: unknown;
        const keep: Callback = {
          name: 'keep',
          order: 99,
          afterEpoch: ({ epoch, opt }) => void (epoch === 0 && (best = opt.stateDict())),
        };
        await displayed(() =>
          learn.fit(3, 0.05, {
            cbs: [pretend([1, 2, 3]), new SaveModel({ fname, withOpt }), keep],
          }),
        );
        if (withOpt) expect(learn.opt.stateDict()).to.deep.equal(best);
        else expect(learn.opt.stateDict()).to.not.deep.equal(best);
        expect(learn.epochsTrained).to.equal(3);
        expect(learn.unfinished).to.equal(undefined);
      }
    });
  }

  it('saves every epoch, or every n-th, or the last, and then stays with the last', async () => {
    for (const [options, names] of [
      [{ everyEpoch: true }, ['m_0', 'm_1', 'm_2', 'm_3', 'm_4']],
      [{ everyEpoch: 2 }, ['m_0', 'm_2', 'm_4']],
      [{ atEnd: true }, ['m']],
    ] as const) {
      rmSync(path.join(folder, 'models'), { recursive: true, force: true });
      const learn = makeLearner({ path: folder, bs: 600 });
      const each = history();
      await displayed(() =>
        learn.fit(5, 0.05, {
          cbs: [pretend([1, 2, 3, 4, 5]), new SaveModel({ ...options, fname: 'm' }), each.cb],
        }),
      );
      expect(files()).to.deep.equal(names.map((name) => `${name}.safetensors`));
      expect(weights(learn)).to.deep.equal(each.weights[4]);
      if (names.length > 1) {
        learn.load('m_2', { withOpt: false });
        expect(weights(learn)).to.deep.equal(each.weights[2]);
      }
    }
  });

  it('leaves the weights alone after an interrupt, and where nothing was better', async () => {
    const learn = makeLearner({ path: folder });
    const each = history();
    await displayed(() =>
      learn.fit(3, 0.05, {
        cbs: [pretend([1, 2, 3]), new SaveModel(), each.cb, interruptAt(1, 9)],
      }),
    );
    expect(weights(learn)).to.not.deep.equal(each.weights[0]);
    learn.load('model', { withOpt: false });
    expect(weights(learn)).to.deep.equal(each.weights[0]);
    const nan = history();
    await displayed(() =>
      learn.fit(2, 0.05, { cbs: [pretend([NaN, NaN]), new SaveModel(), nan.cb] }),
    );
    expect(weights(learn), 'not the file of the run before').to.deep.equal(nan.weights[1]);
  });

  it('has no part in lrFind', async () => {
    const learn = makeLearner({ path: folder, cbs: new SaveModel() });
    await learn.lrFind({ showPlot: false });
    expect(files()).to.deep.equal([]);
  });

  it('makes a model better that was trained for too long', async () => {
    const last: number[] = [];
    for (const cbs of [[], [new SaveModel({ fname: null })]]) {
      const learn = makeLearner();
      await displayed(() => learn.fit(16, 0.05, { wd: 0, cbs }));
      last.push((await learn.validate())[0] as number);
    }
    expect(last[1]).to.be.below(0.9 * last[0]);
  });

  it('refuses options that contradict each other', () => {
    expect(() => new SaveModel({ everyEpoch: true, atEnd: true })).to.throw(
      ArgumentError,
      'cannot both be set',
    );
    expect(() => new SaveModel({ fname: null, everyEpoch: true })).to.throw(
      ArgumentError,
      'give fname',
    );
    expect(() => new SaveModel({ everyEpoch: -1 })).to.throw(
      ArgumentError,
      'everyEpoch is true, false or a whole number',
    );
  });
});
