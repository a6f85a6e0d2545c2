import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { readSafetensors, writeSafetensors } from '../../../lib/recital/data/files/safetensors.js';
import { ArgumentError, DataError, NumericError } from '../../../lib/recital/errors.js';
import type { Callback } from '../../../lib/recital/learner/callback.js';
import type { Learner } from '../../../lib/recital/learner/learner.js';
import {
  type PlantedOptions,
  plantedLearner,
  stateOf,
  warnings,
  weightsOf,
} from '../../support/saved.js';
import { TemporaryFolder } from '../data/temporary.js';

describe('Learner.save and load', () => {
  const folder = new TemporaryFolder();
  const make = (options: PlantedOptions = {}): Learner =>
    plantedLearner({ path: folder.path, ...options });
  const at = (name: string): string => path.join(folder.path, 'models', `${name}.safetensors`);
  let trained: Learner;
  before(async () => {
    trained = make();
    await trained.fitOneCycle(2, 0.02, { wd: 0.1 });
    trained.save('trained');
  });

  it('goes on after loading as if it had never stopped, to the bit', async () => {
    const whole = make();
    await whole.fitOneCycle(2, 0.02, { wd: 0.1 });
    expect(stateOf(whole).equals(stateOf(trained))).to.equal(true);
    const loaded = make({ seed: 2 }).load('trained');
    expect(stateOf(loaded).equals(stateOf(whole))).to.equal(true);
    await whole.fit(2, 0.01);
    await loaded.fit(2, 0.01);
    expect(stateOf(loaded).equals(stateOf(whole))).to.equal(true);
    const fresh = make().load('trained', { withOpt: false }); // without the state of training it does not
    await fresh.fit(2, 0.01);
    expect(weightsOf(fresh).equals(weightsOf(whole))).to.equal(false);
  });

  it('resumes a run that was saved on its way, with its schedule and record', async () => {
    const whole = make();
    await whole.fitOneCycle(4, 0.02);
    const stopped = make();
    const save: Callback = {
      name: 'save',
      order: 60,
      afterEpoch: (learn) => void (learn.epoch === 1 && learn.save('on-its-way')),
    };
    await stopped.fitOneCycle(4, 0.02, { cbs: save });
    const loaded = make({ seed: 3 }).load('on-its-way');
    await loaded.resume();
    expect(stateOf(loaded).equals(stateOf(whole))).to.equal(true);
    expect(loaded.recorder.losses).to.deep.equal(whole.recorder.losses);
    expect(loaded.recorder.hps).to.deep.equal(whole.recorder.hps);
    expect(loaded.recorder.values).to.deep.equal(whole.recorder.values);
    expect(make().load('trained').unfinished).to.equal(undefined);
  });

  it('keeps a run of every kind', async () => {
    const runs: ((learn: Learner, cbs: Callback) => Promise<void>)[] = [
      (learn, cbs) => learn.fit(2, 0.01, { wd: 0.2, cbs }),
      (learn, cbs) => learn.fit(2, { start: 1e-3, stop: 1e-2 }, { cbs }),
      (learn, cbs) =>
        learn.fitOneCycle(2, [0.01], {
          div: 10,
          divFinal: 1e3,
          pctStart: 0.4,
          moms: [0.9, 0.8, 0.9],
          cbs,
        }),
      (learn, cbs) => learn.fitFlatCos(3, { stop: 0.01 }, { pctStart: 0.5, cbs }),
      (learn, cbs) => learn.fitSgdr(2, 1, { lrMax: 0.01, cycleMult: 1, cbs }),
    ];
    for (const run of runs) {
      const learn = make();
      let kept: unknown;
      await run(learn, {
        name: 'save',
        afterTrain() {
          if (kept) return;
          kept = learn.unfinished;
          learn.save('kinds');
        },
      });
      expect(make().load('kinds').unfinished).to.deep.equal(kept);
    }
  });

  it('saves weights alone, and leaves the optimizer alone, if told', async () => {
    const file = trained.save('weights', { withOpt: false });
    expect(file).to.equal(at('weights'));
    const { tensors } = readSafetensors(file);
    expect([...tensors.keys()].sort()).to.deep.equal([
      'model.iBias',
      'model.iWeight',
      'model.uBias',
      'model.uWeight',
    ]);
    const other = make();
    await other.fit(1, 0.5);
    const { hypers } = other.opt.stateDict();
    expect(warnings(() => other.load('weights', { withOpt: false }))).to.equal('');
    expect(weightsOf(other).equals(weightsOf(trained))).to.equal(true);
    expect(other.opt.stateDict().hypers).to.deep.equal(hypers);
    expect(other.epochsTrained).to.equal(1);
    expect(warnings(() => other.load('weights'))).to.contain('no state of an optimizer');
  });

  it('describes itself: names, shapes, and the state of training as JSON', () => {
    const { tensors, metadata } = readSafetensors(at('trained'));
    expect(tensors.get('model.uWeight')!.shape).to.deep.equal(trained.model.parameters[0].shape);
    expect(tensors.get('opt.iBias.gradAvg')!.shape).to.deep.equal(
      trained.model.parameters[3].shape,
    );
    expect(metadata).to.include({ format: 'recital', version: '1', kind: 'checkpoint' });
    const { model, training } = JSON.parse(metadata.config) as {
      model: string;
      training: { epochsTrained: number; opt: { name: string; hypers: object[] } };
    };
    expect(model).to.equal('EmbeddingDotBias');
    expect(training.epochsTrained).to.equal(2);
    expect(training.opt.name).to.equal('Adam');
    expect(training.opt.hypers).to.deep.equal([{ ...trained.opt.hypers }]);
  });

  it('keeps to its folder', () => {
    const learn = make({ modelDir: 'saved' });
    expect(learn.save('a/b')).to.equal(path.join(folder.path, 'saved', 'a', 'b.safetensors'));
    expect(() => learn.save('../b')).to.throw(ArgumentError, 'is not a name');
    expect(() => learn.load('../../etc/passwd')).to.throw(ArgumentError, 'is not a name');
    const elsewhere = path.join(folder.path, 'elsewhere');
    expect(learn.save(elsewhere)).to.equal(`${elsewhere}.safetensors`);
    expect(weightsOf(make({ seed: 5 }).load(elsewhere)).equals(weightsOf(learn))).to.equal(true);
    expect(() => learn.save(path.join(folder.path, 'no', 'such', 'folder'))).to.throw(
      DataError,
      'there is no folder',
    );
    expect(() => learn.load('never')).to.throw(DataError, 'There is no file');
  });

  it('does not overwrite a good file with weights that are not finite', () => {
    const learn = make();
    learn.save('good');
    const before = readFileSync(at('good'));
    const { value } = learn.model.parameters[1];
    for (const at of [0, 5, value.length - 1]) {
      const weight = value[at];
      value[at] = NaN;
      expect(() => learn.save('good')).to.throw(
        NumericError,
        `iWeight holds NaN at position ${at},`,
      );
      value[at] = weight;
    }
    expect(readFileSync(at('good')).equals(before)).to.equal(true);
    expect(
      readdirSync(path.dirname(at('good'))).filter((name) => name.endsWith('.tmp')),
    ).to.deep.equal([]);
  });

  it('takes parameters of the same name from another model, if strict is false', () => {
    const {
      tensors,
      metadata: { sha256: _, ...metadata },
    } = readSafetensors(at('trained'));
    const part = new Map(tensors);
    part.delete('model.uBias');
    writeSafetensors(at('part'), part, { metadata });
    const learn = make({ seed: 4 });
    const own = learn.model.parameters[2].value.slice();
    expect(warnings(() => learn.load('part', { strict: false, withOpt: false }))).to.contain(
      'missing: model.uBias',
    );
    expect(learn.model.parameters[2].value).to.deep.equal(own);
    expect(learn.model.parameters[0].value).to.deep.equal(trained.model.parameters[0].value);
    writeSafetensors(at('none'), {}, { metadata });
    expect(() => learn.load('none', { strict: false })).to.throw(DataError, 'not those of');
  });
});
