import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import {
  readSafetensors,
  type Tensor,
  writeSafetensors,
} from '../../../lib/recital/data/files/safetensors.js';
import { DataError } from '../../../lib/recital/errors.js';
import type { Callback } from '../../../lib/recital/learner/callback.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import {
  type PlantedOptions,
  plantedLearner,
  stateOf,
  warnings,
  weightsOf,
} from '../../support/saved.js';
import { plantedRatings } from '../../support/synthetic.js';
import { TemporaryFolder } from '../data/temporary.js';

/** What a file says of itself, to be changed into what it must not say. */
interface Described {
  training: {
    epochsTrained: number;
    opt: {
      name: string;
      hypers: Record<string, unknown>[];
      params: { name: string; step: number; buffers: string[] }[];
    };
    run?: unknown;
  };
}

describe('Learner.load refuses', () => {
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

  /** Loads a file that must be refused, and checks that the learner is as it was. */
  function refused(file: string, message: string | RegExp, learn = make({ seed: 9 })): void {
    const before = stateOf(learn);
    expect(() => learn.load(file)).to.throw(DataError, message);
    expect(stateOf(learn).equals(before), 'unchanged').to.equal(true);
  }

  /** The trained file with changes. */
  function changed(
    name: string,
    change: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => void,
  ): string {
    const { tensors, metadata } = readSafetensors(at('trained'));
    const copies: [Map<string, Tensor>, Record<string, string>] = [
      new Map(tensors),
      { ...metadata },
    ];
    delete copies[1].sha256; // of a file that is changed on purpose
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

  it('files of another model, other shapes or other data, and changes nothing', () => {
    refused('trained', 'tensor "model.uWeight" is F32 of shape', make({ nFactors: 7 }));
    const renamed = plantedRatings().rows();
    for (const row of renamed) row.user = String(row.user).replace('u1', 'v1');
    const dls = CollabDataLoaders.fromTable(renamed, { bs: 128, seed: 3 });
    const others = new Learner(
      dls,
      new EmbeddingDotBias(8, dls.classes, { random: new Random(1) }),
      { path: folder.path },
    );
    refused('trained', 'it is for other classes of user', others);
    warnings(() => others.load('trained', { strict: false }));
    expect(weightsOf(others).equals(weightsOf(trained))).to.equal(true);
    refused(
      changed('missing', (tensors) => tensors.delete('model.iBias')),
      'not those of EmbeddingDotBias (missing: model.iBias)',
    );
    refused(
      changed('more', (tensors) =>
        tensors.set('buffers.extra', { shape: [1], data: Float32Array.of(1) }),
      ),
      'unexpected: buffers.extra',
    );
    refused(
      changed('kind', (tensors) =>
        tensors.set('model.uBias', {
          shape: tensors.get('model.uBias')!.shape,
          data: new Int32Array(tensors.get('model.uBias')!.data.length),
        }),
      ),
      'is I32 of shape',
    );
    refused(
      changed('nan', (tensors) => {
        tensors.get('model.iBias')!.data[3] = NaN;
      }),
      'tensor "model.iBias" holds NaN at position 3',
    );
    for (const name of ['model.uWeight', 'model.iWeight', 'model.uBias', 'model.iBias']) {
      for (const [value, last] of [
        [NaN, false],
        [Infinity, false],
        [-Infinity, true],
      ] as const) {
        let position = 0;
        const bad = changed('bad', (tensors) => {
          const { data } = tensors.get(name)!;
          position = last ? data.length - 1 : 0;
          data[position] = value;
        });
        refused(bad, `tensor "${name}" holds ${value} at position ${position}`);
      }
    }
  });

  it('the state of another optimizer, or one that makes no sense, and changes nothing', () => {
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

  it('an unfinished run that nobody could have asked for', () => {
    const call = { method: 'fit', nEpoch: 2, lr: 0.1, options: {} };
    const bad: [unknown, string][] = [
      [[], 'calls should be a list of at least one call'],
      [[{ ...call, method: 'constructor' }], "method should be 'fit' or 'fitOneCycle' or"],
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

  it('an unfinished run whose record is no table', async () => {
    const learn = make();
    const save: Callback = {
      name: 'save',
      order: 60,
      afterEpoch: () => void (learn.epoch === 1 && learn.save('half')),
    };
    await learn.fit(3, 0.01, { cbs: save });
    const half = readSafetensors(at('half'));
    const { data } = half.tensors.get('run.values')!;
    make().load('half'); // as it is
    const width = data.length / 2; // the file was written after the second epoch
    for (const [shape, values] of [
      [[2, width / 2, 2], data],
      [[2 * width], data],
      [[3, 0], new Float64Array(0)],
    ] as const) {
      const tensors = new Map(half.tensors).set('run.values', {
        shape: [...shape],
        data: values as Float64Array,
      });
      const { sha256: _, ...metadata } = half.metadata;
      writeSafetensors(at('no-table'), tensors, { metadata });
      refused('no-table', 'its run.values is not a table');
    }
  });

  it('files that are none of ours', () => {
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
    for (const config of [
      '',
      'null',
      '[]',
      '{',
      '7',
      '{"classes":1}',
      '['.repeat(200_000),
      ' '.repeat(2 ** 20 + 1),
    ]) {
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

  it('or loads whatever is changed in a file, without another error or half a load (fuzz)', () => {
    const good = readFileSync(at('trained'));
    const learn = make({ seed: 6 });
    learn.save(path.join(folder.path, 'before'));
    const before = stateOf(learn);
    const header = 8 + Number(good.readBigUInt64LE());
    const file = path.join(folder.path, 'fuzz.safetensors');
    const place = fc.nat(header + 40);
    const change = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        place,
        value: fc.constantFrom(...Buffer.from('0123456789"{}[]:,-eE.ntf\\'), 0, 255),
      }),
      fc.record({
        kind: fc.constant('cut' as const),
        place,
        value: fc.integer({ min: 1, max: 30 }),
      }),
      fc.record({
        kind: fc.constant('double' as const),
        place,
        value: fc.integer({ min: 1, max: 30 }),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (changes, repair) => {
          let bad = Buffer.from(good);
          for (const { kind, place: i, value } of changes) {
            if (kind === 'set') bad[i] = value;
            else if (kind === 'cut')
              bad = Buffer.concat([bad.subarray(0, i), bad.subarray(i + value)]);
            else
              bad = Buffer.concat([
                bad.subarray(0, i),
                bad.subarray(i, i + value),
                bad.subarray(i),
              ]);
          }
          // Half of the time the header's length is made to fit again, so that what is behind it is
          // read.
          if (repair && bad.length > 8)
            bad.writeBigUInt64LE(BigInt(Math.max(0, header - 8 + bad.length - good.length)));
          writeFileSync(file, bad);
          try {
            warnings(() => learn.load(file));
          } catch (error) {
            expect(error, String((error as Error).stack)).to.be.instanceOf(DataError);
            expect(stateOf(learn).equals(before)).to.equal(true);
            return;
          }
          warnings(() => learn.load(path.join(folder.path, 'before')));
        },
      ),
      { numRuns: 300 },
    );
  }).timeout(60_000);
});
