import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../lib/compute/random.js';
import { CollabDataLoaders } from '../../lib/data/collab.js';
import { setDisplay } from '../../lib/data/display.js';
import { readSafetensors, type Tensor, writeSafetensors } from '../../lib/data/safetensors.js';
import { ArgumentError, DataError, NumericError } from '../../lib/errors.js';
import type { Callback } from '../../lib/learner/callback.js';
import { Learner, type LearnerOptions } from '../../lib/learner/learner.js';
import { EmbeddingDotBias } from '../../lib/models/embedding-dot-bias.js';
import { TemporaryFolder } from '../data/temporary.js';
import { plantedLoaders, plantedRatings } from '../support/synthetic.js';

interface Made extends LearnerOptions {
  nFactors?: number;
  seed?: number;
  rows?: number;
}

/** What a file says of itself, to be changed into what it must not say. */
interface Described {
  training: {
    epochsTrained: number;
    opt: { name: string; hypers: Record<string, unknown>[]; params: { name: string; step: number; buffers: string[] }[] };
    run?: unknown;
  };
}

/** The bytes of everything that training has come to. */
function stateOf(learn: Learner): Buffer {
  learn.settle();
  const { hypers, params } = learn.opt.stateDict();
  const arrays = [...learn.model.parameters.map((p) => p.value), ...Object.values(params).flatMap(({ buffers }) => Object.values(buffers))];
  const steps = Object.entries(params).map(([name, { step }]) => [name, step]);
  const text = Buffer.from(JSON.stringify([hypers, steps, learn.epochsTrained, learn.unfinished ?? null]));
  return Buffer.concat([text, ...arrays.map((a) => Buffer.from(a.slice().buffer))]);
}

const weightsOf = (learn: Learner): Buffer => Buffer.concat(learn.model.parameters.map((p) => Buffer.from(p.value.slice().buffer)));

function warnings(work: () => void): string {
  const lines: string[] = [];
  const before = setDisplay({ table() {}, chart() {}, text() {}, warn: (line) => lines.push(line) });
  try {
    work();
  } finally {
    setDisplay(before);
  }
  return lines.join('\n');
}

describe('Learner.save and load', () => {
  const folder = new TemporaryFolder();
  const make = ({ nFactors = 8, seed = 1, rows, ...options }: Made = {}): Learner => {
    const dls = plantedLoaders({ bs: 128, rows });
    return new Learner(dls, new EmbeddingDotBias(nFactors, dls.classes, { random: new Random(seed) }), { path: folder.path, ...options });
  };
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
    const save: Callback = { name: 'save', order: 60, afterEpoch: (learn) => void (learn.epoch === 1 && learn.save('on-its-way')) };
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
      (learn, cbs) => learn.fit(2, 0.01, { wd: 0.2, resetOpt: true, cbs }),
      (learn, cbs) => learn.fit(2, { start: 1e-3, stop: 1e-2 }, { cbs }),
      (learn, cbs) => learn.fitOneCycle(2, [0.01], { div: 10, divFinal: 1e3, pctStart: 0.4, moms: [0.9, 0.8, 0.9], cbs }),
      (learn, cbs) => learn.fitFlatCos(3, { stop: 0.01 }, { pctStart: 0.5, startEpoch: 1, cbs }),
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
    expect([...tensors.keys()].sort()).to.deep.equal(['model.iBias', 'model.iWeight', 'model.uBias', 'model.uWeight']);
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
    expect(tensors.get('opt.iBias.gradAvg')!.shape).to.deep.equal(trained.model.parameters[3].shape);
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
    expect(() => learn.save(path.join(folder.path, 'no', 'such', 'folder'))).to.throw(DataError, 'there is no folder');
    expect(() => learn.load('never')).to.throw(DataError, 'There is no file');
  });

  it('does not overwrite a good file with weights that are not finite', () => {
    const learn = make();
    learn.save('good');
    const before = readFileSync(at('good'));
    learn.model.parameters[1].value[5] = NaN;
    expect(() => learn.save('good')).to.throw(NumericError, 'iWeight holds NaN at position 5');
    expect(readFileSync(at('good')).equals(before)).to.equal(true);
    expect(readdirSync(path.dirname(at('good'))).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
  });

  /** Loads a file that must be refused, and checks that the learner is as it was. */
  function refused(file: string, message: string | RegExp, learn = make({ seed: 9 })): void {
    const before = stateOf(learn);
    expect(() => learn.load(file)).to.throw(DataError, message);
    expect(stateOf(learn).equals(before), 'unchanged').to.equal(true);
  }

  /** The trained file with changes. */
  function changed(name: string, change: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => void): string {
    const { tensors, metadata } = readSafetensors(at('trained'));
    const copies: [Map<string, Tensor>, Record<string, string>] = [new Map(tensors), { ...metadata }];
    change(...copies);
    writeSafetensors(at(name), copies[0], { metadata: copies[1] });
    return name;
  }

  /** The trained file with changes to its description. */
  function described(change: (config: Described) => void): string {
    return changed('described', (_, metadata) => {
      const config = JSON.parse(metadata.config) as Described;
      change(config);
      metadata.config = JSON.stringify(config);
    });
  }

  it('refuses files of another model, other shapes or other data, and changes nothing', () => {
    refused('trained', 'tensor "model.uWeight" is F32 of shape', make({ nFactors: 7 }));
    const renamed = plantedRatings().rows();
    for (const row of renamed) row.user = String(row.user).replace('u1', 'v1');
    const dls = CollabDataLoaders.fromTable(renamed, { bs: 128, seed: 3 });
    const others = new Learner(dls, new EmbeddingDotBias(8, dls.classes, { random: new Random(1) }), { path: folder.path });
    refused('trained', 'it is for other classes of user', others);
    warnings(() => others.load('trained', { strict: false }));
    expect(weightsOf(others).equals(weightsOf(trained))).to.equal(true);
    refused(
      changed('missing', (tensors) => tensors.delete('model.iBias')),
      'not those of EmbeddingDotBias (missing: model.iBias)',
    );
    refused(
      changed('more', (tensors) => tensors.set('buffers.extra', { shape: [1], data: Float32Array.of(1) })),
      'unexpected: buffers.extra',
    );
    refused(
      changed('kind', (tensors) =>
        tensors.set('model.uBias', { shape: tensors.get('model.uBias')!.shape, data: new Int32Array(tensors.get('model.uBias')!.data.length) }),
      ),
      'is I32 of shape',
    );
    refused(
      changed('nan', (tensors) => {
        tensors.get('model.iBias')!.data[3] = NaN;
      }),
      'tensor "model.iBias" holds NaN at position 3',
    );
  });

  it('takes parameters of the same name from another model, if strict is false', () => {
    const file = changed('part', (tensors) => tensors.delete('model.uBias'));
    const learn = make({ seed: 4 });
    const own = learn.model.parameters[2].value.slice();
    expect(warnings(() => learn.load(file, { strict: false, withOpt: false }))).to.contain('missing: model.uBias');
    expect(learn.model.parameters[2].value).to.deep.equal(own);
    expect(learn.model.parameters[0].value).to.deep.equal(trained.model.parameters[0].value);
    const none = changed('none', (tensors) => tensors.clear());
    expect(() => learn.load(none, { strict: false })).to.throw(DataError, 'not those of');
  });

  it('refuses the state of another optimizer, or one that makes no sense, and changes nothing', () => {
    refused(
      described((c) => {
        c.training.opt.name = 'SGD';
      }),
      /holds the state of SGD, the learner's optimizer is Adam.*withOpt: false/,
    );
    refused(
      described((c) => c.training.opt.hypers.push({})),
      'it has 2 parameter groups, the learner has 1',
    );
    for (const [name, value, message] of [
      ['lr', -1, 'lr must be'],
      ['mom', 1, 'mom must be below 1'],
      ['eps', '0', 'eps should be a number, got "0"'],
      ['other', 1, 'unknown field "other"'],
    ] as const) {
      refused(
        described((c) => {
          c.training.opt.hypers[0][name] = value;
        }),
        message,
      );
    }
    refused(
      described((c) => {
        c.training.opt.params[0].name = '__proto__';
      }),
      'a parameter "__proto__", which the model does not have',
    );
    refused(
      described((c) => {
        c.training.opt.params[0].buffers = ['gradAvg', 'other'];
      }),
      'no tensor "opt.uWeight.other"',
    );
    refused(
      described((c) => {
        c.training.opt.params[0].buffers = ['gradAvg'];
      }),
      'does not fit this optimizer',
    );
    refused(
      described((c) => {
        c.training.opt.params[0].step = 1.5;
      }),
      'step should be a whole number, 0 or more, got 1.5',
    );
    refused(
      described((c) => {
        c.training.epochsTrained = -1;
      }),
      'epochsTrained should be a whole number',
    );
  });

  it('refuses an unfinished run that nobody could have asked for', () => {
    const call = { method: 'fit', nEpoch: 2, lr: 0.1, options: {} };
    const bad: [unknown, string][] = [
      [[], 'calls should be a list of at least one call'],
      [[{ ...call, method: 'constructor' }], 'method should be a kind of run'],
      [[{ ...call, nEpoch: 0 }], 'nEpoch must be a positive whole number'],
      [[{ ...call, lr: 'fast' }], 'lr should be a number'],
      [[{ ...call, lr: [0.1, 0.2] }], '2 learning rates for 1'],
      [[{ ...call, lr: { stop: 0.1, path: '/etc' } }], 'unknown field "path"'],
      [[{ ...call, options: { cbs: 'evil' } }], 'unknown field "cbs"'],
      [[{ ...call, options: { moms: [1] } }], 'moms should be 3 numbers'],
      ['all', 'calls should be a list'],
    ];
    for (const [calls, message] of bad) {
      refused(
        described((c) => {
          c.training.run = { calls };
        }),
        message,
      );
    }
    refused(
      described((c) => {
        c.training.run = { calls: [call], at: { epoch: 0 } };
      }),
      'iter should be a whole number',
    );
  });

  it('refuses files that are none of ours', () => {
    refused(
      changed('foreign', (_, metadata) => delete metadata.format),
      'not one that learn.save or learn.export wrote',
    );
    refused(
      changed('later', (_, metadata) => {
        metadata.version = '2';
      }),
      'a later recital wrote it (format 2, known is 1)',
    );
    refused(
      changed('odd', (_, metadata) => {
        metadata.version = '0x1';
      }),
      'its format is "0x1"',
    );
    refused(
      changed('other', (_, metadata) => {
        metadata.kind = 'toString';
      }),
      'its kind is "toString"',
    );
    for (const config of ['', 'null', '[]', '{', '7', '{"classes":1}', '['.repeat(200_000), ' '.repeat(2 ** 20 + 1)]) {
      refused(
        changed('config', (_, metadata) => {
          metadata.config = config;
        }),
        'config',
      );
    }
    writeFileSync(at('torch'), Buffer.from('PK\x03\x04\x00\x00\x08\x08\x00\x00'));
    refused('torch', 'a zip archive, as PyTorch writes it');
    expect(existsSync(at('trained'))).to.equal(true);
  });

  it('answers any change of a file with an error of ours, and an unchanged learner, or a whole load (fuzz)', () => {
    const good = readFileSync(at('trained'));
    const learn = make({ seed: 6 });
    learn.save(path.join(folder.path, 'before'));
    const before = stateOf(learn);
    const header = 8 + Number(good.readBigUInt64LE());
    const file = path.join(folder.path, 'fuzz.safetensors');
    const place = fc.nat(header + 40);
    const change = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), place, value: fc.constantFrom(...Buffer.from('0123456789"{}[]:,-eE.ntf\\'), 0, 255) }),
      fc.record({ kind: fc.constant('cut' as const), place, value: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant('double' as const), place, value: fc.integer({ min: 1, max: 30 }) }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), (changes, repair) => {
        let bad = Buffer.from(good);
        for (const { kind, place: i, value } of changes) {
          if (kind === 'set') bad[i] = value;
          else if (kind === 'cut') bad = Buffer.concat([bad.subarray(0, i), bad.subarray(i + value)]);
          else bad = Buffer.concat([bad.subarray(0, i), bad.subarray(i, i + value), bad.subarray(i)]);
        }
        // Half of the time the header's length is made to fit again, so that what is behind it is read.
        if (repair && bad.length > 8) bad.writeBigUInt64LE(BigInt(Math.max(0, header - 8 + bad.length - good.length)));
        writeFileSync(file, bad);
        try {
          warnings(() => learn.load(file));
        } catch (error) {
          expect(error, String((error as Error).stack)).to.be.instanceOf(DataError);
          expect(stateOf(learn).equals(before)).to.equal(true);
          return;
        }
        warnings(() => learn.load(path.join(folder.path, 'before')));
      }),
      { numRuns: 300 },
    );
  }).timeout(60_000);
});
